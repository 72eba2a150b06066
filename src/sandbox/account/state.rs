//! What the platform keeps of the account.
use serde_json::Value;

use super::followers::Followers;
use super::tokens::Tokens;
use crate::domain::moment::Moment;

#[derive(Default)]
pub struct Account {
    pub tokens: Tokens,
    /// jsapi_tickets that were given
    pub tickets: Vec<String>,
    /// As it was created
    pub menu: Option<Value>,
    pub followers: Followers,
    pub sent: Sent,
    /// How messages are pushed
    pub mode: PushMode,
}

/// 消息加解密方式, as chosen in the account's console.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushMode {
    /// 明文模式
    Plain,
    /// 兼容模式: both forms in one body
    Compatible,
    /// 安全模式
    #[default]
    Safe,
}

/// Messages to followers.
#[derive(Default)]
pub struct Sent {
    /// By the account's own id, until when it is not sent again, and as which message
    pub(super) by_id: Vec<(String, Moment, u64)>,
    /// Errcode to answer instead, and how often still
    pub refuse: Option<(i32, u32)>,
    /// How many calls came, and how many messages went
    pub asked: u32,
    pub went: u32,
}
