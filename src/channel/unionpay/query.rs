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
    let differs =
        |field: &'static str, own: &str| told.get(field).filter(|got| *got != own).map(|got| (field, got.to_owned()));
    differs("merId", &gateway.mer_id).or_else(|| differs("currencyCode", "156"))
}

/// `txnAmt`: whole fen, digits only, more than none.
pub fn amount(told: &Fields) -> Option<Fen> {
    let text = told.get("txnAmt").filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse().ok().map(Fen::new).filter(|amount| amount.is_positive() && *amount <= Fen::MAX)
}

/// `traceTime` when there is one, else when the order was opened.
pub fn settled_at(told: &Fields, opened_at: Moment) -> Moment {
    told.get("traceTime").and_then(|text| times::parse_near(text, opened_at)).unwrap_or(opened_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::unionpay::testing::{self, QUERY_ID, Scene, now};
    use crate::domain::order_no::AttemptNo;

    const SUCCESS: [(&str, &str); 7] = [
        ("respCode", "00"),
        ("origRespCode", "00"),
        ("queryId", QUERY_ID),
        ("txnAmt", "909995"),
        ("currencyCode", "156"),
        ("traceTime", "0901102440"),
        ("settleAmt", "909900"),
    ];

    fn with(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
        let kept = SUCCESS.into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        kept.chain(changes.iter().copied()).collect()
    }

    /// Opened now, and payable for so many seconds more.
    fn key(seconds: i64) -> AttemptKey {
        let no = AttemptNo::parse(testing::ATTEMPT).unwrap();
        AttemptKey { no, opened_at: now(), expires_at: Moment::from_unix(now().unix() + seconds) }
    }

    async fn heard(changes: &[(&'static str, &'static str)], seconds: i64) -> Result<Heard, ChannelError> {
        let scene = Scene::answering(&with(changes));
        let heard = query(&scene.gateway, &key(seconds)).await;
        let (_, asked) = scene.asked(0);
        assert_eq!((asked["txnType"].as_str(), asked["txnTime"].as_str()), ("00", "20260901102436"));
        heard
    }

    async fn closing(changes: &[(&'static str, &'static str)], seconds: i64) -> Result<Closing, ChannelError> {
        close(&Scene::answering(&with(changes)).gateway, &key(seconds)).await
    }

    fn paid() -> Heard {
        let paid_at = Moment::parse_beijing("2026-09-01 10:24:40").unwrap();
        Heard::Paid { trade_no: TradeNo(QUERY_ID.to_owned()), amount: Fen::new(909_995), paid_at }
    }

    #[tokio::test]
    async fn a_success_even_with_a_defect_is_paid_with_the_orders_own_amount() {
        for code in ["00", "A6"] {
            assert_eq!(heard(&[("origRespCode", code)], 1800).await, Ok(paid()), "{code}");
        }
        assert_eq!(heard(&[("txnType", "01")], 1800).await, Ok(paid()));
        assert_eq!(closing(&[], 1800).await, Ok(Closing::Paid));
    }

    #[tokio::test]
    async fn money_under_way_is_no_answer() {
        for code in ["03", "04", "05"] {
            let asked = heard(&[("origRespCode", code)], -7200).await;
            assert!(matches!(asked, Err(ChannelError::Unreachable(_))), "{code}");
            let closed = closing(&[("origRespCode", code)], -7200).await;
            assert!(matches!(closed, Err(ChannelError::Unreachable(_))), "{code}");
        }
        for code in ["03", "06"] {
            assert!(matches!(heard(&[("respCode", code)], 1800).await, Err(ChannelError::Unreachable(_))), "{code}");
        }
    }

    #[tokio::test]
    async fn what_failed_may_be_tried_again_until_its_time_is_well_over() {
        let failed = [("origRespCode", "64")];
        assert_eq!(heard(&failed, 1800).await, Ok(Heard::Unpaid));
        assert_eq!(heard(&failed, -170).await, Ok(Heard::Unpaid), "our clock may be ahead");
        assert_eq!(heard(&failed, -190).await, Ok(Heard::Closed));
        assert_eq!(closing(&failed, 1800).await, Ok(Closing::Absent), "there is no closing");
        assert_eq!(closing(&failed, -190).await, Ok(Closing::Closed));
        let absent = [("respCode", "34"), ("origRespCode", "")];
        assert_eq!(heard(&absent, 1800).await, Ok(Heard::Absent));
        assert_eq!(closing(&absent, 1800).await, Ok(Closing::Absent));
        assert_eq!(closing(&absent, -190).await, Ok(Closing::Closed));
    }

    #[tokio::test]
    async fn another_merchants_currencys_or_kinds_money_is_foreign() {
        for (field, got) in [("merId", "898620100000110"), ("currencyCode", "840"), ("txnType", "04")] {
            let foreign = Heard::Foreign { field, got: got.to_owned() };
            assert_eq!(heard(&[(field, got)], 1800).await, Ok(foreign), "{field}");
        }
    }

    #[tokio::test]
    async fn a_signed_answer_without_what_a_payment_needs_is_not_trusted() {
        for (field, value) in [
            ("queryId", ""),
            ("txnAmt", ""),
            ("txnAmt", "-1"),
            ("txnAmt", "0"),
            ("txnAmt", "9099.95"),
            ("txnAmt", "99999999999999999999"),
            ("origRespCode", ""),
        ] {
            let refused = heard(&[(field, value)], 1800).await;
            assert!(matches!(refused, Err(ChannelError::Untrusted(_))), "{field} {value}: {refused:?}");
        }
        let refused = heard(&[("respCode", "11")], 1800).await;
        assert!(matches!(refused, Err(ChannelError::Refused { .. })), "{refused:?}");
    }
}
