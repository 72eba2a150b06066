//! Every word a label may have. A family is filled with its whole set at start, so that a series exists before its
//! first event, an alarm can be tried, and counting never takes a write lock.
use std::fmt::{self, Write};
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// One label with one of our words
pub type One = [(&'static str, &'static str); 1];
/// One label with a word of the configuration
pub type Named = [(&'static str, String); 1];
pub type Two = [(&'static str, &'static str); 2];
pub type Three = [(&'static str, &'static str); 3];

/// How a notice was received
pub const RECEIVED: [&str; 3] = ["done", "later", "refused"];
/// Why a notice was not believed
pub const REFUSED_FOR: [&str; 5] = ["missing", "stale", "unknown_key", "bad_signature", "malformed"];
/// Why a channel's answer could not be used
pub const NO_ANSWER: [&str; 3] = ["unreachable", "untrusted", "refused"];
/// What a channel says of an attempt
pub const HEARD: [&str; 5] = ["paid", "unpaid", "closed", "absent", "foreign"];
/// What a channel says of a refund
pub const REFUND_HEARD: [&str; 5] = ["done", "processing", "closed", "abnormal", "absent"];
/// What is asked of a channel
pub const OPERATIONS: [&str; 6] = ["prepay", "buyer", "query", "close", "refund", "query_refund"];
/// Who is called
pub const OFFICIAL_ACCOUNT: &str = "official_account";
/// The university's portal
pub const CAS: &str = "cas";
/// What works unasked
pub const JOBS: [&str; 13] = [
    "inquire",
    "expire",
    "refund",
    "tally",
    "keys",
    "deliver",
    "enrol",
    "post",
    "remind",
    "feed",
    "sweep",
    "ereceipts",
    "top_up",
];
/// Where a panic was caught
pub const PLACES: [&str; 2] = ["request", "job"];
/// What the office is told of; see docs/OPERATIONS.md
pub const OFFICE_KINDS: [&str; 15] = [
    "amount_mismatch",
    "foreign_notice",
    "trade_of_another_order",
    "unknown_attempt",
    "refund_stuck",
    "refund_abnormal",
    "refund_closed",
    "refund_mismatch",
    "unknown_refund",
    "restored",
    "webhook_failed",
    "webhook_gone",
    "ereceipt_failed",
    "ereceipt_stuck",
    "top_up_unclear",
];
/// A word that is none of those it should be
pub const OTHER: &str = "other";

/// The word itself if it is one of `known`.
pub fn known(word: &str, known: &[&'static str]) -> &'static str {
    known.iter().copied().find(|one| *one == word).unwrap_or(OTHER)
}

/// Answers to one method on one route; `route` is the pattern of the route map, never a path.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct Answered {
    pub route: Pattern,
    pub method: &'static str,
    pub status: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct Asked {
    pub route: Pattern,
    pub method: &'static str,
}

/// A certificate of the configuration
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct Certificate {
    pub payee: String,
    pub certificate: &'static str,
}

/// A route's pattern, shared with the route map.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pattern(pub Arc<str>);

impl EncodeLabelValue for Pattern {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> fmt::Result {
        encoder.write_str(&self.0)
    }
}

/// Anybody may send any method.
pub fn method(method: &str) -> &'static str {
    known(method, &["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
}

pub fn status_class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
