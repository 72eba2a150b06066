//! Money comes in through Alipay: by every product, by notice or inquiry, and between two channels.
use std::time::Duration;

use jiaofei::domain::order::OrderState;
use jiaofei::domain::trade::{Channel, Product};
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::sandbox::merchants::{ALIPAY_APP_FISCAL, WECHAT_MCH_FISCAL};
use jiaofei::store::journal;

use crate::world::app::TestApp;

const PHONE: &str = "13800000001";
const PRODUCTS: [Product; 4] =
    [Product::AlipayWap, Product::AlipayPage, Product::AlipayPrecreate, Product::AlipayJsapi];

#[tokio::test]
async fn every_product_is_settled_by_its_notice_and_acknowledged_in_seven_letters() {
    for product in PRODUCTS {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
        world.arrive_and_pay(&order, product, PHONE).await;
        let deliveries = world.sandbox.deliver_due().await;
        assert_eq!(deliveries.len(), 1, "{product:?}");
        assert_eq!((deliveries[0].status, deliveries[0].body.as_str()), (Some(200), "success"), "{product:?}");
        assert!(world.is_paid(&order).await, "{product:?}");
        assert_eq!(world.sandbox.bank().received(ALIPAY_APP_FISCAL), order.total);
    }
}

#[tokio::test]
async fn a_lost_notice_is_repaired_within_a_minute_with_nobody_watching() {
    for product in PRODUCTS {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
        let order = world.open_one(student.id, &[student.tuition]).await;
        let started = world.begin(&order, product, PHONE).await.unwrap();
        world.pass(Duration::from_secs(130)).await;
        world.arrive(&started, PHONE).await;
        world.confirm(&started, PHONE);
        world.pass(Duration::from_secs(60)).await;
        assert!(world.is_paid(&order).await, "{product:?}");
    }
}

#[tokio::test]
async fn forged_and_corrupt_notices_are_refused_and_the_genuine_repeat_settles() {
    for fault in [Fault::ForgeNotice, Fault::CorruptNotice] {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition]).await;
        world.arrive_and_pay(&order, Product::AlipayWap, PHONE).await;
        world.sandbox.set_fault(Setting::once(fault).during(Call::PaymentNotice));
        let first = world.sandbox.deliver_due().await;
        assert_eq!((first[0].status, first[0].body.as_str()), (Some(200), "fail"), "{fault:?}");
        assert!(!world.is_paid(&order).await, "{fault:?}");
        assert_eq!(world.count("SELECT COUNT(*) FROM notice").await, 0, "{fault:?}");
        world.clock.advance(Duration::from_secs(240));
        assert!(world.sandbox.deliver_due().await[0].received, "{fault:?}");
        assert!(world.is_paid(&order).await, "{fault:?}");
    }
}

#[tokio::test]
async fn another_amount_app_or_seller_books_nothing_and_reaches_the_office() {
    for (fault, kind) in [
        (Fault::WrongAmount, "amount_mismatch"),
        (Fault::ForeignApp, "foreign_notice"),
        (Fault::ForeignMerchant, "foreign_notice"),
    ] {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition]).await;
        world.sandbox.set_fault(Setting::always(fault));
        world.arrive_and_pay(&order, Product::AlipayPrecreate, PHONE).await;
        world.sandbox.deliver_due().await;
        assert!(!world.is_paid(&order).await, "{fault:?}");
        assert_eq!(world.count("SELECT CAST(SUM(paid_fen) AS BIGINT) FROM charge").await, 0, "{fault:?}");
        let items = journal::open_office_items(world.app.db.read()).await.unwrap();
        assert_eq!(items.first().map(|item| item.0.as_str()), Some(kind), "{fault:?}");
    }
}

#[tokio::test]
async fn a_try_cancelled_in_wechat_is_closed_there_before_alipay_takes_over() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let first = world.begin(&order, Product::WechatJsapi, PHONE).await.unwrap();
    world.sandbox.cancel(Channel::Wechat, first.attempt.attempt_no.as_str(), PHONE).unwrap();
    world.arrive_and_pay(&order, Product::AlipayWap, PHONE).await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
    assert!(world.sandbox.pay(Channel::Wechat, first.attempt.attempt_no.as_str(), PHONE).is_err());
}

#[tokio::test]
async fn an_alipay_page_left_behind_cannot_be_paid_on_top_of_wechat() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    // the address was handed out, but nobody has been there: Alipay knows of no trade yet
    let first = world.begin(&order, Product::AlipayWap, PHONE).await.unwrap();
    let second = world.begin(&order, Product::WechatH5, PHONE).await.unwrap();
    // the payer goes back to the left page; the trade comes to life, and the watch ends it
    world.arrive(&first, PHONE).await;
    world.pass(Duration::from_secs(180)).await;
    assert!(world.sandbox.pay(Channel::Alipay, first.attempt.attempt_no.as_str(), PHONE).is_err());
    world.confirm(&second, PHONE);
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
}

#[tokio::test]
async fn an_alipay_page_paid_after_wechat_took_over_is_sent_back_by_itself() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let first = world.begin(&order, Product::AlipayWap, PHONE).await.unwrap();
    world.pay(&order, Product::WechatH5, PHONE).await;
    world.arrive(&first, PHONE).await;
    world.confirm(&first, PHONE);
    assert!(world.sandbox.deliver_due().await.iter().all(|delivery| delivery.received));
    world.pass(Duration::from_secs(180)).await;
    assert!(matches!(world.order(&order).await.state, OrderState::Paid { .. }));
    let kept = |merchant| {
        let bank = world.sandbox.bank();
        bank.received(merchant).get() - bank.sent_back(merchant).get()
    };
    assert_eq!(kept(WECHAT_MCH_FISCAL) + kept(ALIPAY_APP_FISCAL), 800_000);
    assert_eq!(world.count("SELECT CAST(SUM(paid_fen) AS BIGINT) FROM charge").await, 800_000);
}

#[tokio::test]
async fn an_unpaid_alipay_order_ends_in_time() {
    for product in PRODUCTS {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition]).await;
        let started = world.begin(&order, product, PHONE).await.unwrap();
        world.pass(Duration::from_secs(30 * 60 + 1)).await;
        let state = world.order(&order).await.state;
        assert!(matches!(state, OrderState::Closed { .. }), "{product:?} {state:?}");
        assert!(world.sandbox.pay(Channel::Alipay, started.attempt.attempt_no.as_str(), PHONE).is_err());
    }
}
