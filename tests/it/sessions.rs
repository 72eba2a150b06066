//! Sessions: how long they last, what ends them, what the browser is told to keep, and what each kind may see.
use std::time::Duration;

use jiaofei::domain::trade::Product;
use jiaofei::store::db::statement;
use sea_orm::ConnectionTrait;

use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

const LOGIN: &str = "/h5/login?mode=user&back=%2Fh5";

async fn world() -> (TestApp, Student) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

#[track_caller]
fn is_out(page: &Page) {
    assert_eq!((page.status, page.header("location")), (303, LOGIN), "{}", page.text());
}

/// Signs in and gives the session's token as the browser keeps it.
async fn token_of(phone: &Phone, student: &Student) -> String {
    let form = phone.get("/h5/login").await.form("/h5/login");
    let done = phone.submit(&form.set("username", &student.number).set("password", student.password())).await;
    token(&done)
}

#[track_caller]
fn token(page: &Page) -> String {
    let cookies = page.set_cookies();
    let cookie = cookies.iter().find_map(|cookie| cookie.strip_prefix("jf_s=")).expect("a session begins");
    cookie.split(';').next().unwrap().to_owned()
}

/// Another browser with a copied session cookie.
fn with_token(world: &TestApp, token: &str) -> Phone {
    world.phone(Device::Desktop).with_header("cookie", &format!("jf_s={token}"))
}

#[tokio::test]
async fn a_session_ends_two_hours_after_its_last_use() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    for _ in 0..4 {
        world.clock.advance(Duration::from_secs(110 * 60));
        assert_eq!(phone.get("/h5").await.status, 200);
    }
    world.clock.advance(Duration::from_secs(121 * 60));
    is_out(&phone.get("/h5").await);
    let login = phone.open("/h5").await;
    assert!(login.has("登录已过期"), "{}", login.text());
}

#[tokio::test]
async fn the_use_within_a_minute_counts_too() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(phone.get("/h5").await.status, 200);
    world.clock.advance(Duration::from_secs(2 * 3600 - 60));
    assert_eq!(phone.get("/h5").await.status, 200);
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_however_much_it_is_used() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    for _ in 0..11 {
        world.clock.advance(Duration::from_secs(3600));
        assert_eq!(phone.get("/h5").await.status, 200);
    }
    world.clock.advance(Duration::from_secs(3601));
    is_out(&phone.get("/h5").await);
}

#[tokio::test]
async fn after_signing_in_again_one_comes_back_to_the_page_that_was_wanted() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    let asked = phone.get("/h5/orders?show=paid&when=month").await;
    let login = phone.open(asked.location()).await;
    assert!(!login.has("登录已过期"), "nobody was signed in before");
    let form = login.form("/h5/login").set("username", &student.number).set("password", student.password());
    assert_eq!(phone.submit(&form).await.location(), "/h5/orders?show=paid&when=month");
    // the way through the other tab keeps it too
    let other = login.links().into_iter().find(|link| link.contains("mode=id")).unwrap();
    assert!(other.contains("back=%2Fh5%2Forders%3Fshow%3Dpaid"), "{other}");
}

#[tokio::test]
async fn who_is_signed_in_is_not_asked_again() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    assert_eq!(phone.get("/h5/login?back=/h5/tuition").await.location(), "/h5/tuition");
}

