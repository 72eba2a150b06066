//! What UnionPay tells of a transaction, the same in a notice, in the form that leads a payer back, and in the answer
//! to a query (ACP 5.1.0, answers and notices).
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::trade::Product;
use crate::sandbox::faults::Lies;
use crate::sandbox::merchants::unionpay_card;
use crate::sandbox::trade::{Refund, RefundState, Trade, TradeState};

use super::fields::Fields;
use super::seen::order_id;

/// A merchant that is nobody's here.
pub const FOREIGN_MERCHANT: &str = "898699999999999";

/// All that is known of a payment, or of a refund of it. Of an unpaid one only what the merchant said itself.
pub fn transaction(trade: &Trade, refund: Option<&Refund>, lies: Lies) -> Fields {
    let mut told = common(trade, lies);
    let amount = match refund {
        None => payment(&mut told, trade),
        Some(refund) => self::refund(&mut told, trade, refund),
    };
    let amount = (amount + Fen::new(lies.more_fen)).get().to_string();
    let currency = if lies.currency { "840" } else { "156" };
    told.put("txnAmt", amount.clone());
    told.put("currencyCode", currency);
    if let Some((at, phone, query_id)) = settled(trade, refund) {
        told.put("queryId", query_id);
        told.put("accNo", masked(&unionpay_card(phone)));
        told.put("settleAmt", amount);
        told.put("settleCurrencyCode", currency);
        told.put("settleDate", at.format("%m%d"));
        told.put("traceNo", &query_id[query_id.len().saturating_sub(6)..]);
        told.put("traceTime", at.format("%m%d%H%M%S"));
        told.put("exchangeRate", "0");
        told.put("payCardType", "01");
        told.put("payType", "0201");
        told.put("issuerIdentifyMode", "0");
    }
    told
}

fn common(trade: &Trade, lies: Lies) -> Fields {
    let mut told = Fields::default();
    for (name, value) in
        [("version", "5.1.0"), ("encoding", "UTF-8"), ("signMethod", "01"), ("bizType", "000201"), ("accessType", "0")]
    {
        told.put(name, value);
    }
    told.put("channelType", if trade.ask.product == Product::UnionPayPage { "07" } else { "08" });
    told.put("merId", if lies.merchant { FOREIGN_MERCHANT } else { trade.key().merchant.as_str() });
    told
}

fn payment(told: &mut Fields, trade: &Trade) -> Fen {
    told.put("txnType", "01");
    told.put("txnSubType", "01");
    told.put("orderId", order_id(&trade.key().out_trade_no));
    told.put("txnTime", trade.ask.txn_time.clone().unwrap_or_default());
    if let Some(reserved) = &trade.ask.attach {
        told.put("reqReserved", reserved);
    }
    trade.ask.total
}

fn refund(told: &mut Fields, trade: &Trade, refund: &Refund) -> Fen {
    told.put("txnType", "04");
    told.put("txnSubType", "00");
    told.put("orderId", order_id(&refund.refund_no));
    told.put("txnTime", refund.txn_time.clone().unwrap_or_default());
    told.put("origQryId", trade.trade_no.clone());
    told.put("queryId", refund.refund_id.clone());
    if let Some(reserved) = &refund.reason {
        told.put("reqReserved", reserved);
    }
    refund.amount
}

/// When the money moved, whose card it is, and UnionPay's number of the transaction.
fn settled<'a>(trade: &'a Trade, refund: Option<&'a Refund>) -> Option<(Moment, &'a str, &'a str)> {
    let TradeState::Paid { at, phone, .. } = &trade.state else { return None };
    match refund {
        None => Some((*at, phone, &trade.trade_no)),
        Some(refund) => match refund.state {
            RefundState::Success { at } => Some((at, phone, &refund.refund_id)),
            _ => None,
        },
    }
}

/// A card's number as a receipt shows it: the first six and the last four.
pub fn masked(card: &str) -> String {
    let (head, tail) =
        (card.get(..6).unwrap_or_default(), card.get(card.len().saturating_sub(4)..).unwrap_or_default());
    format!("{head}*********{tail}")
}
