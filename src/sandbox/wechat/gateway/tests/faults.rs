//! What a merchant meets when the gateway or the network misbehaves, and what has happened all the same.
use std::time::Duration;

use crate::domain::trade::Channel;
use crate::sandbox::faults::{Call, Fault, Setting};
use crate::sandbox::server::stage::{NATIVE, Stage};

async fn with(setting: Setting) -> Stage {
    let stage = Stage::start().await;
    stage.world.set_fault(setting);
    stage
}

fn ordered(stage: &Stage) -> usize {
    stage.world.bank().trades().count()
}

#[tokio::test]
async fn an_unsigned_forged_or_probing_answer_does_not_verify_and_the_order_stands() {
    for fault in [Fault::UnsignedAnswer, Fault::ForgedAnswer, Fault::ProbeAnswer] {
        let stage = with(Setting::once(fault)).await;
        let reply = stage.post(NATIVE, &stage.order("A00001")).await;
        assert_eq!(reply.status, 200);
        assert!(!reply.is_signed(), "{fault:?}");
        let signature = reply.headers.get("Wechatpay-Signature").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(signature.is_none(), fault == Fault::UnsignedAnswer);
        let probe = signature.is_some_and(|text| text.starts_with("WECHATPAY/SIGNTEST/"));
        assert_eq!(probe, fault == Fault::ProbeAnswer);
        assert_eq!(ordered(&stage), 1);
        assert!(stage.post(NATIVE, &stage.order("A00001")).await.is_signed(), "the repeat is answered rightly");
    }
}

#[tokio::test]
async fn error_pages_come_instead_of_answers_and_only_502_comes_after_the_effect() {
    for (fault, status, effect) in [
        (Fault::Answer400, 400, 0),
        (Fault::Answer404, 404, 0),
        (Fault::Answer429, 429, 0),
        (Fault::Answer500, 500, 0),
        (Fault::Answer502, 502, 1),
        (Fault::Down, 503, 0),
    ] {
        let stage = with(Setting::once(fault)).await;
        let reply = stage.post(NATIVE, &stage.order("A00001")).await;
        assert_eq!(reply.status, status);
        assert!(serde_json::from_slice::<serde_json::Value>(&reply.body).is_err());
        assert_eq!(ordered(&stage), effect, "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_can_be_lost_or_cut_short_after_its_effect() {
    for fault in [Fault::LoseAnswer, Fault::TruncateAnswer] {
        let stage = with(Setting::once(fault)).await;
        let body = stage.order("A00001").to_string();
        let request = stage.raw("POST", NATIVE, &body);
        let request = request.header("Authorization", stage.authorization("POST", NATIVE, &body));
        assert!(stage.send(request).await.is_err(), "{fault:?}");
        assert_eq!(ordered(&stage), 1);
    }
}

#[tokio::test]
async fn a_lost_answer_never_arrives_in_part_and_a_short_one_does() {
    for (fault, begins) in [(Fault::LoseAnswer, false), (Fault::TruncateAnswer, true)] {
        let stage = with(Setting::once(fault)).await;
        let body = stage.order("A00001").to_string();
        let request = stage.raw("POST", NATIVE, &body);
        let answer = request.header("Authorization", stage.authorization("POST", NATIVE, &body)).send().await;
        assert_eq!(answer.is_ok_and(|answer| answer.status() == 200), begins, "{fault:?}");
    }
}

#[tokio::test]
async fn the_gateway_can_hang_before_or_after_the_effect() {
    for (fault, effect) in [(Fault::Hang, 0), (Fault::HangAfterEffect, 1)] {
        let stage = with(Setting::once(fault)).await;
        let order = stage.order("A00001");
        let call = stage.post(NATIVE, &order);
        assert!(tokio::time::timeout(Duration::from_millis(400), call).await.is_err(), "{fault:?}");
        assert_eq!(ordered(&stage), effect);
    }
}

#[tokio::test]
async fn a_fault_can_be_limited_to_one_kind_of_call_and_one_channel() {
    let stage = with(Setting::always(Fault::Down).during(Call::Query)).await;
    assert_eq!(stage.post(NATIVE, &stage.order("A00001")).await.status, 200);
    assert_eq!(stage.query("A00001").await.status, 503);
    stage.world.clear_faults();
    stage.world.set_fault(Setting::always(Fault::Down).at(Channel::Alipay));
    assert_eq!(stage.query("A00001").await.status, 200);
}

#[tokio::test]
async fn a_channel_that_breaks_its_word_takes_money_for_a_closed_order() {
    let stage = with(Setting::once(Fault::TakeLatePayment)).await;
    stage.post(NATIVE, &stage.order("A00001")).await;
    assert_eq!(stage.close("A00001").await.status, 204);
    assert!(stage.world.pay(Channel::Wechat, "A00001", "lin").is_ok());
    assert!(stage.world.deliver_due().await[0].received);
    assert_eq!(stage.query("A00001").await.json()["trade_state"], serde_json::json!("SUCCESS"));
}
