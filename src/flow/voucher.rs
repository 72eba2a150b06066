//! 电子缴费凭证: a receipt with a code by which anybody who holds it learns whether it is genuine.
//!
//! The code is a mac over what of a receipt never changes: its numbers, its day, its payer, its payee and its amounts.
//! Names are not in it, so that a corrected name makes no voucher false; whoever checks compares them with what is
//! shown. What went back since is told from the books, not by the code. The key is derived from the journal's, whose
//! predecessors stay known: a voucher can be checked as long as the journal can.
use super::check_code::Facts;
use super::failure::Result;
use super::records::{self, Slip};
use crate::app::App;
use crate::domain::order::OrderState;
use crate::domain::payer::Payer;
use crate::domain::trade::TradeNo;
use crate::domain::voucher::VoucherCode;
use crate::store::{journal, payers};

/// A receipt as its voucher shows it.
pub struct Voucher {
    pub slip: Slip,
    pub code: VoucherCode,
    /// 渠道交易号; none for money taken elsewhere
    pub trade_no: Option<TradeNo>,
}

/// The voucher of a receipt. Whose it is has been looked at before.
pub fn of(app: &App, slip: Slip) -> Voucher {
    Voucher { code: facts(&slip).code(app), trade_no: trade_no(&slip).cloned(), slip }
}

/// The voucher of a number, and whose it is, if the code is its code.
pub(super) async fn find(app: &App, receipt_no: &str, code: &VoucherCode) -> Result<Option<(Voucher, Payer)>> {
    let db = app.db.read();
    let Some(receipt) = journal::find_receipt_by_no(db, receipt_no).await? else { return Ok(None) };
    let Some(slip) = records::slip(app, receipt).await? else { return Ok(None) };
    if !facts(&slip).proved_by(app, code) {
        return Ok(None);
    }
    let Some(account) = payers::find(db, slip.receipt.payer_id).await? else { return Ok(None) };
    Ok(Some((of(app, slip), account.payer)))
}

fn trade_no(slip: &Slip) -> Option<&TradeNo> {
    match &slip.listed.order.state {
        OrderState::Paid { trade_no, .. } => Some(trade_no),
        _ => None,
    }
}

/// What of a receipt never changes.
fn facts(slip: &Slip) -> Facts<'_> {
    let (receipt, order) = (&slip.receipt, &slip.listed.order);
    let mut numbers = vec![receipt.issued_at.millis(), receipt.payer_id.0, order.total.get()];
    let mut lines: Vec<(i64, i64)> =
        slip.listed.lines.iter().map(|line| (line.charge_id.0, line.amount.get())).collect();
    lines.sort_unstable();
    numbers.extend(lines.into_iter().flat_map(|(charge, amount)| [charge, amount]));
    Facts {
        of: "voucher",
        texts: vec![
            receipt.receipt_no.as_str(),
            order.order_no.as_str(),
            order.payee_code.as_str(),
            trade_no(slip).map_or("", |no| no.0.as_str()),
        ],
        numbers,
    }
}
