//! The keys of the file, one struct per section.
use std::path::Path;

use secrecy::SecretString;
use serde::Deserialize;

use crate::domain::bilingual::Bilingual;
use crate::domain::fee::Fund;
use crate::domain::method::MethodRules;
use crate::domain::trade::Channel;

use super::checkout::Checkout;
use super::fiscal::{self, Fiscal};
use super::key::{Key32, OneOrMore, Pem};
use super::living::{self, Living};
use super::message::{self, Mail, Sms};
use super::official_account::{self, OfficialAccount};
use super::school::School;
use super::sign_in::{self, SignIn};
use super::webhook::{self, Webhook};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub database: Database,
    #[serde(default)]
    pub redis: Option<Redis>,
    pub school: School,
    #[serde(default)]
    pub sign_in: SignIn,
    pub secrets: Secrets,
    #[serde(default)]
    pub official_account: Option<OfficialAccount>,
    #[serde(default)]
    pub payee: Vec<Payee>,
    #[serde(default)]
    pub checkout: Checkout,
    /// Campus systems that are told when money moves
    #[serde(default)]
    pub webhook: Vec<Webhook>,
    /// None: no mail goes out, and nothing is offered that needs it
    #[serde(default)]
    pub mail: Option<Mail>,
    /// None: no text messages go out
    #[serde(default)]
    pub sms: Option<Sms>,
    #[serde(default)]
    pub api: Api,
    /// None: no fiscal e-receipts are issued
    #[serde(default)]
    pub fiscal: Option<Fiscal>,
    /// 生活缴费: what payers can top up
    #[serde(default)]
    pub living: Vec<Living>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: String,
    /// The address students see, without a trailing slash; every link, notify and return address is built from it,
    /// never from the request's Host header.
    pub public_url: String,
    /// How many reverse proxies in front add themselves to `X-Forwarded-For`; 0: the header is not believed.
    #[serde(default)]
    pub trusted_proxies: usize,
    /// Where the operator's own machines ask (`/metrics`, `/healthz`, `/readyz`); none: nowhere. Never the students'
    /// port.
    #[serde(default)]
    pub operator_listen: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite://path` or `postgres://…`
    pub url: String,
    #[serde(default = "max_connections")]
    pub max_connections: u32,
}

fn max_connections() -> u32 {
    12
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    pub url: String,
}

/// Keys of 32 bytes in hexadecimal or base64, or `file:path`. Never defaulted. While a key is changed its successor, or
/// its predecessor, stands behind it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// The first signs forms, each is believed
    pub session_key: OneOrMore<Key32>,
    /// The first seals personal fields, each opens them
    pub field_key: OneOrMore<Key32>,
    /// Payers are entered under the first and looked for under each; two at most
    pub index_key: OneOrMore<Key32>,
    /// Seals the journal's chain
    pub journal_key: Key32,
    /// Earlier journal keys, by which older entries are still checked
    #[serde(default)]
    pub old_journal_keys: Vec<Key32>,
}

/// 收款单位: who receives money, and the accounts it is received on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payee {
    pub code: String,
    pub name: String,
    #[serde(default)]
    pub name_en: String,
    #[serde(deserialize_with = "fund")]
    pub fund: Fund,
    /// 支付方式: which channels may be used, for which amounts, and when not
    #[serde(default, deserialize_with = "super::method::read")]
    pub method: MethodRules,
    #[serde(default)]
    pub wechat: Option<WechatAccount>,
    #[serde(default)]
    pub alipay: Option<AlipayAccount>,
    #[serde(default)]
    pub unionpay: Option<UnionPayAccount>,
}

impl Payee {
    /// The channels it has an account at, in a fixed order.
    pub fn accounts(&self) -> Vec<Channel> {
        let there = |channel: &Channel| match channel {
            Channel::Wechat => self.wechat.is_some(),
            Channel::Alipay => self.alipay.is_some(),
            Channel::UnionPay => self.unionpay.is_some(),
        };
        Channel::ALL.iter().copied().filter(there).collect()
    }

    pub fn bilingual_name(&self) -> Bilingual {
        Bilingual::new(&self.name, &self.name_en)
    }
}

fn fund<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Fund, D::Error> {
    let text = String::deserialize(from)?;
    Fund::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("fund: {text:?} is neither fiscal nor agency")))
}

/// A direct merchant of WeChat Pay v3. Answers and notices are believed when signed by the public key or by one of the
/// platform certificates; at least one of the two must be given, both during WeChat's switch.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatAccount {
    pub app_id: String,
    pub mch_id: String,
    /// Serial number of the merchant's certificate (40 hexadecimal digits)
    pub serial_no: String,
    /// apiclient_key.pem (PKCS#8)
    pub private_key: Pem,
    /// 32 characters; two while it is changed: what either opens is read
    pub api_v3_key: OneOrMore<SecretString>,
    /// `PUB_KEY_ID_…`
    #[serde(default)]
    pub public_key_id: Option<String>,
    /// pub_key.pem
    #[serde(default)]
    pub public_key: Option<Pem>,
    /// wechatpay_….pem
    #[serde(default)]
    pub platform_certificates: Vec<Pem>,
    #[serde(default = "wechat_pay_api")]
    pub api_base: String,
    /// Whether the merchant has the H5 product (payment from a phone's browser)
    #[serde(default = "yes")]
    pub h5: bool,
}

