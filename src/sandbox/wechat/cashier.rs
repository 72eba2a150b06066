//! The H5 cashier: the page behind an `h5_url`, where a phone's browser would hand over to WeChat (WeChat Pay v3, H5).
use std::sync::Arc;

use poem::http::{StatusCode, Uri, header};
use poem::web::{Data, Form, Query};
use poem::{IntoResponse, Request, Response, handler};
use serde::Deserialize;

use crate::domain::trade::Channel;
use crate::sandbox::html::{PASSER_BY, escape, in_wechat, notice, page, phone_of};
use crate::sandbox::payer::Offer;
use crate::sandbox::world::Sandbox;

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    prepay_id: String,
    #[serde(default)]
    redirect_url: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    act: Act,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Pay,
    WrongPassword,
    Cancel,
}

/// GET /cgi-bin/mmpayweb-bin/checkmweb?prepay_id=…&package=…[&redirect_url=…]
#[handler]
pub fn show(req: &Request, Data(world): Data<&Arc<Sandbox>>, Query(link): Query<Link>) -> Response {
    if in_wechat(req) {
        return notice("请在微信外打开订单，进行支付");
    }
    if let Err(refusal) = check_referer(world, req.header(header::REFERER)) {
        return notice(refusal);
    }
    match world.open(Channel::Wechat, &link.prepay_id, &visitor(req)) {
        Ok(offer) => cashier(&offer, ""),
        Err(refusal) => notice(refusal.text()),
    }
}

/// The payer's choice on that page. Whatever it is, the browser goes on to redirect_url afterwards: coming back proves
/// nothing.
#[handler]
pub fn choose(
    req: &Request,
    Data(world): Data<&Arc<Sandbox>>,
    Query(link): Query<Link>,
    Form(choice): Form<Choice>,
) -> Response {
    let phone = visitor(req);
    let code = link.prepay_id.as_str();
    match choice.act {
        Act::Pay => match world.pay(Channel::Wechat, code, &phone) {
            Ok(_) => go_back(link.redirect_url.as_deref(), "支付成功"),
            Err(refusal) => notice(refusal.text()),
        },
        Act::WrongPassword => match world.open(Channel::Wechat, code, &phone) {
            Ok(offer) => cashier(&offer, "支付密码错误，请重试"),
            Err(refusal) => notice(refusal.text()),
        },
        Act::Cancel => go_back(link.redirect_url.as_deref(), "支付已取消"),
    }
}

fn visitor(req: &Request) -> String {
    phone_of(req).unwrap_or_else(|| PASSER_BY.to_owned())
}

/// There must be a Referer, and its host must be the H5 domain set on the platform (case counts).
fn check_referer(world: &Sandbox, referer: Option<&str>) -> Result<(), &'static str> {
    let referer = referer.filter(|text| !text.is_empty()).ok_or("商家参数格式有误，请联系商家解决")?;
    let host = referer.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    match &world.options.h5_domain {
        Some(domain) if host.as_deref() != Some(domain) => Err("商家存在未配置的参数，请联系商家解决"),
        _ => Ok(()),
    }
}

fn cashier(offer: &Offer, alarm: &str) -> Response {
    let body = format!(
        "<p>微信支付（沙箱）</p><h1>{}</h1><p>{}</p><p class=\"amount\">¥{}</p><p class=\"alarm\">{}</p>\
         <form method=\"post\">\
         <button name=\"act\" value=\"pay\">立即支付</button>\
         <button name=\"act\" value=\"wrong_password\">输错密码</button>\
         <button name=\"act\" value=\"cancel\">取消支付</button></form>\
         <p class=\"note\">商户单号 {}</p>",
        escape(&offer.merchant_name),
        escape(&offer.description),
        offer.amount,
        escape(alarm),
        escape(&offer.out_trade_no),
    );
    page("微信支付", &body)
}

fn go_back(redirect_url: Option<&str>, otherwise: &str) -> Response {
    match redirect_url.filter(|url| url.starts_with("http://") || url.starts_with("https://")) {
        Some(url) => StatusCode::SEE_OTHER.with_header(header::LOCATION, url).into_response(),
        None => notice(otherwise),
    }
}
