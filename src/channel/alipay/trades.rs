//! One trade at Alipay: made from our side (`precreate`, `create`), asked for (`query`), made unpayable (`close`).
use alipay_sdk_rust::biz::BizContenter;
use alipay_sdk_rust::biz::{TradeCloseBiz, TradeCreateBiz, TradePrecreateBiz, TradeQueryBiz};
use alipay_sdk_rust::response::{CloseResponse, CreateResponse, PrecreateResponse};

use super::gateway::Gateway;
use super::order;
use super::refusal::{Failure, Refusal};
use super::request::Call;
use crate::channel::contract::{ChannelError, Closing, Prepay, PrepayAsk, RefusedFor};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::AttemptNo;
use crate::domain::trade::{Buyer, Heard, TradeNo};

/// `alipay.trade.precreate`: a text to show as a QR code. It lives two hours at most.
pub async fn precreate(gateway: &Gateway, ask: &PrepayAsk) -> Result<Prepay, ChannelError> {
    let mut biz = TradePrecreateBiz::new();
    order::fill(&mut biz, ask, &gateway.seller_id, gateway.now());
    biz.set("product_code", "FACE_TO_FACE_PAYMENT".into());
    let call = Call::of(&biz).with("notify_url", &ask.notify_url);
    let answer: PrecreateResponse = gateway.call(call).await?;
    ours(answer.out_trade_no.as_deref(), &ask.attempt_no)?;
    match answer.qr_code.filter(|text| !text.is_empty()) {
        Some(text) => Ok(Prepay::Code { text }),
        None => Err(ChannelError::Untrusted("no qr_code in the answer".to_owned())),
    }
}

/// `alipay.trade.create` for the Alipay app's own web view; the payer must be known.
pub async fn create(gateway: &Gateway, ask: &PrepayAsk) -> Result<Prepay, ChannelError> {
    let (name, id) = match &ask.buyer {
        Some(Buyer::AlipayUser(id)) if !id.is_empty() => ("buyer_id", id),
        Some(Buyer::AlipayOpenid(id)) if !id.is_empty() => ("buyer_open_id", id),
        _ => {
            let (code, message) = ("buyer_id".to_owned(), "the payer's Alipay id is missing".to_owned());
            return Err(ChannelError::Refused { why: RefusedFor::Buyer, code, message });
        }
    };
    let mut biz = TradeCreateBiz::new();
    order::fill(&mut biz, ask, &gateway.seller_id, gateway.now());
    biz.set("product_code", "JSAPI_PAY".into());
    biz.set("op_app_id", gateway.app_id.clone().into());
    biz.set(name, id.clone().into());
    let call = Call::of(&biz).with("notify_url", &ask.notify_url);
    let answer: CreateResponse = gateway.call(call).await?;
    ours(answer.out_trade_no.as_deref(), &ask.attempt_no)?;
    match answer.trade_no.filter(|no| !no.is_empty()) {
        Some(trade_no) => Ok(Prepay::AlipayJsapi { trade_no }),
        None => Err(ChannelError::Untrusted("no trade_no in the answer".to_owned())),
    }
}

/// An answer about another order than the one asked for is none.
pub fn ours(heard: Option<&str>, attempt_no: &AttemptNo) -> Result<(), Failure> {
    match heard {
        Some(other) if other != attempt_no.as_str() => {
            Err(Failure::Untrusted("an answer about another out_trade_no".to_owned()))
        }
        _ => Ok(()),
    }
}

/// The fields of `alipay.trade.query` we act upon. Not the SDK's type: that one knows no `seller_id`, and fails on
/// shapes of fields we do not need (`trade_settle_info`), which would leave a paid order unbooked.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Queried {
    out_trade_no: Option<String>,
    trade_no: Option<String>,
    trade_status: Option<String>,
    total_amount: Option<String>,
    send_pay_date: Option<String>,
    seller_id: Option<String>,
}

/// `alipay.trade.query`
pub async fn query(gateway: &Gateway, attempt_no: &AttemptNo) -> Result<Heard, ChannelError> {
    let mut biz = TradeQueryBiz::new();
    biz.set_out_trade_no(attempt_no.to_string().into());
    match gateway.call::<Queried>(Call::of(&biz)).await {
        Ok(answer) => judge(answer, attempt_no, &gateway.seller_id, gateway.now()),
        Err(Failure::Refused(refusal)) if refusal.proves_absence() => Ok(Heard::Absent),
        Err(failure) => Err(failure.into()),
    }
}

