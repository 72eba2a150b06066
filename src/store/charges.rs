//! Charges with their item and period, as arrears pages and checkouts need them.
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::db::statement;
use super::error::{Result, StoreError};
use super::schema::fee_item;
use crate::domain::bilingual::Bilingual;
use crate::domain::charge::{Balance, Charge};
use crate::domain::fee::{BillingPeriod, FeeItem};
use crate::domain::ids::{ChargeId, PayerId, PeriodId};
use crate::domain::money::Fen;

const SELECT: &str = "SELECT c.id, c.payer_id, c.assessed_fen, c.waived_fen, c.paid_fen, c.refunded_fen, c.due_day, \
    c.batch, i.id AS item_id, i.code AS item_code, i.name AS item_name, i.name_en AS item_name_en, i.kind, \
    i.payee_code, i.collection, i.opens_at, i.closes_at, i.min_split_fen, i.fiscal_code, \
    p.id AS period_id, p.code AS period_code, p.name AS period_name, p.name_en AS period_name_en \
    FROM charge c JOIN fee_item i ON i.id = c.fee_item_id JOIN billing_period p ON p.id = c.period_id";

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

async fn find(db: &impl ConnectionTrait, tail: &str, values: impl IntoIterator<Item = Value>) -> Result<Vec<Charge>> {
    let rows = Row::find_by_statement(statement(db, &format!("{SELECT} {tail}"), values)).all(db).await?;
    rows.into_iter().map(Charge::try_from).collect()
}

/// All charges of a payer, newest period first, items in the office's order.
pub async fn find_of_payer(db: &impl ConnectionTrait, payer: PayerId) -> Result<Vec<Charge>> {
    find(db, "WHERE c.payer_id = $1 ORDER BY p.code DESC, i.code, c.id", [payer.0.into()]).await
}

/// One charge, and only if it is this payer's.
pub async fn find_one_of_payer(db: &impl ConnectionTrait, payer: PayerId, id: ChargeId) -> Result<Option<Charge>> {
    Ok(find(db, "WHERE c.payer_id = $1 AND c.id = $2", [payer.0.into(), id.0.into()]).await?.pop())
}
