//! 账页: the charges' rows and their entries, written together. An entry is only ever added, and to a row that is locked:
//! what the chain needs of it is then already in hand, and an entry costs one INSERT and one UPDATE.
use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Value};

use super::chain::{Book, Chain, KeptEntry, NewEntry, Owner};
use super::db::statement;
use super::error::Result;
use crate::domain::charge::{Balance, Cause};
use crate::domain::ids::{ChargeId, FeeItemId, OrderId, PayerId, PeriodId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;

pub(super) const COLUMNS: &str = "c.id, c.payer_id, c.fee_item_id, c.period_id, c.assessed_fen, c.waived_fen, \
    c.paid_fen, c.refunded_fen, c.created_at, c.entries, c.head";

#[derive(FromQueryResult)]
pub(super) struct Row {
    id: i64,
    payer_id: i64,
    fee_item_id: i64,
    period_id: i64,
    assessed_fen: i64,
    waived_fen: i64,
    paid_fen: i64,
    refunded_fen: i64,
    created_at: i64,
    entries: i64,
    head: Option<String>,
}

impl From<Row> for Book {
    fn from(row: Row) -> Book {
        Book {
            charge: ChargeId(row.id),
            owner: Owner {
                payer: PayerId(row.payer_id),
                item: FeeItemId(row.fee_item_id),
                period: PeriodId(row.period_id),
                created_at: Moment::from_millis(row.created_at),
            },
            balance: Balance {
                assessed: Fen::new(row.assessed_fen),
                waived: Fen::new(row.waived_fen),
                paid: Fen::new(row.paid_fen),
                refunded: Fen::new(row.refunded_fen),
            },
            entries: row.entries,
            head: row.head,
        }
    }
}

/// Locks rows in one order until the transaction ends (PostgreSQL; SQLite's writer is alone anyway).
async fn lock(tx: &impl ConnectionTrait, which: &str, values: impl IntoIterator<Item = Value>) -> Result<Vec<Book>> {
    let lock = if tx.get_database_backend() == DbBackend::Postgres { " FOR NO KEY UPDATE" } else { "" };
    let sql = format!("SELECT {COLUMNS} FROM charge c WHERE {which} ORDER BY c.id{lock}");
    Ok(Row::find_by_statement(statement(tx, &sql, values)).all(tx).await?.into_iter().map(Book::from).collect())
}

/// The books of an order's lines.
pub async fn lock_of_order(tx: &impl ConnectionTrait, order: OrderId) -> Result<HashMap<ChargeId, Book>> {
    let which = "c.id IN (SELECT charge_id FROM order_line WHERE order_id = $1)";
    Ok(lock(tx, which, [order.0.into()]).await?.into_iter().map(|book| (book.charge, book)).collect())
}

pub async fn lock_one(tx: &impl ConnectionTrait, charge: ChargeId) -> Result<Book> {
    let book = lock(tx, "c.id = $1", [charge.0.into()]).await?.pop();
    Ok(book.ok_or_else(|| DbErr::RecordNotFound(format!("charge {charge}")))?)
}

/// Inserts a charge without any entry; [`enter`] gives it its amounts.
pub async fn open(
    tx: &impl ConnectionTrait,
    chain: &Chain,
    (payer, item, period): (PayerId, FeeItemId, PeriodId),
    due_day: Option<i64>,
    now: Moment,
) -> Result<Book> {
    let [id] = super::bulk::new_charge_ids(tx, 1).await?[..] else {
        return Err(DbErr::RecordNotFound("a new charge's number".to_owned()).into());
    };
    let book = Book::new(chain, id, Owner { payer, item, period, created_at: now });
    super::bulk::insert_books(tx, &[(book.clone(), super::bulk::Told { due_day, ..Default::default() })]).await?;
    Ok(book)
}

/// Makes one entry in a book that is locked. The same cause again is refused by the primary key.
pub async fn enter(tx: &impl ConnectionTrait, chain: &Chain, book: &mut Book, entry: NewEntry<'_>) -> Result<()> {
    let before = book.entries;
    let mac = book.add(chain, &entry);
    let sql = "INSERT INTO charge_entry (charge_id, cause, cause_no, amount_fen, at, seq, mac) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        book.charge.0.into(),
        entry.cause.code().into(),
        entry.cause_no.into(),
        entry.amount.get().into(),
        entry.at.millis().into(),
        book.entries.into(),
        mac.into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    let column = match entry.cause {
        Cause::Assessed | Cause::Adjusted => "assessed_fen",
        Cause::Waived => "waived_fen",
        Cause::Paid => "paid_fen",
        Cause::Refunded => "refunded_fen",
    };
    let sql =
        format!("UPDATE charge SET {column} = {column} + $1, entries = $2, head = $3 WHERE id = $4 AND entries = $5");
    let moved = [entry.amount.get().into(), book.entries.into(), book.head.clone().into()];
    let which = [book.charge.0.into(), before.into()];
    match tx.execute_raw(statement(tx, &sql, moved.into_iter().chain(which))).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(DbErr::Custom(format!("charge {} was entered to without its lock", book.charge)).into()),
    }
}

/// Locks a charge and makes one entry.
pub async fn lock_and_enter(
    tx: &impl ConnectionTrait,
    chain: &Chain,
    charge: ChargeId,
    entry: NewEntry<'_>,
) -> Result<()> {
    enter(tx, chain, &mut lock_one(tx, charge).await?, entry).await
}

#[derive(FromQueryResult)]
struct KeptRow {
    seq: Option<i64>,
    cause: Option<String>,
    cause_no: Option<String>,
    amount_fen: Option<i64>,
    at: Option<i64>,
    mac: Option<String>,
}

/// The next `limit` charges after one, each with its entries in the order of their numbers. They are read by one
/// statement, so that no entry comes in between a charge and its entries; both tables by the same range of numbers, so
/// that PostgreSQL walks two indexes whatever it believes of the tables' sizes.
pub async fn page(db: &impl ConnectionTrait, after: ChargeId, limit: u32) -> Result<Vec<(Book, Vec<KeptEntry>)>> {
    let sql = format!("SELECT MAX(id) AS last FROM (SELECT id FROM charge WHERE id > $1 ORDER BY id LIMIT {limit}) p");
    let row = db.query_one_raw(statement(db, &sql, [after.0.into()])).await?;
    let last = row.map(|row| row.try_get::<Option<i64>>("", "last")).transpose()?.flatten();
    let Some(last) = last else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {COLUMNS}, e.seq, e.cause, e.cause_no, e.amount_fen, e.at, e.mac FROM charge c \
         LEFT JOIN charge_entry e ON e.charge_id = c.id AND e.charge_id > $1 AND e.charge_id <= $2 \
         WHERE c.id > $1 AND c.id <= $2 ORDER BY c.id, e.seq"
    );
    let mut books: Vec<(Book, Vec<KeptEntry>)> = Vec::new();
    for row in db.query_all_raw(statement(db, &sql, [after.0.into(), last.into()])).await? {
        let book = Book::from(Row::from_query_result(&row, "")?);
        if books.last().is_none_or(|(last, _)| last.charge != book.charge) {
            books.push((book, Vec::new()));
        }
        let KeptRow { seq, cause, cause_no, amount_fen, at, mac } = KeptRow::from_query_result(&row, "")?;
        if let (Some(cause), Some(cause_no), Some(amount_fen), Some(at)) = (cause, cause_no, amount_fen, at)
            && let Some((_, entries)) = books.last_mut()
        {
            entries.push(KeptEntry { seq, cause, cause_no, amount_fen, at, mac });
        }
    }
    Ok(books)
}
