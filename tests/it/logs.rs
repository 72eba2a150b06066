//! What is written down for the operator: one line per request, found by its id, and never who somebody is.
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use jiaofei::domain::trade::Product;
use jiaofei::store::journal;
use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::fmt::MakeWriter;

use crate::world::app::TestApp;
use crate::world::phone::Device;

#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Lines;
    fn make_writer(&self) -> Lines {
        self.clone()
    }
}

impl Lines {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Everything the app says at its most talkative, as `serve` writes it. The whole test runs on one thread.
pub fn listen() -> (Lines, tracing::subscriber::DefaultGuard) {
    // as long as there is one listener only, a place first passed by a test without one stays silent for everybody
    static SECOND: OnceLock<Dispatch> = OnceLock::new();
    SECOND.get_or_init(|| Dispatch::new(NoSubscriber::new()));
    let lines = Lines::default();
    let filter = tracing_subscriber::EnvFilter::new("warn,jiaofei=trace");
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter);
    let guard = tracing::subscriber::set_default(subscriber.with_writer(lines.clone()).finish());
    (lines, guard)
}

#[tokio::test]
async fn a_request_leaves_one_line_with_its_id_its_route_and_how_it_ended() {
    let (lines, _guard) = listen();
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Mobile);
    phone.sign_in(&student).await;
    phone.get("/h5/orders?show=paid").await;
    phone.get("/h5/orders/XF990101QMU999999").await;
    phone.get("/h5/nowhere").await;
    let text = lines.text();
    let answered: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["message"] == "answered")
        .collect();
    let seen: Vec<String> = answered
        .iter()
        .map(|line| {
            format!("{} {} {}", line["method"].as_str().unwrap(), line["route"].as_str().unwrap(), line["status"])
        })
        .collect();
    let expected = [
        "GET /h5/login 200",
        "POST /h5/login 303",
        "GET /h5/ 200",
        "GET /h5/orders 200",
        "GET /h5/orders/:order_no 404",
        "GET /h5 404",
    ];
    assert_eq!(seen, expected);
    let ids: Vec<&str> = answered.iter().map(|line| line["span"]["id"].as_str().unwrap()).collect();
    assert!(ids.iter().all(|id| id.len() == 10) && ids[0] != ids[1], "{ids:?}");
}

#[tokio::test]
async fn no_line_names_a_person_a_number_a_password_a_token_or_a_code() {
    let (lines, _guard) = listen();
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Mobile);
    let form = phone.get("/h5/login").await.form("/h5/login");
    let csrf = form.field("csrf").unwrap().to_owned();
    phone.submit(&form.set("username", &student.number).set("password", "S3cret-typo")).await;
    let by_id = phone.get("/h5/login?mode=id").await.form("/h5/login");
    phone.submit(&by_id.set("id_number", student.id_number.reveal()).set("name", "林知厦")).await;
    let form = phone.get("/h5/login").await.form("/h5/login");
    let done = phone.submit(&form.set("username", &student.number).set("password", student.password())).await;
    let token = done.set_cookies()[0].split(['=', ';']).nth(1).unwrap().to_owned();
    let checkout = phone.get("/h5/tuition").await.form("/h5/checkout");
    let cashier = phone.open(phone.submit(&checkout).await.location()).await;
    let pay = cashier.forms().into_iter().find(|form| form.action.ends_with("/pay")).unwrap();
    phone.settle(phone.submit(&pay.set("method", "wechat")).await).await;
    let order = world.open_one(student.id, &[student.insurance]).await;
    phone.get(&format!("/q/{}?lang=en", order.pay_code)).await;
    phone.get("/q/unknownunknown").await;
    phone.post("/h5/checkout", &[("csrf", "forged"), ("fee", "1")]).await;
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    phone.submit(&phone.get("/h5").await.form("/h5/logout-everywhere")).await;

    let text = lines.text();
    assert!(text.lines().count() > 15, "{text}");
    for secret in [
        student.number.as_str(),
        student.name.as_str(),
        "林知厦",
        student.id_number.reveal(),
        student.id_number.tail(6),
        "17800005287",
        "S3cret-typo",
        token.as_str(),
        csrf.as_str(),
        order.pay_code.as_str(),
        "unknownunknown",
        "lang=en",
        "jf_v",
    ] {
        assert!(
            !text.contains(secret),
            "a line says {secret}: {}",
            text.lines().find(|line| line.contains(secret)).unwrap()
        );
    }
}

#[tokio::test]
async fn every_kind_of_office_item_is_one_error_line_without_its_details() {
    let (lines, _guard) = listen();
    let world = TestApp::start().await;
    for (kind, details) in [("unknown_attempt", "details of one"), ("refund_closed", "details of another")] {
        for _ in 0..2 {
            let raise = journal::raise_office_item(world.app.db.write(), kind, "A-1", details, world.clock.now());
            raise.await.unwrap();
        }
        let text = lines.text();
        let told = text.lines().filter(|line| line.contains(kind)).collect::<Vec<_>>();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("ERROR") && told[0].contains("A-1") && !told[0].contains(details), "{told:?}");
    }
}
