//! A payer's own program reads what the pages show, and nothing of anybody else's.
use std::time::Duration;

use jiaofei::domain::order::Order;
use jiaofei::domain::trade::Product;
use serde_json::Value;

use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

pub fn json(page: &Page) -> Value {
    serde_json::from_slice(&page.bytes).unwrap_or_else(|_| panic!("{}: {}", page.path, page.text()))
}

/// Checks that an answer is a problem of this kind in both languages.
pub fn is_problem(page: &Page, status: u16, code: &str) -> Value {
    let said = json(page);
    assert_eq!((page.status, said["code"].as_str()), (status, Some(code)), "{}: {said}", page.path);
    assert_eq!(page.header("content-type"), "application/problem+json");
    assert_eq!(said["type"], format!("urn:jiaofei:problem:{code}"));
    assert_eq!(said["status"], status);
    assert!(said["title"].as_str().unwrap().is_ascii());
    for (zh, en) in [("title_zh", "title"), ("detail_zh", "detail")] {
        let is_chinese = |c: char| ('\u{4e00}'..'\u{9fff}').contains(&c);
        assert!(said[zh].as_str().unwrap().chars().any(is_chinese) && !said[en].as_str().unwrap().is_empty());
    }
    assert_eq!(said["request_id"].as_str().unwrap().len(), 10);
    said
}

struct Scene {
    world: TestApp,
    student: Student,
    phone: Phone,
}

impl Scene {
    async fn new() -> Scene {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let phone = world.phone(Device::Desktop);
        Scene { world, student, phone }
    }

    async fn signed_in() -> Scene {
        let scene = Scene::new().await;
        scene.phone.sign_in(&scene.student).await;
        scene
    }

    async fn get(&self, path: &str) -> Value {
        let page = self.phone.get(path).await;
        assert_eq!((page.status, page.header("content-type")), (200, "application/json; charset=utf-8"), "{path}");
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(page.set_cookies().is_empty(), "{path}");
        json(&page)
    }

    async fn paid(&self) -> Order {
        let order = self.world.open_one(self.student.id, &[self.student.dormitory]).await;
        self.world.pay(&order, Product::WechatNative, "13800000001").await;
        self.world.sandbox.deliver_due().await;
        order
    }
}

#[tokio::test]
async fn the_session_says_who_is_signed_in_and_masks_it() {
    let scene = Scene::signed_in().await;
    let said = scene.get("/api/session").await;
    assert_eq!(said["name"], "林*夏");
    assert_eq!(said["number"], "2019****0001");
    assert_eq!(said["rights"], "full");
    assert_eq!(said["signed_in_at"], "2026-09-01T10:00:00+08:00");
    assert!(!said.to_string().contains(&scene.student.number));
}

#[tokio::test]
async fn arrears_are_told_in_fen_and_in_yuan_and_say_what_waits_in_which_order() {
    let scene = Scene::signed_in().await;
    let order = scene.world.open_one(scene.student.id, &[scene.student.insurance]).await;
    let said = scene.get("/api/arrears").await;
    assert_eq!(said["total"], serde_json::json!({ "fen": 935_000, "yuan": "9350.00" }));
    let charges = said["charges"].as_array().unwrap();
    let states: Vec<_> = charges.iter().map(|charge| (&charge["item"]["zh"], &charge["state"])).collect();
    assert_eq!(states.len(), 3);
    assert_eq!((states[0].0.as_str(), states[0].1.as_str()), (Some("学费"), Some("payable")));
    assert_eq!((states[2].0.as_str(), states[2].1.as_str()), (Some("医疗保险"), Some("in_order")));
    assert_eq!(charges[2]["order_no"], order.order_no.as_str());
    assert_eq!(charges[0]["min_part"]["fen"], 50_000);
    assert!(charges[1].get("order_no").is_none());
}

