//! Money comes in through UnionPay: by a form from a page of ours, by notice or inquiry, and beside another channel.
use std::time::Duration;

use jiaofei::domain::money::Fen;
use jiaofei::domain::order::{Order, OrderState};
use jiaofei::domain::trade::{Channel, Product};
use jiaofei::flow::refund;
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::sandbox::merchants::{UNIONPAY_MER_FISCAL, WECHAT_MCH_FISCAL};
use jiaofei::store::journal;

use crate::paying::tap;
use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

const PAYER: &str = "13800000001";
const PRODUCTS: [Product; 2] = [Product::UnionPayWap, Product::UnionPayPage];

/// A student signed in on this device, with an order of 8,000.00 yuan of tuition.
async fn scene(device: Device) -> (TestApp, Student, Phone, Order) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(device);
    phone.sign_in(&student).await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    (world, student, phone, order)
}

fn cashier(order: &Order) -> String {
    format!("/h5/cashier/{}", order.order_no)
}

fn result(order: &Order) -> String {
    format!("/h5/result/{}", order.order_no)
}

/// The attempt's number in the form of the launch page.
fn number(launch: &Page) -> String {
    let form = launch.forms().into_iter().find(|form| form.action.ends_with("frontTransReq.do")).expect("a form out");
    form.field("orderId").unwrap().to_owned()
}

/// What the school has kept of what came in.
fn kept(world: &TestApp) -> i64 {
    let bank = world.sandbox.bank();
    let of = |merchant| bank.received(merchant).get() - bank.sent_back(merchant).get();
    of(WECHAT_MCH_FISCAL) + of(UNIONPAY_MER_FISCAL)
}

async fn in_the_books(world: &TestApp) -> i64 {
    world.count("SELECT CAST(SUM(paid_fen) AS BIGINT) FROM charge").await
}

#[tokio::test]
async fn a_student_pays_by_the_form_of_our_page_on_a_phone_on_a_desktop_and_inside_the_app() {
    for (device, kind) in [(Device::Mobile, "08"), (Device::Desktop, "07"), (Device::UnionPay, "08")] {
        let (world, _, phone, order) = scene(device).await;
        let page = phone.get(&cashier(&order)).await;
        assert!(page.has("银联支付 / 云闪付") && page.has("银联客服 95516"), "{device:?}: {}", page.text());
        let launch = phone.settle(tap(&phone, &page, "unionpay").await).await;
        assert!(launch.has("去银联付款") && launch.has("8,000.00"), "{device:?}: {}", launch.text());
        let policy = launch.header("content-security-policy");
        assert!(policy.contains(&format!("form-action 'self' {}; ", world.sandbox_url)), "{policy}");
        assert!(!phone.get(&cashier(&order)).await.header("content-security-policy").contains(&world.sandbox_url));
        let form = launch.forms().into_iter().find(|form| form.action.contains("/gateway/")).unwrap();
        assert_eq!((form.field("channelType"), form.field("txnAmt")), (Some(kind), Some("800000")), "{device:?}");
        assert!(form.field("csrf").is_none() && !form.fields.iter().any(|(_, value)| value.contains("林知夏")));
        let there = phone.submit(&form).await;
        assert_eq!(there.status, 302, "{device:?}: {}", there.text());
        world.sandbox.pay(Channel::UnionPay, &number(&launch), PAYER).unwrap();
        let deliveries = world.sandbox.deliver_due().await;
        assert_eq!((deliveries[0].status, deliveries[0].body.as_str()), (Some(200), "ok"), "{device:?}");
        // 返回商户 is a form of UnionPay's page: another site's, so it brings no session and is only sent on
        let back = world.phone(device).post(&result(&order), &[("respCode", "00"), ("signature", "forged")]).await;
        assert_eq!((back.status, back.location()), (303, result(&order).as_str()), "{device:?}");
        let paid = phone.get(&result(&order)).await;
        assert!(paid.has("缴费成功") && paid.has("8,000.00") && paid.has("银联"), "{device:?}: {}", paid.text());
        assert_eq!((kept(&world), in_the_books(&world).await), (800_000, 800_000), "{device:?}");
    }
}

