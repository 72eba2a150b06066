//! Signing in with WeChat, from the page in the phone to the openid at the server.
use std::collections::HashMap;

use serde_json::{Value, json};

use crate::sandbox::faults::{Call, Fault, Setting};
use crate::sandbox::merchants::{WECHAT_APP_ID, WECHAT_APP_SECRET, openid};
use crate::sandbox::server::stage::Stage;
use crate::sandbox::world::Options;

const BACK: &str = "https://pay.example.edu.cn/h5/back";

/// The authorise page's address with one parameter changed.
fn page(stage: &Stage, changed: (&str, &str)) -> String {
    let usual = [
        ("appid", WECHAT_APP_ID),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "snsapi_base"),
        ("state", "s7ate"),
    ];
    let fields = usual.map(|(name, value)| if name == changed.0 { changed } else { (name, value) });
    let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("{}/connect/oauth2/authorize?{query}", stage.base)
}

async fn visit(stage: &Stage, url: &str, phone: Option<&str>) -> reqwest::Response {
    let mut request = stage.http.get(url).header("User-Agent", "Mozilla/5.0 MicroMessenger/8.0.50");
    if let Some(phone) = phone {
        request = request.header("Cookie", format!("a=b; phone={phone}"));
    }
    request.send().await.unwrap()
}

/// What the browser is sent back with.
async fn sent_back(stage: &Stage, phone: &str) -> HashMap<String, String> {
    let answer = visit(stage, &page(stage, ("", "")), Some(phone)).await;
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let (back, query) = location.split_once('?').unwrap();
    assert_eq!(back, BACK);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

async fn exchange(stage: &Stage, code: &str, secret: &str) -> Value {
    let query = [("appid", WECHAT_APP_ID), ("secret", secret), ("code", code), ("grant_type", "authorization_code")];
    let answer = stage.http.get(format!("{}/sns/oauth2/access_token", stage.base)).query(&query).send().await.unwrap();
    assert_eq!(answer.status(), 200, "errors too come with 200");
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_visitor_comes_back_with_a_code_that_tells_his_openid_once() {
    let stage = Stage::start().await;
    let back = sent_back(&stage, "lin").await;
    assert_eq!(back["state"], "s7ate");
    let told = exchange(&stage, &back["code"], WECHAT_APP_SECRET).await;
    assert_eq!(told["openid"], json!(openid(WECHAT_APP_ID, "lin")));
    assert_eq!((&told["scope"], told.get("is_snapshotuser")), (&json!("snsapi_base"), None));
    assert_eq!(exchange(&stage, &back["code"], WECHAT_APP_SECRET).await["errcode"], json!(40163));
}

#[tokio::test]
async fn a_wrong_old_or_missing_code_and_a_wrong_secret_have_their_numbers() {
    let stage = Stage::start().await;
    let code = sent_back(&stage, "lin").await["code"].clone();
    assert_eq!(exchange(&stage, &code, "wrong").await["errcode"], json!(40125));
    assert_eq!(exchange(&stage, "never", WECHAT_APP_SECRET).await["errcode"], json!(40029));
    assert_eq!(exchange(&stage, "", WECHAT_APP_SECRET).await["errcode"], json!(41008));
    stage.advance(300);
    assert_eq!(exchange(&stage, &code, WECHAT_APP_SECRET).await["errcode"], json!(42003));
}

#[tokio::test]
async fn a_snapshot_page_has_a_virtual_visitor() {
    let stage = Stage::start().await;
    stage.world.set_fault(Setting::once(Fault::SnapshotUser));
    let code = sent_back(&stage, "lin").await["code"].clone();
    let told = exchange(&stage, &code, WECHAT_APP_SECRET).await;
    assert_eq!(told["is_snapshotuser"], json!(1));
    assert_ne!(told["openid"], json!(openid(WECHAT_APP_ID, "lin")));
}

#[tokio::test]
async fn the_account_can_be_down_while_the_gateway_is_not() {
    let stage = Stage::start().await;
    stage.world.set_fault(Setting::always(Fault::Down).during(Call::Account));
    let url = format!("{}/sns/oauth2/access_token", stage.base);
    assert_eq!(stage.http.get(url).send().await.unwrap().status(), 503);
    assert_eq!(stage.query("A00001").await.status, 404);
}

#[tokio::test]
async fn the_page_refuses_what_the_account_does_not_allow() {
    let options = Options { oauth_domain: Some("pay.example.edu.cn".to_owned()), ..Options::default() };
    let stage = Stage::with(options).await;
    for (field, value, words) in [
        ("appid", "wx0000000000000000", "10013"),
        ("redirect_uri", "https://evil.example/back", "redirect_uri域名与后台配置不一致，错误码10003"),
        ("redirect_uri", "nowhere", "10003"),
        ("response_type", "token", "response_type"),
        ("scope", "snsapi_login", "错误码10005"),
        ("state", "not-plain", "state"),
    ] {
        let answer = visit(&stage, &page(&stage, (field, value)), Some("lin")).await;
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.unwrap();
        assert!(text.contains(words), "{field}: {text}");
    }
    let outside = stage.http.get(page(&stage, ("", ""))).send().await.unwrap().text().await.unwrap();
    assert!(outside.contains("请在微信客户端打开链接"));
}

#[tokio::test]
async fn a_visitor_nobody_knows_is_asked_and_remembered() {
    let stage = Stage::start().await;
    let url = page(&stage, ("", ""));
    let asked = visit(&stage, &url, None).await.text().await.unwrap();
    assert!(asked.contains("name=\"phone\"") && asked.contains("value=\"s7ate\""));
    let named = visit(&stage, &format!("{url}&phone=%E6%9E%97"), None).await;
    assert_eq!(named.status(), 302);
    assert_eq!(named.headers()["set-cookie"], "phone=%E6%9E%97; Path=/; HttpOnly; SameSite=Lax");
    let code = sent_back(&stage, "%E6%9E%97").await["code"].clone();
    assert_eq!(exchange(&stage, &code, WECHAT_APP_SECRET).await["openid"], json!(openid(WECHAT_APP_ID, "林")));
}

#[tokio::test]
async fn asking_for_the_profile_needs_consent() {
    let stage = Stage::start().await;
    let url = page(&stage, ("scope", "snsapi_userinfo"));
    assert!(visit(&stage, &url, Some("lin")).await.text().await.unwrap().contains("允许"));
    assert_eq!(visit(&stage, &format!("{url}&agreed=1"), Some("lin")).await.status(), 302);
}
