//! The cashier: the payer chooses a card, pays, mistypes the password or turns away. Whoever has paid and presses
//! 返回商户 is led back by a form with UnionPay's signature; who turns away is led back without a word (ACP 5.1.0, front
//! return).
use std::sync::Arc;

use poem::web::{Data, Form, Query};
use poem::{Request, Response, handler};
use serde::Deserialize;

use crate::domain::trade::Channel;
use crate::sandbox::faults::{Lies, Signing};
use crate::sandbox::html::{escape, notice, page, phone_of_cookie};
use crate::sandbox::merchants::unionpay_card;
use crate::sandbox::trade::{PayRefusal, Trade};
use crate::sandbox::world::Sandbox;

use super::fields::Fields;
use super::refusal::{Refusal, words};
use super::seen::order_id;
use super::told::{masked, transaction};
use super::voice::sign;

pub const PATH: &str = "/b2c/showCard.action";
/// 客服热线
const HOTLINE: &str = "<p class=\"note\">中国银联客服热线 95516</p>";

#[derive(Deserialize)]
struct Link {
    #[serde(default, rename = "transNumber")]
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
}

#[handler]
pub fn show(req: &Request, Data(world): Data<&Arc<Sandbox>>, Query(link): Query<Link>) -> Response {
    let phone = phone_of_cookie(req);
    match world.open(Channel::UnionPay, &link.token, &phone) {
        Ok(_) => cashier(world, &link.token, &phone, ""),
        Err(why) => ended(world, &link.token, why),
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
    let paid = match choice.act {
        Act::Pay => world.pay(Channel::UnionPay, token, &phone).map(|_| true),
        Act::WrongPassword => {
            world.open(Channel::UnionPay, token, &phone).map(|_| false).inspect(|_| fail(world, token))
        }
    };
    match (paid, trade_of(world, token)) {
        (Ok(true), Some(trade)) => done(&trade),
        (Ok(_), _) => cashier(world, token, &phone, "密码错误，请重新输入"),
        (Err(why), _) => ended(world, token, why),
    }
}

fn trade_of(world: &Sandbox, token: &str) -> Option<Trade> {
    let key = world.look_up(Channel::UnionPay, token).ok()?;
    world.bank().trade(&key).cloned()
}

/// A try to pay that failed is a transaction of its own: queries tell of it.
fn fail(world: &Sandbox, token: &str) {
    if let Ok(key) = world.look_up(Channel::UnionPay, token) {
        world.bank().note_failed_try(&key);
    }
}

fn cashier(world: &Sandbox, token: &str, phone: &str, alarm: &str) -> Response {
    let Some(trade) = trade_of(world, token) else { return notice(PayRefusal::Unknown.text()) };
    let merchant = {
        let bank = world.bank();
        bank.merchant(Channel::UnionPay, &trade.key().merchant).map(|m| m.name.clone()).unwrap_or_default()
    };
    let body = format!(
        "<p>银联在线支付（沙箱）</p><h1>{}</h1><p>{}</p><p class=\"amount\">¥{}</p>\
         <p class=\"note\">请您在 {} 前完成支付，以免商户订单失效</p><p class=\"alarm\" role=\"alert\">{}</p>\
         <form method=\"post\" action=\"{PATH}?transNumber={}\"><fieldset><legend>付款方式</legend>\
         <p><label><input type=\"radio\" name=\"way\" value=\"card\" checked> 卡号付款</label> \
         <label><input type=\"radio\" name=\"way\" value=\"login\"> 登录付款</label></p>\
         <p><label>银行卡 <select name=\"card\">{}</select></label></p>\
         <p class=\"note\">支持储蓄账户、信用账户</p></fieldset>\
         <button class=\"unionpay\" name=\"act\" value=\"pay\">确认付款</button>\
         <button name=\"act\" value=\"wrong_password\">密码错误</button></form>{}\
         <p class=\"note\">订单编号 {}</p>{HOTLINE}",
        escape(&merchant),
        escape(&trade.ask.description),
        trade.ask.total,
        trade.ask.expires_at.format("%H:%M:%S"),
        escape(alarm),
        escape(token),
        cards(phone),
        turn_away(&trade),
        escape(order_id(&trade.key().out_trade_no)),
    );
    page("银联在线支付", &body)
}

/// The payer's cards, all of fictional numbers.
fn cards(phone: &str) -> String {
    let banks = ["中国银行 储蓄账户", "中国工商银行 储蓄账户", "中国建设银行 信用账户"];
    let card = |(at, bank): (usize, &&str)| {
        let number = masked(&unionpay_card(&if at == 0 { phone.to_owned() } else { format!("{phone}{at}") }));
        format!("<option value=\"{at}\">{bank} {number}</option>")
    };
    banks.iter().enumerate().map(card).collect()
}

/// 返回商户 without having paid: a plain link.
fn turn_away(trade: &Trade) -> String {
    let url = trade.ask.return_url.as_deref().unwrap_or_default();
    format!("<p><a href=\"{}\">返回商户</a></p>", escape(url))
}

/// Paid: 返回商户 is a form, and only a press sends it.
fn done(trade: &Trade) -> Response {
    let body = format!(
        "<h1>支付成功</h1><p>{}</p><p class=\"amount\">¥{}</p>{}{HOTLINE}",
        escape(&trade.ask.description),
        trade.ask.total,
        way_back(trade),
    );
    page("支付成功", &body)
}

fn way_back(trade: &Trade) -> String {
    let mut told = transaction(trade, None, Lies::default());
    told.put("respCode", "00");
    told.put("respMsg", words("00"));
    sign(Signing::Right, &mut told);
    form(trade.ask.return_url.as_deref().unwrap_or_default(), &told)
}

fn form(to: &str, fields: &Fields) -> String {
    let hidden = |(name, value)| {
        // a line end within an attribute must be written out, or it arrives as another
        let value = escape(value).replace('\r', "&#13;").replace('\n', "&#10;");
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
    };
    let inputs: String = fields.iter().map(hidden).collect();
    format!(
        "<form method=\"post\" action=\"{}\">{inputs}<button class=\"unionpay\">返回商户</button></form>",
        escape(to)
    )
}

/// The order cannot be paid by this payer: what became of it, and the way back.
fn ended(world: &Sandbox, token: &str, why: PayRefusal) -> Response {
    match trade_of(world, token) {
        Some(trade) if trade.is_paid() => done(&trade),
        Some(trade) => {
            let words = match why {
                PayRefusal::Expired | PayRefusal::Closed => "订单已超过支付时限",
                other => other.text(),
            };
            page(words, &format!("<h1>{words}</h1>{}{HOTLINE}", turn_away(&trade)))
        }
        None => notice(why.text()),
    }
}

/// The gateway's own error page.
pub fn refused(refusal: Refusal) -> Response {
    let body = format!("<h1>订单有误，请返回商户重新下单</h1><p>{}</p>{HOTLINE}", escape(&refusal.words()));
    page("银联在线支付", &body)
}
