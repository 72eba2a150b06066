//! The payer's window over a scanned code: what WeChat, Alipay and 云闪付 show by themselves, without any page of a
//! merchant.
use poem::http::Method;
use poem::{Request, Response, Result};

use crate::domain::trade::Channel;
use crate::sandbox::html::{escape, notice, page};
use crate::sandbox::payer::Offer;
use crate::sandbox::trade::PaidReceipt;
use crate::sandbox::world::Sandbox;

use super::address::Tab;

/// A form with one word in it (bytes).
const BODY_LIMIT: usize = 4096;

/// `/as/{app}/{phone}/~pay?code=TEXT`: shows, and takes `act` = `pay`, `wrong_password` or `cancel`.
pub async fn serve(world: &Sandbox, tab: &Tab, mut req: Request) -> Result<Response> {
    let Some(channel) = tab.device.channel() else {
        return Ok(notice("浏览器不能付款，请用微信、支付宝或云闪付扫码"));
    };
    let code = field(req.original_uri().query().unwrap_or_default().as_bytes(), "code");
    let body = match *req.method() {
        Method::POST => req.take_body().into_bytes_limit(BODY_LIMIT).await?.to_vec(),
        _ => Vec::new(),
    };
    Ok(match field(&body, "act").as_str() {
        "pay" => match world.pay(channel, &code, &tab.phone) {
            Ok(receipt) => paid(tab, &receipt),
            Err(why) => notice(why.text()),
        },
        "cancel" => notice("已取消付款"),
        act => match world.open(channel, &code, &tab.phone) {
            Ok(offer) => window(channel, &offer, if act == "wrong_password" { "支付密码错误，请重试" } else { "" }),
            Err(why) => notice(why.text()),
        },
    })
}

fn field(form: &[u8], name: &str) -> String {
    form_urlencoded::parse(form).find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn window(channel: Channel, offer: &Offer, alarm: &str) -> Response {
    let (title, class) = match channel {
        Channel::Wechat => ("微信支付", ""),
        Channel::Alipay => ("支付宝", " class=\"alipay\""),
        Channel::UnionPay => ("云闪付", " class=\"unionpay\""),
    };
    let body = format!(
        "<p>{title}（沙箱）</p><h1>{}</h1><p>{}</p><p class=\"amount\">¥{}</p><p class=\"alarm\">{alarm}</p>\
         <form method=\"post\"><button{class} name=\"act\" value=\"pay\">确认付款</button>\
         <button name=\"act\" value=\"wrong_password\">密码错误</button>\
         <button name=\"act\" value=\"cancel\">取消</button></form>\
         <p class=\"note\">商户单号 {}</p>",
        escape(&offer.merchant_name),
        escape(&offer.description),
        offer.amount,
        escape(&offer.out_trade_no),
    );
    page(title, &body)
}

fn paid(tab: &Tab, receipt: &PaidReceipt) -> Response {
    let body = format!(
        "<h1>支付成功</h1><p>{}</p><p class=\"amount\">¥{}</p><p><a href=\"{}/\">完成</a></p>",
        escape(&receipt.merchant_name),
        receipt.amount,
        tab.prefix(),
    );
    page("支付成功", &body)
}
