//! 生活缴费: top-ups. The room or the card leaves sealed; a row moves by compare-and-set.
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::db::statement;
use super::error::{Result, StoreError};
use super::fees::unfit;
use super::seal::{Field, Sealer};
use crate::domain::ids::{ChargeId, OrderId, PayerId, TopUpId};
use crate::domain::living::{TopUp, TopUpState};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::OrderNo;

const SELECT: &str = "SELECT t.id, t.order_id, o.order_no, t.payer_id, t.charge_id, t.service, t.account_sealed, \
    t.amount_fen, t.state, t.tries, t.next_try_at, t.provider_no \
    FROM top_up t JOIN payment_order o ON o.id = t.order_id";

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    order_id: i64,
    order_no: String,
    payer_id: i64,
    charge_id: i64,
    service: String,
    account_sealed: String,
    amount_fen: i64,
    state: String,
    tries: i64,
    next_try_at: Option<i64>,
    provider_no: Option<String>,
}

/// A top-up with its room or card still sealed.
#[derive(Clone, Debug)]
pub struct Kept {
    pub top_up: TopUp,
    /// While it waits
    pub next_try_at: Option<Moment>,
    sealed: String,
}

impl Kept {
    pub fn account(&self, sealer: &Sealer) -> Result<String> {
        let plain = sealer.open(Field::Account, &self.sealed);
        plain.ok_or_else(|| StoreError::Unsealed { table: "top_up", row: self.top_up.id.to_string() })
    }
}

impl TryFrom<Row> for Kept {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Kept> {
        let state = TopUpState::parse(&row.state).ok_or_else(|| unfit("top_up", "state", row.id, &row.state))?;
        let order_no =
            OrderNo::parse(&row.order_no).ok_or_else(|| unfit("payment_order", "order_no", row.id, &row.order_no))?;
        let top_up = TopUp {
            id: TopUpId(row.id),
            order: OrderId(row.order_id),
            order_no,
            payer: PayerId(row.payer_id),
            charge: ChargeId(row.charge_id),
            service: row.service,
            amount: Fen::new(row.amount_fen),
            state,
            tries: row.tries,
            provider_no: row.provider_no,
        };
        Ok(Kept { top_up, next_try_at: row.next_try_at.map(Moment::from_millis), sealed: row.account_sealed })
    }
}

async fn find(db: &impl ConnectionTrait, tail: &str, values: impl IntoIterator<Item = Value>) -> Result<Vec<Kept>> {
    let rows = Row::find_by_statement(statement(db, &format!("{SELECT} {tail}"), values)).all(db).await?;
    rows.into_iter().map(Kept::try_from).collect()
}

/// What a new top-up is made from.
pub struct NewTopUp<'a> {
    pub order: OrderId,
    pub payer: PayerId,
    pub charge: ChargeId,
    pub service: &'a str,
    pub account: &'a str,
    pub amount: Fen,
}

pub async fn insert(tx: &impl ConnectionTrait, sealer: &Sealer, new: &NewTopUp<'_>, now: Moment) -> Result<()> {
    let sql = "INSERT INTO top_up \
        (order_id, payer_id, charge_id, service, account_sealed, amount_fen, state, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, 'unpaid', $7)";
    let values = [
        new.order.0.into(),
        new.payer.0.into(),
        new.charge.0.into(),
        new.service.into(),
        sealer.seal(Field::Account, new.account).into(),
        new.amount.get().into(),
        now.millis().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// The top-up an order is for; none where it is for something else.
pub async fn find_of_order(db: &impl ConnectionTrait, order: OrderId) -> Result<Option<Kept>> {
    Ok(find(db, "WHERE t.order_id = $1", [order.0.into()]).await?.pop())
}

/// A payer's latest ones of a service, newest first.
pub async fn latest(db: &impl ConnectionTrait, payer: PayerId, service: &str, limit: u32) -> Result<Vec<Kept>> {
    let tail = format!("WHERE t.payer_id = $1 AND t.service = $2 ORDER BY t.id DESC LIMIT {limit}");
    find(db, &tail, [payer.0.into(), service.into()]).await
}

/// What is to be delivered of a service now, longest overdue first.
pub async fn find_due(db: &impl ConnectionTrait, service: &str, now: Moment, limit: usize) -> Result<Vec<Kept>> {
    let tail = format!(
        "WHERE t.service = $1 AND t.state = 'waiting' AND t.next_try_at <= $2 \
         ORDER BY t.next_try_at, t.id LIMIT {limit}"
    );
    find(db, &tail, [service.into(), now.millis().into()]).await
}

/// Moves a top-up; false when it is not in `from` any more. `next_try_at` is for [`TopUpState::Waiting`] only.
pub async fn move_state(
    tx: &impl ConnectionTrait,
    id: TopUpId,
    (from, to): (TopUpState, TopUpState),
    next_try_at: Option<Moment>,
    now: Moment,
) -> Result<bool> {
    let sql = "UPDATE top_up SET state = $1, next_try_at = $2, ended_at = $3 WHERE id = $4 AND state = $5";
    let ended_at = if next_try_at.is_none() { Some(now.millis()) } else { None };
    let values =
        [to.code().into(), next_try_at.map(Moment::millis).into(), ended_at.into(), id.0.into(), from.code().into()];
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}

/// Claims a try until `until`, when somebody else may take it up. False when another process has claimed it.
pub async fn claim_try(db: &impl ConnectionTrait, due: &Kept, until: Moment) -> Result<bool> {
    let sql = "UPDATE top_up SET tries = tries + 1, next_try_at = $1 \
        WHERE id = $2 AND state = 'waiting' AND tries = $3 AND next_try_at = $4";
    let values = [
        until.millis().into(),
        due.top_up.id.0.into(),
        due.top_up.tries.into(),
        due.next_try_at.map(Moment::millis).into(),
    ];
    Ok(db.execute_raw(statement(db, sql, values)).await?.rows_affected() == 1)
}

/// Ends a try that was claimed until `until`: the next one comes at `again`.
pub async fn try_again(db: &impl ConnectionTrait, id: TopUpId, until: Moment, again: Moment) -> Result<bool> {
    let sql = "UPDATE top_up SET next_try_at = $1 WHERE id = $2 AND state = 'waiting' AND next_try_at = $3";
    let values = [again.millis().into(), id.0.into(), until.millis().into()];
    Ok(db.execute_raw(statement(db, sql, values)).await?.rows_affected() == 1)
}

pub async fn set_provider_no(tx: &impl ConnectionTrait, id: TopUpId, provider_no: &str) -> Result<()> {
    let sql = "UPDATE top_up SET provider_no = $1 WHERE id = $2";
    tx.execute_raw(statement(tx, sql, [provider_no.into(), id.0.into()])).await?;
    Ok(())
}
