//! 报名. Phone and answers leave sealed and are opened only for their payer.
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use serde::{Deserialize, Serialize};

use super::db::statement;
use super::error::{Result, StoreError};
use super::fees::{returned_id, unfit};
use super::seal::{Field, Sealer};
use crate::domain::enrolment::{Due, Enrolment, EnrolmentState};
use crate::domain::ids::{ChargeId, EnrolmentId, PayerId, ProgrammeId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;

const SELECT: &str = "SELECT e.id, e.programme_id, e.payer_id, e.state, e.details_sealed, e.charge_id, e.pay_by, \
    e.created_at, e.ended_at, c.assessed_fen - c.waived_fen - c.paid_fen + c.refunded_fen AS owed_fen \
    FROM enrolment e LEFT JOIN charge c ON c.id = e.charge_id";

/// What a payer wrote into the form.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Details {
    pub phone: String,
    /// Label and answer, in the order of the form
    pub answers: Vec<(String, String)>,
}

impl Details {
    pub fn answer(&self, label: &str) -> &str {
        self.answers.iter().find(|(known, _)| known == label).map_or("", |(_, answer)| answer)
    }
}

/// An enrolment with its form still sealed.
#[derive(Clone, Debug)]
pub struct Kept {
    pub enrolment: Enrolment,
    sealed: Option<String>,
}

impl Kept {
    pub fn details(&self, sealer: &Sealer) -> Result<Details> {
        let Some(sealed) = &self.sealed else { return Ok(Details::default()) };
        let plain = sealer.open(Field::Enrolment, sealed).and_then(|plain| serde_json::from_str(&plain).ok());
        plain.ok_or_else(|| StoreError::Unsealed { table: "enrolment", row: self.enrolment.id.to_string() })
    }
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    programme_id: i64,
    payer_id: i64,
    state: String,
    details_sealed: Option<String>,
    charge_id: Option<i64>,
    pay_by: Option<i64>,
    created_at: i64,
    ended_at: Option<i64>,
    owed_fen: Option<i64>,
}

impl TryFrom<Row> for Kept {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Kept> {
        let state = EnrolmentState::parse(&row.state).ok_or_else(|| unfit("enrolment", "state", row.id, &row.state))?;
        let due = row.charge_id.zip(row.pay_by).map(|(charge, pay_by)| Due {
            charge: ChargeId(charge),
            pay_by: Moment::from_millis(pay_by),
            arrears: Fen::new(row.owed_fen.unwrap_or_default()).max(Fen::ZERO),
        });
        let enrolment = Enrolment {
            id: EnrolmentId(row.id),
            programme: ProgrammeId(row.programme_id),
            payer: PayerId(row.payer_id),
            state,
            due,
            created_at: Moment::from_millis(row.created_at),
            ended_at: row.ended_at.map(Moment::from_millis),
        };
        Ok(Kept { enrolment, sealed: row.details_sealed })
    }
}

async fn query(db: &impl ConnectionTrait, tail: &str, values: impl IntoIterator<Item = Value>) -> Result<Vec<Kept>> {
    let rows = Row::find_by_statement(statement(db, &format!("{SELECT} {tail}"), values)).all(db).await?;
    rows.into_iter().map(Kept::try_from).collect()
}

/// A payer's, newest first.
pub async fn of_payer(db: &impl ConnectionTrait, payer: PayerId) -> Result<Vec<Enrolment>> {
    let found = query(db, "WHERE e.payer_id = $1 ORDER BY e.id DESC", [payer.0.into()]).await?;
    Ok(found.into_iter().map(|kept| kept.enrolment).collect())
}

pub async fn find(db: &impl ConnectionTrait, id: EnrolmentId) -> Result<Option<Kept>> {
    Ok(query(db, "WHERE e.id = $1", [id.0.into()]).await?.pop())
}

/// The one a payer has in a programme and has not lost.
pub async fn find_live(db: &impl ConnectionTrait, programme: ProgrammeId, payer: PayerId) -> Result<Option<Enrolment>> {
    let tail = "WHERE e.programme_id = $1 AND e.payer_id = $2 AND e.state IN ('waiting', 'seated')";
    Ok(query(db, tail, [programme.0.into(), payer.0.into()]).await?.pop().map(|kept| kept.enrolment))
}

