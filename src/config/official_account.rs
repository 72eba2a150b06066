//! `[official_account]`: the service account whose menu holds 缴费入口.
use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::key::OneOrMore;
use super::note::{self, Template};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficialAccount {
    pub app_id: String,
    pub app_secret: SecretString,
    /// `https://api.weixin.qq.com`
    #[serde(default = "wechat_api")]
    pub api_base: String,
    /// `https://open.weixin.qq.com`
    #[serde(default = "wechat_open")]
    pub authorize_base: String,
    /// None: what followers write is not heard
    #[serde(default)]
    pub message: Option<MessageServer>,
    /// 公众号通知, by kind; what is not named is not sent
    #[serde(default)]
    pub templates: BTreeMap<String, Template>,
    /// How many days before its day an amount that is due is reminded of
    #[serde(default = "due_soon_days")]
    pub due_soon_days: u32,
}

fn due_soon_days() -> u32 {
    3
}

/// 服务器配置: what the platform signs and seals followers' messages with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageServer {
    /// 令牌(Token): 3 to 32 letters and digits
    pub token: SecretString,
    /// 消息加解密密钥(EncodingAESKey): 43 letters and digits; the former one behind it while it is changed. None:
    /// messages come in plain (明文模式); with one nothing in plain is heard.
    #[serde(default)]
    pub encoding_aes_key: Option<OneOrMore<SecretString>>,
}

fn wechat_api() -> String {
    "https://api.weixin.qq.com".to_owned()
}

fn wechat_open() -> String {
    "https://open.weixin.qq.com".to_owned()
}

/// Key and complaint of what does not fit.
pub fn check(account: Option<&OfficialAccount>) -> Result<(), (String, String)> {
    let Some(account) = account else { return Ok(()) };
    note::check(&account.templates)?;
    let unfit = |key: &str, why: &str| Err((format!("official_account.message.{key}"), why.to_owned()));
    let Some(server) = &account.message else { return Ok(()) };
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let token = server.token.expose_secret();
    if !(3..=32).contains(&token.len()) || !plain(token) {
        return unfit("token", "3 to 32 letters and digits");
    }
    let mut keys = server.encoding_aes_key.iter().flat_map(OneOrMore::all).map(ExposeSecret::expose_secret);
    match keys.all(|key| key.len() == 43 && plain(key)) {
        true => Ok(()),
        false => unfit("encoding_aes_key", "43 letters and digits"),
    }
}
