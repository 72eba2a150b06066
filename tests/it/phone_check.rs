//! 手机验证 before paying: a code to a phone, good once, for five minutes, in the browser and the sign-in that asked. The
//! phone that answers is the receipt's.
use std::time::Duration;

use jiaofei::config::Config;
use jiaofei::domain::consent::{AgreementGate, PhoneCheck};
use jiaofei::flow::account::NotTaken;
use jiaofei::flow::guess::Caller;
use jiaofei::flow::phone_check::CODE;
use jiaofei::flow::phone_code::Asking;
use jiaofei::store::receipt_phones;

use crate::messages::sending;
use crate::sign_up::code;
use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

/// The one the school knows
const OWN: &str = "17800005287";
const MOBILE: &str = "13900001111";

async fn world(check: PhoneCheck, change: impl FnOnce(&mut Config)) -> (TestApp, Student, Phone) {
    let world = sending(|config| {
        config.checkout.phone_check = check;
        config.checkout.agreement = AgreementGate::None;
        config.redis = None;
        change(config);
    })
    .await;
    world.with_a_student().await
}

/// What comes after the choice of all that is owed.
async fn choose(phone: &Phone) -> Page {
    let chosen = phone.submit(&phone.get("/h5/tuition").await.form("/h5/checkout")).await;
    phone.settle(chosen).await
}

/// Asks for a code to be sent; gives what came of it.
async fn ask(phone: &Phone, page: &Page, mobile: &str) -> Page {
    let sent = phone.submit(&page.form("/h5/phone").set("phone", mobile)).await;
    phone.settle(sent).await
}

/// From the page that asks for a phone to 确认缴费.
async fn prove(world: &TestApp, phone: &Phone, page: &Page, (typed, mobile): (&str, &str)) -> Page {
    let asked = ask(phone, page, typed).await;
    let typed = asked.form("/h5/phone/code").set("code", &code(world, mobile).await);
    let done = phone.submit(&typed).await;
    assert!(done.location().starts_with("/h5/confirm?"), "{} {}", done.status, done.text());
    phone.get(done.location()).await
}

#[tokio::test]
async fn a_code_to_a_phone_comes_before_the_order_and_the_phone_becomes_the_receipts() {
    let (world, student, phone) = world(PhoneCheck::Always, |_| {}).await;
    let page = choose(&phone).await;
    assert!(page.path.starts_with("/h5/phone?") && page.has("手机验证"), "{} {}", page.path, page.text());
    assert_eq!(page.form("/h5/phone").field("phone"), Some("178****5287"), "the school's, masked");
    assert!(page.has("支付流程说明") && !page.body().contains(OWN), "{}", page.text());
    let asked = ask(&phone, &page, MOBILE).await;
    assert!(asked.has("139****1111") && !asked.body().contains(MOBILE), "{}", asked.text());
    let typed = asked.form("/h5/phone/code").set("code", &code(&world, MOBILE).await);
    let done = phone.submit(&typed).await;
    assert_eq!(phone.submit(&typed).await.location(), done.location(), "a second tap goes on");
    let confirming = phone.get(done.location()).await;
    assert!(confirming.has("139****1111") && confirming.has("已验证"), "{}", confirming.text());

    let ordered = phone.submit(&confirming.form("/h5/checkout")).await;
    assert!(ordered.location().starts_with("/h5/cashier/"), "{} {}", ordered.status, ordered.text());
    assert_eq!(phone.submit(&confirming.form("/h5/checkout")).await.location(), ordered.location());
    let order = world.open_one(student.id, &[student.insurance]).await;
    let kept = receipt_phones::find(world.app.db.read(), &world.app.sealer, order.id).await.unwrap().unwrap();
    assert_eq!(kept.reveal(), MOBILE);
    assert_eq!(world.count("SELECT COUNT(*) FROM order_phone").await, 2, "one for each payee's order");
    assert_eq!(world.count(&format!("SELECT COUNT(*) FROM order_phone WHERE phone_sealed LIKE '%{MOBILE}%'")).await, 0);
    assert!(phone.get("/h5/me").await.has("178****5287"), "the account's own stays");
}

