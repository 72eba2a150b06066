//! The wish for an e-receipt: one row, in the transaction that books the payment. It asks nobody, so that a platform
//! which is away holds up no money.
use sea_orm::ConnectionTrait;

use crate::app::App;
use crate::domain::ereceipt::serial_no;
use crate::domain::fee::Fund;
use crate::domain::ids::ReceiptId;
use crate::domain::moment::Moment;
use crate::flow::failure::Result;
use crate::store::ereceipts;

/// Wants an e-receipt for a receipt of the fiscal fund, where the school has them issued.
pub async fn want(
    app: &App,
    tx: &impl ConnectionTrait,
    payee_code: &str,
    (receipt, receipt_no): (ReceiptId, &str),
    now: Moment,
) -> Result<()> {
    let fiscal = app.config.payee(payee_code).is_some_and(|payee| payee.fund == Fund::Fiscal);
    if app.fiscal.is_some() && fiscal {
        ereceipts::insert(tx, receipt, 1, &serial_no(&app.config.school.code, receipt_no, 1), now).await?;
    }
    Ok(())
}
