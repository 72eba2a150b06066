//! 交易状态查询 00/00, and what stands for closing: UnionPay has no act that makes an order unpayable; its time does
//! (`payTimeout`).
use std::time::Duration;

use super::fields::Fields;
use super::gateway::{Gateway, code, refusal};
use super::times;
use crate::channel::contract::{AttemptKey, ChannelError, Closing};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::trade::{Heard, TradeNo};

/// How long after its time an order that failed is believed to stay unpaid: our clock is not UnionPay's.
const MARGIN: Duration = Duration::from_secs(180);

/// What UnionPay says of an order or a refund.
pub enum Standing {
    /// 00, or A6 (success with a defect), with the whole answer
    Succeeded(Fields),
    /// 03, 04, 05: the banks have not said their last word
    UnderWay,
    /// Every other code: it did not succeed
    Failed(String),
    Absent,
}

/// Asks about the order or refund of this number and second.
///
/// # Errors
/// As [`Gateway::call`], and what the gateway says instead of an answer.
pub async fn standing(gateway: &Gateway, number: &str, opened_at: Moment) -> Result<Standing, ChannelError> {
    let told = [
        ("txnType", "00"),
        ("txnSubType", "00"),
        ("channelType", "07"),
        ("orderId", number),
        ("txnTime", &times::text(opened_at)),
    ];
    let answer = gateway.call("queryTrans.do", &told).await?;
    match answer.get("respCode") {
        Some("00") => {}
        Some("34") => return Ok(Standing::Absent),
        _ => return Err(refusal(&code(&answer, "respCode"))),
    }
    Ok(match answer.get("origRespCode") {
        Some("00" | "A6") => Standing::Succeeded(answer),
        Some("03" | "04" | "05") => Standing::UnderWay,
        Some(_) => Standing::Failed(code(&answer, "origRespCode")),
        None => return Err(untrusted("origRespCode")),
    })
}

/// Money under way is no answer: nothing may be ended, and nobody told that nothing was paid, before the banks have
/// said their word.
///
/// # Errors
/// As [`standing`].
pub async fn query(gateway: &Gateway, attempt: &AttemptKey) -> Result<Heard, ChannelError> {
    match standing(gateway, attempt.no.as_str(), attempt.opened_at).await? {
        Standing::Succeeded(answer) => paid(gateway, &answer, attempt.opened_at),
        Standing::UnderWay => Err(under_way()),
        Standing::Failed(code) => {
            tracing::info!(attempt_no = %attempt.no, code, "UnionPay: a try to pay failed");
            Ok(if is_over(gateway, attempt) { Heard::Closed } else { Heard::Unpaid })
        }
        Standing::Absent => Ok(Heard::Absent),
    }
}

/// Asks once more; an unpaid order may still be paid until its time is out.
///
/// # Errors
/// As [`standing`].
pub async fn close(gateway: &Gateway, attempt: &AttemptKey) -> Result<Closing, ChannelError> {
    match standing(gateway, attempt.no.as_str(), attempt.opened_at).await? {
        Standing::Succeeded(_) => Ok(Closing::Paid),
        Standing::UnderWay => Err(under_way()),
        Standing::Failed(_) | Standing::Absent if is_over(gateway, attempt) => Ok(Closing::Closed),
        Standing::Failed(_) | Standing::Absent => Ok(Closing::Absent),
    }
}

fn is_over(gateway: &Gateway, attempt: &AttemptKey) -> bool {
    gateway.now() > attempt.expires_at + MARGIN
}

fn under_way() -> ChannelError {
    ChannelError::Unreachable("the payment is under way between the banks".to_owned())
}

fn untrusted(field: &'static str) -> ChannelError {
    ChannelError::Untrusted(format!("queryTrans.do: no usable {field}"))
}

/// A paid order, as an answer and a notice tell it.
///
/// # Errors
/// [`ChannelError::Untrusted`] names the field that is missing.
pub fn paid(gateway: &Gateway, told: &Fields, opened_at: Moment) -> Result<Heard, ChannelError> {
    if let Some((field, got)) = foreign(gateway, told) {
        return Ok(Heard::Foreign { field, got });
    }
    // an answer names its own kind (00) or the payment's
    if let Some(got) = told.get("txnType").filter(|kind| !matches!(*kind, "00" | "01")) {
        return Ok(Heard::Foreign { field: "txnType", got: got.to_owned() });
    }
    Ok(Heard::Paid {
        trade_no: TradeNo(told.get("queryId").ok_or_else(|| untrusted("queryId"))?.to_owned()),
        amount: amount(told).ok_or_else(|| untrusted("txnAmt"))?,
        paid_at: settled_at(told, opened_at),
    })
}

/// The first field that is another merchant's or another currency's.
pub fn foreign(gateway: &Gateway, told: &Fields) -> Option<(&'static str, String)> {
    let differs = |field: &'static str, own: &str| {
        told.get(field).filter(|got| *got != own).map(|got| (field, got.to_owned()))
    };
    differs("merId", &gateway.mer_id).or_else(|| differs("currencyCode", "156"))
}

/// `txnAmt`: whole fen, digits only.
pub fn amount(told: &Fields) -> Option<Fen> {
    let text = told.get("txnAmt").filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse().ok().map(Fen::new).filter(|amount| *amount <= Fen::MAX)
}

/// `traceTime` when there is one, else when the order was opened.
pub fn settled_at(told: &Fields, opened_at: Moment) -> Moment {
    told.get("traceTime").and_then(|text| times::parse_near(text, opened_at)).unwrap_or(opened_at)
}
