//! Charges with their item and period, as arrears pages and checkouts need them.
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::db::statement;
use super::error::{Result, StoreError};
use super::fees::unfit;
use super::schema::fee_item;
use crate::domain::bilingual::Bilingual;
use crate::domain::charge::{Balance, Charge};
use crate::domain::fee::{BillingPeriod, FeeItem};
use crate::domain::ids::{ChargeId, OrderId, PayerId, PeriodId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::Waiting;
use crate::domain::order_no::OrderNo;

/// A statement about charges: what it selects beside them, and what stands after the tables.
macro_rules! select {
    ($more:literal, $tail:literal) => {
        concat!(
            "SELECT c.id, c.payer_id, c.assessed_fen, c.waived_fen, c.paid_fen, c.refunded_fen, c.due_day, c.batch, \
             i.id AS item_id, i.code AS item_code, i.name AS item_name, i.name_en AS item_name_en, i.kind, \
             i.payee_code, i.collection, i.opens_at, i.closes_at, i.min_split_fen, i.fiscal_code, \
             p.id AS period_id, p.code AS period_code, p.name AS period_name, p.name_en AS period_name_en",
            $more,
            " FROM charge c JOIN fee_item i ON i.id = c.fee_item_id JOIN billing_period p ON p.id = c.period_id ",
            $tail
        )
    };
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    payer_id: i64,
    assessed_fen: i64,
    waived_fen: i64,
    paid_fen: i64,
    refunded_fen: i64,
    due_day: Option<i64>,
    batch: String,
    item_id: i64,
    item_code: String,
    item_name: String,
    item_name_en: String,
    kind: String,
    payee_code: String,
    collection: String,
    opens_at: Option<i64>,
    closes_at: Option<i64>,
    min_split_fen: Option<i64>,
    fiscal_code: Option<String>,
    period_id: i64,
    period_code: String,
    period_name: String,
    period_name_en: String,
}

impl TryFrom<Row> for Charge {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Charge> {
        let item = FeeItem::try_from(fee_item::Model {
            id: row.item_id,
            code: row.item_code,
            name: row.item_name,
            name_en: row.item_name_en,
            kind: row.kind,
            payee_code: row.payee_code,
            collection: row.collection,
            opens_at: row.opens_at,
            closes_at: row.closes_at,
            min_split_fen: row.min_split_fen,
            fiscal_code: row.fiscal_code,
            updated_at: 0,
        })?;
        let period = BillingPeriod {
            id: PeriodId(row.period_id),
            code: row.period_code,
            name: Bilingual::new(row.period_name, row.period_name_en),
        };
        let balance = Balance {
            assessed: Fen::new(row.assessed_fen),
            waived: Fen::new(row.waived_fen),
            paid: Fen::new(row.paid_fen),
            refunded: Fen::new(row.refunded_fen),
        };
        Ok(Charge {
            id: ChargeId(row.id),
            payer_id: PayerId(row.payer_id),
            item,
            period,
            balance,
            due_day: row.due_day,
            batch: row.batch,
        })
    }
}

/// A charge, and the order it waits in
#[derive(FromQueryResult)]
struct HeldRow {
    #[sea_orm(nested)]
    charge: Row,
    order_id: Option<i64>,
    order_no: Option<String>,
    total_fen: Option<i64>,
    expires_at: Option<i64>,
}

impl HeldRow {
    fn waiting(&self) -> Result<Option<Waiting>> {
        let (Some(id), Some(no), Some(total), Some(expires_at)) =
            (self.order_id, &self.order_no, self.total_fen, self.expires_at)
        else {
            return Ok(None);
        };
        let order_no = OrderNo::parse(no).ok_or_else(|| unfit("payment_order", "order_no", id, no))?;
        let expires_at = Moment::from_millis(expires_at);
        Ok(Some(Waiting { id: OrderId(id), order_no, total: Fen::new(total), expires_at }))
    }
}

/// All charges of a payer, newest period first, items in the office's order.
pub async fn find_of_payer(db: &impl ConnectionTrait, payer: PayerId) -> Result<Vec<Charge>> {
    const SQL: &str = select!("", "WHERE c.payer_id = $1 ORDER BY p.code DESC, i.code, c.id");
    let rows = Row::find_by_statement(statement(db, SQL, [payer.0.into()])).all(db).await?;
    rows.into_iter().map(Charge::try_from).collect()
}

/// As [`find_of_payer`], and the pending orders with the charge each one holds; in one statement.
pub async fn find_with_orders(
    db: &impl ConnectionTrait,
    payer: PayerId,
) -> Result<(Vec<Charge>, Vec<(Waiting, ChargeId)>)> {
    const SQL: &str = select!(
        ", h.id AS order_id, h.order_no, h.total_fen, h.expires_at",
        "LEFT JOIN (SELECT l.charge_id, o.id, o.order_no, o.total_fen, o.expires_at FROM payment_order o \
         JOIN order_line l ON l.order_id = o.id WHERE o.payer_id = $1 AND o.state = 'pending') h \
         ON h.charge_id = c.id WHERE c.payer_id = $1 ORDER BY p.code DESC, i.code, c.id, h.id"
    );
    let rows = HeldRow::find_by_statement(statement(db, SQL, [payer.0.into()])).all(db).await?;
    let (mut charges, mut pending) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        pending.extend(row.waiting()?.map(|waiting| (waiting, ChargeId(row.charge.id))));
        let charge = Charge::try_from(row.charge)?;
        // a charge in two orders comes twice
        if charges.last().is_none_or(|last: &Charge| last.id != charge.id) {
            charges.push(charge);
        }
    }
    Ok((charges, pending))
}

/// One charge, and only if it is this payer's.
pub async fn find_one_of_payer(db: &impl ConnectionTrait, payer: PayerId, id: ChargeId) -> Result<Option<Charge>> {
    const SQL: &str = select!("", "WHERE c.payer_id = $1 AND c.id = $2");
    let row = Row::find_by_statement(statement(db, SQL, [payer.0.into(), id.0.into()])).one(db).await?;
    row.map(Charge::try_from).transpose()
}
