//! The page methods and the cashier: what a payer's browser meets.
use super::*;
use crate::domain::trade::Channel;

const WAP: &str = "alipay.trade.wap.pay";

fn wap_order(stage: &Stage, no: &str) -> Value {
    let mut order = order(stage, no);
    order["product_code"] = json!("QUICK_WAP_WAY");
    order["quit_url"] = json!("https://pay.example.edu.cn/h5/cashier");
    order
}

async fn arrive(stage: &Stage, no: &str) -> String {
    let more = [("return_url", "https://pay.example.edu.cn/h5/result/A1"), ("notify_url", stage.inbox_url.as_str())];
    land(stage, WAP, &wap_order(stage, no), &more, "lin").await.unwrap()
}

async fn shown(stage: &Stage, cashier: &str, phone: &str) -> String {
    let request = stage.http.get(cashier).header("cookie", format!("phone={phone}"));
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn the_trade_exists_from_the_moment_the_payer_lands() {
    let stage = Stage::start().await;
    assert_eq!(query(&stage, "A1").await.refusal(), "TRADE_NOT_EXIST");
    let cashier = arrive(&stage, "A1").await;
    assert_eq!(query(&stage, "A1").await.node()["trade_status"], json!("WAIT_BUYER_PAY"));
    let page = shown(&stage, &cashier, "lin").await;
    for words in ["启明大学", "启明大学-学费", "8,000.00", "确认付款", "密码错误", "取消", "A1"] {
        assert!(page.contains(words), "{words}");
    }
}

#[tokio::test]
async fn paying_leads_back_with_parameters_alipay_has_signed_and_no_trade_status() {
    let stage = Stage::start().await;
    let cashier = arrive(&stage, "A1").await;
    let answer = press(&stage, &cashier, "lin", "pay").await;
    assert_eq!(answer.status(), 303);
    let to = answer.headers()["location"].to_str().unwrap();
    let query_text = to.strip_prefix("https://pay.example.edu.cn/h5/result/A1?").unwrap();
    let mut fields: Fields = form_urlencoded::parse(query_text.as_bytes()).into_owned().collect();
    for (name, value) in [
        ("out_trade_no", "A1"),
        ("method", "alipay.trade.wap.pay.return"),
        ("total_amount", "8000.00"),
        ("app_id", ALIPAY_APP_FISCAL),
        ("auth_app_id", ALIPAY_APP_FISCAL),
        ("seller_id", ALIPAY_SELLER_FISCAL),
        ("charset", "utf-8"),
        ("version", "1.0"),
        ("timestamp", "2026-09-01 12:00:00"),
    ] {
        assert_eq!(fields[name], value, "{name}");
    }
    assert!(!fields.contains_key("trade_status"));
    let sign = fields.remove("sign").unwrap();
    fields.remove("sign_type").unwrap();
    let source = fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    assert!(alipay_signed(source.as_bytes(), &sign));
    assert_eq!(query(&stage, "A1").await.node()["trade_no"], json!(fields["trade_no"]));
    assert_eq!(stage.world.notices_waiting(), 1);
    assert!(press(&stage, &cashier, "lin", "pay").await.text().await.unwrap().contains("交易已被支付"));
}

#[tokio::test]
async fn a_wrong_password_stays_and_turning_away_leads_to_the_quit_address() {
    let stage = Stage::start().await;
    let cashier = arrive(&stage, "A1").await;
    assert!(press(&stage, &cashier, "lin", "wrong_password").await.text().await.unwrap().contains("支付密码错误"));
    let away = press(&stage, &cashier, "lin", "cancel").await;
    assert_eq!(away.headers()["location"], "https://pay.example.edu.cn/h5/cashier");
    assert_eq!(query(&stage, "A1").await.node()["trade_status"], json!("WAIT_BUYER_PAY"));
    let again = arrive(&stage, "A1").await;
    assert_eq!(press(&stage, &again, "lin", "pay").await.status(), 303, "the same link can be opened again");
}

#[tokio::test]
async fn another_person_cannot_pay_a_trade_somebody_has_opened() {
    let stage = Stage::start().await;
    let cashier = arrive(&stage, "A1").await;
    assert!(shown(&stage, &cashier, "wang").await.contains("交易买家不匹配"));
    let landed = land(&stage, WAP, &wap_order(&stage, "A1"), &[], "wang").await;
    assert!(landed.unwrap_err().contains("TRADE_BUYER_NOT_MATCH"));
}

#[tokio::test]
async fn what_is_wrong_is_told_to_the_person_and_orders_nothing() {
    let stage = Stage::start().await;
    let mut wrong = wap_order(&stage, "A1");
    wrong["product_code"] = json!("QUICK_WAP_PAY");
    let page = land(&stage, WAP, &wrong, &[], "lin").await.unwrap_err();
    assert!(page.contains("调试错误，请回到请求来源地，重新发起请求。") && page.contains("INVALID_PARAMETER"));
    let mut fields = common(&stage, WAP);
    fields.insert("biz_content".to_owned(), wap_order(&stage, "A1").to_string());
    fields.insert("sign".to_owned(), app_sign(b"something else"));
    let link = format!("{}/gateway.do?{}", stage.base, encoded(&fields, UTF_8));
    let page = stage.http.get(link).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("错误代码 invalid-signature") && page.contains("网关生成的验签字符串为"));
    assert_eq!(query(&stage, "A1").await.refusal(), "TRADE_NOT_EXIST");
}

