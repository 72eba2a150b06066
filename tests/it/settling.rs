//! Money comes in: by notice, by inquiry, from two processes at once; it counts once.
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiaofei::domain::order::OrderState;
use jiaofei::domain::trade::{Channel, Product};
use jiaofei::flow::{attempt, inquire};
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::sandbox::merchants::{WECHAT_MCH_AGENCY, WECHAT_MCH_FISCAL};
use jiaofei::store::{attempts, charges, journal};

use crate::world::app::TestApp;

const PHONE: &str = "13800000001";

#[tokio::test]
async fn a_notice_settles_the_order_its_charges_and_one_receipt() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    world.pay(&order, Product::WechatJsapi, PHONE).await;
    let deliveries = world.sandbox.deliver_due().await;
    assert_eq!(deliveries.len(), 1);
    assert!(world.is_paid(&order).await);
    let own = charges::find_of_payer(world.app.db.read(), student.id).await.unwrap();
    let owed: Vec<i64> = own.iter().map(|charge| charge.balance.arrears().get()).collect();
    assert_eq!(owed, [0, 0, 25_000]);
    assert_eq!(world.count("SELECT COUNT(*) FROM receipt").await, 1);
    assert_eq!(world.sandbox.bank().received(WECHAT_MCH_FISCAL), order.total);
}

#[tokio::test]
async fn each_payee_gets_its_own_money() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let orders = world.open(student.id, &[student.tuition, student.insurance, student.dormitory]).await;
    assert_eq!(orders.len(), 2);
    for order in &orders {
        world.pay(order, Product::WechatNative, PHONE).await;
    }
    world.sandbox.deliver_due().await;
    assert_eq!(world.sandbox.bank().received(WECHAT_MCH_FISCAL).get(), 910_000);
    assert_eq!(world.sandbox.bank().received(WECHAT_MCH_AGENCY).get(), 25_000);
    for order in &orders {
        assert!(world.is_paid(order).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_copies_with_inquiries_and_reads_between_them_settle_once_and_are_all_acknowledged() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    let started = world.pay(&order, Product::WechatH5, PHONE).await;
    world.sandbox.set_fault(Setting::once(Fault::DuplicateNotice).amount(999));
    let asking = (0..64).map(|_| async {
        // the busy gateway may be too slow for some; what counts is that nothing breaks
        let _heard = attempt::ask(&world.app, &started.attempt).await.unwrap();
        inquire::on_read(&world.app, order.clone(), inquire::WAITING).await.unwrap();
    });
    let (deliveries, _) = tokio::join!(world.sandbox.deliver_due(), join_all(asking));
    assert_eq!(deliveries.len(), 1_000);
    for delivery in &deliveries {
        assert_eq!(delivery.status, Some(200));
        assert_eq!(delivery.body, r#"{"code":"SUCCESS","message":"成功"}"#);
    }
    assert!(world.is_paid(&order).await);
    assert_eq!(world.count("SELECT COUNT(*) FROM receipt").await, 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM trade").await, 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM charge_entry WHERE cause = 'paid'").await, 2);
    assert_eq!(world.count("SELECT CAST(SUM(paid_fen) AS BIGINT) FROM charge").await, 910_000);
    assert_eq!(world.count("SELECT COUNT(*) FROM refund").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_that_hear_the_same_payment_at_once_book_it_once() {
    let world = TestApp::start().await;
    let other = world.another_process().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let started = world.pay(&order, Product::WechatNative, PHONE).await;
    let hear = |at: usize| {
        let app = if at.is_multiple_of(2) { Arc::clone(&world.app) } else { Arc::clone(&other) };
        let attempt = started.attempt.clone();
        tokio::spawn(async move { attempt::ask(&app, &attempt).await })
    };
    let heard = join_all((0..32).map(hear)).await;
    assert!(heard.into_iter().all(|one| one.unwrap().is_ok()));
    assert!(world.is_paid(&order).await);
    assert_eq!(world.count("SELECT COUNT(*) FROM receipt").await, 1);
    assert_eq!(world.count("SELECT CAST(SUM(paid_fen) AS BIGINT) FROM charge").await, 800_000);
}

#[tokio::test]
async fn a_lost_notice_is_repaired_the_moment_the_payer_looks() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    world.pay(&order, Product::WechatJsapi, PHONE).await;
    let seen = inquire::on_read(&world.app, order.clone(), inquire::WAITING).await.unwrap().order;
    assert!(matches!(seen.state, OrderState::Paid { .. }), "{:?}", seen.state);
}

#[tokio::test]
async fn a_lost_notice_is_repaired_within_a_minute_with_nobody_watching() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    // paid at different ages of the order, so that the schedule's widest gap is met
    for (charge, age) in [(student.tuition, 7), (student.dormitory, 130), (student.insurance, 1_500)] {
        let order = world.open_one(student.id, &[charge]).await;
        let started = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
        world.pass(Duration::from_secs(age)).await;
        world.confirm(&started, PHONE);
        world.pass(Duration::from_secs(60)).await;
        assert!(world.is_paid(&order).await, "paid {age} s after the order was opened");
    }
}

#[tokio::test]
async fn a_notice_of_another_amount_books_nothing_and_reaches_the_office() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.sandbox.set_fault(Setting::always(Fault::WrongAmount));
    let started = world.pay(&order, Product::WechatNative, PHONE).await;
    let deliveries = world.sandbox.deliver_due().await;
    assert_eq!(deliveries[0].status, Some(200), "it is kept, so it need not come again");
    assert!(!world.is_paid(&order).await);
    assert_eq!(world.count("SELECT CAST(SUM(paid_fen) AS BIGINT) FROM charge").await, 0);
    let items = journal::open_office_items(world.app.db.read()).await.unwrap();
    assert_eq!(items[0].0, "amount_mismatch");
    assert_eq!(items[0].1, started.attempt.attempt_no.as_str());
    let again = world.begin(&order, Product::WechatNative, PHONE).await.unwrap_err();
    assert_eq!(again.to_string(), "refused: under_review", "nobody is asked to pay on top of it");
}

