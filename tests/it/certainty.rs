//! "Nothing was taken" is said only when every channel concerned has just said so, and an order that holds money
//! nobody has judged yet stays as it is.
use std::time::Duration;

use jiaofei::domain::ids::ChargeId;
use jiaofei::domain::order::{Order, OrderState};
use jiaofei::domain::trade::{Buyer, Channel, Product};
use jiaofei::flow::{checkout, expire, inquire};
use jiaofei::sandbox::faults::{Fault, Setting};

use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

const PHONE: &str = "13800000001";
const NOTHING_TAKEN: &str = "没有从您的账户扣款";

async fn world() -> (TestApp, Student) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

async fn result(phone: &Phone, order: &Order, said: &str) -> Page {
    phone.get(&format!("/h5/result/{}?said={said}", order.order_no)).await
}

#[tokio::test]
async fn the_apps_cancel_is_not_believed_over_a_word_of_a_moment_ago() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let started = world.begin(&order, Product::WechatH5, PHONE).await.unwrap();
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    let waiting = phone.get(&format!("/h5/result/{}/state", order.order_no)).await;
    assert!(waiting.body().contains("pending"), "the channel was asked: {}", waiting.body());
    world.confirm(&started, PHONE);
    world.clock.advance(Duration::from_millis(1100));
    let page = result(&phone, &order, "cancel").await;
    assert!(page.has("缴费成功") && !page.has(NOTHING_TAKEN), "{}", page.text());
}

#[tokio::test]
async fn a_second_reading_within_the_second_claims_nothing() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let started = world.begin(&order, Product::WechatH5, PHONE).await.unwrap();
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    assert!(result(&phone, &order, "cancel").await.has(NOTHING_TAKEN));
    world.confirm(&started, PHONE);
    let page = result(&phone, &order, "cancel").await;
    assert!(page.has("还不能确定是否付款") && !page.has(NOTHING_TAKEN), "{}", page.text());
}

#[tokio::test]
async fn a_try_at_alipay_that_was_given_up_and_paid_after_all_is_found_before_anything_is_said() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    phone.sign_in(&student).await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let first = world.begin(&order, Product::AlipayWap, PHONE).await.unwrap();
    // another way: Alipay has never heard of the first, so it is closed here only
    world.begin(&order, Product::WechatH5, PHONE).await.unwrap();
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    world.arrive(&first, PHONE).await;
    world.confirm(&first, PHONE);
    let page = result(&phone, &order, "cancel").await;
    assert!(page.has("缴费成功") && !page.has(NOTHING_TAKEN), "{}", page.text());
}

#[tokio::test]
async fn a_cancelled_order_that_alipay_took_money_for_does_not_say_that_nothing_was_taken() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    phone.sign_in(&student).await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let first = world.begin(&order, Product::AlipayWap, PHONE).await.unwrap();
    checkout::cancel(&world.app, &order).await.unwrap();
    assert!(result(&phone, &order, "cancel").await.has(NOTHING_TAKEN), "so far nothing was");
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    world.arrive(&first, PHONE).await;
    world.confirm(&first, PHONE);
    world.clock.advance(Duration::from_secs(4));
    world.sandbox.set_fault(Setting::always(Fault::Down).at(Channel::Alipay));
    for path in ["result", "cashier"] {
        let page = phone.open(&format!("/h5/{path}/{}", order.order_no)).await;
        assert!(!page.has("没有") || !page.has("扣款"), "{path}: {}", page.text());
        world.clock.advance(Duration::from_secs(4));
    }
    world.sandbox.clear_faults();
    let page = phone.get(&format!("/h5/result/{}", order.order_no)).await;
    assert!(page.has("缴费成功"), "{}", page.text());
}

#[tokio::test]
async fn a_closed_try_at_alipay_that_was_paid_is_found_within_a_minute_with_nobody_watching() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let first = world.begin(&order, Product::AlipayWap, PHONE).await.unwrap();
    checkout::cancel(&world.app, &order).await.unwrap();
    world.pass(Duration::from_secs(200)).await;
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    world.arrive(&first, PHONE).await;
    world.confirm(&first, PHONE);
    world.pass(Duration::from_secs(60)).await;
    assert!(world.is_paid(&order).await);
}

