//! Signing in: two ways, what each opens, and what stands in the way of guessing.
use std::time::Duration;

use jiaofei::config::InitialPassword;
use jiaofei::domain::payer::PayerKind;
use jiaofei::flow::password;
use jiaofei::store::db::statement;
use sea_orm::ConnectionTrait;

use crate::world::app::TestApp;
use crate::world::page::{Form, Page};
use crate::world::phone::{Device, Phone};
use crate::world::school::{self, Student};

const WRONG: &str = "学号或密码有误";
const WRONG_ID: &str = "证件号或姓名有误";

async fn world() -> (TestApp, Student) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

/// Fills the form of user name and password in and sends it.
async fn try_password(phone: &Phone, username: &str, password: &str) -> Page {
    let form = phone.get("/h5/login").await.form("/h5/login");
    phone.submit(&form.set("username", username).set("password", password)).await
}

async fn try_id(phone: &Phone, id_number: &str, name: &str) -> Page {
    let form = phone.get("/h5/login?mode=id").await.form("/h5/login");
    phone.submit(&form.set("id_number", id_number).set("name", name)).await
}

#[track_caller]
fn is_in(page: &Page) {
    assert_eq!((page.status, page.header("location")), (303, "/h5"), "{}", page.text());
}

#[track_caller]
fn is_refused(page: &Page, why: &str) {
    assert!(matches!(page.status, 422 | 429) && page.has(why), "{}: {}", page.status, page.text());
    assert!(page.set_cookies().iter().all(|cookie| !cookie.starts_with("jf_s")));
}

/// What the cache holds for the question of a form: the digits of the picture, and the sum.
async fn answers(world: &TestApp, form: &Form) -> (String, String) {
    let id = form.field("captcha_id").expect("a question is asked");
    let kept = world.app.cache.get(&format!("captcha:{id}")).await.unwrap();
    let (digits, sum) = kept.split_once('|').unwrap();
    (digits.to_owned(), sum.to_owned())
}

#[tokio::test]
async fn a_student_signs_in_with_number_and_initial_password_and_sees_what_is_owed() {
    let (world, student) = world().await;
    let page = world.phone(Device::Wechat).sign_in(&student).await;
    assert_eq!((page.status, page.path.as_str()), (200, "/h5"));
    assert!(page.has("9,350.00") && page.has("林知夏") && page.has("2019****0001"), "{}", page.text());
}

#[tokio::test]
async fn a_staff_number_is_known_in_any_case_and_width() {
    let world = TestApp::start().await;
    let id = school::id_number("99000019791102001");
    school::payer(&world.app, PayerKind::Staff, "T20110063", "陈立群", &id).await;
    for typed in ["T20110063", "t20110063", " ｔ２０１１００６３　"] {
        is_in(&try_password(&world.phone(Device::Mobile), typed, id.tail(6)).await);
    }
}

#[tokio::test]
async fn an_x_at_the_end_of_the_initial_password_may_be_small_and_nothing_else_is_forgiven() {
    let world = TestApp::start().await;
    let id = school::id_number("99000020050312014");
    assert!(id.reveal().ends_with('X'));
    school::payer(&world.app, PayerKind::Student, "20190118", "林知夏", &id).await;
    is_in(&try_password(&world.phone(Device::Mobile), "20190118", &id.tail(6).to_lowercase()).await);
    let padded = format!(" {}", id.tail(6));
    is_refused(&try_password(&world.phone(Device::Mobile), "20190118", &padded).await, WRONG);
}

#[tokio::test]
async fn a_newcomer_has_the_document_number_for_a_user_name_and_a_student_has_not() {
    let (world, student) = world().await;
    let id = school::id_number("99000020080521015");
    school::payer(&world.app, PayerKind::Newcomer, "26990417", "买买提·艾力", &id).await;
    let typed = id.reveal().to_lowercase();
    is_in(&try_password(&world.phone(Device::Wechat), &typed, id.tail(6)).await);
    let number = student.id_number.reveal();
    is_refused(&try_password(&world.phone(Device::Wechat), number, student.password()).await, WRONG);
}

