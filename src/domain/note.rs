//! 公众号通知: what payers are told in WeChat, and the facts each kind may name. No name and no number of a person is
//! among them.
use super::fee::coded;

coded! {
    /// What is told
    NoteKind {
        /// 缴费成功
        Paid = "paid",
        /// 退款到账
        Refunded = "refunded",
        /// 缴费即将截止
        DueSoon = "due_soon",
        /// 登录提醒
        SignIn = "sign_in",
    }
}

coded! {
    /// What a field of a template may show
    Fact {
        /// 订单号
        OrderNo = "order_no",
        /// 缴费项目: the first one's name, and how many
        Item = "item",
        /// 金额
        Amount = "amount",
        /// 时间: when it happened
        Time = "time",
        /// 截止日期
        Due = "due",
    }
}

impl NoteKind {
    /// The facts it has.
    pub const fn facts(self) -> &'static [Fact] {
        match self {
            NoteKind::Paid | NoteKind::Refunded => &[Fact::OrderNo, Fact::Item, Fact::Amount, Fact::Time],
            NoteKind::DueSoon => &[Fact::Item, Fact::Amount, Fact::Due],
            NoteKind::SignIn => &[Fact::Time],
        }
    }
}
