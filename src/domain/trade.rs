//! What channels do and say, in the office's words: products, what was heard of an attempt, what was heard of a refund.
use super::fee::coded;
use super::moment::Moment;
use super::money::Fen;

coded! {
    /// 支付渠道
    Channel {
        /// 微信支付
        Wechat = "wechat",
        /// 支付宝
        Alipay = "alipay",
        /// 银联支付
        UnionPay = "unionpay",
    }
}

impl Channel {
    /// Whether an attempt that is ended here may still be paid there until its time is out: an Alipay trade appears
    /// when the payer arrives, and UnionPay has no closing at all. Such an attempt is watched.
    pub const fn may_come_to_life(self) -> bool {
        match self {
            Channel::Wechat => false,
            Channel::Alipay | Channel::UnionPay => true,
        }
    }
}

coded! {
    /// One way of paying at one channel. A switch of product is a new attempt: channels tie a number to its first
    /// product.
    Product {
        /// Inside WeChat (JSAPI)
        WechatJsapi = "wechat_jsapi",
        /// A phone's browser that opens WeChat (H5)
        WechatH5 = "wechat_h5",
        /// A code scanned with WeChat (Native)
        WechatNative = "wechat_native",
        /// A phone's browser that opens Alipay (alipay.trade.wap.pay)
        AlipayWap = "alipay_wap",
        /// A desktop browser (alipay.trade.page.pay)
        AlipayPage = "alipay_page",
        /// A code scanned with Alipay (alipay.trade.precreate)
        AlipayPrecreate = "alipay_precreate",
        /// Inside Alipay (alipay.trade.create + tradePay)
        AlipayJsapi = "alipay_jsapi",
        /// A phone's browser that goes to UnionPay's cashier (ACP 01/01, channelType 08)
        UnionPayWap = "unionpay_wap",
        /// A desktop browser that goes there (channelType 07)
        UnionPayPage = "unionpay_page",
    }
}

/// Work that waits for one payee's account at one channel; without a channel, work that waits for none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Lane {
    pub payee_code: String,
    pub channel: Option<Channel>,
}

impl Product {
    pub const fn channel(self) -> Channel {
        match self {
            Product::WechatJsapi | Product::WechatH5 | Product::WechatNative => Channel::Wechat,
            Product::AlipayWap | Product::AlipayPage | Product::AlipayPrecreate | Product::AlipayJsapi => {
                Channel::Alipay
            }
            Product::UnionPayWap | Product::UnionPayPage => Channel::UnionPay,
        }
    }

    /// Whether the channel must be told who pays before it takes the order (openid, Alipay user id).
    pub const fn needs_buyer(self) -> bool {
        matches!(self, Product::WechatJsapi | Product::AlipayJsapi)
    }
}

/// 交易号: the channel's own number of a payment (`transaction_id`, `trade_no`, `queryId`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct TradeNo(pub String);

impl std::fmt::Display for TradeNo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a channel says of one attempt, by notice or by answer. Only verified words become a `Heard`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// Paid (also when refunded afterwards). `amount` is the order's total at the channel, before coupons.
    Paid { trade_no: TradeNo, amount: Fen, paid_at: Moment },
    /// The channel knows the order and waits for the payer.
    Unpaid,
    /// The channel has closed it: it cannot be paid any more.
    Closed,
    /// The channel has never seen the number. Not a failure: the order call may still be under way, or the payer
    /// has not reached the channel's page (Alipay makes the trade only then).
    Absent,
    /// Signed by the channel, but for another app, merchant, seller or currency than ours: `field` names which.
    Foreign { field: &'static str, got: String },
}

impl Heard {
    /// The word in metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Heard::Paid { .. } => "paid",
            Heard::Unpaid => "unpaid",
            Heard::Closed => "closed",
            Heard::Absent => "absent",
            Heard::Foreign { .. } => "foreign",
        }
    }
}

/// What a channel says of one refund.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RefundHeard {
    /// The money is back.
    Done { channel_refund_no: String, amount: Fen, at: Moment },
    /// Accepted and under way.
    Processing { channel_refund_no: String },
    /// The channel gave up and kept the money with the merchant; a new refund number may try again.
    Closed,
    /// The payer's account cannot take it; the office must choose another way.
    Abnormal { why: String },
    /// The channel has never seen the refund number: it may be asked again under the same number.
    Absent,
}

impl RefundHeard {
    /// The word in metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            RefundHeard::Done { .. } => "done",
            RefundHeard::Processing { .. } => "processing",
            RefundHeard::Closed => "closed",
            RefundHeard::Abnormal { .. } => "abnormal",
            RefundHeard::Absent => "absent",
        }
    }
}

/// Who pays, as the channel knows the person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Buyer {
    WechatOpenid(String),
    /// `buyer_id` (2088…)
    AlipayUser(String),
    /// `buyer_open_id`, of applications created since 2023
    AlipayOpenid(String),
}

impl Buyer {
    /// `kind:id`, the form in the database.
    pub fn code(&self) -> String {
        match self {
            Buyer::WechatOpenid(id) => format!("openid:{id}"),
            Buyer::AlipayUser(id) => format!("user_id:{id}"),
            Buyer::AlipayOpenid(id) => format!("open_id:{id}"),
        }
    }

    /// An empty id is no buyer.
    pub fn parse(code: &str) -> Option<Buyer> {
        match code.split_once(':')? {
            (_, "") => None,
            ("openid", id) => Some(Buyer::WechatOpenid(id.to_owned())),
            ("user_id", id) => Some(Buyer::AlipayUser(id.to_owned())),
            ("open_id", id) => Some(Buyer::AlipayOpenid(id.to_owned())),
            _ => None,
        }
    }
}