#[tokio::test]
async fn a_password_of_ones_own_takes_the_place_of_the_initial_one() {
    let (world, student) = world().await;
    let hash = password::store_form(&world.app, "晴天 9 o'clock!").await;
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    let db = world.app.db.write();
    let sql = "UPDATE payer SET password_hash = $1 WHERE id = $2";
    db.execute_raw(statement(db, sql, [hash.into(), student.id.0.into()])).await.unwrap();
    is_in(&try_password(&world.phone(Device::Mobile), &student.number, "晴天 9 o'clock!").await);
    is_refused(&try_password(&world.phone(Device::Mobile), &student.number, student.password()).await, WRONG);
}

#[tokio::test]
async fn a_school_with_another_rule_has_other_initial_passwords_and_says_so_only_if_it_is_no_secret() {
    let world = TestApp::start_with(|config| config.school.initial_password = InitialPassword::Zeros6).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Mobile);
    assert!(!phone.get("/h5/login").await.has("000000"));
    is_refused(&try_password(&phone, &student.number, student.password()).await, WRONG);
    is_in(&try_password(&phone, &student.number, "000000").await);
}

#[tokio::test]
async fn every_wrong_pair_reads_the_same_whether_the_account_exists_or_not() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let wrong = try_password(&phone, &student.number, "wrong!").await;
    let nobody = try_password(&phone, "20990118", "wrong!").await;
    let garbage = try_password(&phone, "'; DROP TABLE payer; --", "wrong!").await;
    is_refused(&wrong, WRONG);
    assert_eq!((wrong.status, wrong.text()), (nobody.status, nobody.text()));
    assert_eq!((wrong.status, wrong.text()), (garbage.status, garbage.text()));
    let other_name = try_id(&phone, student.id_number.reveal(), "周以宁").await;
    let nobody = try_id(&phone, "99000020050312014X", "周以宁").await;
    is_refused(&other_name, WRONG_ID);
    assert_eq!((other_name.status, other_name.text()), (nobody.status, nobody.text()));
}

#[tokio::test]
async fn what_was_typed_is_kept_except_the_password_and_is_never_markup() {
    let (world, _) = world().await;
    let phone = world.phone(Device::Mobile);
    let page = try_password(&phone, "\"><script>alert(1)</script>", "s3cret-word").await;
    assert_eq!(page.form("/h5/login").field("username"), Some("\"><script>alert(1)</script>"));
    assert!(!page.body().contains("<script>alert") && !page.body().contains("s3cret-word"));
    let page = try_id(&phone, "E1234<5678", "张三").await;
    assert_eq!(page.form("/h5/login").field("name"), Some("张三"));
}

#[tokio::test]
async fn an_empty_field_is_not_a_try() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    for _ in 0..8 {
        is_refused(&try_password(&phone, &student.number, "").await, "请把两项都填上");
        is_refused(&try_id(&phone, "", "林知夏").await, "请把两项都填上");
    }
    is_in(&try_password(&phone, &student.number, student.password()).await);
}

#[tokio::test]
async fn after_three_failures_a_question_is_asked_and_its_picture_or_its_sum_answers_it() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    for _ in 0..2 {
        let page = try_password(&phone, &student.number, "wrong!").await;
        assert_eq!(page.form("/h5/login").field("captcha_id"), None);
    }
    let asked = try_password(&phone, &student.number, "wrong!").await;
    assert!(asked.has("学号或密码有误，还可以试 2 次") && asked.has("等于几"), "{}", asked.text());
    assert!(asked.links().iter().any(|link| link.starts_with("data:image/png;base64,")));
    let pair = |form: Form| form.set("username", &student.number).set("password", student.password());
    // the right pair without an answer, or with a wrong one, is not looked at and not counted
    let form = asked.form("/h5/login");
    is_refused(&phone.submit(&pair(form.clone()).without("captcha_id")).await, "验证码错误");
    let again = phone.submit(&pair(form).set("captcha", "no")).await;
    is_refused(&again, "验证码错误");
    let (digits, _) = answers(&world, &again.form("/h5/login")).await;
    is_in(&phone.submit(&pair(again.form("/h5/login")).set("captcha", &digits)).await);

    // the count starts anew, and the sum is as good as the picture
    let phone = world.phone(Device::Mobile);
    for _ in 0..3 {
        try_password(&phone, &student.number, "wrong!").await;
    }
    // a page drawn anew asks too
    let form = phone.get("/h5/login").await.form("/h5/login");
    let (_, sum) = answers(&world, &form).await;
    is_in(&phone.submit(&pair(form).set("captcha", &sum)).await);
}

