//! Which transaction a number names. At UnionPay `orderId` and `txnTime` together do, payments and refunds alike: the
//! same number with another second is another transaction (ACP 5.1.0).
//!
//! In the bank a transaction bears its plain `orderId`, so that tests and people find it; one that takes up a number
//! used before bears `orderId#txnTime`.
use crate::domain::trade::Channel;
use crate::sandbox::bank::Bank;
use crate::sandbox::trade::{Refund, Trade, TradeKey};

/// A payment, or a refund of one.
pub enum Seen<'a> {
    Payment(&'a Trade),
    Refund(&'a Trade, &'a Refund),
}

/// The number in the bank's books for a transaction that is not there yet.
pub fn book_no(bank: &Bank, merchant: &str, order_id: &str, txn_time: &str) -> String {
    let used = payment(bank, merchant, order_id).is_some() || bank.refund_by_no(merchant, order_id).is_some();
    if used { format!("{order_id}#{txn_time}") } else { order_id.to_owned() }
}

/// The merchant's number of a transaction in the bank's books.
pub fn order_id(book_no: &str) -> &str {
    book_no.split('#').next().unwrap_or_default()
}

pub fn find<'a>(bank: &'a Bank, merchant: &str, order_id: &str, txn_time: &str) -> Option<Seen<'a>> {
    [order_id.to_owned(), format!("{order_id}#{txn_time}")].iter().find_map(|no| {
        if let Some(trade) = payment(bank, merchant, no).filter(|trade| trade.ask.txn_time.as_deref() == Some(txn_time))
        {
            return Some(Seen::Payment(trade));
        }
        let (trade, refund) = bank.refund_by_no(merchant, no)?;
        (refund.txn_time.as_deref() == Some(txn_time)).then_some(Seen::Refund(trade, refund))
    })
}

fn payment<'a>(bank: &'a Bank, merchant: &str, book_no: &str) -> Option<&'a Trade> {
    bank.trade(&TradeKey::new(Channel::UnionPay, merchant, book_no))
}
