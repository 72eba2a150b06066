//! Many rows at a time, for imports: look-ups by list and multi-row inserts. The sums of a charge are written
//! together with the entries that make them up; whoever calls these keeps both in one transaction.
use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect, Value};

use super::chain::{Book, Chain, NewEntry, Owner};
use super::db::{placeholders, statement};
use super::error::Result;
use super::payments;
use super::schema::{charge, payer};
use crate::domain::charge::{Balance, COUNTER, Cause, CounterSlip};
use crate::domain::ids::{ChargeId, FeeItemId, PayerId, PeriodId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;

/// What makes a charge one charge.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    pub payer: PayerId,
    pub item: FeeItemId,
    pub period: PeriodId,
}

/// A charge without its names.
#[derive(Clone, Debug)]
pub struct Bare {
    pub id: ChargeId,
    pub balance: Balance,
    pub told: Told,
}

/// What stands beside a charge's sums, outside its chain.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// The day the payer was told, `yyyymmdd`
    pub due_day: Option<i64>,
    /// 收费批次; empty: none was named
    pub batch: String,
}

/// A charge to be made, with the entries that make up its sums.
#[derive(Clone, Debug)]
pub struct NewCharge {
    pub key: Key,
    pub told: Told,
    pub entries: Vec<Entry>,
    /// Of its entry of what was paid at the counter
    pub slip: CounterSlip,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub cause: Cause,
    pub cause_no: String,
    pub amount: Fen,
}

/// Lets one import at a time into the books: each reads what is known before it writes the difference. Holds until
/// the transaction ends.
pub async fn lock_imports(tx: &impl ConnectionTrait) -> Result<()> {
    let sql = "INSERT INTO serial (name, value) VALUES ('import', 1) \
        ON CONFLICT (name) DO UPDATE SET value = serial.value + 1";
    tx.execute_raw(statement(tx, sql, [])).await?;
    Ok(())
}

/// The payers of these number keys.
pub async fn payer_ids(db: &impl ConnectionTrait, keys: &[&str]) -> Result<HashMap<String, PayerId>> {
    let query = payer::Entity::find().select_only().columns([payer::Column::NumberKey, payer::Column::Id]);
    let rows: Vec<(String, i64)> =
        query.filter(payer::Column::NumberKey.is_in(keys.iter().copied())).into_tuple().all(db).await?;
    Ok(rows.into_iter().map(|(key, id)| (key, PayerId(id))).collect())
}

