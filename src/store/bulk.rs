//! Many rows at a time, for imports: look-ups by list and multi-row inserts. The sums of a charge are written
//! together with the entries that make them up; whoever calls these keeps both in one transaction.
use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Value};

use super::db::statement;
use super::error::Result;
use super::schema::{charge, payer};
use crate::domain::charge::{Balance, Cause};
use crate::domain::ids::{ChargeId, FeeItemId, PayerId, PeriodId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;

/// How the cause number of a payment at the counter begins.
pub const COUNTER: &str = "counter:";

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
    pub due_day: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct NewCharge {
    pub key: Key,
    pub assessed: Fen,
    pub waived: Fen,
    pub paid: Fen,
    pub due_day: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub charge: ChargeId,
    pub cause: Cause,
    pub cause_no: String,
    pub amount: Fen,
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
        (key, Bare { id: ChargeId(row.id), balance, due_day: row.due_day })
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

/// Inserts charges with their sums; [`insert_entries`] must follow with the entries that make them up.
pub async fn insert_charges(
    tx: &impl ConnectionTrait,
    charges: &[NewCharge],
    now: Moment,
) -> Result<HashMap<Key, ChargeId>> {
    let sql = format!(
        "INSERT INTO charge (payer_id, fee_item_id, period_id, assessed_fen, waived_fen, paid_fen, refunded_fen, \
         due_day, created_at) VALUES {} RETURNING id, payer_id, fee_item_id, period_id",
        placeholders(charges.len(), 9)
    );
    let mut values: Vec<Value> = Vec::with_capacity(charges.len() * 9);
    for new in charges {
        let ids = [new.key.payer.0, new.key.item.0, new.key.period.0];
        values.extend(ids.map(Value::from));
        values.extend([new.assessed, new.waived, new.paid, Fen::ZERO].map(|amount| Value::from(amount.get())));
        values.push(new.due_day.into());
        values.push(now.millis().into());
    }
    let mut ids = HashMap::with_capacity(charges.len());
    for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
        let key = Key {
            payer: PayerId(row.try_get("", "payer_id")?),
            item: FeeItemId(row.try_get("", "fee_item_id")?),
            period: PeriodId(row.try_get("", "period_id")?),
        };
        ids.insert(key, ChargeId(row.try_get("", "id")?));
    }
    Ok(ids)
}

pub async fn insert_entries(tx: &impl ConnectionTrait, entries: &[Entry], now: Moment) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let places = placeholders(entries.len(), 5);
    let sql = format!("INSERT INTO charge_entry (charge_id, cause, cause_no, amount_fen, at) VALUES {places}");
    let mut values: Vec<Value> = Vec::with_capacity(entries.len() * 5);
    for entry in entries {
        values.push(entry.charge.0.into());
        values.push(entry.cause.code().into());
        values.push(entry.cause_no.as_str().into());
        values.push(entry.amount.get().into());
        values.push(now.millis().into());
    }
    tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(())
}

pub async fn set_due_day(tx: &impl ConnectionTrait, id: ChargeId, due_day: Option<i64>) -> Result<()> {
    let sql = "UPDATE charge SET due_day = $1 WHERE id = $2";
    tx.execute_raw(statement(tx, sql, [due_day.into(), id.0.into()])).await?;
    Ok(())
}

/// `($1, $2), ($3, $4)` for `rows` rows of `width` values.
fn placeholders(rows: usize, width: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=width).map(|at| format!("${}", row * width + at)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}
