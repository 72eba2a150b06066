//! 交易记录: every attempt of a payer to pay, with what the channel took. Only reads.
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::db::statement;
use super::error::Result;
use super::fees::unfit;
use crate::domain::ids::PayerId;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::OrderNo;
use crate::domain::trade::{Channel, TradeNo};

/// One attempt as a bank's list would show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dealing {
    pub attempt_no: String,
    pub order_no: OrderNo,
    pub channel: Channel,
    pub begun_at: Moment,
    /// What was asked for
    pub asked: Fen,
    /// What the channel took; none: nothing that is known
    pub taken: Option<Taken>,
    /// May still be paid
    pub is_live: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// 银行订单
    pub trade_no: TradeNo,
    pub amount: Fen,
    pub paid_at: Moment,
}

/// Which attempts are wanted.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub payer: PayerId,
    /// Only those that took money, or only those that did not
    pub paid: Option<bool>,
    /// Begun in `[from, until)`
    pub within: (Moment, Moment),
    /// In capitals: an order's, an attempt's, a receipt's or a channel's; empty: any
    pub number: &'a str,
}

impl Wanted<'_> {
    /// `FROM … WHERE …` and its values.
    fn tail(&self) -> (String, Vec<Value>) {
        let mut sql = "FROM attempt a JOIN payment_order o ON o.id = a.order_id \
            LEFT JOIN trade t ON t.attempt_id = a.id \
            WHERE o.payer_id = $1 AND a.created_at >= $2 AND a.created_at < $3"
            .to_owned();
        let (from, until) = self.within;
        let mut values: Vec<Value> = vec![self.payer.0.into(), from.millis().into(), until.millis().into()];
        match self.paid {
            None => {}
            Some(true) => sql += " AND t.trade_no IS NOT NULL",
            Some(false) => sql += " AND t.trade_no IS NULL",
        }
        if !self.number.is_empty() {
            sql += " AND (o.order_no = $4 OR UPPER(a.attempt_no) = $4 OR UPPER(t.trade_no) = $4 OR EXISTS \
                (SELECT 1 FROM receipt r WHERE r.order_id = o.id AND UPPER(r.receipt_no) = $4))";
            values.push(self.number.into());
        }
        (sql, values)
    }
}

#[derive(FromQueryResult)]
struct Row {
    attempt_no: String,
    order_no: String,
    channel: String,
    amount_fen: i64,
    state: String,
    created_at: i64,
    trade_no: Option<String>,
    taken_fen: Option<i64>,
    paid_at: Option<i64>,
}

impl TryFrom<Row> for Dealing {
    type Error = super::error::StoreError;
    fn try_from(row: Row) -> Result<Dealing> {
        let taken = match (row.trade_no, row.taken_fen, row.paid_at) {
            (Some(no), Some(fen), Some(at)) => {
                Some(Taken { trade_no: TradeNo(no), amount: Fen::new(fen), paid_at: Moment::from_millis(at) })
            }
            _ => None,
        };
        Ok(Dealing {
            order_no: OrderNo::parse(&row.order_no)
                .ok_or_else(|| unfit("payment_order", "order_no", &row.order_no, &row.order_no))?,
            channel: Channel::parse(&row.channel)
                .ok_or_else(|| unfit("attempt", "channel", &row.attempt_no, &row.channel))?,
            attempt_no: row.attempt_no,
            begun_at: Moment::from_millis(row.created_at),
            asked: Fen::new(row.amount_fen),
            is_live: row.state == "live",
            taken,
        })
    }
}

/// Newest first, `limit` of them after skipping `offset`.
pub async fn list(db: &impl ConnectionTrait, wanted: Wanted<'_>, (offset, limit): (u64, u64)) -> Result<Vec<Dealing>> {
    let (tail, values) = wanted.tail();
    let sql = format!(
        "SELECT a.attempt_no, o.order_no, a.channel, a.amount_fen, a.state, a.created_at, t.trade_no, \
         t.amount_fen AS taken_fen, t.paid_at {tail} ORDER BY a.created_at DESC, a.id DESC \
         LIMIT {limit} OFFSET {offset}"
    );
    let rows = Row::find_by_statement(statement(db, &sql, values)).all(db).await?;
    rows.into_iter().map(Dealing::try_from).collect()
}

pub async fn count(db: &impl ConnectionTrait, wanted: Wanted<'_>) -> Result<u64> {
    let (tail, values) = wanted.tail();
    let row = db.query_one_raw(statement(db, &format!("SELECT COUNT(*) AS n {tail}"), values)).await?;
    let count: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
    Ok(count.unsigned_abs())
}
