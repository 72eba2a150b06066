//! `alipay.trade.refund` and `alipay.trade.fastpay.refund.query`. `refund_fee` is the sum of all that went back, and
//! only `fund_change=Y` says that money moved in this call.
use std::time::Duration;

use serde_json::json;

use crate::domain::trade::Channel;
use crate::sandbox::faults::{Call, Fault};
use crate::sandbox::merchants::Merchant;
use crate::sandbox::outbox::NoticeAbout;
use crate::sandbox::trade::{Refund, RefundAsk, RefundEnd, RefundRefusal, RefundState, Trade, TradeState};
use crate::sandbox::world::Sandbox;

use super::answer::{Node, Refusal, some, success};
use super::told::Told;
use super::trades::{find, not_exist, payer, wrong_state};

/// `alipay.trade.refund`. The same number and amount again is the same refund; without a number it is the whole trade.
pub fn ask(world: &Sandbox, merchant: &Merchant, told: &Told) -> Result<Node, Refusal> {
    let amount = told.amount("refund_amount")?;
    let mut bank = world.bank();
    let trade = find(&bank, merchant, told)?;
    let key = trade.key().clone();
    let refund_no = match told.text("out_request_no", 64)? {
        Some(number) => number,
        None if amount == trade.ask.total => key.out_trade_no.clone(),
        None => return Err(Refusal::parameter("部分退款时out_request_no不能为空")),
    };
    let repeated = trade.refund(&refund_no).is_some();
    if trade.is_paid() && !repeated && trade.sent_back() == trade.ask.total {
        return Err(Refusal::business("TRADE_HAS_CLOSE", "交易已经关闭"));
    }
    let strikes = |fault| (!repeated).then(|| world.strikes(fault, Channel::Alipay, Call::Refund)).flatten();
    if strikes(Fault::RefundNotEnough).is_some() {
        return Err(Refusal::business("SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"));
    }
    let end = match () {
        () if strikes(Fault::RefundAbnormal).is_some() => RefundEnd::Abnormal,
        () if strikes(Fault::RefundClosed).is_some() => RefundEnd::Closed,
        () => RefundEnd::Success,
    };
    let after = Duration::from_secs(strikes(Fault::RefundProcessing).unwrap_or(0));
    let reason = told.text("refund_reason", 256)?;
    let closed = matches!(trade.state, TradeState::Closed { .. });
    let ask = RefundAsk { refund_no: refund_no.clone(), amount, total: None, reason, notify_url: None, txn_time: None };
    bank.refund(&key, ask, end, after, world.now()).map_err(|why| refused(why, closed))?;
    let trade = bank.trade(&key).ok_or_else(not_exist)?;
    let refund = trade.refund(&refund_no).ok_or_else(not_exist)?;
    let moved = !repeated && matches!(refund.state, RefundState::Success { .. });
    if moved {
        world.queue_notice(trade, NoticeAbout::Refund { refund_no });
    }
    Ok(answer(world, trade, refund, moved))
}

fn answer(world: &Sandbox, trade: &Trade, refund: &Refund, moved: bool) -> Node {
    let paid_back = match refund.state {
        RefundState::Success { at } => Some(at.beijing_text()),
        _ => None,
    };
    let sent_back = if moved { refund.amount.yuan() } else { "0.00".to_owned() };
    let mut node = success([
        ("trade_no", json!(trade.trade_no)),
        ("out_trade_no", json!(trade.key().out_trade_no)),
        ("fund_change", json!(if moved { "Y" } else { "N" })),
        ("refund_fee", json!(trade.sent_back().yuan())),
        ("send_back_fee", json!(sent_back)),
    ]);
    node.extend(payer(world, trade).into_iter().map(|(name, value)| (name, json!(value))));
    node.extend(some("gmt_refund_pay", paid_back));
    if moved {
        let item = json!([{ "fund_channel": "ALIPAYACCOUNT", "amount": refund.amount.yuan() }]);
        node.push(("refund_detail_item_list", item));
    }
    node
}

fn refused(why: RefundRefusal, closed: bool) -> Refusal {
    match why {
        RefundRefusal::Unknown | RefundRefusal::OtherTrade => not_exist(),
        RefundRefusal::NotPaid if closed => Refusal::business("TRADE_HAS_CLOSE", "交易已经关闭"),
        RefundRefusal::NotPaid => wrong_state(),
        RefundRefusal::OverRest => Refusal::business("REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"),
        RefundRefusal::AmountDiffers | RefundRefusal::TotalDiffers => {
            Refusal::business("DISCORDANT_REPEAT_REQUEST", "请求信息不一致")
        }
        RefundRefusal::TooMany => Refusal::business("TRADE_NOT_ALLOW_REFUND", "当前交易不允许退款"),
        RefundRefusal::TooLate => Refusal::business("TRADE_HAS_FINISHED", "交易已经完结"),
    }
}

/// `alipay.trade.fastpay.refund.query`: a success without `refund_status` means "not arrived"; of a number nobody has
/// used it says nothing at all.
pub fn query(world: &Sandbox, merchant: &Merchant, told: &Told) -> Result<Node, Refusal> {
    let bank = world.bank();
    let trade = find(&bank, merchant, told)?;
    let refund_no = told.text("out_request_no", 64)?.unwrap_or_else(|| trade.key().out_trade_no.clone());
    let Some(refund) = trade.refund(&refund_no) else { return Ok(success([])) };
    let lies = world.faults().lies(Channel::Alipay, Call::RefundQuery);
    let mut node = success([
        ("trade_no", json!(trade.trade_no)),
        ("out_trade_no", json!(trade.key().out_trade_no)),
        ("out_request_no", json!(refund.refund_no)),
        ("total_amount", json!(trade.ask.total.yuan())),
        ("refund_amount", json!((refund.amount + crate::domain::money::Fen::new(lies.more_fen)).yuan())),
    ]);
    if let RefundState::Success { at } = refund.state {
        node.push(("refund_status", json!("REFUND_SUCCESS")));
        node.push(("gmt_refund_pay", json!(at.beijing_text())));
    }
    node.extend(some("refund_reason", refund.reason.clone()));
    Ok(node)
}
