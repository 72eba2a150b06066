//! Campus systems are told when money has moved: once, signed, whatever fails on the way.
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiaofei::app::App;
use jiaofei::cli::demo::demo_webhook;
use jiaofei::config::{Config, EndpointUrl, Webhook, WebhookSecret};
use jiaofei::domain::event::{DeliveryState, EventKind};
use jiaofei::domain::money::Fen;
use jiaofei::domain::order::{Order, OrderState};
use jiaofei::domain::trade::{Channel, Product};
use jiaofei::flow::events::{deliver, desk};
use jiaofei::flow::{office, refund};
use jiaofei::sandbox::campus::inbox::{Heard, Mishap};
use jiaofei::sandbox::faults::{Fault, Setting};
use jiaofei::store::events as outbox;
use jiaofei::store::journal;
use sea_orm::ConnectionTrait;

use crate::logs::listen;
use crate::metrics::Scrape;
use crate::world::app::TestApp;
use crate::world::school::Student;

const PHONE: &str = "13800000001";
const OTHER_PHONE: &str = "13800000002";
const HOUR: Duration = Duration::from_secs(3600);

/// The sandbox's campus system, as the configuration of a story names it.
fn campus(config: &Config) -> Webhook {
    demo_webhook(&config.official_account.as_ref().unwrap().api_base)
}

async fn world_with(change: impl FnOnce(&mut Config)) -> (TestApp, Student) {
    let world = TestApp::start_with(|config| {
        config.webhook.push(campus(config));
        change(config);
    })
    .await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

async fn world() -> (TestApp, Student) {
    world_with(|_| {}).await
}

/// A student's tuition is paid, and the notice has come.
async fn paid(world: &TestApp, student: &Student) -> Order {
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
    order
}

async fn deliver(world: &TestApp) -> usize {
    deliver::run_once(&world.app).await.unwrap()
}

fn heard(world: &TestApp) -> Vec<Heard> {
    world.sandbox.campus().heard().to_vec()
}

/// The number of the only event.
async fn only_event(app: &App) -> String {
    let [(event, _)] = <[_; 1]>::try_from(desk::list(app, false).await.unwrap()).unwrap();
    event.event_no
}

async fn stands(app: &App, event_no: &str) -> Vec<(String, DeliveryState, i64)> {
    let told = desk::show(app, event_no).await.unwrap();
    told.deliveries.into_iter().map(|delivery| (delivery.endpoint, delivery.state, delivery.tries)).collect()
}

/// A channel's numbers are its own; the rest of a story is the same every time.
fn plain(body: &str, order: &Order) -> String {
    let OrderState::Paid { trade_no, .. } = &order.state else { panic!("{:?}", order.state) };
    body.replace(&trade_no.0, "[trade_no]")
}

#[tokio::test]
async fn a_paid_order_is_told_once_rightly_signed_and_in_exactly_these_words() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.set_fault(Setting::once(Fault::DuplicateNotice));
    world.sandbox.deliver_due().await;
    assert!(heard(&world).is_empty(), "a payment waits for no campus system");
    assert_eq!((deliver(&world).await, deliver(&world).await), (1, 0));
    let [told] = <[Heard; 1]>::try_from(heard(&world)).unwrap();
    // of notices that come at once, any may have drawn the number that was used
    let receipt = journal::find_receipt_of_order(world.app.db.read(), order.id).await.unwrap().unwrap();
    let receipt_no = format!("\"receipt_no\":\"{}\"", receipt.receipt_no);
    let body = plain(&told.body, &world.order(&order).await).replace(&receipt_no, "\"receipt_no\":\"[receipt_no]\"");
    insta::assert_snapshot!(body);
    assert_eq!((told.id.len(), told.times, told.signatures), (26, 1, 1));
    assert_eq!(told.id, only_event(&world.app).await);
    assert_eq!(stands(&world.app, &told.id).await, [("campus".to_owned(), DeliveryState::Done, 1)]);
}

#[tokio::test]
async fn a_surplus_and_its_way_back_are_told() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let first = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    let second = world.begin(&order, Product::WechatH5, PHONE).await.unwrap();
    world.confirm(&second, PHONE);
    world.sandbox.deliver_due().await;
    world.sandbox.set_fault(Setting::always(Fault::TakeLatePayment));
    world.sandbox.pay(Channel::Wechat, first.attempt.attempt_no.as_str(), OTHER_PHONE).unwrap();
    world.sandbox.deliver_due().await;
    world.pass(Duration::from_secs(90)).await;
    let trades = journal::trades_of_order(world.app.db.read(), order.id).await.unwrap();
    let mut bodies: Vec<String> = heard(&world)
        .into_iter()
        .map(|told| {
            trades
                .iter()
                .enumerate()
                .fold(told.body, |body, (at, trade)| body.replace(&trade.trade_no.0, &format!("[trade_no {at}]")))
        })
        .collect();
    // several are on their way at once: a receiver sorts them by what they say
    bodies.sort_by_key(|body| {
        let event: serde_json::Value = serde_json::from_str(body).unwrap();
        (event["timestamp"].to_string(), event["type"].to_string())
    });
    insta::assert_snapshot!(bodies.join("\n"));
}