#[tokio::test]
async fn a_changed_order_under_a_landed_number_is_refused_and_an_expired_one_too() {
    let stage = Stage::start().await;
    let cashier = arrive(&stage, "A1").await;
    let mut changed = wap_order(&stage, "A1");
    changed["total_amount"] = json!("0.01");
    assert!(land(&stage, WAP, &changed, &[], "lin").await.unwrap_err().contains("CONTEXT_INCONSISTENT"));
    stage.advance(1800);
    assert!(shown(&stage, &cashier, "lin").await.contains("支付请求已失效"));
    assert!(land(&stage, WAP, &wap_order(&stage, "A1"), &[], "lin").await.unwrap_err().contains("TRADE_HAS_CLOSE"));
}

#[tokio::test]
async fn the_computers_page_is_a_form_post_and_returns_under_its_own_name() {
    let stage = Stage::start().await;
    let mut fields = common(&stage, "alipay.trade.page.pay");
    let mut order = order(&stage, "A1");
    order["product_code"] = json!("FAST_INSTANT_TRADE_PAY");
    fields.insert("biz_content".to_owned(), order.to_string());
    fields.insert("return_url".to_owned(), "https://pay.example.edu.cn/back?x=1".to_owned());
    let fields = signed(fields, UTF_8);
    let (business, rest): (Fields, Fields) = fields.into_iter().partition(|(name, _)| name == "biz_content");
    let request = stage.http.post(format!("{}/gateway.do?{}", stage.base, encoded(&rest, UTF_8))).form(&business);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 302);
    let cashier = format!("{}{}", stage.base, answer.headers()["location"].to_str().unwrap());
    let back = press(&stage, &cashier, "passer-by", "pay").await;
    let to = back.headers()["location"].to_str().unwrap();
    assert!(to.starts_with("https://pay.example.edu.cn/back?x=1&charset=utf-8&"));
    assert!(to.contains("method=alipay.trade.page.pay.return"));
}

#[tokio::test]
async fn only_an_order_of_a_phones_browser_is_told_when_it_is_closed() {
    let stage = Stage::start().await;
    arrive(&stage, "A1").await;
    create(&stage, "A2").await.node();
    stage.advance(1800);
    let told: Vec<_> = stage.world.deliver_due().await.into_iter().map(|delivery| delivery.out_trade_no).collect();
    assert_eq!(told, ["A1"]);
    let fields: Fields = form_urlencoded::parse(&stage.inbox.all()[0].body).into_owned().collect();
    assert_eq!(
        (fields["trade_status"].as_str(), fields["gmt_close"].as_str()),
        ("TRADE_CLOSED", "2026-09-01 12:30:00")
    );
    assert!(!fields.contains_key("gmt_payment"));
    assert!(stage.world.bank().find(Channel::Alipay, "A2").is_some());
}
