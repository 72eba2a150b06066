//! 学业: what the office says of each course of study. The personal part lies sealed.
use sea_orm::{ConnectionTrait, Value};

use super::db::statement;
use super::error::{Result, StoreError};
use super::payers::number_key;
use super::seal::{Field, Sealer};
use crate::domain::ids::PayerId;
use crate::domain::moment::Moment;
use crate::domain::study::Details;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Study {
    pub payer: PayerId,
    pub application_no: String,
    pub details: Details,
}

/// By application number, or by the student number of its payer.
pub async fn find(db: &impl ConnectionTrait, sealer: &Sealer, number: &str) -> Result<Option<Study>> {
    let by = "s.application_key = $1 OR s.payer_id = (SELECT id FROM payer WHERE number_key = $1)";
    one(db, sealer, by, number_key(number).into()).await
}

pub async fn of_payer(db: &impl ConnectionTrait, sealer: &Sealer, payer: PayerId) -> Result<Option<Study>> {
    one(db, sealer, "s.payer_id = $1", payer.0.into()).await
}

async fn one(db: &impl ConnectionTrait, sealer: &Sealer, by: &str, value: Value) -> Result<Option<Study>> {
    let sql = format!("SELECT s.payer_id, s.application_no, s.details_sealed FROM study s WHERE {by}");
    let Some(row) = db.query_one_raw(statement(db, &sql, [value])).await? else { return Ok(None) };
    let (payer, sealed): (i64, String) = (row.try_get("", "payer_id")?, row.try_get("", "details_sealed")?);
    let details = sealer.open(Field::Study, &sealed).and_then(|json| serde_json::from_str(&json).ok());
    let details = details.ok_or_else(|| StoreError::Unsealed { table: "study", row: payer.to_string() })?;
    Ok(Some(Study { payer: PayerId(payer), application_no: row.try_get("", "application_no")?, details }))
}

/// Writes what the office says of a study, by its application number.
pub async fn upsert(tx: &impl ConnectionTrait, sealer: &Sealer, study: &Study, now: Moment) -> Result<()> {
    let sql = "INSERT INTO study (payer_id, application_no, application_key, details_sealed, updated_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (application_key) DO UPDATE SET payer_id = excluded.payer_id, \
        application_no = excluded.application_no, details_sealed = excluded.details_sealed, \
        updated_at = excluded.updated_at";
    let json = serde_json::to_string(&study.details).expect("plain fields become JSON");
    let values = [
        study.payer.0.into(),
        study.application_no.as_str().into(),
        number_key(&study.application_no).into(),
        sealer.seal(Field::Study, &json).into(),
        now.millis().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Gives a payer another number: an applicant who is a student now keeps everything.
pub async fn renumber(tx: &impl ConnectionTrait, payer: PayerId, number: &str, now: Moment) -> Result<()> {
    let sql = "UPDATE payer SET number = $2, number_key = $3, updated_at = $4 WHERE id = $1";
    let values = [payer.0.into(), number.into(), number_key(number).into(), now.millis().into()];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}
