//! The outbox: events, to whom each has still to go, and how each try ended. Events and tries are only ever added; a
//! delivery moves by compare-and-set.
use sea_orm::{ConnectionTrait, FromQueryResult, QueryResult, Value};

use super::db::statement;
use super::error::{Result, StoreError};
use super::fees::unfit;
use crate::domain::event::{DeliveryState, Event, EventKind, Line};
use crate::domain::ids::{DeliveryId, EventId, OrderId, PayerId, RefundId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;

/// Writes an event down; none when the same kind of thing was told of the same subject before (then nothing was
/// written). The id in `event` is not read.
pub async fn insert(tx: &impl ConnectionTrait, event: &Event) -> Result<Option<EventId>> {
    let sql = "INSERT INTO event (event_no, kind, subject, payload, created_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (kind, subject) DO NOTHING RETURNING id";
    let values = [
        event.event_no.as_str().into(),
        event.kind.code().into(),
        event.subject.as_str().into(),
        event.payload.as_str().into(),
        event.created_at.millis().into(),
    ];
    let row = tx.query_one_raw(statement(tx, sql, values)).await?;
    Ok(row.map(|row| row.try_get("", "id")).transpose()?.map(EventId))
}

/// Lets an event go to an endpoint from `at` on, as if it had never been tried. What was tried stays in the log.
pub async fn send_to(tx: &impl ConnectionTrait, event: EventId, endpoint: &str, at: Moment) -> Result<()> {
    let sql = "INSERT INTO event_delivery (event_id, endpoint, state, tries, next_try_at) \
        VALUES ($1, $2, 'waiting', 0, $3) ON CONFLICT (event_id, endpoint) DO UPDATE SET \
        state = 'waiting', tries = 0, next_try_at = excluded.next_try_at, done_at = NULL";
    tx.execute_raw(statement(tx, sql, [event.0.into(), endpoint.into(), at.millis().into()])).await?;
    Ok(())
}

/// 人员编号 of an order's payer.
pub async fn payer_number(tx: &impl ConnectionTrait, payer: PayerId) -> Result<String> {
    let row = tx.query_one_raw(statement(tx, "SELECT number FROM payer WHERE id = $1", [payer.0.into()])).await?;
    let row = row.ok_or_else(|| sea_orm::DbErr::RecordNotFound(format!("payer {payer}")))?;
    Ok(row.try_get("", "number")?)
}

const NAMED: &str = "JOIN charge c ON c.id = l.charge_id JOIN fee_item i ON i.id = c.fee_item_id \
    JOIN billing_period p ON p.id = c.period_id";

/// An order's lines by their codes.
pub async fn order_lines(tx: &impl ConnectionTrait, order: OrderId) -> Result<Vec<Line>> {
    let sql = format!(
        "SELECT i.code AS item, p.code AS period, l.amount_fen FROM order_line l {NAMED} \
         WHERE l.order_id = $1 ORDER BY p.code DESC, i.code, c.id"
    );
    lines(tx, &sql, order.0).await
}

/// What a refund gives back of its order's lines.
pub async fn refund_lines(tx: &impl ConnectionTrait, refund: RefundId) -> Result<Vec<Line>> {
    let sql = format!(
        "SELECT i.code AS item, p.code AS period, l.amount_fen FROM refund_line l {NAMED} \
         WHERE l.refund_id = $1 ORDER BY p.code DESC, i.code, c.id"
    );
    lines(tx, &sql, refund.0).await
}

async fn lines(tx: &impl ConnectionTrait, sql: &str, of: i64) -> Result<Vec<Line>> {
    let line = |row: &QueryResult| -> Result<Line> {
        let (item, period) = (row.try_get("", "item")?, row.try_get("", "period")?);
        Ok(Line { item, period, amount_fen: Fen::new(row.try_get("", "amount_fen")?) })
    };
    tx.query_all_raw(statement(tx, sql, [of.into()])).await?.iter().map(line).collect()
}

/// A delivery whose time has come, with what is to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    pub id: DeliveryId,
    pub event_no: String,
    pub kind: EventKind,
    pub payload: String,
    /// Tries before this one
    pub tries: i64,
    pub next_try_at: Moment,
}

/// What is to go to an endpoint now, longest overdue first.
pub async fn find_due(db: &impl ConnectionTrait, endpoint: &str, now: Moment, limit: u64) -> Result<Vec<Due>> {
    let sql = "SELECT d.id, d.tries, d.next_try_at, e.event_no, e.kind, e.payload FROM event_delivery d \
        JOIN event e ON e.id = d.event_id WHERE d.endpoint = $1 AND d.next_try_at <= $2 \
        ORDER BY d.next_try_at, d.id LIMIT $3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let due = |row: &QueryResult| -> Result<Due> {
        let event_no: String = row.try_get("", "event_no")?;
        Ok(Due {
            id: DeliveryId(row.try_get("", "id")?),
            kind: kind(&event_no, &row.try_get::<String>("", "kind")?)?,
            event_no,
            payload: row.try_get("", "payload")?,
            tries: row.try_get("", "tries")?,
            next_try_at: Moment::from_millis(row.try_get("", "next_try_at")?),
        })
    };
    let values = [endpoint.into(), now.millis().into(), limit.into()];
    db.query_all_raw(statement(db, sql, values)).await?.iter().map(due).collect()
}

/// Claims a try: counts it, and moves the time on to `until`, when somebody else may take it up. False when another
/// process has claimed it.
pub async fn claim_try(db: &impl ConnectionTrait, due: &Due, until: Moment) -> Result<bool> {
    let sql = "UPDATE event_delivery SET tries = $1, next_try_at = $2 \
        WHERE id = $3 AND tries = $4 AND next_try_at = $5 AND state = 'waiting'";
    let (tries, now_due) = (due.tries, due.next_try_at.millis());
    let values = [(tries + 1).into(), until.millis().into(), due.id.0.into(), tries.into(), now_due.into()];
    Ok(db.execute_raw(statement(db, sql, values)).await?.rows_affected() == 1)
}

