//! 家长代付: the links payers make, and what was given by them. Rows are never deleted.
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::db::statement;
use super::error::{Result, StoreError};
use super::fees::{returned_id, unfit};
use super::seal::{Field, Sealer};
use crate::domain::ids::{ChargeId, GiftId, OrderId, PayLinkId, PayerId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::OrderNo;
use crate::domain::pay_for_me::{For, Gift, PayLink};

#[derive(FromQueryResult)]
struct LinkRow {
    id: i64,
    code: String,
    payer_id: i64,
    order_id: Option<i64>,
    charge_id: Option<i64>,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
}

impl TryFrom<LinkRow> for PayLink {
    type Error = StoreError;
    fn try_from(row: LinkRow) -> Result<PayLink> {
        let of = match (row.order_id, row.charge_id) {
            (Some(order), None) => For::Order(OrderId(order)),
            (None, Some(charge)) => For::Charge(ChargeId(charge)),
            _ => return Err(unfit("pay_link", "order_id", row.id, "both or neither")),
        };
        Ok(PayLink {
            id: PayLinkId(row.id),
            code: row.code,
            payer_id: PayerId(row.payer_id),
            of,
            created_at: Moment::from_millis(row.created_at),
            expires_at: Moment::from_millis(row.expires_at),
            revoked_at: row.revoked_at.map(Moment::from_millis),
        })
    }
}

/// The id in `link` is not read.
pub async fn insert(tx: &impl ConnectionTrait, link: &PayLink) -> Result<PayLinkId> {
    let (order, charge) = match link.of {
        For::Order(order) => (Some(order.0), None),
        For::Charge(charge) => (None, Some(charge.0)),
    };
    let sql = "INSERT INTO pay_link (code, payer_id, order_id, charge_id, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    let values = [
        link.code.as_str().into(),
        link.payer_id.0.into(),
        order.into(),
        charge.into(),
        link.created_at.millis().into(),
        link.expires_at.millis().into(),
    ];
    Ok(PayLinkId(returned_id(tx, sql, values).await?))
}

async fn links(db: &impl ConnectionTrait, which: &str, values: Vec<Value>) -> Result<Vec<PayLink>> {
    let sql = format!(
        "SELECT id, code, payer_id, order_id, charge_id, created_at, expires_at, revoked_at FROM pay_link \
        WHERE {which} ORDER BY id DESC LIMIT 100"
    );
    let rows = LinkRow::find_by_statement(statement(db, &sql, values)).all(db).await?;
    rows.into_iter().map(PayLink::try_from).collect()
}

pub async fn find(db: &impl ConnectionTrait, id: PayLinkId) -> Result<Option<PayLink>> {
    Ok(links(db, "id = $1", vec![id.0.into()]).await?.pop())
}

pub async fn find_by_code(db: &impl ConnectionTrait, code: &str) -> Result<Option<PayLink>> {
    Ok(links(db, "code = $1", vec![code.into()]).await?.pop())
}

/// The newest hundred of a payer, newest first.
pub async fn of_payer(db: &impl ConnectionTrait, payer: PayerId) -> Result<Vec<PayLink>> {
    links(db, "payer_id = $1", vec![payer.0.into()]).await
}

/// Revokes a link; the first time counts.
pub async fn revoke(db: &impl ConnectionTrait, id: PayLinkId, now: Moment) -> Result<()> {
    let sql = "UPDATE pay_link SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
    db.execute_raw(statement(db, sql, [now.millis().into(), id.0.into()])).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct GiftRow {
    id: i64,
    code: String,
    pay_link_id: i64,
    order_id: i64,
    giver_sealed: Option<String>,
}

/// The id in `gift` is not read. A second one of the same form is a duplicate.
pub async fn insert_gift(
    tx: &impl ConnectionTrait,
    sealer: &Sealer,
    gift: &Gift,
    form_key: &str,
    now: Moment,
) -> Result<GiftId> {
    let sql = "INSERT INTO gift (code, pay_link_id, form_key, order_id, giver_sealed, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    let values = [
        gift.code.as_str().into(),
        gift.link.0.into(),
        form_key.into(),
        gift.order_id.0.into(),
        gift.giver.as_ref().map(|giver| sealer.seal(Field::Giver, giver)).into(),
        now.millis().into(),
    ];
    Ok(GiftId(returned_id(tx, sql, values).await?))
}

