//! Many at once, and crashes between two steps: what must hold holds in every order of events.
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiaofei::domain::checkout::Wanted;
use jiaofei::domain::order::OrderState;
use jiaofei::domain::trade::Product;
use jiaofei::flow::{audit, chain, checkout, inquire};
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::sandbox::merchants::{ALIPAY_APP_AGENCY, ALIPAY_APP_FISCAL, WECHAT_MCH_AGENCY, WECHAT_MCH_FISCAL};

use crate::world::app::TestApp;

const PHONES: [&str; 2] = ["13800000001", "13800000002"];

/// Our books agree with themselves and with the bank's.
async fn books_agree(world: &TestApp, what: &str) {
    for finding in audit::run(&world.app).await.unwrap() {
        assert!(finding.differences.is_empty(), "{what}: {}: {:?}", finding.must_hold, finding.differences);
    }
    let chain = chain::follow(&world.app).await.unwrap();
    assert!(chain.is_clean(), "{what}: {:?} {:?}", chain.torn, chain.missing);
    let bank = {
        let bank = world.sandbox.bank();
        let merchants = [WECHAT_MCH_FISCAL, WECHAT_MCH_AGENCY, ALIPAY_APP_FISCAL, ALIPAY_APP_AGENCY];
        merchants.iter().map(|id| bank.received(id).get() - bank.sent_back(id).get()).sum::<i64>()
    };
    let ours = world.count("SELECT CAST(SUM(paid_fen - refunded_fen) AS BIGINT) FROM charge").await;
    assert_eq!(bank, ours, "{what}: the bank keeps {bank} fen, our books {ours}");
    let overpaid = "SELECT COUNT(*) FROM charge WHERE assessed_fen - waived_fen - paid_fen + refunded_fen < 0";
    assert_eq!(world.count(overpaid).await, 0, "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_checkouts_of_the_same_charges_make_one_order() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let wanted: Vec<Wanted> =
        [student.tuition, student.dormitory].map(|charge_id| Wanted { charge_id, amount: None }).to_vec();
    let open = |at: usize| {
        let (app, wanted, payer) = (Arc::clone(&world.app), wanted.clone(), student.id);
        tokio::spawn(async move { checkout::open(&app, payer, &format!("checkout-{at}"), &wanted).await })
    };
    let opened = join_all((0..64).map(open)).await;
    let numbers: Vec<String> = opened.into_iter().map(|one| one.unwrap().unwrap()[0].order_no.to_string()).collect();
    assert!(numbers.iter().all(|no| *no == numbers[0]), "{numbers:?}");
    assert_eq!(world.count("SELECT COUNT(*) FROM payment_order").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn overlapping_checkouts_never_put_a_charge_into_two_orders() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let choices = [vec![student.tuition], vec![student.tuition, student.dormitory], vec![student.dormitory]];
    let open = |at: usize| {
        let wanted: Vec<Wanted> = choices[at % 3].iter().map(|id| Wanted { charge_id: *id, amount: None }).collect();
        let (app, payer) = (Arc::clone(&world.app), student.id);
        tokio::spawn(async move { checkout::open(&app, payer, &format!("checkout-{at}"), &wanted).await })
    };
    let opened = join_all((0..48).map(open)).await;
    assert!(opened.into_iter().any(|one| one.unwrap().is_ok()));
    let twice = "SELECT COUNT(*) FROM (SELECT charge_id FROM order_line GROUP BY charge_id HAVING COUNT(*) > 1) t";
    assert_eq!(world.count(twice).await, 0);
}

#[tokio::test]
async fn a_checkout_id_somebody_else_used_is_no_matter() {
    let world = TestApp::start().await;
    let one = world.school.student(&world.app, 1, "林知夏").await;
    let other = world.school.student(&world.app, 2, "张三").await;
    let mut numbers = Vec::new();
    for student in [&one, &other] {
        let wanted = [Wanted { charge_id: student.tuition, amount: None }];
        numbers.push(checkout::open(&world.app, student.id, "the-same", &wanted).await.unwrap().remove(0).order_no);
    }
    assert_ne!(numbers[0], numbers[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_devices_that_start_paying_leave_one_live_attempt_and_one_payment() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let products = [Product::WechatNative, Product::WechatH5, Product::AlipayPrecreate, Product::AlipayWap];
    let begin = |at: usize| {
        let (app, order, ask) = (Arc::clone(&world.app), order.clone(), world.ask(products[at % 4], PHONES[0]));
        tokio::spawn(async move { checkout::pay(&app, &order, &ask).await })
    };
    for one in join_all((0..64).map(begin)).await {
        // whoever came in between is told to try again; nobody gets an error of ours
        if let Err(failure) = one.unwrap() {
            assert!(failure.to_string().starts_with("refused: "), "{failure}");
        }
    }
    assert!(world.count("SELECT COUNT(*) FROM attempt WHERE state = 'live'").await <= 1);
    world.pass(Duration::from_secs(20)).await;
    world.arrive_and_pay(&order, Product::WechatNative, PHONES[0]).await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
    books_agree(&world, "after the rush").await;
}

#[tokio::test]
async fn a_crash_between_the_attempt_and_the_channels_answer_loses_nothing() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    // the order is made at the channel, the answer never arrives, and the process is gone
    world.sandbox.set_fault(Setting::once(Fault::LoseAnswer).during(Call::Order));
    world.begin(&order, Product::WechatNative, PHONES[0]).await.unwrap_err();
    let reborn = world.another_process().await;
    let seen = inquire::on_read(&reborn, order.clone(), inquire::WAITING).await.unwrap();
    assert!(matches!(seen.order.state, OrderState::Pending { .. }));
    let ask = world.ask(Product::WechatNative, PHONES[0]);
    let started = checkout::pay(&reborn, &order, &ask).await.unwrap();
    assert_eq!(world.count("SELECT COUNT(*) FROM attempt").await, 1, "the same number is asked again");
    world.confirm(&started, PHONES[0]);
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
}
