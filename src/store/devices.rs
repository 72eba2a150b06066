//! 常用设备: browsers a payer has signed in with.
use sea_orm::ConnectionTrait;

use super::db::statement;
use super::error::Result;
use crate::domain::ids::PayerId;
use crate::domain::moment::Moment;

/// Whether a payer has signed in with this browser, and with any.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    pub this: bool,
    pub any: bool,
}

pub async fn known(db: &impl ConnectionTrait, payer: PayerId, device: &str) -> Result<Known> {
    let sql = "SELECT COUNT(*) AS n, COUNT(CASE WHEN device = $2 THEN 1 END) AS this FROM known_device \
        WHERE payer_id = $1";
    let Some(row) = db.query_one_raw(statement(db, sql, [payer.0.into(), device.into()])).await? else {
        return Ok(Known { this: false, any: false });
    };
    let (all, this): (i64, i64) = (row.try_get("", "n")?, row.try_get("", "this")?);
    Ok(Known { this: this > 0, any: all > 0 })
}

/// Notes that a payer has signed in with a browser.
pub async fn note(tx: &impl ConnectionTrait, payer: PayerId, device: &str, now: Moment) -> Result<()> {
    let sql = "INSERT INTO known_device (payer_id, device, seen_at) VALUES ($1, $2, $3) \
        ON CONFLICT (payer_id, device) DO UPDATE SET seen_at = excluded.seen_at";
    tx.execute_raw(statement(tx, sql, [payer.0.into(), device.into(), now.millis().into()])).await?;
    Ok(())
}
