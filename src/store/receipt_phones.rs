//! 票据接收手机 of one order: the phone that was proven when it was made, sealed. Where there is none, the account's
//! own counts.
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::db::statement;
use super::error::{Result, StoreError};
use super::seal::{Field, Sealer};
use crate::domain::ids::OrderId;
use crate::domain::payer::Phone;

/// An order used again keeps the phone that was proven last.
pub async fn note(tx: &impl ConnectionTrait, sealer: &Sealer, order: OrderId, phone: &Phone) -> Result<()> {
    let sql = "INSERT INTO order_phone (order_id, phone_sealed) VALUES ($1, $2) \
        ON CONFLICT (order_id) DO UPDATE SET phone_sealed = excluded.phone_sealed";
    let sealed = sealer.seal(Field::ReceiptPhone, phone.reveal());
    tx.execute_raw(statement(tx, sql, [order.0.into(), sealed.into()])).await?;
    Ok(())
}

pub async fn find(db: &impl ConnectionTrait, sealer: &Sealer, order: OrderId) -> Result<Option<Phone>> {
    #[derive(FromQueryResult)]
    struct Row {
        phone_sealed: String,
    }
    let sql = "SELECT phone_sealed FROM order_phone WHERE order_id = $1";
    let row = Row::find_by_statement(statement(db, sql, [order.0.into()])).one(db).await?;
    let open = |row: Row| {
        let phone = sealer.open(Field::ReceiptPhone, &row.phone_sealed).and_then(|phone| Phone::parse(&phone));
        phone.ok_or_else(|| StoreError::Unsealed { table: "order_phone", row: order.to_string() })
    };
    row.map(open).transpose()
}