#[tokio::test]
async fn an_answer_counts_once() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    for _ in 0..3 {
        try_password(&phone, &student.number, "wrong!").await;
    }
    let form = phone.get("/h5/login").await.form("/h5/login");
    let (digits, _) = answers(&world, &form).await;
    let filled = form.set("captcha", &digits).set("username", &student.number);
    is_refused(&phone.submit(&filled.clone().set("password", "wrong!")).await, WRONG);
    is_refused(&phone.submit(&filled.set("password", student.password())).await, "验证码错误");
}

/// Fails until nothing is tried any more; answers every question.
async fn fail_until_locked(world: &TestApp, phone: &Phone, username: &str) -> (u32, Page) {
    let mut form = phone.get("/h5/login").await.form("/h5/login");
    for tries in 1..20 {
        if form.field("captcha_id").is_some() {
            let (digits, _) = answers(world, &form).await;
            form = form.set("captcha", &digits);
        }
        let page = phone.submit(&form.set("username", username).set("password", "wrong!")).await;
        if page.status == 429 {
            return (tries, page);
        }
        form = page.form("/h5/login");
    }
    panic!("never locked");
}

#[tokio::test]
async fn five_failures_lock_the_account_for_a_quarter_of_an_hour_even_to_the_right_password() {
    let (world, student) = world().await;
    let other = world.school.student(&world.app, 2, "周以宁").await;
    let phone = world.phone(Device::Mobile);
    let (tries, locked) = fail_until_locked(&world, &phone, &student.number).await;
    assert_eq!(tries, 5);
    is_refused(&locked, "请在 15 分钟后再试");
    let elsewhere = world.phone(Device::Desktop);
    is_refused(&try_password(&elsewhere, &student.number, student.password()).await, "错误次数太多");
    is_in(&try_password(&world.phone(Device::Desktop), &other.number, other.password()).await);
    world.clock.advance(Duration::from_secs(14 * 60));
    if world.app.config.redis.is_none() {
        is_refused(&try_password(&elsewhere, &student.number, student.password()).await, "请在 1 分钟后再试");
        world.clock.advance(Duration::from_secs(61));
        is_in(&try_password(&elsewhere, &student.number, student.password()).await);
    }
}

#[tokio::test]
async fn tries_that_met_a_failure_of_ours_lock_nobody_out_and_ask_no_question() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let run = async |sql: &str| world.app.db.write().execute_unprepared(sql).await.unwrap();
    is_refused(&try_password(&phone, &student.number, "wrong!").await, WRONG);
    run("ALTER TABLE payer RENAME TO payer_away").await;
    for _ in 0..6 {
        let page = try_password(&phone, &student.number, student.password()).await;
        assert!(page.status >= 500, "{}", page.text());
        let page = try_id(&phone, student.id_number.reveal(), &student.name).await;
        assert!(page.status >= 500, "{}", page.text());
    }
    run("ALTER TABLE payer_away RENAME TO payer").await;
    is_refused(&try_password(&phone, &student.number, "wrong!").await, WRONG);
    is_in(&try_id(&world.phone(Device::Wechat), student.id_number.reveal(), &student.name).await);
    is_in(&try_password(&phone, &student.number, student.password()).await);
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_locked_like_one_that_does() {
    let (world, _) = world().await;
    let (tries, locked) = fail_until_locked(&world, &world.phone(Device::Mobile), "20990118").await;
    assert_eq!(tries, 5);
    is_refused(&locked, "错误次数太多");
}

#[tokio::test]
async fn a_hundred_guesses_at_once_are_five() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let form = phone.get("/h5/login").await.form("/h5/login").set("username", &student.number);
    let guesses = (0..100).map(|at| form.clone().set("password", &format!("{at:06}")));
    let guesses = guesses.map(|form| {
        let phone = phone.clone();
        async move { phone.submit(&form).await }
    });
    let pages = futures_util::future::join_all(guesses).await;
    let looked_at = pages.iter().filter(|page| page.has(WRONG)).count();
    assert!(looked_at <= 5, "{looked_at} guesses were looked at");
}

