//! 确认缴费: what is read before it is ordered, what is agreed to, and where the receipt goes.
use std::time::Duration;

use jiaofei::config::Config;
use jiaofei::domain::charge::Cause;
use jiaofei::domain::consent::{AgreementGate, ReceiptPhone};
use jiaofei::domain::money::Fen;
use jiaofei::store::chain::NewEntry;
use jiaofei::store::{agreements, books};
use sea_orm::ConnectionTrait;

use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

async fn world(change: impl FnOnce(&mut Config)) -> (TestApp, Student, Phone) {
    let world = TestApp::start_with(|config| {
        config.checkout.confirm = true;
        config.checkout.agreement = AgreementGate::Checkbox;
        change(config);
    })
    .await;
    world.with_a_student().await
}

/// 确认缴费 of all that is owed.
async fn confirming(phone: &Phone) -> Page {
    let chosen = phone.submit(&phone.get("/h5/tuition").await.form("/h5/checkout")).await;
    assert!(chosen.location().starts_with("/h5/confirm?"), "{}", chosen.location());
    phone.get(chosen.location()).await
}

pub fn agree(page: &Page) -> crate::world::page::Form {
    let version = page.body().split("name=\"agree\" value=\"").nth(1).unwrap()[..16].to_owned();
    page.form("/h5/checkout").without("agree").set("agree", &version)
}

async fn forget_phones(world: &TestApp) {
    world.app.db.write().execute_unprepared("UPDATE payer SET phone_sealed = NULL").await.unwrap();
}

async fn orders_of(world: &TestApp) -> i64 {
    world.count("SELECT COUNT(*) FROM payment_order").await
}

#[tokio::test]
async fn what_is_chosen_is_shown_with_its_payees_and_ordered_only_when_it_is_confirmed() {
    let (world, _, phone) = world(|_| {}).await;
    let page = confirming(&phone).await;
    for words in ["林知夏", "启明大学财务处", "启明大学后勤集团", "9,350.00", "手续费 0.00", "总金额", "178****5287"]
    {
        assert!(page.has(words), "{words} is not in: {}", page.text());
    }
    assert!(page.has("请确认个人信息无误后再进行缴费，避免误交费") && page.has("将依次分 2 笔支付"), "{}", page.text());
    assert!(page.has("手机号码是学生接受缴费电子票的唯一依据，建议保持相对固定"));
    assert_eq!(orders_of(&world).await, 0, "nothing is ordered by looking");

    let done = phone.submit(&agree(&page)).await;
    assert!(done.location().starts_with("/h5/cashier/"), "{}", done.location());
    assert_eq!(phone.submit(&agree(&page)).await.location(), done.location(), "sent twice is the same");
    assert_eq!(orders_of(&world).await, 2);
    let english = phone.get(&format!("{}&lang=en", page.path)).await;
    assert!(english.status == 200 && english.has("Confirm") && english.has("Commission Fee"), "{}", english.text());
}

#[tokio::test]
async fn the_agreement_can_be_read_and_which_text_was_agreed_to_is_kept_with_the_order() {
    let (world, student, phone) = world(|_| {}).await;
    let page = confirming(&phone).await;
    let read = page.links().into_iter().find(|link| link.starts_with("/h5/agreement?")).unwrap();
    let agreement = phone.get(&read).await;
    assert!(agreement.has("缴费协议") && agreement.links().contains(&page.path), "it leads back to what was chosen");
    assert!(world.phone(Device::Mobile).get("/h5/agreement?lang=en").await.has("Payment agreement"), "open to all");
    let odd = phone.get("/h5/agreement?back=//evil.example").await;
    assert!(!odd.links().iter().any(|link| link.contains("evil")), "{:?}", odd.links());

    for form in [page.form("/h5/checkout").without("agree"), agree(&page).set("agree", "0123456789abcdef")] {
        let refused = phone.submit(&form).await;
        assert!(refused.status == 422 && refused.has("请先阅读并勾选同意"), "{}", refused.text());
        let english = phone.submit(&refused.form("/h5/settings").set("lang", "en")).await;
        assert_eq!(english.status, 303);
        assert!(phone.submit(&form).await.has("Read it and tick the box first"));
        phone.submit(&phone.get("/h5").await.form("/h5/settings").set("lang", "zh-CN")).await;
    }
    assert_eq!(orders_of(&world).await, 0);
    phone.submit(&agree(&page)).await;
    let order = world.open_one(student.id, &[student.insurance]).await;
    let (version, at) = agreements::find(world.app.db.read(), order.id).await.unwrap().unwrap();
    assert!(agreement.has(&version) && at == world.clock.now());
    assert_eq!(world.count("SELECT COUNT(*) FROM order_agreement").await, 2, "one for each payee's order");
    assert_eq!(world.count("SELECT COUNT(*) FROM agreement").await, 1);
}