/// All charges of these payers.
pub async fn charges_of(db: &impl ConnectionTrait, payers: &[PayerId]) -> Result<HashMap<Key, Bare>> {
    let mut ids: Vec<i64> = payers.iter().map(|payer| payer.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let rows = charge::Entity::find().filter(charge::Column::PayerId.is_in(ids)).all(db).await?;
    let bare = |row: charge::Model| {
        let key =
            Key { payer: PayerId(row.payer_id), item: FeeItemId(row.fee_item_id), period: PeriodId(row.period_id) };
        let balance = Balance {
            assessed: Fen::new(row.assessed_fen),
            waived: Fen::new(row.waived_fen),
            paid: Fen::new(row.paid_fen),
            refunded: Fen::new(row.refunded_fen),
        };
        (key, Bare { id: ChargeId(row.id), balance, told: Told { due_day: row.due_day, batch: row.batch } })
    };
    Ok(rows.into_iter().map(bare).collect())
}

/// What was paid at the counter for each of these charges, all in all.
pub async fn paid_at_counter(db: &impl ConnectionTrait, charges: &[ChargeId]) -> Result<HashMap<ChargeId, Fen>> {
    let mut sums = HashMap::new();
    for some in charges.chunks(10_000) {
        let list: Vec<String> = (1..=some.len()).map(|at| format!("${at}")).collect();
        let sql = format!(
            "SELECT charge_id, CAST(SUM(amount_fen) AS BIGINT) AS paid FROM charge_entry WHERE cause = 'paid' \
             AND cause_no LIKE '{COUNTER}%' AND charge_id IN ({}) GROUP BY charge_id",
            list.join(", ")
        );
        let values: Vec<Value> = some.iter().map(|charge| charge.0.into()).collect();
        for row in db.query_all_raw(statement(db, &sql, values)).await? {
            sums.insert(ChargeId(row.try_get("", "charge_id")?), Fen::new(row.try_get("", "paid")?));
        }
    }
    Ok(sums)
}

/// Numbers for charges about to be inserted. They are known beforehand because a charge's head covers its number.
pub(super) async fn new_charge_ids(tx: &impl ConnectionTrait, count: usize) -> Result<Vec<ChargeId>> {
    let count = i64::try_from(count).map_err(|_| DbErr::Custom("more charges than numbers".to_owned()))?;
    if tx.get_database_backend() == DbBackend::Postgres {
        let sql = "SELECT nextval(pg_get_serial_sequence('charge', 'id')) AS id FROM generate_series(1, $1)";
        let rows = tx.query_all_raw(statement(tx, sql, [count.into()])).await?;
        return rows.iter().map(|row| Ok(ChargeId(row.try_get("", "id")?))).collect();
    }
    // the writer is alone, so nobody else takes them
    let sql = "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'charge'), 0) AS last";
    let row = tx.query_one_raw(statement(tx, sql, [])).await?;
    let last: i64 = row.map(|row| row.try_get("", "last")).transpose()?.unwrap_or(0);
    Ok((last + 1..=last + count).map(ChargeId).collect())
}

/// Inserts charges, their entries and their chains.
pub async fn insert_charges(
    tx: &impl ConnectionTrait,
    chain: &Chain,
    charges: &[NewCharge],
    now: Moment,
) -> Result<()> {
    if charges.is_empty() {
        return Ok(());
    }
    let ids = new_charge_ids(tx, charges.len()).await?;
    let mut books = Vec::with_capacity(charges.len());
    let mut entries: Vec<[Value; 7]> = Vec::with_capacity(charges.len());
    let mut slips: Vec<(ChargeId, &str, &CounterSlip)> = Vec::new();
    for (new, id) in charges.iter().zip(ids) {
        let paid = new.entries.iter().find(|entry| entry.cause == Cause::Paid && !new.slip.is_empty());
        slips.extend(paid.map(|entry| (id, entry.cause_no.as_str(), &new.slip)));
        let Key { payer, item, period } = new.key;
        let mut book = Book::new(chain, id, Owner { payer, item, period, created_at: now });
        for Entry { cause, cause_no, amount } in &new.entries {
            let mac = book.add(chain, &NewEntry { cause: *cause, cause_no, amount: *amount, at: now });
            entries.push([
                id.0.into(),
                cause.code().into(),
                cause_no.as_str().into(),
                amount.get().into(),
                now.millis().into(),
                book.entries.into(),
                mac.into(),
            ]);
        }
        books.push((book, new.told.clone()));
    }
    insert_books(tx, &books).await?;
    for some in entries.chunks(1_000) {
        let places = placeholders(some.len(), 7);
        let sql =
            format!("INSERT INTO charge_entry (charge_id, cause, cause_no, amount_fen, at, seq, mac) VALUES {places}");
        tx.execute_raw(statement(tx, &sql, some.iter().flatten().cloned())).await?;
    }
    payments::note_slips(tx, &slips).await
}

/// Inserts the charges' own rows with what stands beside them; whoever calls it inserts their entries.
pub(super) async fn insert_books(tx: &impl ConnectionTrait, books: &[(Book, Told)]) -> Result<()> {
    let sql = format!(
        "INSERT INTO charge (id, payer_id, fee_item_id, period_id, assessed_fen, waived_fen, paid_fen, refunded_fen, \
         due_day, batch, created_at, entries, head) VALUES {}",
        placeholders(books.len(), 13)
    );
    let mut values: Vec<Value> = Vec::with_capacity(books.len() * 13);
    for (book, told) in books {
        let (owner, sums) = (&book.owner, &book.balance);
        values.extend([book.charge.0, owner.payer.0, owner.item.0, owner.period.0].map(Value::from));
        values.extend([sums.assessed, sums.waived, sums.paid, sums.refunded].map(|sum| Value::from(sum.get())));
        values.extend([told.due_day.into(), told.batch.as_str().into()]);
        values.extend([owner.created_at.millis(), book.entries].map(Value::from));
        values.push(book.head.clone().into());
    }
    tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(())
}

pub async fn set_told(tx: &impl ConnectionTrait, id: ChargeId, told: &Told) -> Result<()> {
    let sql = "UPDATE charge SET due_day = $1, batch = $2 WHERE id = $3";
    tx.execute_raw(statement(tx, sql, [told.due_day.into(), told.batch.as_str().into(), id.0.into()])).await?;
    Ok(())
}
