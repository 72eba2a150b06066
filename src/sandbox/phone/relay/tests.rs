//! The relay over real ports: a little app behind it, browsers in front of it.

use poem::http::{StatusCode, header};
use poem::listener::TcpAcceptor;
use poem::{IntoResponse, Request, Response, Route, Server, get, handler};
use serde_json::{Value, json};

use crate::sandbox::server::stage::{JSAPI, NATIVE, Stage};

/// An app's page with all the fences an app puts up.
#[handler]
fn page() -> Response {
    let html = "<html><head><title>t</title></head><body><a href=\"/h5/orders\">orders</a></body></html>";
    html.with_content_type("text/html; charset=utf-8")
        .with_header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'")
        .with_header(header::X_FRAME_OPTIONS, "DENY")
        .with_header(header::REFERRER_POLICY, "strict-origin-when-cross-origin")
        .into_response()
}

/// What arrived, as JSON.
#[handler]
async fn echo(req: &Request, body: String) -> Response {
    let headers: serde_json::Map<String, Value> =
        req.headers().iter().map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap()))).collect();
    let told = json!({ "method": req.method().as_str(), "url": req.original_uri().to_string(), "headers": headers,
        "body": body });
    told.to_string().with_content_type("application/json").into_response()
}

#[handler]
fn sign_in() -> Response {
    StatusCode::SEE_OTHER
        .with_header(header::LOCATION, "/h5")
        .with_header(header::SET_COOKIE, "jf_s=secret; Path=/; HttpOnly")
        .into_response()
}

/// Redirects to `?to=`.
#[handler]
fn elsewhere(req: &Request) -> Response {
    let query = req.original_uri().query().unwrap().as_bytes();
    let to = form_urlencoded::parse(query).next().unwrap().1.into_owned();
    StatusCode::FOUND.with_header(header::LOCATION, to).into_response()
}

/// Says one thing and then nothing, for ever.
#[handler]
fn events() -> Response {
    let parts = futures_util::stream::unfold(0, |step| async move {
        if step > 0 {
            std::future::pending::<()>().await;
        }
        Some((Ok::<_, std::io::Error>(b"data: paid\n\n".to_vec()), step + 1))
    });
    Response::builder().content_type("text/event-stream").body(poem::Body::from_bytes_stream(parts))
}

struct Scene {
    stage: Stage,
    app: String,
}

impl Scene {
    async fn start() -> Scene {
        let stage = Stage::start().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let app = format!("http://{}", listener.local_addr().unwrap());
        let routes = Route::new()
            .at("/h5", get(page))
            .at("/h5/echo", get(echo).post(echo))
            .at("/h5/login", get(sign_in))
            .at("/h5/elsewhere", get(elsewhere))
            .at("/h5/events", get(events));
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
        stage.world.set_app_url(&app);
        stage.world.set_public_url(&stage.base);
        Scene { stage, app }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.stage.base)
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.stage.http.get(self.url(path)).send().await.unwrap()
    }

    async fn text(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    async fn echoed(&self, path: &str) -> Value {
        self.get(path).await.json().await.unwrap()
    }

    async fn location(&self, path: &str) -> String {
        let answer = self.get(path).await;
        answer.headers().get("location").map_or("", |to| to.to_str().unwrap()).to_owned()
    }

    async fn redirected(&self, to: &str) -> String {
        let to: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
        self.location(&format!("/as/wechat/p1/h5/elsewhere?to={to}")).await
    }
}

#[tokio::test]
async fn each_app_introduces_itself_and_nothing_of_the_desktops_browser_gets_through() {
    let scene = Scene::start().await;
    for (device, marker) in [("wechat", "MicroMessenger/"), ("alipay", "AlipayClient/"), ("browser", "iPhone")] {
        let request = scene.stage.http.get(scene.url(&format!("/as/{device}/p1/h5/echo?a=1&b=%E8%B4%B9")));
        let request = request.header("user-agent", "Desktop").header("x-forwarded-for", "6.6.6.6");
        let request = request.header("cookie", "other=1").header("accept-language", "en");
        let echoed: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(echoed["headers"]["user-agent"].as_str().unwrap().contains(marker), "{device}");
        assert_eq!(echoed["url"], json!("/h5/echo?a=1&b=%E8%B4%B9"));
        assert_eq!(echoed["headers"]["accept-language"], json!("en"));
        for name in ["cookie", "x-forwarded-for", "referer"] {
            assert!(echoed["headers"].get(name).is_none(), "{name}");
        }
    }
}

