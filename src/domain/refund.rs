//! 退费: money on its way back the way it came.
use super::fee::coded;
use super::ids::{AttemptId, OrderId, RefundId};
use super::moment::Moment;
use super::money::Fen;
use super::order_no::RefundNo;
use super::trade::{Channel, TradeNo};

coded! {
    /// Why money goes back
    RefundCause {
        /// 长款: paid twice, or too late for anything it could be booked to; goes back by itself
        Surplus = "surplus",
        /// The office sends it back
        Requested = "requested",
    }
}

coded! {
    /// Where a refund stands
    RefundState {
        /// To be asked for at the channel, under its number, until the channel has taken it
        Wanted = "wanted",
        /// The channel has taken it
        Processing = "processing",
        /// The money is back
        Done = "done",
        /// The payer's account cannot take it: the office must choose another way
        Abnormal = "abnormal",
        /// The channel gave it up
        Closed = "closed",
    }
}

/// 退费单
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refund {
    pub id: RefundId,
    pub refund_no: RefundNo,
    pub attempt_id: AttemptId,
    pub order_id: OrderId,
    pub channel: Channel,
    pub payee_code: String,
    pub trade_no: TradeNo,
    pub cause: RefundCause,
    pub amount: Fen,
    /// The whole payment it comes from
    pub total: Fen,
    pub reason: String,
    pub state: RefundState,
    pub tries: i64,
    pub next_try_at: Option<Moment>,
    pub created_at: Moment,
    pub done_at: Option<Moment>,
}
