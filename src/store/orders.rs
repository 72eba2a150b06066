//! Orders and their lines. Every forward step is a compare-and-set on the state column, and takes the order's number in
//! the feed away, so that it is told again.
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
};

use super::attempts;
use super::db::statement;
use super::error::{Result, StoreError};
use super::fees::{returned_id, unfit};
use super::journal;
use super::schema::payment_order::{Column, Entity, Model};
use super::schema::{attempt, receipt};
use crate::domain::bilingual::Bilingual;
use crate::domain::ids::{ChargeId, OrderId, PayerId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::{CloseReason, Order, OrderLine, OrderState};
use crate::domain::order_no::OrderNo;
use crate::domain::trade::{Lane, Product, TradeNo};

impl TryFrom<Model> for Order {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Order> {
        let bad = |column, value: &str| unfit("payment_order", column, &row.order_no, value);
        let expires_at = Moment::from_millis(row.expires_at);
        let state = match (row.state.as_str(), row.paid_at, &row.trade_no, row.closed_at) {
            ("pending", None, None, None) => OrderState::Pending { expires_at },
            ("paid", Some(at), Some(trade_no), _) => {
                OrderState::Paid { trade_no: TradeNo(trade_no.clone()), paid_at: Moment::from_millis(at) }
            }
            ("closed", None, None, Some(at)) => {
                let reason = row.close_reason.as_deref().unwrap_or_default();
                let reason = CloseReason::parse(reason).ok_or_else(|| bad("close_reason", reason))?;
                OrderState::Closed { reason, closed_at: Moment::from_millis(at) }
            }
            (other, ..) => return Err(bad("state", other)),
        };
        let paid_by = match &row.product {
            Some(code) => Some(Product::parse(code).ok_or_else(|| bad("product", code))?),
            None => None,
        };
        Ok(Order {
            id: OrderId(row.id),
            order_no: OrderNo::parse(&row.order_no).ok_or_else(|| bad("order_no", &row.order_no))?,
            checkout_id: row.checkout_id,
            part: row.part,
            payer_id: PayerId(row.payer_id),
            payee_code: row.payee_code,
            subject: row.subject,
            total: Fen::new(row.total_fen),
            pay_code: row.pay_code,
            state,
            created_at: Moment::from_millis(row.created_at),
            expires_at,
            paid_by,
        })
    }
}

async fn one(db: &impl ConnectionTrait, query: Select<Entity>) -> Result<Option<Order>> {
    query.one(db).await?.map(Order::try_from).transpose()
}

async fn all(db: &impl ConnectionTrait, query: Select<Entity>) -> Result<Vec<Order>> {
    query.all(db).await?.into_iter().map(Order::try_from).collect()
}

pub async fn find(db: &impl ConnectionTrait, id: OrderId) -> Result<Option<Order>> {
    one(db, Entity::find_by_id(id.0)).await
}

/// Finds an order and holds its row until the transaction ends.
pub async fn lock(tx: &impl ConnectionTrait, id: OrderId) -> Result<Option<Order>> {
    one(tx, Entity::find_by_id(id.0).lock(LockType::NoKeyUpdate)).await
}

/// One order, and only if it is this payer's.
pub async fn find_of_payer(db: &impl ConnectionTrait, payer: PayerId, no: &OrderNo) -> Result<Option<Order>> {
    one(db, Entity::find().filter(Column::OrderNo.eq(no.as_str())).filter(Column::PayerId.eq(payer.0))).await
}

pub async fn find_by_no(db: &impl ConnectionTrait, no: &OrderNo) -> Result<Option<Order>> {
    one(db, Entity::find().filter(Column::OrderNo.eq(no.as_str()))).await
}

pub async fn find_by_pay_code(db: &impl ConnectionTrait, code: &str) -> Result<Option<Order>> {
    one(db, Entity::find().filter(Column::PayCode.eq(code))).await
}

/// The successive orders of one checkout.
pub async fn find_of_checkout(db: &impl ConnectionTrait, payer: PayerId, checkout_id: &str) -> Result<Vec<Order>> {
    let query = Entity::find().filter(Column::CheckoutId.eq(checkout_id)).filter(Column::PayerId.eq(payer.0));
    all(db, query.order_by_asc(Column::Part)).await
}

/// Which of a payer's orders a list shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Shown {
    #[default]
    All,
    Pending,
    Paid,
    Closed,
}

/// What of a payer's orders is wanted.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub payer: PayerId,
    pub shown: Shown,
    /// Made in `[from, until)`
    pub within: (Moment, Moment),
    /// In capitals: an order's, an attempt's, a receipt's or a channel's; empty: any
    pub number: &'a str,
}