#[tokio::test]
async fn cookies_are_kept_for_the_phone_and_the_app_and_never_reach_the_browser() {
    let scene = Scene::start().await;
    let answer = scene.get("/as/wechat/p1/h5/login").await;
    assert!(answer.headers().get("set-cookie").is_none());
    assert_eq!(answer.headers()["location"], "/as/wechat/p1/h5");
    let cookie = async |path: &str| scene.echoed(path).await["headers"]["cookie"].clone();
    assert_eq!(cookie("/as/wechat/p1/h5/echo").await, json!("jf_s=secret"));
    assert_eq!(cookie("/as/alipay/p1/h5/echo").await, Value::Null);
    assert_eq!(cookie("/as/wechat/p2/h5/echo").await, Value::Null);
    let forget = scene.stage.http.post(scene.url("/phone/forget")).json(&json!({ "phone": "p1" }));
    assert_eq!(forget.send().await.unwrap().status(), 204);
    assert_eq!(cookie("/as/wechat/p1/h5/echo").await, Value::Null);
}

#[tokio::test]
async fn each_apps_bridge_is_in_its_own_pages_and_in_no_others() {
    let scene = Scene::start().await;
    let wechat = scene.text("/as/wechat/p1/h5").await;
    assert!(wechat.contains("<head><script src=\"/phone/sheet.js\">"));
    assert!(wechat.contains("/phone/wechat.js\" data-phone=\"p1\" data-prefix=\"/as/wechat/p1\""));
    assert!(!wechat.contains("alipay.js"));
    let alipay = scene.text("/as/alipay/p1/h5").await;
    assert!(alipay.contains("/phone/alipay.js") && !alipay.contains("wechat.js"));
    for path in ["/as/browser/p1/h5", "/as/desktop/p1/h5", "/as/wechat/p1/~/cashier/mobilepay.htm"] {
        assert!(!scene.text(path).await.contains("<script"), "{path}");
    }
    assert!(scene.text("/phone/wechat.js").await.contains("getBrandWCPayRequest"));
}

#[tokio::test]
async fn a_page_can_be_framed_and_its_links_stay_in_the_tab() {
    let scene = Scene::start().await;
    let answer = scene.get("/as/browser/p1/h5").await;
    for fence in ["content-security-policy", "x-frame-options"] {
        assert!(answer.headers().get(fence).is_none(), "{fence}");
    }
    assert!(answer.text().await.unwrap().contains("<a href=\"/as/browser/p1/h5/orders\">"));
}

#[tokio::test]
async fn redirects_stay_in_the_tab_whoever_they_lead_to_and_foreign_ones_are_not_followed() {
    let scene = Scene::start().await;
    let authorize = format!("{}/connect/oauth2/authorize?appid=1&state=x#wechat_redirect", scene.stage.base);
    let relayed = "/as/wechat/p1/~/connect/oauth2/authorize?appid=1&state=x#wechat_redirect";
    assert_eq!(scene.redirected(&authorize).await, relayed);
    assert_eq!(scene.redirected(&format!("{}/h5/result?a", scene.app)).await, "/as/wechat/p1/h5/result?a");
    assert_eq!(scene.redirected("/h5/orders").await, "/as/wechat/p1/h5/orders");
    assert_eq!(scene.redirected("orders").await, "orders");
    assert_eq!(scene.redirected("https://evil.example/").await, "");
    assert!(scene.text("/as/wechat/p1/h5/elsewhere?to=//evil.example").await.contains("到不了这个地址"));
}

