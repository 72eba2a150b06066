//! `[mail]` and `[sms]`: how messages go out. What they hold of secrets is never shown.
use std::collections::BTreeMap;
use std::fmt;

use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;

/// The mail server that takes our mail (SMTP).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub host: String,
    /// None: 465 for `tls`, 587 for `starttls`, 25 for `none`
    #[serde(default)]
    pub port: Option<u16>,
    #[serde(default)]
    pub security: MailSecurity,
    /// None: the server asks for none
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub password: Option<SecretString>,
    /// The sender's address; the name beside it is the school's
    pub from: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// TLS from the first byte
    #[default]
    Tls,
    /// TLS after STARTTLS, which the server must offer
    Starttls,
    /// None: only for a server on this machine
    None,
}

impl Mail {
    pub fn is_local(&self) -> bool {
        matches!(self.host.as_str(), "127.0.0.1" | "::1" | "localhost")
    }
}

/// One HTTP call that sends a text message. `{phone}`, `{text}` and `{code}` are filled in, written as the place wants
/// it: percent-encoded in the address and in a form, escaped in JSON.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    pub url: String,
    #[serde(default)]
    pub method: SmsMethod,
    #[serde(default)]
    pub headers: BTreeMap<String, SecretString>,
    #[serde(default)]
    pub body: SecretString,
    /// What the answer must have in it to count; none: its status is enough
    #[serde(default)]
    pub success: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SmsMethod {
    Get,
    #[default]
    Post,
}

impl Sms {
    pub fn is_encrypted(&self) -> bool {
        self.url.starts_with("https://")
    }
}

impl fmt::Debug for Sms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = Url::parse(&self.url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        write!(f, "Sms({host}/…)")
    }
}

/// # Errors
/// The key that does not fit, and why.
pub(super) fn check(mail: Option<&Mail>, sms: Option<&Sms>) -> Result<(), (String, &'static str)> {
    let unfit = |key: &str, why| Err((key.to_owned(), why));
    if let Some(mail) = mail {
        if mail.host.trim().is_empty() {
            return unfit("mail.host", "the name of the mail server");
        }
        if crate::domain::profile::Email::parse(&mail.from).is_none() {
            return unfit("mail.from", "an e-mail address");
        }
        if mail.security == MailSecurity::None && !mail.is_local() {
            return unfit("mail.security", "none only for a server on this machine");
        }
        if mail.username.is_some() != mail.password.is_some() {
            return unfit("mail.password", "username and password go together");
        }
    }
    if let Some(sms) = sms {
        let url = Url::parse(&sms.url.replace(['{', '}'], "x"));
        let loopback = |url: &Url| matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        if !url.is_ok_and(|url| url.scheme() == "https" || url.scheme() == "http" && loopback(&url)) {
            return unfit("sms.url", "must begin with https:// (http:// only for this machine)");
        }
        let has = |word: &str| {
            use secrecy::ExposeSecret;
            sms.url.contains(word) || sms.body.expose_secret().contains(word)
        };
        if !has("{phone}") || !(has("{text}") || has("{code}")) {
            return unfit("sms.body", "body or url must have {phone}, and {text} or {code}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sms(text: &str) -> Sms {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_gateway_must_be_encrypted_and_be_told_phone_and_text() {
        let good = sms("url = 'https://sms.example.com/send?k=s3cret'\nbody = '{phone} {code}'");
        assert_eq!(check(None, Some(&good)), Ok(()));
        assert_eq!(format!("{good:?}"), "Sms(sms.example.com/…)");
        for bad in [
            "url = 'http://sms.example.com/'\nbody = '{phone} {code}'",
            "url = 'https://sms.example.com/'\nbody = '{phone}'",
            "url = 'https://sms.example.com/?t={text}'",
            "url = 'sms'\nbody = '{phone} {text}'",
        ] {
            assert!(check(None, Some(&sms(bad))).is_err(), "{bad}");
        }
    }

    #[test]
    fn mail_goes_unencrypted_only_within_this_machine() {
        let mail = |text: &str| toml::from_str::<Mail>(text).unwrap();
        let good =
            mail("host = 'smtp.example.edu.cn'\nfrom = 'pay@example.edu.cn'\nusername = 'a'\npassword = 's3cret'");
        assert_eq!(check(Some(&good), None), Ok(()));
        assert!(!format!("{good:?}").contains("s3cret"));
        for bad in [
            "host = 'smtp.example.edu.cn'\nfrom = 'pay@example.edu.cn'\nsecurity = 'none'",
            "host = 'smtp.example.edu.cn'\nfrom = 'pay'",
            "host = ''\nfrom = 'pay@example.edu.cn'",
            "host = 'smtp.example.edu.cn'\nfrom = 'pay@example.edu.cn'\nusername = 'a'",
        ] {
            assert!(check(Some(&mail(bad)), None).is_err(), "{bad}");
        }
        assert_eq!(check(Some(&mail("host = '127.0.0.1'\nfrom = 'a@b.cn'\nsecurity = 'none'")), None), Ok(()));
    }
}
