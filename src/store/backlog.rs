//! How much waits, and since when: a handful of counts over what is due, each by an index that holds only that.
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Value};

use super::db::statement;
use super::error::Result;
use super::journal;
use super::schema::payment_order;
use crate::domain::moment::Moment;

/// Things of one kind that wait. `since` is the longest waiting one's moment; none when nothing waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// A channel, a state of refunds, a kind of office items
    pub what: String,
    pub many: i64,
    pub since: Option<Moment>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backlog {
    /// Attempts to be asked about by now, by channel; since they were due
    pub inquiries: Vec<Waiting>,
    /// Refunds not at their end, by state; since they were wanted
    pub refunds: Vec<Waiting>,
    /// Pending orders whose time is over, except those the office looks at; since it was over
    pub orders: Waiting,
    /// Open office items, by kind; since they were raised
    pub office: Vec<Waiting>,
    /// Events a campus system has still to take, each once for each; since they happened
    pub events: Waiting,
    /// E-receipts that are not at an end or with the office, by state; since they were wanted
    pub ereceipts: Vec<Waiting>,
    /// Paid top-ups their provider has still to take, by service; since they were paid
    pub top_ups: Vec<Waiting>,
}

pub async fn read(db: &impl ConnectionTrait, now: Moment) -> Result<Backlog> {
    let due = "SELECT channel AS what, COUNT(*) AS many, MIN(next_inquiry_at) AS since FROM attempt \
        WHERE next_inquiry_at <= $1 GROUP BY channel";
    let refunds = "SELECT state AS what, COUNT(*) AS many, MIN(created_at) AS since FROM refund \
        WHERE next_try_at IS NOT NULL GROUP BY state";
    let office = "SELECT kind AS what, COUNT(*) AS many, MIN(created_at) AS since FROM office_item \
        WHERE resolved_at IS NULL GROUP BY kind";
    let ereceipts = "SELECT state AS what, COUNT(*) AS many, MIN(created_at) AS since FROM ereceipt \
        WHERE state IN ('wanted', 'failed', 'reversing') GROUP BY state";
    let top_ups = "SELECT t.service AS what, COUNT(*) AS many, MIN(o.paid_at) AS since FROM top_up t \
        JOIN payment_order o ON o.id = t.order_id WHERE t.state = 'waiting' GROUP BY t.service";
    Ok(Backlog {
        inquiries: grouped(db, due, [now.millis().into()]).await?,
        refunds: grouped(db, refunds, []).await?,
        orders: overdue_orders(db, now).await?,
        office: grouped(db, office, []).await?,
        events: untaken_events(db).await?,
        ereceipts: grouped(db, ereceipts, []).await?,
        top_ups: grouped(db, top_ups, []).await?,
    })
}

async fn grouped(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<Waiting>> {
    let rows = db.query_all_raw(statement(db, sql, values)).await?;
    let waiting = |row: &sea_orm::QueryResult| -> Result<Waiting> {
        let since: Option<i64> = row.try_get("", "since")?;
        let (what, many) = (row.try_get("", "what")?, row.try_get("", "many")?);
        Ok(Waiting { what, many, since: since.map(Moment::from_millis) })
    };
    rows.iter().map(waiting).collect()
}

async fn untaken_events(db: &impl ConnectionTrait) -> Result<Waiting> {
    let sql = "SELECT '' AS what, COUNT(*) AS many, MIN(e.created_at) AS since FROM event_delivery d \
        JOIN event e ON e.id = d.event_id WHERE d.next_try_at IS NOT NULL";
    let none = Waiting { what: String::new(), many: 0, since: None };
    Ok(grouped(db, sql, []).await?.pop().unwrap_or(none))
}

async fn overdue_orders(db: &impl ConnectionTrait, now: Moment) -> Result<Waiting> {
    use payment_order::{Column, Entity};
    let query = Entity::find()
        .select_only()
        .column_as(Column::Id.count(), "many")
        .column_as(Expr::col(Column::ExpiresAt).min(), "since")
        .filter(Column::State.eq("pending"))
        .filter(Column::ExpiresAt.lte(now.millis()))
        .filter(journal::without_open_mismatch());
    let row = db.query_one_raw(query.build(db.get_database_backend())).await?;
    let (many, since) = match row {
        Some(row) => (row.try_get("", "many")?, row.try_get::<Option<i64>>("", "since")?),
        None => (0, None),
    };
    Ok(Waiting { what: String::new(), many, since: since.map(Moment::from_millis) })
}