/// The first in a programme's queue.
pub async fn first_waiting(db: &impl ConnectionTrait, programme: ProgrammeId) -> Result<Option<Enrolment>> {
    let tail = "WHERE e.programme_id = $1 AND e.state = 'waiting' ORDER BY e.id LIMIT 1";
    Ok(query(db, tail, [programme.0.into()]).await?.pop().map(|kept| kept.enrolment))
}

/// How many wait in a programme's queue before this enrolment.
pub async fn count_before(db: &impl ConnectionTrait, one: &Enrolment) -> Result<i64> {
    let sql = "SELECT COUNT(*) AS n FROM enrolment WHERE programme_id = $1 AND state = 'waiting' AND id < $2";
    let row = db.query_one_raw(statement(db, sql, [one.programme.0.into(), one.id.0.into()])).await?;
    Ok(row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default())
}

/// Seats whose time to pay has run out with something still owed, oldest first.
pub async fn overdue(
    db: &impl ConnectionTrait,
    now: Moment,
    after: (Moment, EnrolmentId),
    limit: u32,
) -> Result<Vec<Enrolment>> {
    let tail = format!(
        "WHERE e.state = 'seated' AND e.pay_by <= $1 AND (e.pay_by > $2 OR (e.pay_by = $2 AND e.id > $3)) \
         AND c.assessed_fen - c.waived_fen - c.paid_fen + c.refunded_fen > 0 ORDER BY e.pay_by, e.id LIMIT {limit}"
    );
    let values = [now.millis().into(), after.0.millis().into(), after.1.0.into()];
    Ok(query(db, &tail, values).await?.into_iter().map(|kept| kept.enrolment).collect())
}

/// Inserts a place in the queue; [`seat`] makes it a seat.
pub async fn insert(
    tx: &impl ConnectionTrait,
    sealer: &Sealer,
    (programme, payer): (ProgrammeId, PayerId),
    details: &Details,
    now: Moment,
) -> Result<EnrolmentId> {
    let sql = "INSERT INTO enrolment (programme_id, payer_id, state, details_sealed, created_at) \
        VALUES ($1, $2, 'waiting', $3, $4) RETURNING id";
    let values = [programme.0.into(), payer.0.into(), sealed(sealer, details)?.into(), now.millis().into()];
    Ok(EnrolmentId(returned_id(tx, sql, values).await?))
}

/// From the queue to a seat, with what it costs and until when that is to be paid.
pub async fn seat(tx: &impl ConnectionTrait, id: EnrolmentId, due: Option<(ChargeId, Moment)>) -> Result<()> {
    let sql = "UPDATE enrolment SET state = 'seated', charge_id = $2, pay_by = $3 WHERE id = $1 AND state = 'waiting'";
    let (charge, pay_by) = (due.map(|(charge, _)| charge.0), due.map(|(_, by)| by.millis()));
    one(tx, sql, [id.0.into(), charge.into(), pay_by.into()], id).await
}

/// Ends what was `from`.
pub async fn end(
    tx: &impl ConnectionTrait,
    id: EnrolmentId,
    (from, to): (EnrolmentState, EnrolmentState),
    now: Moment,
) -> Result<()> {
    let sql = "UPDATE enrolment SET state = $3, ended_at = $4 WHERE id = $1 AND state = $2";
    one(tx, sql, [id.0.into(), from.code().into(), to.code().into(), now.millis().into()], id).await
}

pub async fn set_details(tx: &impl ConnectionTrait, sealer: &Sealer, id: EnrolmentId, details: &Details) -> Result<()> {
    let sql = "UPDATE enrolment SET details_sealed = $2 WHERE id = $1";
    one(tx, sql, [id.0.into(), sealed(sealer, details)?.into()], id).await
}

fn sealed(sealer: &Sealer, details: &Details) -> Result<String> {
    let plain = serde_json::to_string(details).map_err(|error| DbErr::Json(error.to_string()))?;
    Ok(sealer.seal(Field::Enrolment, &plain))
}

async fn one(
    tx: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
    id: EnrolmentId,
) -> Result<()> {
    match tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(DbErr::RecordNotUpdated.into()),
    }
    .inspect_err(|_| tracing::warn!(enrolment = %id, "an enrolment changed without its programme's lock"))
}
