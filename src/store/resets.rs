//! 重设密码链接: links that let somebody choose a new password once. Only the hash of what stands in one is known here.
use sea_orm::ConnectionTrait;

use super::db::statement;
use super::error::Result;
use crate::domain::ids::PayerId;
use crate::domain::moment::Moment;

/// Makes a link valid; one that was made before stays as it is.
pub async fn insert(db: &impl ConnectionTrait, token_hash: &str, payer: PayerId, until: Moment) -> Result<()> {
    let sql = "INSERT INTO reset_link (token_hash, payer_id, valid_until) VALUES ($1, $2, $3) \
        ON CONFLICT (token_hash) DO NOTHING";
    db.execute_raw(statement(db, sql, [token_hash.into(), payer.0.into(), until.millis().into()])).await?;
    Ok(())
}

/// Whose link this is, if it still opens.
pub async fn find(db: &impl ConnectionTrait, token_hash: &str, now: Moment) -> Result<Option<PayerId>> {
    let sql = "SELECT payer_id FROM reset_link WHERE token_hash = $1 AND valid_until > $2 AND ended_at IS NULL";
    let row = db.query_one_raw(statement(db, sql, [token_hash.into(), now.millis().into()])).await?;
    Ok(row.map(|row| row.try_get("", "payer_id")).transpose()?.map(PayerId))
}

/// Uses a link up; false when it does not open any more.
pub async fn take(tx: &impl ConnectionTrait, token_hash: &str, now: Moment) -> Result<bool> {
    let sql = "UPDATE reset_link SET ended_at = $2 \
        WHERE token_hash = $1 AND valid_until > $2 AND ended_at IS NULL";
    let values = [token_hash.into(), now.millis().into()];
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}

/// Ends every link of a payer: the password is another one now.
pub async fn end_all(tx: &impl ConnectionTrait, payer: PayerId, now: Moment) -> Result<()> {
    let sql = "UPDATE reset_link SET ended_at = $2 WHERE payer_id = $1 AND ended_at IS NULL";
    tx.execute_raw(statement(tx, sql, [payer.0.into(), now.millis().into()])).await?;
    Ok(())
}
