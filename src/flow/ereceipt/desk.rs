//! What pages show of e-receipts, and what payer and office may ask for.
use std::time::Duration;

use super::issue::FAILED;
use crate::app::App;
use crate::domain::ereceipt::{EReceipt, EReceiptState};
use crate::domain::ids::ReceiptId;
use crate::domain::refusal::Refusal;
use crate::flow::failure::Result;
use crate::store::{ereceipts, journal, office};

/// How soon after the last time a payer may be told again
pub const AGAIN_AFTER: Duration = Duration::from_secs(300);

/// The e-receipts of a receipt, first one first; the last one counts. None: 其他票据. Whose it is has been looked at
/// before.
pub async fn of_receipt(app: &App, receipt: ReceiptId) -> Result<Vec<EReceipt>> {
    Ok(ereceipts::find_of_receipt(app.db.read(), receipt).await?)
}

/// Whether the payer may be told again by now.
pub fn may_tell_again(app: &App, ereceipt: &EReceipt) -> bool {
    match &ereceipt.state {
        EReceiptState::Pushed(_, told) => app.clock.now().since(told.at) >= AGAIN_AFTER,
        EReceiptState::Issued(_) => true,
        _ => false,
    }
}

/// Lets the payer be told again, at the phone as it is now.
pub async fn tell_again(app: &App, ereceipt: &EReceipt) -> Result<()> {
    if may_tell_again(app, ereceipt) {
        ereceipts::tell_again(app.db.write(), ereceipt, app.clock.now()).await?;
    }
    Ok(())
}

/// The office has mended why: failed ones are asked for again, of one receipt or of all. Gives how many.
///
/// # Errors
/// `NotFound`: there is no such receipt.
pub async fn want_again(app: &App, receipt_no: Option<&str>) -> Result<u64> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let receipt = match receipt_no {
        Some(no) => Some(journal::find_receipt_by_no(&tx, no).await?.ok_or(Refusal::NotFound)?.id),
        None => None,
    };
    let serials = ereceipts::want_again(&tx, receipt, now).await?;
    for serial in &serials {
        office::resolve_about(&tx, FAILED, serial, now).await?;
    }
    tx.commit().await?;
    Ok(serials.len() as u64)
}