/// How a delivery goes on after a try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum After {
    Done { at: Moment },
    Again { at: Moment },
    Failed,
}

/// Ends the try that was claimed until `until`; false when somebody has moved the delivery meanwhile.
pub async fn end_try(tx: &impl ConnectionTrait, due: &Due, until: Moment, after: After) -> Result<bool> {
    let (state, next, done) = match after {
        After::Done { at } => (DeliveryState::Done, None, Some(at.millis())),
        After::Again { at } => (DeliveryState::Waiting, Some(at.millis()), None),
        After::Failed => (DeliveryState::Failed, None, None),
    };
    let sql = "UPDATE event_delivery SET state = $1, next_try_at = $2, done_at = $3 \
        WHERE id = $4 AND tries = $5 AND next_try_at = $6 AND state = 'waiting'";
    let claimed = [due.id.0.into(), (due.tries + 1).into(), until.millis().into()];
    let values: Vec<Value> = [state.code().into(), next.into(), done.into()].into_iter().chain(claimed).collect();
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}

/// One try as it ended.
#[derive(Clone, PartialEq, Eq, Debug, FromQueryResult)]
pub struct Try {
    pub endpoint: String,
    /// Milliseconds since 1970
    pub at: i64,
    /// `answered`, or why there was no answer
    pub outcome: String,
    pub status: Option<i64>,
    /// How long it took
    pub millis: i64,
    /// How the answer began, if it was no success
    pub said: String,
}

/// Adds a try to the log; its endpoint is the delivery's.
pub async fn insert_try(tx: &impl ConnectionTrait, delivery: DeliveryId, done: &Try) -> Result<()> {
    let sql = "INSERT INTO event_try (delivery_id, at, outcome, status, millis, said) VALUES ($1, $2, $3, $4, $5, $6)";
    let values = [
        delivery.0.into(),
        done.at.into(),
        done.outcome.as_str().into(),
        done.status.into(),
        done.millis.into(),
        done.said.as_str().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct EventRow {
    id: i64,
    event_no: String,
    kind: String,
    subject: String,
    payload: String,
    created_at: i64,
}

impl TryFrom<EventRow> for Event {
    type Error = StoreError;
    fn try_from(row: EventRow) -> Result<Event> {
        Ok(Event {
            id: EventId(row.id),
            kind: kind(&row.event_no, &row.kind)?,
            event_no: row.event_no,
            subject: row.subject,
            payload: row.payload,
            created_at: Moment::from_millis(row.created_at),
        })
    }
}

fn kind(event_no: &str, code: &str) -> Result<EventKind> {
    EventKind::parse(code).ok_or_else(|| unfit("event", "kind", event_no, code))
}

pub async fn find_by_no(db: &impl ConnectionTrait, event_no: &str) -> Result<Option<Event>> {
    let sql = "SELECT id, event_no, kind, subject, payload, created_at FROM event WHERE event_no = $1";
    let row = EventRow::find_by_statement(statement(db, sql, [event_no.into()])).one(db).await?;
    row.map(Event::try_from).transpose()
}

/// The latest events, newest first; those some endpoint did not take, if only `failed` are wanted.
pub async fn find_latest(db: &impl ConnectionTrait, failed: bool, limit: u64) -> Result<Vec<Event>> {
    let only = match failed {
        true => "WHERE id IN (SELECT event_id FROM event_delivery WHERE state = 'failed')",
        false => "",
    };
    let sql =
        format!("SELECT id, event_no, kind, subject, payload, created_at FROM event {only} ORDER BY id DESC LIMIT $1");
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = EventRow::find_by_statement(statement(db, &sql, [limit.into()])).all(db).await?;
    rows.into_iter().map(Event::try_from).collect()
}

/// Where an event stands with one endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    pub endpoint: String,
    pub state: DeliveryState,
    pub tries: i64,
    pub next_try_at: Option<Moment>,
    pub done_at: Option<Moment>,
}

pub async fn deliveries(db: &impl ConnectionTrait, event: EventId) -> Result<Vec<Delivery>> {
    let sql = "SELECT endpoint, state, tries, next_try_at, done_at FROM event_delivery \
        WHERE event_id = $1 ORDER BY endpoint";
    let delivery = |row: &QueryResult| -> Result<Delivery> {
        let state: String = row.try_get("", "state")?;
        let moment =
            |column| -> Result<Option<Moment>> { Ok(row.try_get::<Option<i64>>("", column)?.map(Moment::from_millis)) };
        Ok(Delivery {
            endpoint: row.try_get("", "endpoint")?,
            state: DeliveryState::parse(&state).ok_or_else(|| unfit("event_delivery", "state", event, &state))?,
            tries: row.try_get("", "tries")?,
            next_try_at: moment("next_try_at")?,
            done_at: moment("done_at")?,
        })
    };
    db.query_all_raw(statement(db, sql, [event.0.into()])).await?.iter().map(delivery).collect()
}

/// Every try of an event, first one first.
pub async fn tries(db: &impl ConnectionTrait, event: EventId) -> Result<Vec<Try>> {
    let sql = "SELECT d.endpoint, t.at, t.outcome, t.status, t.millis, t.said FROM event_try t \
        JOIN event_delivery d ON d.id = t.delivery_id WHERE d.event_id = $1 ORDER BY t.id";
    Ok(Try::find_by_statement(statement(db, sql, [event.0.into()])).all(db).await?)
}