async fn gifts(db: &impl ConnectionTrait, sealer: &Sealer, which: &str, values: Vec<Value>) -> Result<Vec<Gift>> {
    let sql = format!(
        "SELECT g.id, g.code, g.pay_link_id, g.order_id, g.giver_sealed FROM gift g WHERE {which} ORDER BY g.id"
    );
    let rows = GiftRow::find_by_statement(statement(db, &sql, values)).all(db).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Gift {
                id: GiftId(row.id),
                code: row.code,
                link: PayLinkId(row.pay_link_id),
                order_id: OrderId(row.order_id),
                giver: opened(sealer, row.id, row.giver_sealed)?,
            })
        })
        .collect()
}

fn opened(sealer: &Sealer, id: i64, sealed: Option<String>) -> Result<Option<String>> {
    let open = |sealed: String| {
        sealer.open(Field::Giver, &sealed).ok_or(StoreError::Unsealed { table: "gift", row: id.to_string() })
    };
    sealed.map(open).transpose()
}

pub async fn find_gift_by_code(db: &impl ConnectionTrait, sealer: &Sealer, code: &str) -> Result<Option<Gift>> {
    Ok(gifts(db, sealer, "g.code = $1", vec![code.into()]).await?.pop())
}

/// The gift a form of a link's page became.
pub async fn find_gift_by_form(
    db: &impl ConnectionTrait,
    sealer: &Sealer,
    link: PayLinkId,
    form_key: &str,
) -> Result<Option<Gift>> {
    let values = vec![link.0.into(), form_key.into()];
    Ok(gifts(db, sealer, "g.pay_link_id = $1 AND g.form_key = $2", values).await?.pop())
}

/// Everything that was begun by a link, first one first.
pub async fn gifts_of_link(db: &impl ConnectionTrait, sealer: &Sealer, link: PayLinkId) -> Result<Vec<Gift>> {
    gifts(db, sealer, "g.pay_link_id = $1", vec![link.0.into()]).await
}

/// The gift that paid an order; none: its payer did, or nobody has.
pub async fn find_that_paid(db: &impl ConnectionTrait, sealer: &Sealer, order: OrderId) -> Result<Option<Gift>> {
    let which = "g.id = (SELECT a.gift_id FROM trade t JOIN attempt a ON a.id = t.attempt_id \
        WHERE t.order_id = $1 AND t.outcome = 'settled')";
    Ok(gifts(db, sealer, which, vec![order.0.into()]).await?.pop())
}

/// Money that came by a link.
pub struct Given {
    pub giver: Option<String>,
    pub amount: Fen,
    pub paid_at: Moment,
    pub order_no: OrderNo,
}

/// What was paid by a link, first one first.
pub async fn given(db: &impl ConnectionTrait, sealer: &Sealer, link: PayLinkId) -> Result<Vec<Given>> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
        giver_sealed: Option<String>,
        amount_fen: i64,
        paid_at: i64,
        order_no: String,
    }
    let sql = "SELECT g.id, g.giver_sealed, t.amount_fen, t.paid_at, o.order_no FROM gift g \
        JOIN attempt a ON a.gift_id = g.id JOIN trade t ON t.attempt_id = a.id AND t.outcome = 'settled' \
        JOIN payment_order o ON o.id = t.order_id WHERE g.pay_link_id = $1 ORDER BY t.paid_at, g.id";
    let rows = Row::find_by_statement(statement(db, sql, [link.0.into()])).all(db).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Given {
                giver: opened(sealer, row.id, row.giver_sealed)?,
                amount: Fen::new(row.amount_fen),
                paid_at: Moment::from_millis(row.paid_at),
                order_no: OrderNo::parse(&row.order_no)
                    .ok_or_else(|| unfit("payment_order", "order_no", &row.order_no, &row.order_no))?,
            })
        })
        .collect()
}
