//! One payer can never read, pay, cancel or guess anything of another: over the whole route map.
use jiaofei::domain::ids::{EnrolmentId, PayLinkId};
use jiaofei::domain::order::{Order, OrderState};
use jiaofei::domain::payer::Payer;
use jiaofei::domain::trade::Product;
use jiaofei::store::{journal, payers};

use crate::enrolling::seat_of;
use crate::pay_for_me::link_of;
use crate::world::app::TestApp;
use crate::world::map::{Route, routes};
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

/// Pages without an owner: what anybody may open.
const OPEN: [&str; 23] = [
    "/h5/sso",
    "/h5/sso/trouble",
    "/h5/wechat/jssdk",
    "/h5/wechat/enter",
    "/h5/agreement",
    "/h5/login",
    "/h5/forgot",
    "/h5/settings",
    "/h5/logout",
    "/h5/news",
    "/h5/news/:id",
    "/h5/help",
    "/",
    "/h5/enrol",
    "/h5/enrol/:programme_id",
    "/h5/forgot/code",
    "/h5/forgot/link",
    "/h5/sign-up",
    "/h5/sign-up/code",
    "/h5/sign-up/details",
    "/h5/mail",
    "/h5/international",
    "/h5/international/activate",
];

struct Scene {
    world: TestApp,
    victim: Student,
    /// Of the victim, waiting for payment
    waiting: Order,
    /// Of the victim, paid
    paid: Order,
    receipt_no: String,
    /// Of the victim
    enrolment: EnrolmentId,
    /// Of the victim
    pay_link: PayLinkId,
}

impl Scene {
    async fn new() -> Scene {
        let world = TestApp::start().await;
        let victim = world.school.student(&world.app, 1, "林知夏").await;
        let paid = world.open_one(victim.id, &[victim.dormitory]).await;
        world.pay(&paid, Product::WechatNative, "13800000001").await;
        world.sandbox.deliver_due().await;
        let waiting = world.open_one(victim.id, &[victim.insurance]).await;
        let receipt = journal::find_receipt_of_order(world.app.db.read(), paid.id).await.unwrap().unwrap();
        let enrolment = seat_of(&world, &victim).await;
        let pay_link = link_of(&world, &victim, victim.tuition).await.id;
        Scene { world, victim, waiting, paid, enrolment, pay_link, receipt_no: receipt.receipt_no }
    }

    /// The path of a route to the victim's things.
    fn path(&self, route: &Route, order: &Order) -> String {
        route.path(&[
            ("order_no", order.order_no.as_str()),
            ("charge_id", &self.victim.tuition.to_string()),
            ("receipt_no", &self.receipt_no),
            ("enrolment_id", &self.enrolment.to_string()),
            ("pay_link_id", &self.pay_link.to_string()),
            // nobody's own, so nothing to find
            ("service", "nowhere"),
        ])
    }
}

fn own_routes() -> Vec<Route> {
    let own = |route: &Route| route.pattern.starts_with("/h5") && !OPEN.contains(&route.pattern.as_str());
    routes().into_iter().filter(own).filter(|route| !route.only_sends_on()).collect()
}

async fn csrf(phone: &Phone) -> String {
    let page = phone.open("/h5").await;
    page.form("/h5/settings").field("csrf").unwrap().to_owned()
}

