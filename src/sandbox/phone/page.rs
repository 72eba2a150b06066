//! The phone's own page: its files, and the state its panel shows.
use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::web::{Data, Json, Query};
use poem::{IntoResponse, Response, handler};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::money::Fen;
use crate::domain::trade::Channel;
use crate::sandbox::control::trade_json;
use crate::sandbox::merchants::{WECHAT_APP_ID, alipay_user, openid, unionpay_card};
use crate::sandbox::trade::{Trade, TradeState};
use crate::sandbox::world::Sandbox;

use super::device::Device;
use super::relay::Relay;
use super::scan::read_picture;

type Phones<'a> = Data<&'a Arc<Relay>>;

/// How many trades, and how many tries of notices, the panel shows.
const SHOWN: usize = 40;
/// The largest picture that is looked at (bytes).
const PICTURE_LIMIT: usize = 8 * 1024 * 1024;

const INDEX: &str = include_str!("../../../assets/sandbox/index.html");
/// Name, media type, text
const FILES: [(&str, &str, &str); 8] = [
    ("page.css", "text/css", include_str!("../../../assets/sandbox/page.css")),
    ("page.js", "text/javascript", include_str!("../../../assets/sandbox/page.js")),
    ("panel.js", "text/javascript", include_str!("../../../assets/sandbox/panel.js")),
    ("menu.js", "text/javascript", include_str!("../../../assets/sandbox/menu.js")),
    ("talk.js", "text/javascript", include_str!("../../../assets/sandbox/talk.js")),
    ("sheet.js", "text/javascript", include_str!("../../../assets/sandbox/sheet.js")),
    ("wechat.js", "text/javascript", include_str!("../../../assets/sandbox/wechat.js")),
    ("alipay.js", "text/javascript", include_str!("../../../assets/sandbox/alipay.js")),
];
/// What each fault is called and does, in Chinese; the English is the fault's own.
const FAULTS: &str = include_str!("../../../assets/sandbox/faults.json");

fn file_of(kind: &str, text: &'static str) -> Response {
    let response = Response::builder().header(header::CACHE_CONTROL, "no-cache");
    response.content_type(format!("{kind}; charset=utf-8")).body(text)
}

pub fn index() -> Response {
    file_of("text/html", INDEX)
}

#[handler]
pub fn file(poem::web::Path(name): poem::web::Path<String>) -> Response {
    if name == "faults.json" {
        return file_of("application/json", FAULTS);
    }
    match FILES.iter().find(|(own, _, _)| *own == name) {
        Some((_, kind, text)) => file_of(kind, text),
        None => StatusCode::NOT_FOUND.into(),
    }
}

#[derive(Deserialize)]
struct Whose {
    phone: String,
}

/// Everything the panel shows, amounts in fen, the newest first.
#[handler]
pub fn state(Data(relay): Phones, Query(whose): Query<Whose>, req: &poem::Request) -> Json<Value> {
    let world = &relay.world;
    let (waiting, tries) = {
        let outbox = world.outbox();
        let tries: Vec<_> = outbox.journal().iter().rev().take(SHOWN).cloned().collect();
        (outbox.waiting().to_vec(), tries)
    };
    let in_force: Vec<_> = world
        .faults()
        .list()
        .iter()
        .map(|set| json!({ "fault": set.fault.code(), "channel": set.channel.map(Channel::code), "times": set.times }))
        .collect();
    let bank = world.bank();
    let trades: Vec<_> = bank.trades().collect();
    let shown: Vec<_> = trades.iter().rev().take(SHOWN).map(|trade| trade_json(&bank, trade)).collect();
    let merchants: Vec<_> = bank
        .merchants()
        .iter()
        .map(|merchant| {
            json!({
                "channel": merchant.channel.code(),
                "name": merchant.name,
                "paid_trades": bank.paid_count(&merchant.id),
                "received_fen": bank.received(&merchant.id),
                "sent_back_fen": bank.sent_back(&merchant.id),
            })
        })
        .collect();
    Json(json!({
        "app_url": world.app_url(),
        "sandbox_url": world.public_url(req.header(header::HOST)),
        "devices": Device::ALL.map(Device::code),
        "now": world.now().beijing_text(),
        "wallet": wallet(&trades, &whose.phone),
        "merchants": merchants,
        "trades": shown,
        "all_trades": trades.len(),
        "waiting": waiting,
        "tries": tries,
        "in_force": in_force,
    }))
}

/// Who a phone is to each channel, and what it has paid.
fn wallet(trades: &[&Trade], phone: &str) -> Value {
    let own = |trade: &&&Trade| matches!(&trade.state, TradeState::Paid { phone: payer, .. } if payer == phone);
    let own: Vec<_> = trades.iter().filter(own).collect();
    let sum = |of: fn(&Trade) -> Fen| own.iter().map(|trade| of(trade)).sum::<Fen>();
    let payments: Vec<_> = own
        .iter()
        .rev()
        .take(SHOWN)
        .map(|trade| {
            json!({
                "channel": trade.key().channel.code(),
                "out_trade_no": trade.key().out_trade_no,
                "description": trade.ask.description,
                "paid_fen": trade.ask.total,
                "back_fen": trade.sent_back(),
            })
        })
        .collect();
    json!({
        "openid": openid(WECHAT_APP_ID, phone),
        "alipay_user": alipay_user(phone),
        "unionpay_card": unionpay_card(phone),
        "paid_fen": sum(|trade| trade.ask.total),
        "back_fen": sum(Trade::sent_back),
        "payments": payments,
    })
}

/// The text of the code in a PNG picture; 422 when there is none.
#[handler]
pub async fn decode(body: poem::Body) -> poem::Result<Response> {
    let png = body.into_bytes_limit(PICTURE_LIMIT).await?;
    let read = tokio::task::spawn_blocking(move || read_picture(&png)).await;
    Ok(match read.ok().flatten() {
        Some(text) => Json(json!({ "text": text })).into_response(),
        None => StatusCode::UNPROCESSABLE_ENTITY.into(),
    })
}

/// Every app on the phone is as newly installed: signed out everywhere.
#[handler]
pub fn forget(Data(relay): Phones, Json(whose): Json<Whose>) -> StatusCode {
    relay.memory().forget(&whose.phone);
    StatusCode::NO_CONTENT
}

/// Sends every waiting notice now, whatever its timetable or fault says, and tells how it went.
#[handler]
pub async fn hurry(Data(relay): Phones<'_>) -> Json<Value> {
    let world: &Arc<Sandbox> = &relay.world;
    world.outbox().hurry(world.now());
    Json(json!(world.deliver_due().await))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::faults::Fault;

    #[test]
    fn every_fault_has_its_chinese_name_and_sentence_and_none_is_invented() {
        let words: std::collections::BTreeMap<String, (String, String)> = serde_json::from_str(FAULTS).unwrap();
        for fault in Fault::ALL {
            let (name, sentence) = words.get(fault.code()).unwrap_or_else(|| panic!("{}", fault.code()));
            assert!(!name.is_empty() && sentence.ends_with('。'), "{}", fault.code());
        }
        assert_eq!(words.len(), Fault::ALL.len());
    }

    #[test]
    fn the_page_asks_for_nothing_that_is_not_here() {
        let named: Vec<&str> = INDEX.split('"').filter(|part| part.starts_with("/phone/")).collect();
        assert!(named.len() >= 3);
        for name in named {
            assert!(FILES.iter().any(|(own, _, _)| name == format!("/phone/{own}")), "{name}");
        }
        for (name, _, text) in FILES {
            assert!(!text.contains("https://"), "{name} is self-contained");
        }
    }
}
