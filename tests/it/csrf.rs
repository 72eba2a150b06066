//! Forms of other sites, other browsers and other sessions are refused on every POST, and lose nothing.
use jiaofei::domain::order::OrderState;

use crate::world::app::TestApp;
use crate::world::map::{Route, routes};
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

struct Scene {
    world: TestApp,
    student: Student,
    phone: Phone,
    order: jiaofei::domain::order::Order,
}

impl Scene {
    async fn new() -> Scene {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let order = world.open_one(student.id, &[student.insurance]).await;
        let phone = world.phone(Device::Desktop);
        phone.sign_in(&student).await;
        Scene { world, student, phone, order }
    }

    fn path(&self, route: &Route) -> String {
        route.path(&[
            ("order_no", self.order.order_no.as_str()),
            ("code", &self.order.pay_code),
            ("charge_id", &self.student.tuition.to_string()),
            ("programme_id", "1"),
            ("enrolment_id", "1"),
            ("pay_link_id", "1"),
            ("receipt_no", "1"),
            ("service", "electricity"),
        ])
    }

    async fn csrf(&self, phone: &Phone) -> String {
        phone.open("/h5").await.form("/h5/settings").field("csrf").unwrap().to_owned()
    }

    async fn is_untouched(&self) {
        assert!(matches!(self.world.order(&self.order).await.state, OrderState::Pending { .. }));
        assert_eq!(self.world.count("SELECT COUNT(*) FROM payment_order").await, 1);
        assert_eq!(self.world.count("SELECT COUNT(*) FROM attempt").await, 0);
        assert_eq!(self.phone.get("/h5").await.status, 200, "still signed in");
    }
}

/// Every form: all POSTs but the doors of the channels and the official account, which have their own signatures, of
/// the portal, which names a ticket, and the API, which has keys.
fn forms() -> Vec<Route> {
    let doors = ["/notify", "/wechat/message", "/cas/callback", "/api"];
    let machines = |route: &Route| doors.iter().any(|door| route.pattern.starts_with(door));
    routes().into_iter().filter(|route| route.method == "POST" && !machines(route) && !route.only_sends_on()).collect()
}

#[track_caller]
fn is_expired(page: &Page) {
    assert!(page.status == 419 && page.has("页面已过期"), "{} {}: {}", page.path, page.status, page.text());
    assert!(page.set_cookies().iter().all(|cookie| !cookie.starts_with("jf_s")));
}

#[tokio::test]
async fn a_form_without_its_token_or_with_a_made_up_one_is_refused_everywhere() {
    let scene = Scene::new().await;
    assert!(forms().len() > 10);
    for route in forms() {
        let path = scene.path(&route);
        for fields in [&[][..], &[("csrf", "")], &[("csrf", "AAAA")], &[("csrf", &"A".repeat(86))]] {
            is_expired(&scene.phone.post(&path, fields).await);
        }
    }
    scene.is_untouched().await;
}

#[tokio::test]
async fn a_token_of_another_browser_or_of_the_same_browser_before_it_signed_in_is_refused() {
    let scene = Scene::new().await;
    let attacker = scene.world.phone(Device::Desktop);
    let theirs = scene.csrf(&attacker).await;
    let student = scene.world.school.student(&scene.world.app, 2, "周以宁").await;
    attacker.sign_in(&student).await;
    let signed_in = scene.csrf(&attacker).await;
    for route in forms() {
        let path = scene.path(&route);
        is_expired(&scene.phone.post(&path, &[("csrf", &theirs)]).await);
        is_expired(&scene.phone.post(&path, &[("csrf", &signed_in)]).await);
    }
    scene.is_untouched().await;
    let phone = scene.world.phone(Device::Desktop);
    let before = scene.csrf(&phone).await;
    phone.sign_in(&student).await;
    is_expired(&phone.post("/h5/logout", &[("csrf", &before)]).await);
}

#[tokio::test]
async fn a_form_that_stood_on_another_site_is_refused_even_with_the_right_token() {
    let scene = Scene::new().await;
    let csrf = scene.csrf(&scene.phone).await;
    let evil = [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for route in forms() {
        for (name, value) in evil {
            let phone = scene.phone.clone().with_header(name, value);
            let page = phone.post(&scene.path(&route), &[("csrf", &csrf)]).await;
            assert!(page.status == 403 && page.has("不能查看"), "{} {}: {}", page.path, page.status, page.text());
        }
    }
    scene.is_untouched().await;
    let own = scene.phone.clone().with_header("origin", &scene.world.url).with_header("sec-fetch-site", "same-origin");
    assert_eq!(own.post("/h5/settings", &[("csrf", &csrf)]).await.status, 303);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let scene = Scene::new().await;
    let csrf = scene.csrf(&scene.phone).await;
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        assert_eq!(scene.phone.post_raw("/h5/logout", kind, format!("csrf={csrf}")).await.status, 400, "{kind}");
    }
    scene.is_untouched().await;
}

#[tokio::test]
async fn the_page_that_says_so_leads_back_to_where_the_form_stood() {
    let scene = Scene::new().await;
    for (form, page) in [
        (format!("/h5/cashier/{}/pay", scene.order.order_no), format!("/h5/cashier/{}", scene.order.order_no)),
        (format!("/q/{}/pay", scene.order.pay_code), format!("/q/{}", scene.order.pay_code)),
        ("/h5/checkout".to_owned(), "/h5/tuition".to_owned()),
        ("/h5/login".to_owned(), "/h5/login".to_owned()),
    ] {
        let answer = scene.phone.post(&form, &[]).await;
        is_expired(&answer);
        assert!(answer.links().contains(&page), "{form}: {:?}", answer.links());
    }
}

#[tokio::test]
async fn a_token_is_masked_afresh_on_every_page_and_each_of_them_is_good() {
    let scene = Scene::new().await;
    let (one, two) = (scene.csrf(&scene.phone).await, scene.csrf(&scene.phone).await);
    assert_ne!(one, two);
    for csrf in [one, two] {
        assert_eq!(scene.phone.post("/h5/settings", &[("csrf", &csrf)]).await.status, 303);
    }
}

#[tokio::test]
async fn no_form_can_be_sent_by_a_link() {
    let scene = Scene::new().await;
    let pages: Vec<String> =
        routes().into_iter().filter(|route| route.method == "GET").map(|route| route.pattern).collect();
    for route in forms().into_iter().filter(|route| !pages.contains(&route.pattern)) {
        let page = scene.phone.get(&scene.path(&route)).await;
        assert!(page.status == 405 && page.has("不能这样打开"), "{} {}", page.path, page.status);
    }
    scene.is_untouched().await;
}
