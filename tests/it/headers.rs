//! What answers carry and what requests may not bring in: policies, redirects, host names, line breaks, sizes.
use jiaofei::domain::trade::Product;

use crate::world::app::TestApp;
use crate::world::map::routes;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

/// Addresses that must never be gone on to.
const EVIL: [&str; 14] = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/h5//evil.example",
    "/h5/../../evil.example",
    "/h5\\@evil.example",
    "/h5@evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "/h5\r\nLocation: https://evil.example",
    "/h5\r\nSet-Cookie: jf_s=planted",
    "\t//evil.example",
];

async fn world() -> (TestApp, Student) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

/// Every page of somebody signed in who has an order that waits and one that is paid.
async fn every_page(world: &TestApp, student: &Student, phone: &Phone) -> Vec<Page> {
    let paid = world.open_one(student.id, &[student.dormitory]).await;
    world.pay(&paid, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    let waiting = world.open_one(student.id, &[student.insurance]).await;
    let receipt = jiaofei::store::journal::find_receipt_of_order(world.app.db.read(), paid.id).await.unwrap().unwrap();
    let seat = crate::enrolling::seat_of(world, student).await;
    let link = crate::pay_for_me::link_of(world, student, student.tuition).await;
    phone.sign_in(student).await;
    let mut pages = vec![phone.get(&format!("/for/{}", link.code)).await];
    for route in routes().into_iter().filter(|route| route.method == "GET") {
        for order in [&waiting, &paid] {
            if route.pattern.ends_with("/events") {
                continue;
            }
            pages.push(
                phone
                    .get(&route.path(&[
                        ("order_no", order.order_no.as_str()),
                        ("code", &order.pay_code),
                        ("charge_id", &student.tuition.to_string()),
                        ("receipt_no", &receipt.receipt_no),
                        ("name", "0123456789abcdef0123.css"),
                        ("id", "1"),
                        ("programme_id", "1"),
                        ("enrolment_id", &seat.to_string()),
                        ("pay_link_id", &link.id.to_string()),
                        ("service", "electricity"),
                        ("poster_no", "HB000001"),
                    ]))
                    .await,
            );
        }
    }
    pages.push(phone.get("/h5/nowhere").await);
    pages.push(world.phone(Device::Desktop).get("/h5/login").await);
    pages
}

#[tokio::test]
async fn every_page_allows_only_its_own_script_and_style_and_is_never_kept() {
    let (world, student) = world().await;
    let pages = every_page(&world, &student, &world.phone(Device::Wechat)).await;
    let mut drawn = 0;
    for page in pages.iter().filter(|page| page.path.starts_with("/h5") || page.path.starts_with("/q")) {
        assert_eq!(page.header("cache-control"), "no-store", "{}", page.path);
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{}", page.path);
        assert_eq!(page.header("referrer-policy"), "strict-origin-when-cross-origin", "{}", page.path);
        let unsearched = if page.path.starts_with("/q") { "noindex" } else { "" };
        assert_eq!(page.header("x-robots-tag"), unsearched, "{}", page.path);
        if page.header("content-type").starts_with("text/html") {
            drawn += 1;
            let policy = page.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{}: {policy}", page.path);
            for closed in ["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
                assert!(policy.contains(closed), "{closed}: {policy}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
            assert_eq!(page.header("x-frame-options"), "DENY");
            let body = page.body();
            assert!(!body.contains(" style=") && !body.contains(" onclick=") && !body.contains("src=\"http"));
        }
    }
    assert!(drawn > 20, "{drawn} pages were drawn");
}

#[tokio::test]
async fn no_page_names_a_host_but_our_own_and_the_channels() {
    let (world, student) = world().await;
    let phone =
        world.phone(Device::Wechat).with_header("host", "evil.example").with_header("x-forwarded-host", "evil.example");
    for page in every_page(&world, &student, &phone).await {
        let said = format!("{:?} {}", page.headers, String::from_utf8_lossy(&page.bytes));
        assert!(!said.contains("evil.example"), "{}", page.path);
    }
}

#[tokio::test]
async fn addresses_given_to_channels_come_from_the_configuration_and_not_from_the_request() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile).with_header("host", "evil.example");
    phone.sign_in(&student).await;
    let cashier = phone.open(phone.submit(&phone.get("/h5/tuition").await.form("/h5/checkout")).await.location()).await;
    let pay = cashier.forms().into_iter().find(|form| form.action.ends_with("/pay")).unwrap();
    assert_eq!(phone.submit(&pay.set("method", "wechat")).await.status, 303);
    let bank = world.sandbox.bank();
    let trade = bank.trades().next().expect("an order at the channel");
    for url in [trade.ask.notify_url.as_deref(), trade.ask.return_url.as_deref()].into_iter().flatten() {
        assert!(url.starts_with(&world.url), "{url}");
    }
}

#[tokio::test]
async fn signing_in_and_settings_go_on_to_our_own_pages_only() {
    let (world, student) = world().await;
    for evil in EVIL {
        let phone = world.phone(Device::Desktop);
        let query: String = form_urlencoded::byte_serialize(evil.as_bytes()).collect();
        let login = phone.get(&format!("/h5/login?back={query}")).await.form("/h5/login");
        assert_eq!(login.field("back"), Some(""), "{evil:?}");
        let form = login.set("username", &student.number).set("password", student.password()).set("back", evil);
        let done = phone.submit(&form).await;
        assert_eq!((done.status, done.location()), (303, "/h5"), "{evil:?}");
        assert!(done.set_cookies().iter().all(|cookie| !cookie.contains("planted")));
        let settings = phone.get("/h5").await.form("/h5/settings").set("back", evil);
        assert_eq!(phone.submit(&settings).await.location(), "/h5", "{evil:?}");
        let signed_in = phone.get(&format!("/h5/login?back={query}")).await;
        assert_eq!(signed_in.location(), "/h5", "{evil:?}");
    }
}

#[tokio::test]
async fn a_line_break_in_a_parameter_reaches_no_header() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Desktop);
    phone.sign_in(&student).await;
    for path in [
        "/h5/orders?show=%0d%0aSet-Cookie:+a=b",
        "/h5?lang=en%0d%0aX-Evil:+1",
        "/h5/paid/%0d%0aX-Evil:1",
        "/q/%0d%0aX-Evil:1",
    ] {
        let page = phone.get(path).await;
        assert!(
            page.headers.get("x-evil").is_none() && page.set_cookies().iter().all(|cookie| !cookie.contains("a=b"))
        );
        assert!(page.status < 500, "{path}: {}", page.status);
    }
}

