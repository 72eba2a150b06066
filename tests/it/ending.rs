//! Orders end: paid another way, cancelled, out of time, late. Money that comes all the same is booked or goes back.
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiaofei::domain::checkout::Wanted;
use jiaofei::domain::money::Fen;
use jiaofei::domain::order::{CloseReason, OrderState, Verdict};
use jiaofei::domain::refund::{RefundCause, RefundState};
use jiaofei::domain::trade::{Channel, Heard, Product, TradeNo};
use jiaofei::flow::{checkout, refund, settle};
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::sandbox::merchants::WECHAT_MCH_FISCAL;
use jiaofei::store::{attempts, charges, refunds};

use crate::world::app::TestApp;

const PHONE: &str = "13800000001";
const OTHER_PHONE: &str = "13800000002";

#[tokio::test]
async fn changing_the_way_of_paying_closes_the_first_try_at_the_channel() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let first = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    let second = world.begin(&order, Product::WechatH5, PHONE).await.unwrap();
    assert_ne!(first.attempt.attempt_no, second.attempt.attempt_no);
    let refused = world.sandbox.pay(Channel::Wechat, first.attempt.attempt_no.as_str(), PHONE);
    assert!(refused.is_err(), "the first code cannot be paid any more");
    world.confirm(&second, PHONE);
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
}

#[tokio::test]
async fn the_same_way_again_goes_on_with_the_same_try() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let first = world.begin(&order, Product::WechatJsapi, PHONE).await.unwrap();
    let again = world.begin(&order, Product::WechatJsapi, PHONE).await.unwrap();
    assert_eq!(first, again);
    let other_wallet = world.begin(&order, Product::WechatJsapi, OTHER_PHONE).await.unwrap();
    assert_ne!(first.attempt.attempt_no, other_wallet.attempt.attempt_no, "an openid belongs to its own number");
}

#[tokio::test]
async fn a_first_try_that_was_paid_is_found_before_a_second_one_is_opened() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    world.pay(&order, Product::WechatNative, PHONE).await;
    let refused = world.begin(&order, Product::WechatH5, PHONE).await.unwrap_err();
    assert_eq!(refused.to_string(), "refused: order_paid");
    assert!(world.is_paid(&order).await);
}

#[tokio::test]
async fn two_tries_both_paid_are_booked_once_and_the_other_money_goes_back_by_itself() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let first = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    let second = world.begin(&order, Product::WechatH5, PHONE).await.unwrap();
    world.confirm(&second, PHONE);
    // the channel breaks its word: the closed number takes money all the same
    world.sandbox.set_fault(Setting::always(Fault::TakeLatePayment));
    world.sandbox.pay(Channel::Wechat, first.attempt.attempt_no.as_str(), OTHER_PHONE).unwrap();
    assert!(world.sandbox.deliver_due().await.iter().all(|delivery| delivery.received));
    assert!(world.is_paid(&order).await);
    assert_eq!(world.count("SELECT CAST(SUM(paid_fen) AS BIGINT) FROM charge").await, 800_000);
    world.pass(Duration::from_secs(90)).await;
    let refunds = refunds::find_of_order(world.app.db.read(), order.id).await.unwrap();
    assert_eq!(refunds.len(), 1);
    assert_eq!((refunds[0].cause, refunds[0].state), (RefundCause::Surplus, RefundState::Done));
    let bank = world.sandbox.bank();
    assert_eq!(bank.received(WECHAT_MCH_FISCAL).get() - bank.sent_back(WECHAT_MCH_FISCAL).get(), 800_000);
}

#[tokio::test]
async fn an_order_out_of_time_is_asked_about_closed_at_the_channel_and_then_closed_here() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let started = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    world.pass(Duration::from_secs(30 * 60)).await;
    let closed = world.order(&order).await;
    assert!(matches!(closed.state, OrderState::Closed { reason: CloseReason::Expired, .. }), "{:?}", closed.state);
    let refused = world.sandbox.pay(Channel::Wechat, started.attempt.attempt_no.as_str(), PHONE);
    assert!(refused.is_err());
    assert_eq!(
        world.begin(&order, Product::WechatNative, PHONE).await.unwrap_err().to_string(),
        "refused: order_closed"
    );
}