async fn ask(phone: &Phone, route: &Route, path: &str, csrf: &str) -> crate::world::page::Page {
    let fields = [("csrf", csrf), ("method", "wechat"), ("amount", "500.00")];
    if route.method == "GET" { phone.get(path).await } else { phone.post(path, &fields).await }
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_sent_to_sign_in_from_every_page_and_form() {
    let scene = Scene::new().await;
    let stranger = scene.world.phone(Device::Mobile);
    let csrf = csrf(&stranger).await;
    for route in own_routes() {
        let path = scene.path(&route, &scene.waiting);
        let answer = ask(&stranger, &route, &path, &csrf).await;
        if path.ends_with("/state") || path.ends_with("/events") {
            assert_eq!(answer.status, 401, "{path}");
            assert!(answer.body().contains("\"next\":\"/h5/login?"), "{}", answer.body());
        } else {
            assert!(answer.location().starts_with("/h5/login?"), "{} {path}: {}", route.method, answer.location());
        }
        assert!(!answer.body().contains("250.00"));
    }
    assert!(matches!(scene.world.order(&scene.waiting).await.state, OrderState::Pending { .. }));
}

#[tokio::test]
async fn another_payer_finds_nothing_behind_any_path_and_cannot_tell_it_from_what_does_not_exist() {
    let scene = Scene::new().await;
    let other = scene.world.school.student(&scene.world.app, 2, "周以宁").await;
    let phones = [scene.world.phone(Device::Mobile), scene.world.phone(Device::Wechat)];
    phones[0].sign_in(&other).await;
    phones[1].sign_in_by_id(&other).await;
    for phone in &phones {
        let csrf = csrf(phone).await;
        for route in own_routes().into_iter().filter(Route::has_parameter) {
            let nowhere = route.path(&[
                ("order_no", "XF990101QMU999999"),
                ("charge_id", "999999"),
                ("receipt_no", "999999"),
                ("enrolment_id", "999999"),
                ("pay_link_id", "999999"),
                ("service", "nowhere"),
            ]);
            let nothing = ask(phone, &route, &nowhere, &csrf).await;
            assert_eq!(nothing.status, 404, "{} {nowhere}", route.method);
            for order in [&scene.waiting, &scene.paid] {
                let path = scene.path(&route, order);
                let answer = ask(phone, &route, &path, &csrf).await;
                assert_eq!(answer.status, 404, "{} {path}: {}", route.method, answer.text());
                if !path.ends_with("/state") && !path.ends_with("/events") {
                    assert_eq!(answer.text(), nothing.text(), "{path}");
                }
            }
        }
    }
    assert!(matches!(scene.world.order(&scene.waiting).await.state, OrderState::Pending { .. }));
    let attempts = format!("SELECT COUNT(*) FROM attempt WHERE order_id = {}", scene.waiting.id);
    assert_eq!(scene.world.count(&attempts).await, 0, "and nothing was begun");
}

#[tokio::test]
async fn numbers_are_looked_up_in_any_case_but_only_ones_own() {
    let scene = Scene::new().await;
    let small = scene.paid.order_no.as_str().to_lowercase();
    let (owner, other) = (scene.world.phone(Device::Mobile), scene.world.phone(Device::Mobile));
    owner.sign_in(&scene.victim).await;
    other.sign_in(&scene.world.school.student(&scene.world.app, 2, "周以宁").await).await;
    assert_eq!(owner.get(&format!("/h5/orders/{small}")).await.status, 200);
    assert_eq!(other.get(&format!("/h5/orders/{small}")).await.status, 404);
}

#[tokio::test]
async fn a_number_of_somebody_elses_finds_nothing_in_any_list() {
    let scene = Scene::new().await;
    let OrderState::Paid { trade_no, .. } = scene.world.order(&scene.paid).await.state else { panic!("not paid") };
    let (owner, other) = (scene.world.phone(Device::Mobile), scene.world.phone(Device::Mobile));
    owner.sign_in(&scene.victim).await;
    other.sign_in(&scene.world.school.student(&scene.world.app, 2, "周以宁").await).await;
    for number in [scene.paid.order_no.as_str(), &scene.receipt_no, &trade_no.0] {
        for list in ["orders", "paid", "dealings"] {
            let path = format!("/h5/{list}?no={number}");
            assert!(owner.get(&path).await.has("1,100.00"), "{path}");
            assert!(!other.get(&path).await.has("1,100.00"), "{path}");
        }
    }
}

#[tokio::test]
async fn nobody_can_order_what_somebody_else_owes() {
    let scene = Scene::new().await;
    let other = scene.world.school.student(&scene.world.app, 2, "周以宁").await;
    let phone = scene.world.phone(Device::Mobile);
    phone.sign_in(&other).await;
    let form = phone.get("/h5/tuition").await.form("/h5/checkout");
    let before = scene.world.count("SELECT COUNT(*) FROM payment_order").await;
    let stolen = form.without("fee").set("fee", &scene.victim.tuition.to_string());
    assert_eq!(phone.submit(&stolen).await.status, 404);
    assert_eq!(scene.world.count("SELECT COUNT(*) FROM payment_order").await, before);
}

#[tokio::test]
async fn a_checkouts_key_is_its_payers_own() {
    let world = TestApp::start().await;
    let students =
        [world.school.student(&world.app, 1, "林知夏").await, world.school.student(&world.app, 2, "周以宁").await];
    let mut numbers = Vec::new();
    for student in &students {
        let phone = world.phone(Device::Mobile);
        phone.sign_in(student).await;
        let form = phone.get("/h5/tuition").await.form("/h5/checkout").set("checkout_id", "thesamekeyfromboth22");
        numbers.push(phone.submit(&form).await.location().to_owned());
    }
    assert_ne!(numbers[0], numbers[1]);
    assert_eq!(world.count("SELECT COUNT(DISTINCT payer_id) FROM payment_order").await, 2);
}

#[tokio::test]
async fn whoever_has_a_pay_code_sees_what_is_to_be_paid_and_a_masked_name_and_cannot_cancel() {
    let scene = Scene::new().await;
    let account = payers::find(scene.world.app.db.read(), scene.victim.id).await.unwrap().unwrap();
    let Payer { name, number, college, .. } = account.payer;
    let bearer = scene.world.phone(Device::Mobile);
    let code = &scene.waiting.pay_code;
    let page = bearer.get(&format!("/q/{code}")).await;
    assert!(page.status == 200 && page.has("250.00") && page.has("林*夏"), "{}", page.text());
    for secret in [name, number, college, scene.victim.id_number.reveal().to_owned(), "17800005287".to_owned()] {
        assert!(!page.body().contains(&secret), "{secret}");
    }
    let csrf = csrf(&bearer).await;
    assert_eq!(bearer.post(&format!("/q/{code}/cancel"), &[("csrf", &csrf)]).await.status, 404);
    assert!(matches!(scene.world.order(&scene.waiting).await.state, OrderState::Pending { .. }));
}

#[tokio::test]
async fn the_code_of_a_paid_order_shows_nothing_of_it_any_more() {
    let scene = Scene::new().await;
    let bearer = scene.world.phone(Device::Mobile);
    for path in ["", "/result"] {
        let page = bearer.get(&format!("/q/{}{path}", scene.paid.pay_code)).await;
        assert!(page.status == 200 && page.has("这笔订单已付款"), "{}", page.text());
        assert!(!page.has("1,100.00") && !page.has("住宿费") && !page.has("林"), "{}", page.text());
    }
}

#[tokio::test]
async fn codes_cannot_be_tried_one_after_the_other() {
    let scene = Scene::new().await;
    let guesser = scene.world.phone(Device::Mobile);
    for at in 0..30 {
        let page = guesser.get(&format!("/q/guess{at}")).await;
        assert!(page.status == 404 && page.has("没有这个付款码"), "{}: {}", page.status, page.text());
    }
    let page = guesser.get("/q/guess30").await;
    assert_eq!((page.status, page.header("retry-after")), (429, "600"));
    let right = guesser.get(&format!("/q/{}", scene.waiting.pay_code)).await;
    assert_eq!(right.status, 200, "a genuine code still opens");
}
