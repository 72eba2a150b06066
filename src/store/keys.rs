//! Which keys stored rows may need: their names and when a process last sealed with them. Never a key.
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::db::statement;
use super::error::Result;
use super::seal::{Purpose, Sealer};
use crate::domain::moment::Moment;

/// A key that rows may need.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotedKey {
    pub name: String,
    /// When a process last said that it seals with it
    pub used_at: Moment,
}

#[derive(FromQueryResult)]
struct Row {
    name: String,
    used_at: i64,
}

/// The keys of a purpose that rows may need.
pub async fn noted(db: &impl ConnectionTrait, purpose: Purpose) -> Result<Vec<NotedKey>> {
    let sql = "SELECT name, used_at FROM key_in_use WHERE purpose = $1 ORDER BY name";
    let rows = Row::find_by_statement(statement(db, sql, [purpose.code().into()])).all(db).await?;
    let noted = |row: Row| NotedKey { name: row.name, used_at: Moment::from_millis(row.used_at) };
    Ok(rows.into_iter().map(noted).collect())
}

/// Notes that rows may need a key as of now.
pub async fn note(db: &impl ConnectionTrait, purpose: Purpose, name: &str, now: Moment) -> Result<()> {
    let sql = "INSERT INTO key_in_use (purpose, name, used_at) VALUES ($1, $2, $3) \
        ON CONFLICT (purpose, name) DO UPDATE SET used_at = excluded.used_at \
        WHERE key_in_use.used_at < excluded.used_at";
    db.execute_raw(statement(db, sql, [purpose.code().into(), name.into(), now.millis().into()])).await?;
    Ok(())
}

/// Notes that rows need the keys that seal and enter now. Whoever seals for longer than a minute in one transaction
/// does it at the end of that.
pub async fn note_first(db: &impl ConnectionTrait, sealer: &Sealer, now: Moment) -> Result<()> {
    for purpose in Purpose::ALL {
        if let Some(name) = sealer.key_names(purpose).first() {
            note(db, purpose, name, now).await?;
        }
    }
    Ok(())
}

/// Takes a key off the list, unless it was noted since `before`; says whether it went.
pub async fn retire(db: &impl ConnectionTrait, purpose: Purpose, name: &str, before: Moment) -> Result<bool> {
    let sql = "DELETE FROM key_in_use WHERE purpose = $1 AND name = $2 AND used_at < $3";
    let values = [purpose.code().into(), name.into(), before.millis().into()];
    Ok(db.execute_raw(statement(db, sql, values)).await?.rows_affected() == 1)
}
