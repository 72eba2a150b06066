//! Money back: `alipay.trade.refund` and `alipay.trade.fastpay.refund.query`.
//!
//! Our refund number is Alipay's `out_request_no`; the same number with the same amount is the same refund. Alipay
//! gives a refund no number of its own, so ours is also the channel's.
use alipay_sdk_rust::biz::{BizContenter, TradeFastpayRefundQueryBiz, TradeRefundBiz};
use alipay_sdk_rust::response::RefundResponse;

use super::gateway::Gateway;
use super::order;
use super::refusal::Failure;
use super::request::Call;
use super::trades::ours;
use crate::channel::contract::{ChannelError, RefundAsk};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::trade::RefundHeard;

/// `alipay.trade.refund`. Only `fund_change=Y` proves that money moved; `N` also comes on a repeated ask, so then the
/// refund is asked for.
pub async fn refund(gateway: &Gateway, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
    let mut biz = TradeRefundBiz::new();
    address(&mut biz, ask);
    biz.set_refund_amount(ask.amount.yuan().into());
    biz.set("refund_reason", order::subject(&ask.reason).into());
    let answer: RefundResponse = gateway.call(Call::of(&biz)).await?;
    same(answer.out_trade_no.as_deref(), answer.trade_no.as_deref(), ask)?;
    if answer.fund_change.as_deref() == Some("Y") {
        let at = time(answer.gmt_refund_pay.as_deref(), gateway);
        // refund_fee is the sum of all refunds of the trade, so the amount of this one is the one asked for
        return Ok(RefundHeard::Done { channel_refund_no: ask.refund_no.to_string(), amount: ask.amount, at });
    }
    match query_refund(gateway, ask).await? {
        // accepted a moment ago; the query knows it some seconds later
        RefundHeard::Absent => Ok(RefundHeard::Processing { channel_refund_no: ask.refund_no.to_string() }),
        heard => Ok(heard),
    }
}

/// The fields of `alipay.trade.fastpay.refund.query` we act upon. Not the SDK's type: that one knows no
/// `refund_status`, the only proof.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Queried {
    out_trade_no: Option<String>,
    trade_no: Option<String>,
    out_request_no: Option<String>,
    refund_status: Option<String>,
    refund_amount: Option<String>,
    gmt_refund_pay: Option<String>,
}

/// `alipay.trade.fastpay.refund.query`. Without a status the refund has not arrived or has failed: it may be asked
/// again under the same number.
pub async fn query_refund(gateway: &Gateway, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
    let mut biz = TradeFastpayRefundQueryBiz::new();
    address(&mut biz, ask);
    biz.set("query_options", vec!["gmt_refund_pay".into()].into());
    let answer: Queried = match gateway.call(Call::of(&biz)).await {
        Ok(answer) => answer,
        Err(Failure::Refused(refusal)) if refusal.proves_absence() => return Ok(RefundHeard::Absent),
        Err(failure) => return Err(failure.into()),
    };
    same(answer.out_trade_no.as_deref(), answer.trade_no.as_deref(), ask)?;
    let refund_no = ask.refund_no.to_string();
    if answer.out_request_no.as_deref().is_some_and(|heard| heard != refund_no) {
        return Err(ChannelError::Untrusted("an answer about another out_request_no".to_owned()));
    }
    match answer.refund_status.as_deref() {
        None | Some("") => Ok(RefundHeard::Absent),
        Some("REFUND_SUCCESS") => {
            let amount = answer.refund_amount.as_deref().and_then(Fen::from_yuan);
            let amount = amount.ok_or(ChannelError::Untrusted("no usable refund_amount in the answer".to_owned()))?;
            let at = time(answer.gmt_refund_pay.as_deref(), gateway);
            Ok(RefundHeard::Done { channel_refund_no: refund_no, amount, at })
        }
        Some(_) => Ok(RefundHeard::Processing { channel_refund_no: refund_no }),
    }
}

/// Which refund of which trade. Where both numbers are given, Alipay goes by its own.
fn address(biz: &mut impl BizContenter, ask: &RefundAsk) {
    biz.set("out_trade_no", ask.attempt_no.to_string().into());
    if !ask.trade_no.0.is_empty() {
        biz.set("trade_no", ask.trade_no.0.clone().into());
    }
    biz.set("out_request_no", ask.refund_no.to_string().into());
}

fn same(out_trade_no: Option<&str>, trade_no: Option<&str>, ask: &RefundAsk) -> Result<(), Failure> {
    ours(out_trade_no, &ask.attempt_no)?;
    match trade_no {
        Some(no) if !ask.trade_no.0.is_empty() && no != ask.trade_no.0 => {
            Err(Failure::Untrusted("an answer about another trade_no".to_owned()))
        }
        _ => Ok(()),
    }
}