#[tokio::test]
async fn an_order_paid_in_its_last_second_is_booked_not_closed() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let started = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    world.clock.advance(Duration::from_secs(30 * 60 - 1));
    world.confirm(&started, PHONE);
    world.pass(Duration::from_secs(2)).await;
    assert!(world.is_paid(&order).await);
}

#[tokio::test]
async fn a_late_success_is_booked_while_the_charge_is_still_due() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let started = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    checkout::cancel(&world.app, &order).await.unwrap();
    world.sandbox.set_fault(Setting::always(Fault::TakeLatePayment));
    world.sandbox.pay(Channel::Wechat, started.attempt.attempt_no.as_str(), PHONE).unwrap();
    assert!(world.sandbox.deliver_due().await[0].received);
    assert!(world.is_paid(&order).await);
    assert_eq!(world.count("SELECT COUNT(*) FROM receipt").await, 1);
}

/// The limit of what anybody can know: WeChat Pay said that the try is closed, then takes money for it, and never says
/// so. Nobody has a reason to ask before the look that is made in any case.
#[tokio::test]
async fn late_money_whose_notice_never_comes_is_found_by_our_own_look_within_half_an_hour() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let started = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    checkout::cancel(&world.app, &order).await.unwrap();
    world.sandbox.set_fault(Setting::always(Fault::TakeLatePayment));
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    world.sandbox.pay(Channel::Wechat, started.attempt.attempt_no.as_str(), PHONE).unwrap();
    let at_the_bank_only = async || {
        let closed = "SELECT COUNT(*) FROM attempt WHERE state = 'closed' AND next_inquiry_at IS NOT NULL";
        assert_eq!(world.count(closed).await, 1, "a look is planned");
        assert_eq!(world.count("SELECT COUNT(*) FROM payment_order WHERE state = 'pending'").await, 0);
        world.count("SELECT COUNT(*) FROM trade").await == 0
    };
    for seconds in [41, 29 * 60] {
        world.pass(Duration::from_secs(seconds)).await;
        assert!(at_the_bank_only().await, "everything looks done, and the bank has money we do not know of");
    }
    world.pass(Duration::from_secs(60)).await;
    assert!(world.is_paid(&order).await);
}

#[tokio::test]
async fn a_late_success_for_what_was_paid_meanwhile_goes_back() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let first = world.open_one(student.id, &[student.tuition]).await;
    let started = world.begin(&first, Product::WechatNative, PHONE).await.unwrap();
    checkout::cancel(&world.app, &first).await.unwrap();
    let second = world.open_one(student.id, &[student.tuition]).await;
    assert_ne!(first.order_no, second.order_no);
    world.pay(&second, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    world.sandbox.set_fault(Setting::always(Fault::TakeLatePayment));
    world.sandbox.pay(Channel::Wechat, started.attempt.attempt_no.as_str(), OTHER_PHONE).unwrap();
    assert!(world.sandbox.deliver_due().await[0].received);
    world.pass(Duration::from_secs(90)).await;
    assert!(world.is_paid(&second).await);
    assert!(!world.is_paid(&first).await);
    assert_eq!(world.count("SELECT CAST(SUM(paid_fen) AS BIGINT) FROM charge").await, 800_000);
    assert_eq!(world.sandbox.bank().sent_back(WECHAT_MCH_FISCAL).get(), 800_000);
}

#[tokio::test]
async fn cancelling_loses_against_a_payment_that_was_quicker() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    world.pay(&order, Product::WechatNative, PHONE).await;
    let refused = checkout::cancel(&world.app, &order).await.unwrap_err();
    assert_eq!(refused.to_string(), "refused: order_paid");
    assert!(world.is_paid(&order).await);
}

