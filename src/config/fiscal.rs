//! `[fiscal]`: the platform of the fiscal authority that issues e-receipts (财政电子票据), and who we are to it.
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fiscal {
    /// Up to the name of a service, without a trailing slash: `https://…/standard-web/api/standard`
    pub api_base: String,
    /// 区划
    pub region: String,
    /// 执收单位编码
    pub unit_code: String,
    pub app_id: String,
    pub app_key: SecretString,
    /// 开票点编码
    pub place_code: String,
    /// 票据种类编码
    pub bill_kind: String,
    /// The words at the head of the bill
    #[serde(default = "bill_title")]
    pub bill_title: String,
    /// 执收单位; empty: the school
    #[serde(default)]
    pub unit_name: String,
    /// 经办人
    #[serde(default = "handler")]
    pub handler: String,
}

fn bill_title() -> String {
    "非税收入统一票据（电子）".to_owned()
}

fn handler() -> String {
    "支付平台".to_owned()
}

impl Fiscal {
    pub fn is_encrypted(&self) -> bool {
        self.api_base.starts_with("https://")
    }
}

/// # Errors
/// The key that does not fit, and why.
pub(super) fn check(fiscal: Option<&Fiscal>) -> Result<(), (&'static str, &'static str)> {
    let Some(fiscal) = fiscal else { return Ok(()) };
    let local = |url: &Url| matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let url = Url::parse(&fiscal.api_base);
    if !url.is_ok_and(|url| url.scheme() == "https" || url.scheme() == "http" && local(&url)) {
        return Err(("fiscal.api_base", "must begin with https:// (http:// only for this machine)"));
    }
    if fiscal.api_base.ends_with('/') {
        return Err(("fiscal.api_base", "without a trailing slash"));
    }
    let filled = [
        ("fiscal.region", fiscal.region.as_str()),
        ("fiscal.unit_code", &fiscal.unit_code),
        ("fiscal.app_id", &fiscal.app_id),
        ("fiscal.app_key", fiscal.app_key.expose_secret()),
        ("fiscal.place_code", &fiscal.place_code),
        ("fiscal.bill_kind", &fiscal.bill_kind),
    ];
    match filled.iter().find(|(_, value)| value.trim().is_empty()) {
        Some((key, _)) => Err((key, "what the platform's office has given you")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_is_asked_over_tls_and_every_code_is_given() {
        let good = "api_base = 'https://ebill.example.gov.cn/standard-web/api/standard'\nregion = '620000'\n\
            unit_code = '021099001'\napp_id = 'QMU0001'\napp_key = 's3cret'\nplace_code = '001'\nbill_kind = '0102'";
        let read = |text: &str| toml::from_str::<Fiscal>(text).unwrap();
        assert_eq!(check(Some(&read(good))), Ok(()));
        assert_eq!(check(None), Ok(()));
        assert!(!format!("{:?}", read(good)).contains("s3cret"));
        for (from, to, key) in [
            ("https:", "http:", "fiscal.api_base"),
            ("standard'", "standard/'", "fiscal.api_base"),
            ("'620000'", "' '", "fiscal.region"),
            ("'s3cret'", "''", "fiscal.app_key"),
        ] {
            assert_eq!(check(Some(&read(&good.replace(from, to)))).unwrap_err().0, key);
        }
    }
}
