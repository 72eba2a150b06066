//! Refunds: accepted first and done later, in parts, never twice under one number and second.
use super::*;
use crate::sandbox::faults::{Fault, Setting};

async fn ask(stage: &Stage, order_id: &str, query_id: &str, fen: &str) -> String {
    said(stage, BACK, refund(stage, order_id, query_id, fen)).await["respCode"].clone()
}

#[tokio::test]
async fn a_refund_is_accepted_at_once_and_done_a_moment_later() {
    let stage = Stage::start().await;
    let query_id = paid(&stage, "XF26090101").await["queryId"].clone();
    let accepted = said(&stage, BACK, refund(&stage, "TF26090101", &query_id, "300000")).await;
    assert_eq!((&*accepted["respCode"], &*accepted["origQryId"]), ("00", &*query_id));
    assert_eq!(accepted["queryId"].len(), 21);
    assert_ne!(accepted["queryId"], query_id);
    assert_eq!(state(&stage, "TF26090101").await, ("00".into(), "05".into()));
    assert_eq!(stage.world.notices_waiting(), 1, "the payment's alone");
    stage.advance(3);
    let done = query(&stage, "TF26090101").await;
    for (name, value) in [
        ("origRespCode", "00"),
        ("txnType", "04"),
        ("txnAmt", "300000"),
        ("origQryId", &query_id),
        ("orderId", "TF26090101"),
    ] {
        assert_eq!(done[name], value, "{name}");
    }
    assert_eq!(done["queryId"], accepted["queryId"]);
    assert_eq!(state(&stage, "XF26090101").await, ("00".into(), "00".into()), "the payment stays paid");
    assert_eq!(stage.world.notices_waiting(), 2);
}

#[tokio::test]
async fn parts_are_refunded_until_nothing_is_left() {
    let stage = Stage::start().await;
    let query_id = paid(&stage, "XF26090101").await["queryId"].clone();
    assert_eq!(ask(&stage, "TF26090101", &query_id, "300000").await, "00");
    assert_eq!(ask(&stage, "TF26090102", &query_id, "500001").await, "33");
    assert_eq!(ask(&stage, "TF26090103", &query_id, "500000").await, "00");
    assert_eq!(ask(&stage, "TF26090104", &query_id, "1").await, "45");
}

#[tokio::test]
async fn a_number_and_second_used_before_is_12_even_for_the_same_refund_and_for_the_payments_own() {
    let stage = Stage::start().await;
    let query_id = paid(&stage, "XF26090101").await["queryId"].clone();
    assert_eq!(ask(&stage, "TF26090101", &query_id, "1").await, "00");
    let again = said(&stage, BACK, refund(&stage, "TF26090101", &query_id, "1")).await;
    assert_eq!((&*again["respCode"], &*again["respMsg"]), ("12", "重复交易[2010002]"));
    assert_eq!(ask(&stage, "XF26090101", &query_id, "1").await, "12");
    let other_second = with(refund(&stage, "TF26090101", &query_id, "2"), "txnTime", "20260901120001");
    assert_eq!(said(&stage, BACK, other_second).await["respCode"], "00", "another second is another refund");
    stage.advance(3);
    assert_eq!(query(&stage, "TF26090101").await["txnAmt"], "1");
    let asked = with(common("00/00", "TF26090101"), "txnTime", "20260901120001");
    let other = said(&stage, QUERY, asked).await;
    assert_eq!((&*other["txnAmt"], &*other["orderId"]), ("2", "TF26090101"));
}

#[tokio::test]
async fn only_a_paid_order_of_this_merchant_can_be_refunded() {
    let stage = Stage::start().await;
    assert_eq!(ask(&stage, "TF26090101", "202609011200000000000", "1").await, "35");
    land(&stage, order(&stage, "XF26090101")).await.unwrap();
    let unpaid = stage.world.bank().find(Channel::UnionPay, "XF26090101").unwrap().trade_no.clone();
    assert_eq!(ask(&stage, "TF26090101", &unpaid, "1").await, "35");
    let query_id = paid(&stage, "XF26090102").await["queryId"].clone();
    let agency = crate::sandbox::merchants::UNIONPAY_MER_AGENCY;
    let stranger = with(refund(&stage, "TF26090101", &query_id, "1"), "merId", agency);
    assert_eq!(said(&stage, BACK, stranger).await["respCode"], "35");
    for (name, code) in [("origQryId", "13"), ("txnAmt", "13"), ("backUrl", "13")] {
        let mut lacking = refund(&stage, "TF26090101", &query_id, "1");
        lacking.remove(name);
        assert_eq!(said(&stage, BACK, lacking).await["respCode"], code, "{name}");
    }
}

#[tokio::test]
async fn refunds_fail_or_take_long_when_told_to_and_a_failed_one_is_never_told() {
    let stage = Stage::start().await;
    let query_id = paid(&stage, "XF26090101").await["queryId"].clone();
    stage.world.set_fault(Setting::once(Fault::RefundNotEnough));
    assert_eq!(ask(&stage, "TF26090101", &query_id, "1").await, "64");
    assert_eq!(query(&stage, "TF26090101").await["respCode"], "34", "a refused refund is none");
    for (fault, no, code) in [(Fault::RefundAbnormal, "TF26090102", "63"), (Fault::RefundClosed, "TF26090103", "01")] {
        stage.world.set_fault(Setting::once(fault));
        assert_eq!(ask(&stage, no, &query_id, "1").await, "00");
        stage.advance(3);
        assert_eq!(state(&stage, no).await, ("00".into(), code.into()));
    }
    assert_eq!(stage.world.notices_waiting(), 1);
    stage.world.set_fault(Setting::once(Fault::RefundProcessing).amount(600));
    assert_eq!(ask(&stage, "TF26090104", &query_id, "1").await, "00");
    stage.advance(599);
    assert_eq!(state(&stage, "TF26090104").await.1, "05");
    stage.advance(1);
    assert_eq!(state(&stage, "TF26090104").await.1, "00");
}
