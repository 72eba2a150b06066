//! What the platform keeps of the account.
use serde_json::Value;

use super::followers::Followers;
use super::notices::Sent;
use super::push::PushMode;
use super::tokens::Tokens;

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
