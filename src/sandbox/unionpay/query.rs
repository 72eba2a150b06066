//! `queryTrans.do`, 00/00: what became of a payment or a refund, by `orderId` and `txnTime`. Of an order nobody has
//! tried to pay there is no transaction yet: 34, whether its payer has reached the cashier or not.
use crate::domain::trade::Channel;
use crate::sandbox::faults::{Call, Fault, Lies};
use crate::sandbox::merchants::Merchant;
use crate::sandbox::trade::{RefundState, Trade};
use crate::sandbox::world::Sandbox;

use super::fields::Fields;
use super::refusal::{Refusal, words};
use super::seen::{Seen, find};
use super::told::transaction;

/// Which kind of call a query is: faults tell them apart.
pub fn call_of(world: &Sandbox, asked: &Fields) -> Call {
    let name = |name| asked.get(name).unwrap_or_default();
    match find(&world.bank(), name("merId"), name("orderId"), name("txnTime")) {
        Some(Seen::Refund(..)) => Call::RefundQuery,
        _ => Call::Query,
    }
}

pub fn query(world: &Sandbox, merchant: &Merchant, asked: &Fields) -> Result<Fields, Refusal> {
    asked.must_be("txnType", "00")?;
    asked.must_be("txnSubType", "00")?;
    let bank = world.bank();
    let seen = find(&bank, &merchant.id, asked.need("orderId")?, asked.need("txnTime")?).ok_or(Refusal::new("34"))?;
    let (mut told, code) = match seen {
        Seen::Payment(trade) => {
            let code = state(world, trade).ok_or(Refusal::new("34"))?;
            (transaction(trade, None, lies(world, Call::Query)), code)
        }
        Seen::Refund(trade, refund) => {
            let code = match refund.state {
                RefundState::Processing { .. } => "05",
                RefundState::Success { .. } => "00",
                RefundState::Closed { .. } => "01",
                RefundState::Abnormal { .. } => "63",
            };
            (transaction(trade, Some(refund), lies(world, Call::RefundQuery)), code.to_owned())
        }
    };
    told.put("origRespMsg", words(&code));
    told.put("origRespCode", code);
    Ok(told)
}

/// None: nobody has tried to pay. 65: the only tries were with a wrong password.
fn state(world: &Sandbox, trade: &Trade) -> Option<String> {
    if !trade.is_paid() {
        return trade.tried.then(|| "65".to_owned());
    }
    let strikes = |fault| world.strikes(fault, Channel::UnionPay, Call::Query);
    Some(match (strikes(Fault::QueryPending), strikes(Fault::PaidWithDefect)) {
        (Some(code), _) => format!("{code:02}"),
        (None, Some(_)) => "A6".to_owned(),
        (None, None) => "00".to_owned(),
    })
}

fn lies(world: &Sandbox, call: Call) -> Lies {
    world.faults().lies(Channel::UnionPay, call)
}
