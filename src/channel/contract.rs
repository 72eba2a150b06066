//! What every channel can do. The flows know only this page.
//!
//! A channel never touches the database and never decides what is booked; it turns protocol into [`Heard`] and back.
//! Every `Ok` was signed by the channel and verified here; whatever could not be verified is
//! [`ChannelError::Untrusted`].
use async_trait::async_trait;
use reqwest::header::HeaderMap;

use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::Attempt;
use crate::domain::order_no::{AttemptNo, RefundNo};
use crate::domain::trade::{Buyer, Channel, Heard, Product, RefundHeard, TradeNo};

/// All that an order call needs. The same ask again (all fields equal) is safe at every channel and gives a fresh
/// answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrepayAsk {
    pub attempt_no: AttemptNo,
    /// The same on every ask; UnionPay knows an order by its number and this second.
    pub opened_at: Moment,
    pub product: Product,
    pub amount: Fen,
    /// What the payer's bill shows; the channel shortens and cleans it to its own rules.
    pub subject: String,
    pub expires_at: Moment,
    /// The payer's own address (IPv4 or IPv6), which WeChat's H5 checks.
    pub payer_ip: String,
    /// Present exactly when the product needs it.
    pub buyer: Option<Buyer>,
    /// `https://…/notify/{channel}/{payee}`; no query string.
    pub notify_url: String,
    /// Where the payer's browser comes back to; no query string.
    pub return_url: String,
}

impl PrepayAsk {
    /// By what the attempt is asked about afterwards.
    pub fn key(&self) -> AttemptKey {
        AttemptKey { no: self.attempt_no.clone(), opened_at: self.opened_at, expires_at: self.expires_at }
    }
}

/// By what a channel knows an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttemptKey {
    pub no: AttemptNo,
    pub opened_at: Moment,
    /// When the channel takes no money for it any more
    pub expires_at: Moment,
}

impl From<&Attempt> for AttemptKey {
    fn from(attempt: &Attempt) -> AttemptKey {
        let no = attempt.attempt_no.clone();
        AttemptKey { no, opened_at: attempt.created_at, expires_at: attempt.expires_at }
    }
}

/// What the payer's device does next.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Prepay {
    /// Call `WeixinJSBridge.invoke('getBrandWCPayRequest', …)` with [`Channel::launch_jsapi`]'s parameters.
    WechatJsapi { prepay_id: String },
    /// Call `AlipayJSBridge.call('tradePay', {tradeNO})`.
    AlipayJsapi { trade_no: String },
    /// Go to this address of the channel.
    Redirect { url: String },
    /// Send this form to this address of the channel, by POST, as it stands.
    Form(OutwardForm),
    /// Show this text as a QR code.
    Code { text: String },
}

/// A form the payer's browser sends to the channel itself.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct OutwardForm {
    pub action: String,
    pub fields: Vec<(String, String)>,
    /// Scheme, host and port of the address, and of where it leads on to at once: all that a page's policy must allow
    pub origins: Vec<String>,
}

impl Prepay {
    /// How long the answer may be used, in seconds (WeChat Pay v3: prepay_id and code_url 2 h, h5_url 5 min; kept
    /// shorter here).
    pub fn good_for(&self, product: Product) -> u64 {
        match product {
            Product::WechatH5 => 4 * 60,
            _ => 90 * 60,
        }
    }
}

/// The parameters of `getBrandWCPayRequest`, with the names WeChat's bridge expects.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JsapiLaunch {
    pub app_id: String,
    pub time_stamp: String,
    pub nonce_str: String,
    pub package: String,
    pub sign_type: String,
    pub pay_sign: String,
}

/// A refund to the way the money came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefundAsk {
    pub refund_no: RefundNo,
    /// When the refund was wanted: the same on every ask
    pub opened_at: Moment,
    pub attempt_no: AttemptNo,
    pub trade_no: TradeNo,
    /// To send back now
    pub amount: Fen,
    /// The whole payment it comes from
    pub total: Fen,
    pub reason: String,
    pub notify_url: String,
}

/// Why a channel's answer could not be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChannelError {
    /// No answer, or one that says "ask again" (429, 500, 502, SYSTEM_ERROR). Whether it had an effect is unknown.
    #[error("no usable answer from the channel: {0}")]
    Unreachable(String),
    /// An answer that was not signed, wrongly signed, or not in the protocol's shape. Whether the call had an effect
    /// is unknown.
    #[error("the channel's answer could not be trusted: {0}")]
    Untrusted(String),
    /// The channel understood and said no; nothing happened.
    #[error("the channel refused: {code} {message}")]
    Refused { why: RefusedFor, code: String, message: String },
}

impl ChannelError {
    /// The word in metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            ChannelError::Unreachable(_) => "unreachable",
            ChannelError::Untrusted(_) => "untrusted",
            ChannelError::Refused { .. } => "refused",
        }
    }
}