#[tokio::test]
async fn agreeing_waits_for_ten_seconds_which_the_server_counts() {
    let (world, _, phone) = world(|config| config.checkout.agreement = AgreementGate::Countdown).await;
    let page = confirming(&phone).await;
    assert!(page.body().contains("data-wait=\"10\"") && page.has("一、") && page.has("同意"), "{}", page.text());
    assert!(page.links().contains(&"/h5/tuition".to_owned()), "取消");
    world.clock.advance(Duration::from_secs(3));
    let early = phone.submit(&page.form("/h5/checkout")).await;
    assert!(early.status == 422 && early.has("7 秒后可以同意"), "{}", early.text());
    world.clock.advance(Duration::from_secs(6));
    assert!(phone.submit(&early.form("/h5/checkout")).await.has("1 秒后可以同意"), "the first page's time counts");
    // a time of one's own making, or none
    for stamp in ["", "1.AAAA", "1788000000000"] {
        let forged = phone.submit(&page.form("/h5/checkout").set("stamp", stamp)).await;
        assert!(forged.status == 422 && forged.has("10 秒后可以同意"), "{stamp}: {}", forged.text());
    }
    assert_eq!(orders_of(&world).await, 0);
    world.clock.advance(Duration::from_secs(1));
    let done = phone.submit(&early.form("/h5/checkout")).await;
    assert!(done.location().starts_with("/h5/cashier/"), "{}", done.location());
}

#[tokio::test]
async fn arrears_that_change_meanwhile_are_shown_with_both_amounts_and_asked_about_again() {
    let (world, student, phone) = world(|_| {}).await;
    let page = confirming(&phone).await;
    for (charge, fen) in [(student.tuition, 3), (student.insurance, 25_000)] {
        let tx = world.app.db.begin().await.unwrap();
        let entry = NewEntry { cause: Cause::Paid, cause_no: "counter", amount: Fen::new(fen), at: world.clock.now() };
        books::lock_and_enter(&tx, &world.app.chain, charge, entry).await.unwrap();
        tx.commit().await.unwrap();
    }
    let again = phone.submit(&agree(&page)).await;
    assert!(again.status == 422 && again.has("8,000.00") && again.has("7,999.97"), "{}", again.text());
    assert!(again.has("已没有欠费") && again.has("9,099.97"), "{}", again.text());
    assert_eq!(orders_of(&world).await, 0);
    let cashier = phone.open(phone.submit(&agree(&again)).await.location()).await;
    assert!(cashier.has("9,099.97"), "{}", cashier.text());
}