fn wechat_pay_api() -> String {
    "https://api.mch.weixin.qq.com".to_owned()
}

fn yes() -> bool {
    true
}

/// An Alipay application in public-key mode (`alipay_public_key`) or certificate mode (the three certificates).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlipayAccount {
    pub app_id: String,
    /// PKCS#8 or PKCS#1, PEM or one line of base64
    pub private_key: Pem,
    #[serde(default)]
    pub alipay_public_key: Option<OneOrMore<Pem>>,
    #[serde(default)]
    pub app_cert: Option<Pem>,
    #[serde(default)]
    pub alipay_cert: Option<Pem>,
    #[serde(default)]
    pub alipay_root_cert: Option<Pem>,
    /// 2088…
    pub seller_id: String,
    #[serde(default = "alipay_gateway")]
    pub gateway: String,
    #[serde(default = "alipay_authorize")]
    pub authorize_base: String,
}

fn alipay_gateway() -> String {
    "https://openapi.alipay.com/gateway.do".to_owned()
}

fn alipay_authorize() -> String {
    "https://openauth.alipay.com".to_owned()
}

/// A direct merchant of UnionPay's 全渠道 (ACP 5.1.0, signMethod 01). UnionPay's own certificate comes with each message;
/// it must lead up to these two.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnionPayAccount {
    /// 商户号, 15 digits
    pub mer_id: String,
    /// 商户私钥, out of the .pfx UnionPay gives
    pub sign_key: Pem,
    /// Its certificate, out of the same file
    pub sign_cert: Pem,
    /// acp_prod_root.cer
    pub root_cert: Pem,
    /// acp_prod_middle.cer; the next one behind it while it changes
    pub middle_cert: Pem,
    /// Whom UnionPay's certificate names
    #[serde(default = "unionpay_name")]
    pub name: String,
    #[serde(default = "unionpay_gateway")]
    pub gateway: String,
    /// Where the gateway leads a payer's browser on to
    #[serde(default = "unionpay_cashier")]
    pub cashier: String,
}

fn unionpay_name() -> String {
    "中国银联股份有限公司".to_owned()
}

fn unionpay_gateway() -> String {
    "https://gateway.95516.com".to_owned()
}

fn unionpay_cashier() -> String {
    "https://cashier.95516.com".to_owned()
}

/// The API of campus systems.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    /// How many calls one key may make in a minute
    pub calls_per_minute: u32,
}

impl Default for Api {
    fn default() -> Self {
        Self { calls_per_minute: 600 }
    }
}

/// Why a configuration cannot be used; each text names the key to set.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("{0}")]
    Parse(String),
    #[error("{key}: {why}")]
    Unfit { key: String, why: String },
}

impl Config {
    /// Reads a TOML file, then the environment over it.
    pub fn load(path: &Path, environment: impl Iterator<Item = (String, String)>) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.display().to_string(), source })?;
        Self::parse(&text, environment)
    }

    /// Reads TOML text, then the environment over it.
    pub fn parse(text: &str, environment: impl Iterator<Item = (String, String)>) -> Result<Config, ConfigError> {
        let parse = |e: toml::de::Error| ConfigError::Parse(e.message().to_owned());
        let mut tree: toml::Value = toml::from_str::<toml::Table>(text).map_err(parse)?.into();
        for (name, value) in environment {
            if let Some(path) = name.strip_prefix("JIAOFEI__") {
                let path = path.to_ascii_lowercase();
                overlay(&mut tree, &path.split("__").collect::<Vec<_>>(), value);
            }
        }
        let config: Config = tree.try_into().map_err(parse)?;
        config.check()?;
        Ok(config)
    }

    pub fn payee(&self, code: &str) -> Option<&Payee> {
        self.payee.iter().find(|payee| payee.code == code)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let unfit = |key: &str, why: &str| Err(ConfigError::Unfit { key: key.to_owned(), why: why.to_owned() });
        let letters = |text: &str| text.bytes().all(|b| b.is_ascii_uppercase());
        if self.school.order_prefix.len() != 2 || !letters(&self.school.order_prefix) {
            return unfit("school.order_prefix", "two capital letters");
        }
        if !(2..=6).contains(&self.school.code.len()) || !letters(&self.school.code) {
            return unfit("school.code", "two to six capital letters");
        }
        if self.server.public_url.ends_with('/') || !self.server.public_url.starts_with("http") {
            return unfit("server.public_url", "an http(s) address without a trailing slash");
        }
        if self.secrets.index_key.all().len() > 2 {
            return unfit("secrets.index_key", "two at most, the second only while it is changed");
        }
        if self.school.portal.iter().any(|one| !one.url.starts_with("https://")) {
            return unfit("school.portal", "an address that begins with https://");
        }
        for (at, payee) in self.payee.iter().enumerate() {
            let shape = payee.code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if payee.code.is_empty() || !shape || self.payee[..at].iter().any(|other| other.code == payee.code) {
                return unfit(&format!("payee.{at}.code"), "small letters, digits and hyphens, once each");
            }
        }
        sign_in::check(&self.sign_in).or_else(|(key, why)| unfit(key, why))?;
        fiscal::check(self.fiscal.as_ref()).or_else(|(key, why)| unfit(key, why))?;
        living::check(&self.living, |code| self.payee(code).is_some()).or_else(|(key, why)| unfit(&key, why))?;
        official_account::check(self.official_account.as_ref()).or_else(|(key, why)| unfit(&key, &why))?;
        message::check(self.mail.as_ref(), self.sms.as_ref()).or_else(|(key, why)| unfit(&key, why))?;
        webhook::check(&self.webhook).or_else(|(key, why)| unfit(&key, why))
    }
}

