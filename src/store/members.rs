//! Accounts that sign in by e-mail, and the studies bound to them.
use sea_orm::{ConnectionTrait, QueryResult};

use super::db::statement;
use super::error::{Result, StoreError};
use super::payers::{self, Account};
use super::seal::{Field, Sealer};
use crate::domain::ids::PayerId;
use crate::domain::moment::Moment;
use crate::domain::profile::Email;

/// Notes the address an account signs in by; false when another account has it.
pub async fn insert(
    tx: &impl ConnectionTrait,
    sealer: &Sealer,
    payer: PayerId,
    email: &Email,
    now: Moment,
) -> Result<bool> {
    let sql = "INSERT INTO member (payer_id, email_sealed, email_index, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (email_index) DO NOTHING";
    let values = [
        payer.0.into(),
        sealer.seal(Field::Member, email.reveal()).into(),
        sealer.index(Field::Member, &key(email)).into(),
        now.millis().into(),
    ];
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}

/// Addresses are found without regard to case.
fn key(email: &Email) -> String {
    email.reveal().to_ascii_lowercase()
}

pub async fn find(db: &impl ConnectionTrait, sealer: &Sealer, email: &Email) -> Result<Option<Account>> {
    for (index, _) in sealer.indexes(Field::Member, &key(email)) {
        let sql = "SELECT payer_id FROM member WHERE email_index = $1";
        if let Some(row) = db.query_one_raw(statement(db, sql, [index.into()])).await? {
            return payers::find(db, PayerId(row.try_get("", "payer_id")?)).await;
        }
    }
    Ok(None)
}

/// The address an account signs in by.
pub async fn email(db: &impl ConnectionTrait, sealer: &Sealer, payer: PayerId) -> Result<Option<Email>> {
    let sql = "SELECT email_sealed FROM member WHERE payer_id = $1";
    let Some(row) = db.query_one_raw(statement(db, sql, [payer.0.into()])).await? else { return Ok(None) };
    let sealed: String = row.try_get("", "email_sealed")?;
    let email = sealer.open(Field::Member, &sealed).and_then(|plain| Email::parse(&plain));
    email.map(Some).ok_or_else(|| StoreError::Unsealed { table: "member", row: payer.to_string() })
}

/// A study bound to an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// Names the binding to its account
    pub id: i64,
    pub payer: PayerId,
}

/// The studies of an account, the one bound last first.
pub async fn bound(db: &impl ConnectionTrait, member: PayerId) -> Result<Vec<Bound>> {
    let sql = "SELECT id, payer_id FROM study_binding WHERE member_id = $1 AND ended_at IS NULL ORDER BY id DESC";
    let of = |row: &QueryResult| -> Result<Bound> {
        Ok(Bound { id: row.try_get("", "id")?, payer: PayerId(row.try_get("", "payer_id")?) })
    };
    db.query_all_raw(statement(db, sql, [member.0.into()])).await?.iter().map(of).collect()
}

/// Whose study a binding of this account is, and whether it lives; none: it has no such binding.
pub async fn binding(db: &impl ConnectionTrait, member: PayerId, id: i64) -> Result<Option<(PayerId, bool)>> {
    let sql = "SELECT payer_id, ended_at FROM study_binding WHERE id = $2 AND member_id = $1";
    let row = db.query_one_raw(statement(db, sql, [member.0.into(), id.into()])).await?;
    row.map(|row| {
        let ended: Option<i64> = row.try_get("", "ended_at")?;
        Ok((PayerId(row.try_get("", "payer_id")?), ended.is_none()))
    })
    .transpose()
}

/// The accounts a study is bound to, the one that bound it last first.
pub async fn holders(db: &impl ConnectionTrait, study: PayerId) -> Result<Vec<PayerId>> {
    let sql = "SELECT member_id FROM study_binding WHERE payer_id = $1 AND ended_at IS NULL ORDER BY id DESC";
    let of = |row: &QueryResult| -> Result<PayerId> { Ok(PayerId(row.try_get("", "member_id")?)) };
    db.query_all_raw(statement(db, sql, [study.0.into()])).await?.iter().map(of).collect()
}

/// Binds a study; bound already, it stays so.
pub async fn bind(tx: &impl ConnectionTrait, member: PayerId, study: PayerId, now: Moment) -> Result<()> {
    let sql = "INSERT INTO study_binding (member_id, payer_id, bound_at) VALUES ($1, $2, $3) \
        ON CONFLICT (member_id, payer_id) WHERE ended_at IS NULL DO NOTHING";
    tx.execute_raw(statement(tx, sql, [member.0.into(), study.0.into(), now.millis().into()])).await?;
    Ok(())
}

/// Ends a binding of this account; ended already, it stays so.
pub async fn unbind(tx: &impl ConnectionTrait, member: PayerId, id: i64, now: Moment) -> Result<()> {
    let sql = "UPDATE study_binding SET ended_at = $3 WHERE id = $2 AND member_id = $1 AND ended_at IS NULL";
    tx.execute_raw(statement(tx, sql, [member.0.into(), id.into(), now.millis().into()])).await?;
    Ok(())
}