#[tokio::test]
async fn what_the_office_sends_back_is_told_line_by_line_when_the_money_is_back() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    world.sandbox.set_fault(Setting::always(Fault::RefundProcessing));
    refund::request(&world.app, &order, &[(student.dormitory, Fen::new(10_000))], "退宿").await.unwrap();
    world.pass(Duration::from_secs(30)).await;
    assert_eq!(heard(&world).len(), 1, "only the payment: the money is on its way");
    world.pass(Duration::from_secs(400)).await;
    let told = heard(&world);
    assert_eq!(told.len(), 2);
    insta::assert_snapshot!(plain(&told[1].body, &world.order(&order).await));
}

#[tokio::test]
async fn what_is_not_committed_is_not_told_and_what_cannot_be_told_is_not_booked() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    let db = world.app.db.write();
    for (table, lost) in [("event_delivery", "event_gone"), ("receipt", "receipt_gone")] {
        db.execute_unprepared(&format!("ALTER TABLE {table} RENAME TO {lost}")).await.unwrap();
        assert_eq!(world.sandbox.deliver_due().await[0].status, Some(500), "{table}");
        db.execute_unprepared(&format!("ALTER TABLE {lost} RENAME TO {table}")).await.unwrap();
        assert!(!world.is_paid(&order).await);
        for empty in ["event", "event_delivery", "receipt", "trade"] {
            assert_eq!(world.count(&format!("SELECT COUNT(*) FROM {empty}")).await, 0, "{empty}");
        }
        world.clock.advance(Duration::from_secs(60));
    }
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
    deliver(&world).await;
    assert_eq!(heard(&world).len(), 1);
}