#[tokio::test]
async fn pages_are_compressed_as_the_browser_likes_and_streams_and_pictures_are_not() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Desktop);
    phone.sign_in(&student).await;
    let plain = phone.get("/h5").await;
    for (accepted, coding) in [("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("identity", ""), ("zstd", "")] {
        let page = phone.clone().with_header("accept-encoding", accepted).get("/h5").await;
        assert_eq!(page.header("content-encoding"), coding, "{accepted}");
        assert_eq!(page.bytes.len() < plain.bytes.len() * 2 / 3, !coding.is_empty());
    }
    let order = world.open_one(student.id, &[student.insurance]).await;
    let picture =
        phone.clone().with_header("accept-encoding", "br").get(&format!("/q/{}/code.png", order.pay_code)).await;
    assert_eq!((picture.header("content-type"), picture.header("content-encoding")), ("image/png", ""));
}

#[tokio::test]
async fn what_is_sent_compressed_is_not_unpacked() {
    let (world, _) = world().await;
    let phone = world.phone(Device::Desktop);
    let csrf = phone.get("/h5/login").await.form("/h5/login").field("csrf").unwrap().to_owned();
    let packed = phone.clone().with_header("content-encoding", "gzip");
    let page = packed.post("/h5/settings", &[("csrf", &csrf), ("lang", "en")]).await;
    assert_eq!(page.status, 303, "read as it stands");
    let bomb = packed.post_raw("/h5/settings", "application/x-www-form-urlencoded", vec![0x1f, 0x8b, 8, 0]).await;
    assert_eq!(bomb.status, 419);
}

#[tokio::test]
async fn a_form_longer_than_any_of_ours_is_refused_unread() {
    let (world, _) = world().await;
    let phone = world.phone(Device::Desktop);
    let csrf = phone.get("/h5/login").await.form("/h5/login").field("csrf").unwrap().to_owned();
    let page = phone.post("/h5/login", &[("csrf", &csrf), ("username", &"x".repeat(17_000))]).await;
    assert!(page.status == 413 && page.has("内容太大"), "{}: {}", page.status, page.text());
}