#[tokio::test]
async fn nothing_is_ordered_without_it_and_the_masked_number_stands_for_the_one_on_file() {
    let (world, _, phone) = world(PhoneCheck::Once, |_| {}).await;
    let page = choose(&phone).await;
    let confirming = prove(&world, &phone, &page, ("178****5287", OWN)).await;
    assert!(confirming.has("178****5287"), "{}", confirming.text());
    assert!(!world.sandbox.postbox().of(OWN).is_empty(), "it went to the phone on file");

    let elsewhere = world.phone(Device::Mobile);
    let student = world.school.student(&world.app, 2, "周以宁").await;
    elsewhere.sign_in(&student).await;
    let asked = choose(&elsewhere).await;
    let csrf = asked.form("/h5/phone").field("csrf").unwrap().to_owned();
    let fee = student.insurance.to_string();
    let fields =
        [("csrf", csrf.as_str()), ("checkout_id", "0123456789abcdefghijkl"), ("confirmed", "1"), ("fee", &fee)];
    let forced = elsewhere.post("/h5/checkout", &fields).await;
    assert!(forced.location().starts_with("/h5/phone?"), "{}", forced.text());
    assert!(elsewhere.get(&confirming.path).await.location().starts_with("/h5/phone?"), "by its address neither");
    assert_eq!(world.count("SELECT COUNT(*) FROM payment_order").await, 0);
    for odd in ["", "//evil.example", "/h5/confirm", "/h5/confirm?checkout_id=x", "/h5/tuition"] {
        assert_eq!(elsewhere.get(&format!("/h5/phone?back={odd}")).await.location(), "/h5/tuition", "{odd}");
    }
}

