//! Orders made from the merchant's side, asked for and closed.
use super::*;
use crate::domain::trade::Channel;
use crate::sandbox::faults::{Call, Fault, Setting};
use crate::sandbox::trade::PayRefusal;

#[tokio::test]
async fn a_code_is_a_trade_only_once_somebody_has_scanned_it() {
    let stage = Stage::start().await;
    let said = precreate(&stage, "A1").await;
    let code = said.node()["qr_code"].as_str().unwrap().to_owned();
    assert!(code.starts_with("https://qr.alipay.com/bax"));
    assert!(said.text().contains(r"https:\/\/qr.alipay.com\/bax"), "slashes come escaped");
    let missing = query(&stage, "A1").await.node();
    assert_eq!(missing["sub_code"], json!("ACQ.TRADE_NOT_EXIST"));
    assert_eq!((&missing["out_trade_no"], &missing["receipt_amount"]), (&json!("A1"), &json!("0.00")));
    let close = call(&stage, "alipay.trade.close", &json!({ "out_trade_no": "A1" })).await;
    assert_eq!(close.refusal(), "TRADE_NOT_EXIST");

    stage.world.open(Channel::Alipay, &code, "lin").unwrap();
    let waiting = query(&stage, "A1").await.node();
    assert_eq!(waiting["trade_status"], json!("WAIT_BUYER_PAY"));
    assert_eq!(waiting["buyer_logon_id"], json!("lin***@sandbox.example"));
    assert_eq!(stage.world.pay(Channel::Alipay, &code, "wang").unwrap_err(), PayRefusal::OtherPayer);
}

#[tokio::test]
async fn a_paid_trade_tells_amounts_as_text_payer_and_time() {
    let stage = Stage::start().await;
    create(&stage, "A1").await.node();
    stage.world.pay(Channel::Alipay, "A1", "lin").unwrap();
    let node = query(&stage, "A1").await.node();
    for (name, value) in [
        ("code", "10000"),
        ("msg", "Success"),
        ("trade_status", "TRADE_SUCCESS"),
        ("total_amount", "8000.00"),
        ("receipt_amount", "8000.00"),
        ("point_amount", "0.00"),
        ("send_pay_date", "2026-09-01 12:00:00"),
        ("buyer_user_id", &alipay_user("lin")),
    ] {
        assert_eq!(node[name], json!(value), "{name}");
    }
    assert_eq!(node["fund_bill_list"], json!([{ "fund_channel": "ALIPAYACCOUNT", "amount": "8000.00" }]));
    let trade_no = node["trade_no"].as_str().unwrap();
    assert!(trade_no.len() == 28 && trade_no.starts_with("2026090122001"));
    let both = json!({ "out_trade_no": "OTHER", "trade_no": trade_no });
    assert_eq!(call(&stage, "alipay.trade.query", &both).await.node()["out_trade_no"], json!("A1"), "trade_no wins");
    assert_eq!(call(&stage, "alipay.trade.query", &json!({})).await.refusal(), "INVALID_PARAMETER");
}

#[tokio::test]
async fn the_same_order_again_is_the_same_trade_and_another_is_refused() {
    let stage = Stage::start().await;
    let first = create(&stage, "A1").await.node()["trade_no"].clone();
    assert_eq!(create(&stage, "A1").await.node()["trade_no"], first);
    for (name, value) in [("total_amount", "8000.01"), ("subject", "别的"), ("buyer_id", &alipay_user("wang"))] {
        let mut changed = app_order(&stage, "A1");
        changed[name] = json!(value);
        assert_eq!(call(&stage, "alipay.trade.create", &changed).await.refusal(), "CONTEXT_INCONSISTENT", "{name}");
    }
    assert_eq!(precreate(&stage, "A1").await.refusal(), "CONTEXT_INCONSISTENT", "another product");
    stage.world.pay(Channel::Alipay, "A1", "lin").unwrap();
    assert_eq!(create(&stage, "A1").await.refusal(), "TRADE_HAS_SUCCESS");
}