#[tokio::test]
async fn wrong_methods_and_paths_are_told_in_words() {
    let (world, _) = world().await;
    let phone = world.phone(Device::Desktop);
    let nowhere = phone.get("/h5/nowhere").await;
    assert!(nowhere.status == 404 && nowhere.has("没有这个页面"), "{}", nowhere.text());
    for method in ["DELETE", "PUT", "PATCH"] {
        assert_eq!(phone.request(method, "/h5/login").await.status, 405, "{method}");
    }
    let head = phone.request("HEAD", "/h5/login").await;
    assert!(head.status == 200 && head.bytes.is_empty());
    assert_eq!(phone.get("/").await.location(), "/h5");
}

#[tokio::test]
async fn the_language_is_the_payers_choice_and_before_it_the_browsers() {
    let (world, _) = world().await;
    let english = world.phone(Device::Mobile).with_header("accept-language", "en-GB,en;q=0.9");
    assert!(english.get("/h5/login").await.has("Sign in"));
    let phone = world.phone(Device::Mobile);
    assert!(phone.get("/h5/login").await.has("登录"));
    let login = phone.get("/h5/login?mode=id").await;
    let switched = phone.submit(&login.form("/h5/settings").set("lang", "en")).await;
    assert_eq!(switched.location(), "/h5/login?mode=id");
    let page = phone.open(switched.location()).await;
    assert!(page.has("Document number") && page.body().contains("<html lang=\"en\""), "{}", page.text());
    assert!(phone.get("/h5/login?lang=zh").await.has("登录"), "an address may choose");
    assert!(phone.get("/h5/login").await.has("登录"), "and the choice is kept");
    let care = phone.submit(&phone.get("/h5/login").await.form("/h5/settings").set("care", "1")).await;
    assert!(phone.open(care.location()).await.body().contains("data-care"));
}

#[tokio::test]
async fn the_switches_under_a_refused_form_lead_back_to_the_page_it_stood_on() {
    let (_world, student, phone) = {
        let (world, student) = world().await;
        let phone = world.phone(Device::Mobile);
        phone.sign_in(&student).await;
        (world, student, phone)
    };
    let nothing = phone.get("/h5/tuition").await.form("/h5/checkout").without("fee");
    let change = format!("/h5/tuition/{}/amount", student.tuition);
    for (refused, page) in [
        (phone.submit(&nothing).await, "/h5/tuition"),
        (phone.post("/h5/checkout", &[]).await, "/h5/tuition"),
        (phone.submit(&phone.get(&change).await.form(&change).set("amount", "x")).await, change.as_str()),
    ] {
        assert!(refused.status >= 400);
        let switched = phone.submit(&refused.form("/h5/settings")).await;
        assert_eq!((switched.location(), phone.get(page).await.status), (page, 200));
    }
}

#[tokio::test]
async fn the_second_page_names_its_stylesheets_and_scripts_and_each_stands_at_its_address_for_good() {
    let (world, _) = world().await;
    let phone = world.phone(Device::Wechat);
    let first = phone.get("/h5/login").await;
    assert!(first.body().contains("<style>") && !first.body().contains("/asset/"), "one request is enough");
    let second = phone.get("/h5/login").await;
    assert!(!second.body().contains("<style>") && !second.body().contains("<script>"));
    assert!(second.body().len() * 2 < first.body().len());
    let policy = second.header("content-security-policy").to_owned();
    let body = second.body();
    let addresses: Vec<&str> = body.split('"').filter(|part| part.starts_with("/asset/")).collect();
    assert_eq!(addresses.len(), 3, "{addresses:?}");
    for address in addresses {
        let own = format!("{}{address}", world.url);
        assert!(policy.split([' ', ';']).any(|source| source == own), "{own}: {policy}");
        let asset = phone.get(address).await;
        assert_eq!(asset.status, 200);
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(asset.header("x-content-type-options"), "nosniff");
        assert!(first.body().contains(&asset.body()), "{address}");
    }
    assert_eq!(phone.get("/asset/0123456789abcdef0123.css").await.status, 404);
}

#[tokio::test]
async fn a_page_brings_everything_where_the_policy_would_not_fit() {
    let (world, _) = world().await;
    let elsewhere = world.phone(Device::Wechat).with_header("host", "other.example");
    let old = world.phone(Device::Wechat).with_header("cookie", "jf_a=0011223344556677");
    for phone in [elsewhere, old] {
        phone.get("/h5/login").await;
        assert!(phone.get("/h5/login").await.body().contains("<style>"));
    }
}
