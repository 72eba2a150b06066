//! The H5 cashier as a phone's browser meets it, and the control surface beside it.
use serde_json::{Value, json};

use crate::sandbox::server::stage::{H5, NATIVE, Stage};
use crate::sandbox::world::Options;

async fn h5_url(stage: &Stage) -> String {
    stage.post(H5, &stage.h5_order("A00001")).await.json()["h5_url"].as_str().unwrap().to_owned()
}

async fn text(request: reqwest::RequestBuilder) -> String {
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn the_cashier_shows_the_order_and_leads_back_after_paying() {
    let stage = Stage::start().await;
    let url = format!("{}&redirect_url=https%3A%2F%2Fpay.example.edu.cn%2Fback%2F1", h5_url(&stage).await);
    let page = text(stage.http.get(&url).header("Referer", "https://pay.example.edu.cn/h5")).await;
    for shown in ["启明大学", "启明大学-学费", "8,000.00", "取消支付", "A00001"] {
        assert!(page.contains(shown), "{shown}");
    }
    let answer = stage.http.post(&url).form(&[("act", "pay")]).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["location"], "https://pay.example.edu.cn/back/1");
    assert_eq!(stage.query("A00001").await.json()["trade_state"], json!("SUCCESS"));
    assert_eq!(stage.query("A00001").await.json()["trade_type"], json!("MWEB"));
}

#[tokio::test]
async fn a_wrong_password_and_a_cancelled_try_leave_the_order_payable() {
    let stage = Stage::start().await;
    let url = h5_url(&stage).await;
    let wrong = text(stage.http.post(&url).form(&[("act", "wrong_password")])).await;
    assert!(wrong.contains("支付密码错误"));
    assert!(text(stage.http.post(&url).form(&[("act", "cancel")])).await.contains("支付已取消"));
    assert_eq!(stage.query("A00001").await.json()["trade_state"], json!("NOTPAY"));
    assert!(text(stage.http.post(&url).form(&[("act", "pay")])).await.contains("支付成功"));
}

#[tokio::test]
async fn another_persons_phone_is_turned_away() {
    let stage = Stage::start().await;
    let url = h5_url(&stage).await;
    text(stage.http.get(&url).header("Referer", "http://127.0.0.1/").header("Cookie", "phone=lin")).await;
    let wang = stage.http.post(&url).header("Cookie", "phone=wang").form(&[("act", "pay")]);
    assert!(text(wang).await.contains("商家订单信息有误，请重新下单支付"));
}

#[tokio::test]
async fn the_browser_must_come_from_the_merchants_domain_and_not_from_inside_wechat() {
    let options = Options { h5_domain: Some("pay.example.edu.cn".to_owned()), ..Options::default() };
    let stage = Stage::with(options).await;
    let url = h5_url(&stage).await;
    assert!(text(stage.http.get(&url)).await.contains("商家参数格式有误，请联系商家解决"));
    let elsewhere = stage.http.get(&url).header("Referer", "https://evil.example/pay.example.edu.cn");
    assert!(text(elsewhere).await.contains("商家存在未配置的参数，请联系商家解决"));
    let home = || stage.http.get(&url).header("Referer", "https://pay.example.edu.cn/h5/cashier");
    assert!(text(home().header("User-Agent", "Mozilla MicroMessenger/8.0")).await.contains("请在微信外打开订单"));
    assert!(text(home()).await.contains("立即支付"));
    stage.advance(300);
    assert!(text(home()).await.contains("支付请求已失效，请重新发起支付"));
}

#[tokio::test]
async fn what_a_merchant_writes_is_shown_and_never_run() {
    let stage = Stage::start().await;
    let mut order = stage.h5_order("A00001");
    order["description"] = json!("<script>alert('1')</script>");
    let url = stage.post(H5, &order).await.json()["h5_url"].as_str().unwrap().to_owned();
    let page = text(stage.http.get(&url).header("Referer", "http://127.0.0.1/")).await;
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)") && !page.contains("<script>"));
}

#[tokio::test]
async fn the_control_surface_pays_by_code_and_shows_the_books() {
    let stage = Stage::start().await;
    let control = |path: &str| format!("{}/control/{path}", stage.base);
    let code = stage.post(NATIVE, &stage.order("A00001")).await.json()["code_url"].clone();
    let scan = json!({ "channel": "wechat", "code": code, "phone": "lin" });
    let json_of =
        |request: reqwest::RequestBuilder| async { request.send().await.unwrap().json::<Value>().await.unwrap() };
    let refused = stage.http.post(control("wrong-password")).json(&scan).send().await.unwrap();
    assert_eq!(refused.status(), 409);
    assert_eq!(refused.json::<Value>().await.unwrap()["refusal"], json!("wrong_password"));
    let offer = json_of(stage.http.post(control("open")).json(&scan)).await;
    assert_eq!((&offer["amount"], &offer["product"]), (&json!(800_000), &json!("wechat_native")));
    let receipt = json_of(stage.http.post(control("pay")).json(&scan)).await;
    assert_eq!(receipt["amount"], json!(800_000));
    assert_eq!(json_of(stage.http.post(control("deliver"))).await[0]["received"], json!(true));
    let trades = json_of(stage.http.get(control("trades"))).await;
    assert_eq!((&trades[0]["state"], &trades[0]["phone"]), (&json!("paid"), &json!("lin")));
    let merchants = json_of(stage.http.get(control("merchants"))).await;
    assert_eq!(merchants[0]["received_fen"], json!(800_000));
    assert_eq!(json_of(stage.http.get(control("deliveries"))).await["waiting"], json!(0));
}

#[tokio::test]
async fn faults_and_switches_are_set_and_cleared_from_outside() {
    let stage = Stage::start().await;
    let faults = format!("{}/control/faults", stage.base);
    let wanted = json!({ "fault": "down", "channel": "wechat", "call": "query" });
    assert_eq!(stage.http.post(&faults).json(&wanted).send().await.unwrap().status(), 204);
    assert_eq!(stage.http.post(&faults).json(&json!({ "fault": "rain" })).send().await.unwrap().status(), 400);
    let listed: Value = stage.http.get(&faults).send().await.unwrap().json().await.unwrap();
    assert_eq!(listed["in_force"][0]["fault"], json!("down"));
    assert!(listed["known"].as_array().unwrap().len() > 30);
    assert_eq!(stage.query("A00001").await.status, 503);
    stage.http.delete(&faults).send().await.unwrap();
    assert_eq!(stage.query("A00001").await.status, 404);

    let switches = format!("{}/control/switches", stage.base);
    stage.http.post(&switches).json(&json!({ "public_key_only": true })).send().await.unwrap();
    assert_eq!(stage.get("/v3/certificates").await.status, 404);
    let advance = stage.http.post(format!("{}/control/advance", stage.base)).json(&json!({ "seconds": 60 }));
    advance.send().await.unwrap();
    assert_eq!(stage.world.now().since(crate::sandbox::server::stage::NOON).as_secs(), 60);
}