impl Wanted<'_> {
    fn query(&self) -> Select<Entity> {
        let query = Entity::find()
            .filter(Column::PayerId.eq(self.payer.0))
            .filter(Column::CreatedAt.gte(self.within.0.millis()))
            .filter(Column::CreatedAt.lt(self.within.1.millis()));
        let query = match self.shown {
            Shown::All => query,
            Shown::Pending => query.filter(Column::State.eq("pending")),
            Shown::Paid => query.filter(Column::State.eq("paid")),
            Shown::Closed => query.filter(Column::State.eq("closed")),
        };
        if self.number.is_empty() {
            return query;
        }
        let tried = attempt::Entity::find().select_only().column(attempt::Column::OrderId);
        let tried = tried.filter(attempt::Column::AttemptNo.eq(self.number)).into_query();
        let issued = receipt::Entity::find().select_only().column(receipt::Column::OrderId);
        let issued = issued.filter(receipt::Column::ReceiptNo.eq(self.number)).into_query();
        let any = Condition::any().add(Column::OrderNo.eq(self.number)).add(Column::TradeNo.eq(self.number));
        query.filter(any.add(Column::Id.in_subquery(tried)).add(Column::Id.in_subquery(issued)))
    }
}

/// Newest first, `limit` of them after skipping `offset`.
pub async fn list(db: &impl ConnectionTrait, wanted: Wanted<'_>, (offset, limit): (u64, u64)) -> Result<Vec<Order>> {
    let query = wanted.query().order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
    all(db, query.offset(offset).limit(limit)).await
}

pub async fn count(db: &impl ConnectionTrait, wanted: Wanted<'_>) -> Result<u64> {
    Ok(wanted.query().count(db).await?)
}

/// A payer's pending orders, with the charges each one holds.
pub async fn pending_lines(db: &impl ConnectionTrait, payer: PayerId) -> Result<Vec<(Order, ChargeId)>> {
    let query = Entity::find().filter(Column::PayerId.eq(payer.0)).filter(Column::State.eq("pending"));
    let mut out = Vec::new();
    for order in all(db, query.order_by_asc(Column::Id)).await? {
        for line in lines(db, order.id).await? {
            out.push((order.clone(), line.charge_id));
        }
    }
    Ok(out)
}

/// The lanes of pending orders whose time ran out by `now`, always in the same order: the one of the order's live
/// attempt, or without a channel when there is no such attempt.
pub async fn expired_lanes(db: &impl ConnectionTrait, now: Moment) -> Result<Vec<Lane>> {
    let sql = "SELECT DISTINCT o.payee_code, a.channel FROM payment_order o \
        LEFT JOIN attempt a ON a.order_id = o.id AND a.state = 'live' \
        WHERE o.state = 'pending' AND o.expires_at <= $1 ORDER BY o.payee_code, a.channel";
    attempts::lanes(db, sql, now).await
}

/// Pending orders of one lane whose time ran out by `now` and that the office does not look at, longest ago first,
/// after the one of `after` (its deadline and id).
pub async fn find_expired(
    db: &impl ConnectionTrait,
    lane: &Lane,
    now: Moment,
    (after_at, after_id): (Moment, OrderId),
    limit: u64,
) -> Result<Vec<Order>> {
    let query = Entity::find().filter(Column::State.eq("pending")).filter(Column::ExpiresAt.lte(now.millis()));
    let query = query.filter(journal::without_open_mismatch()).filter(Column::PayeeCode.eq(&lane.payee_code));
    let live = "EXISTS (SELECT 1 FROM attempt a WHERE a.order_id = payment_order.id AND a.state = 'live'";
    let query = query.filter(match lane.channel {
        Some(channel) => Expr::cust(format!("{live} AND a.channel = '{}')", channel.code())),
        None => Expr::cust(format!("NOT {live})")),
    });
    let later = Column::ExpiresAt.gt(after_at.millis());
    let same = Condition::all().add(Column::ExpiresAt.eq(after_at.millis())).add(Column::Id.gt(after_id.0));
    let query = query.filter(Condition::any().add(later).add(same));
    all(db, query.order_by_asc(Column::ExpiresAt).order_by_asc(Column::Id).limit(limit)).await
}

#[derive(FromQueryResult)]
struct LineRow {
    charge_id: i64,
    item_name: String,
    item_name_en: String,
    period_name: String,
    period_name_en: String,
    amount_fen: i64,
    refunded_fen: i64,
}

pub async fn lines(db: &impl ConnectionTrait, order: OrderId) -> Result<Vec<OrderLine>> {
    let sql = "SELECT l.charge_id, l.amount_fen, l.refunded_fen, i.name AS item_name, i.name_en AS item_name_en, \
        p.name AS period_name, p.name_en AS period_name_en FROM order_line l JOIN charge c ON c.id = l.charge_id \
        JOIN fee_item i ON i.id = c.fee_item_id JOIN billing_period p ON p.id = c.period_id \
        WHERE l.order_id = $1 ORDER BY p.code DESC, i.code, c.id";
    let rows = LineRow::find_by_statement(statement(db, sql, [order.0.into()])).all(db).await?;
    let line = |row: LineRow| OrderLine {
        charge_id: ChargeId(row.charge_id),
        item: Bilingual::new(row.item_name, row.item_name_en),
        period: Bilingual::new(row.period_name, row.period_name_en),
        amount: Fen::new(row.amount_fen),
        refunded: Fen::new(row.refunded_fen),
    };
    Ok(rows.into_iter().map(line).collect())
}

