//! Row identities. Each is its own type, so that a charge can never be looked up by a payer's number.
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// 接口密钥
    ApiKeyId,
    /// 缴费人
    PayerId,
    /// 收费项目
    FeeItemId,
    /// 收费期间
    PeriodId,
    /// 应收
    ChargeId,
    /// 缴费单
    OrderId,
    /// 支付流水
    AttemptId,
    /// 登录会话
    SessionId,
    /// 退费
    RefundId,
    /// 收费单
    ReceiptId,
    /// 事件
    EventId,
    /// 送达
    DeliveryId,
    /// 生活缴费
    TopUpId,
    /// 公告
    AnnouncementId,
    /// 报名项目
    ProgrammeId,
    /// 报名
    EnrolmentId,
    /// 消息
    MessageId,
    /// 财政电子票据
    EReceiptId,
    /// 微信绑定
    BindingId,
    /// 海报
    PosterId,
    /// 代付链接
    PayLinkId,
    /// 代付
    GiftId,
}