#[tokio::test]
async fn failures_from_one_address_bring_the_question_to_it_and_then_close_it_for_a_while() {
    let world = TestApp::start_with(|config| config.server.trusted_proxies = 1).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let from = |address: &str| world.phone(Device::Mobile).with_header("x-forwarded-for", address);
    let attacker = from("6.6.6.6, 203.0.113.7");
    for at in 0..10 {
        assert_eq!(attacker.get("/h5/login").await.form("/h5/login").field("captcha_id"), None, "{at}");
        try_password(&attacker, &format!("2099{at:04}"), "wrong!").await;
    }
    // a new browser at the same address is asked at once; another address is not
    let neighbour = from("203.0.113.7");
    assert!(neighbour.get("/h5/login").await.form("/h5/login").field("captcha_id").is_some());
    assert!(from("203.0.113.8").get("/h5/login").await.form("/h5/login").field("captcha_id").is_none());
    for at in 10..60 {
        let form = attacker.get("/h5/login").await.form("/h5/login");
        let (digits, _) = answers(&world, &form).await;
        let form = form.set("captcha", &digits).set("username", &format!("2099{at:04}")).set("password", "wrong!");
        attacker.submit(&form).await;
    }
    is_refused(&try_password(&neighbour, &student.number, student.password()).await, "请在 10 分钟后再试");
    is_in(&try_password(&from("203.0.113.8"), &student.number, student.password()).await);
}

#[tokio::test]
async fn document_number_and_name_open_in_the_ways_people_write_them() {
    let world = TestApp::start().await;
    let id = school::id_number("99000020050312014");
    school::payer(&world.app, PayerKind::Student, "20190118", "买买提·艾力", &id).await;
    let small = id.reveal().to_lowercase();
    let spaced = format!(" {} {} ", &id.reveal()[..6], &id.reveal()[6..]);
    for (number, name) in [
        (id.reveal(), "买买提·艾力"),
        (small.as_str(), "买买提•艾力"),
        (spaced.as_str(), " 买买提 ・ 艾力 "),
        ("９９００００２００５０３１２０１４ｘ", "买买提.艾力"),
    ] {
        is_in(&try_id(&world.phone(Device::Wechat), number, name).await);
    }
    is_refused(&try_id(&world.phone(Device::Wechat), id.reveal(), "艾力·买买提").await, WRONG_ID);
}

#[tokio::test]
async fn who_holds_several_numbers_chooses_and_only_the_same_browser_may_answer() {
    let (world, student) = world().await;
    let as_staff = school::payer(&world.app, PayerKind::Staff, "T20110063", "林知夏", &student.id_number).await;
    school::charge(&world.app, as_staff, world.school.insurance, world.school.period, 6_500).await;
    let phone = world.phone(Device::Wechat);
    let form = phone.get("/h5/login?mode=id&back=/h5/tuition").await.form("/h5/login");
    let form = form.set("id_number", student.id_number.reveal()).set("name", "林知夏");
    let asked = phone.submit(&form).await;
    assert_eq!(asked.status, 200);
    assert!(asked.has("选择身份") && asked.has("2019****0001") && !asked.body().contains("T20110063"));
    let body = asked.body();
    let values: Vec<&str> =
        body.split("name=\"payer\" value=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
    assert_eq!(values.len(), 2);

    let form = asked.form("/h5/login");
    let stranger = world.phone(Device::Wechat);
    let own = stranger.get("/h5/login?mode=id").await.form("/h5/login");
    let stolen = form.clone().set("csrf", own.field("csrf").unwrap()).set("payer", values[0]);
    assert_eq!(stranger.submit(&stolen).await.location(), "/h5/login?mode=id&back=%2Fh5%2Ftuition");

    let none = phone.submit(&form.clone().without("payer")).await;
    assert!(none.status == 422 && none.has("请先选择一个编号"), "{}", none.text());
    let nonsense = phone.submit(&form.clone().set("payer", "99")).await;
    assert_eq!(nonsense.status, 422);
    let chosen = form.clone().set("payer", values[0]);
    let done = phone.submit(&chosen).await;
    assert_eq!(done.location(), "/h5/tuition");
    // the newest number comes first
    assert!(phone.open("/h5/tuition").await.has("65.00"));
}

#[tokio::test]
async fn the_time_to_choose_is_five_minutes() {
    let (world, student) = world().await;
    school::payer(&world.app, PayerKind::Staff, "T20110063", "林知夏", &student.id_number).await;
    let phone = world.phone(Device::Wechat);
    let asked = try_id(&phone, student.id_number.reveal(), "林知夏").await;
    if world.app.config.redis.is_none() {
        world.clock.advance(Duration::from_secs(301));
        let late = phone.submit(&asked.form("/h5/login")).await;
        assert_eq!(late.location(), "/h5/login?mode=id");
    }
}
