//! 注册: people from outside open an account with a proven phone; nobody learns whom the school knows, and nobody comes
//! by what somebody else owes.
use std::time::Duration;

use jiaofei::domain::id_number::IdNumber;
use jiaofei::domain::payer::PayerKind;
use jiaofei::flow::post;

use crate::enrolling::programme_of;
use crate::messages::sending;
use crate::world::app::TestApp;
use crate::world::page::{Form, Page};
use crate::world::phone::{Device, Phone};
use crate::world::school::{self, id_number};

const GOOD: &str = "Kaleidos7!";
const MOBILE: &str = "13900001111";
/// The specimen number of GB 11643
const SPECIMEN: &str = "11010519491231002X";
const MAILBOX: &str = "he@mail.example";

async fn world() -> TestApp {
    sending(|config| config.redis = None).await
}

/// First step; gives the page that asks for the code.
async fn ask(phone: &Phone, mobile: &str, back: &str) -> Page {
    let form = phone.get(&format!("/h5/sign-up?back={back}")).await.form("/h5/sign-up");
    let sent = phone.submit(&form.set("phone", mobile)).await;
    phone.settle(sent).await
}

/// The code in the last text message to a phone.
pub async fn code(world: &TestApp, mobile: &str) -> String {
    post::run_once(&world.app).await.unwrap();
    let text = world.sandbox.postbox().of(mobile).pop().unwrap().text;
    text.split("验证码 ").nth(1).unwrap()[..6].to_owned()
}

/// The first two steps; gives the form of the third.
async fn prove(world: &TestApp, phone: &Phone, mobile: &str, back: &str) -> Form {
    let asked = ask(phone, mobile, back).await;
    let form = asked.form("/h5/sign-up/code").set("code", &code(world, mobile).await);
    let done = phone.submit(&form).await;
    phone.settle(done).await.form("/h5/sign-up/details")
}

fn fill(form: &Form, name: &str, document: &str, number: &str) -> Form {
    let form = form.clone().set("name", name).set("document", document).set("number", number);
    let form = form.set("gender", "female").set("new", GOOD).set("again", GOOD);
    form.set("question", "first_concert").set("answer", "兰州 2019")
}

async fn sign_up(world: &TestApp, phone: &Phone, mobile: &str, name: &str, number: &IdNumber) -> Page {
    let form = prove(world, phone, mobile, "").await;
    phone.submit(&fill(&form, name, "permanent_resident", number.reveal())).await
}

async fn sign_in(phone: &Phone, username: &str, password: &str) -> Page {
    let form = phone.get("/h5/login").await.form("/h5/login");
    phone.submit(&form.set("username", username).set("password", password)).await
}

/// Somebody who comes in autumn, owes 1,100.00 and has never signed in; the office knows the phone.
async fn newcomer(world: &TestApp) -> IdNumber {
    let id = id_number("99000020080521031");
    let payer = school::payer(&world.app, PayerKind::Newcomer, "26990417", "周以宁", &id).await;
    school::charge(&world.app, payer, world.school.dormitory, world.school.period, 110_000).await;
    id
}

