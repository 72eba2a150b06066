//! 缴费单: its states, and what to do with what a channel says about one.
use super::bilingual::Bilingual;
use super::fee::coded;
use super::ids::{AttemptId, ChargeId, GiftId, OrderId, PayerId};
use super::moment::Moment;
use super::money::Fen;
use super::order_no::{AttemptNo, OrderNo};
use super::trade::{Buyer, Heard, Product, TradeNo};

/// 缴费单: lines of one payee, paid together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    pub id: OrderId,
    pub order_no: OrderNo,
    /// Minted when the arrears page was drawn; the orders of one checkout share it.
    pub checkout_id: String,
    /// Which of the checkout's successive orders this is, from 0
    pub part: i64,
    pub payer_id: PayerId,
    pub payee_code: String,
    pub subject: String,
    pub total: Fen,
    /// 聚合码: whoever holds it may pay this order and do nothing else
    pub pay_code: String,
    pub state: OrderState,
    pub created_at: Moment,
    pub expires_at: Moment,
    /// The product it was paid by
    pub paid_by: Option<Product>,
}

/// A pending order as the charges in it know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub id: OrderId,
    pub order_no: OrderNo,
    pub total: Fen,
    pub expires_at: Moment,
}

/// One line of an order, with the names of its charge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderLine {
    pub charge_id: ChargeId,
    pub item: Bilingual,
    pub period: Bilingual,
    pub amount: Fen,
    pub refunded: Fen,
}

/// 支付流水: one try at one channel product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    pub id: AttemptId,
    pub attempt_no: AttemptNo,
    pub order_id: OrderId,
    pub product: Product,
    pub payee_code: String,
    pub amount: Fen,
    pub state: AttemptState,
    pub buyer: Option<Buyer>,
    /// 代付: whose gift it is; none: the payer's own
    pub gift: Option<GiftId>,
    pub payer_ip: String,
    pub return_url: String,
    pub created_at: Moment,
    pub expires_at: Moment,
    /// How often the channel has been asked
    pub inquiries: i64,
    pub next_inquiry_at: Option<Moment>,
}

/// The state of an order, with the facts that belong to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OrderState {
    /// 待支付
    Pending { expires_at: Moment },
    /// 已支付
    Paid { trade_no: TradeNo, paid_at: Moment },
    /// 已关闭: no attempt of it can be paid any more, by the channels' own word
    Closed { reason: CloseReason, closed_at: Moment },
}

impl OrderState {
    pub const fn code(&self) -> &'static str {
        match self {
            OrderState::Pending { .. } => "pending",
            OrderState::Paid { .. } => "paid",
            OrderState::Closed { .. } => "closed",
        }
    }
}

coded! {
    /// Why an order was closed
    CloseReason {
        /// The payer cancelled it
        Cancelled = "cancelled",
        /// Its time ran out
        Expired = "expired",
        /// What is owed changed, so its amount no longer fits
        Superseded = "superseded",
    }
}

coded! {
    /// The state of one try at one channel product
    AttemptState {
        /// It may still be paid; at most one attempt of an order is live
        Live = "live",
        /// The channel says paid
        Paid = "paid",
        /// The channel says it cannot be paid any more
        Closed = "closed",
    }
}

/// What to do with a channel's word about an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Book it: the order becomes paid.
    Settle { trade_no: TradeNo, paid_at: Moment },
    /// Already booked under this very trade: acknowledge, change nothing.
    Replay,
    /// Real money for an order that cannot take it (paid by another trade): book as surplus and send it back.
    Surplus { trade_no: TradeNo, amount: Fen, paid_at: Moment },
    /// Real money for a closed order. If what it was for is still due it is booked after all, otherwise it is surplus.
    Late { trade_no: TradeNo, paid_at: Moment },
    /// Real money of another amount than the order's: nothing is booked, the office decides.
    Mismatch { trade_no: TradeNo, got: Fen, paid_at: Moment },
    /// Not ours by app, merchant, seller or currency: nothing is booked, the office is told.
    Foreign { field: &'static str, got: String },
    /// Not paid yet.
    Wait,
    /// This attempt can no longer be paid.
    CloseAttempt,
}

