//! 原址: where the tables lie, so that a copy brought back from a backup is known as one; and what must move on in such
//! a copy before it is used.
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseTransaction, DbBackend, DbErr};

use super::db::{Db, statement};
use super::error::Result;
use crate::domain::moment::Moment;

/// The mark of a file that [`copy`] made.
const COPY: &str = "copy";

/// Where the tables lie now. On PostgreSQL the server's identity, the branch of its history and the table itself: a
/// restore changes at least one of them (PostgreSQL, pg_control_system and pg_control_checkpoint). A SQLite file looks
/// the same wherever it lies; only a copy made by [`copy`] is told apart.
pub async fn here(tx: &DatabaseTransaction) -> Result<String> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok("file".to_owned());
    }
    let sql = "SELECT s.system_identifier::text || '.' || c.timeline_id::text || '.' || 'home'::regclass::oid::text \
        AS here FROM pg_control_system() s, pg_control_checkpoint() c";
    let row = tx.query_one_raw(statement(tx, sql, [])).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the server's identity".to_owned()))?;
    Ok(row.try_get("", "here")?)
}

/// Where the tables were last known to lie; none before the first start. Processes that start together take turns
/// until the transaction ends.
pub async fn known(tx: &DatabaseTransaction) -> Result<Option<String>> {
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared("SELECT pg_advisory_xact_lock(5518203367)").await?;
    }
    let row = tx.query_one_raw(statement(tx, "SELECT mark FROM home WHERE id = 1", [])).await?;
    Ok(row.map(|row| row.try_get("", "mark")).transpose()?)
}

pub async fn settle_in(tx: &DatabaseTransaction, here: &str) -> Result<()> {
    let sql = "INSERT INTO home (id, mark) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark";
    tx.execute_raw(statement(tx, sql, [here.into()])).await?;
    Ok(())
}

/// How much moved on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moved {
    /// Pending orders whose attempts are counted on from a higher number
    pub orders: u64,
    /// Attempts that are asked about at once
    pub attempts: u64,
    /// Sessions that ended
    pub sessions: u64,
}

/// Moves on what the lost time may have used: each serial by `stretch`, `today`'s too if the copy has none yet; the
/// attempts of each pending order by `tries`. Has everything asked about that may have been paid, and ends every
/// session, as one that was ended in the lost time would be good again.
pub async fn move_on(tx: &DatabaseTransaction, today: &str, stretch: i64, tries: i64, now: Moment) -> Result<Moved> {
    let run = async |sql: &str, values: Vec<sea_orm::Value>| -> Result<u64> {
        Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected())
    };
    let begin = "INSERT INTO serial (name, value) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING";
    for name in [today, "receipt"] {
        run(begin, vec![name.into()]).await?;
    }
    run("UPDATE serial SET value = value + $1", vec![stretch.into()]).await?;
    let count_on = "UPDATE payment_order SET attempts = attempts + $1 WHERE state = 'pending'";
    let ask = "UPDATE attempt SET next_inquiry_at = $1 WHERE state = 'live' OR next_inquiry_at IS NOT NULL";
    let end = "UPDATE session SET ended_at = $1 WHERE ended_at IS NULL";
    Ok(Moved {
        orders: run(count_on, vec![tries.into()]).await?,
        attempts: run(ask, vec![now.millis().into()]).await?,
        sessions: run(end, vec![now.millis().into()]).await?,
    })
}

/// The last moment the books know of: an order made or money heard of.
pub async fn last_known(db: &impl ConnectionTrait) -> Result<Option<Moment>> {
    let sql = "SELECT MAX(t) AS t FROM (SELECT MAX(created_at) AS t FROM payment_order \
        UNION ALL SELECT MAX(heard_at) AS t FROM trade) AS known";
    let row = db.query_one_raw(statement(db, sql, [])).await?;
    let at: Option<i64> = row.map(|row| row.try_get("", "t")).transpose()?.flatten();
    Ok(at.map(Moment::from_millis))
}

/// Copies a SQLite database into a file that does not exist yet, while it is written to; the copy knows that it is one.
/// False on PostgreSQL, whose own tools do this.
///
/// # Errors
/// The file is there already, or cannot be written.
pub async fn copy(db: &Db, to: &Path) -> Result<bool> {
    if db.read().get_database_backend() != DbBackend::Sqlite {
        return Ok(false);
    }
    let file = |path: &Path| path.to_str().map(str::to_owned).ok_or(DbErr::Custom("a path must be UTF-8".to_owned()));
    if to.exists() {
        return Err(DbErr::Custom(format!("{} is there already", to.display())).into());
    }
    // under its own name only when it is whole and marked
    let mut half = to.as_os_str().to_owned();
    half.push(".half");
    let half = PathBuf::from(half);
    // what a copy that was broken off has left; SQLite writes into no file that holds something
    if let Err(e) = std::fs::remove_file(&half)
        && e.kind() != ErrorKind::NotFound
    {
        return Err(DbErr::Custom(format!("{}: {e}", half.display())).into());
    }
    db.read().execute_raw(statement(db.read(), "VACUUM INTO $1", [file(&half)?.into()])).await?;
    let mut options = ConnectOptions::new(format!("sqlite://{}", file(&half)?));
    options.max_connections(1).sqlx_logging(false);
    let copied = Database::connect(options).await?;
    let mark = "INSERT INTO home (id, mark) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark";
    copied.execute_raw(statement(&copied, mark, [COPY.into()])).await?;
    copied.close().await?;
    std::fs::rename(&half, to).map_err(|e| DbErr::Custom(format!("{}: {e}", to.display())))?;
    Ok(true)
}
