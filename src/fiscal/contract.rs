//! What a platform of fiscal e-receipts is asked, whoever runs it. One serial number is one bill there: asked again, or
//! asked by two at once, it issues no second one.
use async_trait::async_trait;

use crate::domain::ereceipt::{Bill, BillName, Content};
use crate::domain::moment::Moment;
use crate::outbound::OutboundError;

/// A bill to be issued.
#[derive(Clone, Debug)]
pub struct IssueAsk<'a> {
    /// 业务流水号
    pub serial_no: &'a str,
    pub content: &'a Content,
}

/// 红冲: the bill is made void by a red one.
#[derive(Clone, Debug)]
pub struct ReverseAsk<'a> {
    pub bill: &'a BillName,
    pub reason: &'a str,
    pub at: Moment,
}

/// A bill that was made void, and the red one's numbers where the platform tells them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reversal {
    pub red: Option<BillName>,
}

/// Why there is no answer to use. Only `Refused` says that nothing was done.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlatformError {
    /// The call may have had its effect all the same
    #[error("no answer: {0}")]
    Unreachable(#[from] OutboundError),
    /// What came cannot be believed; the call may have had its effect
    #[error("an answer not to be believed: {0}")]
    Untrusted(&'static str),
    /// In the platform's code, and its words for the office: they may name the payer, and reach no log
    #[error("refused: {code}")]
    Refused { code: String, text: String },
}

#[async_trait]
pub trait EReceiptPlatform: Send + Sync {
    /// Issues a bill.
    async fn issue(&self, ask: &IssueAsk<'_>) -> Result<Bill, PlatformError>;

    /// The bill of a serial number, if there is one.
    async fn find(&self, ask: &IssueAsk<'_>) -> Result<Option<Bill>, PlatformError>;

    /// Makes a bill void.
    async fn reverse(&self, ask: &ReverseAsk<'_>) -> Result<Reversal, PlatformError>;

    /// Whether a bill was made void.
    async fn reversal_of(&self, bill: &BillName) -> Result<Option<Reversal>, PlatformError>;
}
