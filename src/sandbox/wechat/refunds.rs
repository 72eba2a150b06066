//! Refunds: ask, query, and the plaintext of a refund notice (WeChat Pay v3, refunds).
use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::money::Fen;
use crate::domain::trade::Channel;
use crate::sandbox::faults::{Call, Fault};
use crate::sandbox::outbox::NoticeAbout;
use crate::sandbox::trade::{Refund, RefundAsk, RefundEnd, RefundRefusal, RefundState, Trade, TradeKey};
use crate::sandbox::world::Sandbox;

use super::answer::{Answer, Refusal};
use super::orders::text;
use super::{fields, forms};

/// POST /v3/refund/domestic/refunds. The same number and amounts again is the same refund.
pub fn ask(world: &Sandbox, mchid: &str, body: &[u8]) -> Result<Answer, Refusal> {
    let told = fields::read(body, forms::REFUND)?;
    if text(&told, "/amount/currency") != Some("CNY") {
        return Err(fields::unfit("/body/amount/currency", "退款币种", "枚举值不合法"));
    }
    let key = find_trade(world, mchid, &told)?;
    let fen = |pointer| Fen::new(told.pointer(pointer).and_then(Value::as_i64).unwrap_or_default());
    let ask = RefundAsk {
        refund_no: text(&told, "/out_refund_no").unwrap_or_default().to_owned(),
        amount: fen("/amount/refund"),
        total: Some(fen("/amount/total")),
        reason: text(&told, "/reason").map(str::to_owned),
        notify_url: text(&told, "/notify_url").map(str::to_owned),
        txn_time: None,
    };
    let refund_no = ask.refund_no.clone();
    let mut bank = world.bank();
    let repeated = bank.refund_by_no(mchid, &refund_no).is_some();
    let strikes = |fault| (!repeated).then(|| world.strikes(fault, Channel::Wechat, Call::Refund)).flatten();
    if strikes(Fault::RefundNotEnough).is_some() {
        return Err(Refusal::new(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"));
    }
    let end = match () {
        () if strikes(Fault::RefundAbnormal).is_some() => RefundEnd::Abnormal,
        () if strikes(Fault::RefundClosed).is_some() => RefundEnd::Closed,
        () => RefundEnd::Success,
    };
    let after = Duration::from_secs(strikes(Fault::RefundProcessing).unwrap_or(0));
    let refund = bank.refund(&key, ask, end, after, world.now()).map_err(refused)?;
    let ended = !matches!(refund.state, RefundState::Processing { .. });
    let trade = bank.trade(&key).ok_or_else(|| refused(RefundRefusal::Unknown))?;
    if ended && !repeated {
        world.queue_notice(trade, NoticeAbout::Refund { refund_no: refund_no.clone() });
    }
    let refund = trade.refund(&refund_no).ok_or_else(|| refused(RefundRefusal::Unknown))?;
    Ok(Answer::Json(document(trade, refund)))
}

/// By transaction_id or by out_trade_no; given both, they must agree.
fn find_trade(world: &Sandbox, mchid: &str, told: &Value) -> Result<TradeKey, Refusal> {
    let by_no = text(told, "/out_trade_no").map(|no| TradeKey::new(Channel::Wechat, mchid, no));
    let Some(id) = text(told, "/transaction_id") else {
        return by_no.ok_or_else(|| fields::missing("/body/transaction_id", "微信支付订单号"));
    };
    let bank = world.bank();
    let by_id = bank.trade_by_no(id).filter(|trade| trade.key().merchant == mchid);
    let key = by_id.ok_or_else(|| refused(RefundRefusal::Unknown))?.key();
    match by_no {
        Some(other) if other != *key => Err(refused(RefundRefusal::OtherTrade)),
        _ => Ok(key.clone()),
    }
}

fn refused(why: RefundRefusal) -> Refusal {
    let invalid = |message| Refusal::new(400, "INVALID_REQUEST", message);
    match why {
        RefundRefusal::Unknown | RefundRefusal::NotPaid => {
            Refusal::new(404, "RESOURCE_NOT_EXISTS", "订单不存在").numbered(268_512_771)
        }
        RefundRefusal::TotalDiffers | RefundRefusal::AmountDiffers => {
            invalid("订单金额或退款金额与之前请求不一致，请核实后再试")
        }
        RefundRefusal::OtherTrade => invalid("支付单号校验不一致，请核实后再试"),
        RefundRefusal::OverRest => invalid("申请退款金额超过订单可退金额"),
        RefundRefusal::TooMany => invalid("部分退款次数已达上限"),
        RefundRefusal::TooLate => invalid("订单已超过可退款的最大期限"),
    }
}

/// GET /v3/refund/domestic/refunds/{out_refund_no}
pub fn query(world: &Sandbox, mchid: &str, refund_no: &str) -> Result<Answer, Refusal> {
    let bank = world.bank();
    match bank.refund_by_no(mchid, refund_no) {
        Some((trade, refund)) => Ok(Answer::Json(document(trade, refund))),
        None => Err(Refusal::new(404, "RESOURCE_NOT_EXISTS", "退款单不存在")),
    }
}

fn document(trade: &Trade, refund: &Refund) -> Value {
    let (total, back) = (trade.ask.total.get(), refund.amount.get());
    let mut told = json!({
        "refund_id": refund.refund_id,
        "out_refund_no": refund.refund_no,
        "transaction_id": trade.trade_no,
        "out_trade_no": trade.key().out_trade_no,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": refund.created_at.rfc3339(),
        "status": status(refund),
        "funds_account": "AVAILABLE",
        "amount": {
            "total": total,
            "refund": back,
            "from": [],
            "payer_total": total,
            "payer_refund": back,
            "settlement_refund": back,
            "settlement_total": total,
            "discount_refund": 0,
            "currency": "CNY",
        },
        "promotion_detail": [],
    });
    if let RefundState::Success { at } = refund.state {
        told["success_time"] = json!(at.rfc3339());
    }
    told
}

const fn status(refund: &Refund) -> &'static str {
    match refund.state {
        RefundState::Processing { .. } => "PROCESSING",
        RefundState::Success { .. } => "SUCCESS",
        RefundState::Closed { .. } => "CLOSED",
        RefundState::Abnormal { .. } => "ABNORMAL",
    }
}

/// The plaintext of a refund notice; the state is called `refund_status` here, and there is no channel or
/// funds_account.
pub fn as_notified(trade: &Trade, refund: &Refund, more_fen: i64, foreign: bool) -> Value {
    let (total, back) = (trade.ask.total.get(), refund.amount.get() + more_fen);
    let mut told = json!({
        "mchid": if foreign { "1900009999" } else { &trade.key().merchant },
        "transaction_id": trade.trade_no,
        "out_trade_no": trade.key().out_trade_no,
        "refund_id": refund.refund_id,
        "out_refund_no": refund.refund_no,
        "refund_status": status(refund),
        "user_received_account": "支付用户零钱",
        "amount": { "total": total, "refund": back, "payer_total": total, "payer_refund": back },
    });
    if let RefundState::Success { at } = refund.state {
        told["success_time"] = json!(at.rfc3339());
    }
    told
}
