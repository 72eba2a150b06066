//! Refunds over the wire.
use serde_json::json;

use crate::domain::money::Fen;
use crate::domain::trade::Channel;
use crate::sandbox::faults::{Fault, Setting};
use crate::sandbox::merchants::WECHAT_MCH_FISCAL;
use crate::sandbox::server::stage::{NATIVE, REFUNDS, Stage};

/// A stage with the order A00001 paid.
async fn paid() -> Stage {
    let stage = Stage::start().await;
    stage.post(NATIVE, &stage.order("A00001")).await;
    stage.world.pay(Channel::Wechat, "A00001", "lin").unwrap();
    stage.world.deliver_due().await;
    stage
}

#[tokio::test]
async fn parts_are_refunded_under_their_own_numbers_up_to_the_whole() {
    let stage = paid().await;
    for (refund_no, fen) in [("R1", 300_000), ("R2", 500_000)] {
        let reply = stage.post(REFUNDS, &stage.refund("A00001", refund_no, fen)).await;
        assert!(reply.is_signed());
        let told = reply.json();
        assert_eq!(told["status"], json!("SUCCESS"));
        assert_eq!(told["amount"]["refund"], json!(fen));
        assert_eq!(stage.get(&format!("{REFUNDS}/{refund_no}")).await.json(), told);
    }
    let more = stage.post(REFUNDS, &stage.refund("A00001", "R3", 1)).await;
    assert_eq!(more.refusal().1, "INVALID_REQUEST");
    assert_eq!(stage.world.bank().sent_back(WECHAT_MCH_FISCAL), Fen::new(800_000));
    assert_eq!(stage.query("A00001").await.json()["trade_state"], json!("REFUND"));
}

#[tokio::test]
async fn a_part_sent_back_already_makes_the_order_refunded() {
    let stage = paid().await;
    stage.post(REFUNDS, &stage.refund("A00001", "R1", 1)).await;
    let told = stage.query("A00001").await.json();
    assert_eq!((&told["trade_state"], &told["amount"]["total"]), (&json!("REFUND"), &json!(800_000)));
}

#[tokio::test]
async fn the_same_number_is_the_same_refund_and_never_another() {
    let stage = paid().await;
    let first = stage.post(REFUNDS, &stage.refund("A00001", "R1", 300_000)).await.json();
    let again = stage.post(REFUNDS, &stage.refund("A00001", "R1", 300_000)).await.json();
    assert_eq!(first, again);
    let other = stage.post(REFUNDS, &stage.refund("A00001", "R1", 300_001)).await;
    assert_eq!(other.refusal().2, "订单金额或退款金额与之前请求不一致，请核实后再试");
    let mut wrong_total = stage.refund("A00001", "R2", 1);
    wrong_total["amount"]["total"] = json!(1);
    assert_eq!(stage.post(REFUNDS, &wrong_total).await.refusal().1, "INVALID_REQUEST");
    assert_eq!(stage.world.bank().sent_back(WECHAT_MCH_FISCAL), Fen::new(300_000));
    assert_eq!(stage.world.notices_waiting(), 1, "one refund, one notice");
}

#[tokio::test]
async fn the_payment_is_named_by_either_number_and_both_must_agree() {
    let stage = paid().await;
    let trade_no = stage.world.bank().find(Channel::Wechat, "A00001").unwrap().trade_no.clone();
    let mut by_id = stage.refund("A00001", "R1", 1);
    by_id["transaction_id"] = json!(trade_no);
    by_id["out_trade_no"] = json!("A00009");
    assert_eq!(stage.post(REFUNDS, &by_id).await.refusal().2, "支付单号校验不一致，请核实后再试");
    by_id.as_object_mut().unwrap().remove("out_trade_no");
    assert_eq!(stage.post(REFUNDS, &by_id).await.json()["out_trade_no"], json!("A00001"));
    by_id.as_object_mut().unwrap().remove("transaction_id");
    assert_eq!(stage.post(REFUNDS, &by_id).await.refusal().1, "PARAM_ERROR");
}

#[tokio::test]
async fn nothing_is_refunded_that_was_not_paid() {
    let stage = paid().await;
    stage.post(NATIVE, &stage.order("A00002")).await;
    for no in ["A00002", "A00003"] {
        let reply = stage.post(REFUNDS, &stage.refund(no, "R1", 1)).await;
        assert_eq!((reply.status, reply.refusal().1.as_str()), (404, "RESOURCE_NOT_EXISTS"));
    }
    assert_eq!(stage.get(&format!("{REFUNDS}/R1")).await.refusal().1, "RESOURCE_NOT_EXISTS");
    let mut with_mchid = stage.refund("A00001", "R1", 1);
    with_mchid["mchid"] = json!(WECHAT_MCH_FISCAL);
    assert_eq!(stage.post(REFUNDS, &with_mchid).await.refusal().2, "请求中含有未在API文档中定义的参数");
}

#[tokio::test]
async fn an_empty_account_refuses_and_takes_the_same_number_later() {
    let stage = paid().await;
    stage.world.set_fault(Setting::once(Fault::RefundNotEnough));
    let poor = stage.post(REFUNDS, &stage.refund("A00001", "R1", 1)).await;
    assert_eq!((poor.status, poor.refusal().1.as_str()), (403, "NOT_ENOUGH"));
    assert_eq!(stage.post(REFUNDS, &stage.refund("A00001", "R1", 1)).await.status, 200);
}

#[tokio::test]
async fn a_refund_under_way_ends_later_and_tells_it_then() {
    let stage = paid().await;
    stage.world.set_fault(Setting::once(Fault::RefundProcessing).amount(120));
    let told = stage.post(REFUNDS, &stage.refund("A00001", "R1", 800_000)).await.json();
    assert_eq!((&told["status"], told.get("success_time")), (&json!("PROCESSING"), None));
    assert!(stage.world.deliver_due().await.is_empty());
    stage.advance(120);
    assert_eq!(stage.get(&format!("{REFUNDS}/R1")).await.json()["status"], json!("SUCCESS"));
    assert_eq!(stage.world.deliver_due().await.len(), 1);
    let (envelope, plain) = stage.inbox.all().last().unwrap().opened();
    assert_eq!(envelope["event_type"], json!("REFUND.SUCCESS"));
    assert_eq!(plain["refund_status"], json!("SUCCESS"));
}

#[tokio::test]
async fn a_refund_may_end_abnormal_or_closed_and_only_a_closed_one_frees_its_part() {
    for (fault, event, status) in
        [(Fault::RefundAbnormal, "REFUND.ABNORMAL", "ABNORMAL"), (Fault::RefundClosed, "REFUND.CLOSED", "CLOSED")]
    {
        let stage = paid().await;
        stage.world.set_fault(Setting::once(fault));
        let told = stage.post(REFUNDS, &stage.refund("A00001", "R1", 800_000)).await.json();
        assert_eq!(told["status"], json!(status));
        stage.world.deliver_due().await;
        let (envelope, plain) = stage.inbox.all().last().unwrap().opened();
        assert_eq!((&envelope["event_type"], &plain["refund_status"]), (&json!(event), &json!(status)));
        assert_eq!(stage.world.bank().sent_back(WECHAT_MCH_FISCAL), Fen::ZERO);
        let second = stage.post(REFUNDS, &stage.refund("A00001", "R2", 800_000)).await.status;
        assert_eq!(second, if fault == Fault::RefundClosed { 200 } else { 400 });
    }
}