/// Sets one value in the tree; a part that is a number walks into a list. Numbers and booleans keep their type.
fn overlay(tree: &mut toml::Value, path: &[&str], value: String) {
    let Some((head, rest)) = path.split_first() else {
        *tree = match tree {
            toml::Value::Integer(_) => value.parse().map_or(toml::Value::String(value), toml::Value::Integer),
            toml::Value::Boolean(_) => value.parse().map_or(toml::Value::String(value), toml::Value::Boolean),
            _ => toml::Value::String(value),
        };
        return;
    };
    match (tree, head.parse::<usize>()) {
        (toml::Value::Array(list), Ok(at)) => {
            if let Some(entry) = list.get_mut(at) {
                overlay(entry, rest, value);
            }
        }
        (toml::Value::Table(table), _) => {
            let empty = match rest {
                [] => toml::Value::String(String::new()),
                _ => toml::Value::Table(toml::Table::new()),
            };
            overlay(table.entry(head.to_string()).or_insert(empty), rest, value);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::InitialPassword;
    use crate::domain::id_number::IdNumber;

    const MINIMAL: &str = r#"
        [server]
        listen = "127.0.0.1:8080"
        public_url = "https://pay.example.edu.cn"
        [database]
        url = "sqlite://jiaofei.db"
        max_connections = 4
        [school]
        name = "启明大学"
        code = "QMU"
        initial_password = "id_last8"
        [secrets]
        session_key = "1111111111111111111111111111111111111111111111111111111111111111"
        field_key = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI="
        index_key = "3333333333333333333333333333333333333333333333333333333333333333"
        journal_key = "4444444444444444444444444444444444444444444444444444444444444444"
        [[payee]]
        code = "fiscal"
        name = "某省财政厅"
        fund = "fiscal"
    "#;

    #[test]
    fn the_environment_overrides_the_file_key_by_key() {
        let environment = [
            ("JIAOFEI__DATABASE__MAX_CONNECTIONS", "9"),
            ("JIAOFEI__REDIS__URL", "redis://127.0.0.1"),
            ("JIAOFEI__PAYEE__0__NAME", "另一财政厅"),
            ("PATH", "/bin"),
        ];
        let environment = environment.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned()));
        let config = Config::parse(MINIMAL, environment).unwrap();
        assert_eq!(config.database.max_connections, 9);
        assert_eq!(config.redis.unwrap().url, "redis://127.0.0.1");
        assert_eq!(config.payee[0].name, "另一财政厅");
        assert_eq!(config.school.initial_password, InitialPassword::IdLast8);
    }

    #[test]
    fn an_unknown_or_unfit_key_is_named() {
        let typo = MINIMAL.replace("listen", "lisen");
        assert!(Config::parse(&typo, std::iter::empty()).unwrap_err().to_string().contains("lisen"));
        let unfit = MINIMAL.replace("\"QMU\"", "\"q\"");
        assert!(Config::parse(&unfit, std::iter::empty()).unwrap_err().to_string().starts_with("school.code"));
    }

    #[test]
    fn the_initial_password_follows_the_schools_rule() {
        let id = IdNumber::parse("11010519491231002x").unwrap();
        let of = |rule: &str| InitialPassword::try_from(rule.to_owned()).unwrap().of("2023001", Some(&id)).unwrap();
        assert_eq!(of("id_last6"), "31002X");
        assert_eq!(of("id_last8"), "1231002X");
        assert_eq!(of("zeros6"), "000000");
        assert_eq!(of("username"), "2023001");
        assert_eq!(of("fixed:123456"), "123456");
        assert_eq!(InitialPassword::IdLast6.of("2023001", None), None);
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", Config::parse(MINIMAL, std::iter::empty()).unwrap());
        assert!(!shown.contains("1111") && !shown.contains("[17, 17"), "{shown}");
    }
}