fn judge(answer: Queried, attempt_no: &AttemptNo, seller_id: &str, now: Moment) -> Result<Heard, ChannelError> {
    let missing = |name: &str| ChannelError::Untrusted(format!("no usable {name} in the answer"));
    let number = answer.out_trade_no.ok_or_else(|| missing("out_trade_no"))?;
    if number != attempt_no.as_str() {
        return Ok(Heard::Foreign { field: "out_trade_no", got: number });
    }
    if let Some(seller) = foreign_seller(answer.seller_id, seller_id) {
        return Ok(Heard::Foreign { field: "seller_id", got: seller });
    }
    match answer.trade_status.as_deref() {
        Some("WAIT_BUYER_PAY") => return Ok(Heard::Unpaid),
        // closed with a payment time: paid, and refunded in full since
        Some("TRADE_CLOSED") if answer.send_pay_date.is_none() => return Ok(Heard::Closed),
        Some("TRADE_SUCCESS" | "TRADE_FINISHED" | "TRADE_CLOSED") => {}
        _ => return Err(missing("trade_status")),
    }
    Ok(Heard::Paid {
        trade_no: TradeNo(answer.trade_no.filter(|no| !no.is_empty()).ok_or_else(|| missing("trade_no"))?),
        amount: answer.total_amount.as_deref().and_then(Fen::from_yuan).ok_or_else(|| missing("total_amount"))?,
        paid_at: answer.send_pay_date.as_deref().and_then(Moment::parse_beijing).unwrap_or(now),
    })
}

/// The seller an answer names, when it is not ours. Not every answer names one.
pub fn foreign_seller(heard: Option<String>, ours: &str) -> Option<String> {
    heard.filter(|heard| !heard.is_empty() && !ours.is_empty() && heard != ours)
}

/// `alipay.trade.close`. Alipay closes unpaid trades only; when it will not, the trade's state says why.
pub async fn close(gateway: &Gateway, attempt_no: &AttemptNo) -> Result<Closing, ChannelError> {
    let mut biz = TradeCloseBiz::new();
    biz.set_out_trade_no(attempt_no.to_string().into());
    let refusal = match gateway.call::<CloseResponse>(Call::of(&biz)).await {
        Ok(answer) => {
            ours(answer.out_trade_no.as_deref(), attempt_no)?;
            return Ok(Closing::Closed);
        }
        Err(Failure::Refused(refusal)) if refusal.proves_absence() => return Ok(Closing::Absent),
        Err(Failure::Refused(refusal)) if is_about_its_state(&refusal) => refusal,
        Err(failure) => return Err(failure.into()),
    };
    match query(gateway, attempt_no).await? {
        Heard::Paid { .. } => Ok(Closing::Paid),
        Heard::Closed => Ok(Closing::Closed),
        Heard::Absent => Ok(Closing::Absent),
        Heard::Unpaid => Err(ChannelError::Unreachable(format!("{} though the trade is unpaid", refusal.code))),
        Heard::Foreign { field, .. } => Err(ChannelError::Untrusted(format!("another {field} in the answer"))),
    }
}