fn time(text: Option<&str>, gateway: &Gateway) -> Moment {
    text.and_then(Moment::parse_beijing).unwrap_or_else(|| gateway.now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::alipay::testing::{self, ATTEMPT, Asked, REFUND, Scene, TRADE, refund_ask, reply};
    use crate::channel::contract::RefusedFor;

    fn node(members: &str) -> String {
        format!(r#"{{"code":"10000","msg":"Success","out_trade_no":"{ATTEMPT}","trade_no":"{TRADE}"{members}}}"#)
    }

    fn done(at: Moment) -> RefundHeard {
        RefundHeard::Done { channel_refund_no: REFUND.to_owned(), amount: Fen::new(10_000), at }
    }

    fn scene(refund: String, query: String) -> Scene {
        Scene::start(move |asked: &Asked| match asked["method"].as_str() {
            "alipay.trade.refund" => reply(asked, &refund),
            _ => reply(asked, &query),
        })
    }

    #[tokio::test]
    async fn money_that_moved_is_done_with_the_amount_of_this_refund() {
        let answer = node(r#","fund_change":"Y","refund_fee":"300.00","gmt_refund_pay":"2026-09-01 10:24:40""#);
        let scene = scene(answer, String::new());
        let heard = refund(&scene.gateway, &refund_ask()).await;
        assert_eq!(heard, Ok(done(Moment::parse_beijing("2026-09-01 10:24:40").unwrap())));
        let expected = serde_json::json!({
            "out_trade_no": ATTEMPT, "trade_no": TRADE, "out_request_no": REFUND, "refund_amount": "100.00",
            "refund_reason": "重复缴费 ＝ 退款",
        });
        assert_eq!(scene.biz(0), expected);
    }

    #[tokio::test]
    async fn a_refund_that_moved_nothing_is_asked_for() {
        let still = node(r#","fund_change":"N","refund_fee":"100.00""#);
        let arrived =
            node(&format!(r#","out_request_no":"{REFUND}","refund_status":"REFUND_SUCCESS","refund_amount":"100.00""#));
        let repeated = refund(&scene(still.clone(), arrived).gateway, &refund_ask()).await;
        assert_eq!(repeated, Ok(done(testing::now())));
        let early = refund(&scene(still, node("")).gateway, &refund_ask()).await;
        assert_eq!(early, Ok(RefundHeard::Processing { channel_refund_no: REFUND.to_owned() }));
    }

    #[tokio::test]
    async fn refusals_and_failures_of_a_refund_are_told_apart() {
        let answer = |sub_code: &str| format!(r#"{{"code":"40004","msg":"x","sub_code":"{sub_code}"}}"#);
        for (sub_code, expected) in [
            ("ACQ.SELLER_BALANCE_NOT_ENOUGH", RefusedFor::NotEnoughFunds),
            ("ACQ.DISCORDANT_REPEAT_REQUEST", RefusedFor::NumberUsed),
            ("ACQ.TRADE_NOT_EXIST", RefusedFor::Absent),
            ("ACQ.TRADE_HAS_FINISHED", RefusedFor::Other),
        ] {
            match refund(&scene(answer(sub_code), String::new()).gateway, &refund_ask()).await {
                Err(ChannelError::Refused { why, code, .. }) => assert_eq!((why, code.as_str()), (expected, sub_code)),
                other => panic!("{other:?}"),
            }
        }
        let unknown = refund(&scene(answer("ACQ.SYSTEM_ERROR"), String::new()).gateway, &refund_ask()).await;
        assert!(matches!(unknown, Err(ChannelError::Unreachable(_))));
    }

    async fn asked(query: String) -> Result<RefundHeard, ChannelError> {
        query_refund(&scene(String::new(), query).gateway, &refund_ask()).await
    }

    #[tokio::test]
    async fn only_a_status_of_success_says_the_refund_arrived() {
        let time = r#","gmt_refund_pay":"2026-09-01 10:24:40""#;
        let success = node(&format!(r#","refund_status":"REFUND_SUCCESS","refund_amount":"100.00"{time}"#));
        assert_eq!(asked(success).await, Ok(done(Moment::parse_beijing("2026-09-01 10:24:40").unwrap())));
        assert_eq!(asked(node(r#","refund_amount":"100.00""#)).await, Ok(RefundHeard::Absent));
        assert_eq!(asked(node("")).await, Ok(RefundHeard::Absent));
        let absent = r#"{"code":"40004","msg":"x","sub_code":"ACQ.TRADE_NOT_EXIST"}"#;
        assert_eq!(asked(absent.to_owned()).await, Ok(RefundHeard::Absent));
        let processing = RefundHeard::Processing { channel_refund_no: REFUND.to_owned() };
        assert_eq!(asked(node(r#","refund_status":"REFUND_PROCESSING""#)).await, Ok(processing));
    }

    #[tokio::test]
    async fn an_answer_about_another_refund_or_trade_is_not_believed() {
        let success = r#""refund_status":"REFUND_SUCCESS","refund_amount":"100.00""#;
        for answer in [
            format!(r#"{{"code":"10000","out_trade_no":"OTHER1",{success}}}"#),
            format!(r#"{{"code":"10000","trade_no":"OTHER1",{success}}}"#),
            format!(r#"{{"code":"10000","out_request_no":"OTHER1",{success}}}"#),
            r#"{"code":"10000","refund_status":"REFUND_SUCCESS","refund_amount":"1e2"}"#.to_owned(),
        ] {
            assert!(matches!(asked(answer.clone()).await, Err(ChannelError::Untrusted(_))), "{answer}");
        }
    }
}
