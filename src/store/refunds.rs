//! Refunds: wanted first, asked for afterwards.
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::attempts;
use super::db::statement;
use super::error::{Result, StoreError};
use super::fees::{returned_id, unfit};
use super::schema::refund::{Column, Entity, Model};
use crate::domain::ids::{AttemptId, ChargeId, OrderId, PayerId, RefundId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::RefundNo;
use crate::domain::refund::{Refund, RefundCause, RefundState};
use crate::domain::trade::{Channel, Lane, TradeNo};

impl TryFrom<Model> for Refund {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Refund> {
        let bad = |column, value: &str| unfit("refund", column, &row.refund_no, value);
        Ok(Refund {
            id: RefundId(row.id),
            refund_no: RefundNo::parse(&row.refund_no).ok_or_else(|| bad("refund_no", &row.refund_no))?,
            attempt_id: AttemptId(row.attempt_id),
            order_id: OrderId(row.order_id),
            channel: Channel::parse(&row.channel).ok_or_else(|| bad("channel", &row.channel))?,
            cause: RefundCause::parse(&row.cause).ok_or_else(|| bad("cause", &row.cause))?,
            state: RefundState::parse(&row.state).ok_or_else(|| bad("state", &row.state))?,
            payee_code: row.payee_code,
            trade_no: TradeNo(row.trade_no),
            amount: Fen::new(row.amount_fen),
            total: Fen::new(row.total_fen),
            reason: row.reason,
            tries: row.tries,
            next_try_at: row.next_try_at.map(Moment::from_millis),
            created_at: Moment::from_millis(row.created_at),
            done_at: row.done_at.map(Moment::from_millis),
        })
    }
}

pub async fn find_by_no(db: &impl ConnectionTrait, no: &str) -> Result<Option<Refund>> {
    Entity::find().filter(Column::RefundNo.eq(no)).one(db).await?.map(Refund::try_from).transpose()
}

/// Finds a refund and holds its row until the transaction ends.
pub async fn lock(tx: &impl ConnectionTrait, id: RefundId) -> Result<Option<Refund>> {
    Entity::find_by_id(id.0).lock(LockType::NoKeyUpdate).one(tx).await?.map(Refund::try_from).transpose()
}

pub async fn find_of_order(db: &impl ConnectionTrait, order: OrderId) -> Result<Vec<Refund>> {
    let rows = Entity::find().filter(Column::OrderId.eq(order.0)).order_by_asc(Column::Id).all(db).await?;
    rows.into_iter().map(Refund::try_from).collect()
}

/// The last surplus of any of a payer's orders that is not back yet, or has been since `since`.
pub async fn find_last_surplus(db: &impl ConnectionTrait, payer: PayerId, since: Moment) -> Result<Option<Refund>> {
    let sql = "SELECT r.* FROM refund r JOIN payment_order o ON o.id = r.order_id \
        WHERE o.payer_id = $1 AND r.cause = 'surplus' AND r.created_at >= $2 \
        AND (r.done_at IS NULL OR r.done_at >= $2) ORDER BY r.id DESC LIMIT 1";
    let row = Entity::find().from_raw_sql(statement(db, sql, [payer.0.into(), since.millis().into()])).one(db).await?;
    row.map(Refund::try_from).transpose()
}

/// How many refunds an attempt has had, whatever became of them.
pub async fn count_of_attempt(db: &impl ConnectionTrait, attempt: AttemptId) -> Result<i64> {
    let query = Entity::find().select_only().column_as(Column::Id.count(), "count");
    let query = query.filter(Column::AttemptId.eq(attempt.0)).build(db.get_database_backend());
    let row = db.query_one_raw(query).await?;
    Ok(row.map(|row| row.try_get("", "count")).transpose()?.unwrap_or(0))
}

/// Inserts a wanted refund; the id and state in `refund` are not read.
pub async fn insert(tx: &impl ConnectionTrait, refund: &Refund, lines: &[(ChargeId, Fen)]) -> Result<RefundId> {
    let sql = "INSERT INTO refund (refund_no, attempt_id, order_id, channel, payee_code, trade_no, cause, amount_fen, \
        total_fen, reason, state, tries, next_try_at, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'wanted', 0, $11, $12) RETURNING id";
    let values = [
        refund.refund_no.as_str().into(),
        refund.attempt_id.0.into(),
        refund.order_id.0.into(),
        refund.channel.code().into(),
        refund.payee_code.as_str().into(),
        refund.trade_no.0.as_str().into(),
        refund.cause.code().into(),
        refund.amount.get().into(),
        refund.total.get().into(),
        refund.reason.as_str().into(),
        refund.next_try_at.map(Moment::millis).into(),
        refund.created_at.millis().into(),
    ];
    let id = returned_id(tx, sql, values).await?;
    for (charge, amount) in lines {
        let sql = "INSERT INTO refund_line (refund_id, charge_id, amount_fen) VALUES ($1, $2, $3)";
        tx.execute_raw(statement(tx, sql, [id.into(), charge.0.into(), amount.get().into()])).await?;
    }
    Ok(RefundId(id))
}

pub async fn lines(db: &impl ConnectionTrait, refund: RefundId) -> Result<Vec<(ChargeId, Fen)>> {
    let sql = "SELECT charge_id, amount_fen FROM refund_line WHERE refund_id = $1 ORDER BY charge_id";
    let rows = db.query_all_raw(statement(db, sql, [refund.0.into()])).await?;
    let line = |row: &sea_orm::QueryResult| -> Result<(ChargeId, Fen)> {
        Ok((ChargeId(row.try_get("", "charge_id")?), Fen::new(row.try_get("", "amount_fen")?)))
    };
    rows.iter().map(line).collect()
}

/// The lanes in which refunds are to be asked about now, always in the same order.
pub async fn due_lanes(db: &impl ConnectionTrait, now: Moment) -> Result<Vec<Lane>> {
    let sql = "SELECT DISTINCT payee_code, channel FROM refund WHERE next_try_at <= $1 ORDER BY payee_code, channel";
    attempts::lanes(db, sql, now).await
}

/// Refunds of one lane to ask about now, longest overdue first.
pub async fn find_due(db: &impl ConnectionTrait, lane: &Lane, now: Moment, limit: u64) -> Result<Vec<Refund>> {
    let query = Entity::find().filter(Column::NextTryAt.lte(now.millis())).order_by_asc(Column::NextTryAt);
    let query = query.filter(Column::PayeeCode.eq(&lane.payee_code));
    let query = query.filter(Column::Channel.eq(lane.channel.map_or("", Channel::code)));
    query.limit(limit).all(db).await?.into_iter().map(Refund::try_from).collect()
}

/// Claims a try by moving its time on; false when another process has claimed it.
pub async fn claim_try(db: &impl ConnectionTrait, refund: &Refund, next: Moment) -> Result<bool> {
    let Some(due) = refund.next_try_at else { return Ok(false) };
    let claimed = Entity::update_many()
        .col_expr(Column::NextTryAt, Expr::value(next.millis()))
        .col_expr(Column::Tries, Expr::value(refund.tries + 1))
        .filter(Column::Id.eq(refund.id.0))
        .filter(Column::NextTryAt.eq(due.millis()))
        .exec(db)
        .await?;
    Ok(claimed.rows_affected == 1)
}

/// Moves a refund from one state to another; false when it was not in `from`.
pub async fn move_state(
    tx: &impl ConnectionTrait,
    id: RefundId,
    (from, to): (RefundState, RefundState),
    channel_refund_no: Option<&str>,
    done_at: Option<Moment>,
    next_try_at: Option<Moment>,
) -> Result<bool> {
    let mut update = Entity::update_many()
        .col_expr(Column::State, Expr::value(to.code()))
        .col_expr(Column::DoneAt, Expr::value(done_at.map(Moment::millis)))
        .col_expr(Column::NextTryAt, Expr::value(next_try_at.map(Moment::millis)));
    if let Some(no) = channel_refund_no {
        update = update.col_expr(Column::ChannelRefundNo, Expr::value(no));
    }
    let moved = update.filter(Column::Id.eq(id.0)).filter(Column::State.eq(from.code())).exec(tx).await?;
    Ok(moved.rows_affected == 1)
}
