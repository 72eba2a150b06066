//! `alipay.trade.query` and `alipay.trade.close`, and what every answer says of a trade and its payer.
use std::time::Duration;

use encoding_rs::{Encoding, GBK, UTF_8};
use serde_json::json;

use crate::domain::money::Fen;
use crate::domain::trade::Channel;
use crate::sandbox::bank::{Bank, REFUND_DAYS};
use crate::sandbox::faults::{Call, Fault};
use crate::sandbox::merchants::{Merchant, alipay_open_id, alipay_user};
use crate::sandbox::outbox::NoticeAbout;
use crate::sandbox::trade::{CloseRefusal, Trade, TradeKey, TradeState};
use crate::sandbox::world::Sandbox;

use super::answer::{Node, Refusal, some, success};
use super::told::Told;

/// `alipay.trade.query`
pub fn query(world: &Sandbox, merchant: &Merchant, told: &Told) -> Result<Node, Refusal> {
    let lies = world.faults().lies(Channel::Alipay, Call::Query);
    let bank = world.bank();
    let trade = find(&bank, merchant, told).map_err(|refusal| beside_nothing(refusal, told))?;
    let total = (trade.ask.total + Fen::new(lies.more_fen)).yuan();
    let paid = match &trade.state {
        TradeState::Paid { at, .. } => Some(at.beijing_text()),
        TradeState::NotPay | TradeState::Closed { .. } => None,
    };
    let money = paid.as_ref().map_or_else(|| "0.00".to_owned(), |_| total.clone());
    let bills = paid.as_ref().map(|_| json!([{ "fund_channel": "ALIPAYACCOUNT", "amount": total }]));
    let mut node = success([
        ("trade_no", json!(trade.trade_no)),
        ("out_trade_no", json!(trade.key().out_trade_no)),
        ("trade_status", json!(status(world, trade))),
        ("total_amount", json!(total)),
        ("receipt_amount", json!(money)),
        ("buyer_pay_amount", json!(money)),
        ("point_amount", json!("0.00")),
        ("invoice_amount", json!(money)),
    ]);
    node.extend(payer(world, trade).into_iter().map(|(name, value)| (name, json!(value))));
    node.extend(some("send_pay_date", paid));
    node.extend(bills.map(|bills| ("fund_bill_list", bills)));
    node.extend(lies.merchant.then(|| ("seller_id", json!(FOREIGN_SELLER))));
    node.extend(lies.currency.then(|| ("trans_currency", json!("USD"))));
    Ok(node)
}

/// A seller that is nobody's here.
pub const FOREIGN_SELLER: &str = "2088999999999999";

/// `alipay.trade.close`: of unpaid trades only.
pub fn close(world: &Sandbox, merchant: &Merchant, told: &Told) -> Result<Node, Refusal> {
    let mut bank = world.bank();
    let found = find(&bank, merchant, told).map(|trade| (trade.key().clone(), trade.state.clone()));
    let (key, state) = match found {
        Ok(found) => found,
        Err(refusal) if refusal.sub_code == "ACQ.TRADE_NOT_EXIST" => return burn(world, &mut bank, merchant, told),
        Err(refusal) => return Err(refusal),
    };
    match state {
        TradeState::Paid { .. } => return Err(wrong_state()),
        TradeState::Closed { .. } => return Err(Refusal::business("TRADE_HAS_CLOSE", "交易已经关闭")),
        TradeState::NotPay => {}
    }
    let trade = bank.close(&key, world.now()).map_err(|why| match why {
        CloseRefusal::Unknown => not_exist(),
        CloseRefusal::Paid => wrong_state(),
    })?;
    world.queue_notice(trade, NoticeAbout::Closed);
    Ok(success([("trade_no", json!(trade.trade_no)), ("out_trade_no", json!(key.out_trade_no))]))
}

