//! One trade of the outside world: what was ordered, who may pay it, what became of it and of its refunds.
use serde::{Deserialize, Serialize};

use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::trade::{Channel, Product};

/// What names a trade: merchants choose their own numbers, so a number alone names nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct TradeKey {
    #[serde(with = "channel_word")]
    pub channel: Channel,
    /// [`super::merchants::Merchant::id`]: mchid, app_id or merId
    pub merchant: String,
    pub out_trade_no: String,
}

impl TradeKey {
    pub fn new(channel: Channel, merchant: &str, out_trade_no: &str) -> Self {
        Self { channel, merchant: merchant.to_owned(), out_trade_no: out_trade_no.to_owned() }
    }
}

/// What a merchant orders.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TradeAsk {
    pub key: TradeKey,
    /// The appid of the order; the payer's openid belongs to it.
    pub app_id: String,
    #[serde(with = "product_word")]
    pub product: Product,
    pub total: Fen,
    pub description: String,
    /// Given back unchanged in answers and notices (`attach`, `passback_params`).
    pub attach: Option<String>,
    /// Equal for equal parameters; a second order with another digest is refused.
    pub digest: String,
    /// The wallet that must pay (openid, user id), when the product names it.
    pub buyer: Option<String>,
    pub notify_url: Option<String>,
    pub return_url: Option<String>,
    /// Alipay: where the cashier leads a payer who turns away.
    #[serde(default)]
    pub quit_url: Option<String>,
    /// Alipay: `body`, told again in notices.
    #[serde(default)]
    pub body: Option<String>,
    /// Alipay: the order came in GBK, and so do its notices.
    #[serde(default)]
    pub gbk: bool,
    /// UnionPay: `txnTime`, by which a number is known too.
    #[serde(default)]
    pub txn_time: Option<String>,
    /// After this it cannot be paid.
    pub expires_at: Moment,
    /// When the channel closes it by itself (WeChat: 7 days after the order; Alipay: at `expires_at`).
    pub closes_at: Moment,
    /// Whether queries see it already. Alipay's page and code trades are seen only when the payer has arrived.
    pub known: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum TradeState {
    NotPay,
    Paid {
        at: Moment,
        phone: String,
        /// openid or user id
        wallet: String,
    },
    Closed {
        at: Moment,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trade {
    pub ask: TradeAsk,
    /// The channel's own number, 28 digits (`4200…` or `yyyyMMdd22001…`). WeChat tells it only once paid.
    pub trade_no: String,
    pub ordered_at: Moment,
    /// The phone that opened the cashier first: nobody else may pay (WeChat: "one order cannot be paid by two users").
    pub opened_by: Option<String>,
    pub known: bool,
    /// Somebody has tried to pay and failed (a wrong password).
    #[serde(default)]
    pub tried: bool,
    pub state: TradeState,
    pub refunds: Vec<Refund>,
}

impl Trade {
    pub fn key(&self) -> &TradeKey {
        &self.ask.key
    }

    pub fn is_paid(&self) -> bool {
        matches!(self.state, TradeState::Paid { .. })
    }

    /// What is back with the payer.
    pub fn sent_back(&self) -> Fen {
        self.refunds.iter().filter(|r| matches!(r.state, RefundState::Success { .. })).map(|r| r.amount).sum()
    }

    /// What is back or promised: the rest may still be refunded. A refund that was closed gives its part free again.
    pub fn committed(&self) -> Fen {
        self.refunds.iter().filter(|r| !matches!(r.state, RefundState::Closed { .. })).map(|r| r.amount).sum()
    }

    pub fn refund(&self, refund_no: &str) -> Option<&Refund> {
        self.refunds.iter().find(|r| r.refund_no == refund_no)
    }
}

/// What a merchant asks to send back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefundAsk {
    /// out_refund_no, out_request_no or orderId
    pub refund_no: String,
    pub amount: Fen,
    /// The trade's total as the merchant states it (WeChat demands it).
    pub total: Option<Fen>,
    pub reason: Option<String>,
    pub notify_url: Option<String>,
    /// UnionPay: `txnTime`, by which a number is known too
    pub txn_time: Option<String>,
}

/// How a refund ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundEnd {
    Success,
    /// Seven days without money, or the bank's no: the merchant keeps the money.
    Closed,
    /// The payer's account cannot take it.
    Abnormal,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum RefundState {
    Processing { until: Moment, end: RefundEnd },
    Success { at: Moment },
    Closed { at: Moment },
    Abnormal { at: Moment },
}

impl RefundState {
    pub(super) fn ended(end: RefundEnd, at: Moment) -> Self {
        match end {
            RefundEnd::Success => Self::Success { at },
            RefundEnd::Closed => Self::Closed { at },
            RefundEnd::Abnormal => Self::Abnormal { at },
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refund {
    pub refund_no: String,
    /// The channel's own number (WeChat `refund_id`, 29 digits `5030…`; UnionPay `queryId`, 21 digits).
    pub refund_id: String,
    pub amount: Fen,
    pub reason: Option<String>,
    pub notify_url: Option<String>,
    /// UnionPay: `txnTime`, by which a number is known too.
    #[serde(default)]
    pub txn_time: Option<String>,
    pub created_at: Moment,
    pub state: RefundState,
}

/// What a payer is shown after paying.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PaidReceipt {
    pub out_trade_no: String,
    pub trade_no: String,
    pub amount: Fen,
    pub description: String,
    pub merchant_name: String,
    /// openid or user id
    pub wallet: String,
    pub paid_at: Moment,
    pub return_url: Option<String>,
}

/// Why a merchant's order was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderRefusal {
    /// Ordered before with other parameters.
    Differs,
    Paid,
    Closed,
    /// The first order's deadline has passed; it is not closed, but nobody can pay it.
    Expired,
}

/// Why a payer could not pay. `text` is what the phone says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PayRefusal {
    /// No such order, code or prepay_id
    Unknown,
    /// The code or prepay_id is too old, or replaced by a newer one
    CodeExpired,
    /// The order's own deadline has passed
    Expired,
    Closed,
    AlreadyPaid,
    /// Somebody else has opened this order
    OtherPayer,
    /// The order names another wallet
    WrongBuyer,
    /// The password was wrong; nothing happened
    WrongPassword,
    /// A code of another app
    WrongApp,
}

impl PayRefusal {
    /// What the phone says (texts from WeChat Pay's own page of phrases where it has one).
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unknown => "订单不存在",
            Self::CodeExpired => "支付请求已失效，请重新发起支付",
            Self::Expired => "订单已过期，请重新下单",
            Self::Closed => "订单已关闭",
            Self::AlreadyPaid => "该订单已支付",
            Self::OtherPayer => "商家订单信息有误，请重新下单支付",
            Self::WrongBuyer => "下单账号与支付账号不一致",
            Self::WrongPassword => "支付密码错误，请重试",
            Self::WrongApp => "无法识别的二维码",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseRefusal {
    Unknown,
    Paid,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefundRefusal {
    Unknown,
    NotPaid,
    /// The stated total is not the trade's
    TotalDiffers,
    /// More than what is left
    OverRest,
    /// The refund number was used with another amount
    AmountDiffers,
    /// The refund number was used for another trade
    OtherTrade,
    /// Fifty parts already
    TooMany,
    /// More than 365 days after the payment
    TooLate,
}

/// What a payer can scan, open or be handed: prepay_id, code_url, trade_no, QR text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Code {
    pub text: String,
    pub key: TradeKey,
    pub valid_until: Moment,
}

/// What happened by itself when time went on; notices follow from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    RefundEnded { key: TradeKey, refund_no: String },
    TradeClosed { key: TradeKey },
}

/// Reads and writes a domain word by its code.
macro_rules! word {
    ($name:ident, $type:ty) => {
        mod $name {
            use serde::{Deserialize, Deserializer, Serializer, de::Error};

            pub fn serialize<S: Serializer>(word: &$type, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(word.code())
            }

            pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<$type, D::Error> {
                let code = String::deserialize(input)?;
                <$type>::parse(&code).ok_or_else(|| D::Error::custom(format!("{code:?} is no {}", stringify!($type))))
            }
        }
    };
}
word!(channel_word, super::Channel);
word!(product_word, super::Product);