#[tokio::test]
async fn an_order_names_its_buyer_and_keeps_to_the_fields_rules() {
    let stage = Stage::start().await;
    let with = async |name: &str, value: Value| {
        let mut changed = app_order(&stage, "A1");
        changed[name] = value;
        call(&stage, "alipay.trade.create", &changed).await.refusal()
    };
    assert_eq!(with("buyer_id", json!(ALIPAY_SELLER_FISCAL)).await, "BUYER_SELLER_EQUAL");
    assert_eq!(with("seller_id", json!("2088000000000110")).await, "ACCESS_FORBIDDEN");
    assert_eq!(with("time_expire", json!("2026-09-01 12:00:00")).await, "NOW_TIME_AFTER_EXPIRE_TIME_ERROR");
    for (name, value) in [
        ("buyer_id", json!("")),
        ("buyer_id", json!("lin")),
        ("op_app_id", json!("")),
        ("out_trade_no", json!("A-1")),
        ("out_trade_no", json!("")),
        ("total_amount", json!("0.00")),
        ("total_amount", json!("8000.001")),
        ("total_amount", json!("100000001.00")),
        ("subject", json!("a=b")),
        ("subject", json!("费".repeat(257))),
        ("subject", json!("")),
        ("product_code", json!("QUICK_WAP_WAY")),
        ("time_expire", json!("2026-09-17 12:00:01")),
        ("time_expire", json!("tomorrow")),
        ("passback_params", json!("p".repeat(513))),
    ] {
        assert_eq!(with(name, value.clone()).await, "INVALID_PARAMETER", "{name} {value}");
    }
    assert_eq!(query(&stage, "A1").await.refusal(), "TRADE_NOT_EXIST", "nothing was ordered");
}

#[tokio::test]
async fn only_the_named_buyer_can_pay_a_trade_of_the_app() {
    let stage = Stage::start().await;
    let trade_no = create(&stage, "A1").await.node()["trade_no"].as_str().unwrap().to_owned();
    assert_eq!(stage.world.pay(Channel::Alipay, &trade_no, "wang").unwrap_err(), PayRefusal::WrongBuyer);
    assert!(stage.world.pay(Channel::Alipay, &trade_no, "lin").is_ok());
}

#[tokio::test]
async fn an_unpaid_trade_can_be_closed_once_and_a_paid_one_never() {
    let stage = Stage::start().await;
    create(&stage, "A1").await.node();
    let close = async || call(&stage, "alipay.trade.close", &json!({ "out_trade_no": "A1" })).await;
    assert_eq!(close().await.node()["out_trade_no"], json!("A1"));
    assert_eq!(query(&stage, "A1").await.node()["trade_status"], json!("TRADE_CLOSED"));
    assert_eq!(close().await.refusal(), "TRADE_HAS_CLOSE");
    assert_eq!(create(&stage, "A1").await.refusal(), "TRADE_HAS_CLOSE");
    assert_eq!(stage.world.pay(Channel::Alipay, "A1", "lin").unwrap_err(), PayRefusal::Closed);

    create(&stage, "A2").await.node();
    stage.world.pay(Channel::Alipay, "A2", "lin").unwrap();
    let close = call(&stage, "alipay.trade.close", &json!({ "out_trade_no": "A2" })).await;
    assert_eq!(close.refusal(), "TRADE_STATUS_ERROR");
}

#[tokio::test]
async fn an_order_nobody_pays_is_closed_by_alipay_at_its_deadline() {
    let stage = Stage::start().await;
    create(&stage, "A1").await.node();
    let code = precreate(&stage, "A2").await.node()["qr_code"].as_str().unwrap().to_owned();
    stage.advance(1799);
    assert_eq!(query(&stage, "A1").await.node()["trade_status"], json!("WAIT_BUYER_PAY"));
    stage.advance(1);
    assert_eq!(query(&stage, "A1").await.node()["trade_status"], json!("TRADE_CLOSED"));
    assert_eq!(query(&stage, "A2").await.refusal(), "TRADE_NOT_EXIST", "a code nobody scanned never was a trade");
    assert_eq!(stage.world.open(Channel::Alipay, &code, "lin").unwrap_err(), PayRefusal::CodeExpired);
}

#[tokio::test]
async fn a_code_lives_two_hours_whatever_the_orders_deadline() {
    let stage = Stage::start().await;
    let mut long = order(&stage, "A1");
    long["time_expire"] = json!("2026-09-03 12:00:00");
    let code = call(&stage, "alipay.trade.precreate", &long).await.node()["qr_code"].as_str().unwrap().to_owned();
    stage.advance(7199);
    assert!(stage.world.open(Channel::Alipay, &code, "lin").is_ok());
    stage.advance(1);
    assert_eq!(stage.world.pay(Channel::Alipay, &code, "lin").unwrap_err(), PayRefusal::CodeExpired);
    assert_eq!(query(&stage, "A1").await.node()["trade_status"], json!("WAIT_BUYER_PAY"), "the scanned trade lives on");
}

#[tokio::test]
async fn when_told_to_closing_an_unknown_number_burns_it() {
    let stage = Stage::start().await;
    stage.world.set_fault(Setting::once(Fault::CloseBurnsNumber).at(Channel::Alipay).during(Call::Close));
    call(&stage, "alipay.trade.close", &json!({ "out_trade_no": "A1" })).await.node();
    assert_eq!(create(&stage, "A1").await.refusal(), "TRADE_HAS_CLOSE");
}
