//! Fiscal e-receipts. Whoever works on one holds it by compare-and-set; a state moves only for its holder, so that two
//! processes never act on one at once.
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::db::statement;
use super::error::{Result, StoreError};
use super::fees::unfit;
use crate::domain::ereceipt::{Bill, BillName, Content, EReceipt, EReceiptState, EReceiptWord, Told};
use crate::domain::ids::{EReceiptId, OrderId, ReceiptId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    serial_no: String,
    receipt_id: i64,
    part: i64,
    state: String,
    asked_at: Option<i64>,
    content: Option<String>,
    bill_code: Option<String>,
    bill_no: Option<String>,
    check_code: Option<String>,
    issued_at: Option<i64>,
    amount_fen: Option<i64>,
    address: Option<String>,
    pushed_at: Option<i64>,
    pushed_to: Option<String>,
    red_code: Option<String>,
    red_no: Option<String>,
    red_check: Option<String>,
    reversed_at: Option<i64>,
    why: Option<String>,
    tries: i64,
    created_at: i64,
}

impl Row {
    fn bill(&self) -> Option<Bill> {
        let name = BillName::new(self.bill_code.as_ref()?, self.bill_no.as_ref()?, self.check_code.as_ref()?)?;
        let (issued_at, amount) = (Moment::from_millis(self.issued_at?), Fen::new(self.amount_fen?));
        Some(Bill { name, issued_at, amount, address: self.address.clone() })
    }

    fn state(&self) -> Option<EReceiptState> {
        Some(match EReceiptWord::parse(&self.state)? {
            EReceiptWord::Wanted => EReceiptState::Wanted { asked: self.asked_at.is_some() },
            EReceiptWord::Issued => EReceiptState::Issued(self.bill()?),
            EReceiptWord::Pushed => {
                let told = Told { at: Moment::from_millis(self.pushed_at?), to: self.pushed_to.clone()? };
                EReceiptState::Pushed(self.bill()?, told)
            }
            EReceiptWord::Failed => EReceiptState::Failed { why: self.why.clone()? },
            EReceiptWord::Reversing => EReceiptState::Reversing(self.bill()?),
            EReceiptWord::Reversed => {
                let red = match (&self.red_code, &self.red_no, &self.red_check) {
                    (Some(code), Some(number), Some(check)) => Some(BillName::new(code, number, check)?),
                    _ => None,
                };
                EReceiptState::Reversed { bill: self.bill()?, red, at: Moment::from_millis(self.reversed_at?) }
            }
            EReceiptWord::Dropped => EReceiptState::Dropped,
        })
    }
}

impl TryFrom<Row> for EReceipt {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<EReceipt> {
        let bad = |column, value: &str| unfit("ereceipt", column, &row.serial_no, value);
        let content: Option<Content> = match &row.content {
            Some(json) => Some(serde_json::from_str(json).map_err(|_| bad("content", "no content"))?),
            None => None,
        };
        Ok(EReceipt {
            state: row.state().ok_or_else(|| bad("state", &row.state))?,
            id: EReceiptId(row.id),
            serial_no: row.serial_no,
            receipt_id: ReceiptId(row.receipt_id),
            part: row.part,
            content,
            tries: row.tries,
            created_at: Moment::from_millis(row.created_at),
        })
    }
}

async fn all(db: &impl ConnectionTrait, rest: &str, values: Vec<Value>) -> Result<Vec<EReceipt>> {
    let sql = format!("SELECT * FROM ereceipt {rest}");
    let rows = Row::find_by_statement(statement(db, &sql, values)).all(db).await?;
    rows.into_iter().map(EReceipt::try_from).collect()
}

/// Wants an e-receipt, to be asked for at once; false when the receipt has one that counts, or had this part before.
pub async fn insert(
    tx: &impl ConnectionTrait,
    receipt: ReceiptId,
    part: i64,
    serial_no: &str,
    now: Moment,
) -> Result<bool> {
    let sql = "INSERT INTO ereceipt (serial_no, receipt_id, part, state, tries, next_try_at, held_until, created_at) \
        VALUES ($1, $2, $3, 'wanted', 0, $4, 0, $4) ON CONFLICT DO NOTHING";
    let values = [serial_no.into(), receipt.0.into(), part.into(), now.millis().into()];
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}

