//! 流水号: numbers that count up, taken from the database in blocks so that acts do not queue for one row.
use std::collections::HashMap;
use std::ops::Range;

use sea_orm::{ConnectionTrait, DbErr};
use tokio::sync::Mutex;

use super::db::{Db, statement};
use super::error::Result;

/// Hands out serials. A block that was taken and not used up (a restart) leaves a gap; no number is given twice.
#[derive(Default)]
pub struct Serials {
    blocks: Mutex<HashMap<String, Range<i64>>>,
}

impl Serials {
    /// The next serial of a name, from 1. Takes a block of `block` from the database when its own is used up. Never
    /// call it inside a transaction: SQLite's one writer would wait for itself.
    pub async fn next(&self, db: &Db, name: &str, block: i64) -> Result<i64> {
        let mut blocks = self.blocks.lock().await;
        if let Some(serial) = blocks.get_mut(name).and_then(Iterator::next) {
            return Ok(serial);
        }
        let sql = "INSERT INTO serial (name, value) VALUES ($1, $2) \
                   ON CONFLICT (name) DO UPDATE SET value = serial.value + $2 RETURNING value";
        let row = db.write().query_one_raw(statement(db.write(), sql, [name.into(), block.into()])).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("a serial after its own upsert".to_owned()))?;
        let last: i64 = row.try_get("", "value")?;
        let first = last - block + 1;
        // only today's names are asked for; yesterday's blocks are not worth keeping
        if blocks.len() > 64 {
            blocks.clear();
        }
        blocks.insert(name.to_owned(), first + 1..last + 1);
        Ok(first)
    }
}