impl Verdict {
    /// Every word [`Verdict::code`] can say.
    pub const CODES: [&str; 8] =
        ["settle", "replay", "surplus", "late", "mismatch", "foreign", "wait", "close_attempt"];

    /// The word in logs and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Verdict::Settle { .. } => "settle",
            Verdict::Replay => "replay",
            Verdict::Surplus { .. } => "surplus",
            Verdict::Late { .. } => "late",
            Verdict::Mismatch { .. } => "mismatch",
            Verdict::Foreign { .. } => "foreign",
            Verdict::Wait => "wait",
            Verdict::CloseAttempt => "close_attempt",
        }
    }
}

/// What to do with what a channel said about an order. Pure and exhaustive: every pair has an answer.
pub fn judge(order: &OrderState, total: Fen, heard: &Heard) -> Verdict {
    use OrderState::{Closed, Paid, Pending};
    match (order, heard) {
        (_, Heard::Foreign { field, got }) => Verdict::Foreign { field, got: got.clone() },
        (Paid { trade_no: booked, .. }, Heard::Paid { trade_no, amount, paid_at }) if booked == trade_no => {
            match *amount == total {
                true => Verdict::Replay,
                false => Verdict::Mismatch { trade_no: trade_no.clone(), got: *amount, paid_at: *paid_at },
            }
        }
        (Paid { .. }, Heard::Paid { trade_no, amount, paid_at }) => {
            Verdict::Surplus { trade_no: trade_no.clone(), amount: *amount, paid_at: *paid_at }
        }
        (Pending { .. } | Closed { .. }, Heard::Paid { trade_no, amount, paid_at }) if *amount != total => {
            Verdict::Mismatch { trade_no: trade_no.clone(), got: *amount, paid_at: *paid_at }
        }
        (Pending { .. }, Heard::Paid { trade_no, paid_at, .. }) => {
            Verdict::Settle { trade_no: trade_no.clone(), paid_at: *paid_at }
        }
        (Closed { .. }, Heard::Paid { trade_no, paid_at, .. }) => {
            Verdict::Late { trade_no: trade_no.clone(), paid_at: *paid_at }
        }
        (_, Heard::Unpaid | Heard::Absent) => Verdict::Wait,
        (_, Heard::Closed) => Verdict::CloseAttempt,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOTAL: Fen = Fen::new(909_995);
    const AT: Moment = Moment::from_unix(1_000);

    fn paid(trade: &str, amount: Fen) -> Heard {
        Heard::Paid { trade_no: TradeNo(trade.into()), amount, paid_at: AT }
    }

    fn states() -> [OrderState; 3] {
        [
            OrderState::Pending { expires_at: AT },
            OrderState::Paid { trade_no: TradeNo("T1".into()), paid_at: AT },
            OrderState::Closed { reason: CloseReason::Expired, closed_at: AT },
        ]
    }

    #[test]
    fn a_pending_order_is_settled_only_by_its_exact_amount() {
        let [pending, ..] = states();
        assert_eq!(
            judge(&pending, TOTAL, &paid("T1", TOTAL)),
            Verdict::Settle { trade_no: TradeNo("T1".into()), paid_at: AT }
        );
        let off_by_one = Fen::new(909_994);
        assert!(
            matches!(judge(&pending, TOTAL, &paid("T1", off_by_one)), Verdict::Mismatch { got, .. } if got < TOTAL)
        );
    }

    #[test]
    fn a_paid_order_knows_its_own_trade_and_sends_any_other_back() {
        let [_, settled, _] = states();
        assert_eq!(judge(&settled, TOTAL, &paid("T1", TOTAL)), Verdict::Replay);
        assert!(
            matches!(judge(&settled, TOTAL, &paid("T1", Fen::new(1))), Verdict::Mismatch { .. }),
            "the same trade with another amount is not the same word"
        );
        assert!(matches!(judge(&settled, TOTAL, &paid("T2", TOTAL)), Verdict::Surplus { .. }));
        assert_eq!(
            judge(&settled, TOTAL, &Heard::Closed),
            Verdict::CloseAttempt,
            "a late close never undoes a payment"
        );
    }

    #[test]
    fn money_for_a_closed_order_is_late_never_lost() {
        let [.., closed] = states();
        assert!(matches!(judge(&closed, TOTAL, &paid("T1", TOTAL)), Verdict::Late { .. }));
        assert!(matches!(judge(&closed, TOTAL, &paid("T1", Fen::new(1))), Verdict::Mismatch { .. }));
    }

    #[test]
    fn no_state_books_what_is_not_ours() {
        for state in states() {
            let verdict = judge(&state, TOTAL, &Heard::Foreign { field: "mchid", got: "1".into() });
            assert!(matches!(verdict, Verdict::Foreign { field: "mchid", .. }));
            assert_eq!(judge(&state, TOTAL, &Heard::Unpaid), Verdict::Wait);
        }
    }

    /// The order after a verdict, as `settle` carries it out when what it was for is still due.
    fn after(order: &OrderState, verdict: &Verdict) -> OrderState {
        match verdict {
            Verdict::Settle { trade_no, paid_at } | Verdict::Late { trade_no, paid_at } => {
                OrderState::Paid { trade_no: trade_no.clone(), paid_at: *paid_at }
            }
            _ => order.clone(),
        }
    }

    fn any_word() -> impl Strategy<Value = Heard> {
        let amount = prop_oneof![4 => Just(TOTAL.get()), 1 => 1..2_000_000i64];
        prop_oneof![
            4 => (0..3u8, amount).prop_map(|(trade, amount)| paid(&format!("T{trade}"), Fen::new(amount))),
            1 => Just(Heard::Unpaid),
            1 => Just(Heard::Absent),
            1 => Just(Heard::Closed),
            1 => Just(Heard::Foreign { field: "mchid", got: "1".into() }),
        ]
    }

    proptest! {
        /// Whatever is said in whatever order: one trade of exactly the total is booked, all other real money is
        /// surplus or a mismatch, and what was booked stays booked.
        #[test]
        fn any_history_books_one_trade_of_the_exact_total(
            first in 0..3usize, words in proptest::collection::vec(any_word(), 0..24),
        ) {
            let mut order = states()[first].clone();
            let mut booked = usize::from(matches!(order, OrderState::Paid { .. }));
            for heard in &words {
                let verdict = judge(&order, TOTAL, heard);
                match (&verdict, heard) {
                    (Verdict::Settle { .. } | Verdict::Late { .. }, Heard::Paid { amount, .. }) => {
                        prop_assert_eq!(*amount, TOTAL);
                        booked += 1;
                    }
                    (
                        Verdict::Surplus { amount: kept, .. } | Verdict::Mismatch { got: kept, .. },
                        Heard::Paid { amount, .. },
                    ) => {
                        prop_assert_eq!(kept, amount, "not a fen is left out");
                    }
                    (Verdict::Replay, Heard::Paid { amount, .. }) => prop_assert_eq!(*amount, TOTAL),
                    (Verdict::Wait | Verdict::CloseAttempt | Verdict::Foreign { .. }, heard) => {
                        prop_assert!(!matches!(heard, Heard::Paid { .. }), "money always has a verdict of its own");
                    }
                    other => prop_assert!(false, "{:?}", other),
                }
                let next = after(&order, &verdict);
                if matches!(order, OrderState::Paid { .. }) {
                    prop_assert_eq!(&next, &order, "what is booked stays booked");
                }
                // the same word once more changes nothing
                let again = judge(&next, TOTAL, heard);
                prop_assert!(!matches!(again, Verdict::Settle { .. } | Verdict::Late { .. }), "{:?}", again);
                order = next;
            }
            prop_assert!(booked <= 1);
        }
    }
}
