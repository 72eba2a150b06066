//! Calls under an idempotency key: claimed first, answered later, each step a compare-and-set on the claim.
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::db::statement;
use super::error::Result;
use crate::domain::ids::ApiKeyId;
use crate::domain::moment::Moment;

/// What makes a call one call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallKey {
    pub api_key: ApiKeyId,
    /// As the caller sent it
    pub idempotency_key: String,
}

/// What was answered, to the byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub body: String,
}

/// A call that was claimed before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    pub fingerprint: String,
    /// Whose it is: a random word of the process that works on it
    pub claim: String,
    pub claimed_at: Moment,
    pub answer: Option<Answer>,
}

#[derive(FromQueryResult)]
struct Row {
    fingerprint: String,
    claim: String,
    claimed_at: i64,
    status: Option<i64>,
    content_type: Option<String>,
    body: Option<String>,
}

/// Claims a call nobody has claimed; false when it is known.
pub async fn insert(
    db: &impl ConnectionTrait,
    key: &CallKey,
    fingerprint: &str,
    claim: &str,
    now: Moment,
) -> Result<bool> {
    let sql = "INSERT INTO api_call (api_key_id, idempotency_key, fingerprint, claim, claimed_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (api_key_id, idempotency_key) DO NOTHING";
    let values = [
        key.api_key.0.into(),
        key.idempotency_key.as_str().into(),
        fingerprint.into(),
        claim.into(),
        now.millis().into(),
    ];
    Ok(db.execute_raw(statement(db, sql, values)).await?.rows_affected() == 1)
}

pub async fn find(db: &impl ConnectionTrait, key: &CallKey) -> Result<Option<Known>> {
    let sql = "SELECT fingerprint, claim, claimed_at, status, content_type, body FROM api_call \
        WHERE api_key_id = $1 AND idempotency_key = $2";
    let values = [key.api_key.0.into(), key.idempotency_key.as_str().into()];
    let row = Row::find_by_statement(statement(db, sql, values)).one(db).await?;
    Ok(row.map(|row| Known {
        fingerprint: row.fingerprint,
        claim: row.claim,
        claimed_at: Moment::from_millis(row.claimed_at),
        // the table's own check: all three or none
        answer: match (row.status, row.content_type, row.body) {
            (Some(status), Some(content_type), Some(body)) => {
                Some(Answer { status: u16::try_from(status).unwrap_or(500), content_type, body })
            }
            _ => None,
        },
    }))
}

/// Takes an unanswered call over from a claim that has run out; false when somebody was quicker.
pub async fn take_over(db: &impl ConnectionTrait, key: &CallKey, old: &str, new: &str, now: Moment) -> Result<bool> {
    let sql = "UPDATE api_call SET claim = $1, claimed_at = $2 \
        WHERE api_key_id = $3 AND idempotency_key = $4 AND claim = $5 AND status IS NULL";
    let values =
        [new.into(), now.millis().into(), key.api_key.0.into(), key.idempotency_key.as_str().into(), old.into()];
    Ok(db.execute_raw(statement(db, sql, values)).await?.rows_affected() == 1)
}

/// Keeps the answer of a claimed call; false when the claim was taken over.
pub async fn answer(db: &impl ConnectionTrait, key: &CallKey, claim: &str, answer: &Answer) -> Result<bool> {
    let sql = "UPDATE api_call SET status = $1, content_type = $2, body = $3 \
        WHERE api_key_id = $4 AND idempotency_key = $5 AND claim = $6 AND status IS NULL";
    let values = [
        i64::from(answer.status).into(),
        answer.content_type.as_str().into(),
        answer.body.as_str().into(),
        key.api_key.0.into(),
        key.idempotency_key.as_str().into(),
        claim.into(),
    ];
    Ok(db.execute_raw(statement(db, sql, values)).await?.rows_affected() == 1)
}

/// Gives a claim back, as if the call had never been made.
pub async fn release(db: &impl ConnectionTrait, key: &CallKey, claim: &str) -> Result<()> {
    let sql = "DELETE FROM api_call \
        WHERE api_key_id = $1 AND idempotency_key = $2 AND claim = $3 AND status IS NULL";
    let values = [key.api_key.0.into(), key.idempotency_key.as_str().into(), claim.into()];
    db.execute_raw(statement(db, sql, values)).await?;
    Ok(())
}

/// Forgets calls claimed before `until`; gives how many.
pub async fn sweep(db: &impl ConnectionTrait, until: Moment) -> Result<u64> {
    let sql = "DELETE FROM api_call WHERE claimed_at < $1";
    Ok(db.execute_raw(statement(db, sql, [until.millis().into()])).await?.rows_affected())
}