#[tokio::test]
async fn the_referer_is_the_pages_true_address_as_its_own_policy_allows() {
    let scene = Scene::start().await;
    let asked = async |to: &str, from: &str| {
        let request = scene.stage.http.get(scene.url(to)).header("referer", scene.url(from));
        request.send().await.unwrap().json::<Value>().await.unwrap()["headers"]["referer"].clone()
    };
    scene.text("/as/browser/p1/h5").await;
    let there = "/as/browser/p1/h5/echo";
    assert_eq!(asked(there, "/as/browser/p1/h5?x=1").await, json!(format!("{}/h5?x=1", scene.app)));
    let gate = json!(format!("{}/", scene.stage.base));
    assert_eq!(asked(there, "/as/browser/p1/~/cgi-bin/x?token=1").await, gate, "to another host the origin alone");
    assert_eq!(asked(there, "/as/browser/p2/h5").await, Value::Null, "another phone's page");
    assert_eq!(asked(there, "/").await, Value::Null);
    let post = scene.stage.http.post(scene.url(there)).header("origin", &scene.stage.base);
    let post = post.header("referer", scene.url("/as/browser/p1/h5")).form(&[("a", "1")]);
    let echoed: Value = post.send().await.unwrap().json().await.unwrap();
    assert_eq!((&echoed["method"], &echoed["body"]), (&json!("POST"), &json!("a=1")));
    assert_eq!(echoed["headers"]["origin"], json!(scene.app));
}

#[tokio::test]
async fn what_a_script_asks_its_own_host_for_finds_back_to_its_tab() {
    let scene = Scene::start().await;
    let asked = async |path: &str, from: &str| {
        let request = scene.stage.http.post(scene.url(path)).header("referer", scene.url(from));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned()))
    };
    let to = |path: &str| (307, Some(path.to_owned()));
    assert_eq!(asked("/h5/state?x=1", "/as/wechat/p1/h5").await, to("/as/wechat/p1/h5/state?x=1"));
    assert_eq!(asked("/other", "/as/wechat/p1/~/cashier/x").await, to("/as/wechat/p1/~/other"));
    assert_eq!(asked("/h5/state", "/").await, (404, None));
}

#[tokio::test]
async fn events_are_passed_on_as_they_come() {
    let scene = Scene::start().await;
    let mut answer = scene.get("/as/desktop/p1/h5/events").await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert_eq!(&answer.chunk().await.unwrap().unwrap()[..], b"data: paid\n\n");
}

#[tokio::test]
async fn the_relay_goes_to_the_app_and_the_sandbox_and_nowhere_else() {
    let scene = Scene::start().await;
    for path in ["/as/fax/p1/h5", "/as/wechat/p%2F1/h5", "/as/wechat/p1/~/as/wechat/p1/h5", "/as/wechat"] {
        assert_eq!(scene.get(path).await.status(), 404, "{path}");
    }
    // an address in the path is a path of the app
    let odd = scene.get("/as/wechat/p1/http://evil.example/h5").await;
    assert_eq!(odd.status(), 404);
    let alone = Stage::start().await;
    let answer = alone.http.get(format!("{}/as/wechat/p1/h5", alone.base)).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert!(answer.text().await.unwrap().contains("沙箱不知道缴费平台的地址"));
}

#[tokio::test]
async fn the_sandboxs_own_pages_know_which_phone_looks_at_them() {
    let scene = Scene::start().await;
    let app = crate::sandbox::merchants::ALIPAY_APP_FISCAL;
    let back: String = form_urlencoded::byte_serialize(format!("{}/h5", scene.app).as_bytes()).collect();
    let query = format!("app_id={app}&scope=auth_base&state=s&redirect_uri={back}");
    let to = scene.location(&format!("/as/alipay/p2/~/oauth2/publicAppAuthorize.htm?{query}")).await;
    assert!(to.starts_with("/as/alipay/p2/h5?app_id="), "{to}");
    assert!(scene.text("/as/wechat/p1/~/connect/oauth2/authorize?appid=1").await.contains("AppID 参数错误"));
    assert!(scene.text("/as/browser/p1/~/connect/oauth2/authorize?appid=1").await.contains("请在微信客户端打开"));
}

