//! 激活链接: mailboxes somebody has named and not opened yet. Only the hash of what stands in a link is known here; until
//! a link is used its address counts for nothing.
use sea_orm::ConnectionTrait;

use super::db::statement;
use super::error::{Result, StoreError};
use super::seal::{Field, Sealer};
use crate::domain::ids::PayerId;
use crate::domain::moment::Moment;
use crate::domain::profile::Email;

/// A link that still opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailLink {
    /// None: nobody has an account yet
    pub payer: Option<PayerId>,
    pub email: Email,
}

/// Makes a link valid until `until`.
pub async fn insert(
    tx: &impl ConnectionTrait,
    sealer: &Sealer,
    token_hash: &str,
    link: &MailLink,
    until: Moment,
) -> Result<()> {
    let sql = "INSERT INTO mail_link (token_hash, payer_id, email_sealed, valid_until) VALUES ($1, $2, $3, $4)";
    let values = [
        token_hash.into(),
        link.payer.map(|payer| payer.0).into(),
        sealer.seal(Field::MailLink, link.email.reveal()).into(),
        until.millis().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

pub async fn find(
    db: &impl ConnectionTrait,
    sealer: &Sealer,
    token_hash: &str,
    now: Moment,
) -> Result<Option<MailLink>> {
    let sql = "SELECT id, payer_id, email_sealed FROM mail_link \
        WHERE token_hash = $1 AND valid_until > $2 AND ended_at IS NULL";
    let Some(row) = db.query_one_raw(statement(db, sql, [token_hash.into(), now.millis().into()])).await? else {
        return Ok(None);
    };
    let payer: Option<i64> = row.try_get("", "payer_id")?;
    let (id, sealed): (i64, String) = (row.try_get("", "id")?, row.try_get("", "email_sealed")?);
    Ok(Some(MailLink { payer: payer.map(PayerId), email: open(sealer, id, &sealed)? }))
}

fn open(sealer: &Sealer, id: i64, sealed: &str) -> Result<Email> {
    let plain = sealer.open(Field::MailLink, sealed);
    let email = plain.and_then(|plain| Email::parse(&plain));
    email.ok_or_else(|| StoreError::Unsealed { table: "mail_link", row: id.to_string() })
}

/// The mailbox a payer has named last and not proven, and until when its link opens.
pub async fn pending(db: &impl ConnectionTrait, sealer: &Sealer, payer: PayerId) -> Result<Option<(Email, Moment)>> {
    let sql = "SELECT id, email_sealed, valid_until FROM mail_link \
        WHERE payer_id = $1 AND ended_at IS NULL ORDER BY id DESC LIMIT 1";
    let Some(row) = db.query_one_raw(statement(db, sql, [payer.0.into()])).await? else { return Ok(None) };
    let (id, sealed): (i64, String) = (row.try_get("", "id")?, row.try_get("", "email_sealed")?);
    Ok(Some((open(sealer, id, &sealed)?, Moment::from_millis(row.try_get("", "valid_until")?))))
}

/// Uses a link up; false when it does not open any more.
pub async fn take(tx: &impl ConnectionTrait, token_hash: &str, now: Moment) -> Result<bool> {
    let sql = "UPDATE mail_link SET ended_at = $2 WHERE token_hash = $1 AND valid_until > $2 AND ended_at IS NULL";
    Ok(tx.execute_raw(statement(tx, sql, [token_hash.into(), now.millis().into()])).await?.rows_affected() == 1)
}

/// Uses up the link of a registration for the account it opens; false when it does not open any more.
pub async fn take_for(tx: &impl ConnectionTrait, token_hash: &str, payer: PayerId, now: Moment) -> Result<bool> {
    let sql = "UPDATE mail_link SET ended_at = $2, payer_id = $3 \
        WHERE token_hash = $1 AND valid_until > $2 AND ended_at IS NULL AND payer_id IS NULL";
    let values = [token_hash.into(), now.millis().into(), payer.0.into()];
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}

/// Whose account a link has opened, or whose mailbox it has proven, since `since`.
pub async fn taken_since(db: &impl ConnectionTrait, token_hash: &str, since: Moment) -> Result<Option<PayerId>> {
    let sql = "SELECT payer_id FROM mail_link WHERE token_hash = $1 AND ended_at > $2 AND payer_id IS NOT NULL";
    let row = db.query_one_raw(statement(db, sql, [token_hash.into(), since.millis().into()])).await?;
    Ok(row.map(|row| row.try_get("", "payer_id")).transpose()?.map(PayerId))
}

/// Ends every link of a payer: a mailbox is proven, or another one named.
pub async fn end_all(tx: &impl ConnectionTrait, payer: PayerId, now: Moment) -> Result<()> {
    let sql = "UPDATE mail_link SET ended_at = $2 WHERE payer_id = $1 AND ended_at IS NULL";
    tx.execute_raw(statement(tx, sql, [payer.0.into(), now.millis().into()])).await?;
    Ok(())
}
