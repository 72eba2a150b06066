//! Orders over the wire: what is taken, what is refused and in which words, and what queries tell.
use serde_json::{Value, json};

use crate::domain::trade::Channel;
use crate::sandbox::faults::{Fault, Setting};
use crate::sandbox::merchants::{WECHAT_APP_ID, WECHAT_MCH_AGENCY, WECHAT_MCH_FISCAL, openid};
use crate::sandbox::server::stage::{H5, JSAPI, NATIVE, NOON, Stage};
use crate::sandbox::trade::PayRefusal;

fn refused(status: u16, code: &str, message: &str) -> (u16, String, String) {
    (status, code.to_owned(), message.to_owned())
}

#[tokio::test]
async fn each_product_answers_with_its_own_code_and_a_signature() {
    let stage = Stage::start().await;
    let mine = openid(WECHAT_APP_ID, "lin");
    let jsapi = stage.post(JSAPI, &stage.jsapi_order("A00001", &mine)).await;
    let native = stage.post(NATIVE, &stage.order("A00002")).await;
    let h5 = stage.post(H5, &stage.h5_order("A00003")).await;
    for reply in [&jsapi, &native, &h5] {
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        assert!(reply.is_signed());
        assert!(reply.headers["Request-ID"].to_str().unwrap().ends_with("-0"));
    }
    let prepay_id = jsapi.json()["prepay_id"].as_str().unwrap().to_owned();
    assert_eq!((&prepay_id[..2], prepay_id.len()), ("wx", 36));
    assert!(native.json()["code_url"].as_str().unwrap().starts_with("weixin://wxpay/bizpayurl?pr="));
    let page = format!("{}/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx", stage.base);
    assert!(h5.json()["h5_url"].as_str().unwrap().starts_with(&page));
}

#[tokio::test]
async fn the_same_order_again_gets_a_fresh_code_and_another_is_refused() {
    let stage = Stage::start().await;
    let order = stage.order("A00001");
    let first = stage.post(NATIVE, &order).await.json()["code_url"].clone();
    let second = stage.post(NATIVE, &order).await.json()["code_url"].clone();
    assert_ne!(first, second);
    let pay = |code: &Value| stage.world.pay(Channel::Wechat, code.as_str().unwrap(), "lin");
    assert_eq!(pay(&first), Err(PayRefusal::CodeExpired), "a new order call makes the old code_url void");

    let mut dearer = order.clone();
    dearer["amount"]["total"] = json!(800_001);
    let used = refused(403, "OUT_TRADE_NO_USED", "商户订单号重复");
    assert_eq!(stage.post(NATIVE, &dearer).await.refusal(), used);
    assert_eq!(stage.post(H5, &stage.h5_order("A00001")).await.refusal(), used, "another product is another order");
    stage.world.set_fault(Setting::once(Fault::RepeatAs400));
    let other_words = refused(400, "INVALID_REQUEST", "请求重入时，参数与首次请求时不一致");
    assert_eq!(stage.post(NATIVE, &dearer).await.refusal(), other_words);

    pay(&second).unwrap();
    assert_eq!(stage.post(NATIVE, &order).await.refusal(), refused(400, "ORDERPAID", "该订单已支付"));
}

#[tokio::test]
async fn a_repeat_is_known_by_its_parameters_and_not_by_their_spelling() {
    let stage = Stage::start().await;
    let order = stage.order("A00001");
    let members: Vec<_> =
        order.as_object().unwrap().iter().map(|(name, value)| format!("{name:?} : {value}")).collect();
    let backwards: Vec<_> = members.iter().rev().cloned().collect();
    assert_eq!(stage.post_text(NATIVE, &format!("{{ {} }}", members.join(" , "))).await.status, 200);
    assert_eq!(stage.post_text(NATIVE, &format!("{{{}}}", backwards.join(","))).await.status, 200);
    assert_eq!(stage.world.bank().trades().count(), 1);
}