#[tokio::test]
async fn from_a_programme_somebody_from_outside_signs_up_and_comes_back_to_enrol() {
    let world = world().await;
    let id = programme_of(&world, "OPEN,开放课,Open course,招生办,,agency,2026,200,9,,,2,,\n").await;
    let closed = programme_of(&world, "OWN,校内课,Own course,招生办,,agency,2026,200,9,,,2,学生,\n").await;
    let phone = world.phone(Device::Wechat);
    assert!(!phone.get(&format!("/h5/enrol/{closed}")).await.has("外校人员注册"));
    let wanted = format!("/h5/enrol/{id}");
    let page = phone.get(&wanted).await;
    let way = page.links().into_iter().find(|link| link.starts_with("/h5/sign-up?back=")).unwrap();
    let first = phone.get(&way).await;
    assert!(first.links().iter().any(|link| link.contains("login") && link.contains("enrol")), "{:?}", first.links());
    let form = first.form("/h5/sign-up").set("phone", MOBILE);
    let sent = phone.submit(&form).await;
    assert!(!sent.location().contains("1390") && sent.location().starts_with("/h5/sign-up/code?t="));
    let asked = phone.settle(sent).await;
    assert!(asked.has("139****1111") && !asked.body().contains(MOBILE), "{}", asked.text());
    let proof = asked.form("/h5/sign-up/code").set("code", &code(&world, MOBILE).await);
    let proven = phone.submit(&proof).await;
    let form = phone.settle(proven).await.form("/h5/sign-up/details");
    let done = phone.submit(&fill(&form, "何知远", "resident_id", "１１０１０５194912310 02x")).await;
    assert_eq!(done.location(), wanted, "back where it was wanted");
    let page = phone.settle(done).await;
    let enrolled = phone.submit(&page.form(&wanted)).await;
    assert!(phone.settle(enrolled).await.has("已报名待缴费"));

    let me = phone.get("/h5/me").await;
    assert!(me.has("1****************X") && me.has("139****1111"), "{}", me.text());
    let number = me.text().split("用户编号 ").nth(1).unwrap()[..9].to_owned();
    assert!(number.starts_with('W'), "{number}");
    for username in [SPECIMEN, "11010519491231002x", number.as_str()] {
        let elsewhere = world.phone(Device::Mobile);
        assert_eq!(sign_in(&elsewhere, username, GOOD).await.location(), "/h5", "{username}");
        assert!(elsewhere.get("/h5").await.has("200.00"));
    }
    let stored = "SELECT COUNT(*) FROM payer WHERE number LIKE '%11010519491231002X%'";
    assert_eq!(world.count(stored).await, 0, "the document number lies sealed only");
}

