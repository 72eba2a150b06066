//! Attempts: found by number, ended by compare-and-set, asked about by schedule.
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::db::statement;
use super::error::{Result, StoreError};
use super::fees::{returned_id, unfit};
use super::schema::attempt::{Column, Entity, Model};
use super::seal::{Field, Sealer};
use crate::domain::ids::{AttemptId, GiftId, OrderId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::{Attempt, AttemptState};
use crate::domain::order_no::AttemptNo;
use crate::domain::trade::{Buyer, Channel, Lane, Product};

fn read(row: Model, sealer: &Sealer) -> Result<Attempt> {
    let bad = |column, value: &str| unfit("attempt", column, &row.attempt_no, value);
    let buyer = match &row.buyer_sealed {
        None => None,
        Some(sealed) => {
            let code = sealer.open(Field::Buyer, sealed);
            let code = code.ok_or_else(|| StoreError::Unsealed { table: "attempt", row: row.attempt_no.clone() })?;
            Some(Buyer::parse(&code).ok_or_else(|| bad("buyer_sealed", "…"))?)
        }
    };
    Ok(Attempt {
        id: AttemptId(row.id),
        attempt_no: AttemptNo::parse(&row.attempt_no).ok_or_else(|| bad("attempt_no", &row.attempt_no))?,
        order_id: OrderId(row.order_id),
        product: Product::parse(&row.product).ok_or_else(|| bad("product", &row.product))?,
        payee_code: row.payee_code.clone(),
        amount: Fen::new(row.amount_fen),
        state: AttemptState::parse(&row.state).ok_or_else(|| bad("state", &row.state))?,
        buyer,
        gift: row.gift_id.map(GiftId),
        payer_ip: row.payer_ip.clone(),
        return_url: row.return_url.clone(),
        created_at: Moment::from_millis(row.created_at),
        expires_at: Moment::from_millis(row.expires_at),
        inquiries: row.inquiries,
        next_inquiry_at: row.next_inquiry_at.map(Moment::from_millis),
    })
}

pub async fn find_by_no(db: &impl ConnectionTrait, sealer: &Sealer, no: &str) -> Result<Option<Attempt>> {
    let row = Entity::find().filter(Column::AttemptNo.eq(no)).one(db).await?;
    row.map(|row| read(row, sealer)).transpose()
}

pub async fn find(db: &impl ConnectionTrait, sealer: &Sealer, id: AttemptId) -> Result<Option<Attempt>> {
    let row = Entity::find_by_id(id.0).one(db).await?;
    row.map(|row| read(row, sealer)).transpose()
}

/// All attempts of an order, first one first.
pub async fn find_of_order(db: &impl ConnectionTrait, sealer: &Sealer, order: OrderId) -> Result<Vec<Attempt>> {
    let rows = Entity::find().filter(Column::OrderId.eq(order.0)).order_by_asc(Column::Id).all(db).await?;
    rows.into_iter().map(|row| read(row, sealer)).collect()
}

/// The attempt of an order that may still be paid; the database allows one.
pub async fn find_live(db: &impl ConnectionTrait, sealer: &Sealer, order: OrderId) -> Result<Option<Attempt>> {
    let query = Entity::find().filter(Column::OrderId.eq(order.0)).filter(Column::State.eq("live"));
    query.one(db).await?.map(|row| read(row, sealer)).transpose()
}

/// The attempts of an order that may still take money: the live one, and those closed here at a channel where they may
/// still be paid, until their time is out.
pub async fn find_payable(
    db: &impl ConnectionTrait,
    sealer: &Sealer,
    order: OrderId,
    now: Moment,
) -> Result<Vec<Attempt>> {
    let late = Channel::ALL.iter().filter(|channel| channel.may_come_to_life()).map(|channel| channel.code());
    let watched = Condition::all()
        .add(Column::State.eq("closed"))
        .add(Column::Channel.is_in(late))
        .add(Column::NextInquiryAt.is_not_null())
        .add(Column::ExpiresAt.gt(now.millis()));
    let open = Condition::any().add(Column::State.eq("live")).add(watched);
    let query = Entity::find().filter(Column::OrderId.eq(order.0)).filter(open).order_by_asc(Column::Id);
    query.all(db).await?.into_iter().map(|row| read(row, sealer)).collect()
}

/// Inserts a live attempt; the id in `attempt` is not read. A second live attempt of the order is a duplicate.
pub async fn insert(tx: &impl ConnectionTrait, sealer: &Sealer, attempt: &Attempt) -> Result<AttemptId> {
    let sql = "INSERT INTO attempt (attempt_no, order_id, channel, product, payee_code, amount_fen, state, \
        buyer_sealed, payer_ip, return_url, created_at, expires_at, inquiries, next_inquiry_at, \
        gift_id) VALUES ($1, $2, $3, $4, $5, $6, 'live', $7, $8, $9, $10, $11, 0, $12, $13) RETURNING id";
    let values = [
        attempt.attempt_no.as_str().into(),
        attempt.order_id.0.into(),
        attempt.product.channel().code().into(),
        attempt.product.code().into(),
        attempt.payee_code.as_str().into(),
        attempt.amount.get().into(),
        attempt.buyer.as_ref().map(|buyer| sealer.seal(Field::Buyer, &buyer.code())).into(),
        attempt.payer_ip.as_str().into(),
        attempt.return_url.as_str().into(),
        attempt.created_at.millis().into(),
        attempt.expires_at.millis().into(),
        attempt.next_inquiry_at.map(Moment::millis).into(),
        attempt.gift.map(|gift| gift.0).into(),
    ];
    Ok(AttemptId(returned_id(tx, sql, values).await?))
}

/// Ends an attempt as paid, whatever it was; nothing is asked about it any more. True when it was the live one.
pub async fn move_to_paid(tx: &impl ConnectionTrait, id: AttemptId, at: Moment) -> Result<bool> {
    let paid = || {
        Entity::update_many()
            .col_expr(Column::State, Expr::value("paid"))
            .col_expr(Column::EndedAt, Expr::value(at.millis()))
            .col_expr(Column::NextInquiryAt, Expr::value(Option::<i64>::None))
            .filter(Column::Id.eq(id.0))
    };
    let was_live = paid().filter(Column::State.eq("live")).exec(tx).await?.rows_affected == 1;
    if !was_live {
        paid().exec(tx).await?;
    }
    Ok(was_live)
}

/// Live → closed; false when it was not live any more. `watch_at` says when to ask once more about an attempt whose
/// channel never confirmed the closing in so many words.
pub async fn move_to_closed(
    tx: &impl ConnectionTrait,
    id: AttemptId,
    at: Moment,
    watch_at: Option<Moment>,
) -> Result<bool> {
    let moved = Entity::update_many()
        .col_expr(Column::State, Expr::value("closed"))
        .col_expr(Column::EndedAt, Expr::value(at.millis()))
        .col_expr(Column::NextInquiryAt, Expr::value(watch_at.map(Moment::millis)))
        .filter(Column::Id.eq(id.0))
        .filter(Column::State.eq("live"))
        .exec(tx)
        .await?;
    Ok(moved.rows_affected == 1)
}

/// Has the live attempts of an order asked about at once.
pub async fn wake(tx: &impl ConnectionTrait, order: OrderId, now: Moment) -> Result<()> {
    let wake = Entity::update_many().col_expr(Column::NextInquiryAt, Expr::value(now.millis()));
    wake.filter(Column::OrderId.eq(order.0)).filter(Column::State.eq("live")).exec(tx).await?;
    Ok(())
}

/// The lanes in which attempts are to be asked about now, always in the same order.
pub async fn due_lanes(db: &impl ConnectionTrait, now: Moment) -> Result<Vec<Lane>> {
    let sql = "SELECT DISTINCT payee_code, channel FROM attempt WHERE next_inquiry_at <= $1 \
        ORDER BY payee_code, channel";
    lanes(db, sql, now).await
}

/// Reads payee_code and channel (or none) of each row; `$1` is `now`.
pub async fn lanes(db: &impl ConnectionTrait, sql: &str, now: Moment) -> Result<Vec<Lane>> {
    let rows = db.query_all_raw(statement(db, sql, [now.millis().into()])).await?;
    let lane = |row: &sea_orm::QueryResult| -> Result<Lane> {
        let payee_code: String = row.try_get("", "payee_code")?;
        let channel: Option<String> = row.try_get("", "channel")?;
        let channel =
            channel.map(|code| Channel::parse(&code).ok_or_else(|| unfit("attempt", "channel", &code, &code)));
        Ok(Lane { payee_code, channel: channel.transpose()? })
    };
    rows.iter().map(lane).collect()
}

/// Attempts of one lane to ask about now, longest overdue first.
pub async fn find_due(
    db: &impl ConnectionTrait,
    sealer: &Sealer,
    lane: &Lane,
    now: Moment,
    limit: u64,
) -> Result<Vec<Attempt>> {
    let query = Entity::find().filter(Column::NextInquiryAt.lte(now.millis())).order_by_asc(Column::NextInquiryAt);
    let query = query.filter(Column::PayeeCode.eq(&lane.payee_code));
    let query = query.filter(Column::Channel.eq(lane.channel.map_or("", Channel::code)));
    let rows = query.limit(limit).all(db).await?;
    rows.into_iter().map(|row| read(row, sealer)).collect()
}

/// A closed attempt is not asked about any more.
pub async fn stop_watching(db: &impl ConnectionTrait, id: AttemptId) -> Result<()> {
    let stop = Entity::update_many().col_expr(Column::NextInquiryAt, Expr::value(Option::<i64>::None));
    stop.filter(Column::Id.eq(id.0)).filter(Column::State.eq("closed")).exec(db).await?;
    Ok(())
}

/// Claims an inquiry by moving its time on; false when another process has claimed it.
pub async fn claim_inquiry(db: &impl ConnectionTrait, attempt: &Attempt, next: Option<Moment>) -> Result<bool> {
    let Some(due) = attempt.next_inquiry_at else { return Ok(false) };
    let claimed = Entity::update_many()
        .col_expr(Column::NextInquiryAt, Expr::value(next.map(Moment::millis)))
        .col_expr(Column::Inquiries, Expr::value(attempt.inquiries + 1))
        .filter(Column::Id.eq(attempt.id.0))
        .filter(Column::NextInquiryAt.eq(due.millis()))
        .exec(db)
        .await?;
    Ok(claimed.rows_affected == 1)
}
