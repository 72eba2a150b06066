//! 公众号通知: payments, refunds, due days and sign-ins told to bound WeChats, once, and to nobody else.
use std::time::Duration;

use jiaofei::domain::ids::ChargeId;
use jiaofei::domain::trade::Product;
use jiaofei::flow::official::{note, ticket};
use jiaofei::flow::{office, post};
use jiaofei::sandbox::account::followers::{Line, Who};
use jiaofei::sandbox::account::notices::DUE_SOON;
use jiaofei::sandbox::account::push::Doing;
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::store::bulk::{self, Told};

use super::binding::bind;
use super::world::app::TestApp;
use super::world::phone::Device;
use super::world::school::Student;

const WAITING: &str = "SELECT COUNT(*) FROM message WHERE state = 'waiting'";

/// A student whose WeChat `lin` is bound and follows the account.
async fn bound() -> (TestApp, Student) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    bind(&world, &student, "lin").await;
    world.sandbox.converse("lin", Doing::Follow(None)).await;
    (world, student)
}

fn notes(world: &TestApp, phone: &str) -> Vec<Line> {
    let account = world.sandbox.account();
    account.followers.lines(phone).iter().filter(|line| line.who == Who::Notice).cloned().collect()
}

/// Pays, and lets the notice arrive.
async fn pay(world: &TestApp, student: &Student, charges: &[ChargeId]) -> String {
    let order = world.open_one(student.id, charges).await;
    world.pay(&order, Product::WechatNative, "lin").await;
    world.sandbox.deliver_due().await;
    order.order_no.to_string()
}

async fn ended(world: &TestApp, state: &str) -> i64 {
    world.count(&format!("SELECT COUNT(*) FROM message WHERE state = '{state}' AND openid IS NULL")).await
}

#[tokio::test]
async fn a_payment_and_a_refund_are_told_once_with_what_they_are_about_and_nobody_s_name() {
    let (world, student) = bound().await;
    let no = pay(&world, &student, &[student.tuition, student.dormitory]).await;
    world.sandbox.deliver_due().await;
    for _ in 0..3 {
        post::run_once(&world.app).await.unwrap();
    }
    let told = notes(&world, "lin");
    assert_eq!(told.len(), 1, "{told:?}");
    for words in ["缴费成功通知", &no, "学费等2项", "¥9100.00", "2026年9月1日 10:00", "已支付"] {
        assert!(told[0].text.contains(words), "{words}: {}", told[0].text);
    }
    assert!(!told[0].text.contains("林") && !told[0].text.contains(&student.number), "{}", told[0].text);
    let to = told[0].url.clone().unwrap();
    assert_eq!(to, format!("{}/h5/wechat/enter?to=/h5/orders/{no}", world.url));
    let order = office::find_order(&world.app, &no).await.unwrap();
    office::refund(&world.app, &order, &[], "退学").await.unwrap();
    world.pass(Duration::from_secs(120)).await;
    let told = notes(&world, "lin");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].text.contains("退款到账通知") && told[1].text.contains("¥9100.00"), "{}", told[1].text);
    assert_eq!(world.count(WAITING).await, 0);
}

#[tokio::test]
async fn only_wechats_bound_with_full_rights_are_told() {
    let (world, student) = bound().await;
    let other = world.school.student(&world.app, 2, "王宇").await;
    world.sandbox.converse("wang", Doing::Follow(None)).await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in_by_id(&other).await;
    super::binding::bind_here(&phone, "wang").await;
    pay(&world, &other, &[other.insurance]).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM message").await, 0, "document number and name see no more");
    pay(&world, &student, &[student.insurance]).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM message").await, 1);
}

#[tokio::test]
async fn who_left_unbound_or_refused_is_not_told_and_the_platform_is_not_asked_in_vain() {
    let (world, student) = bound().await;
    pay(&world, &student, &[student.tuition]).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM message WHERE openid IS NOT NULL").await, 1);
    world.sandbox.converse("lin", Doing::Unfollow).await;
    assert_eq!((ended(&world, "nobody").await, world.count(WAITING).await), (1, 0), "dropped with the follower");
    bind(&world, &student, "lin").await;
    pay(&world, &student, &[student.dormitory]).await;
    office::unbind(&world.app, &student.number).await.unwrap();
    post::run_once(&world.app).await.unwrap();
    assert_eq!((ended(&world, "nobody").await, world.sandbox.account().sent.asked), (2, 0), "unbound meanwhile");
    // bound, and not a follower: the platform says 43004
    bind(&world, &student, "lin").await;
    pay(&world, &student, &[student.insurance]).await;
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(600));
        post::run_once(&world.app).await.unwrap();
    }
    assert_eq!((ended(&world, "nobody").await, world.sandbox.account().sent.asked), (3, 1), "asked once");
    assert_eq!(notes(&world, "lin"), []);
}

