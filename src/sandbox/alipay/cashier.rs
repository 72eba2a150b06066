//! The cashier page behind the page methods: the payer confirms, mistypes the password or turns away, and is led back
//! to the merchant with signed parameters that prove nothing about the payment (Alipay, return address: there is no
//! `trade_status` in it).
use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::web::{Data, Form, Query};
use poem::{IntoResponse, Request, Response, handler};
use serde::Deserialize;

use crate::domain::trade::{Channel, Product};
use crate::sandbox::faults::Signing;
use crate::sandbox::html::{escape, notice, page, phone_of_cookie};
use crate::sandbox::payer::Offer;
use crate::sandbox::trade::{PayRefusal, Trade};
use crate::sandbox::world::Sandbox;

use super::answer::Refusal;
use super::params::form;
use super::trades::charset_of;
use super::voice::{sign, v1_source};

pub const PATH: &str = "/cashier/mobilepay.htm";

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    token: String,
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

/// The payer has landed: from now on the trade is known, and it is this payer's.
pub fn arrive(world: &Sandbox, token: &str, phone: &str) -> Result<Offer, Refusal> {
    world.open(Channel::Alipay, token, phone).map_err(|why| {
        let name = match why {
            PayRefusal::AlreadyPaid => "TRADE_HAS_SUCCESS",
            PayRefusal::Closed => "TRADE_HAS_CLOSE",
            PayRefusal::OtherPayer | PayRefusal::WrongBuyer => "TRADE_BUYER_NOT_MATCH",
            PayRefusal::Expired | PayRefusal::CodeExpired => "NOW_TIME_AFTER_EXPIRE_TIME_ERROR",
            PayRefusal::Unknown | PayRefusal::WrongPassword | PayRefusal::WrongApp => "TRADE_NOT_EXIST",
        };
        Refusal::business(name, words(why))
    })
}

/// What Alipay's cashier says of a refusal.
const fn words(why: PayRefusal) -> &'static str {
    match why {
        PayRefusal::AlreadyPaid => "交易已被支付",
        PayRefusal::Closed => "交易已经关闭",
        PayRefusal::OtherPayer | PayRefusal::WrongBuyer => "交易买家不匹配",
        other => other.text(),
    }
}

#[handler]
pub fn show(req: &Request, Data(world): Data<&Arc<Sandbox>>, Query(link): Query<Link>) -> Response {
    match world.open(Channel::Alipay, &link.token, &phone_of_cookie(req)) {
        Ok(offer) => cashier(&offer, ""),
        Err(why) => notice(words(why)),
    }
}

#[handler]
pub fn choose(
    req: &Request,
    Data(world): Data<&Arc<Sandbox>>,
    Query(link): Query<Link>,
    Form(choice): Form<Choice>,
) -> Response {
    let (phone, token) = (phone_of_cookie(req), link.token.as_str());
    match choice.act {
        Act::Pay => match world.pay(Channel::Alipay, token, &phone) {
            Ok(_) => paid(world, token),
            Err(why) => notice(words(why)),
        },
        Act::WrongPassword => match world.open(Channel::Alipay, token, &phone) {
            Ok(offer) => cashier(&offer, "支付密码错误，请重试"),
            Err(why) => notice(words(why)),
        },
        Act::Cancel => quit(world, token),
    }
}

fn cashier(offer: &Offer, alarm: &str) -> Response {
    let body = format!(
        "<p>支付宝（沙箱）</p><h1>{}</h1><p>{}</p><p class=\"amount\">¥{}</p><p class=\"alarm\">{}</p>\
         <form method=\"post\">\
         <button class=\"alipay\" name=\"act\" value=\"pay\">确认付款</button>\
         <button name=\"act\" value=\"wrong_password\">密码错误</button>\
         <button name=\"act\" value=\"cancel\">取消</button></form>\
         <p class=\"note\">商户单号 {}</p>",
        escape(&offer.merchant_name),
        escape(&offer.description),
        offer.amount,
        escape(alarm),
        escape(&offer.out_trade_no),
    );
    page("支付宝", &body)
}

fn trade_of(world: &Sandbox, token: &str) -> Option<Trade> {
    let key = world.look_up(Channel::Alipay, token).ok()?;
    world.bank().trade(&key).cloned()
}

fn paid(world: &Sandbox, token: &str) -> Response {
    let back = trade_of(world, token).and_then(|trade| return_address(world, &trade));
    back.map_or_else(|| notice("支付成功"), |url| see_other(&url))
}

fn quit(world: &Sandbox, token: &str) -> Response {
    let quit_url = trade_of(world, token).and_then(|trade| trade.ask.quit_url);
    let web = |url: &String| url.starts_with("http://") || url.starts_with("https://");
    quit_url.filter(web).map_or_else(|| notice("已取消付款"), |url| see_other(&url))
}

fn see_other(url: &str) -> Response {
    StatusCode::SEE_OTHER.with_header(header::LOCATION, url).into_response()
}

/// The merchant's return address with what Alipay says in it.
fn return_address(world: &Sandbox, trade: &Trade) -> Option<String> {
    let to = trade.ask.return_url.as_ref()?;
    let method = match trade.ask.product {
        Product::AlipayPage => "alipay.trade.page.pay.return",
        _ => "alipay.trade.wap.pay.return",
    };
    let bank = world.bank();
    let seller = &bank.merchant(Channel::Alipay, &trade.key().merchant)?.seller_id;
    let (charset, label) = charset_of(trade.ask.gbk);
    let mut fields = vec![
        ("charset", label.to_owned()),
        ("out_trade_no", trade.key().out_trade_no.clone()),
        ("method", method.to_owned()),
        ("total_amount", trade.ask.total.yuan()),
        ("trade_no", trade.trade_no.clone()),
        ("auth_app_id", trade.ask.app_id.clone()),
        ("version", "1.0".to_owned()),
        ("app_id", trade.ask.app_id.clone()),
        ("sign_type", "RSA2".to_owned()),
        ("seller_id", seller.clone()),
        ("timestamp", world.now().beijing_text()),
    ];
    fields.push(("sign", sign(Signing::Right, &v1_source(charset, &fields))?));
    let joint = if to.contains('?') { '&' } else { '?' };
    Some(format!("{to}{joint}{}", form(charset, &fields)))
}