#[tokio::test]
async fn each_field_says_its_own_rule_in_both_languages_and_keeps_what_is_no_secret() {
    let world = world().await;
    let phone = world.phone(Device::Mobile);
    for (typed, zh, en) in [
        ("", "请填写这一项", "Fill in this field"),
        ("1390000", "手机号为 11 位数字", "11 digits"),
        ("12345678901234", "手机号为 11 位数字", "11 digits"),
    ] {
        for (lang, words) in [("zh", zh), ("en", en)] {
            let page = phone.get(&format!("/h5/sign-up?lang={lang}")).await;
            let page = phone.submit(&page.form("/h5/sign-up").set("phone", typed)).await;
            assert!(page.status == 422 && page.has(words), "{}", page.text());
            assert_eq!(page.form("/h5/sign-up").field("phone"), Some(typed));
        }
    }
    let form = prove(&world, &phone, MOBILE, "").await;
    let good = fill(&form, "何知远", "resident_id", SPECIMEN);
    let bad = [
        ("name", "何3", "请填写证件上的姓名", "Enter the name on your document"),
        ("document", "", "请选一项", "Choose one"),
        ("number", "", "请填写证件号", "Enter the number"),
        ("number", "1101051949123100", "这不是所选证件的号码", "Not a number of this document"),
        ("number", "110105194912310021", "校验位对不上", "check digit does not fit"),
        ("number", "110105194902300021", "出生日期不存在", "birth date in this number"),
        ("number", "830000199201300022", "这是台湾居民居住证的号码", "Residence permit (Taiwan)"),
        ("gender", "x", "请选一项", "Choose one"),
        ("email", "he@", "邮箱格式有误", "Not an e-mail address"),
        ("new", "Ab1!", "密码至少 9 位", "9"),
        ("again", "Kaleidos8!", "两次", "differ"),
        ("question", "", "请选", "Choose"),
        ("answer", "兰", "2 到 64", "2 to 64"),
    ];
    for (field, typed, zh, en) in bad {
        for (lang, words) in [("zh", zh), ("en", en)] {
            phone.get(&format!("/h5/sign-up/details?t={}&lang={lang}", form.field("ticket").unwrap())).await;
            let page = phone.submit(&good.clone().set(field, typed)).await;
            assert!(page.status == 422 && page.has(words), "{field} {typed} {lang}: {}", page.text());
            let kept = page.form("/h5/sign-up/details");
            assert_eq!(kept.field("name"), Some(if field == "name" { typed } else { "何知远" }));
            assert_eq!((kept.field("new"), kept.field("again"), kept.field("answer")), (Some(""), Some(""), Some("")));
        }
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM payer").await, 0);
}

#[tokio::test]
async fn a_stranger_with_somebody_elses_document_number_gets_an_empty_account_and_learns_nothing() {
    let world = world().await;
    let known = newcomer(&world).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let unknown = id_number("99000020010101777");
    let numbers = [&unknown, &known, &student.id_number];
    let names = ["何知远", "周以宁", "林知夏"];
    let mut pages = Vec::new();
    for (at, (number, name)) in numbers.into_iter().zip(names).enumerate() {
        let stranger = world.phone(Device::Mobile);
        let mobile = format!("1390000222{at}");
        let done = sign_up(&world, &stranger, &mobile, name, number).await;
        assert_eq!(done.location(), "/h5/me?done=signed-up", "{name}");
        let home = stranger.get("/h5").await;
        let tuition = stranger.get("/h5/tuition").await;
        assert!(!home.has("9,350.00") && !home.has("1,100.00") && !tuition.has("住宿费"), "{}", home.text());
        let blank = |page: &Page| page.text().replace(name, "NAME").replace(&name[..3], "N");
        let number = stranger.get("/h5/me").await.text().split("用户编号 ").nth(1).unwrap()[..9].to_owned();
        pages.push(blank(&home).chars().filter(|c| !c.is_ascii_digit()).collect::<String>());
        let again = world.phone(Device::Mobile);
        assert_eq!(sign_in(&again, &number, GOOD).await.location(), "/h5");
        world.clock.advance(Duration::from_secs(700));
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:#?}");
    // and whoever has the number keeps the own way in
    let own = world.phone(Device::Wechat);
    assert_eq!(sign_in(&own, known.reveal(), known.tail(6)).await.location(), "/h5");
    assert!(own.get("/h5").await.has("1,100.00"));
    let by_password = world.phone(Device::Wechat);
    assert_eq!(sign_in(&by_password, known.reveal(), GOOD).await.location(), "/h5");
    assert!(!by_password.get("/h5").await.has("1,100.00"), "the stranger's password opens the stranger's account");
    let student_phone = world.phone(Device::Wechat);
    student_phone.sign_in(&student).await;
    assert!(student_phone.get("/h5").await.has("9,350.00"));
}

#[tokio::test]
async fn with_the_phone_and_the_name_the_office_knows_its_account_is_taken_over() {
    let world = world().await;
    let id = newcomer(&world).await;
    let phone = world.phone(Device::Wechat);
    let done = sign_up(&world, &phone, "17800005287", "周以宁", &id).await;
    assert_eq!(done.location(), "/h5/me?done=signed-up");
    assert!(phone.get("/h5").await.has("1,100.00"), "one bill");
    assert_eq!(world.count("SELECT COUNT(*) FROM payer").await, 1);
    let before = sign_in(&world.phone(Device::Mobile), id.reveal(), id.tail(6)).await;
    assert!(before.status == 422, "the initial password is over");
    assert_eq!(sign_in(&world.phone(Device::Mobile), id.reveal(), GOOD).await.location(), "/h5");
    // the same person again is told so, and nothing changes
    world.clock.advance(Duration::from_secs(700));
    let again = sign_up(&world, &world.phone(Device::Mobile), "17800005287", "周以宁", &id).await;
    assert!(again.status == 200 && again.has("您已经注册过"), "{}", again.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM payer").await, 1);
}

#[tokio::test]
async fn who_is_a_student_is_told_only_after_proof_and_goes_to_sign_in_with_what_was_wanted() {
    let world = world().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Mobile);
    let form = prove(&world, &phone, "17800005287", "/h5/enrol/7").await;
    let wrong_name = fill(&form, "林知厦", "permanent_resident", student.id_number.reveal());
    let right = fill(&form, "林知夏", "permanent_resident", student.id_number.reveal());
    let told = phone.submit(&right).await;
    assert!(told.status == 200 && told.has("您已经是在校师生"), "{}", told.text());
    assert!(told.links().iter().any(|link| link.contains("/h5/login") && link.contains("enrol%2F7")));
    assert!(!told.body().contains(&student.number) && told.set_cookies().iter().all(|c| !c.starts_with("jf_s")));
    let other = phone.submit(&wrong_name).await;
    assert_eq!(other.location(), "/h5/enrol/7", "the phone alone proves nothing");
    assert!(!phone.get("/h5").await.has("9,350.00"));
}

#[tokio::test]
async fn a_document_number_opens_two_accounts_of_strangers_and_no_third() {
    let world = world().await;
    let id = id_number("99000020010101777");
    for at in 0..3 {
        let done = sign_up(&world, &world.phone(Device::Mobile), &format!("1390000333{at}"), "何知远", &id).await;
        match at {
            2 => assert!(done.status == 200 && done.has("请联系财务处办理"), "{}", done.text()),
            _ => assert_eq!(done.status, 303),
        }
        world.clock.advance(Duration::from_secs(700));
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM payer").await, 2);
}

#[tokio::test]
async fn a_second_tap_opens_no_second_account_and_the_form_is_over_after_a_minute() {
    let world = world().await;
    let phone = world.phone(Device::Mobile);
    let form = fill(&prove(&world, &phone, MOBILE, "").await, "何知远", "resident_id", SPECIMEN);
    let (one, other) = tokio::join!(phone.submit(&form), phone.submit(&form));
    for page in [one, other] {
        assert_eq!(page.location(), "/h5/me?done=signed-up");
        assert!(page.set_cookies().iter().any(|cookie| cookie.starts_with("jf_s=")));
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM payer").await, 1);
    let stranger = world.phone(Device::Mobile);
    let csrf = stranger.get("/h5/sign-up").await.form("/h5/sign-up").field("csrf").unwrap().to_owned();
    let stolen = stranger.submit(&form.clone().set("csrf", &csrf)).await;
    assert!(stolen.status == 422 && stolen.has("从第一步重新开始"), "of another browser: {}", stolen.text());
    world.clock.advance(Duration::from_secs(61));
    let signed_out = phone.get("/h5").await.form("/h5/logout");
    let page = phone.submit(&signed_out).await;
    let csrf = phone.settle(page).await.form("/h5/settings").field("csrf").unwrap().to_owned();
    let late = phone.submit(&form.set("csrf", &csrf)).await;
    assert!(late.status == 422 && late.has("从第一步重新开始"), "{}", late.text());
}

#[tokio::test]
async fn a_code_is_wrong_late_or_of_another_phone_and_asking_for_many_meets_the_check() {
    let world = world().await;
    let phone = world.phone(Device::Mobile);
    let asked = ask(&phone, MOBILE, "").await;
    let form = asked.form("/h5/sign-up/code");
    let right = code(&world, MOBILE).await;
    let wrong = format!("{:06}", (right.parse::<u32>().unwrap() + 1) % 1_000_000);
    let page = phone.submit(&form.clone().set("code", &wrong)).await;
    assert!(page.status == 422 && page.has("验证码有误或已过期"), "{}", page.text());
    let early = phone.get(&format!("/h5/sign-up/details?t={}", form.field("ticket").unwrap())).await;
    assert!(early.location().starts_with("/h5/sign-up/code"), "no details before the code");
    let soon = phone.submit(&form.clone().set("once_more", "1")).await;
    assert!(soon.status == 422 && soon.has("发送太频繁"), "{}", soon.text());
    world.clock.advance(Duration::from_secs(301));
    let late = phone.submit(&form.clone().set("code", &right)).await;
    assert!(late.status == 422 && late.has("验证码有误或已过期"));
    assert_eq!(phone.submit(&form.clone().set("once_more", "1")).await.status, 303);
    let fresh = phone.submit(&form.clone().set("code", &code(&world, MOBILE).await)).await;
    assert!(fresh.location().starts_with("/h5/sign-up/details"));

    let other = world.phone(Device::Mobile);
    for at in 0..5 {
        let form = other.get("/h5/sign-up").await.form("/h5/sign-up").set("phone", &format!("1390000444{at}"));
        let page = other.submit(&form).await;
        if page.status == 422 {
            assert!(at >= 2 && page.has("验证码错误") && page.form("/h5/sign-up").field("captcha_id").is_some());
            let form = page.form("/h5/sign-up");
            let kept = world.app.cache.get(&format!("captcha:{}", form.field("captcha_id").unwrap())).await.unwrap();
            let answer = kept.split('|').next().unwrap().to_owned();
            assert_eq!(other.submit(&form.set("captcha", &answer)).await.status, 303);
            return;
        }
    }
    panic!("nobody was asked");
}

/// The address in the last mail.
async fn link(world: &TestApp) -> String {
    post::run_once(&world.app).await.unwrap();
    let mail = world.sandbox.postbox().of(MAILBOX).pop().unwrap();
    mail.text.lines().find(|line| line.starts_with("http")).unwrap().to_owned()
}

/// Asks for a way back in by mail; gives how many mails arrived since the last look.
async fn forgot(world: &TestApp) -> usize {
    let before = world.sandbox.postbox().of(MAILBOX).len();
    let phone = world.phone(Device::Desktop);
    let form = phone.get("/h5/forgot").await.form("/h5/forgot");
    phone.submit(&form.set("username", SPECIMEN).set("way", "mail")).await;
    post::run_once(&world.app).await.unwrap();
    world.sandbox.postbox().of(MAILBOX).len() - before
}

#[tokio::test]
async fn a_mailbox_counts_only_after_its_link_was_used_and_the_link_can_be_sent_again() {
    let world = world().await;
    let phone = world.phone(Device::Mobile);
    let form = prove(&world, &phone, MOBILE, "").await;
    phone.submit(&fill(&form, "何知远", "resident_id", SPECIMEN).set("email", MAILBOX)).await;
    let first = link(&world).await;
    assert_eq!(forgot(&world).await, 0, "not proven, not used");
    let me = phone.get("/h5/me").await;
    assert!(me.has("待激活的邮箱") && me.has("h***@mail.example"), "{}", me.text());
    assert_eq!(phone.submit(&me.form("/h5/me/mail")).await.location(), "/h5/me?done=mail");
    let soon = phone.submit(&me.form("/h5/me/mail")).await;
    assert!(soon.status == 429 && soon.has("发送太频繁"), "{}", soon.text());
    let second = link(&world).await;
    assert_ne!(first, second);
    let reader = world.phone(Device::Desktop);
    assert!(reader.get(&first).await.has("链接已失效"), "the one before is over");
    for _ in 0..2 {
        assert!(reader.get(&second).await.has("h***@mail.example"), "opening it uses nothing up");
    }
    world.clock.advance(Duration::from_secs(86_401));
    assert!(reader.get(&second).await.has("24 小时内有效"));
    sign_in(&phone, SPECIMEN, GOOD).await;
    let again = phone.get("/h5/me").await.form("/h5/me/mail");
    phone.submit(&again).await;
    let third = link(&world).await;
    let confirm = reader.get(&third).await.form("/h5/mail");
    assert!(reader.submit(&confirm).await.has("邮箱已激活"));
    assert!(reader.submit(&confirm).await.has("链接已失效"), "it works once");
    assert!(!phone.get("/h5/me").await.has("待激活"));
    assert_eq!(forgot(&world).await, 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM mail_link WHERE email_sealed LIKE '%he@%'").await, 0);
}