#[tokio::test]
async fn fields_are_checked_in_bytes_and_refused_in_the_documented_words() {
    let stage = Stage::start().await;
    let no = "输入源“/body/out_trade_no”映射到值字段“商户订单号”字符串规则校验失败，";
    let table = [
        ("out_trade_no", json!("abc"), format!("{no}字节数 3，小于最小值 6")),
        ("out_trade_no", json!("A".repeat(35)), format!("{no}字节数 35，大于最大值 32")),
        ("out_trade_no", json!("A00001#"), format!(r"{no}字符串必须匹配正则表达式“^[0-9a-zA-Z_\-\|\*]+$”")),
        (
            "description",
            json!("费".repeat(43)),
            "输入源“/body/description”映射到值字段“商品描述”字符串规则校验失败，字节数 129，大于最大值 127".to_owned(),
        ),
        (
            "amount",
            json!({ "total": 0 }),
            "输入源“/body/amount/total”映射到数值字段“总金额”规则校验失败，值低于最小值 1".to_owned(),
        ),
        (
            "amount",
            json!({ "total": "1" }),
            "无法将 JSON 输入源“/body/amount/total”映射到目标字段“总金额”中，此字段需要一个合法的64 位有符号整数"
                .to_owned(),
        ),
        (
            "mchid",
            Value::Null,
            "无法将 JSON 输入源“/body/mchid”映射到目标字段“直连商户号”中，此字段需要一个合法的字符串".to_owned(),
        ),
    ];
    for (field, value, message) in table {
        let mut order = stage.order("A00001");
        order[field] = value;
        let reply = stage.post(NATIVE, &order).await;
        assert_eq!(reply.refusal(), refused(400, "PARAM_ERROR", &message));
        assert_eq!(reply.json()["detail"]["location"], json!("body"));
    }
    let mut order = stage.order("A00001");
    order["description"] = json!("学费𠮷");
    assert_eq!(stage.post(NATIVE, &order).await.refusal().1, "PARAM_ERROR", "a character of four bytes");
    order = stage.order("A00001");
    order.as_object_mut().unwrap().remove("description");
    let missing = "输入源“/body/description”映射到字段“商品描述”必填性规则校验失败，此字段为必填项";
    assert_eq!(stage.post(NATIVE, &order).await.refusal().2, missing);
    assert_eq!(stage.post_text(NATIVE, "{").await.refusal().1, "PARAM_ERROR");
    assert_eq!(stage.world.bank().trades().count(), 0);
}

#[tokio::test]
async fn unknown_fields_are_named_and_refused() {
    let stage = Stage::start().await;
    let mut order = stage.order("A00001");
    order["app_id"] = json!("x");
    order["amount"]["fen"] = json!(1);
    let reply = stage.post(NATIVE, &order).await;
    assert_eq!(reply.refusal(), refused(400, "PARAM_ERROR", "请求中含有未在API文档中定义的参数"));
    let named = &reply.json()["detail"];
    assert_eq!(named["location"], Value::Null);
    let mut paths: Vec<_> = named["value"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["/body/amount/fen", "/body/app_id"]);
}

#[tokio::test]
async fn the_appid_and_the_openid_must_belong_together_and_to_the_merchant() {
    let stage = Stage::start().await;
    let mut order = stage.order("A00001");
    order["appid"] = json!("wx0000000000000000");
    assert_eq!(stage.post(NATIVE, &order).await.refusal().1, "APPID_MCHID_NOT_MATCH");
    let foreign = stage.jsapi_order("A00001", &openid("wx0000000000000000", "lin"));
    assert_eq!(stage.post(JSAPI, &foreign).await.refusal().2, "appid与openid不匹配");
}

#[tokio::test]
async fn a_deadline_is_moved_into_the_allowed_span_and_then_holds() {
    let stage = Stage::start().await;
    let deadline = |no: &str, at: &str| {
        let mut order = stage.order(no);
        order["time_expire"] = json!(at);
        order
    };
    let expires_at = |no: &str| stage.world.bank().find(Channel::Wechat, no).unwrap().ask.expires_at;
    stage.post(NATIVE, &deadline("A00001", &NOON.rfc3339())).await;
    assert_eq!(expires_at("A00001").since(NOON).as_secs(), 60);
    stage.post(NATIVE, &deadline("A00002", "2030-01-01T00:00:00+08:00")).await;
    assert_eq!(expires_at("A00002").since(NOON).as_secs(), 7 * 86_400);
    assert_eq!(stage.post(NATIVE, &deadline("A00003", "tomorrow")).await.refusal().1, "PARAM_ERROR");

    let code = stage.world.bank().codes_of(&expired_key("A00001"))[0].text.clone();
    stage.advance(60);
    assert_eq!(stage.world.pay(Channel::Wechat, &code, "lin"), Err(PayRefusal::Expired));
    assert_eq!(stage.query("A00001").await.json()["trade_state"], json!("NOTPAY"), "expired is not closed");
    assert_eq!(stage.close("A00001").await.status, 204);
    assert_eq!(stage.query("A00001").await.json()["trade_state"], json!("CLOSED"));
}

fn expired_key(no: &str) -> crate::sandbox::trade::TradeKey {
    crate::sandbox::trade::TradeKey::new(Channel::Wechat, WECHAT_MCH_FISCAL, no)
}

#[tokio::test]
async fn codes_live_two_hours_and_h5_links_five_minutes() {
    let stage = Stage::start().await;
    let h5_url = stage.post(H5, &stage.h5_order("A00001")).await.json()["h5_url"].as_str().unwrap().to_owned();
    let code_url = stage.post(NATIVE, &stage.order("A00002")).await.json()["code_url"].as_str().unwrap().to_owned();
    stage.advance(299);
    assert!(stage.world.open(Channel::Wechat, &h5_url, "lin").is_ok());
    stage.advance(1);
    assert_eq!(stage.world.open(Channel::Wechat, &h5_url, "lin"), Err(PayRefusal::CodeExpired));
    stage.advance(7200 - 301);
    assert!(stage.world.open(Channel::Wechat, &code_url, "lin").is_ok());
    stage.advance(1);
    assert_eq!(stage.world.pay(Channel::Wechat, &code_url, "lin"), Err(PayRefusal::CodeExpired));
}