#[tokio::test]
async fn a_scanned_code_is_shown_paid_mistyped_or_turned_away() {
    let scene = Scene::start().await;
    let stage = &scene.stage;
    let code = stage.post(NATIVE, &stage.order("A00001")).await.json()["code_url"].as_str().unwrap().to_owned();
    let code: String = form_urlencoded::byte_serialize(code.as_bytes()).collect();
    let window = scene.location(&format!("/as/wechat/p1?scan={code}")).await;
    assert_eq!(window, format!("/as/wechat/p1/~pay?code={code}"));
    for words in ["启明大学-学费", "8,000.00", "确认付款", "密码错误"] {
        assert!(scene.text(&window).await.contains(words), "{words}");
    }
    let act = async |act: &str| {
        let request = stage.http.post(scene.url(&window)).form(&[("act", act)]);
        request.send().await.unwrap().text().await.unwrap()
    };
    assert!(act("wrong_password").await.contains("支付密码错误"));
    assert!(act("cancel").await.contains("已取消付款"));
    assert_eq!(stage.query("A00001").await.json()["trade_state"], json!("NOTPAY"));
    assert!(act("pay").await.contains("支付成功"));
    assert_eq!(stage.query("A00001").await.json()["trade_state"], json!("SUCCESS"));
    assert!(scene.text(&format!("/as/alipay/p1?scan={code}")).await.contains("请用微信扫一扫"));
    assert_eq!(scene.location("/as/browser/p1?scan=%2Fh5").await, "/as/browser/p1/h5");
    assert_eq!(scene.location("/as/browser/p1").await, "/as/browser/p1/");
}

#[tokio::test]
async fn the_panel_shows_trades_wallet_notices_and_sends_what_waits_when_told_to() {
    let scene = Scene::start().await;
    let stage = &scene.stage;
    let openid = crate::sandbox::merchants::openid(crate::sandbox::merchants::WECHAT_APP_ID, "p1");
    stage.post(JSAPI, &stage.jsapi_order("A00001", &openid)).await;
    stage.inbox.answer(&[500]);
    stage.world.pay(crate::domain::trade::Channel::Wechat, "A00001", "p1").unwrap();
    stage.world.deliver_due().await;
    let state = scene.echoed("/phone/state?phone=p1").await;
    assert_eq!(state["wallet"]["openid"], json!(openid));
    assert_eq!(state["wallet"]["paid_fen"], json!(800_000));
    assert_eq!(state["trades"][0]["state"], json!("paid"));
    assert_eq!(state["merchants"][0]["received_fen"], json!(800_000));
    assert_eq!((state["waiting"].as_array().unwrap().len(), &state["tries"][0]["received"]), (1, &json!(false)));
    assert_eq!(scene.echoed("/phone/state?phone=p2").await["wallet"]["paid_fen"], json!(0));
    let sent: Value = stage.http.post(scene.url("/phone/hurry")).send().await.unwrap().json().await.unwrap();
    assert_eq!(sent[0]["received"], json!(true), "before its time");
    assert_eq!(stage.world.notices_waiting(), 0);
}

#[tokio::test]
async fn a_fault_is_lifted_alone_and_the_page_and_its_files_are_there() {
    let scene = Scene::start().await;
    let http = &scene.stage.http;
    for fault in ["down", "hang"] {
        http.post(scene.url("/control/faults")).json(&json!({ "fault": fault })).send().await.unwrap();
    }
    assert_eq!(http.delete(scene.url("/control/faults/down")).send().await.unwrap().status(), 204);
    assert_eq!(http.delete(scene.url("/control/faults/rain")).send().await.unwrap().status(), 404);
    assert_eq!(scene.echoed("/phone/state?phone=p1").await["in_force"][0]["fault"], json!("hang"));
    let index = scene.get("/").await;
    assert_eq!(
        (index.status().as_u16(), &index.headers()["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    assert!(index.text().await.unwrap().contains("扫一扫"));
    assert_eq!(scene.get("/phone/page.css").await.headers()["content-type"], "text/css; charset=utf-8");
    assert_eq!(scene.get("/phone/passwd").await.status(), 404);
    let none = http.post(scene.url("/phone/decode")).body("no picture").send().await.unwrap();
    assert_eq!(none.status(), 422);
}