/// What a new order is made of.
#[derive(Clone, Debug)]
pub struct NewOrder<'a> {
    pub order_no: &'a OrderNo,
    pub checkout_id: &'a str,
    pub part: i64,
    pub payer_id: PayerId,
    pub payee_code: &'a str,
    pub subject: &'a str,
    pub total: Fen,
    pub pay_code: &'a str,
    pub created_at: Moment,
    pub expires_at: Moment,
    pub lines: &'a [(ChargeId, Fen)],
}

pub async fn insert(tx: &impl ConnectionTrait, order: &NewOrder<'_>) -> Result<OrderId> {
    let sql = "INSERT INTO payment_order (order_no, checkout_id, part, payer_id, payee_code, subject, total_fen, \
        pay_code, state, attempts, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', 0, $9, $10) RETURNING id";
    let values = [
        order.order_no.as_str().into(),
        order.checkout_id.into(),
        order.part.into(),
        order.payer_id.0.into(),
        order.payee_code.into(),
        order.subject.into(),
        order.total.get().into(),
        order.pay_code.into(),
        order.created_at.millis().into(),
        order.expires_at.millis().into(),
    ];
    let id = returned_id(tx, sql, values).await?;
    for (charge, amount) in order.lines {
        let sql = "INSERT INTO order_line (order_id, charge_id, amount_fen, refunded_fen) VALUES ($1, $2, $3, 0)";
        tx.execute_raw(statement(tx, sql, [id.into(), charge.0.into(), amount.get().into()])).await?;
    }
    Ok(OrderId(id))
}

/// Makes a pending order a part of another checkout of its payer. The caller holds the payer's row.
pub async fn move_to_checkout(tx: &impl ConnectionTrait, id: OrderId, checkout_id: &str, part: i64) -> Result<()> {
    let moved = Entity::update_many()
        .col_expr(Column::CheckoutId, Expr::value(checkout_id))
        .col_expr(Column::Part, Expr::value(part))
        .filter(Column::Id.eq(id.0))
        .filter(Column::State.eq("pending"));
    moved.exec(tx).await?;
    Ok(())
}

/// Counts one more attempt and gives its number, from 1; none when the order is not pending any more.
pub async fn count_attempt(tx: &impl ConnectionTrait, id: OrderId) -> Result<Option<i64>> {
    let sql = "UPDATE payment_order SET attempts = attempts + 1 WHERE id = $1 AND state = 'pending' RETURNING attempts";
    let row = tx.query_one_raw(statement(tx, sql, [id.0.into()])).await?;
    Ok(row.map(|row| row.try_get("", "attempts")).transpose()?)
}

/// Pending or closed → paid; false when the order was paid before.
pub async fn move_to_paid(
    tx: &impl ConnectionTrait,
    id: OrderId,
    trade_no: &TradeNo,
    paid_at: Moment,
    product: Product,
) -> Result<bool> {
    let moved = Entity::update_many()
        .col_expr(Column::State, Expr::value("paid"))
        .col_expr(Column::PaidAt, Expr::value(paid_at.millis()))
        .col_expr(Column::TradeNo, Expr::value(trade_no.0.as_str()))
        .col_expr(Column::Product, Expr::value(product.code()))
        .col_expr(Column::FeedNo, Expr::value(None::<i64>))
        .filter(Column::Id.eq(id.0))
        .filter(Column::State.is_in(["pending", "closed"]))
        .exec(tx)
        .await?;
    Ok(moved.rows_affected == 1)
}

/// Pending → closed; false when the order was not pending any more.
pub async fn move_to_closed(tx: &impl ConnectionTrait, id: OrderId, reason: CloseReason, at: Moment) -> Result<bool> {
    let moved = Entity::update_many()
        .col_expr(Column::State, Expr::value("closed"))
        .col_expr(Column::CloseReason, Expr::value(reason.code()))
        .col_expr(Column::ClosedAt, Expr::value(at.millis()))
        .col_expr(Column::FeedNo, Expr::value(None::<i64>))
        .filter(Column::Id.eq(id.0))
        .filter(Column::State.eq("pending"))
        .exec(tx)
        .await?;
    Ok(moved.rows_affected == 1)
}

/// Adds to what was sent back of one line; false when that would be more than the line.
pub async fn add_refunded(tx: &impl ConnectionTrait, id: OrderId, charge: ChargeId, amount: Fen) -> Result<bool> {
    let sql = "UPDATE order_line SET refunded_fen = refunded_fen + $1 \
        WHERE order_id = $2 AND charge_id = $3 AND refunded_fen + $1 <= amount_fen";
    let values = [amount.get().into(), id.0.into(), charge.0.into()];
    if tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let sql = "UPDATE payment_order SET feed_no = NULL WHERE id = $1";
    tx.execute_raw(statement(tx, sql, [id.0.into()])).await?;
    Ok(true)
}
