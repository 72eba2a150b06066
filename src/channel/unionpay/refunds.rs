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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::contract::RefusedFor;
    use crate::channel::unionpay::testing::{self, QUERY_ID, REFUND, Scene, told};
    use crate::domain::moment::Moment;
    use crate::domain::money::Fen;

    const BACK: &str = "202609021024367654321";

    /// Answers to the refund, and to the question about it.
    fn scene(refund: &'static [(&str, &str)], query: &'static [(&str, &str)]) -> Scene {
        Scene::start(move |page, _| match page {
            "backTransReq.do" => told(refund),
            _ => told(query),
        })
    }

    const DONE: &[(&str, &str)] = &[
        ("respCode", "00"),
        ("origRespCode", "00"),
        ("queryId", BACK),
        ("txnAmt", "10000"),
        ("currencyCode", "156"),
        ("traceTime", "0902102500"),
    ];

    fn done() -> RefundHeard {
        let at = Moment::parse_beijing("2026-09-02 10:25:00").unwrap();
        RefundHeard::Done { channel_refund_no: BACK.to_owned(), amount: Fen::new(10_000), at }
    }

    #[tokio::test]
    async fn a_refund_is_accepted_first_and_done_when_asked_for() {
        let scene = scene(&[("respCode", "00"), ("queryId", BACK)], DONE);
        let taken = refund(&scene.gateway, &testing::refund_ask()).await;
        assert_eq!(taken, Ok(RefundHeard::Processing { channel_refund_no: BACK.to_owned() }));
        let (target, asked) = scene.asked(0);
        assert_eq!(target, "/gateway/api/backTransReq.do");
        for (name, value) in [
            ("txnType", "04"),
            ("txnSubType", "00"),
            ("orderId", REFUND),
            ("txnTime", "20260902102436"),
            ("txnAmt", "10000"),
            ("origQryId", QUERY_ID),
            ("backUrl", "https://pay.example.edu.cn/notify/unionpay/fiscal"),
        ] {
            assert_eq!(asked[name], value, "{name}");
        }
        assert_eq!(query_refund(&scene.gateway, &testing::refund_ask()).await, Ok(done()));
    }

    #[tokio::test]
    async fn the_same_refund_again_is_the_same_refund() {
        let scene = scene(&[("respCode", "12")], DONE);
        assert_eq!(refund(&scene.gateway, &testing::refund_ask()).await, Ok(done()));
    }

    #[tokio::test]
    async fn an_unclear_word_is_asked_about_and_a_refusal_is_told() {
        for code in ["03", "04", "05"] {
            let scene = Scene::answering(&[("respCode", code)]);
            let unclear = refund(&scene.gateway, &testing::refund_ask()).await;
            assert_eq!(unclear, Ok(RefundHeard::Processing { channel_refund_no: REFUND.to_owned() }), "{code}");
        }
        for (code, why) in [
            ("36", RefusedFor::Other),
            ("11", RefusedFor::Configuration),
            ("64", RefusedFor::NotEnoughFunds),
            ("35", RefusedFor::Other),
        ] {
            let refused = refund(&Scene::answering(&[("respCode", code)]).gateway, &testing::refund_ask()).await;
            assert!(matches!(refused, Err(ChannelError::Refused { why: got, .. }) if got == why), "{code}");
        }
        let busy = refund(&Scene::answering(&[("respCode", "06")]).gateway, &testing::refund_ask()).await;
        assert!(matches!(busy, Err(ChannelError::Unreachable(_))));
    }

    #[tokio::test]
    async fn only_a_certain_failure_ends_a_refund() {
        let asked =
            async |pairs: &[(&str, &str)]| query_refund(&Scene::answering(pairs).gateway, &testing::refund_ask()).await;
        assert_eq!(asked(&[("respCode", "34")]).await, Ok(RefundHeard::Absent));
        let state = async |code: &str| asked(&[("respCode", "00"), ("origRespCode", code)]).await;
        assert!(matches!(state("05").await, Ok(RefundHeard::Processing { .. })));
        assert_eq!(state("36").await, Ok(RefundHeard::Closed));
        for code in ["61", "63", "99"] {
            assert!(matches!(state(code).await, Ok(RefundHeard::Abnormal { .. })), "{code}");
        }
        let other: Vec<_> = DONE.iter().copied().chain([("txnType", "01")]).collect();
        assert!(matches!(asked(&other).await, Err(ChannelError::Untrusted(_))), "a payment is no refund");
        let foreign: Vec<_> = DONE.iter().copied().chain([("merId", "898620100000110")]).collect();
        assert!(matches!(asked(&foreign).await, Err(ChannelError::Untrusted(_))));
    }
}