#[tokio::test]
async fn orders_and_receipts_are_listed_and_read_one_by_one() {
    let scene = Scene::signed_in().await;
    let paid = scene.paid().await;
    let waiting = scene.world.open_one(scene.student.id, &[scene.student.insurance]).await;
    let list = scene.get("/api/orders").await;
    assert_eq!((list["orders"].as_array().unwrap().len(), &list["more"], &list["page"]), (2, &false.into(), &1.into()));
    let only = scene.get("/api/orders?show=paid&from=2026-09-01&to=2026-09-01").await;
    assert_eq!(only["orders"][0]["order_no"], paid.order_no.as_str());
    assert_eq!(only["orders"].as_array().unwrap().len(), 1);
    assert!(scene.get("/api/orders?to=2026-08-31").await["orders"].as_array().unwrap().is_empty());
    let one = scene.get(&format!("/api/orders/{}", paid.order_no)).await;
    assert_eq!((&one["order"]["state"], &one["order"]["channel"]), (&"paid".into(), &"wechat".into()));
    assert_eq!(one["order"]["total"]["yuan"], "1100.00");
    assert_eq!(one["order"]["lines"][0]["amount"]["fen"], 110_000);
    let state = scene.get(&format!("/api/orders/{}/state", waiting.order_no)).await;
    assert_eq!((&state["state"], &state["is_final"]), (&"pending".into(), &false.into()));
    let receipts = scene.get("/api/receipts").await;
    let receipt_no = one["receipt_no"].as_str().unwrap();
    assert_eq!(receipts["receipts"][0]["receipt_no"], receipt_no);
    let receipt = scene.get(&format!("/api/receipts/{receipt_no}")).await;
    assert_eq!(receipt["order"]["order_no"], paid.order_no.as_str());
}

#[tokio::test]
async fn nobody_reads_what_is_anothers_and_nobody_signed_out_reads_anything() {
    let scene = Scene::signed_in().await;
    let paid = scene.paid().await;
    let record = scene.get(&format!("/api/orders/{}", paid.order_no)).await;
    let receipt_no = record["receipt_no"].as_str().unwrap();
    let other = scene.world.school.student(&scene.world.app, 2, "张三").await;
    let stranger = scene.world.phone(Device::Desktop);
    stranger.sign_in(&other).await;
    let own = [
        format!("/api/orders/{}", paid.order_no),
        format!("/api/orders/{}/state", paid.order_no),
        format!("/api/receipts/{receipt_no}"),
    ];
    for path in &own {
        is_problem(&stranger.get(path).await, 404, "not-found");
    }
    for path in ["/api/orders", "/api/receipts"] {
        let text = stranger.get(path).await.text();
        assert!(!text.contains(paid.order_no.as_str()) && !text.contains(receipt_no));
    }
    let nobody = scene.world.phone(Device::Desktop);
    let all = ["/api/session", "/api/arrears", "/api/orders", "/api/receipts"].map(str::to_owned);
    for path in own.iter().chain(&all) {
        is_problem(&nobody.get(path).await, 401, "signed-out");
    }
}

#[tokio::test]
async fn whoever_signed_in_with_a_document_sees_no_day_before() {
    let scene = Scene::new().await;
    let old = scene.paid().await;
    scene.world.clock.advance(Duration::from_secs(86_400));
    scene.phone.sign_in_by_id(&scene.student).await;
    assert_eq!(scene.get("/api/session").await["rights"], "own_arrears");
    assert!(scene.get("/api/orders").await["orders"].as_array().unwrap().is_empty());
    assert!(scene.get("/api/receipts").await["receipts"].as_array().unwrap().is_empty());
    is_problem(&scene.phone.get(&format!("/api/orders/{}", old.order_no)).await, 404, "not-found");
    assert_eq!(scene.get("/api/arrears").await["total"]["fen"], 825_000);
    let today = scene.world.open_one(scene.student.id, &[scene.student.insurance]).await;
    assert_eq!(scene.get("/api/orders").await["orders"][0]["order_no"], today.order_no.as_str());
}

#[tokio::test]
async fn a_question_that_cannot_be_read_is_told_and_never_a_page() {
    let scene = Scene::signed_in().await;
    for path in [
        "/api/orders?page=0",
        "/api/orders?page=x",
        "/api/orders?page=100001",
        "/api/orders?show=everything",
        "/api/orders?from=2026-02-30",
        "/api/receipts?to=yesterday",
    ] {
        is_problem(&scene.phone.get(path).await, 400, "unreadable");
    }
    for path in ["/api/nowhere", "/api/orders/XF1", "/api/orders/%00", "/api/receipts/%00", "/api/orders/a/b/c"] {
        is_problem(&scene.phone.get(path).await, 404, "not-found");
    }
    for (method, path) in [("POST", "/api/orders"), ("DELETE", "/api/session"), ("PUT", "/api/openapi.json")] {
        let page = scene.phone.request(method, path).await;
        is_problem(&page, 405, "method-not-allowed");
        assert_eq!(page.header("allow"), "GET, HEAD", "{path}");
    }
}