#[tokio::test]
async fn one_order_is_never_paid_by_two_people_nor_by_another_than_the_named_one() {
    let stage = Stage::start().await;
    let code = stage.post(NATIVE, &stage.order("A00001")).await.json()["code_url"].as_str().unwrap().to_owned();
    stage.world.cancel(Channel::Wechat, &code, "lin").unwrap();
    assert_eq!(stage.world.pay(Channel::Wechat, &code, "wang"), Err(PayRefusal::OtherPayer));
    assert_eq!(stage.world.pay_with_wrong_password(Channel::Wechat, &code, "lin"), PayRefusal::WrongPassword);
    assert!(stage.world.pay(Channel::Wechat, &code, "lin").is_ok());
    assert_eq!(stage.world.pay(Channel::Wechat, &code, "lin"), Err(PayRefusal::AlreadyPaid));

    let named = stage.jsapi_order("A00002", &openid(WECHAT_APP_ID, "lin"));
    let prepay_id = stage.post(JSAPI, &named).await.json()["prepay_id"].as_str().unwrap().to_owned();
    let package = format!("prepay_id={prepay_id}");
    assert_eq!(stage.world.pay(Channel::Wechat, &package, "wang"), Err(PayRefusal::WrongBuyer));
    assert_eq!(stage.world.pay(Channel::Alipay, &prepay_id, "lin"), Err(PayRefusal::WrongApp));
    assert!(stage.world.pay(Channel::Wechat, &package, "lin").is_ok());
}

#[tokio::test]
async fn a_query_tells_the_state_by_either_number_to_its_own_merchant_only() {
    let stage = Stage::start().await;
    let order = stage.order("A00001");
    assert_eq!(stage.query("A00001").await.refusal(), refused(404, "ORDER_NOT_EXIST", "订单不存在"));
    stage.post(NATIVE, &order).await;
    let unpaid = stage.query("A00001").await.json();
    assert_eq!(unpaid["trade_state"], json!("NOTPAY"));
    assert_eq!(unpaid.get("transaction_id"), None);

    let receipt = stage.world.pay(Channel::Wechat, "A00001", "lin").unwrap();
    let paid = stage.query("A00001").await;
    assert!(paid.is_signed());
    let paid = paid.json();
    assert_eq!(paid["trade_state"], json!("SUCCESS"));
    assert_eq!(paid["amount"]["total"], json!(800_000));
    assert_eq!(paid["transaction_id"], json!(receipt.trade_no));
    assert_eq!(paid["payer"]["openid"], json!(openid(WECHAT_APP_ID, "lin")));
    assert_eq!(paid["success_time"], json!(NOON.rfc3339()));
    let by_id = |mchid| format!("/v3/pay/transactions/id/{}?mchid={mchid}", receipt.trade_no);
    assert_eq!(stage.get(&by_id(WECHAT_MCH_FISCAL)).await.json(), paid);
    assert_eq!(stage.get(&by_id(WECHAT_MCH_AGENCY)).await.refusal().2, "商户号和订单不匹配");
    let without = stage.get("/v3/pay/transactions/out-trade-no/A00001").await.refusal();
    assert_eq!(without.2, "输入源“/uri_template/mchid”映射到字段“直连商户号”必填性规则校验失败，此字段为必填项");
}

#[tokio::test]
async fn closing_is_repeatable_signed_over_nothing_and_too_late_once_paid() {
    let stage = Stage::start().await;
    for no in ["A00001", "A00002"] {
        stage.post(NATIVE, &stage.order(no)).await;
    }
    for _ in 0..2 {
        let closed = stage.close("A00001").await;
        assert_eq!((closed.status, closed.body.len()), (204, 0));
        assert!(closed.is_signed());
    }
    assert_eq!(stage.world.pay(Channel::Wechat, "A00001", "lin"), Err(PayRefusal::Closed));
    assert_eq!(stage.post(NATIVE, &stage.order("A00001")).await.refusal().1, "ORDER_CLOSED");
    stage.world.pay(Channel::Wechat, "A00002", "lin").unwrap();
    assert_eq!(stage.close("A00002").await.refusal(), refused(400, "ORDER_PAID", "该订单已支付"));
    assert_eq!(stage.close("A00003").await.refusal().1, "ORDER_NOT_EXIST");
    stage.world.set_fault(Setting::once(Fault::CloseBurnsNumber));
    assert_eq!(stage.close("A00003").await.status, 204);
    assert_eq!(stage.post(NATIVE, &stage.order("A00003")).await.refusal().1, "ORDER_CLOSED");
}

#[tokio::test]
async fn a_number_with_a_bar_is_found_by_its_encoded_address() {
    let stage = Stage::start().await;
    stage.post(NATIVE, &stage.order("A00|01")).await;
    assert_eq!(stage.query("A00%7C01").await.json()["out_trade_no"], json!("A00|01"));
}