#[tokio::test]
async fn the_phone_is_changed_on_its_own_page_which_leads_back_to_what_was_chosen() {
    let (_world, student, phone) = world(|_| {}).await;
    let page = confirming(&phone).await;
    let change = page.links().into_iter().find(|link| link.starts_with("/h5/me/profile?back=")).unwrap();
    let form = phone.get(&change).await.form("/h5/me/profile");
    let wrong = phone.submit(&form.clone().set("phone", "123").set("password", student.password())).await;
    let form = wrong.form("/h5/me/profile").set("phone", "13900001234").set("password", student.password());
    let back = phone.submit(&form).await;
    assert_eq!(back.location(), page.path, "kept over a mistake");
    assert!(phone.get(back.location()).await.has("139****1234"));
    let away = phone.get("/h5/me/profile?back=https%3A%2F%2Fevil.example%2F").await;
    assert_eq!(away.form("/h5/me/profile").field("back"), Some(""));
}

#[tokio::test]
async fn who_has_no_phone_is_asked_once_and_the_password_shows_who_asks() {
    let (world, student, phone) = world(|_| {}).await;
    forget_phones(&world).await;
    let page = confirming(&phone).await;
    for (typed, password, why) in [
        ("", "", "手机"),
        ("12345", student.password(), "手机"),
        ("13900001234", "", "密码"),
        ("13900001234", "wrong", "密码"),
    ] {
        let refused = phone.submit(&agree(&page).set("phone", typed).set("password", password)).await;
        assert!(refused.status == 422 && refused.has(why), "{typed}: {} {}", refused.status, refused.text());
        assert_eq!(refused.form("/h5/checkout").field("phone"), Some(typed), "what was typed is kept");
        assert_eq!(refused.form("/h5/checkout").field("password"), Some(""), "but the password is not");
    }
    assert_eq!(orders_of(&world).await, 0);
    let good = agree(&page).set("phone", "13900001234").set("password", student.password());
    assert!(phone.submit(&good).await.location().starts_with("/h5/cashier/"));
    assert!(phone.get("/h5/me").await.has("139****1234"));
}

#[tokio::test]
async fn a_school_may_let_it_be_left_out_or_not_ask_and_who_signed_in_by_document_is_not_told() {
    let (optional, _, phone) = world(|config| config.checkout.receipt_phone = ReceiptPhone::Optional).await;
    forget_phones(&optional).await;
    let page = confirming(&phone).await;
    assert!(page.has("可以不填"), "{}", page.text());
    assert!(phone.submit(&agree(&page)).await.location().starts_with("/h5/cashier/"));

    let (off, student, phone) = world(|config| config.checkout.receipt_phone = ReceiptPhone::Off).await;
    assert!(!confirming(&phone).await.has("票据接收手机"));
    let limited = off.phone(Device::Mobile);
    limited.sign_in_by_id(&student).await;
    let (asks, student, _) = world(|_| {}).await;
    let limited = asks.phone(Device::Mobile);
    limited.sign_in_by_id(&student).await;
    let page = confirming(&limited).await;
    assert!(!page.has("票据接收手机") && !page.body().contains("5287"), "{}", page.text());
    assert!(limited.submit(&agree(&page)).await.location().starts_with("/h5/cashier/"));
}

#[tokio::test]
async fn an_address_made_up_or_of_somebody_else_orders_nothing() {
    let (world, student, _) = world(|_| {}).await;
    let other = world.school.student(&world.app, 2, "周以宁").await;
    let phone = world.phone(Device::Mobile);
    let path = format!("/h5/confirm?checkout_id=0123456789abcdefghijkl&fee={}", student.tuition);
    assert!(phone.get(&path).await.location().starts_with("/h5/login?"));
    phone.sign_in(&other).await;
    assert_eq!(phone.get(&path).await.status, 404);
    for odd in ["/h5/confirm", "/h5/confirm?fee=1", "/h5/confirm?checkout_id=0123456789abcdefghijkl&fee=x"] {
        assert_eq!(phone.get(odd).await.location(), "/h5/tuition", "{odd}");
    }
    let bent = format!("/h5/confirm?checkout_id=0123456789abcdefghijkl&fee={0}&amt{0}=x", other.tuition);
    assert_eq!(phone.get(&bent).await.location(), "/h5/tuition");
}
