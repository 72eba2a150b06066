//! 已缴费 of every way: receipts of the platform, and what was paid at the counter as the office's files tell it. Only
//! reads, but for what a counter's slip says beside its entry.
use std::collections::HashMap;

use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::db::{placeholders, statement};
use super::error::Result;
use crate::domain::bilingual::Bilingual;
use crate::domain::charge::{COUNTER, CounterSlip};
use crate::domain::ids::{ChargeId, OrderId, PayerId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;

/// A receipt by what a list orders and counts it.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Issued {
    pub receipt_no: String,
    issued_at: i64,
    total_fen: i64,
}

impl Issued {
    pub fn at(&self) -> Moment {
        Moment::from_millis(self.issued_at)
    }

    pub fn total(&self) -> Fen {
        Fen::new(self.total_fen)
    }
}

/// A payer's receipts issued in `[from, until)`, newest first. `tuition` keeps those with a tuition line (true) or with
/// another line (false); `number` those of a receipt, an order or a channel's trade.
pub async fn issued(
    db: &impl ConnectionTrait,
    payer: PayerId,
    tuition: Option<bool>,
    (from, until): (Moment, Moment),
    number: &str,
) -> Result<Vec<Issued>> {
    let mut sql = "SELECT r.receipt_no, r.issued_at, o.total_fen FROM receipt r \
        JOIN payment_order o ON o.id = r.order_id \
        WHERE r.payer_id = $1 AND r.issued_at >= $2 AND r.issued_at < $3"
        .to_owned();
    let mut values: Vec<Value> = vec![payer.0.into(), from.millis().into(), until.millis().into()];
    if let Some(tuition) = tuition {
        let is = if tuition { "=" } else { "<>" };
        sql += &format!(
            " AND EXISTS (SELECT 1 FROM order_line l JOIN charge c ON c.id = l.charge_id \
             JOIN fee_item i ON i.id = c.fee_item_id WHERE l.order_id = r.order_id AND i.kind {is} 'tuition')"
        );
    }
    if !number.is_empty() {
        sql += " AND (UPPER(r.receipt_no) = $4 OR o.order_no = $4 OR UPPER(o.trade_no) = $4)";
        values.push(number.into());
    }
    sql += " ORDER BY r.issued_at DESC, r.id DESC";
    Ok(Issued::find_by_statement(statement(db, &sql, values)).all(db).await?)
}

/// What was paid at the counter, for one charge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AtCounter {
    pub item: Bilingual,
    pub is_tuition: bool,
    pub period: Bilingual,
    pub amount: Fen,
    /// 收费日期 where the file said it, else when it was imported
    pub at: Moment,
    /// 收费单号, 制单人; empty where the file did not say
    pub slip: CounterSlip,
}

#[derive(FromQueryResult)]
struct CounterRow {
    item_name: String,
    item_name_en: String,
    kind: String,
    period_name: String,
    period_name_en: String,
    amount_fen: i64,
    at: i64,
    slip_no: Option<String>,
    clerk: Option<String>,
    paid_day: Option<i64>,
}

/// All of a payer, in the order of the entries.
pub async fn at_counter(db: &impl ConnectionTrait, payer: PayerId) -> Result<Vec<AtCounter>> {
    let sql = format!(
        "SELECT i.name AS item_name, i.name_en AS item_name_en, i.kind, p.name AS period_name, \
         p.name_en AS period_name_en, e.amount_fen, e.at, s.slip_no, s.clerk, s.paid_day FROM charge c \
         JOIN charge_entry e ON e.charge_id = c.id AND e.cause = 'paid' AND e.cause_no LIKE '{COUNTER}%' \
         JOIN fee_item i ON i.id = c.fee_item_id JOIN billing_period p ON p.id = c.period_id \
         LEFT JOIN counter_slip s ON s.charge_id = e.charge_id AND s.cause_no = e.cause_no \
         WHERE c.payer_id = $1 ORDER BY e.at, c.id, e.seq"
    );
    let rows = CounterRow::find_by_statement(statement(db, &sql, [payer.0.into()])).all(db).await?;
    let paid = |row: CounterRow| {
        let day = row.paid_day.map(Moment::from_millis);
        AtCounter {
            item: Bilingual::new(row.item_name, row.item_name_en),
            is_tuition: row.kind == "tuition",
            period: Bilingual::new(row.period_name, row.period_name_en),
            amount: Fen::new(row.amount_fen),
            at: day.unwrap_or(Moment::from_millis(row.at)),
            slip: CounterSlip { slip_no: row.slip_no.unwrap_or_default(), clerk: row.clerk.unwrap_or_default(), day },
        }
    };
    Ok(rows.into_iter().map(paid).collect())
}

/// Notes what the slips of counter payments say: charge, the entry's cause number, and the slip.
pub async fn note_slips(tx: &impl ConnectionTrait, slips: &[(ChargeId, &str, &CounterSlip)]) -> Result<()> {
    for some in slips.chunks(1_000) {
        let places = placeholders(some.len(), 5);
        let sql = format!("INSERT INTO counter_slip (charge_id, cause_no, slip_no, clerk, paid_day) VALUES {places}");
        let row = |(charge, cause_no, slip): &(ChargeId, &str, &CounterSlip)| -> [Value; 5] {
            let day = slip.day.map(Moment::millis);
            [charge.0.into(), (*cause_no).into(), slip.slip_no.as_str().into(), slip.clerk.as_str().into(), day.into()]
        };
        tx.execute_raw(statement(tx, &sql, some.iter().flat_map(row))).await?;
    }
    Ok(())
}

/// What of each order is on its way back because the office asked for it. Orders nothing is on its way of are left out.
pub async fn returning(db: &impl ConnectionTrait, orders: &[OrderId]) -> Result<HashMap<OrderId, Fen>> {
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let list: Vec<String> = (1..=orders.len()).map(|at| format!("${at}")).collect();
    let sql = format!(
        "SELECT order_id, CAST(SUM(amount_fen) AS BIGINT) AS amount FROM refund WHERE cause = 'requested' \
         AND state IN ('wanted', 'processing', 'abnormal') AND order_id IN ({}) GROUP BY order_id",
        list.join(", ")
    );
    let values: Vec<Value> = orders.iter().map(|order| order.0.into()).collect();
    let mut sums = HashMap::new();
    for row in db.query_all_raw(statement(db, &sql, values)).await? {
        sums.insert(OrderId(row.try_get("", "order_id")?), Fen::new(row.try_get("", "amount")?));
    }
    Ok(sums)
}
