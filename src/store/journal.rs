//! The journal: trades, notices, receipts, and the office's work list. Rows are only ever added. Entries of charges are
//! made in [`super::books`].
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder};

use super::db::statement;
use super::error::{Result, StoreError};
use super::fees::{returned_id, unfit};
use super::schema::{office_item, receipt};
use crate::domain::ids::{AttemptId, OrderId, PayerId, ReceiptId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::trade::{Channel, TradeNo};

/// What became of a channel's money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Settled,
    Surplus,
    Mismatch,
}

impl Outcome {
    const fn code(self) -> &'static str {
        match self {
            Outcome::Settled => "settled",
            Outcome::Surplus => "surplus",
            Outcome::Mismatch => "mismatch",
        }
    }

    fn parse(code: &str) -> Option<Outcome> {
        [Outcome::Settled, Outcome::Surplus, Outcome::Mismatch].into_iter().find(|outcome| outcome.code() == code)
    }
}

/// 交易: money one channel took once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trade {
    pub channel: Channel,
    pub trade_no: TradeNo,
    pub attempt_id: AttemptId,
    pub order_id: OrderId,
    pub amount: Fen,
    pub outcome: Outcome,
    pub paid_at: Moment,
}

#[derive(FromQueryResult)]
struct TradeRow {
    channel: String,
    trade_no: String,
    attempt_id: i64,
    order_id: i64,
    amount_fen: i64,
    outcome: String,
    paid_at: i64,
}

impl TryFrom<TradeRow> for Trade {
    type Error = StoreError;
    fn try_from(row: TradeRow) -> Result<Trade> {
        let channel =
            Channel::parse(&row.channel).ok_or_else(|| unfit("trade", "channel", &row.trade_no, &row.channel))?;
        let outcome =
            Outcome::parse(&row.outcome).ok_or_else(|| unfit("trade", "outcome", &row.trade_no, &row.outcome))?;
        Ok(Trade {
            channel,
            trade_no: TradeNo(row.trade_no),
            attempt_id: AttemptId(row.attempt_id),
            order_id: OrderId(row.order_id),
            amount: Fen::new(row.amount_fen),
            outcome,
            paid_at: Moment::from_millis(row.paid_at),
        })
    }
}

/// Records a trade; false if this trade number is known already (then nothing was written).
pub async fn insert_trade(tx: &impl ConnectionTrait, trade: &Trade, heard_at: Moment) -> Result<bool> {
    let sql = "INSERT INTO trade (channel, trade_no, attempt_id, order_id, amount_fen, outcome, paid_at, heard_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (channel, trade_no) DO NOTHING";
    let values = [
        trade.channel.code().into(),
        trade.trade_no.0.as_str().into(),
        trade.attempt_id.0.into(),
        trade.order_id.0.into(),
        trade.amount.get().into(),
        trade.outcome.code().into(),
        trade.paid_at.millis().into(),
        heard_at.millis().into(),
    ];
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}

pub async fn trades_of_order(db: &impl ConnectionTrait, order: OrderId) -> Result<Vec<Trade>> {
    let sql = "SELECT channel, trade_no, attempt_id, order_id, amount_fen, outcome, paid_at FROM trade \
        WHERE order_id = $1 ORDER BY heard_at";
    let rows = TradeRow::find_by_statement(statement(db, sql, [order.0.into()])).all(db).await?;
    rows.into_iter().map(Trade::try_from).collect()
}

/// A trade of another amount than its order's, not sent back: `t` is the trade.
const OPEN_MISMATCH: &str = "t.outcome = 'mismatch' AND NOT EXISTS (SELECT 1 FROM refund r \
    WHERE r.channel = t.channel AND r.trade_no = t.trade_no AND r.state <> 'closed')";

/// Money of an unexpected amount that lies on an order until the office decides.
pub async fn open_mismatches(db: &impl ConnectionTrait, order: OrderId) -> Result<Vec<Trade>> {
    let sql = format!(
        "SELECT t.channel, t.trade_no, t.attempt_id, t.order_id, t.amount_fen, t.outcome, t.paid_at FROM trade t \
         WHERE t.order_id = $1 AND {OPEN_MISMATCH} ORDER BY t.heard_at"
    );
    let rows = TradeRow::find_by_statement(statement(db, &sql, [order.0.into()])).all(db).await?;
    rows.into_iter().map(Trade::try_from).collect()
}

/// Orders that no such money lies on.
pub fn without_open_mismatch() -> SimpleExpr {
    Expr::cust(format!("NOT EXISTS (SELECT 1 FROM trade t WHERE t.order_id = payment_order.id AND {OPEN_MISMATCH})"))
}

/// A genuine notice as it came; `digest` is the SHA-256 of its bytes, so a byte-equal copy is kept once.
pub struct KeptNotice<'a> {
    pub digest: &'a str,
    pub channel: Channel,
    pub payee_code: &'a str,
    pub event_id: &'a str,
    pub about: &'a str,
    pub body: &'a str,
    pub received_at: Moment,
}

