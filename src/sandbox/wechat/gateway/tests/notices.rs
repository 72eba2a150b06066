//! Notices as the merchant's inbox sees them.
use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;

use crate::domain::trade::Channel;
use crate::sandbox::faults::{Call, Fault, Setting};
use crate::sandbox::keys;
use crate::sandbox::merchants::{WECHAT_APP_ID, WECHAT_MCH_FISCAL, openid};
use crate::sandbox::server::stage::{NATIVE, NOON, REFUNDS, Stage, serial, signature_fits};
use crate::sandbox::world::{NoticeKey, Options, Switches};

async fn pay(stage: &Stage, no: &str) {
    stage.post(NATIVE, &stage.order(no)).await;
    stage.world.pay(Channel::Wechat, no, "lin").unwrap();
}

/// A stage with A00001 paid and this fault set before; nothing delivered yet.
async fn paid_with(setting: Setting) -> Stage {
    let stage = Stage::start().await;
    stage.world.set_fault(setting);
    pay(&stage, "A00001").await;
    stage
}

#[tokio::test]
async fn a_payment_is_told_at_once_sealed_and_signed() {
    let stage = Stage::start().await;
    pay(&stage, "A00001").await;
    let tries = stage.world.deliver_due().await;
    assert_eq!((tries.len(), tries[0].status, tries[0].received), (1, Some(200), true));
    let (envelope, plain) = stage.inbox.all()[0].opened();
    assert_eq!(envelope["event_type"], json!("TRANSACTION.SUCCESS"));
    assert_eq!(envelope["resource"]["associated_data"], json!("transaction"));
    assert_eq!(envelope["resource"]["nonce"].as_str().unwrap().len(), 12);
    assert!(envelope["id"].as_str().unwrap().len() <= 36);
    assert_eq!(plain["trade_state"], json!("SUCCESS"));
    assert_eq!(plain["out_trade_no"], json!("A00001"));
    assert_eq!(plain["mchid"], json!(WECHAT_MCH_FISCAL));
    assert_eq!(plain["amount"]["total"], json!(800_000));
    assert_eq!(plain["payer"]["openid"], json!(openid(WECHAT_APP_ID, "lin")));
    assert_eq!(plain["success_time"], json!(NOON.rfc3339()));
    assert!(stage.world.deliver_due().await.is_empty(), "a received notice is not sent again");
}

#[tokio::test]
async fn only_200_and_204_count_and_every_repeat_is_signed_anew() {
    let stage = Stage::start().await;
    stage.inbox.answer(&[500, 201, 302, 204]);
    pay(&stage, "A00001").await;
    for pause in [0, 15, 15, 30] {
        if pause > 0 {
            stage.advance(pause - 1);
            assert!(stage.world.deliver_due().await.is_empty());
            stage.advance(1);
        }
        assert_eq!(stage.world.deliver_due().await.len(), 1);
    }
    stage.advance(86_400);
    assert!(stage.world.deliver_due().await.is_empty());
    let statuses: Vec<_> = stage.world.deliveries().iter().map(|delivery| delivery.status).collect();
    assert_eq!(statuses, [Some(500), Some(201), Some(302), Some(204)]);
    let got = stage.inbox.all();
    let distinct = |name: &str| got.iter().map(|one| one.headers[name].clone()).collect::<HashSet<_>>().len();
    assert_eq!((distinct("Wechatpay-Nonce"), distinct("Wechatpay-Signature")), (4, 4));
    assert_eq!(got[3].headers["Wechatpay-Timestamp"], (NOON.unix() + 60).to_string().as_str());
    assert!(got.iter().all(|one| one.opened().0["id"] == got[0].opened().0["id"]));
}

#[tokio::test]
async fn an_answer_after_the_time_allowed_is_no_answer() {
    assert_eq!(Options::default().ack_within, Duration::from_secs(5));
    let stage = Stage::with(Options { ack_within: Duration::from_millis(200), ..Options::default() }).await;
    stage.inbox.answer(&[0]);
    pay(&stage, "A00001").await;
    let tries = stage.world.deliver_due().await;
    assert_eq!((tries[0].status, tries[0].received), (None, false));
    assert_eq!(stage.world.notices_waiting(), 1);
}

#[tokio::test]
async fn a_payment_notice_still_says_paid_when_a_refund_came_first() {
    let stage = Stage::start().await;
    pay(&stage, "A00001").await;
    stage.post(REFUNDS, &stage.refund("A00001", "R1", 800_000)).await;
    assert_eq!(stage.world.deliver_due().await.len(), 2);
    let opened: Vec<_> = stage.inbox.all().iter().map(crate::sandbox::server::stage::Got::opened).collect();
    assert_eq!(opened[0].1["trade_state"], json!("SUCCESS"));
    let (envelope, refund) = &opened[1];
    assert_eq!(envelope["resource"]["original_type"], json!("refund"));
    assert_eq!((&refund["refund_status"], refund.get("status")), (&json!("SUCCESS"), None));
    assert_eq!(
        refund["amount"],
        json!({"total": 800_000, "refund": 800_000, "payer_total": 800_000, "payer_refund": 800_000})
    );
}