#[tokio::test]
async fn a_quota_or_a_lost_answer_is_tried_again_and_told_once() {
    let (world, student) = bound().await;
    world.sandbox.account().sent.refuse = Some((45009, 2));
    pay(&world, &student, &[student.tuition]).await;
    for _ in 0..10 {
        post::run_once(&world.app).await.unwrap();
        world.clock.advance(Duration::from_secs(10));
    }
    assert_eq!((notes(&world, "lin").len(), world.sandbox.account().sent.asked), (1, 3));
    let lost = Setting::once(Fault::LoseAnswer).during(Call::Account);
    world.sandbox.set_fault(lost);
    pay(&world, &student, &[student.dormitory]).await;
    for _ in 0..5 {
        post::run_once(&world.app).await.unwrap();
        world.clock.advance(Duration::from_secs(10));
    }
    let account = world.sandbox.account();
    assert_eq!((account.sent.asked, account.sent.went), (5, 2), "asked again under its id, sent once");
}

#[tokio::test]
async fn a_token_that_ended_on_the_way_is_renewed_and_the_note_goes() {
    let (world, student) = bound().await;
    pay(&world, &student, &[student.tuition]).await;
    post::run_once(&world.app).await.unwrap();
    world.sandbox.account().tokens.void();
    pay(&world, &student, &[student.dormitory]).await;
    assert_eq!(post::run_once(&world.app).await.unwrap(), 1);
    assert_eq!((notes(&world, "lin").len(), world.count(WAITING).await), (2, 0));
}

#[cfg(feature = "storm")]
#[tokio::test]
async fn a_process_that_dies_between_sending_and_marking_has_told_once() {
    use jiaofei::drill::Strike;
    let (world, student) = bound().await;
    pay(&world, &student, &[student.tuition]).await;
    let second = world.another_process().await;
    second.drill.lie_in_wait(Some(("message: answered".to_owned(), Strike::Die)));
    assert!(post::run_once(&second).await.is_err());
    assert_eq!((notes(&world, "lin").len(), world.count(WAITING).await), (1, 1));
    assert_eq!(post::run_once(&world.app).await.unwrap(), 0, "it is held");
    world.clock.advance(post::HELD);
    assert_eq!(post::run_once(&world.app).await.unwrap(), 1);
    assert_eq!((notes(&world, "lin").len(), world.count(WAITING).await), (1, 0));
    assert_eq!(world.sandbox.account().sent.asked, 2);
}

#[tokio::test]
async fn a_template_the_platform_does_not_know_is_given_up_and_counted() {
    let world = TestApp::start_with(|config| {
        let account = config.official_account.as_mut().unwrap();
        account.templates.get_mut("paid").unwrap().id = "gone".to_owned();
    })
    .await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    bind(&world, &student, "lin").await;
    world.sandbox.converse("lin", Doing::Follow(None)).await;
    pay(&world, &student, &[student.tuition]).await;
    post::run_once(&world.app).await.unwrap();
    assert_eq!(ended(&world, "failed").await, 1);
    let counted = "jiaofei_messages_total{way=\"account\",state=\"failed\"} 1";
    assert!(world.app.metrics.text().contains(counted), "{}", world.app.metrics.text());
}

#[tokio::test]
async fn a_school_without_templates_writes_no_notes() {
    let world = TestApp::start_with(|config| config.official_account.as_mut().unwrap().templates.clear()).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    bind(&world, &student, "lin").await;
    let no = pay(&world, &student, &[student.tuition]).await;
    let order = office::find_order(&world.app, &no).await.unwrap();
    office::refund(&world.app, &order, &[], "退学").await.unwrap();
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM message").await, 0);
}

async fn due(world: &TestApp, charge: ChargeId, day: i64) {
    let told = Told { due_day: Some(day), ..Told::default() };
    bulk::set_told(world.app.db.write(), charge, &told).await.unwrap();
}