#[tokio::test]
async fn signing_out_ends_the_session_for_whoever_has_copied_its_cookie() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    let token = token_of(&phone, &student).await;
    let thief = with_token(&world, &token);
    assert_eq!(thief.get("/h5").await.status, 200);
    let bye = phone.submit(&phone.get("/h5").await.form("/h5/logout")).await;
    assert!(bye.status == 200 && bye.has("已退出登录"), "{}", bye.text());
    assert!(bye.set_cookies().iter().any(|cookie| cookie.starts_with("jf_s=; Path=/; Max-Age=0")));
    is_out(&phone.get("/h5").await);
    is_out(&thief.get("/h5").await);
    // the switches at the foot of the page that says goodbye still work
    let settings = phone.submit(&bye.form("/h5/settings")).await;
    assert_eq!(settings.status, 303);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_the_payer_and_nobody_elses() {
    let (world, student) = world().await;
    let other = world.school.student(&world.app, 2, "周以宁").await;
    let [one, two, three] = [Device::Wechat, Device::Desktop, Device::Alipay].map(|device| world.phone(device));
    one.sign_in(&student).await;
    two.sign_in_by_id(&student).await;
    three.sign_in(&other).await;
    let bye = one.submit(&one.get("/h5").await.form("/h5/logout-everywhere")).await;
    assert!(bye.has("已在所有设备退出"), "{}", bye.text());
    is_out(&one.get("/h5").await);
    is_out(&two.get("/h5").await);
    assert_eq!(three.get("/h5").await.status, 200);
    assert_eq!(one.sign_in(&student).await.status, 200, "and one may sign in again");
}

#[tokio::test]
async fn signing_in_gives_a_new_session_and_ends_the_old_one() {
    let (world, student) = world().await;
    let other = world.school.student(&world.app, 2, "周以宁").await;
    let phone = world.phone(Device::Desktop);
    let first = token_of(&phone, &student).await;
    // somebody opens the sign-in page of an earlier moment on the same computer
    let visitor = world.phone(Device::Desktop);
    let page = visitor.get("/h5/login").await;
    let cookies = page.set_cookies();
    let jf_v = cookies[0].split(';').next().unwrap();
    let planted = world.phone(Device::Desktop).with_header("cookie", &format!("{jf_v}; jf_s={}", "x".repeat(43)));
    let form = planted.get("/h5/login").await.form("/h5/login");
    let done = planted.submit(&form.set("username", &other.number).set("password", other.password())).await;
    assert_ne!(token(&done), "x".repeat(43), "a planted session id is never taken over");

    let both = world.phone(Device::Desktop).with_header("cookie", &format!("{jf_v}; jf_s={first}"));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(both.get("/h5/login").await.status, 303, "still signed in");
    let form = both.get("/h5").await.form("/h5/logout");
    let again = form.clone().set("mode", "user").set("username", &other.number).set("password", other.password());
    let fields: Vec<(&str, &str)> = again.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let second = token(&both.post("/h5/login", &fields).await);
    assert_ne!(first, second);
    is_out(&with_token(&world, &first).get("/h5").await);
    assert!(with_token(&world, &second).get("/h5").await.has("周以宁"));
}

#[tokio::test]
async fn only_the_hash_of_a_token_is_kept() {
    let (world, student) = world().await;
    let token = token_of(&world.phone(Device::Wechat), &student).await;
    let db = world.app.db.read();
    let rows = db.query_all_raw(statement(db, "SELECT token_hash FROM session", [])).await.unwrap();
    let hashes: Vec<String> = rows.iter().map(|row| row.try_get("", "token_hash").unwrap()).collect();
    assert_eq!(hashes.len(), 1);
    assert!(!hashes[0].contains(&token) && hashes[0].len() == 64);
    is_out(&with_token(&world, &hashes[0]).get("/h5").await);
}

