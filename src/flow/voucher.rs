//! 电子缴费凭证: a receipt with a code by which anybody who holds it learns whether it is genuine.
//!
//! The code is a mac over what of a receipt never changes: its numbers, its day, its payer, its payee and its amounts.
//! Names are not in it, so that a corrected name makes no voucher false; whoever checks compares them with what is
//! shown. What went back since is told from the books, not by the code. The key is derived from the journal's, whose
//! predecessors stay known: a voucher can be checked as long as the journal can.
use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::hmac;

use super::failure::Result;
use super::guess::Fence;
use super::records::{self, Slip};
use crate::app::App;
use crate::config::Key32;
use crate::domain::moment::Moment;
use crate::domain::order::OrderState;
use crate::domain::payer::Payer;
use crate::domain::trade::TradeNo;
use crate::domain::voucher::VoucherCode;
use crate::store::{journal, payers};

/// Wrong vouchers of one network, and in how long
const WRONG: (u32, Duration) = (30, Duration::from_secs(600));
/// 收费单号 are shorter
const LONGEST_NO: usize = 32;

/// A receipt as its voucher shows it.
pub struct Voucher {
    pub slip: Slip,
    pub code: VoucherCode,
    /// 渠道交易号; none for money taken elsewhere
    pub trade_no: Option<TradeNo>,
}

/// The voucher of a receipt. Whose it is has been looked at before.
pub fn of(app: &App, slip: Slip) -> Voucher {
    Voucher { code: code_of(app.config.secrets.journal_key.clone(), &slip), trade_no: trade_no(&slip).cloned(), slip }
}

/// What somebody is told who holds a voucher.
pub enum Examined {
    Genuine(Box<(Voucher, Payer)>),
    /// There is no such receipt, or the code is not its code: nobody is told which.
    False,
    /// Too many wrong ones from this network
    Wait {
        until: Moment,
    },
}

/// Tells a genuine voucher from another. Asks nobody to be signed in.
pub async fn examine(app: &App, receipt_no: &str, code: &VoucherCode, address: IpAddr) -> Result<Examined> {
    let fence = Fence::new(app, "voucher", address, WRONG);
    if let Some(until) = fence.closed(app).await {
        return Ok(Examined::Wait { until });
    }
    match find(app, receipt_no, code).await? {
        Some(found) => Ok(Examined::Genuine(Box::new(found))),
        None => {
            fence.wrong(app).await;
            Ok(Examined::False)
        }
    }
}

async fn find(app: &App, receipt_no: &str, code: &VoucherCode) -> Result<Option<(Voucher, Payer)>> {
    let db = app.db.read();
    if receipt_no.len() > LONGEST_NO {
        return Ok(None);
    }
    let Some(receipt) = journal::find_receipt_by_no(db, receipt_no).await? else { return Ok(None) };
    let Some(slip) = records::slip(app, receipt).await? else { return Ok(None) };
    let secrets = &app.config.secrets;
    let mut keys = std::iter::once(&secrets.journal_key).chain(&secrets.old_journal_keys);
    if !keys.any(|key| code_of(key.clone(), &slip) == *code) {
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

/// HMAC-SHA-256 over a row of fields: texts as their length in eight bytes and then their bytes, numbers as eight bytes
/// big-endian, so that two different receipts never make the same row.
fn code_of(key: Key32, slip: &Slip) -> VoucherCode {
    let of_journal = hmac::Key::new(hmac::HMAC_SHA256, key.bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&of_journal, b"jiaofei voucher").as_ref());
    let (receipt, order) = (&slip.receipt, &slip.listed.order);
    let mut mac = hmac::Context::with_key(&key);
    let texts = [
        receipt.receipt_no.as_str(),
        order.order_no.as_str(),
        order.payee_code.as_str(),
        trade_no(slip).map_or("", |no| no.0.as_str()),
    ];
    for text in texts {
        mac.update(&(text.len() as u64).to_be_bytes());
        mac.update(text.as_bytes());
    }
    let mut numbers = vec![receipt.issued_at.millis(), receipt.payer_id.0, order.total.get()];
    let mut lines: Vec<(i64, i64)> =
        slip.listed.lines.iter().map(|line| (line.charge_id.0, line.amount.get())).collect();
    lines.sort_unstable();
    numbers.extend(lines.into_iter().flat_map(|(charge, amount)| [charge, amount]));
    numbers.iter().for_each(|number| mac.update(&number.to_be_bytes()));
    let tag = mac.sign();
    let first = tag.as_ref().first_chunk().expect("a SHA-256 mac has 32 bytes");
    VoucherCode::of(first)
}