#[tokio::test]
async fn in_wechat_the_page_leads_to_a_browser_and_inside_alipay_it_cannot_be_chosen() {
    let (world, student, phone, order) = scene(Device::Wechat).await;
    let page = phone.get(&cashier(&order)).await;
    let guide = tap(&phone, &page, "unionpay").await;
    assert_eq!(guide.location(), format!("{}/browser", cashier(&order)));
    assert!(phone.get(guide.location()).await.has("在浏览器"), "says how");
    let alipay = world.phone(Device::Alipay);
    alipay.sign_in(&student).await;
    assert!(alipay.get(&cashier(&order)).await.has("请在浏览器里打开本页使用"));
    assert_eq!(world.count("SELECT COUNT(*) FROM attempt").await, 0);
}

#[tokio::test]
async fn the_result_says_paid_before_any_notice_and_a_notice_twice_books_once() {
    let (world, _, phone, order) = scene(Device::Mobile).await;
    world.arrive_and_pay(&order, Product::UnionPayWap, PAYER).await;
    assert!(phone.get(&result(&order)).await.has("缴费成功"), "UnionPay was asked");
    world.sandbox.set_fault(Setting::always(Fault::DuplicateNotice).at(Channel::UnionPay));
    let deliveries = world.sandbox.deliver_due().await;
    assert!(deliveries.len() == 3 && deliveries.iter().all(|delivery| delivery.received), "{deliveries:?}");
    assert_eq!((kept(&world), in_the_books(&world).await), (800_000, 800_000));
    assert_eq!(world.count("SELECT COUNT(*) FROM receipt").await, 1);
}

#[tokio::test]
async fn a_lost_notice_is_repaired_within_a_minute_with_nobody_watching() {
    for product in PRODUCTS {
        let (world, _, _, order) = scene(Device::Mobile).await;
        world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
        let started = world.begin(&order, product, PAYER).await.unwrap();
        world.pass(Duration::from_secs(130)).await;
        world.arrive(&started, PAYER).await;
        world.confirm(&started, PAYER);
        world.pass(Duration::from_secs(60)).await;
        assert!(world.is_paid(&order).await, "{product:?}");
    }
}

#[tokio::test]
async fn forged_and_corrupt_notices_are_refused_and_the_genuine_repeat_settles() {
    for fault in [Fault::ForgeNotice, Fault::CorruptNotice, Fault::ProbeNotice] {
        let (world, _, _, order) = scene(Device::Mobile).await;
        world.arrive_and_pay(&order, Product::UnionPayWap, PAYER).await;
        world.sandbox.set_fault(Setting::once(fault).during(Call::PaymentNotice));
        assert_eq!(world.sandbox.deliver_due().await[0].status, Some(400), "{fault:?}");
        assert!(!world.is_paid(&order).await, "{fault:?}");
        assert_eq!(world.count("SELECT COUNT(*) FROM notice").await, 0, "{fault:?}");
        world.clock.advance(Duration::from_secs(60));
        assert!(world.sandbox.deliver_due().await[0].received, "{fault:?}");
        assert!(world.is_paid(&order).await, "{fault:?}");
    }
}

#[tokio::test]
async fn another_amount_merchant_or_currency_books_nothing_and_reaches_the_office() {
    for (fault, kind) in [
        (Fault::WrongAmount, "amount_mismatch"),
        (Fault::ForeignMerchant, "foreign_notice"),
        (Fault::ForeignCurrency, "foreign_notice"),
    ] {
        let (world, _, _, order) = scene(Device::Mobile).await;
        world.sandbox.set_fault(Setting::always(fault));
        world.arrive_and_pay(&order, Product::UnionPayPage, PAYER).await;
        world.sandbox.deliver_due().await;
        assert!(!world.is_paid(&order).await, "{fault:?}");
        assert_eq!(in_the_books(&world).await, 0, "{fault:?}");
        let items = journal::open_office_items(world.app.db.read()).await.unwrap();
        assert_eq!(items.first().map(|item| item.0.as_str()), Some(kind), "{fault:?}");
    }
}

#[tokio::test]
async fn unionpays_page_left_behind_and_paid_after_wechat_is_sent_back_by_itself() {
    for notices in [true, false] {
        let (world, _, _, order) = scene(Device::Mobile).await;
        let first = world.begin(&order, Product::UnionPayWap, PAYER).await.unwrap();
        world.arrive(&first, PAYER).await;
        // nothing closes an order at UnionPay: the payer may go back to it
        world.pay(&order, Product::WechatH5, PAYER).await;
        if !notices {
            world.sandbox.set_fault(Setting::always(Fault::LoseNotice).at(Channel::UnionPay));
        }
        world.confirm(&first, PAYER);
        world.sandbox.deliver_due().await;
        world.pass(Duration::from_secs(300)).await;
        assert!(matches!(world.order(&order).await.state, OrderState::Paid { .. }));
        assert_eq!(world.sandbox.bank().received(UNIONPAY_MER_FISCAL).get(), 800_000, "it was paid twice");
        assert_eq!((kept(&world), in_the_books(&world).await), (800_000, 800_000), "and kept once");
    }
}

