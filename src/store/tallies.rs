//! 清点: now and then all entries are counted and added up, and the result is sealed together with the one before. A
//! charge that is taken away with all its entries tears no chain of its own; it is missed here.
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, FromQueryResult};

use super::chain::{Chain, Disbelief, Fields};
use super::db::{Db, statement};
use super::error::Result;
use crate::domain::moment::Moment;

/// How often the journal is tallied.
pub const EVERY: Duration = Duration::from_secs(3600);
/// Only what is older is counted: what was entered at a moment may be committed a little later, but not by this much.
pub const SETTLED_AFTER: Duration = Duration::from_secs(600);

/// How much there was of everything entered until a moment.
#[derive(FromQueryResult, Clone, PartialEq, Eq, Debug)]
pub struct Tally {
    /// From 1, without gaps
    pub no: i64,
    /// Milliseconds since 1970
    pub entered_until: i64,
    pub charges: i64,
    pub entries: i64,
    /// All entries added up, whatever their cause
    pub sum_fen: i64,
    pub mac: String,
}

impl Tally {
    fn fields(&self, before: Option<&Tally>) -> Fields {
        let fields = Fields::of("jiaofei tally").text(before.map_or("", |tally| &tally.mac));
        let fields = fields.number(self.no).number(self.entered_until);
        fields.number(self.charges).number(self.entries).number(self.sum_fen)
    }

    /// Whether this row was written by a program with one of the keys, after the row `before`.
    pub fn check(&self, chain: &Chain, before: Option<&Tally>) -> std::result::Result<(), Disbelief> {
        match self.no == before.map_or(0, |tally| tally.no) + 1 {
            true => chain.believe(Some(&self.mac), &self.fields(before)),
            false => Err(Disbelief::Missing),
        }
    }
}

const SELECT: &str = "SELECT no, entered_until, charges, entries, sum_fen, mac FROM journal_tally";

pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Tally>> {
    Ok(Tally::find_by_statement(statement(db, &format!("{SELECT} ORDER BY no"), [])).all(db).await?)
}

pub async fn last(db: &impl ConnectionTrait) -> Result<Option<Tally>> {
    Ok(Tally::find_by_statement(statement(db, &format!("{SELECT} ORDER BY no DESC LIMIT 1"), [])).one(db).await?)
}

/// Names the lock that keeps a tally and a long import apart (PostgreSQL; SQLite's writer is alone anyway).
const LOCK: &str = "7302846152";

/// No tally is made until this transaction ends: for those that may last longer than [`SETTLED_AFTER`].
pub async fn hold_off(tx: &impl ConnectionTrait) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        let sql = format!("SELECT pg_advisory_xact_lock_shared({LOCK})");
        tx.query_one_raw(statement(tx, &sql, [])).await?;
    }
    Ok(())
}

async fn is_held_off(tx: &DatabaseTransaction) -> Result<bool> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok(false);
    }
    let sql = format!("SELECT pg_try_advisory_xact_lock({LOCK}) AS got");
    let row = tx.query_one_raw(statement(tx, &sql, [])).await?;
    Ok(!row.map(|row| row.try_get::<bool>("", "got")).transpose()?.unwrap_or(false))
}

/// Counts and seals, if the last tally is old enough and no import is under way; none otherwise.
pub async fn take_if_due(db: &Db, chain: &Chain, now: Moment) -> Result<Option<Tally>> {
    let until = now - SETTLED_AFTER;
    let is_due = |last: &Option<Tally>| {
        last.as_ref().is_none_or(|last| until.millis() >= (Moment::from_millis(last.entered_until) + EVERY).millis())
    };
    if !is_due(&last(db.read()).await?) {
        return Ok(None);
    }
    let tx = db.begin().await?;
    if is_held_off(&tx).await? {
        return Ok(None);
    }
    // another process may have been quicker
    let before = last(&tx).await?;
    if !is_due(&before) {
        return Ok(None);
    }
    let mut tally = count(&tx, until).await?;
    tally.no = before.as_ref().map_or(0, |tally| tally.no) + 1;
    tally.mac = chain.sign(&tally.fields(before.as_ref()));
    let sql = "INSERT INTO journal_tally (no, entered_until, charges, entries, sum_fen, mac) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    let figures = [tally.no, tally.entered_until, tally.charges, tally.entries, tally.sum_fen];
    let values = figures.map(sea_orm::Value::from).into_iter().chain([tally.mac.as_str().into()]);
    tx.execute_raw(statement(&tx, sql, values)).await?;
    tx.commit().await?;
    Ok(Some(tally))
}

async fn count(tx: &DatabaseTransaction, until: Moment) -> Result<Tally> {
    let sql = "SELECT CAST(0 AS BIGINT) AS no, CAST($1 AS BIGINT) AS entered_until, \
        (SELECT COUNT(*) FROM charge WHERE created_at <= $1) AS charges, COUNT(*) AS entries, \
        CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) AS sum_fen, '' AS mac FROM charge_entry WHERE at <= $1";
    let tally = Tally::find_by_statement(statement(tx, sql, [until.millis().into()])).one(tx).await?;
    Ok(tally.ok_or_else(|| DbErr::RecordNotFound("a count".to_owned()))?)
}