/// An order on which money of another amount lies.
async fn under_review(world: &TestApp, payer: &Student) -> Order {
    let order = world.open_one(payer.id, &[payer.tuition]).await;
    world.sandbox.set_fault(Setting::always(Fault::WrongAmount));
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    world.sandbox.clear_faults();
    order
}

#[tokio::test]
async fn an_order_the_office_looks_at_neither_expires_nor_can_be_cancelled_and_holds_its_charge() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    let order = under_review(&world, &student).await;
    assert_eq!(checkout::cancel(&world.app, &order).await.unwrap_err().to_string(), "refused: under_review");
    world.clock.advance(Duration::from_secs(31 * 60));
    assert_eq!(expire::run_once(&world.app).await.unwrap(), 0);
    world.pass(Duration::from_secs(90)).await;
    assert!(matches!(world.order(&order).await.state, OrderState::Pending { .. }));
    let wanted = |charge: ChargeId| [jiaofei::domain::checkout::Wanted { charge_id: charge, amount: None }];
    let again = checkout::open(&world.app, student.id, "another", &wanted(student.tuition)).await;
    assert_eq!(again.unwrap()[0].order_no, order.order_no, "the same lines lead to the same order");
    let page = result(&phone, &order, "cancel").await;
    assert!(!page.has(NOTHING_TAKEN), "{}", page.text());
}

#[tokio::test]
async fn a_booked_trade_told_again_with_another_amount_reaches_the_office_and_changes_no_book() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let started = world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
    world.sandbox.set_fault(Setting::always(Fault::WrongAmount));
    inquire::look(&world.app, &started.attempt).await.unwrap();
    assert_eq!(world.count("SELECT COUNT(*) FROM office_item WHERE kind = 'amount_mismatch'").await, 1);
    assert_eq!(world.count("SELECT CAST(SUM(paid_fen) AS BIGINT) FROM charge").await, 800_000);
    assert_eq!(world.count("SELECT COUNT(*) FROM trade").await, 1);
    assert!(world.is_paid(&order).await);
}

#[tokio::test]
async fn an_h5_link_belongs_to_the_address_it_was_made_for() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let first = world.begin(&order, Product::WechatH5, PHONE).await.unwrap();
    let elsewhere = checkout::PayAsk { payer_ip: "198.51.100.9".to_owned(), ..world.ask(Product::WechatH5, PHONE) };
    let second = checkout::pay(&world.app, &order, &elsewhere).await.unwrap();
    assert_ne!(first.attempt.attempt_no, second.attempt.attempt_no);
    assert_eq!(second.attempt.payer_ip, "198.51.100.9");
    let code = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    let ask = checkout::PayAsk { payer_ip: "198.51.100.9".to_owned(), ..world.ask(Product::WechatNative, PHONE) };
    let same = checkout::pay(&world.app, &order, &ask).await.unwrap();
    assert_eq!(code.attempt.attempt_no, same.attempt.attempt_no, "a code is for any address");
}

#[tokio::test]
async fn an_attempt_the_channel_refused_is_looked_at_once_more_when_the_call_is_long_over() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let stranger = Some(Buyer::WechatOpenid("of-another-account".to_owned()));
    let ask = checkout::PayAsk { buyer: stranger, ..world.ask(Product::WechatJsapi, PHONE) };
    let refused = checkout::pay(&world.app, &order, &ask).await.unwrap_err();
    assert_eq!(refused.to_string(), "refused: buyer_needed");
    assert_eq!(world.count("SELECT COUNT(*) FROM attempt WHERE state = 'closed' AND inquiries = 0").await, 1);
    world.pass(Duration::from_secs(31 * 60)).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM attempt WHERE state = 'closed' AND inquiries = 1").await, 1);
}