#[tokio::test]
async fn an_order_cancelled_here_and_paid_at_unionpay_all_the_same_is_booked_for_it_is_still_owed() {
    let (world, _, phone, order) = scene(Device::Mobile).await;
    let started = world.begin(&order, Product::UnionPayWap, PAYER).await.unwrap();
    world.arrive(&started, PAYER).await;
    let page = phone.get(&cashier(&order)).await;
    let cancel = page.forms().into_iter().find(|form| form.action.ends_with("/cancel")).unwrap();
    phone.settle(phone.submit(&cancel).await).await;
    assert!(matches!(world.order(&order).await.state, OrderState::Closed { .. }));
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    world.confirm(&started, PAYER);
    world.pass(Duration::from_secs(60)).await;
    assert!(world.is_paid(&order).await, "it was watched");
    assert_eq!((kept(&world), in_the_books(&world).await), (800_000, 800_000));
}

#[tokio::test]
async fn money_under_way_lets_no_other_way_begin_and_no_page_say_that_nothing_was_paid() {
    let (world, _, phone, order) = scene(Device::Mobile).await;
    world.arrive_and_pay(&order, Product::UnionPayWap, PAYER).await;
    world.sandbox.set_fault(Setting::always(Fault::QueryPending).at(Channel::UnionPay));
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice).at(Channel::UnionPay));
    let page = phone.get(&cashier(&order)).await;
    let refused = tap(&phone, &page, "wechat").await;
    assert_ne!(refused.status, 303, "{}", refused.text());
    let waiting = phone.get(&result(&order)).await;
    assert!(!waiting.has("缴费成功") && !waiting.has("未支付") && !waiting.has("没有扣款"), "{}", waiting.text());
    world.clock.advance(Duration::from_secs(45 * 60));
    world.pass(Duration::from_secs(90)).await;
    assert!(matches!(world.order(&order).await.state, OrderState::Pending { .. }), "not closed meanwhile");
    world.sandbox.clear_faults();
    world.pass(Duration::from_secs(120)).await;
    assert!(world.is_paid(&order).await);
    assert_eq!((kept(&world), in_the_books(&world).await), (800_000, 800_000));
}

#[tokio::test]
async fn a_refund_whole_or_in_parts_is_back_when_unionpay_says_so() {
    for parts in [vec![800_000], vec![100_000, 700_000]] {
        for lost in [false, true] {
            let (world, student, _, order) = scene(Device::Mobile).await;
            world.arrive_and_pay(&order, Product::UnionPayWap, PAYER).await;
            world.sandbox.deliver_due().await;
            if lost {
                world.sandbox.set_fault(Setting::always(Fault::LoseNotice).at(Channel::UnionPay));
            }
            for amount in &parts {
                let lines = [(student.tuition, Fen::new(*amount))];
                refund::request(&world.app, &order, &lines, "退学").await.unwrap();
                refund::run_once(&world.app).await.unwrap();
                assert_eq!(world.count("SELECT COUNT(*) FROM refund WHERE state = 'processing'").await, 1);
                world.clock.advance(Duration::from_secs(10));
                world.sandbox.deliver_due().await;
                world.pass(Duration::from_secs(if lost { 90 } else { 1 })).await;
                assert_eq!(world.count("SELECT COUNT(*) FROM refund WHERE state <> 'done'").await, 0, "{lost}");
            }
            assert_eq!(kept(&world), 0, "{parts:?}");
            assert_eq!(world.count("SELECT CAST(SUM(refunded_fen) AS BIGINT) FROM charge").await, 800_000);
        }
    }
}

#[tokio::test]
async fn an_unpaid_order_ends_in_time() {
    for product in PRODUCTS {
        let (world, _, _, order) = scene(Device::Mobile).await;
        let started = world.begin(&order, product, PAYER).await.unwrap();
        world.arrive(&started, PAYER).await;
        world.pass(Duration::from_secs(30 * 60 + 1)).await;
        let state = world.order(&order).await.state;
        assert!(matches!(state, OrderState::Closed { .. }), "{product:?} {state:?}");
        assert!(world.sandbox.pay(Channel::UnionPay, started.attempt.attempt_no.as_str(), PAYER).is_err());
    }
}
