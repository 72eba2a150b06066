//! The feed of changed orders: numbers given after commit, and what a reader behind a number has not seen.
use std::collections::HashMap;

use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Value,
};

use super::db::statement;
use super::error::{Result, StoreError};
use super::schema::payment_order::{Column, Entity};
use crate::domain::ids::OrderId;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::Order;

/// An order as it stands in the feed.
#[derive(Clone, Debug)]
pub struct Fed {
    pub feed_no: i64,
    pub fed_at: Moment,
    pub order: Order,
}

/// Whether any order waits for a number.
pub async fn is_any_unfed(db: &impl ConnectionTrait) -> Result<bool> {
    let query = Entity::find().select_only().column(Column::Id).filter(Column::FeedNo.is_null());
    Ok(query.into_tuple::<i64>().one(db).await?.is_some())
}

/// Keeps every other numbering out until the transaction ends, and gives the last number given.
pub async fn lock(tx: &impl ConnectionTrait) -> Result<i64> {
    let sql = "INSERT INTO serial (name, value) VALUES ('feed', 0) \
        ON CONFLICT (name) DO UPDATE SET value = serial.value RETURNING value";
    let row = tx.query_one_raw(statement(tx, sql, [])).await?;
    let row = row.ok_or_else(|| sea_orm::DbErr::RecordNotFound("a serial after its own upsert".to_owned()))?;
    Ok(row.try_get("", "value")?)
}

/// Numbers orders that have none, `limit` at most, from `last` + 1 on. Whose row is held by somebody is left for the
/// next time. The caller holds [`lock`].
pub async fn number(tx: &impl ConnectionTrait, last: i64, limit: u64, now: Moment) -> Result<u64> {
    let unfed = Entity::find().select_only().column(Column::Id).filter(Column::FeedNo.is_null());
    let unfed = unfed.order_by_asc(Column::Id).limit(limit);
    let ids: Vec<i64> =
        unfed.lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked).into_tuple().all(tx).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let list = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "UPDATE payment_order SET feed_no = n.no, fed_at = $1 FROM \
         (SELECT id, $2 + ROW_NUMBER() OVER (ORDER BY id) AS no FROM payment_order WHERE id IN ({list})) AS n \
         WHERE payment_order.id = n.id"
    );
    let done = tx.execute_raw(statement(tx, &sql, [now.millis().into(), last.into()])).await?.rows_affected();
    let sql = "UPDATE serial SET value = $1 WHERE name = 'feed'";
    let next = last + i64::try_from(ids.len()).unwrap_or(i64::MAX);
    tx.execute_raw(statement(tx, sql, [next.into()])).await?;
    Ok(done)
}

/// The orders behind a number, `limit` at most, lowest first; only those numbered at or after `since`.
pub async fn behind(db: &impl ConnectionTrait, after: i64, since: Option<Moment>, limit: u64) -> Result<Vec<Fed>> {
    let mut query = Entity::find().filter(Column::FeedNo.gt(after));
    if let Some(since) = since {
        query = query.filter(Column::FedAt.gte(since.millis()));
    }
    let rows = query.order_by_asc(Column::FeedNo).limit(limit).all(db).await?;
    let fed = |row: super::schema::payment_order::Model| -> Result<Fed> {
        let (feed_no, fed_at) = (row.feed_no.unwrap_or_default(), Moment::from_millis(row.fed_at.unwrap_or_default()));
        Ok(Fed { feed_no, fed_at, order: Order::try_from(row)? })
    };
    rows.into_iter().map(fed).collect::<std::result::Result<_, StoreError>>()
}

/// What belongs to an order beside itself.
#[derive(Clone, Debug, Default)]
pub struct Attached {
    pub payer_number: String,
    pub receipt_no: Option<String>,
    pub lines: Vec<Line>,
}

/// A line by the codes of its item and period.
#[derive(Clone, Debug)]
pub struct Line {
    pub item_code: String,
    pub period_code: String,
    pub amount: Fen,
    pub refunded: Fen,
}

#[derive(FromQueryResult)]
struct Row {
    order_id: i64,
    payer_number: String,
    receipt_no: Option<String>,
    item_code: String,
    period_code: String,
    amount_fen: i64,
    refunded_fen: i64,
}

/// What belongs to these orders.
pub async fn attached(db: &impl ConnectionTrait, orders: &[OrderId]) -> Result<HashMap<OrderId, Attached>> {
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let places = (1..=orders.len()).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT l.order_id, p.number AS payer_number, r.receipt_no, i.code AS item_code, b.code AS period_code, \
         l.amount_fen, l.refunded_fen FROM order_line l \
         JOIN payment_order o ON o.id = l.order_id JOIN payer p ON p.id = o.payer_id \
         JOIN charge c ON c.id = l.charge_id JOIN fee_item i ON i.id = c.fee_item_id \
         JOIN billing_period b ON b.id = c.period_id LEFT JOIN receipt r ON r.order_id = o.id \
         WHERE l.order_id IN ({places}) ORDER BY l.order_id, b.code DESC, i.code, c.id"
    );
    let values: Vec<Value> = orders.iter().map(|order| order.0.into()).collect();
    let mut all: HashMap<OrderId, Attached> = HashMap::new();
    for row in Row::find_by_statement(statement(db, &sql, values)).all(db).await? {
        let attached = all.entry(OrderId(row.order_id)).or_default();
        attached.payer_number = row.payer_number;
        attached.receipt_no = row.receipt_no;
        attached.lines.push(Line {
            item_code: row.item_code,
            period_code: row.period_code,
            amount: Fen::new(row.amount_fen),
            refunded: Fen::new(row.refunded_fen),
        });
    }
    Ok(all)
}
