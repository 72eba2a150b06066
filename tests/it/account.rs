//! A password of one's own, the security question, and the way back in.
use std::time::Duration;

use jiaofei::config::FirstSignIn;

use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

const GOOD: &str = "Kaleidos7!";
const BETTER: &str = "秋天的第1杯奶茶！";

/// A school where whoever has the initial password chooses one first.
async fn strict() -> (TestApp, Student) {
    let world = TestApp::start_with(|config| config.school.first_sign_in = FirstSignIn::SetUp).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

async fn lenient() -> (TestApp, Student) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

async fn sign_in(phone: &Phone, student: &Student, password: &str) -> Page {
    let form = phone.get("/h5/login").await.form("/h5/login");
    phone.submit(&form.set("username", &student.number).set("password", password)).await
}

async fn set_up(phone: &Phone, password: &str, again: &str, answer: &str) -> Page {
    let form = phone.get("/h5/me/password").await.form("/h5/me/password");
    let form = form.set("new", password).set("again", again).set("question", "first_teacher").set("answer", answer);
    phone.submit(&form).await
}

async fn change(phone: &Phone, old: &str, new: &str, again: &str) -> Page {
    let form = phone.get("/h5/me/password").await.form("/h5/me/password");
    phone.submit(&form.set("old", old).set("new", new).set("again", again)).await
}

#[tokio::test]
async fn who_has_the_initial_password_chooses_one_before_anything_but_paying() {
    let (world, student) = strict().await;
    let phone = world.phone(Device::Wechat);
    let first = phone.sign_in(&student).await;
    assert_eq!(first.path, "/h5/me/password", "{}", first.text());
    for path in ["/h5", "/h5/orders", "/h5/paid", "/h5/me", "/h5/me/question"] {
        assert_eq!(phone.get(path).await.location(), "/h5/me/password", "{path}");
    }
    let owed = phone.get("/h5/tuition").await;
    assert!(owed.has("9,350.00"), "paying does not wait for it");
    let cashier = phone.open(phone.submit(&owed.form("/h5/checkout")).await.location()).await;
    assert!(cashier.path.starts_with("/h5/cashier/"), "{}", cashier.path);

    let done = set_up(&phone, GOOD, GOOD, "王 老师").await;
    assert_eq!(done.location(), "/h5/me?done=password", "{}", done.text());
    assert!(phone.open("/h5/me?done=password").await.has("密码已修改"));
    assert!(phone.get("/h5").await.has("9,350.00"));
    let other = world.phone(Device::Mobile);
    assert!(sign_in(&other, &student, student.password()).await.has("学号或密码有误"), "the initial one is over");
    assert_eq!(sign_in(&other, &student, GOOD).await.location(), "/h5");
    assert_eq!(world.count("SELECT COUNT(*) FROM payer WHERE password_hash LIKE '%Kaleidos%'").await, 0);
}

#[tokio::test]
async fn each_rule_of_a_new_password_is_told_beside_its_field_and_nothing_is_stored() {
    let (world, student) = strict().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    for (new, again, answer, why) in [
        ("", "", "王老师", "密码至少 9 位"),
        ("Ab1!", "Ab1!", "王老师", "密码至少 9 位"),
        ("123456789!", "123456789!", "王老师", "密码里要有字母"),
        ("Kaleidos!", "Kaleidos!", "王老师", "密码里要有数字"),
        ("Kaleidos7", "Kaleidos7", "王老师", "密码里要有符号"),
        ("P@ssw0rd1!", "P@ssw0rd1!", "王老师", "太常见"),
        (GOOD, "Kaleidos8!", "王老师", "两次输入的新密码不一样"),
        (GOOD, GOOD, "王", "答案要有 2 到 64 个字"),
    ] {
        let page = set_up(&phone, new, again, answer).await;
        assert!(page.status == 422 && page.has(why), "{new}: {}: {}", page.status, page.text());
        assert!(!page.body().contains("Kaleidos"), "a password is never sent back");
    }
    let own = format!("x-{}-Y!", student.number);
    assert!(set_up(&phone, &own, &own, "王老师").await.has("不能有您的学号或证件号"));
    let form = phone.get("/h5/me/password").await.form("/h5/me/password");
    let page = phone.submit(&form.set("new", GOOD).set("again", GOOD).set("answer", "王老师")).await;
    assert!(page.has("请选一个问题"), "{}", page.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM payer WHERE password_hash IS NOT NULL").await, 0);
    assert_eq!(world.count("SELECT COUNT(*) FROM security_question").await, 0);
}

#[tokio::test]
async fn a_changed_password_signs_every_other_device_out_and_the_last_five_are_not_taken_again() {
    let (world, student) = lenient().await;
    let (phone, other) = (world.phone(Device::Wechat), world.phone(Device::Mobile));
    phone.sign_in(&student).await;
    other.sign_in(&student).await;
    let wrong = change(&phone, "not-it", GOOD, GOOD).await;
    assert!(wrong.status == 422 && wrong.has("密码有误"), "{}", wrong.text());
    assert_eq!(change(&phone, student.password(), GOOD, GOOD).await.location(), "/h5/me?done=password");
    assert_eq!(phone.get("/h5").await.status, 200, "this device stays signed in");
    assert!(other.get("/h5").await.location().starts_with("/h5/login?"), "the other does not");
    assert_eq!(change(&phone, GOOD, BETTER, BETTER).await.location(), "/h5/me?done=password");
    for used in [BETTER, GOOD] {
        assert!(change(&phone, BETTER, used, used).await.has("最近用过的密码"), "{used}");
    }
}

#[tokio::test]
async fn guessing_the_old_password_is_slowed_down_like_signing_in() {
    let (world, student) = lenient().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    let mut last = change(&phone, "no", GOOD, GOOD).await;
    for _ in 0..3 {
        last = change(&phone, "no", GOOD, GOOD).await;
    }
    assert!(last.status == 422 && last.has("验证码"), "{}", last.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM payer WHERE password_hash IS NOT NULL").await, 0);
}

#[tokio::test]
async fn the_question_is_set_in_two_steps_and_opens_a_forgotten_account() {
    let (world, student) = lenient().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    let first = phone.get("/h5/me/question").await.form("/h5/me/question");
    assert!(phone.submit(&first.clone().set("password", "no")).await.has("密码有误"));
    let second = phone.submit(&first.set("password", student.password())).await;
    assert!(second.has("第二步") && second.has("请选择密保问题"), "{}", second.text());
    let form = second.form("/h5/me/question").set("question", "favourite_book").set("answer", "红 楼 梦");
    assert_eq!(phone.submit(&form).await.location(), "/h5/me?done=question");
    assert!(phone.submit(&form).await.has("从第一步重新开始"), "a step counts once");
    assert!(phone.get("/h5/me").await.has("您最喜欢的一本书"));

    let stranger = world.phone(Device::Mobile);
    let start = stranger.get("/h5/forgot").await.form("/h5/forgot").set("username", &student.number);
    let asked = stranger.submit(&start).await;
    assert!(asked.has("您最喜欢的一本书"), "{}", asked.text());
    let form = asked.form("/h5/forgot").set("new", GOOD).set("again", GOOD);
    let wrong = stranger.submit(&form.clone().set("answer", "西游记")).await;
    assert!(wrong.status == 422 && wrong.has("答案有误"), "{}", wrong.text());
    let elsewhere = world.phone(Device::Mobile);
    let stolen = elsewhere.get("/h5/forgot").await.form("/h5/forgot");
    let ticket = form.field("ticket").unwrap().to_owned();
    let stolen = stolen.without("username").set("ticket", &ticket).set("answer", "红楼梦");
    let stolen = elsewhere.submit(&stolen.set("new", GOOD).set("again", GOOD)).await;
    assert!(stolen.has("从第一步重新开始"), "a ticket belongs to its browser: {}", stolen.text());
    let done = stranger.submit(&form.set("answer", "红楼梦")).await;
    assert!(done.has("密码已重设"), "{}", done.text());
    assert!(phone.get("/h5").await.location().starts_with("/h5/login?"), "every device is signed out");
    assert_eq!(sign_in(&stranger, &student, GOOD).await.location(), "/h5");
}

#[tokio::test]
async fn nobody_learns_from_the_way_back_in_whether_an_account_exists() {
    let (world, student) = lenient().await;
    for username in [student.number.as_str(), "20990101", "11010519491231002X"] {
        let phone = world.phone(Device::Mobile);
        let ask = || async {
            let start = phone.get("/h5/forgot").await.form("/h5/forgot").set("username", username);
            phone.submit(&start).await
        };
        let (asked, again) = (ask().await, ask().await);
        let question = |page: &Page| page.text().split('？').next().unwrap().to_owned();
        assert_eq!(asked.status, 200, "{username}");
        assert_eq!(question(&asked), question(&again), "always the same question");
        let form = asked.form("/h5/forgot").set("answer", "红楼梦").set("new", GOOD).set("again", GOOD);
        let wrong = phone.submit(&form).await;
        assert!(wrong.status == 422 && wrong.has("答案有误"), "{username}: {}", wrong.text());
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM payer WHERE password_hash IS NOT NULL").await, 0);
}

#[tokio::test]
async fn answers_are_guessed_as_slowly_as_passwords_and_a_step_ends() {
    // Redis has a clock of its own, which no story moves
    let world = TestApp::start_with(|config| config.redis = None).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Mobile);
    let start = phone.get("/h5/forgot").await.form("/h5/forgot").set("username", &student.number);
    let asked = phone.submit(&start).await;
    let form = asked.form("/h5/forgot").set("answer", "红楼梦").set("new", GOOD).set("again", GOOD);
    for _ in 0..3 {
        assert_eq!(phone.submit(&form).await.status, 422);
    }
    assert!(phone.submit(&form).await.has("验证码错误"), "now a question is asked");
    world.clock.advance(Duration::from_secs(11 * 60));
    assert!(phone.submit(&form).await.has("从第一步重新开始"));
}

#[tokio::test]
async fn who_signed_in_with_document_number_and_name_can_change_nothing() {
    let (world, student) = strict().await;
    let phone = world.phone(Device::Wechat);
    let first = phone.sign_in_by_id(&student).await;
    assert_eq!(first.path, "/h5", "nothing must be chosen first");
    let me = phone.get("/h5/me").await;
    assert!(me.has("只能查看和缴纳本人欠费") && !me.has("上次登录") && !me.has("证件号 9"), "{}", me.text());
    for path in ["/h5/me/password", "/h5/me/question"] {
        assert_eq!(phone.get(path).await.location(), "/h5/me");
        let csrf = me.form("/h5/settings").field("csrf").unwrap().to_owned();
        let fields =
            [("csrf", csrf.as_str()), ("new", GOOD), ("again", GOOD), ("question", "dream_job"), ("answer", "xx")];
        assert_eq!(phone.post(path, &fields).await.location(), "/h5/me");
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM payer WHERE password_hash IS NOT NULL").await, 0);
}

#[tokio::test]
async fn the_sign_in_before_this_one_is_shown() {
    let (world, student) = lenient().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    assert!(phone.get("/h5/me").await.has("上次登录 --"));
    world.clock.advance(Duration::from_secs(3600));
    let other = world.phone(Device::Mobile);
    other.sign_in(&student).await;
    assert!(other.get("/h5/me").await.has("上次登录 2026-09-01 10:00:00"), "{}", other.get("/h5/me").await.text());
}
