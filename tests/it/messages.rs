//! 消息: mail and text messages go out once, are tried again and given up; 忘记密码 by link and by code; 登录提醒.
use std::sync::Arc;
use std::time::Duration;

use jiaofei::cli::demo::demo_messages;
use jiaofei::config::Config;
use jiaofei::domain::message::Way;
use jiaofei::domain::payer::Phone as Number;
use jiaofei::domain::profile::Email;
use jiaofei::flow::post;
use jiaofei::sandbox::postbox::shelf::Arrived;
use jiaofei::store::profiles::{self, Profile};

use crate::world::app::{TestApp, port};
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

const GOOD: &str = "Kaleidos7!";
const BETTER: &str = "Sturmvogel8?";
const MAILBOX: &str = "zhixia@mail.example";
const NUMBER: &str = "17800005287";

/// A school that sends mail and text messages, and a student who can be reached by both.
async fn reachable() -> (TestApp, Student) {
    reachable_with(|_| {}).await
}

/// As [`reachable`], without Redis: its throttles go by a clock of their own, which no story moves.
async fn reachable_by_our_clock() -> (TestApp, Student) {
    reachable_with(|config| config.redis = None).await
}

/// A school that sends mail and text messages to the sandbox's postbox.
pub async fn sending(change: impl FnOnce(&mut Config)) -> TestApp {
    let (mailbox, _) = port().await;
    let smtp = mailbox.local_addr().unwrap().port();
    let world = TestApp::start_with(|config| {
        let sandbox = config.official_account.as_ref().unwrap().api_base.clone();
        let (mail, sms) = demo_messages(&sandbox, smtp);
        (config.mail, config.sms) = (Some(mail), Some(sms));
        change(config);
    })
    .await;
    tokio::spawn(Arc::clone(&world.sandbox).serve_mail(mailbox));
    world
}

async fn reachable_with(change: impl FnOnce(&mut Config)) -> (TestApp, Student) {
    let world = sending(change).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let (tx, now) = (world.app.db.begin().await.unwrap(), world.clock.now());
    let profile = Profile { email: Email::parse(MAILBOX), ..Profile::default() };
    profiles::save(&tx, &world.app.sealer, student.id, &profile, now).await.unwrap();
    let number = Number::parse(NUMBER).unwrap();
    profiles::set_phone(&tx, &world.app.sealer, student.id, &number, now).await.unwrap();
    tx.commit().await.unwrap();
    (world, student)
}

async fn sign_in(phone: &Phone, student: &Student, password: &str) -> Page {
    let form = phone.get("/h5/login").await.form("/h5/login");
    phone.submit(&form.set("username", &student.number).set("password", password)).await
}

/// The first step of 忘记密码.
async fn ask(phone: &Phone, username: &str, way: &str) -> Page {
    let form = phone.get("/h5/forgot").await.form("/h5/forgot");
    phone.submit(&form.set("username", username).set("way", way)).await
}

fn letters(world: &TestApp, to: &str) -> Vec<Arrived> {
    world.sandbox.postbox().of(to)
}

/// The address in the last mail.
fn link(world: &TestApp) -> String {
    let mail = letters(world, MAILBOX).pop().unwrap();
    mail.text.lines().find(|line| line.starts_with("http")).unwrap().to_owned()
}

/// The code in the last text message.
fn code(world: &TestApp) -> String {
    let text = letters(world, NUMBER).pop().unwrap().text;
    text.split("验证码 ").nth(1).unwrap()[..6].to_owned()
}