#[tokio::test]
async fn an_order_is_not_closed_while_the_channel_gives_no_answer() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let started = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    world.sandbox.set_fault(Setting::always(Fault::Down).at(Channel::Wechat));
    let refused = checkout::cancel(&world.app, &order).await.unwrap_err();
    assert_eq!(refused.to_string(), "refused: channel_busy");
    world.clock.advance(Duration::from_secs(31 * 60));
    world.pass(Duration::from_secs(5)).await;
    assert!(matches!(world.order(&order).await.state, OrderState::Pending { .. }));
    world.sandbox.clear_faults();
    world.pass(Duration::from_secs(120)).await;
    assert!(matches!(world.order(&order).await.state, OrderState::Closed { .. }));
    assert!(world.sandbox.pay(Channel::Wechat, started.attempt.attempt_no.as_str(), PHONE).is_err());
}

#[tokio::test]
async fn a_refund_the_office_asks_for_moves_the_books_when_the_money_is_back() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    world.sandbox.set_fault(Setting::always(Fault::RefundProcessing).amount(120));
    let part = [(student.dormitory, Fen::new(50_000))];
    refund::request(&world.app, &order, &part, "退宿").await.unwrap();
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(world.count("SELECT CAST(SUM(refunded_fen) AS BIGINT) FROM charge").await, 0, "not before it is back");
    world.pass(Duration::from_secs(600)).await;
    world.sandbox.deliver_due().await;
    assert_eq!(world.count("SELECT CAST(SUM(refunded_fen) AS BIGINT) FROM charge").await, 50_000);
    let dormitory = charges::find_one_of_payer(world.app.db.read(), student.id, student.dormitory).await.unwrap();
    assert_eq!(dormitory.unwrap().balance.arrears().get(), 50_000, "what was given back is owed again");
    let too_much = [(student.dormitory, Fen::new(60_001))];
    assert!(refund::request(&world.app, &order, &too_much, "多退").await.is_err());
}

#[tokio::test]
async fn a_refund_the_merchant_has_no_money_for_is_asked_for_again_under_its_number() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    world.sandbox.set_fault(Setting::once(Fault::RefundNotEnough).during(Call::Refund));
    let part = [(student.tuition, Fen::new(100_000))];
    refund::request(&world.app, &order, &part, "退费").await.unwrap();
    world.pass(Duration::from_secs(400)).await;
    let refunds = refunds::find_of_order(world.app.db.read(), order.id).await.unwrap();
    assert_eq!((refunds.len(), refunds[0].state), (1, RefundState::Done));
    assert_eq!(world.sandbox.bank().sent_back(WECHAT_MCH_FISCAL).get(), 100_000);
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_not_paid_twice() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    world.sandbox.set_fault(Setting::once(Fault::LoseAnswer).during(Call::Refund));
    let part = [(student.tuition, Fen::new(100_000))];
    refund::request(&world.app, &order, &part, "退费").await.unwrap();
    world.pass(Duration::from_secs(400)).await;
    assert_eq!(world.sandbox.bank().sent_back(WECHAT_MCH_FISCAL).get(), 100_000);
    assert_eq!(world.count("SELECT CAST(SUM(refunded_fen) AS BIGINT) FROM charge").await, 100_000);
    let live = attempts::find_live(world.app.db.read(), &world.app.sealer, order.id).await.unwrap();
    assert!(live.is_none());
}

#[tokio::test]
async fn an_abnormal_refund_that_a_person_mended_is_found_without_its_notice() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    world.sandbox.set_fault(Setting::once(Fault::RefundAbnormal));
    let part = [(student.tuition, Fen::new(100_000))];
    refund::request(&world.app, &order, &part, "退费").await.unwrap();
    world.pass(Duration::from_secs(200)).await;
    let abnormal = refunds::find_of_order(world.app.db.read(), order.id).await.unwrap().remove(0);
    assert_eq!(abnormal.state, RefundState::Abnormal);
    assert!(abnormal.next_try_at.is_some(), "it is asked about again");
    world.clock.advance(Duration::from_secs(7 * 3600));
    world.pass(Duration::from_secs(2)).await;
    let asked = refunds::find_of_order(world.app.db.read(), order.id).await.unwrap().remove(0);
    assert!(asked.tries > abnormal.tries);
    assert_eq!(world.count("SELECT COUNT(*) FROM office_item WHERE kind = 'refund_abnormal'").await, 1);
}

