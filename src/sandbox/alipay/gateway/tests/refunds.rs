//! Refunds: sums, repetitions, refusals, and what is under way.
use super::*;
use crate::domain::trade::Channel;
use crate::sandbox::faults::{Fault, Setting};

async fn paid(stage: &Stage) {
    create(stage, "A1").await.node();
    stage.world.pay(Channel::Alipay, "A1", "lin").unwrap();
}

async fn refund(stage: &Stage, no: &str, amount: &str) -> Said {
    let biz = json!({
        "out_trade_no": "A1", "out_request_no": no, "refund_amount": amount, "refund_reason": "多缴退费",
    });
    call(stage, "alipay.trade.refund", &biz).await
}

async fn refund_query(stage: &Stage, no: &str) -> Value {
    let biz = json!({ "out_trade_no": "A1", "out_request_no": no, "query_options": ["gmt_refund_pay"] });
    call(stage, "alipay.trade.fastpay.refund.query", &biz).await.node()
}

#[tokio::test]
async fn refund_fee_is_the_sum_and_a_repetition_moves_nothing() {
    let stage = Stage::start().await;
    paid(&stage).await;
    let first = refund(&stage, "R1", "3000.00").await.node();
    assert_eq!((&first["fund_change"], &first["refund_fee"]), (&json!("Y"), &json!("3000.00")));
    assert_eq!(first["gmt_refund_pay"], json!("2026-09-01 12:00:00"));
    assert_eq!(first["buyer_user_id"], json!(alipay_user("lin")));
    let again = refund(&stage, "R1", "3000.00").await.node();
    assert_eq!((&again["fund_change"], &again["refund_fee"]), (&json!("N"), &json!("3000.00")));
    assert_eq!(refund(&stage, "R1", "3000.01").await.refusal(), "DISCORDANT_REPEAT_REQUEST");
    assert_eq!(query(&stage, "A1").await.node()["trade_status"], json!("TRADE_SUCCESS"));
    assert_eq!(refund(&stage, "R2", "5000.01").await.refusal(), "REFUND_AMT_NOT_EQUAL_TOTAL");
    let rest = refund(&stage, "R2", "5000.00").await.node();
    assert_eq!((&rest["fund_change"], &rest["refund_fee"]), (&json!("Y"), &json!("8000.00")));
    let closed = query(&stage, "A1").await.node();
    assert_eq!(closed["trade_status"], json!("TRADE_CLOSED"));
    assert_eq!(closed["send_pay_date"], json!("2026-09-01 12:00:00"));
    assert_eq!(refund(&stage, "R3", "0.01").await.refusal(), "TRADE_HAS_CLOSE");
    assert_eq!(refund(&stage, "R2", "5000.00").await.node()["fund_change"], json!("N"));
}

#[tokio::test]
async fn a_whole_refund_needs_no_number_and_a_part_does() {
    let stage = Stage::start().await;
    paid(&stage).await;
    let part = json!({ "out_trade_no": "A1", "refund_amount": "1.00" });
    assert_eq!(call(&stage, "alipay.trade.refund", &part).await.refusal(), "INVALID_PARAMETER");
    let whole = json!({ "out_trade_no": "A1", "refund_amount": "8000.00" });
    assert_eq!(call(&stage, "alipay.trade.refund", &whole).await.node()["fund_change"], json!("Y"));
    let found = call(&stage, "alipay.trade.fastpay.refund.query", &json!({ "out_trade_no": "A1" })).await.node();
    assert_eq!((&found["refund_status"], &found["refund_amount"]), (&json!("REFUND_SUCCESS"), &json!("8000.00")));
}

#[tokio::test]
async fn a_refund_number_belongs_to_its_trade_and_may_serve_another_one_too() {
    let stage = Stage::start().await;
    paid(&stage).await;
    refund(&stage, "R1", "1.00").await.node();
    create(&stage, "A2").await.node();
    stage.world.pay(Channel::Alipay, "A2", "lin").unwrap();
    let other = json!({ "out_trade_no": "A2", "out_request_no": "R1", "refund_amount": "2.00" });
    assert_eq!(call(&stage, "alipay.trade.refund", &other).await.node()["fund_change"], json!("Y"));
}

#[tokio::test]
async fn only_a_paid_trade_can_be_refunded() {
    let stage = Stage::start().await;
    assert_eq!(refund(&stage, "R1", "1.00").await.refusal(), "TRADE_NOT_EXIST");
    create(&stage, "A1").await.node();
    assert_eq!(refund(&stage, "R1", "1.00").await.refusal(), "TRADE_STATUS_ERROR");
    call(&stage, "alipay.trade.close", &json!({ "out_trade_no": "A1" })).await.node();
    assert_eq!(refund(&stage, "R1", "1.00").await.refusal(), "TRADE_HAS_CLOSE");
    for wrong in ["0", "-1.00", "1.001", ""] {
        assert_eq!(refund(&stage, "R1", wrong).await.refusal(), "INVALID_PARAMETER", "{wrong}");
    }
}

#[tokio::test]
async fn a_year_after_the_payment_the_trade_is_finished() {
    let stage = Stage::start().await;
    paid(&stage).await;
    stage.advance(365 * 86_400 + 1);
    assert_eq!(query(&stage, "A1").await.node()["trade_status"], json!("TRADE_FINISHED"));
    assert_eq!(refund(&stage, "R1", "1.00").await.refusal(), "TRADE_HAS_FINISHED");
}

#[tokio::test]
async fn a_refund_query_says_success_only_of_money_that_arrived() {
    let stage = Stage::start().await;
    paid(&stage).await;
    let unknown = refund_query(&stage, "R9").await;
    assert_eq!(unknown, json!({ "code": "10000", "msg": "Success" }), "nothing of a number nobody used");
    stage.world.set_fault(Setting::once(Fault::RefundProcessing));
    let slow = refund(&stage, "R1", "3000.00").await.node();
    assert_eq!((&slow["fund_change"], &slow["refund_fee"]), (&json!("N"), &json!("0.00")));
    assert!(refund_query(&stage, "R1").await.get("refund_status").is_none());
    stage.advance(60);
    let done = refund_query(&stage, "R1").await;
    assert_eq!((&done["refund_status"], &done["refund_amount"]), (&json!("REFUND_SUCCESS"), &json!("3000.00")));
    assert_eq!((&done["total_amount"], &done["out_request_no"]), (&json!("8000.00"), &json!("R1")));
    assert_eq!(done["refund_reason"], json!("多缴退费"));
    let missing = json!({ "out_trade_no": "A7", "out_request_no": "R1" });
    assert_eq!(call(&stage, "alipay.trade.fastpay.refund.query", &missing).await.refusal(), "TRADE_NOT_EXIST");
}

#[tokio::test]
async fn refunds_fail_when_told_to() {
    let stage = Stage::start().await;
    paid(&stage).await;
    stage.world.set_fault(Setting::once(Fault::RefundNotEnough));
    assert_eq!(refund(&stage, "R1", "1.00").await.refusal(), "SELLER_BALANCE_NOT_ENOUGH");
    for fault in [Fault::RefundAbnormal, Fault::RefundClosed] {
        stage.world.set_fault(Setting::once(fault));
        assert_eq!(refund(&stage, fault.code(), "1.00").await.node()["fund_change"], json!("N"));
        assert!(refund_query(&stage, fault.code()).await.get("refund_status").is_none());
    }
    assert_eq!(stage.world.notices_waiting(), 1, "the payment's notice and none of a refund that failed");
}
