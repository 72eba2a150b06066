//! `[sign_in.cas]`: the university's portal, whose sign-in opens an account here as well.
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use crate::domain::bilingual::Bilingual;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignIn {
    /// None: people sign in here only
    pub cas: Option<Cas>,
}

/// A server that speaks CAS (Apereo; 统一身份认证).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cas {
    /// What stands before `/login`, without a trailing slash
    pub base_url: String,
    /// What the portal is called on the button
    #[serde(default = "name")]
    pub name: String,
    #[serde(default = "name_en")]
    pub name_en: String,
    /// The attribute that carries the student or staff number; empty: the user's name itself
    #[serde(default)]
    pub number_attribute: String,
    #[serde(default)]
    pub protocol: CasProtocol,
    /// How long the server has to say whose a ticket is; seconds
    #[serde(default = "answer_seconds")]
    pub answer_seconds: u64,
    /// How long a person may stay at the portal's sign-in page; seconds
    #[serde(default = "sign_in_seconds")]
    pub sign_in_seconds: u64,
    /// Where the portal's password is changed; empty: not said
    #[serde(default)]
    pub password_url: String,
}

/// Which address says whose a ticket is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum CasProtocol {
    /// `/serviceValidate`
    #[serde(rename = "2.0")]
    Two,
    /// `/p3/serviceValidate`
    #[default]
    #[serde(rename = "3.0")]
    Three,
}

fn name() -> String {
    "统一身份认证".to_owned()
}

fn name_en() -> String {
    "Campus sign-in".to_owned()
}

fn answer_seconds() -> u64 {
    5
}

fn sign_in_seconds() -> u64 {
    600
}

impl Cas {
    pub fn bilingual_name(&self) -> Bilingual {
        Bilingual::new(&self.name, &self.name_en)
    }

    pub fn is_encrypted(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.answer_seconds)
    }
}

/// # Errors
/// The key that does not fit, and why.
pub(super) fn check(sign_in: &SignIn) -> Result<(), (&'static str, &'static str)> {
    let Some(cas) = &sign_in.cas else { return Ok(()) };
    let fits = |text: &str, local: bool| {
        Url::parse(text).is_ok_and(|url| {
            let here = local && matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
            url.scheme() == "https" || url.scheme() == "http" && here
        })
    };
    if !fits(&cas.base_url, true) {
        return Err(("sign_in.cas.base_url", "must begin with https:// (http:// only for this machine)"));
    }
    if cas.base_url.ends_with('/') || cas.base_url.contains(['?', '#', '@']) {
        return Err(("sign_in.cas.base_url", "what stands before /login, without a trailing slash"));
    }
    if cas.name.trim().is_empty() {
        return Err(("sign_in.cas.name", "what the portal is called"));
    }
    if !(1..=8).contains(&cas.answer_seconds) {
        return Err(("sign_in.cas.answer_seconds", "1 to 8"));
    }
    if !(60..=3600).contains(&cas.sign_in_seconds) {
        return Err(("sign_in.cas.sign_in_seconds", "60 to 3600"));
    }
    if !cas.password_url.is_empty() && !fits(&cas.password_url, false) {
        return Err(("sign_in.cas.password_url", "an address that begins with https://"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portal_is_asked_over_tls_and_every_limit_is_within_reason() {
        let read = |text: &str| SignIn { cas: Some(toml::from_str(text).unwrap()) };
        let good = "base_url = 'https://cas.example.edu.cn/cas'\nanswer_seconds = 5\nsign_in_seconds = 600\n\
            password_url = 'https://my.example.edu.cn/'\nname = '统一身份认证'";
        assert_eq!(check(&read(good)), Ok(()));
        assert_eq!(check(&read("base_url = 'http://127.0.0.1:8081/cas'")), Ok(()));
        assert_eq!(check(&SignIn::default()), Ok(()));
        for (from, to, key) in [
            ("https://cas", "http://cas", "base_url"),
            ("cas'", "cas/'", "base_url"),
            ("cas'", "cas?a=b'", "base_url"),
            ("= 5", "= 9", "answer_seconds"),
            ("= 600", "= 59", "sign_in_seconds"),
            ("https://my", "http://my", "password_url"),
            ("统一身份认证", " ", "name"),
        ] {
            assert_eq!(check(&read(&good.replace(from, to))).unwrap_err().0, format!("sign_in.cas.{key}"));
        }
        assert!(toml::from_str::<Cas>("base_url = 'https://a.example/'\nprotocol = '4.0'").is_err());
    }
}