#[tokio::test]
async fn a_refund_alipay_took_and_says_nothing_more_of_comes_before_the_office() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.arrive_and_pay(&order, Product::AlipayWap, PHONE).await;
    world.sandbox.deliver_due().await;
    world.sandbox.set_fault(Setting::once(Fault::RefundClosed));
    let order = world.order(&order).await;
    refund::request(&world.app, &order, &[(student.tuition, Fen::new(100))], "退费").await.unwrap();
    let stuck = "SELECT COUNT(*) FROM office_item WHERE kind = 'refund_stuck'";
    for _ in 0..3 {
        jiaofei::jobs::run_once(&world.app).await.unwrap();
        world.clock.advance(Duration::from_secs(30 * 60));
    }
    assert_eq!(world.count(stuck).await, 0, "an hour is nothing to worry about");
    for _ in 0..8 {
        jiaofei::jobs::run_once(&world.app).await.unwrap();
        world.clock.advance(Duration::from_secs(60 * 60));
    }
    assert_eq!(world.count(stuck).await, 1);
}

#[tokio::test]
async fn a_refund_folds_the_lines_of_one_charge_and_refuses_nothing_negative_and_what_no_order_holds() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    let line = |charge, fen| (charge, Fen::new(fen));
    for wrong in [
        vec![],
        vec![line(student.tuition, 0)],
        vec![line(student.tuition, -1)],
        vec![line(student.tuition, 5), line(student.tuition, -2)],
        vec![line(student.tuition, i64::MAX), line(student.dormitory, i64::MAX)],
        vec![line(student.tuition, 500_000), line(student.tuition, 500_000)],
    ] {
        assert!(refund::request(&world.app, &order, &wrong, "退费").await.is_err(), "{wrong:?}");
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM refund").await, 0);
    let twice = [line(student.dormitory, 100), line(student.tuition, 200), line(student.dormitory, 300)];
    refund::request(&world.app, &order, &twice, "退费").await.unwrap();
    world.pass(Duration::from_secs(90)).await;
    assert_eq!(world.sandbox.bank().sent_back(WECHAT_MCH_FISCAL).get(), 600);
    assert_eq!(world.count("SELECT CAST(SUM(refunded_fen) AS BIGINT) FROM charge").await, 600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn late_money_and_a_new_checkout_of_the_same_charge_never_wait_for_each_other() {
    let world = TestApp::start().await;
    let mut pairs = Vec::new();
    for number in 1..=24 {
        let student = world.school.student(&world.app, number, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition]).await;
        let started = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
        checkout::cancel(&world.app, &order).await.unwrap();
        pairs.push((student, order, started));
    }
    let both = pairs.into_iter().map(|(student, order, started)| {
        let (app, now) = (Arc::clone(&world.app), world.clock.now());
        tokio::spawn(async move {
            let trade_no = TradeNo(format!("42{}", order.order_no));
            let heard = Heard::Paid { trade_no, amount: order.total, paid_at: now };
            let anew = [Wanted { charge_id: student.tuition, amount: None }];
            tokio::join!(
                settle::apply(&app, &started.attempt, &heard, None),
                checkout::open(&app, student.id, "anew", &anew)
            )
        })
    });
    for pair in join_all(both).await {
        let (late, opened) = pair.unwrap();
        assert!(matches!(late.unwrap(), Verdict::Settle { .. }));
        if let Err(failure) = opened {
            assert!(failure.to_string().starts_with("refused: "), "{failure}");
        }
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM receipt").await, 24);
}