fn is_about_its_state(refusal: &Refusal) -> bool {
    let by_name = ["TRADE_STATUS_ERROR", "REASON_TRADE_STATUS_INVALID", "REASON_ILLEGAL_STATUS"];
    by_name.contains(&refusal.name()) || matches!(refusal.why, RefusedFor::AlreadyPaid | RefusedFor::AlreadyClosed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::alipay::testing::{self, ATTEMPT, Asked, Scene, TRADE, attempt_no, reply};
    use crate::outbound::fake::Play;

    const ABSENT: &str =
        r#"{"code":"40004","msg":"Business Failed","sub_code":"ACQ.TRADE_NOT_EXIST","sub_msg":"交易不存在"}"#;
    const WRONG_STATE: &str = r#"{"code":"40004","msg":"Business Failed","sub_code":"ACQ.TRADE_STATUS_ERROR"}"#;

    /// A query's answer with these members beside the usual ones.
    fn state(members: &str) -> String {
        format!(r#"{{"code":"10000","msg":"Success","out_trade_no":"{ATTEMPT}","trade_no":"{TRADE}",{members}}}"#)
    }

    async fn heard(node: &str) -> Result<Heard, ChannelError> {
        query(&Scene::answering(node).gateway, &attempt_no()).await
    }

    fn paid(at: &str) -> Heard {
        let (amount, paid_at) = (Fen::new(909_995), Moment::parse_beijing(at).unwrap());
        Heard::Paid { trade_no: TradeNo(TRADE.to_owned()), amount, paid_at }
    }

    #[tokio::test]
    async fn a_code_to_show_is_asked_for_with_the_notice_address() {
        let node =
            format!(r#"{{"code":"10000","out_trade_no":"{ATTEMPT}","qr_code":"https:\/\/qr.alipay.com\/bax0"}}"#);
        let scene = Scene::answering(&node);
        let prepay = precreate(&scene.gateway, &testing::ask()).await;
        assert_eq!(prepay, Ok(Prepay::Code { text: "https://qr.alipay.com/bax0".to_owned() }));
        assert_eq!(scene.asked(0)["method"], "alipay.trade.precreate");
        assert_eq!(scene.asked(0)["notify_url"], testing::ask().notify_url);
        let expected = serde_json::json!({
            "out_trade_no": ATTEMPT, "total_amount": "9099.95", "subject": "学费", "seller_id": testing::SELLER_ID,
            "time_expire": "2026-09-01 10:54:36", "product_code": "FACE_TO_FACE_PAYMENT",
        });
        assert_eq!(scene.biz(0), expected);
        for node in [r#"{"code":"10000","qr_code":""}"#, r#"{"code":"10000","out_trade_no":"OTHER1","qr_code":"x"}"#] {
            let prepay = precreate(&Scene::answering(node).gateway, &testing::ask()).await;
            assert!(matches!(prepay, Err(ChannelError::Untrusted(_))), "{node}");
        }
    }

    #[tokio::test]
    async fn the_apps_own_payment_needs_a_payer_of_either_kind() {
        let node = format!(r#"{{"code":"10000","out_trade_no":"{ATTEMPT}","trade_no":"{TRADE}"}}"#);
        for (buyer, name) in [
            (Buyer::AlipayUser("2088102150477652".to_owned()), "buyer_id"),
            (Buyer::AlipayOpenid("074a1".to_owned()), "buyer_open_id"),
        ] {
            let scene = Scene::answering(&node);
            let ask = PrepayAsk { buyer: Some(buyer.clone()), ..testing::ask() };
            let prepay = create(&scene.gateway, &ask).await;
            assert_eq!(prepay, Ok(Prepay::AlipayJsapi { trade_no: TRADE.to_owned() }));
            assert_eq!(scene.asked(0)["method"], "alipay.trade.create");
            let biz = scene.biz(0);
            assert_eq!((&biz["product_code"], &biz["op_app_id"]), (&"JSAPI_PAY".into(), &testing::APP_ID.into()));
            assert!(buyer.code().ends_with(biz[name].as_str().unwrap()));
        }
        let nobody = [None, Some(Buyer::AlipayUser(String::new())), Some(Buyer::WechatOpenid("o".to_owned()))];
        for buyer in nobody {
            let refused = create(&testing::unreachable_gateway(), &PrepayAsk { buyer, ..testing::ask() }).await;
            assert!(matches!(refused, Err(ChannelError::Refused { why: RefusedFor::Buyer, .. })));
        }
    }

    #[tokio::test]
    async fn a_query_tells_the_state_of_the_trade() {
        let money = r#""total_amount":"9099.95""#;
        let sent = r#""send_pay_date":"2026-09-01 10:24:30""#;
        let of = |status: &str, rest: &str| state(&format!(r#""trade_status":"{status}",{money}{rest}"#));
        let sent_too = format!(",{sent}");
        for status in ["TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED"] {
            assert_eq!(heard(&of(status, &sent_too)).await, Ok(paid("2026-09-01 10:24:30")), "{status}");
        }
        assert_eq!(heard(&of("TRADE_SUCCESS", "")).await, Ok(paid("2026-09-01 10:24:36")));
        assert_eq!(heard(&of("WAIT_BUYER_PAY", "")).await, Ok(Heard::Unpaid));
        assert_eq!(heard(&of("TRADE_CLOSED", "")).await, Ok(Heard::Closed));
        assert_eq!(heard(ABSENT).await, Ok(Heard::Absent));
        assert!(matches!(heard(&of("ODD", "")).await, Err(ChannelError::Untrusted(_))));
    }

    #[tokio::test]
    async fn an_odd_shape_of_a_field_nobody_needs_loses_no_payment() {
        let odd = r#""trade_status":"TRADE_SUCCESS","total_amount":"9099.95","send_pay_date":"2026-09-01 10:24:30",
            "trade_settle_info":{"trade_settle_detail_list":[]},"ext_infos":{},"fund_bill_list":"none",
            "subject":"学费}]=&\"<𠮷""#;
        assert_eq!(heard(&state(odd)).await, Ok(paid("2026-09-01 10:24:30")));
    }

    #[tokio::test]
    async fn another_order_or_seller_is_foreign_and_a_payment_without_its_facts_untrusted() {
        let other = r#"{"code":"10000","out_trade_no":"OTHER1","trade_status":"TRADE_SUCCESS"}"#;
        let got = "OTHER1".to_owned();
        assert_eq!(heard(other).await, Ok(Heard::Foreign { field: "out_trade_no", got }));
        let seller = state(r#""seller_id":"2088","trade_status":"TRADE_SUCCESS","total_amount":"9099.95""#);
        assert_eq!(heard(&seller).await, Ok(Heard::Foreign { field: "seller_id", got: "2088".to_owned() }));
        for members in [
            r#""trade_status":"TRADE_SUCCESS""#,
            r#""trade_status":"TRADE_SUCCESS","total_amount":"9,099.95""#,
            r#""trade_status":"TRADE_SUCCESS","total_amount":9099.95"#,
            r#""total_amount":"9099.95""#,
        ] {
            assert!(matches!(heard(&state(members)).await, Err(ChannelError::Untrusted(_))), "{members}");
        }
    }

    #[tokio::test]
    async fn an_unsigned_word_is_never_an_answer() {
        let scene = Scene::start(|_| Play::plain(200, &format!(r#"{{"alipay_trade_query_response":{ABSENT}}}"#)));
        let refused = query(&scene.gateway, &attempt_no()).await;
        assert!(matches!(refused, Err(ChannelError::Refused { why: RefusedFor::Absent, .. })));
        let success = state(r#""trade_status":"TRADE_SUCCESS","total_amount":"9099.95""#);
        let scene = Scene::start(move |_| Play::plain(200, &format!(r#"{{"alipay_trade_query_response":{success}}}"#)));
        assert!(matches!(query(&scene.gateway, &attempt_no()).await, Err(ChannelError::Untrusted(_))));
    }

    async fn closed(close_node: &'static str, query_node: String) -> Result<Closing, ChannelError> {
        let scene = Scene::start(move |asked: &Asked| match asked["method"].as_str() {
            "alipay.trade.close" => reply(asked, close_node),
            _ => reply(asked, &query_node),
        });
        close(&scene.gateway, &attempt_no()).await
    }

    #[tokio::test]
    async fn a_trade_that_cannot_be_closed_is_asked_why() {
        let ok = r#"{"code":"10000","msg":"Success","trade_no":"1","out_trade_no":"XF260901QMU000001T01"}"#;
        assert_eq!(closed(ok, String::new()).await, Ok(Closing::Closed));
        assert_eq!(closed(ABSENT, String::new()).await, Ok(Closing::Absent));
        let money = r#","total_amount":"9099.95""#;
        let of = |status: &str| state(&format!(r#""trade_status":"{status}"{money}"#));
        assert_eq!(closed(WRONG_STATE, of("TRADE_SUCCESS")).await, Ok(Closing::Paid));
        assert_eq!(closed(WRONG_STATE, of("TRADE_CLOSED")).await, Ok(Closing::Closed));
        assert_eq!(closed(WRONG_STATE, ABSENT.to_owned()).await, Ok(Closing::Absent));
        let unpaid = closed(WRONG_STATE, of("WAIT_BUYER_PAY")).await;
        assert!(matches!(unpaid, Err(ChannelError::Unreachable(_))));
        for node in [
            r#"{"code":"40004","sub_code":"ACQ.REASON_TRADE_STATUS_INVALID"}"#,
            r#"{"code":"40004","sub_code":"ACQ.REASON_ILLEGAL_STATUS"}"#,
            r#"{"code":"40004","sub_code":"ACQ.TRADE_HAS_SUCCESS"}"#,
        ] {
            assert_eq!(closed(node, of("TRADE_FINISHED")).await, Ok(Closing::Paid), "{node}");
        }
    }

    #[tokio::test]
    async fn a_failing_gateway_closes_nothing() {
        let node = r#"{"code":"20000","sub_code":"aop.ACQ.SYSTEM_ERROR"}"#;
        assert!(matches!(closed(node, String::new()).await, Err(ChannelError::Unreachable(_))));
        let node = r#"{"code":"40004","sub_code":"ACQ.INVALID_PARAMETER"}"#;
        let refused = closed(node, String::new()).await;
        assert!(matches!(refused, Err(ChannelError::Refused { why: RefusedFor::Other, .. })));
    }
}