#[tokio::test]
async fn what_is_due_soon_is_reminded_of_once_by_day_and_never_when_it_is_paid() {
    // Redis forgets turns by a clock no story moves; each hour has a turn of its own
    let (world, student) = bound().await;
    let other = world.school.student(&world.app, 2, "王宇").await;
    due(&world, student.tuition, 20_260_903).await;
    due(&world, student.dormitory, 20_260_903).await;
    due(&world, student.insurance, 20_260_910).await;
    due(&world, other.tuition, 20_260_903).await;
    world.sandbox.account().followers.agree("lin", DUE_SOON);
    assert_eq!(note::remind_once(&world.app).await.unwrap(), 1, "the WeChat that is bound");
    assert_eq!(note::remind_once(&world.app).await.unwrap(), 0, "once an hour");
    post::run_once(&world.app).await.unwrap();
    let told = notes(&world, "lin");
    assert!(told[0].text.contains("等2项") && told[0].text.contains("¥9100.00"), "{}", told[0].text);
    assert!(told[0].text.contains("2026年9月3日"), "{}", told[0].text);
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(note::remind_once(&world.app).await.unwrap(), 0, "once for each day");
    world.clock.advance(Duration::from_secs(12 * 3600));
    due(&world, student.insurance, 20_260_904).await;
    assert_eq!(note::remind_once(&world.app).await.unwrap(), 0, "nobody is told at eleven in the evening");
    world.clock.advance(Duration::from_secs(12 * 3600));
    assert_eq!(note::remind_once(&world.app).await.unwrap(), 1);
    pay(&world, &student, &[student.tuition, student.dormitory]).await;
    pay(&world, &student, &[student.insurance]).await;
    let asked = world.sandbox.account().sent.asked;
    while post::run_once(&world.app).await.unwrap() > 0 {}
    assert_eq!(world.sandbox.account().sent.asked, asked + 2, "two payments, no reminder of what is paid");
}

#[tokio::test]
async fn a_subscription_notice_without_an_agreement_ends_quietly() {
    let (world, student) = bound().await;
    due(&world, student.tuition, 20_260_903).await;
    assert_eq!(note::remind_once(&world.app).await.unwrap(), 1);
    post::run_once(&world.app).await.unwrap();
    assert_eq!((ended(&world, "nobody").await, notes(&world, "lin").len()), (1, 0), "43101");
}

#[tokio::test]
async fn a_sign_in_with_a_new_browser_is_told_in_wechat() {
    let (world, student) = bound().await;
    world.clock.advance(Duration::from_secs(60));
    world.phone(Device::Desktop).sign_in(&student).await;
    post::run_once(&world.app).await.unwrap();
    let told = notes(&world, "lin");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].text.contains("登录提醒") && told[0].text.contains("2026年9月1日 10:01"), "{}", told[0].text);
}

#[tokio::test]
async fn one_of_our_pages_is_signed_for_wechat_and_nobody_elses() {
    let (world, _) = bound().await;
    let phone = world.phone(Device::Wechat);
    let url = |url: &str| {
        let url: String = form_urlencoded::byte_serialize(url.as_bytes()).collect();
        format!("/h5/wechat/jssdk?url={url}")
    };
    let page = format!("{}/h5/orders?page=2", world.url);
    let answer = phone.get(&url(&format!("{page}#top"))).await;
    let told: serde_json::Value = serde_json::from_str(&answer.body()).unwrap();
    let ticket = world.sandbox.account().tickets[0].clone();
    let (nonce, at) = (told["nonceStr"].as_str().unwrap(), told["timestamp"].as_i64().unwrap());
    let text = format!("jsapi_ticket={ticket}&noncestr={nonce}&timestamp={at}&url={page}");
    assert_eq!(told["signature"], jiaofei::sandbox::account::voice::sign(&[&text]));
    assert!(!answer.body().contains(&ticket));
    for other in ["https://evil.example/", &format!("{}.evil.example/", world.url), "/h5/orders", ""] {
        assert_eq!(phone.get(&url(other)).await.status, 404, "{other}");
    }
    let asked = futures_util::future::join_all((0..16).map(|_| ticket::sign(&world.app, &page))).await;
    assert!(asked.iter().all(|signed| signed.is_ok()));
    assert_eq!(world.sandbox.account().tickets.len(), 1, "one ticket for everybody");
}