#[tokio::test]
async fn a_notice_for_another_app_merchant_or_currency_books_nothing_and_reaches_the_office() {
    for fault in [Fault::ForeignApp, Fault::ForeignMerchant, Fault::ForeignCurrency] {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition]).await;
        world.sandbox.set_fault(Setting::always(fault));
        world.pay(&order, Product::WechatNative, PHONE).await;
        let deliveries = world.sandbox.deliver_due().await;
        assert!(!deliveries[0].received, "{fault:?}");
        world.pass(Duration::from_secs(30)).await;
        assert!(!world.is_paid(&order).await, "{fault:?}");
        assert_eq!(world.count("SELECT COUNT(*) FROM trade").await, 0, "{fault:?}");
        let items = journal::open_office_items(world.app.db.read()).await.unwrap();
        assert_eq!(items[0].0, "foreign_notice", "{fault:?}");
    }
}

#[tokio::test]
async fn forged_probing_corrupt_and_stale_notices_are_refused_and_the_genuine_repeat_settles() {
    for fault in [Fault::ForgeNotice, Fault::ProbeNotice, Fault::CorruptNotice, Fault::StaleNotice] {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition]).await;
        world.pay(&order, Product::WechatNative, PHONE).await;
        world.sandbox.set_fault(Setting::once(fault).during(Call::PaymentNotice));
        let first = world.sandbox.deliver_due().await;
        assert_eq!(first[0].status, Some(401), "{fault:?}");
        assert_eq!(first[0].body, r#"{"code":"FAIL","message":"失败"}"#, "{fault:?}");
        assert!(!world.is_paid(&order).await, "{fault:?}");
        assert_eq!(world.count("SELECT COUNT(*) FROM notice").await, 0, "{fault:?}: nothing of it is kept");
        world.clock.advance(Duration::from_secs(15));
        assert!(world.sandbox.deliver_due().await[0].received, "{fault:?}");
        assert!(world.is_paid(&order).await, "{fault:?}");
    }
}

#[tokio::test]
async fn garbage_at_the_channels_door_is_refused_without_a_500() {
    let world = TestApp::start().await;
    let client = reqwest::Client::new();
    let bodies: [(&str, Vec<u8>); 5] = [
        ("empty", Vec::new()),
        ("garbage", vec![0xff; 4_096]),
        ("v2 XML", b"<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>".to_vec()),
        ("JSON", br#"{"id":"1","resource":{}}"#.to_vec()),
        ("a form", b"out_trade_no=XF260901QMU000001T01&trade_status=TRADE_SUCCESS&sign=AAAA&sign_type=RSA2".to_vec()),
    ];
    for (name, body) in bodies {
        for channel in ["wechat", "alipay"] {
            let url = format!("{}/notify/{channel}/fiscal", world.url);
            let answer = client.post(url).body(body.clone()).send().await.unwrap();
            let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
            match channel {
                "wechat" => assert_eq!((status, text.as_str()), (401, r#"{"code":"FAIL","message":"失败"}"#), "{name}"),
                _ => assert_eq!((status, text.as_str()), (200, "fail"), "{name}"),
            }
        }
    }
    let huge = client.post(format!("{}/notify/wechat/fiscal", world.url)).body(vec![b'x'; 10 << 20]).send().await;
    // the connection may be cut before ten megabytes are through
    assert!(huge.is_err() || huge.unwrap().status().as_u16() == 413);
    for path in ["/notify/wechat/nobody", "/notify/paypal/fiscal"] {
        assert_eq!(client.post(format!("{}{path}", world.url)).send().await.unwrap().status().as_u16(), 404);
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM notice").await, 0);
}

#[tokio::test]
async fn a_genuine_notice_of_an_unknown_number_is_kept_for_the_office_and_asked_for_again() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let started = world.pay(&order, Product::WechatNative, PHONE).await;
    let forget = "UPDATE attempt SET attempt_no = 'SOMETHINGELSE'";
    sea_orm::ConnectionTrait::execute_unprepared(world.app.db.write(), forget).await.unwrap();
    let delivery = world.sandbox.deliver_due().await.remove(0);
    assert_eq!((delivery.status, delivery.received), (Some(500), false));
    let items = journal::open_office_items(world.app.db.read()).await.unwrap();
    assert_eq!((items[0].0.as_str(), items[0].1.as_str()), ("unknown_attempt", started.attempt.attempt_no.as_str()));
    assert_eq!(world.count("SELECT COUNT(*) FROM notice").await, 1);
}

#[tokio::test]
async fn a_notice_sent_to_another_payees_door_books_nothing() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    // both payees share keys in the sandbox, so only the merchant number tells them apart
    let swap = "UPDATE attempt SET payee_code = 'agency'";
    sea_orm::ConnectionTrait::execute_unprepared(world.app.db.write(), swap).await.unwrap();
    assert!(!world.sandbox.deliver_due().await[0].received);
    assert!(!world.is_paid(&order).await);
    let attempt = attempts::find_of_order(world.app.db.read(), &world.app.sealer, order.id).await.unwrap();
    assert_eq!(attempt[0].product.channel(), Channel::Wechat);
}
