//! 缴费协议: the texts, and what was agreed to with which order. Rows are only added.
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::db::statement;
use super::error::Result;
use crate::domain::bilingual::Bilingual;
use crate::domain::ids::OrderId;
use crate::domain::moment::Moment;

/// Notes that an order was made under a text. An order used again was agreed to again: the last time counts.
pub async fn note(
    tx: &impl ConnectionTrait,
    order: OrderId,
    (version, text): (&str, &Bilingual),
    now: Moment,
) -> Result<()> {
    let keep = "INSERT INTO agreement (version, text_zh, text_en, first_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (version) DO NOTHING";
    let values = [version.into(), text.zh.as_str().into(), text.en.as_str().into(), now.millis().into()];
    tx.execute_raw(statement(tx, keep, values)).await?;
    let agree = "INSERT INTO order_agreement (order_id, version, agreed_at) VALUES ($1, $2, $3) \
        ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, agreed_at = excluded.agreed_at";
    tx.execute_raw(statement(tx, agree, [order.0.into(), version.into(), now.millis().into()])).await?;
    Ok(())
}

/// Which text an order was made under, and when it was agreed to.
pub async fn find(db: &impl ConnectionTrait, order: OrderId) -> Result<Option<(String, Moment)>> {
    #[derive(FromQueryResult)]
    struct Row {
        version: String,
        agreed_at: i64,
    }
    let sql = "SELECT version, agreed_at FROM order_agreement WHERE order_id = $1";
    let row = Row::find_by_statement(statement(db, sql, [order.0.into()])).one(db).await?;
    Ok(row.map(|row| (row.version, Moment::from_millis(row.agreed_at))))
}
