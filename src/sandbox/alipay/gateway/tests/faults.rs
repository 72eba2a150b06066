//! Answers that are lost, spoilt, unsigned, forged or untrue, when the sandbox is told to.
use super::*;
use crate::domain::trade::Channel;
use crate::sandbox::faults::{Call, Fault, Setting};

fn once(stage: &Stage, fault: Fault, call: Call) {
    stage.world.set_fault(Setting::once(fault).at(Channel::Alipay).during(call));
}

async fn attempt(stage: &Stage, no: &str) -> reqwest::Result<(u16, Vec<u8>)> {
    let mut fields = common(stage, "alipay.trade.create");
    fields.insert("biz_content".to_owned(), app_order(stage, no).to_string());
    let request = stage.http.post(format!("{}/gateway.do", stage.base)).form(&signed(fields, UTF_8));
    let answer = request.timeout(std::time::Duration::from_millis(500)).send().await?;
    let status = answer.status().as_u16();
    Ok((status, answer.bytes().await?.to_vec()))
}

#[tokio::test]
async fn an_answer_is_unsigned_or_forged_but_its_call_had_its_effect() {
    let stage = Stage::start().await;
    once(&stage, Fault::UnsignedAnswer, Call::Order);
    let said = create(&stage, "A1").await;
    assert!(!said.members().1.contains_key("sign") && said.unsigned_node()["code"] == json!("10000"));
    for (no, fault) in [("A2", Fault::ForgedAnswer), ("A3", Fault::ProbeAnswer)] {
        once(&stage, fault, Call::Order);
        let said = create(&stage, no).await;
        assert!(said.members().1.contains_key("sign") && !said.is_signed(), "{}", fault.code());
    }
    for no in ["A1", "A2", "A3"] {
        assert_eq!(query(&stage, no).await.node()["trade_status"], json!("WAIT_BUYER_PAY"));
    }
}

#[tokio::test]
async fn a_spoilt_answer_leaves_the_effect_or_none_as_the_fault_says() {
    let stage = Stage::start().await;
    for (no, fault, status) in [
        ("A1", Fault::Down, 503),
        ("A2", Fault::Answer400, 400),
        ("A3", Fault::Answer404, 404),
        ("A4", Fault::Answer429, 429),
        ("A5", Fault::Answer500, 500),
        ("A6", Fault::Answer502, 502),
    ] {
        once(&stage, fault, Call::Order);
        let (said, body) = attempt(&stage, no).await.unwrap();
        assert_eq!(said, status, "{}", fault.code());
        assert!(fault == Fault::Down || String::from_utf8(body).unwrap().starts_with("<html>"));
        let known = query(&stage, no).await.unsigned_node()["code"] == json!("10000");
        assert_eq!(known, fault == Fault::Answer502, "{}", fault.code());
    }
    for (no, fault, effect) in [
        ("B1", Fault::Hang, false),
        ("B2", Fault::HangAfterEffect, true),
        ("B3", Fault::LoseAnswer, true),
        ("B4", Fault::TruncateAnswer, true),
    ] {
        once(&stage, fault, Call::Order);
        assert!(attempt(&stage, no).await.is_err(), "{}", fault.code());
        assert_eq!(query(&stage, no).await.unsigned_node()["code"] == json!("10000"), effect, "{}", fault.code());
    }
}

#[tokio::test]
async fn a_query_states_another_amount_seller_or_currency_under_a_true_signature() {
    let stage = Stage::start().await;
    create(&stage, "A1").await.node();
    stage.world.pay(Channel::Alipay, "A1", "lin").unwrap();
    for (fault, field, value) in [
        (Fault::WrongAmount, "total_amount", "8000.01"),
        (Fault::ForeignMerchant, "seller_id", "2088999999999999"),
        (Fault::ForeignCurrency, "trans_currency", "USD"),
    ] {
        once(&stage, fault, Call::Query);
        assert_eq!(query(&stage, "A1").await.node()[field], json!(value));
    }
    let truth = query(&stage, "A1").await.node();
    assert_eq!(truth["total_amount"], json!("8000.00"));
    assert!(truth.get("seller_id").is_none() && truth.get("trans_currency").is_none());
}

#[tokio::test]
async fn a_late_payment_is_taken_when_told_to() {
    let stage = Stage::start().await;
    create(&stage, "A1").await.node();
    call(&stage, "alipay.trade.close", &json!({ "out_trade_no": "A1" })).await.node();
    stage.world.set_fault(Setting::once(Fault::TakeLatePayment));
    stage.world.pay(Channel::Alipay, "A1", "lin").unwrap();
    assert_eq!(query(&stage, "A1").await.node()["trade_status"], json!("TRADE_SUCCESS"));
}

#[tokio::test]
async fn the_page_of_a_gateway_that_is_down_is_no_cashier() {
    let stage = Stage::start().await;
    let mut biz = order(&stage, "A1");
    biz["product_code"] = json!("QUICK_WAP_WAY");
    once(&stage, Fault::Answer502, Call::Order);
    let page = land(&stage, "alipay.trade.wap.pay", &biz, &[], "lin").await.unwrap_err();
    assert!(page.contains("502 Bad Gateway"));
    assert!(land(&stage, "alipay.trade.wap.pay", &biz, &[], "lin").await.is_ok());
}
