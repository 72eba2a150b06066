//! `/control/…`: what a test or the phone page does to the sandbox from outside, in JSON. No channel has such a thing.
use std::sync::Arc;
use std::time::Duration;

use poem::http::StatusCode;
use poem::web::{Data, Json, Path};
use poem::{IntoEndpoint, IntoResponse, Response, Route, delete, get, handler, post};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::trade::Channel;

use super::account::talk;
use super::bank::Bank;
use super::campus::receiver;
use super::faults::{Call, Fault, Setting};
use super::fiscal::counter;
use super::postbox::gateway;
use super::trade::{PayRefusal, Refund, RefundState, Trade, TradeState};
use super::utility::till;
use super::wechat::bridge::{BridgeCall, check};
use super::world::{Sandbox, Switches};

type World<'a> = Data<&'a Arc<Sandbox>>;

/// All control routes, to be nested under `/control`.
pub fn routes() -> impl IntoEndpoint {
    Route::new()
        .at("/faults", get(list_faults).post(set_fault).delete(clear_faults))
        .at("/faults/:fault", delete(lift_fault))
        .at("/switches", get(show_switches).post(set_switches))
        .at("/merchants", get(merchants))
        .at("/trades", get(trades))
        .at("/deliveries", get(deliveries))
        .at("/deliver", post(deliver))
        .at("/advance", post(advance))
        .at("/campus", get(receiver::state).post(receiver::set))
        .at("/fiscal", get(counter::state).post(counter::set))
        .at("/utility", get(till::state).post(till::set))
        .at("/messages", get(gateway::state).post(gateway::refuse))
        .at("/push", post(talk::set_mode))
        .at("/open", post(open))
        .at("/pay", post(pay))
        .at("/wrong-password", post(wrong_password))
        .at("/bridge", post(bridge))
}

#[derive(Deserialize)]
struct WantedFault {
    /// [`Fault::code`]
    fault: String,
    /// `wechat`, `alipay` or `unionpay`; none: all
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    call: Option<Call>,
    #[serde(default)]
    times: Option<u32>,
    #[serde(default)]
    amount: Option<u64>,
}

impl WantedFault {
    fn setting(self) -> Option<Setting> {
        let channel = match self.channel {
            None => None,
            Some(word) => Some(Channel::parse(&word)?),
        };
        let fault = Fault::parse(&self.fault)?;
        Some(Setting { fault, channel, call: self.call, times: self.times, amount: self.amount })
    }
}

/// Every fault there is with its explanation, and those in force.
#[handler]
fn list_faults(Data(world): World) -> Json<Value> {
    let known: Vec<_> =
        Fault::ALL.iter().map(|fault| json!({ "fault": fault.code(), "explain": fault.explain() })).collect();
    let faults = world.faults();
    let in_force: Vec<_> = faults
        .list()
        .iter()
        .map(|setting| {
            json!({
                "fault": setting.fault.code(),
                "channel": setting.channel.map(Channel::code),
                "call": setting.call,
                "times": setting.times,
                "amount": setting.amount,
            })
        })
        .collect();
    Json(json!({ "known": known, "in_force": in_force }))
}

