//! Fee items and billing periods.
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder};

use super::db::statement;
use super::error::{Result, StoreError};
use super::schema::{billing_period, fee_item};
use crate::domain::bilingual::Bilingual;
use crate::domain::fee::{BillingPeriod, Collection, FeeItem, FeeKind, Window};
use crate::domain::ids::{FeeItemId, PeriodId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;

pub(super) fn unfit(table: &'static str, column: &'static str, row: impl ToString, value: &str) -> StoreError {
    StoreError::Unfit { table, column, row: row.to_string(), value: value.to_owned() }
}

impl TryFrom<fee_item::Model> for FeeItem {
    type Error = StoreError;
    fn try_from(row: fee_item::Model) -> Result<FeeItem> {
        let kind = FeeKind::parse(&row.kind).ok_or_else(|| unfit("fee_item", "kind", row.id, &row.kind))?;
        let collection = Collection::parse(&row.collection)
            .ok_or_else(|| unfit("fee_item", "collection", row.id, &row.collection))?;
        Ok(FeeItem {
            id: FeeItemId(row.id),
            code: row.code,
            name: Bilingual::new(row.name, row.name_en),
            kind,
            payee_code: row.payee_code,
            collection,
            window: Window {
                opens_at: row.opens_at.map(Moment::from_millis),
                closes_at: row.closes_at.map(Moment::from_millis),
            },
            min_split: row.min_split_fen.map(Fen::new),
            fiscal_code: row.fiscal_code,
        })
    }
}

pub async fn find_items(db: &impl ConnectionTrait) -> Result<Vec<FeeItem>> {
    let rows = fee_item::Entity::find().order_by_asc(fee_item::Column::Code).all(db).await?;
    rows.into_iter().map(FeeItem::try_from).collect()
}

pub async fn find_periods(db: &impl ConnectionTrait) -> Result<Vec<BillingPeriod>> {
    let rows = billing_period::Entity::find().order_by_desc(billing_period::Column::Code).all(db).await?;
    let period = |row: billing_period::Model| BillingPeriod {
        id: PeriodId(row.id),
        code: row.code,
        name: Bilingual::new(row.name, row.name_en),
    };
    Ok(rows.into_iter().map(period).collect())
}

/// Inserts an item or brings the one of the same code up to date; the id in `item` is not read. Without a fiscal code
/// it keeps the one it has.
pub async fn upsert_item(db: &impl ConnectionTrait, item: &FeeItem, now: Moment) -> Result<FeeItemId> {
    let sql = "INSERT INTO fee_item \
        (code, name, name_en, kind, payee_code, collection, opens_at, closes_at, min_split_fen, fiscal_code, \
        updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (code) DO UPDATE SET \
        name = excluded.name, name_en = excluded.name_en, kind = excluded.kind, payee_code = excluded.payee_code, \
        collection = excluded.collection, opens_at = excluded.opens_at, closes_at = excluded.closes_at, \
        min_split_fen = excluded.min_split_fen, fiscal_code = COALESCE(excluded.fiscal_code, fee_item.fiscal_code), \
        updated_at = excluded.updated_at RETURNING id";
    let values = [
        item.code.as_str().into(),
        item.name.zh.as_str().into(),
        item.name.en.as_str().into(),
        item.kind.code().into(),
        item.payee_code.as_str().into(),
        item.collection.code().into(),
        item.window.opens_at.map(Moment::millis).into(),
        item.window.closes_at.map(Moment::millis).into(),
        item.min_split.map(Fen::get).into(),
        item.fiscal_code.as_deref().into(),
        now.millis().into(),
    ];
    Ok(FeeItemId(returned_id(db, sql, values).await?))
}

pub async fn upsert_period(db: &impl ConnectionTrait, code: &str, name: &Bilingual) -> Result<PeriodId> {
    let sql = "INSERT INTO billing_period (code, name, name_en) VALUES ($1, $2, $3) \
        ON CONFLICT (code) DO UPDATE SET name = excluded.name, name_en = excluded.name_en RETURNING id";
    let values = [code.into(), name.zh.as_str().into(), name.en.as_str().into()];
    Ok(PeriodId(returned_id(db, sql, values).await?))
}

/// Runs an `INSERT … RETURNING id` and reads the id.
pub(super) async fn returned_id(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = sea_orm::Value>,
) -> Result<i64> {
    let row = db.query_one_raw(statement(db, sql, values)).await?;
    let row = row.ok_or_else(|| sea_orm::DbErr::RecordNotFound("the row just inserted".to_owned()))?;
    Ok(row.try_get("", "id")?)
}