pub async fn keep_notice(tx: &impl ConnectionTrait, notice: &KeptNotice<'_>) -> Result<()> {
    let sql = "INSERT INTO notice (digest, channel, payee_code, event_id, about, body, received_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (digest) DO NOTHING";
    let values = [
        notice.digest.into(),
        notice.channel.code().into(),
        notice.payee_code.into(),
        notice.event_id.into(),
        notice.about.into(),
        notice.body.into(),
        notice.received_at.millis().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// 收费单
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    pub id: ReceiptId,
    /// 收费单号: six digits or more
    pub receipt_no: String,
    pub order_id: OrderId,
    pub payer_id: PayerId,
    pub issued_at: Moment,
    /// 制单人
    pub issuer: String,
}

impl From<receipt::Model> for Receipt {
    fn from(row: receipt::Model) -> Receipt {
        Receipt {
            id: ReceiptId(row.id),
            receipt_no: row.receipt_no,
            order_id: OrderId(row.order_id),
            payer_id: PayerId(row.payer_id),
            issued_at: Moment::from_millis(row.issued_at),
            issuer: row.issuer,
        }
    }
}

pub async fn insert_receipt(
    tx: &impl ConnectionTrait,
    receipt_no: &str,
    order: OrderId,
    payer: PayerId,
    at: Moment,
    issuer: &str,
) -> Result<ReceiptId> {
    let sql = "INSERT INTO receipt (receipt_no, order_id, payer_id, issued_at, issuer) \
        VALUES ($1, $2, $3, $4, $5) RETURNING id";
    let values = [receipt_no.into(), order.0.into(), payer.0.into(), at.millis().into(), issuer.into()];
    Ok(ReceiptId(returned_id(tx, sql, values).await?))
}

pub async fn find_receipt_of_order(db: &impl ConnectionTrait, order: OrderId) -> Result<Option<Receipt>> {
    let row = receipt::Entity::find().filter(receipt::Column::OrderId.eq(order.0)).one(db).await?;
    Ok(row.map(Receipt::from))
}

pub async fn find_receipt_by_id(db: &impl ConnectionTrait, id: ReceiptId) -> Result<Option<Receipt>> {
    Ok(receipt::Entity::find_by_id(id.0).one(db).await?.map(Receipt::from))
}

/// One receipt, and only if it is this payer's.
pub async fn find_receipt(db: &impl ConnectionTrait, payer: PayerId, receipt_no: &str) -> Result<Option<Receipt>> {
    let mine = receipt::Column::PayerId.eq(payer.0);
    let row = receipt::Entity::find().filter(mine).filter(receipt::Column::ReceiptNo.eq(receipt_no)).one(db).await?;
    Ok(row.map(Receipt::from))
}

/// One receipt, whosever it is.
pub async fn find_receipt_by_no(db: &impl ConnectionTrait, receipt_no: &str) -> Result<Option<Receipt>> {
    let row = receipt::Entity::find().filter(receipt::Column::ReceiptNo.eq(receipt_no)).one(db).await?;
    Ok(row.map(Receipt::from))
}

/// A payer's receipts issued in `[from, until)`, newest first.
pub async fn find_receipts(
    db: &impl ConnectionTrait,
    payer: PayerId,
    (from, until): (Moment, Moment),
) -> Result<Vec<Receipt>> {
    let rows = receipt::Entity::find()
        .filter(receipt::Column::PayerId.eq(payer.0))
        .filter(receipt::Column::IssuedAt.gte(from.millis()))
        .filter(receipt::Column::IssuedAt.lt(until.millis()))
        .order_by_desc(receipt::Column::IssuedAt)
        .order_by_desc(receipt::Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Receipt::from).collect())
}

/// Puts something on the office's work list; the same kind and subject stays one item. One that was resolved is opened
/// again, as of now: its cause has come back. The log tells kind and subject, never the details.
pub async fn raise_office_item(
    tx: &impl ConnectionTrait,
    kind: &str,
    subject: &str,
    details: &str,
    at: Moment,
) -> Result<()> {
    let sql = "INSERT INTO office_item (kind, subject, details, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (kind, subject) DO UPDATE SET details = excluded.details, created_at = excluded.created_at, \
        resolved_at = NULL WHERE office_item.resolved_at IS NOT NULL";
    let values = [kind.into(), subject.into(), details.into(), at.millis().into()];
    if tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() > 0 {
        tracing::error!(kind, subject, "for the office");
    }
    Ok(())
}

/// 待办 that nobody has resolved: kind, subject, details.
pub async fn open_office_items(db: &impl ConnectionTrait) -> Result<Vec<(String, String, String)>> {
    let open = office_item::Column::ResolvedAt.is_null();
    let rows = office_item::Entity::find().filter(open).order_by_asc(office_item::Column::Id).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.kind, row.subject, row.details)).collect())
}