/// When told to, closing a number nobody has ordered burns it.
fn burn(world: &Sandbox, bank: &mut Bank, merchant: &Merchant, told: &Told) -> Result<Node, Refusal> {
    let number = told.number("out_trade_no")?.ok_or_else(not_exist)?;
    let key = TradeKey::new(Channel::Alipay, &merchant.id, &number);
    if bank.trade(&key).is_some() {
        return Err(not_exist());
    }
    world.strikes(Fault::CloseBurnsNumber, Channel::Alipay, Call::Close).ok_or_else(not_exist)?;
    bank.burn(key, world.now());
    Ok(success([("out_trade_no", json!(number))]))
}

/// The trade a call names; where both numbers are given, Alipay's own wins. What nobody has opened does not exist yet.
pub fn find<'a>(bank: &'a Bank, merchant: &Merchant, told: &Told) -> Result<&'a Trade, Refusal> {
    let trade = match (told.text("trade_no", 64)?, told.number("out_trade_no")?) {
        (Some(trade_no), _) => bank.trade_by_no(&trade_no).filter(|trade| trade.key().merchant == merchant.id),
        (None, Some(number)) => bank.trade(&TradeKey::new(Channel::Alipay, &merchant.id, &number)),
        (None, None) => return Err(Refusal::parameter("out_trade_no和trade_no不能同时为空")),
    };
    trade.filter(|trade| trade.known).ok_or_else(not_exist)
}

pub fn not_exist() -> Refusal {
    Refusal::business("TRADE_NOT_EXIST", "交易不存在")
}

pub fn wrong_state() -> Refusal {
    Refusal::business("TRADE_STATUS_ERROR", "交易状态不合法")
}

/// A query that finds nothing still says nothing was paid.
fn beside_nothing(mut refusal: Refusal, told: &Told) -> Refusal {
    if refusal.sub_code == "ACQ.TRADE_NOT_EXIST" {
        let number = told.number("out_trade_no").ok().flatten();
        let nothing = ["buyer_pay_amount", "invoice_amount", "point_amount", "receipt_amount"];
        refusal.beside.extend(some("out_trade_no", number));
        refusal.beside.extend(nothing.map(|name| (name, json!("0.00"))));
    }
    refusal
}

/// `trade_status`: after a full refund closed, after the refund window finished.
pub fn status(world: &Sandbox, trade: &Trade) -> &'static str {
    match trade.state {
        TradeState::NotPay => "WAIT_BUYER_PAY",
        TradeState::Closed { .. } => "TRADE_CLOSED",
        TradeState::Paid { .. } if trade.sent_back() == trade.ask.total => "TRADE_CLOSED",
        TradeState::Paid { at, .. } if world.now().since(at) > Duration::from_secs(REFUND_DAYS * 86_400) => {
            "TRADE_FINISHED"
        }
        TradeState::Paid { .. } => "TRADE_SUCCESS",
    }
}

/// Who pays or has paid: the id in the form this application is given, and the masked account.
pub fn payer(world: &Sandbox, trade: &Trade) -> Vec<(&'static str, String)> {
    let phone = match &trade.state {
        TradeState::Paid { phone, .. } => Some(phone),
        TradeState::NotPay | TradeState::Closed { .. } => trade.opened_by.as_ref(),
    };
    let Some(phone) = phone else { return Vec::new() };
    let user = alipay_user(phone);
    let id = match world.switches().alipay_open_id {
        true => ("buyer_open_id", alipay_open_id(&trade.ask.app_id, &user)),
        false => ("buyer_user_id", user),
    };
    let shown: String = phone.chars().take(3).collect();
    vec![("buyer_logon_id", format!("{shown}***@sandbox.example")), id]
}

/// The charset and its label for a trade ordered in GBK or not.
pub const fn charset_of(gbk: bool) -> (&'static Encoding, &'static str) {
    if gbk { (GBK, "GBK") } else { (UTF_8, "utf-8") }
}