#[tokio::test]
async fn cookies_are_out_of_reach_of_scripts_and_other_sites_and_over_https_of_other_hosts() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    let first = phone.get("/h5/login").await;
    let jf_v = &first.set_cookies()[0];
    assert!(
        jf_v.starts_with("jf_v=") && jf_v.ends_with("; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"),
        "{jf_v}"
    );
    let form = first.form("/h5/login").set("username", &student.number).set("password", student.password());
    let done = phone.submit(&form).await;
    let jf_s = &done.set_cookies()[0];
    assert!(jf_s.starts_with("jf_s=") && jf_s.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax"), "{jf_s}");

    let secure = TestApp::start_with(|config| config.server.public_url = "https://pay.example.edu.cn".to_owned()).await;
    let page = secure.phone(Device::Wechat).get("/h5/login").await;
    let jf_v = &page.set_cookies()[0];
    assert!(
        jf_v.starts_with("__Host-jf_v=")
            && jf_v.ends_with("; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax; Secure")
    );
    assert_eq!(page.header("strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn a_token_that_was_never_given_is_nobody() {
    let (world, _) = world().await;
    for token in ["", "x", &"x".repeat(43), "' OR 1=1 --", &"2".repeat(5_000), "😀"] {
        let phone = world.phone(Device::Desktop).with_header("cookie", &format!("jf_s={token}"));
        is_out(&phone.get("/h5").await);
    }
}

#[tokio::test]
async fn with_number_and_name_one_sees_ones_arrears_and_nothing_of_before_today() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.dormitory]).await;
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
    world.clock.advance(Duration::from_secs(86_400));
    let today = world.open_one(student.id, &[student.insurance]).await;

    let (full, limited) = (world.phone(Device::Wechat), world.phone(Device::Wechat));
    full.sign_in(&student).await;
    let home = limited.sign_in_by_id(&student).await;
    assert!(home.has("8,250.00"), "the arrears are seen: {}", home.text());
    assert!(limited.get("/h5/tuition").await.has("8,000.00"));

    let receipt = full.get("/h5/paid").await.links().into_iter().find(|link| link.starts_with("/h5/paid/0")).unwrap();
    for path in [format!("/h5/orders/{}", order.order_no), format!("/h5/result/{}", order.order_no), receipt] {
        assert_eq!(full.get(&path).await.status, 200, "{path}");
        assert_eq!(limited.get(&path).await.status, 404, "{path}");
    }
    let list = limited.get("/h5/orders").await;
    assert!(list.has(today.order_no.as_str()) && !list.has(order.order_no.as_str()), "{}", list.text());
    let asked_for = limited.get("/h5/orders?when=days&from=2026-08-01&to=2026-12-31").await;
    assert!(!asked_for.has(order.order_no.as_str()));
    assert!(!limited.get("/h5/paid").await.has("1,100.00"));
    assert_eq!(limited.get(&format!("/h5/cashier/{}", today.order_no)).await.status, 200, "and pays what is owed");
}

#[tokio::test]
async fn no_page_shows_a_phone_number_or_a_whole_student_or_document_number() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.dormitory]).await;
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    let waiting = world.open_one(student.id, &[student.tuition]).await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    let mut paths: Vec<String> = ["/h5", "/h5/tuition", "/h5/orders", "/h5/paid"].map(str::to_owned).into();
    paths.push(format!("/h5/orders/{}", order.order_no));
    paths.push(format!("/h5/result/{}", order.order_no));
    paths.push(format!("/h5/cashier/{}", waiting.order_no));
    paths.push(format!("/q/{}", waiting.pay_code));
    for path in paths {
        let page = phone.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        for secret in ["17800005287", &student.number, student.id_number.reveal(), student.id_number.tail(6)] {
            assert!(!page.body().contains(secret), "{path} shows {secret}");
        }
    }
}

#[tokio::test]
async fn what_somebody_typed_too_late_is_shown_to_nobody_else_who_signs_in_at_the_same_browser() {
    let (world, student) = world().await;
    let other = world.school.student(&world.app, 2, "周以宁").await;
    let street = "兰州市七里河区";
    for (next, finds_it) in [(&other, false), (&student, true)] {
        let phone = world.phone(Device::Wechat);
        phone.sign_in(&student).await;
        let form = phone.get("/h5/me/profile").await.form("/h5/me/profile").set("street", street);
        world.clock.advance(Duration::from_secs(3 * 3600));
        assert!(phone.submit(&form).await.location().starts_with("/h5/login?"));
        phone.sign_in(next).await;
        let page = phone.get("/h5/me/profile").await;
        assert_eq!((page.status, page.body().contains(street)), (200, finds_it), "{}: {}", next.name, page.text());
    }
}
