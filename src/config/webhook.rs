//! `[[webhook]]`: an endpoint of a campus system that is told when money moves (Standard Webhooks).
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Url;
use serde::Deserialize;

use crate::domain::event::EventKind;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Names the endpoint in the database, in logs and at the command line: never change it
    pub name: String,
    /// Where events are posted. It may hold a secret of the receiver's, so it is never logged.
    pub url: EndpointUrl,
    /// The first is the one in use; while one is being changed both stand here, and each signs.
    pub secrets: Vec<WebhookSecret>,
    #[serde(deserialize_with = "kinds")]
    pub kinds: Vec<EventKind>,
}

fn kinds<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<EventKind>, D::Error> {
    let read = |code: String| {
        EventKind::parse(&code).ok_or_else(|| {
            let known: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.code()).collect();
            serde::de::Error::custom(format!("webhook.kinds: {code:?} is none of {}", known.join(", ")))
        })
    };
    Vec::<String>::deserialize(from)?.into_iter().map(read).collect()
}

/// An absolute https address, or http on loopback. `Debug` shows the host only.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct EndpointUrl(Url);

impl EndpointUrl {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.0.scheme(), self.0.host_str().unwrap_or_default())
    }
}

impl TryFrom<String> for EndpointUrl {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        // the text itself is not repeated: it may hold a secret
        let url = Url::parse(&text).map_err(|_| "webhook.url: not an address")?;
        let loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        if !(url.scheme() == "https" || url.scheme() == "http" && loopback) {
            return Err("webhook.url: must begin with https:// (http:// only for this machine)".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err("webhook.url: without user, password and #".to_owned());
        }
        Ok(Self(url))
    }
}

/// A symmetric secret: `whsec_` and 24 to 64 bytes in base64 (Standard Webhooks, signature scheme), or `file:path`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

impl TryFrom<String> for WebhookSecret {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let text = match text.strip_prefix("file:") {
            Some(path) => std::fs::read_to_string(path).map_err(|e| format!("webhook secret file {path}: {e}"))?,
            None => text,
        };
        let bytes = text.trim().strip_prefix("whsec_").and_then(|rest| BASE64.decode(rest).ok());
        bytes.filter(|bytes| (24..=64).contains(&bytes.len())).map(Self).ok_or_else(|| {
            "webhook.secrets: whsec_ and 24 to 64 bytes in base64; make one with \
             `echo whsec_$(openssl rand -base64 32)`"
                .to_owned()
        })
    }
}

/// # Errors
/// The key that does not fit, and why.
pub(super) fn check(webhooks: &[Webhook]) -> Result<(), (String, &'static str)> {
    let unfit = |at: usize, key: &str, why| Err((format!("webhook.{at}.{key}"), why));
    for (at, webhook) in webhooks.iter().enumerate() {
        let shape = webhook.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if webhook.name.is_empty() || !shape || webhooks[..at].iter().any(|other| other.name == webhook.name) {
            return unfit(at, "name", "small letters, digits and hyphens, once each");
        }
        if webhook.secrets.is_empty() {
            return unfit(at, "secrets", "at least one");
        }
        if webhook.kinds.is_empty() {
            return unfit(at, "kinds", "at least one");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_are_encrypted_or_of_this_machine_are_taken() {
        let read = |text: &str| EndpointUrl::try_from(text.to_owned());
        for good in ["https://card.example.edu.cn/jiaofei?key=1", "http://127.0.0.1:9/x", "http://[::1]:9/"] {
            assert_eq!(read(good).unwrap().as_str(), good);
        }
        for bad in [
            "http://card.example.edu.cn/",
            "http://127.0.0.1.example.com/",
            "ftp://127.0.0.1/",
            "https://user:pass@card.example.edu.cn/",
            "https://card.example.edu.cn/#here",
            "card.example.edu.cn",
            "",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let shown = format!("{:?}", read("https://card.example.edu.cn/hook?key=s3cret").unwrap());
        assert_eq!(shown, "https://card.example.edu.cn/…");
    }

    #[test]
    fn a_short_or_misspelt_secret_is_refused_and_none_is_shown() {
        let read = |text: &str| WebhookSecret::try_from(text.to_owned());
        let good = read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!((good.bytes().len(), format!("{good:?}")), (24, "WebhookSecret(…)".to_owned()));
        for bad in
            ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_no base64 at all, no base64 at all"]
        {
            let told = read(bad).unwrap_err();
            assert!(told.starts_with("webhook.secrets") && (bad.is_empty() || !told.contains(bad)), "{told}");
        }
    }
}
