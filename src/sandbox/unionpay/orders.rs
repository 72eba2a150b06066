//! `frontTransReq.do`, 01/01: the payer's browser brings the merchant's order as a form, and is led to the cashier.
use std::time::Duration;

use crate::domain::moment::Moment;
use crate::domain::trade::{Channel, Product};
use crate::sandbox::bank::Bank;
use crate::sandbox::faults::{Call, Fault};
use crate::sandbox::merchants::Merchant;
use crate::sandbox::trade::{TradeAsk, TradeKey, TradeState};
use crate::sandbox::world::Sandbox;

use super::cashier;
use super::fields::Fields;
use super::refusal::Refusal;
use super::seen::{Seen, book_no, find};

/// How far `txnTime` may lie behind or before UnionPay's clock.
const PAST: Duration = Duration::from_secs(86_400);
const AHEAD: Duration = Duration::from_secs(900);
/// How long an order without `payTimeout` can be paid.
const LIFE: Duration = Duration::from_secs(3600);
/// How long the cashier's address still says what became of the order.
const MEMORY: Duration = Duration::from_secs(86_400);

/// Takes the order and gives the address of its cashier, relative to the sandbox. The same form again, while nobody has
/// paid, leads to a cashier of the same order.
pub fn land(world: &Sandbox, merchant: &Merchant, asked: &Fields) -> Result<String, Refusal> {
    let now = world.now();
    let mut bank = world.bank();
    let ask = read(&bank, merchant, asked, now)?;
    let (key, until) = (ask.key.clone(), ask.expires_at + MEMORY);
    if let Some(seen) = find(&bank, &merchant.id, asked.need("orderId")?, asked.need("txnTime")?) {
        let same = matches!(seen, Seen::Payment(trade) if trade.state == TradeState::NotPay && trade.ask == ask);
        if !same || world.strikes(Fault::RepeatRefused, Channel::UnionPay, Call::Order).is_some() {
            return Err(Refusal::new("12"));
        }
    }
    bank.order(ask, now).map_err(|_| Refusal::new("12"))?;
    let token = world.chance.token(32);
    bank.add_code(&token, &key, until);
    Ok(format!("{}?transNumber={token}", cashier::PATH))
}

fn read(bank: &Bank, merchant: &Merchant, asked: &Fields, now: Moment) -> Result<TradeAsk, Refusal> {
    if (asked.need("txnType")?, asked.need("txnSubType")?, asked.need("bizType")?) != ("01", "01", "000201") {
        return Err(Refusal::new("32"));
    }
    let product = match asked.need("channelType")? {
        "07" => Product::UnionPayPage,
        "08" => Product::UnionPayWap,
        _ => return Err(Refusal::new("10")),
    };
    let total = asked.amount()?;
    asked.must_be("currencyCode", "156")?;
    let (front_url, back_url) = (asked.address("frontUrl")?, asked.address("backUrl")?);
    let (order_id, txn_time) = (asked.need("orderId")?, asked.need("txnTime")?);
    let brought_at = asked.moment("txnTime")?.ok_or(Refusal::new("13"))?;
    let expires_at = asked.moment("payTimeout")?.unwrap_or(brought_at + LIFE);
    if brought_at + PAST < now || brought_at > now + AHEAD || expires_at <= now {
        return Err(Refusal::new("39"));
    }
    let text = |name, most| match asked.get(name) {
        Some(text) if text.chars().count() > most => Err(Refusal::new("10")),
        text => Ok(text.map(str::to_owned)),
    };
    let book_no = match find(bank, &merchant.id, order_id, txn_time) {
        Some(Seen::Payment(trade)) => trade.key().out_trade_no.clone(),
        _ => book_no(bank, &merchant.id, order_id, txn_time),
    };
    Ok(TradeAsk {
        key: TradeKey::new(Channel::UnionPay, &merchant.id, &book_no),
        app_id: merchant.app_id.clone(),
        product,
        total,
        description: text("orderDesc", 32)?.unwrap_or_else(|| "在线支付".to_owned()),
        attach: text("reqReserved", 1024)?,
        // sameness is told by the whole order
        digest: txn_time.to_owned(),
        buyer: None,
        notify_url: Some(back_url),
        return_url: Some(front_url),
        quit_url: None,
        body: None,
        gbk: false,
        txn_time: Some(txn_time.to_owned()),
        expires_at,
        closes_at: expires_at,
        known: true,
    })
}