/// The e-receipts of a receipt, first one first.
pub async fn find_of_receipt(db: &impl ConnectionTrait, receipt: ReceiptId) -> Result<Vec<EReceipt>> {
    all(db, "WHERE receipt_id = $1 ORDER BY part", vec![receipt.0.into()]).await
}

/// What is to be looked at now and nobody holds, longest overdue first.
pub async fn find_due(db: &impl ConnectionTrait, now: Moment, limit: u64) -> Result<Vec<EReceipt>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rest = "WHERE next_try_at <= $1 AND held_until <= $1 ORDER BY next_try_at, id LIMIT $2";
    all(db, rest, vec![now.millis().into(), limit.into()]).await
}

/// A try somebody has claimed.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    pub id: EReceiptId,
    until: Moment,
}

/// Claims a try until a moment, when somebody else may take it up; none when it is held already.
pub async fn claim(db: &impl ConnectionTrait, due: &EReceipt, now: Moment, until: Moment) -> Result<Option<Claim>> {
    let sql = "UPDATE ereceipt SET tries = tries + 1, held_until = $1 \
        WHERE id = $2 AND tries = $3 AND state = $4 AND held_until <= $5 AND next_try_at <= $5";
    let values =
        [until.millis().into(), due.id.0.into(), due.tries.into(), due.state.word().code().into(), now.millis().into()];
    let claimed = db.execute_raw(statement(db, sql, values)).await?.rows_affected() == 1;
    Ok(claimed.then_some(Claim { id: due.id, until }))
}

/// Notes that the platform is about to be asked for this; false when the claim is over.
pub async fn note_asked(db: &impl ConnectionTrait, claim: Claim, content: &Content, now: Moment) -> Result<bool> {
    let sql = "UPDATE ereceipt SET content = $1, asked_at = COALESCE(asked_at, $2) WHERE id = $3 AND held_until = $4";
    let json = serde_json::to_string(content).expect("texts and numbers are always JSON");
    let values = [json.into(), now.millis().into(), claim.id.0.into(), claim.until.millis().into()];
    Ok(db.execute_raw(statement(db, sql, values)).await?.rows_affected() == 1)
}

/// Gives a claim back, which holds the row until the transaction ends; false when it was over before.
pub async fn end_claim(tx: &impl ConnectionTrait, claim: Claim) -> Result<bool> {
    let sql = "UPDATE ereceipt SET held_until = 0 WHERE id = $1 AND held_until = $2";
    let values = [claim.id.0.into(), claim.until.millis().into()];
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}

/// When the row is looked at again; none: when somebody wakes it.
pub async fn look_again(tx: &impl ConnectionTrait, id: EReceiptId, at: Option<Moment>) -> Result<()> {
    let sql = "UPDATE ereceipt SET next_try_at = $1 WHERE id = $2";
    tx.execute_raw(statement(tx, sql, [at.map(Moment::millis).into(), id.0.into()])).await?;
    Ok(())
}