#[tokio::test]
async fn an_endpoint_that_was_away_for_twenty_hours_hears_it_once_and_every_try_is_on_record() {
    let (world, student) = world().await;
    paid(&world, &student).await;
    world.sandbox.set_campus_mishap(Some(Mishap::Answer(503)), None);
    let mut tries = Vec::new();
    for minute in 0..20 * 60 {
        if deliver(&world).await > 0 {
            tries.push(minute);
        }
        world.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(tries.len(), 7, "{tries:?}");
    assert_eq!(tries[..2], [0, 1]);
    assert!((6..8).contains(&tries[2]), "{tries:?}");
    assert!(heard(&world).is_empty());
    world.sandbox.set_campus_mishap(None, None);
    for _ in 0..20 {
        deliver(&world).await;
        world.clock.advance(HOUR);
    }
    let [told] = <[Heard; 1]>::try_from(heard(&world)).unwrap();
    assert_eq!(told.times, 1);
    let all = world.sandbox.campus().arrivals().to_vec();
    assert!(all.len() == 8 && all.iter().all(|one| one.id == told.id), "the same id on every try");
    let log = desk::show(&world.app, &told.id).await.unwrap().tries;
    let statuses: Vec<i64> = log.iter().filter_map(|one| one.status).collect();
    assert_eq!(statuses, [503, 503, 503, 503, 503, 503, 503, 204]);
    assert!(log[0].said.starts_with("no: {") && log[0].said.len() <= 120, "{}", log[0].said);
    assert!(!log[0].said.contains("XF260901") && log[7].said.is_empty());
    assert!(office::items(&world.app).await.unwrap().is_empty());
}

#[tokio::test]
async fn after_the_last_try_the_office_is_told_and_the_event_can_be_sent_again() {
    let (world, student) = world().await;
    paid(&world, &student).await;
    world.sandbox.set_campus_mishap(Some(Mishap::Answer(500)), None);
    let event_no = only_event(&world.app).await;
    let begun = world.clock.now();
    while stands(&world.app, &event_no).await[0].1 == DeliveryState::Waiting {
        deliver(&world).await;
        world.clock.advance(HOUR);
    }
    let took = world.clock.now().since(begun);
    assert_eq!(Scrape::of(&world).await.get("events_waiting"), 0.0);
    assert_eq!(Scrape::of(&world).await.get("office_items_open{kind=\"webhook_failed\"}"), 1.0);
    assert!(took > 24 * HOUR && took < 100 * HOUR, "{took:?}");
    assert_eq!(stands(&world.app, &event_no).await, [("campus".to_owned(), DeliveryState::Failed, 10)]);
    let [item] = <[_; 1]>::try_from(office::items(&world.app).await.unwrap()).unwrap();
    assert_eq!(item.kind, "webhook_failed");
    assert!(item.subject.starts_with("campus 2026-09-0") && item.details.contains(&event_no), "{item:?}");
    assert_eq!(desk::list(&world.app, true).await.unwrap().len(), 1);
    world.clock.advance(200 * HOUR);
    assert_eq!(deliver(&world).await, 0, "given up is given up");

    world.sandbox.set_campus_mishap(None, None);
    assert_eq!(desk::resend(&world.app, &event_no, None).await.unwrap(), ["campus"]);
    assert_eq!(deliver(&world).await, 1);
    assert_eq!(heard(&world)[0].id, event_no);
    assert_eq!(stands(&world.app, &event_no).await, [("campus".to_owned(), DeliveryState::Done, 1)]);
    assert!(desk::list(&world.app, true).await.unwrap().is_empty());
    assert_eq!(desk::show(&world.app, &event_no).await.unwrap().tries.len(), 11, "nothing is taken off the record");
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_left_alone_and_the_office_is_told_once_a_day() {
    let (world, student) = world().await;
    let other = world.school.student(&world.app, 2, "张三").await;
    world.sandbox.set_campus_mishap(Some(Mishap::Answer(410)), None);
    for payer in [&student, &other] {
        paid(&world, payer).await;
    }
    assert_eq!(deliver(&world).await, 2);
    world.clock.advance(100 * HOUR);
    assert_eq!(deliver(&world).await, 0);
    let items = office::items(&world.app).await.unwrap();
    assert_eq!((items.len(), items[0].kind.as_str()), (1, "webhook_gone"));
    assert_eq!(desk::list(&world.app, true).await.unwrap().len(), 2);
}

#[tokio::test]
async fn one_endpoint_that_hangs_holds_up_nobody_else() {
    let (world, student) = world_with(|config| {
        // nobody answers here either, and nobody ever will
        let dead = EndpointUrl::try_from("http://127.0.0.1:1/".to_owned()).unwrap();
        let dead = Webhook { name: "a-dead-one".to_owned(), url: dead, ..campus(config) };
        config.webhook.insert(0, dead);
    })
    .await;
    paid(&world, &student).await;
    world.sandbox.set_campus_mishap(Some(Mishap::Hang), Some(1));
    let event_no = only_event(&world.app).await;
    let hanging = tokio::spawn({
        let app = Arc::clone(&world.app);
        async move { deliver::serve(&app, &app.config.webhook[1]).await.unwrap() }
    });
    while world.sandbox.campus().arrivals().is_empty() {
        tokio::task::yield_now().await;
    }
    // while one waits for its answer, the other is served, and the one that hangs is not asked twice
    assert_eq!(deliver(&world).await, 1);
    assert_eq!(hanging.await.unwrap(), 1);
    let log = desk::show(&world.app, &event_no).await.unwrap().tries;
    let log: Vec<(&str, &str)> = log.iter().map(|one| (one.endpoint.as_str(), one.outcome.as_str())).collect();
    assert_eq!(log, [("a-dead-one", "connect"), ("campus", "timeout")]);
    world.clock.advance(Duration::from_secs(6));
    deliver(&world).await;
    assert_eq!(heard(&world).len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_brings_the_event_again_under_the_same_id() {
    let (world, student) = world().await;
    paid(&world, &student).await;
    world.sandbox.set_campus_mishap(Some(Mishap::LoseAnswer), Some(1));
    deliver(&world).await;
    world.clock.advance(Duration::from_secs(6));
    deliver(&world).await;
    let [told] = <[Heard; 1]>::try_from(heard(&world)).unwrap();
    assert_eq!(told.times, 2);
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other_and_is_not_followed() {
    let (world, student) = world().await;
    paid(&world, &student).await;
    world.sandbox.set_campus_mishap(Some(Mishap::Answer(307)), Some(1));
    deliver(&world).await;
    assert_eq!(world.sandbox.campus().arrivals().len(), 1);
    assert!(heard(&world).is_empty());
    let event_no = only_event(&world.app).await;
    assert_eq!(stands(&world.app, &event_no).await, [("campus".to_owned(), DeliveryState::Waiting, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_deliver_each_event_once() {
    let (world, first) = world().await;
    let other = world.another_process().await;
    let mut orders = Vec::new();
    for at in 2..12 {
        let student = world.school.student(&world.app, at, "张三").await;
        orders.push(paid(&world, &student).await);
    }
    paid(&world, &first).await;
    let run = |at: usize| {
        let app = Arc::clone(if at.is_multiple_of(2) { &world.app } else { &other });
        tokio::spawn(async move { deliver::run_once(&app).await.unwrap() })
    };
    let made: usize = join_all((0..6).map(run)).await.into_iter().map(|run| run.unwrap()).sum();
    assert_eq!(made, 11);
    let told = heard(&world);
    assert_eq!(told.len(), 11);
    assert!(told.iter().all(|one| one.times == 1));
}

#[tokio::test]
async fn a_try_whose_process_died_is_taken_up_by_another() {
    let (world, student) = world().await;
    paid(&world, &student).await;
    let now = world.clock.now();
    let due = outbox::find_due(world.app.db.read(), "campus", now, 9).await.unwrap();
    assert!(outbox::claim_try(world.app.db.write(), &due[0], now + deliver::HELD).await.unwrap());
    assert!(!outbox::claim_try(world.app.db.write(), &due[0], now + deliver::HELD).await.unwrap());
    let after_restart = world.another_process().await;
    assert_eq!(deliver::run_once(&after_restart).await.unwrap(), 0, "it may still be on its way");
    world.clock.advance(deliver::HELD);
    assert_eq!(deliver::run_once(&after_restart).await.unwrap(), 1);
    assert_eq!((heard(&world).len(), heard(&world)[0].times), (1, 1));
}

#[tokio::test]
async fn while_a_secret_is_changed_whoever_has_either_believes() {
    let secret = |byte: u8| {
        use base64::Engine;
        let key: Vec<u8> = (byte..byte + 32).collect();
        let text = format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(&key));
        (key, WebhookSecret::try_from(text).unwrap())
    };
    let ((old_key, old), (new_key, new)) = (secret(0), secret(100));
    let (world, student) = world_with(|config| config.webhook[0].secrets = vec![new, old]).await;
    paid(&world, &student).await;
    let event_no = only_event(&world.app).await;
    for (key, believed) in [(&old_key, true), (&new_key, true), (&vec![9; 32], false)] {
        world.sandbox.campus().secrets = vec![key.clone()];
        desk::resend(&world.app, &event_no, Some("campus")).await.unwrap();
        deliver(&world).await;
        let status = world.sandbox.campus().arrivals().last().unwrap().status;
        assert_eq!(status, if believed { 204 } else { 401 });
    }
    assert_eq!((heard(&world)[0].times, heard(&world)[0].signatures), (2, 2));
}

#[tokio::test]
async fn an_endpoint_hears_only_the_kinds_it_wants_and_can_be_sent_what_it_missed() {
    let (world, student) = world_with(|config| {
        let refunds = Webhook { name: "refunds".to_owned(), kinds: vec![EventKind::RefundDone], ..campus(config) };
        config.webhook.push(refunds);
    })
    .await;
    paid(&world, &student).await;
    assert_eq!(deliver(&world).await, 1);
    let event_no = only_event(&world.app).await;
    assert!(desk::resend(&world.app, &event_no, Some("nobody")).await.is_err());
    assert!(desk::resend(&world.app, "evt_unknown", None).await.is_err());
    assert_eq!(desk::resend(&world.app, &event_no, Some("refunds")).await.unwrap(), ["refunds"]);
    assert_eq!(deliver(&world).await, 1);
    assert_eq!(heard(&world)[0].times, 2);
}

#[tokio::test]
async fn a_school_without_campus_systems_keeps_no_events() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    paid(&world, &student).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM event").await, 0);
    assert_eq!(deliver(&world).await, 0);
}

#[tokio::test]
async fn nothing_personal_and_no_address_stands_in_what_is_sent_or_logged() {
    let (lines, _guard) = listen();
    let (world, student) = world_with(|config| {
        let url = format!("{}?key=s3cret", config.webhook[0].url.as_str());
        config.webhook[0].url = EndpointUrl::try_from(url).unwrap();
    })
    .await;
    let order = paid(&world, &student).await;
    world.sandbox.set_campus_mishap(Some(Mishap::Answer(400)), Some(1));
    deliver(&world).await;
    world.clock.advance(Duration::from_secs(6));
    deliver(&world).await;
    refund::request(&world.app, &order, &[(student.tuition, Fen::new(1))], "张三退费").await.unwrap();
    world.pass(Duration::from_secs(90)).await;
    let told = heard(&world);
    assert_eq!(told.len(), 2);
    let bodies: String = told.iter().map(|one| one.body.as_str()).collect();
    let log = lines.text();
    assert!(log.contains("event delivered") && log.contains("event not taken"), "{log}");
    let personal =
        [student.name.as_str(), student.id_number.reveal(), student.id_number.tail(6), "17800005287", "张三"];
    for secret in personal {
        assert!(!bodies.contains(secret) && !log.contains(secret), "{secret}");
    }
    for secret in [student.number.as_str(), "s3cret", "whsec_"] {
        assert!(!log.contains(secret), "{}", log.lines().find(|line| line.contains(secret)).unwrap());
    }
    assert!(bodies.contains(&student.number));
}
