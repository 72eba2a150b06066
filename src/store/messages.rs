//! The outbox of mail, text messages and notes in WeChat. A message moves by compare-and-set; what it says lies
//! sealed, and is wiped with its last try.
use sea_orm::{ConnectionTrait, QueryResult};

use super::db::statement;
use super::error::Result;
use super::fees::unfit;
use super::seal::{Field, Sealer};
use crate::domain::ids::MessageId;
use crate::domain::message::{MessageKind, MessageState};
use crate::domain::moment::Moment;

/// Writes a message down, to go at once. `letter` says what and to whom.
pub async fn insert(
    tx: &impl ConnectionTrait,
    sealer: &Sealer,
    kind: MessageKind,
    letter: &str,
    now: Moment,
) -> Result<()> {
    let sql = "INSERT INTO message (kind, letter_sealed, state, tries, next_try_at, useful_until, created_at) \
        VALUES ($1, $2, 'waiting', 0, $3, $4, $3)";
    let until = (now + kind.useful_for()).millis();
    let values = [kind.code().into(), sealer.seal(Field::Letter, letter).into(), now.millis().into(), until.into()];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// A note to a WeChat: `key` says what it is about and for which binding, so that it is written once.
pub struct Once {
    pub key: String,
    pub openid: String,
}

/// As [`insert`], unless the same note is there already, sent or not.
pub async fn insert_once(
    tx: &impl ConnectionTrait,
    sealer: &Sealer,
    kind: MessageKind,
    letter: &str,
    once: Once,
    now: Moment,
) -> Result<()> {
    let sql = "INSERT INTO message (kind, letter_sealed, state, tries, next_try_at, useful_until, created_at, \
        once_key, openid) VALUES ($1, $2, 'waiting', 0, $3, $4, $3, $5, $6) ON CONFLICT (once_key) DO NOTHING";
    let until = (now + kind.useful_for()).millis();
    let values = [
        kind.code().into(),
        sealer.seal(Field::Letter, letter).into(),
        now.millis().into(),
        until.into(),
        once.key.into(),
        once.openid.into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Ends what waits for a WeChat user who has left.
pub async fn drop_of(tx: &impl ConnectionTrait, openid: &str, now: Moment) -> Result<()> {
    let sql = "UPDATE message SET state = 'nobody', next_try_at = NULL, letter_sealed = NULL, openid = NULL, \
        done_at = $1 WHERE openid = $2 AND state = 'waiting'";
    tx.execute_raw(statement(tx, sql, [now.millis().into(), openid.into()])).await?;
    Ok(())
}

/// A message whose time has come.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: MessageId,
    pub kind: MessageKind,
    pub letter_sealed: String,
    /// Tries before this one
    pub tries: i64,
    pub next_try_at: Moment,
    pub useful_until: Moment,
}

/// What is to go now, longest overdue first.
pub async fn find_due(db: &impl ConnectionTrait, now: Moment, limit: u64) -> Result<Vec<Due>> {
    let sql = "SELECT id, kind, letter_sealed, tries, next_try_at, useful_until FROM message \
        WHERE next_try_at <= $1 ORDER BY next_try_at, id LIMIT $2";
    let due = |row: &QueryResult| -> Result<Due> {
        let (id, kind): (i64, String) = (row.try_get("", "id")?, row.try_get("", "kind")?);
        Ok(Due {
            id: MessageId(id),
            kind: MessageKind::parse(&kind).ok_or_else(|| unfit("message", "kind", id, &kind))?,
            letter_sealed: row.try_get("", "letter_sealed")?,
            tries: row.try_get("", "tries")?,
            next_try_at: Moment::from_millis(row.try_get("", "next_try_at")?),
            useful_until: Moment::from_millis(row.try_get("", "useful_until")?),
        })
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.query_all_raw(statement(db, sql, [now.millis().into(), limit.into()])).await?.iter().map(due).collect()
}

/// Claims a try: counts it, and moves the time on to `until`, when somebody else may take it up. False when another
/// process has claimed it.
pub async fn claim_try(db: &impl ConnectionTrait, due: &Due, until: Moment) -> Result<bool> {
    let sql = "UPDATE message SET tries = $1, next_try_at = $2 \
        WHERE id = $3 AND tries = $4 AND next_try_at = $5 AND state = 'waiting'";
    let values = [
        (due.tries + 1).into(),
        until.millis().into(),
        due.id.0.into(),
        due.tries.into(),
        due.next_try_at.millis().into(),
    ];
    Ok(db.execute_raw(statement(db, sql, values)).await?.rows_affected() == 1)
}

/// Lets a claimed message go again at `at`; false when somebody has moved it meanwhile.
pub async fn try_again(tx: &impl ConnectionTrait, due: &Due, until: Moment, at: Moment) -> Result<bool> {
    let sql = "UPDATE message SET next_try_at = $1 \
        WHERE id = $2 AND tries = $3 AND next_try_at = $4 AND state = 'waiting'";
    let values = [at.millis().into(), due.id.0.into(), (due.tries + 1).into(), until.millis().into()];
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}

/// Ends a message that was claimed until `until`, and wipes what it said; false when somebody has moved it meanwhile.
pub async fn end(
    tx: &impl ConnectionTrait,
    due: &Due,
    until: Moment,
    state: MessageState,
    now: Moment,
) -> Result<bool> {
    let sql = "UPDATE message SET state = $1, next_try_at = NULL, letter_sealed = NULL, openid = NULL, done_at = $2 \
        WHERE id = $3 AND tries = $4 AND next_try_at = $5 AND state = 'waiting'";
    let values =
        [state.code().into(), now.millis().into(), due.id.0.into(), (due.tries + 1).into(), until.millis().into()];
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}
