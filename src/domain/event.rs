//! 事件: what campus systems are told when money has moved, in which words, and how often it is tried.
use std::time::Duration;

use serde::Serialize;

use super::fee::coded;
use super::id_number::IdNumber;
use super::ids::EventId;
use super::moment::Moment;
use super::money::Fen;
use super::pause;

coded! {
    /// What happened
    EventKind {
        /// An order is paid and booked
        OrderPaid = "order.paid",
        /// Money is back with its payer, by the channel's word
        RefundDone = "refund.done",
        /// Money came that can be booked to nothing; it goes back by itself
        TradeSurplus = "trade.surplus",
    }
}

coded! {
    /// Where one event stands with one endpoint
    DeliveryState {
        /// To be tried when its time comes
        Waiting = "waiting",
        /// The endpoint has taken it
        Done = "done",
        /// Given up: the last try is over, or the endpoint wants no more
        Failed = "failed",
    }
}

/// An event as it is kept; `payload` is what is sent, byte for byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    pub id: EventId,
    /// `evt_…`, the same on every try
    pub event_no: String,
    pub kind: EventKind,
    pub subject: String,
    pub payload: String,
    pub created_at: Moment,
}

/// What a receiver reads: `{"version", "type", "timestamp", "data"}`. Fields are added to a version and never changed
/// or taken away (docs/EVENTS.md).
#[derive(Serialize)]
struct Envelope<'a, T> {
    version: u32,
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: String,
    data: &'a T,
}

/// The version of everything below.
pub const VERSION: u32 = 1;

/// The words of an event that happened at `at`.
pub fn payload(kind: EventKind, at: Moment, data: &impl Serialize) -> String {
    let envelope = Envelope { version: VERSION, kind: kind.code(), timestamp: at.rfc3339(), data };
    serde_json::to_string(&envelope).expect("structs of texts and numbers are always JSON")
}

/// One charge an order pays, or a refund gives back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    /// Code of the fee item
    pub item: String,
    /// Code of the billing period
    pub period: String,
    pub amount_fen: Fen,
}

/// `order.paid`
#[derive(Debug, Serialize)]
pub struct OrderPaid<'a> {
    pub order_no: &'a str,
    pub payer_number: Option<String>,
    pub payee: &'a str,
    pub lines: Vec<Line>,
    pub total_fen: Fen,
    pub channel: &'a str,
    pub trade_no: &'a str,
    pub paid_at: String,
    pub receipt_no: &'a str,
}

/// `refund.done`. A surplus has no lines: it was never booked to any.
#[derive(Debug, Serialize)]
pub struct RefundDone<'a> {
    pub order_no: &'a str,
    pub payer_number: Option<String>,
    pub payee: &'a str,
    pub refund_no: &'a str,
    pub cause: &'a str,
    pub lines: Vec<Line>,
    pub amount_fen: Fen,
    pub channel: &'a str,
    pub trade_no: &'a str,
    pub refunded_at: String,
}

/// `trade.surplus`
#[derive(Debug, Serialize)]
pub struct TradeSurplus<'a> {
    pub order_no: &'a str,
    pub payer_number: Option<String>,
    pub payee: &'a str,
    pub amount_fen: Fen,
    pub channel: &'a str,
    pub trade_no: &'a str,
    pub paid_at: String,
}

/// A payer's number as others may read it; none where the school has put the ID number in its place.
pub fn tellable_number(number: &str) -> Option<String> {
    let resident = IdNumber::parse(number).is_ok_and(|id| id.is_resident());
    (!resident).then(|| number.to_owned())
}

/// Pauses between the tries, in seconds: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h (Standard Webhooks, retry
/// schedule). Ten tries in a little over three days.
const PAUSES: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// How long to wait after the `tries`-th try (from 1), as [`pause::after`] has it.
pub fn pause_after(tries: i64, chance: u64) -> Option<Duration> {
    pause::after(&PAUSES, tries, chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_tried_ten_times_in_more_than_a_day_and_less_than_four() {
        let shortest: Duration = (1..10).map(|tries| pause_after(tries, 0).unwrap()).sum();
        assert_eq!(shortest.as_secs(), 272_105);
        assert_eq!((pause_after(10, 0), pause_after(0, 0), pause_after(-1, 0)), (None, None, None));
        assert_eq!(pause_after(1, 0), Some(Duration::from_secs(5)));
        for chance in [0, 1, 499, u64::MAX] {
            let pause = pause_after(1, chance).unwrap();
            assert!((5_000..=5_500).contains(&pause.as_millis()), "{pause:?}");
        }
    }

    #[test]
    fn an_id_number_that_stands_where_the_student_number_should_is_not_told() {
        assert_eq!(tellable_number("201901180001").as_deref(), Some("201901180001"));
        assert_eq!(tellable_number("T20110063").as_deref(), Some("T20110063"));
        assert_eq!(tellable_number("11010519491231002x"), None);
    }
}