#[tokio::test]
async fn once_is_once_in_a_sign_in_and_always_is_for_each_choice() {
    for (check, asked_again) in [(PhoneCheck::Once, "/h5/confirm?"), (PhoneCheck::Always, "/h5/phone?")] {
        let (world, student, phone) = world(check, |_| {}).await;
        let page = choose(&phone).await;
        let first = prove(&world, &phone, &page, (MOBILE, MOBILE)).await;
        let other = first.links().into_iter().find(|link| link.starts_with("/h5/phone?")).unwrap();
        assert!(phone.get(&other).await.has("获取验证码"), "another phone may be given");
        assert!(phone.get(&first.path).await.has("139****1111"), "and the first one holds until then");
        let again = choose(&phone).await;
        assert!(again.path.starts_with(asked_again), "{check:?}: {}", again.path);
        let fresh = world.phone(Device::Mobile);
        fresh.sign_in(&student).await;
        assert!(choose(&fresh).await.path.starts_with("/h5/phone?"), "{check:?}: another sign-in is asked");
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_five_minutes_and_for_nobody_else() {
    let (world, student, phone) = world(PhoneCheck::Always, |_| {}).await;
    let page = choose(&phone).await;
    let asked = ask(&phone, &page, MOBILE).await;
    let right = code(&world, MOBILE).await;
    let form = asked.form("/h5/phone/code").set("code", &right);
    let thief = world.phone(Device::Mobile);
    thief.sign_in(&student).await;
    let stolen = choose(&thief).await.form("/h5/phone");
    let theirs = form.clone().set("csrf", stolen.field("csrf").unwrap());
    assert!(thief.submit(&theirs).await.has("操作超时"), "another sign-in of the same person has its own code");

    assert_eq!(phone.submit(&form).await.status, 303);
    let second = choose(&phone).await;
    let reused = form.clone().set("back", second.form("/h5/phone").field("back").unwrap());
    let refused = phone.submit(&reused).await;
    assert!(refused.status == 422 && refused.has("操作超时"), "used up: {}", refused.text());

    world.clock.advance(Duration::from_secs(61));
    let asked = ask(&phone, &second, MOBILE).await;
    let late = asked.form("/h5/phone/code").set("code", &code(&world, MOBILE).await);
    world.clock.advance(Duration::from_secs(5 * 60 + 1));
    assert!(phone.submit(&late).await.has("验证码有误或已过期"));
}

#[tokio::test]
async fn wrong_codes_are_counted_and_another_one_can_be_asked_for_after_a_minute() {
    let (world, _, phone) = world(PhoneCheck::Always, |_| {}).await;
    let page = choose(&phone).await;
    let asked = ask(&phone, &page, MOBILE).await;
    let first = code(&world, MOBILE).await;
    let again = asked.form("/h5/phone/code").set("once_more", "1");
    let early = phone.submit(&again).await;
    assert!(early.status == 422 && early.has("发送太频繁"), "{}", early.text());
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(phone.submit(&again).await.status, 303);
    let right = code(&world, MOBILE).await;
    let form = asked.form("/h5/phone/code");
    if first != right {
        assert!(phone.submit(&form.clone().set("code", &first)).await.has("验证码有误"), "the first one is over");
    }
    let empty = phone.submit(&form.clone().set("code", " ")).await;
    assert!(empty.status == 422 && empty.has("请填写这一项"), "{}", empty.text());
    let wrong = if right == "000000" { "111111" } else { "000000" };
    for _ in 0..4 {
        assert_ne!(phone.submit(&form.clone().set("code", wrong)).await.status, 303);
    }
    let locked = phone.submit(&form.clone().set("code", &right)).await;
    assert_ne!(locked.status, 303, "not looked at any more without the security check, or at all: {}", locked.text());
}

#[tokio::test]
async fn one_phone_and_one_payer_are_sent_so_many_codes_and_no_more() {
    let (world, _, phone) = world(PhoneCheck::Always, |_| {}).await;
    let page = choose(&phone).await;
    for bad in ["", "1390000", "12345678901234"] {
        assert_eq!(ask(&phone, &page, bad).await.status, 422, "{bad}");
    }
    let mut sent = 0;
    for at in 0..12 {
        world.clock.advance(Duration::from_secs(4 * 60));
        let page = phone.get(&page.path).await;
        let answer = ask(&phone, &page, &format!("139000011{at:02}")).await;
        sent += i32::from(answer.path.starts_with("/h5/phone/code"));
    }
    assert_eq!(sent, 10, "whoever changes the number is counted as well");
    assert_eq!(world.count("SELECT COUNT(*) FROM message WHERE kind = 'pay_code'").await, 10);

    let other = world.phone(Device::Mobile);
    other.sign_in(&world.school.student(&world.app, 2, "周以宁").await).await;
    let page = choose(&other).await;
    let mut sent = 0;
    for _ in 0..7 {
        world.clock.advance(Duration::from_secs(4 * 60));
        let page = other.get(&page.path).await;
        sent += i32::from(ask(&other, &page, MOBILE).await.path.starts_with("/h5/phone/code"));
    }
    assert_eq!(sent, 5, "one phone gets five in an hour");
}

#[tokio::test]
async fn processes_that_share_redis_count_together_and_without_it_each_one_counts_for_itself() {
    let world = sending(|config| config.checkout.phone_check = PhoneCheck::Always).await;
    let (other, shared) = (world.another_process().await, world.app.config.redis.is_some());
    let caller = Caller { address: "203.0.113.7".parse().unwrap(), visitor: "one browser", captcha: None };
    let asking = Asking { back: "", payer: None, caller };
    let ticket = CODE.send(&world.app, MOBILE, asking).await.unwrap().unwrap();
    let second = CODE.send(&other, MOBILE, asking).await.unwrap();
    assert_eq!(matches!(second, Err(NotTaken::Wait { .. })), shared, "{second:?}");
    assert_eq!(CODE.waiting(&other, &ticket, "one browser").await.is_some(), shared);
    assert!(CODE.waiting(&world.app, &ticket, "another browser").await.is_none());
}

#[tokio::test]
async fn who_signed_in_by_document_proves_a_phone_and_says_nothing_about_receipts() {
    let (world, student, _) = world(PhoneCheck::Always, |_| {}).await;
    let phone = world.phone(Device::Mobile);
    phone.sign_in_by_id(&student).await;
    let page = choose(&phone).await;
    assert_eq!(page.form("/h5/phone").field("phone"), Some(""), "the account's phone is not told");
    assert!(!page.has("电子票据会发到这个号码"), "{}", page.text());
    let confirming = prove(&world, &phone, &page, (MOBILE, MOBILE)).await;
    assert!(!confirming.has("票据接收手机"), "{}", confirming.text());
    let ordered = phone.submit(&confirming.form("/h5/checkout")).await;
    assert!(ordered.location().starts_with("/h5/cashier/"), "{}", ordered.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM order_phone").await, 0);
}
