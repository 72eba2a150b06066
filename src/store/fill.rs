//! Gives their chain to charges and entries from before there was one. Done once: when the first tally is sealed, a row
//! without a mac is a difference, never again an old row.
use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult, Value};

use super::books::{COLUMNS, Row};
use super::chain::{Book, Chain, NewEntry};
use super::db::{Db, statement};
use super::error::Result;
use super::fees::unfit;
use super::tallies;
use crate::domain::charge::Cause;
use crate::domain::ids::ChargeId;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;

/// Charges in one transaction.
const PAGE: usize = 1_000;
/// Rows in one statement: five values each stay below SQLite's 32,766 placeholders.
const ROWS: usize = 5_000;

#[derive(FromQueryResult)]
struct EntryRow {
    charge_id: i64,
    cause: String,
    cause_no: String,
    amount_fen: i64,
    at: i64,
}

/// Fills what has no chain, unless a tally was ever sealed; then seals the first. Gives how many charges were filled.
/// Two processes that start together take turns. What it is interrupted in, the next start finishes.
pub async fn run(db: &Db, chain: &Chain, now: Moment) -> Result<u64> {
    let mut filled = 0;
    if tallies::last(db.read()).await?.is_none() {
        let mut after = ChargeId(0);
        while let Some((last, more)) = page(db, chain, after).await? {
            after = last;
            filled += more;
        }
        tallies::take_if_due(db, chain, now).await?;
    }
    Ok(filled)
}

/// Fills the next page; gives its last charge and how many there were, none at the end.
async fn page(db: &Db, chain: &Chain, after: ChargeId) -> Result<Option<(ChargeId, u64)>> {
    let tx = db.begin().await?;
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared("SELECT pg_advisory_xact_lock(7302846153)").await?;
    }
    let sql = format!("SELECT {COLUMNS} FROM charge c WHERE c.head IS NULL AND c.id > $1 ORDER BY c.id LIMIT {PAGE}");
    let rows = Row::find_by_statement(statement(&tx, &sql, [after.0.into()])).all(&tx).await?;
    let mut books: Vec<Book> =
        rows.into_iter().map(Book::from).map(|row| Book::new(chain, row.charge, row.owner)).collect();
    let at: HashMap<ChargeId, usize> = books.iter().enumerate().map(|(at, book)| (book.charge, at)).collect();
    let mut entries: Vec<[Value; 5]> = Vec::new();
    for row in entries_of(&tx, &books).await? {
        let cause =
            Cause::parse(&row.cause).ok_or_else(|| unfit("charge_entry", "cause", row.charge_id, &row.cause))?;
        let Some(book) = at.get(&ChargeId(row.charge_id)).and_then(|at| books.get_mut(*at)) else { continue };
        let (amount, at) = (Fen::new(row.amount_fen), Moment::from_millis(row.at));
        let mac = book.add(chain, &NewEntry { cause, cause_no: &row.cause_no, amount, at });
        entries.push([row.charge_id.into(), row.cause.into(), row.cause_no.into(), book.entries.into(), mac.into()]);
    }
    for some in entries.chunks(ROWS) {
        let sql = format!(
            "WITH v (charge_id, cause, cause_no, seq, mac) AS (VALUES {}) UPDATE charge_entry SET seq = v.seq, \
             mac = v.mac FROM v WHERE charge_entry.charge_id = v.charge_id AND charge_entry.cause = v.cause \
             AND charge_entry.cause_no = v.cause_no",
            places(some.len(), &["BIGINT", "TEXT", "TEXT", "BIGINT", "TEXT"])
        );
        tx.execute_raw(statement(&tx, &sql, some.iter().flatten().cloned())).await?;
    }
    for some in books.chunks(ROWS) {
        let sql = format!(
            "WITH v (id, entries, head) AS (VALUES {}) UPDATE charge SET entries = v.entries, head = v.head FROM v \
             WHERE charge.id = v.id",
            places(some.len(), &["BIGINT", "BIGINT", "TEXT"])
        );
        let row = |book: &Book| -> [Value; 3] { [book.charge.0.into(), book.entries.into(), book.head.clone().into()] };
        tx.execute_raw(statement(&tx, &sql, some.iter().flat_map(row))).await?;
    }
    tx.commit().await?;
    Ok(books.last().map(|last| (last.charge, books.len() as u64)))
}

/// Their entries, in the order they were made.
async fn entries_of(tx: &DatabaseTransaction, books: &[Book]) -> Result<Vec<EntryRow>> {
    let (Some(first), Some(last)) = (books.first(), books.last()) else { return Ok(Vec::new()) };
    let sql = "SELECT e.charge_id, e.cause, e.cause_no, e.amount_fen, e.at FROM charge_entry e JOIN charge c \
        ON c.id = e.charge_id WHERE c.head IS NULL AND c.id BETWEEN $1 AND $2 \
        ORDER BY e.charge_id, e.at, e.cause, e.cause_no";
    let values = [first.charge.0.into(), last.charge.0.into()];
    Ok(EntryRow::find_by_statement(statement(tx, sql, values)).all(tx).await?)
}

/// `(CAST($1 AS BIGINT), CAST($2 AS TEXT)), …`: PostgreSQL does not guess the types of a list of values.
fn places(rows: usize, types: &[&str]) -> String {
    let row = |row: usize| {
        let place = |(at, kind): (usize, &&str)| format!("CAST(${} AS {kind})", row * types.len() + at + 1);
        format!("({})", types.iter().enumerate().map(place).collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}
