//! The order a browser brings, the cashier, and the ways back.
use super::*;
use crate::sandbox::faults::{Fault, Setting};

async fn shown(stage: &Stage, cashier: &str) -> String {
    stage.http.get(cashier).header("cookie", "phone=lin").send().await.unwrap().text().await.unwrap()
}

/// The hidden fields of the only form by POST that leads elsewhere, and where it leads.
fn form_of(page: &str) -> (String, Message) {
    let form = page.split("<form method=\"post\" action=\"").nth(1).unwrap();
    let (to, rest) = form.split_once('"').unwrap();
    let unescape = |text: &str| {
        let text = text.replace("&#13;", "\r").replace("&#10;", "\n").replace("&quot;", "\"");
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&amp;", "&")
    };
    let inputs = rest.split("<input type=\"hidden\" name=\"").skip(1).map(|input| {
        let (name, rest) = input.split_once('"').unwrap();
        let value = rest.strip_prefix(" value=\"").unwrap().split('"').next().unwrap();
        (name.to_owned(), unescape(value))
    });
    (unescape(to), inputs.collect())
}

#[tokio::test]
async fn the_browser_lands_on_a_cashier_that_shows_order_deadline_and_ways_to_pay() {
    let stage = Stage::start().await;
    let cashier = land(&stage, order(&stage, "XF26090101")).await.unwrap();
    let page = shown(&stage, &cashier).await;
    for words in [
        "启明大学",
        "启明大学-学费",
        "8,000.00",
        "卡号付款",
        "登录付款",
        "支持储蓄账户",
        "请您在 12:15:00 前完成支付，以免商户订单失效",
        "95516",
        "确认付款",
        "密码错误",
        "返回商户",
        "XF26090101",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains(&format!("<a href=\"{FRONT_URL}\">返回商户</a>")), "turning away tells nothing");
}

#[tokio::test]
async fn a_wrong_password_stays_and_paying_shows_the_way_back_which_only_a_press_takes() {
    let stage = Stage::start().await;
    let cashier = land(&stage, order(&stage, "XF26090101")).await.unwrap();
    assert!(press(&stage, &cashier, "wrong_password").await.contains("密码错误，请重新输入"));
    assert_eq!(state(&stage, "XF26090101").await, ("00".into(), "65".into()));
    let page = press(&stage, &cashier, "pay").await;
    assert!(page.contains("支付成功"));
    let (to, fields) = form_of(&page);
    assert_eq!(to, FRONT_URL);
    assert!(is_unionpays(&fields), "the payer's browser carries what UnionPay has signed");
    for (name, value) in
        [("respCode", "00"), ("orderId", "XF26090101"), ("txnAmt", "800000"), ("merId", UNIONPAY_MER_FISCAL)]
    {
        assert_eq!(fields[name], value, "{name}");
    }
    assert_eq!(fields["queryId"], query(&stage, "XF26090101").await["queryId"]);
    assert!(press(&stage, &cashier, "pay").await.contains("支付成功"), "a second press pays nothing");
    assert_eq!(stage.world.notices_waiting(), 1);
}

#[tokio::test]
async fn the_same_form_again_leads_to_the_same_unpaid_order_and_anything_else_is_12() {
    let stage = Stage::start().await;
    land(&stage, order(&stage, "XF26090101")).await.unwrap();
    assert!(land(&stage, order(&stage, "XF26090101")).await.is_ok());
    let dearer = with(order(&stage, "XF26090101"), "txnAmt", "800001");
    assert!(land(&stage, dearer).await.unwrap_err().contains("重复交易[2010002]"));
    stage.world.set_fault(Setting::once(Fault::RepeatRefused));
    assert!(land(&stage, order(&stage, "XF26090101")).await.unwrap_err().contains("重复交易[2010002]"));
    stage.world.pay(Channel::UnionPay, "XF26090101", "lin").unwrap();
    assert!(land(&stage, order(&stage, "XF26090101")).await.unwrap_err().contains("重复交易[2010002]"));
    assert_eq!(stage.world.bank().trades().count(), 1);
}

#[tokio::test]
async fn the_same_number_with_another_second_is_another_order() {
    let stage = Stage::start().await;
    paid(&stage, "XF26090101").await;
    stage.advance(1);
    let second = with(order(&stage, "XF26090101"), "txnTime", "20260901120001");
    assert!(land(&stage, second).await.is_ok());
    assert_eq!(stage.world.bank().trades().count(), 2);
    assert_eq!(state(&stage, "XF26090101").await, ("00".into(), "00".into()));
    let asked = with(common("00/00", "XF26090101"), "txnTime", "20260901120001");
    let other = said(&stage, QUERY, asked).await;
    assert_eq!(other["respCode"], "34", "one of its own, and nobody has paid it");
}

#[tokio::test]
async fn what_is_wrong_with_an_order_is_told_to_the_person_and_orders_nothing() {
    let stage = Stage::start().await;
    for (name, value, words) in [
        ("txnAmt", "0", "报文格式错误"),
        ("txnAmt", "80.00", "报文格式错误"),
        ("txnAmt", "", "报文交易要素缺失"),
        ("currencyCode", "840", "报文格式错误"),
        ("channelType", "09", "报文格式错误"),
        ("bizType", "000202", "无此交易权限"),
        ("frontUrl", "javascript:alert(1)", "报文格式错误"),
        ("backUrl", "", "报文交易要素缺失"),
        ("payTimeout", "later", "报文格式错误"),
        ("payTimeout", "20260901120000", "交易不在受理时间范围内"),
        ("txnTime", "20260830120000", "交易不在受理时间范围内"),
        ("txnTime", "20260901130000", "交易不在受理时间范围内"),
    ] {
        let page = land(&stage, with(order(&stage, "XF26090101"), name, value)).await.unwrap_err();
        assert!(page.contains(words), "{name}={value}: {page}");
    }
    let unsigned = with(signed(order(&stage, "XF26090101")), "txnAmt", "1");
    let page = post(&stage, FRONT, &unsigned, "lin").await.text().await.unwrap();
    assert!(page.contains("验证签名失败"));
    assert_eq!(stage.world.bank().trades().count(), 0);
}

#[tokio::test]
async fn after_its_deadline_an_order_cannot_be_paid() {
    let stage = Stage::start().await;
    let cashier = land(&stage, order(&stage, "XF26090101")).await.unwrap();
    stage.advance(900);
    assert!(shown(&stage, &cashier).await.contains("订单已超过支付时限"));
    assert!(press(&stage, &cashier, "pay").await.contains("订单已超过支付时限"));
    assert_eq!(query(&stage, "XF26090101").await["respCode"], "34");
    assert!(land(&stage, order(&stage, "XF26090101")).await.unwrap_err().contains("交易不在受理时间范围内"));
    stage.world.set_fault(Setting::once(Fault::TakeLatePayment));
    assert!(press(&stage, &cashier, "pay").await.contains("支付成功"));
    assert_eq!(state(&stage, "XF26090101").await, ("00".into(), "00".into()));
}
