//! The channels' answers go wrong: the order stays safe, the payer hears the truth, the next inquiry mends it.
use std::time::Duration;

use jiaofei::domain::order::OrderState;
use jiaofei::domain::trade::{Channel, Product};
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::sandbox::merchants::{ALIPAY_APP_FISCAL, WECHAT_MCH_FISCAL};

use crate::world::app::TestApp;

const PHONE: &str = "13800000001";

const BAD_ANSWERS: [Fault; 12] = [
    Fault::UnsignedAnswer,
    Fault::ForgedAnswer,
    Fault::ProbeAnswer,
    Fault::LoseAnswer,
    Fault::TruncateAnswer,
    Fault::Answer400,
    Fault::Answer404,
    Fault::Answer429,
    Fault::Answer500,
    Fault::Answer502,
    Fault::Hang,
    Fault::Down,
];

/// Every bad answer at each channel; the signature probe is WeChat's alone.
fn bad_answers() -> impl Iterator<Item = (Fault, Product)> {
    let both = [Product::WechatNative, Product::AlipayPrecreate];
    let all = BAD_ANSWERS.into_iter().flat_map(move |fault| both.map(|product| (fault, product)));
    all.filter(|pair| *pair != (Fault::ProbeAnswer, Product::AlipayPrecreate))
}

#[tokio::test]
async fn an_order_call_that_fails_in_any_way_leaves_an_order_that_can_still_be_paid_once() {
    for (fault, product) in bad_answers() {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition]).await;
        world.sandbox.set_fault(Setting::always(fault).during(Call::Order));
        let failed = world.begin(&order, product, PHONE).await;
        let failed = failed.map(|_| ()).unwrap_err().to_string();
        assert_eq!(failed, "refused: channel_busy", "{fault:?} {product:?}");
        assert!(matches!(world.order(&order).await.state, OrderState::Pending { .. }), "{fault:?} {product:?}");
        world.sandbox.clear_faults();
        world.arrive_and_pay(&order, product, PHONE).await;
        world.sandbox.deliver_due().await;
        assert!(world.is_paid(&order).await, "{fault:?} {product:?}");
        let bank = world.sandbox.bank();
        let received = bank.received(WECHAT_MCH_FISCAL).get() + bank.received(ALIPAY_APP_FISCAL).get();
        assert_eq!(received, order.total.get(), "{fault:?} {product:?}");
    }
}

#[tokio::test]
async fn an_inquiry_that_fails_in_any_way_books_nothing_and_the_next_one_mends_it() {
    for (fault, product) in bad_answers() {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition]).await;
        world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
        world.arrive_and_pay(&order, product, PHONE).await;
        world.sandbox.set_fault(Setting::always(fault).during(Call::Query));
        world.pass(Duration::from_secs(6)).await;
        assert!(matches!(world.order(&order).await.state, OrderState::Pending { .. }), "{fault:?} {product:?}");
        world.sandbox.clear_faults();
        world.pass(Duration::from_secs(60)).await;
        assert!(world.is_paid(&order).await, "{fault:?} {product:?}");
    }
}

#[tokio::test]
async fn a_closing_that_fails_in_any_way_never_opens_a_second_way_to_pay() {
    for (fault, product) in bad_answers() {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition]).await;
        let first = world.begin(&order, product, PHONE).await.unwrap();
        world.arrive(&first, PHONE).await;
        world.sandbox.set_fault(Setting::always(fault).during(Call::Close));
        let second = world.begin(&order, Product::WechatH5, PHONE).await.map(|_| ()).unwrap_err().to_string();
        assert_eq!(second, "refused: channel_busy", "{fault:?} {product:?}");
        assert_eq!(world.count("SELECT COUNT(*) FROM attempt").await, 1, "{fault:?} {product:?}");
    }
}

#[tokio::test]
async fn values_that_break_careless_code_go_through_and_back() {
    let names = ["a&b=c", "}\"]{", "<script>", "𠮷野家", "100% 学费+住宿", "é\u{200b}x"];
    for (at, name) in names.iter().enumerate() {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, name).await;
        let long = format!("{name}{}", "长".repeat(60));
        let item = crate::world::school::item("31", (&long, ""), "fiscal", None);
        let item = jiaofei::store::fees::upsert_item(world.app.db.write(), &item, world.clock.now()).await.unwrap();
        let amount = [1, 9_999_999_999][at % 2];
        let charge = crate::world::school::charge(&world.app, student.id, item, world.school.period, amount).await;
        for product in [Product::WechatNative, Product::WechatH5, Product::WechatJsapi, Product::AlipayWap] {
            let order = world.open_one(student.id, &[charge]).await;
            world.begin(&order, product, PHONE).await.unwrap_or_else(|failure| panic!("{name} {product:?}: {failure}"));
        }
        let order = world.open_one(student.id, &[charge]).await;
        let started = world.pay(&order, Product::WechatNative, PHONE).await;
        world.sandbox.deliver_due().await;
        assert!(world.is_paid(&order).await, "{name}");
        let trade = world.sandbox.bank().find(Channel::Wechat, started.attempt.attempt_no.as_str()).unwrap().clone();
        let shown = name.replace('𠮷', "〓");
        assert!(trade.ask.description.starts_with(&format!("启明大学-{shown}")), "{}", trade.ask.description);
        assert_eq!(trade.ask.total.get(), amount);
        let again = crate::world::school::item("32", (&long, ""), "fiscal", None);
        let item = jiaofei::store::fees::upsert_item(world.app.db.write(), &again, world.clock.now()).await.unwrap();
        let charge = crate::world::school::charge(&world.app, student.id, item, world.school.period, amount).await;
        let order = world.open_one(student.id, &[charge]).await;
        let product = [Product::AlipayPrecreate, Product::AlipayWap, Product::AlipayJsapi][at % 3];
        world.arrive_and_pay(&order, product, PHONE).await;
        world.sandbox.deliver_due().await;
        assert!(world.is_paid(&order).await, "{name} {product:?}");
    }
}
