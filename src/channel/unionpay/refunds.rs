//! 退货 04/00: accepted first, finished later; told by a notice or by asking (ACP 5.1.0). Number and second make it one
//! refund.
use super::gateway::{Gateway, code, refusal};
use super::query::{Standing, amount, foreign, settled_at, standing};
use super::times;
use crate::channel::contract::{ChannelError, RefundAsk};
use crate::domain::trade::RefundHeard;

/// # Errors
/// As [`Gateway::call`], and what UnionPay refuses.
pub async fn refund(gateway: &Gateway, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
    let told = [
        ("txnType", "04"),
        ("txnSubType", "00"),
        ("channelType", "07"),
        ("orderId", ask.refund_no.as_str()),
        ("txnTime", &times::text(ask.opened_at)),
        ("txnAmt", &ask.amount.get().to_string()),
        ("origQryId", &ask.trade_no.0),
        ("backUrl", &ask.notify_url),
    ];
    let answer = gateway.call("backTransReq.do", &told).await?;
    match answer.get("respCode") {
        // taken, or not certainly refused: what came of it is asked for
        Some("00" | "03" | "04" | "05") => {
            let channel_refund_no = answer.get("queryId").unwrap_or(ask.refund_no.as_str()).to_owned();
            Ok(RefundHeard::Processing { channel_refund_no })
        }
        // 重复交易: this very refund was asked for before
        Some("12") => query_refund(gateway, ask).await,
        _ => Err(refusal(&code(&answer, "respCode"))),
    }
}

/// # Errors
/// As [`standing`].
pub async fn query_refund(gateway: &Gateway, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
    let untrusted = |field: &str| ChannelError::Untrusted(format!("queryTrans.do: no usable {field} of a refund"));
    Ok(match standing(gateway, ask.refund_no.as_str(), ask.opened_at).await? {
        Standing::Succeeded(answer) => {
            let of_refund = answer.get("txnType").is_none_or(|kind| matches!(kind, "00" | "04"));
            if !of_refund || foreign(gateway, &answer).is_some() {
                return Err(untrusted("merchant, currency or kind"));
            }
            RefundHeard::Done {
                channel_refund_no: answer.get("queryId").ok_or_else(|| untrusted("queryId"))?.to_owned(),
                amount: amount(&answer).ok_or_else(|| untrusted("txnAmt"))?,
                at: settled_at(&answer, ask.opened_at),
            }
        }
        Standing::UnderWay => RefundHeard::Processing { channel_refund_no: ask.refund_no.to_string() },
        Standing::Failed(code) => failed(&code),
        Standing::Absent => RefundHeard::Absent,
    })
}

/// A refund that did not succeed. Only a code that says for certain that the money stayed ends it; with any other a
/// person must look, and the refund is asked about further.
fn failed(code: &str) -> RefundHeard {
    match code {
        "01" | "30" | "31" | "32" | "33" | "35" | "36" | "38" | "39" | "45" | "46" => RefundHeard::Closed,
        other => RefundHeard::Abnormal { why: format!("UnionPay: respCode {other}") },
    }
}