/// Any other code.
fn other(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

#[tokio::test]
async fn the_link_of_a_mail_sets_a_new_password_once() {
    let (world, student) = reachable().await;
    let phone = world.phone(Device::Mobile);
    sign_in(&phone, &student, student.password()).await;
    let stranger = world.phone(Device::Desktop);
    let told = ask(&stranger, &student.number, "mail").await;
    assert!(told.status == 200 && told.has("请查收邮件"), "{}", told.text());
    assert!(!told.body().contains("mail.example"), "the address is nobody's business");
    assert_eq!(post::run_once(&world.app).await.unwrap(), 1);
    let mail = letters(&world, MAILBOX).pop().unwrap();
    assert!(mail.subject.contains("重设缴费系统密码") && mail.subject.contains("new password"), "{}", mail.subject);
    assert!(mail.text.contains("30 分钟") && mail.text.contains("30 minutes"), "{}", mail.text);

    let link = link(&world);
    assert!(link.starts_with(&world.url), "{link}");
    let token = link.split("t=").nth(1).unwrap();
    assert_eq!(world.count(&format!("SELECT COUNT(*) FROM reset_link WHERE token_hash LIKE '%{token}%'")).await, 0);
    assert_eq!(world.count("SELECT COUNT(*) FROM message WHERE letter_sealed IS NOT NULL").await, 0, "wiped");
    let reader = world.phone(Device::Wechat);
    for _ in 0..2 {
        let page = reader.get(&link).await;
        assert!(page.status == 200 && page.has("新密码"), "opening it uses nothing up: {}", page.text());
        assert!(!page.has("林") && !page.has(&student.number), "and shows nobody: {}", page.text());
    }
    let form = reader.get(&link).await.form("/h5/forgot/link");
    let weak = reader.submit(&form.clone().set("new", "short").set("again", "short")).await;
    assert!(weak.status == 422 && weak.has("密码至少 9 位"), "{}", weak.text());
    let done = reader.submit(&form.clone().set("new", GOOD).set("again", GOOD)).await;
    assert!(done.has("密码已重设"), "{}", done.text());
    let twice = reader.submit(&form.set("new", BETTER).set("again", BETTER)).await;
    assert!(twice.has("链接已失效"), "{}", twice.text());
    assert!(reader.get(&link).await.has("链接已失效"));
    assert!(phone.get("/h5").await.location().starts_with("/h5/login?"), "every device is signed out");
    assert_eq!(sign_in(&reader, &student, GOOD).await.location(), "/h5");
}

#[tokio::test]
async fn a_link_ends_after_half_an_hour_and_with_any_other_change_of_the_password() {
    let (world, student) = reachable_by_our_clock().await;
    let stranger = world.phone(Device::Desktop);
    ask(&stranger, &student.number, "mail").await;
    post::run_once(&world.app).await.unwrap();
    let first = link(&world);
    world.clock.advance(Duration::from_secs(30 * 60 + 1));
    assert!(stranger.get(&first).await.has("链接已失效"));
    ask(&stranger, &student.number, "mail").await;
    world.clock.advance(Duration::from_secs(61));
    ask(&stranger, &student.number, "mail").await;
    while post::run_once(&world.app).await.unwrap() > 0 {}
    let [second, third] = [1, 2].map(|at| {
        let mail = letters(&world, MAILBOX)[at].clone();
        mail.text.lines().find(|line| line.starts_with("http")).unwrap().to_owned()
    });
    let form = stranger.get(&second).await.form("/h5/forgot/link");
    assert!(stranger.submit(&form.set("new", GOOD).set("again", GOOD)).await.has("密码已重设"));
    assert!(stranger.get(&third).await.has("链接已失效"), "one change ends every link");
}

#[tokio::test]
async fn the_code_of_a_text_message_sets_a_new_password_in_the_browser_that_asked() {
    let (world, student) = reachable().await;
    let phone = world.phone(Device::Mobile);
    let asked = ask(&phone, &student.number, "sms").await;
    assert!(asked.status == 200 && asked.has("短信验证码"), "{}", asked.text());
    assert!(!asked.body().contains("5287"), "the number is nobody's business");
    post::run_once(&world.app).await.unwrap();
    let sms = letters(&world, NUMBER).pop().unwrap();
    assert!(sms.text.contains("启明大学") && sms.text.contains("tell nobody"), "{}", sms.text);
    let code = code(&world);
    let form = asked.form("/h5/forgot/code").set("new", GOOD).set("again", GOOD);
    let wrong = phone.submit(&form.clone().set("code", &other(&code))).await;
    assert!(wrong.status == 422 && wrong.has("验证码有误或已过期"), "{}", wrong.text());
    let elsewhere = world.phone(Device::Mobile);
    let stolen = elsewhere.get("/h5/forgot").await.form("/h5/forgot").without("username");
    let mut stolen = stolen.set("ticket", form.field("ticket").unwrap()).set("code", &code);
    stolen.action = "/h5/forgot/code".to_owned();
    let stolen = elsewhere.submit(&stolen.set("new", GOOD).set("again", GOOD)).await;
    assert!(stolen.has("从第一步重新开始"), "a code belongs to its browser: {}", stolen.text());
    let done = phone.submit(&form.clone().set("code", &code)).await;
    assert!(done.has("密码已重设"), "{}", done.text());
    assert!(phone.submit(&form.set("code", &code)).await.has("从第一步重新开始"), "it works once");
    assert_eq!(sign_in(&phone, &student, GOOD).await.location(), "/h5");
}

#[tokio::test]
async fn a_code_ends_after_five_minutes_and_five_tries_and_another_may_be_asked_for_after_a_minute() {
    let (world, student) = reachable_by_our_clock().await;
    let phone = world.phone(Device::Mobile);
    let asked = ask(&phone, &student.number, "sms").await;
    post::run_once(&world.app).await.unwrap();
    let first = code(&world);
    let again = asked.forms().into_iter().filter(|form| form.action == "/h5/forgot/code").nth(1).unwrap();
    let again = again.set("once_more", "1");
    let soon = phone.submit(&again).await;
    assert!(soon.status == 422 && soon.has("发送太频繁"), "{}", soon.text());
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(phone.submit(&again).await.status, 200);
    post::run_once(&world.app).await.unwrap();
    let second = code(&world);
    let form = asked.form("/h5/forgot/code").set("new", GOOD).set("again", GOOD);
    if first != second {
        assert!(phone.submit(&form.clone().set("code", &first)).await.has("有误"), "the one before is over");
    }
    world.clock.advance(Duration::from_secs(5 * 60 + 1));
    assert!(phone.submit(&form.clone().set("code", &second)).await.has("验证码有误或已过期"));
    for _ in 0..5 {
        phone.submit(&form.clone().set("code", &other(&second))).await;
    }
    let captcha = phone.submit(&form.set("code", &second)).await;
    assert!(captcha.status == 422 && captcha.has("验证码错误"), "guessing meets the check: {}", captcha.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM payer WHERE password_hash IS NOT NULL").await, 0);
}

#[tokio::test]
async fn nobody_learns_whether_an_account_exists_or_can_be_reached() {
    let (world, student) = reachable().await;
    let silent = world.school.student(&world.app, 2, "周以宁").await;
    take_number_away(&world, &silent).await;
    for way in ["mail", "sms"] {
        let mut pages = Vec::new();
        for username in [student.number.as_str(), silent.number.as_str(), "20990101"] {
            let phone = world.phone(Device::Mobile);
            let page = ask(&phone, username, way).await;
            let again = ask(&phone, username, way).await;
            assert!(again.status == 422 && again.has("发送太频繁"), "{username}: {}", again.text());
            pages.push((page.status, page.text()));
        }
        assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
    }
    while post::run_once(&world.app).await.unwrap() > 0 {}
    assert_eq!(world.sandbox.postbox().all().len(), 2, "only the one who can be reached heard of it");
    assert_eq!(world.count("SELECT COUNT(*) FROM message WHERE state = 'nobody'").await, 4);
    assert_eq!(world.count("SELECT COUNT(*) FROM message WHERE state = 'sent'").await, 2);
    assert_eq!(world.count("SELECT COUNT(*) FROM reset_link").await, 1);
}

/// Takes away whatever number the school's import has given.
async fn take_number_away(world: &TestApp, student: &Student) {
    let sql = format!("UPDATE payer SET phone_sealed = NULL WHERE id = {}", student.id);
    sea_orm::ConnectionTrait::execute_unprepared(world.app.db.write(), &sql).await.unwrap();
}

#[tokio::test]
async fn a_school_without_mail_and_text_messages_offers_neither() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Mobile);
    let page = phone.get("/h5/forgot").await;
    assert!(!page.has("发送邮件") && !page.has("发送验证码"), "{}", page.text());
    for way in ["mail", "sms"] {
        assert_eq!(ask(&phone, &student.number, way).await.status, 422);
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM message").await, 0);
}

#[tokio::test]
async fn what_is_not_taken_goes_again_with_growing_pauses_and_is_given_up_when_it_is_of_no_use() {
    let (world, student) = reachable().await;
    let phone = world.phone(Device::Mobile);
    world.sandbox.postbox().refuse(Way::Mail, 451, 2);
    world.sandbox.postbox().refuse(Way::Sms, 503, 99);
    ask(&phone, &student.number, "mail").await;
    ask(&phone, &student.number, "sms").await;
    assert_eq!(post::run_once(&world.app).await.unwrap(), 2);
    assert_eq!(post::run_once(&world.app).await.unwrap(), 0, "not before the pause is over");
    for _ in 0..31 {
        world.clock.advance(Duration::from_secs(10));
        post::run_once(&world.app).await.unwrap();
    }
    assert_eq!(letters(&world, MAILBOX).len(), 1, "mail came through on the third try");
    let tries = "SELECT COUNT(*) FROM message WHERE kind = 'reset_link' AND state = 'sent' AND tries = 3";
    assert_eq!(world.count(tries).await, 1);
    assert!(letters(&world, NUMBER).is_empty());
    let given_up = "SELECT COUNT(*) FROM message WHERE kind = 'reset_code' AND state = 'failed' AND tries = 5 \
        AND letter_sealed IS NULL";
    assert_eq!(world.count(given_up).await, 1, "a code of no use is not sent any more");
}

#[tokio::test]
async fn a_message_that_is_refused_for_good_is_not_tried_again() {
    let (world, student) = reachable().await;
    let phone = world.phone(Device::Mobile);
    world.sandbox.postbox().refuse(Way::Mail, 550, 1);
    world.sandbox.postbox().refuse(Way::Sms, 400, 1);
    ask(&phone, &student.number, "mail").await;
    ask(&phone, &student.number, "sms").await;
    assert_eq!(post::run_once(&world.app).await.unwrap(), 2);
    assert_eq!(world.count("SELECT COUNT(*) FROM message WHERE state = 'failed' AND tries = 1").await, 2);
}

#[tokio::test]
async fn two_processes_send_a_message_once_and_one_that_died_is_taken_over() {
    let (world, student) = reachable().await;
    let second = world.another_process().await;
    ask(&world.phone(Device::Mobile), &student.number, "mail").await;
    let runs = tokio::join!(post::run_once(&world.app), post::run_once(&second), post::run_once(&second));
    assert_eq!(runs.0.unwrap() + runs.1.unwrap() + runs.2.unwrap(), 1);
    assert_eq!(letters(&world, MAILBOX).len(), 1);
    // a process that has claimed a try and is gone
    ask(&world.phone(Device::Mobile), &student.number, "sms").await;
    let due = jiaofei::store::messages::find_due(world.app.db.read(), world.clock.now(), 9).await.unwrap();
    let until = world.clock.now() + post::HELD;
    assert!(jiaofei::store::messages::claim_try(second.db.write(), &due[0], until).await.unwrap());
    assert_eq!(post::run_once(&world.app).await.unwrap(), 0, "it is held");
    world.clock.advance(post::HELD);
    assert_eq!(post::run_once(&world.app).await.unwrap(), 1);
    assert_eq!(letters(&world, NUMBER).len(), 1);
}

#[tokio::test]
async fn a_sign_in_with_a_new_browser_is_told_by_mail_and_the_first_and_the_known_are_not() {
    let (world, student) = reachable().await;
    let first = world.phone(Device::Wechat);
    for _ in 0..2 {
        sign_in(&first, &student, student.password()).await;
        world.clock.advance(Duration::from_secs(3 * 3600));
    }
    post::run_once(&world.app).await.unwrap();
    assert!(letters(&world, MAILBOX).is_empty());
    sign_in(&world.phone(Device::Desktop), &student, student.password()).await;
    post::run_once(&world.app).await.unwrap();
    let mail = letters(&world, MAILBOX).pop().unwrap();
    assert!(mail.subject.contains("登录提醒") && mail.subject.contains("New sign-in"), "{}", mail.subject);
    assert!(mail.text.contains("2026-09-01 16:00:00") && mail.text.contains("127.0.0.1"), "{}", mail.text);
    assert!(!mail.text.contains("林知夏") && !mail.text.contains(&student.number), "{}", mail.text);
}

#[tokio::test]
async fn only_so_many_messages_are_sent_to_one_account_in_an_hour() {
    let (world, student) = reachable_by_our_clock().await;
    for _ in 0..5 {
        assert_eq!(ask(&world.phone(Device::Mobile), &student.number, "mail").await.status, 200);
        world.clock.advance(Duration::from_secs(61));
    }
    let page = ask(&world.phone(Device::Mobile), &student.number, "mail").await;
    assert!(page.status == 422 && page.has("发送太频繁"), "{}", page.text());
}
