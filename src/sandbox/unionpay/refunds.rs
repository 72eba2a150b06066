//! `backTransReq.do`, 04/00: sends money back by the payment's `queryId`, in parts if wanted. 00 means accepted, not
//! done: the end comes by notice and by query. A number and second used before is 12, whatever it asked for.
use std::time::Duration;

use crate::domain::trade::Channel;
use crate::sandbox::faults::{Call, Fault};
use crate::sandbox::merchants::Merchant;
use crate::sandbox::trade::{RefundAsk, RefundEnd, RefundRefusal};
use crate::sandbox::world::Sandbox;

use super::fields::Fields;
use super::refusal::Refusal;
use super::seen::{book_no, find};

/// How long a refund is under way where nothing else is said, seconds.
const USUAL: u64 = 3;

pub fn ask(world: &Sandbox, merchant: &Merchant, asked: &Fields) -> Result<Fields, Refusal> {
    if (asked.need("txnType")?, asked.need("txnSubType")?) != ("04", "00") {
        return Err(Refusal::new("32"));
    }
    let (order_id, txn_time) = (asked.need("orderId")?, asked.need("txnTime")?);
    let (amount, notify_url) = (asked.amount()?, asked.address("backUrl")?);
    let query_id = asked.need("origQryId")?;
    let mut bank = world.bank();
    if find(&bank, &merchant.id, order_id, txn_time).is_some() {
        return Err(Refusal::new("12"));
    }
    let trade = bank.trade_by_no(query_id).filter(|trade| trade.key().merchant == merchant.id);
    let trade = trade.filter(|trade| trade.is_paid()).ok_or(Refusal::new("35"))?;
    if trade.committed() == trade.ask.total {
        return Err(Refusal::new("45"));
    }
    let (key, refund_no) = (trade.key().clone(), book_no(&bank, &merchant.id, order_id, txn_time));
    let strikes = |fault| world.strikes(fault, Channel::UnionPay, Call::Refund);
    if strikes(Fault::RefundNotEnough).is_some() {
        return Err(Refusal::new("64"));
    }
    let end = match () {
        () if strikes(Fault::RefundAbnormal).is_some() => RefundEnd::Abnormal,
        () if strikes(Fault::RefundClosed).is_some() => RefundEnd::Closed,
        () => RefundEnd::Success,
    };
    let after = Duration::from_secs(strikes(Fault::RefundProcessing).unwrap_or(USUAL));
    let ask = RefundAsk {
        refund_no,
        amount,
        total: None,
        reason: asked.get("reqReserved").map(str::to_owned),
        notify_url: Some(notify_url),
        txn_time: Some(txn_time.to_owned()),
    };
    let refund = bank.refund(&key, ask, end, after, world.now()).map_err(refused)?;
    let mut told = Fields::default();
    told.put("queryId", refund.refund_id.clone());
    Ok(told)
}

fn refused(why: RefundRefusal) -> Refusal {
    Refusal::new(match why {
        RefundRefusal::Unknown | RefundRefusal::NotPaid | RefundRefusal::TooLate => "35",
        RefundRefusal::OverRest => "33",
        RefundRefusal::TotalDiffers => "36",
        RefundRefusal::AmountDiffers | RefundRefusal::OtherTrade => "12",
        RefundRefusal::TooMany => "30",
    })
}