/// The refusals the flows act upon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefusedFor {
    /// This number is paid already: ask for its state.
    AlreadyPaid,
    /// This number is closed: a new attempt is needed.
    AlreadyClosed,
    /// This number was used with other parameters: a new attempt is needed.
    NumberUsed,
    /// The number is unknown there.
    Absent,
    /// The merchant's account lacks the money for a refund: the same refund number may be tried later.
    NotEnoughFunds,
    /// The payer (openid, user id) does not fit.
    Buyer,
    /// Keys, permissions, application: the office must act.
    Configuration,
    Other,
}

/// What [`Channel::close`] achieved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closing {
    /// Closed at the channel: it cannot be paid any more. Also said of a number the channel had closed before.
    Closed,
    /// Too late: it is paid. Ask for its state.
    Paid,
    /// The channel has never seen the number, or cannot close it: it may still be paid until its time is out
    /// ([`Channel::may_come_to_life`]).
    Absent,
}

/// A notification exactly as it came.
#[derive(Clone, Debug)]
pub struct RawNotice {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub received_at: Moment,
}

/// A verified notification.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// The channel's own id of the event, for the journal; never relied upon for once-ness.
    pub id: String,
    pub about: About,
    /// The same bytes are believed until then; none: for good
    pub believed_until: Option<Moment>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum About {
    Payment {
        attempt_no: String,
        heard: Heard,
    },
    Refund {
        refund_no: String,
        heard: RefundHeard,
    },
    /// Genuine, and of no interest (unknown event types): acknowledge and forget.
    Nothing,
}

/// Why a notification was not believed. Nothing of it is stored and nothing is booked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoticeRefusal {
    #[error("header or field missing: {0}")]
    Missing(&'static str),
    #[error("the timestamp is more than five minutes off")]
    Stale,
    #[error("signed with a key we do not know")]
    UnknownKey,
    #[error("the signature does not fit")]
    BadSignature,
    #[error("not a notification of this protocol: {0}")]
    Malformed(&'static str),
}

impl NoticeRefusal {
    /// The word in metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            NoticeRefusal::Missing(_) => "missing",
            NoticeRefusal::Stale => "stale",
            NoticeRefusal::UnknownKey => "unknown_key",
            NoticeRefusal::BadSignature => "bad_signature",
            NoticeRefusal::Malformed(_) => "malformed",
        }
    }
}

/// How a notification was received, to be told to the channel in its own words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reception {
    /// Booked, or nothing to book: do not send again.
    Done,
    /// Not believed.
    Refused,
    /// Believed but not kept (our failure, or an order not known yet): send again.
    Later,
}

impl Reception {
    /// The word in metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Reception::Done => "done",
            Reception::Refused => "refused",
            Reception::Later => "later",
        }
    }
}

/// The exact answer to a notification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ack {
    pub status: u16,
    pub content_type: &'static str,
    pub body: &'static str,
}

/// One payee's account at one channel.
#[async_trait]
pub trait PaymentChannel: Send + Sync {
    fn channel(&self) -> Channel;

    /// Opens (or re-opens, idempotently) the order at the channel.
    async fn prepay(&self, ask: &PrepayAsk) -> Result<Prepay, ChannelError>;

    /// The signed parameters for WeChat's bridge; `nonce` is 32 letters or digits. Other channels have none.
    fn launch_jsapi(&self, _prepay_id: &str, _now: Moment, _nonce: &str) -> Option<JsapiLaunch> {
        None
    }

    /// Where the payer's browser goes so that the channel tells who pays; none when the channel has no such page of
    /// its own (WeChat's belongs to the official account).
    fn sign_in_url(&self, _redirect_uri: &str, _state: &str) -> Option<String> {
        None
    }

    /// Who came back from [`PaymentChannel::sign_in_url`] with this one-time code.
    async fn buyer(&self, _code: &str) -> Result<Buyer, ChannelError> {
        Err(ChannelError::Refused { why: RefusedFor::Other, code: "no_sign_in".to_owned(), message: String::new() })
    }

    /// Asks for the state of one attempt.
    async fn query(&self, attempt: &AttemptKey) -> Result<Heard, ChannelError>;

    /// Makes one attempt unpayable.
    async fn close(&self, attempt: &AttemptKey) -> Result<Closing, ChannelError>;

    /// Sends money back. The same refund number again is the same refund.
    async fn refund(&self, ask: &RefundAsk) -> Result<RefundHeard, ChannelError>;

    async fn query_refund(&self, ask: &RefundAsk) -> Result<RefundHeard, ChannelError>;

    /// Believes or refuses a notification. Never panics, whatever the bytes.
    fn verify(&self, raw: &RawNotice) -> Result<Notice, NoticeRefusal>;

    fn acknowledge(&self, reception: Reception) -> Ack;
}