/// Moves the row to a state, whose tries are counted anew. The caller holds it.
pub async fn move_to(tx: &impl ConnectionTrait, id: EReceiptId, state: &EReceiptState) -> Result<()> {
    let bill = state.bill();
    let told = match state {
        EReceiptState::Pushed(_, told) => Some(told),
        _ => None,
    };
    let (red, reversed_at) = match state {
        EReceiptState::Reversed { red, at, .. } => (red.as_ref(), Some(at.millis())),
        _ => (None, None),
    };
    let why = match state {
        EReceiptState::Failed { why } => Some(why.as_str()),
        _ => None,
    };
    let sql = "UPDATE ereceipt SET state = $1, tries = 0, bill_code = $2, bill_no = $3, check_code = $4, \
        issued_at = $5, amount_fen = $6, address = $7, pushed_at = COALESCE($8, pushed_at), \
        pushed_to = COALESCE($9, pushed_to), red_code = $10, red_no = $11, red_check = $12, reversed_at = $13, \
        why = $14 WHERE id = $15";
    let values = [
        state.word().code().into(),
        bill.map(|bill| bill.name.code.as_str()).into(),
        bill.map(|bill| bill.name.number.as_str()).into(),
        bill.map(|bill| bill.name.check.as_str()).into(),
        bill.map(|bill| bill.issued_at.millis()).into(),
        bill.map(|bill| bill.amount.get()).into(),
        bill.and_then(|bill| bill.address.as_deref()).into(),
        told.map(|told| told.at.millis()).into(),
        told.map(|told| told.to.as_str()).into(),
        red.map(|red| red.code.as_str()).into(),
        red.map(|red| red.number.as_str()).into(),
        red.map(|red| red.check.as_str()).into(),
        reversed_at.into(),
        why.into(),
        id.0.into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// Lets the e-receipts of an order's receipt be looked at now, whoever holds them.
pub async fn wake(tx: &impl ConnectionTrait, order: OrderId, now: Moment) -> Result<()> {
    let sql = "UPDATE ereceipt SET next_try_at = $1 WHERE state NOT IN ('reversed', 'dropped') \
        AND receipt_id IN (SELECT id FROM receipt WHERE order_id = $2)";
    tx.execute_raw(statement(tx, sql, [now.millis().into(), order.0.into()])).await?;
    Ok(())
}

/// Failed ones are wanted again, of one receipt or of all. Gives their serial numbers.
pub async fn want_again(tx: &impl ConnectionTrait, receipt: Option<ReceiptId>, now: Moment) -> Result<Vec<String>> {
    let sql = "UPDATE ereceipt SET state = 'wanted', tries = 0, why = NULL, next_try_at = $1 \
        WHERE state = 'failed' AND receipt_id = COALESCE($2, receipt_id) RETURNING serial_no";
    let receipt: Option<i64> = receipt.map(|receipt| receipt.0);
    let rows = tx.query_all_raw(statement(tx, sql, [now.millis().into(), receipt.into()])).await?;
    rows.iter().map(|row| Ok(row.try_get("", "serial_no")?)).collect()
}

/// Lets the payer be told again, unless somebody is at it.
pub async fn tell_again(db: &impl ConnectionTrait, told: &EReceipt, now: Moment) -> Result<()> {
    let sql = "UPDATE ereceipt SET state = 'issued', tries = 0, next_try_at = $1 \
        WHERE id = $2 AND state = $3 AND held_until <= $1";
    let values = [now.millis().into(), told.id.0.into(), told.state.word().code().into()];
    db.execute_raw(statement(db, sql, values)).await?;
    Ok(())
}

/// A line of a receipt's order: what of it has not gone back, and what the fiscal authority calls it.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Line {
    /// Code of the fee item here
    pub item: String,
    pub name: String,
    pub period: String,
    pub fiscal_code: Option<String>,
    pub left_fen: i64,
}

/// The lines of a receipt, those that went back whole as well. Money counts as back with the channel's word.
pub async fn lines(db: &impl ConnectionTrait, receipt: ReceiptId) -> Result<Vec<Line>> {
    let sql = "SELECT i.code AS item, i.name, p.name AS period, i.fiscal_code, l.amount_fen - CAST(COALESCE((\
        SELECT SUM(b.amount_fen) FROM refund_line b JOIN refund f ON f.id = b.refund_id \
        WHERE f.order_id = l.order_id AND b.charge_id = l.charge_id AND f.state = 'done'), 0) AS BIGINT) AS left_fen \
        FROM receipt r JOIN order_line l ON l.order_id = r.order_id JOIN charge c ON c.id = l.charge_id \
        JOIN fee_item i ON i.id = c.fee_item_id JOIN billing_period p ON p.id = c.period_id \
        WHERE r.id = $1 ORDER BY i.code, p.code, c.id";
    Ok(Line::find_by_statement(statement(db, sql, [receipt.0.into()])).all(db).await?)
}