#[tokio::test]
async fn notices_are_signed_with_the_key_that_is_switched_to() {
    for (notice_key, used) in [
        (NoticeKey::PublicKey, keys::WECHAT_PUBLIC_KEY_ID),
        (NoticeKey::CertA, keys::WECHAT_PLATFORM_A_SERIAL),
        (NoticeKey::CertB, keys::WECHAT_PLATFORM_B_SERIAL),
    ] {
        let stage = Stage::start().await;
        stage.world.set_switches(Switches { notice_key, ..Switches::default() });
        pay(&stage, "A00001").await;
        stage.world.deliver_due().await;
        assert_eq!(serial(&stage.inbox.all()[0].headers), Some(used));
        stage.inbox.all()[0].opened();
    }
}

#[tokio::test]
async fn during_a_switch_the_keys_are_mixed() {
    let stage = Stage::start().await;
    stage.world.set_switches(Switches { notice_key: NoticeKey::Mixed, ..Switches::default() });
    for no in 0..12 {
        pay(&stage, &format!("A000{no:02}")).await;
    }
    stage.world.deliver_due().await;
    let got = stage.inbox.all();
    let used: HashSet<_> = got.iter().filter_map(|one| serial(&one.headers)).collect();
    assert_eq!(used.len(), 3);
    assert!(got.iter().all(|one| signature_fits(&one.headers, &one.body)));
}

#[tokio::test]
async fn a_lost_notice_never_comes() {
    let stage = paid_with(Setting::once(Fault::LoseNotice)).await;
    stage.advance(100_000);
    assert!(stage.world.deliver_due().await.is_empty());
    assert_eq!(stage.world.notices_waiting(), 0);
}

#[tokio::test]
async fn a_delayed_notice_comes_later() {
    let stage = paid_with(Setting::once(Fault::DelayNotice).amount(30)).await;
    assert!(stage.world.deliver_due().await.is_empty());
    stage.advance(30);
    assert_eq!(stage.world.deliver_due().await.len(), 1);
}

#[tokio::test]
async fn copies_come_at_once_each_with_its_own_signature() {
    let stage = paid_with(Setting::once(Fault::DuplicateNotice).amount(4)).await;
    assert_eq!(stage.world.deliver_due().await.len(), 5);
    let got = stage.inbox.all();
    assert_eq!(got.iter().map(|one| one.headers["Wechatpay-Nonce"].clone()).collect::<HashSet<_>>().len(), 5);
    assert!(got.iter().all(|one| one.opened().1["out_trade_no"] == json!("A00001")));
}

#[tokio::test]
async fn a_refund_notice_can_overtake_the_payment_notice() {
    let stage = paid_with(Setting::once(Fault::ReorderNotice).during(Call::PaymentNotice)).await;
    assert!(stage.world.deliver_due().await.is_empty());
    stage.post(REFUNDS, &stage.refund("A00001", "R1", 1)).await;
    stage.world.deliver_due().await;
    let kinds: Vec<_> = stage.inbox.all().iter().map(|one| one.opened().0["event_type"].clone()).collect();
    assert_eq!(kinds, [json!("REFUND.SUCCESS"), json!("TRANSACTION.SUCCESS")]);
}

#[tokio::test]
async fn corrupt_forged_and_probing_notices_do_not_verify_and_come_again_rightly() {
    for fault in [Fault::CorruptNotice, Fault::ForgeNotice, Fault::ProbeNotice] {
        let stage = paid_with(Setting::once(fault)).await;
        stage.inbox.answer(&[401]);
        stage.world.deliver_due().await;
        let bad = &stage.inbox.all()[0];
        assert!(!signature_fits(&bad.headers, &bad.body), "{fault:?}");
        let probe = bad.headers["Wechatpay-Signature"].to_str().unwrap().starts_with("WECHATPAY/SIGNTEST/");
        assert_eq!(probe, fault == Fault::ProbeNotice);
        stage.advance(15);
        assert!(stage.world.deliver_due().await[0].received);
        stage.inbox.all()[1].opened();
    }
}

#[tokio::test]
async fn a_stale_notice_is_rightly_signed_over_an_old_time() {
    let stage = paid_with(Setting::once(Fault::StaleNotice)).await;
    stage.world.deliver_due().await;
    let got = &stage.inbox.all()[0];
    got.opened();
    assert_eq!(got.headers["Wechatpay-Timestamp"], (NOON.unix() - 600).to_string().as_str());
}

#[tokio::test]
async fn notices_and_queries_can_tell_another_amount_app_merchant_or_currency() {
    for (fault, pointer, told) in [
        (Fault::WrongAmount, "/amount/total", json!(800_001)),
        (Fault::ForeignApp, "/appid", json!("wx0000000000foreign")),
        (Fault::ForeignMerchant, "/mchid", json!("1900009999")),
        (Fault::ForeignCurrency, "/amount/currency", json!("USD")),
    ] {
        let stage = paid_with(Setting::always(fault).times(2)).await;
        stage.world.deliver_due().await;
        assert_eq!(stage.inbox.all()[0].opened().1.pointer(pointer), Some(&told));
        let queried = stage.query("A00001").await;
        assert!(queried.is_signed());
        assert_eq!(queried.json().pointer(pointer), Some(&told));
        assert_ne!(stage.query("A00001").await.json().pointer(pointer), Some(&told));
    }
}

#[tokio::test]
async fn the_background_loop_delivers_unasked() {
    let stage = Stage::start().await;
    let notifier = tokio::spawn(std::sync::Arc::clone(&stage.world).run_notifier());
    pay(&stage, "A00001").await;
    for _ in 0..100 {
        if !stage.inbox.all().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    notifier.abort();
    stage.inbox.all()[0].opened();
}