#[handler]
fn set_fault(Data(world): World, Json(wanted): Json<WantedFault>) -> StatusCode {
    match wanted.setting() {
        Some(setting) => {
            world.set_fault(setting);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::BAD_REQUEST,
    }
}

#[handler]
fn clear_faults(Data(world): World) -> StatusCode {
    world.clear_faults();
    StatusCode::NO_CONTENT
}

/// This fault is over, at every channel.
#[handler]
fn lift_fault(Data(world): World, Path(code): Path<String>) -> StatusCode {
    match Fault::parse(&code) {
        Some(fault) => {
            world.faults().lift(fault);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::NOT_FOUND,
    }
}

#[handler]
fn show_switches(Data(world): World) -> Json<Switches> {
    Json(world.switches())
}

#[handler]
fn set_switches(Data(world): World, Json(switches): Json<Switches>) -> StatusCode {
    world.set_switches(switches);
    StatusCode::NO_CONTENT
}

/// The merchants with what they received and sent back, in fen.
#[handler]
fn merchants(Data(world): World) -> Json<Value> {
    let bank = world.bank();
    let line = |merchant: &super::merchants::Merchant| {
        json!({
            "merchant": merchant,
            "paid_trades": bank.paid_count(&merchant.id),
            "received_fen": bank.received(&merchant.id),
            "sent_back_fen": bank.sent_back(&merchant.id),
        })
    };
    Json(bank.merchants().iter().map(line).collect())
}

/// All trades, oldest first.
#[handler]
fn trades(Data(world): World) -> Json<Value> {
    let bank = world.bank();
    Json(bank.trades().map(|trade| trade_json(&bank, trade)).collect())
}

#[handler]
fn deliveries(Data(world): World) -> Json<Value> {
    Json(json!({ "waiting": world.notices_waiting(), "tries": world.deliveries() }))
}

/// Sends what is due and tells how it went.
#[handler]
async fn deliver(Data(world): World<'_>) -> Json<Value> {
    Json(json!(world.deliver_due().await))
}

#[derive(Deserialize)]
struct Span {
    seconds: u64,
}

/// Moves the clock on, where it is one that can be moved.
#[handler]
fn advance(Data(world): World, Json(span): Json<Span>) -> Json<Value> {
    world.clock.advance(Duration::from_secs(span.seconds));
    Json(json!({ "now": world.now().rfc3339() }))
}

#[derive(Deserialize)]
struct Scan {
    /// `wechat`, `alipay` or `unionpay`
    channel: String,
    /// prepay_id, code, link or order number
    code: String,
    phone: String,
}

#[handler]
fn open(Data(world): World, Json(scan): Json<Scan>) -> Response {
    told(&scan, |channel| world.open(channel, &scan.code, &scan.phone))
}

#[handler]
fn pay(Data(world): World, Json(scan): Json<Scan>) -> Response {
    told(&scan, |channel| world.pay(channel, &scan.code, &scan.phone))
}

#[handler]
fn wrong_password(Data(world): World, Json(scan): Json<Scan>) -> Response {
    told::<()>(&scan, |channel| Err(world.pay_with_wrong_password(channel, &scan.code, &scan.phone)))
}

/// What WeixinJSBridge checks before the payer sees anything.
#[handler]
fn bridge(Data(world): World, Json(call): Json<BridgeCall>) -> Response {
    match check(world, &call) {
        Ok(prepay_id) => Json(json!({ "prepay_id": prepay_id })).into_response(),
        Err(text) => Json(json!({ "text": text })).with_status(StatusCode::CONFLICT).into_response(),
    }
}

/// 200 with what came of it, or 409 with the phone's words.
fn told<T: serde::Serialize>(scan: &Scan, act: impl Fn(Channel) -> Result<T, PayRefusal>) -> Response {
    let Some(channel) = Channel::parse(&scan.channel) else { return StatusCode::BAD_REQUEST.into() };
    match act(channel) {
        Ok(outcome) => Json(json!(outcome)).into_response(),
        Err(refusal) => {
            let body = json!({ "refusal": refusal, "text": refusal.text() });
            Json(body).with_status(StatusCode::CONFLICT).into_response()
        }
    }
}

/// A trade with all that is known of it; amounts in fen.
pub fn trade_json(bank: &Bank, trade: &Trade) -> Value {
    let key = trade.key();
    let (state, at, phone) = match &trade.state {
        TradeState::NotPay => ("not_pay", None, None),
        TradeState::Paid { at, phone, .. } => ("paid", Some(at.rfc3339()), Some(phone)),
        TradeState::Closed { at } => ("closed", Some(at.rfc3339()), None),
    };
    let codes: Vec<_> = bank
        .codes_of(key)
        .iter()
        .map(|code| json!({ "text": code.text, "valid_until": code.valid_until.rfc3339() }))
        .collect();
    json!({
        "channel": key.channel.code(),
        "merchant": key.merchant,
        "out_trade_no": key.out_trade_no,
        "trade_no": trade.trade_no,
        "product": trade.ask.product.code(),
        "total_fen": trade.ask.total,
        "description": trade.ask.description,
        "state": state,
        "at": at,
        "phone": phone,
        "ordered_at": trade.ordered_at.rfc3339(),
        "expires_at": trade.ask.expires_at.rfc3339(),
        "return_url": trade.ask.return_url,
        "codes": codes,
        "refunds": trade.refunds.iter().map(refund_json).collect::<Vec<_>>(),
    })
}

fn refund_json(refund: &Refund) -> Value {
    let state = match refund.state {
        RefundState::Processing { .. } => "processing",
        RefundState::Success { .. } => "success",
        RefundState::Closed { .. } => "closed",
        RefundState::Abnormal { .. } => "abnormal",
    };
    json!({ "refund_no": refund.refund_no, "amount_fen": refund.amount, "state": state })
}
