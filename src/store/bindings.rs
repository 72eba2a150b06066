//! 微信绑定: rows that let a WeChat user in as a payer.
use sea_orm::{ConnectionTrait, FromQueryResult, QueryResult};

use super::db::statement;
use super::error::Result;
use super::fees::unfit;
use super::sessions::PORTAL;
use crate::domain::ids::{BindingId, PayerId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::session::{Rights, Session};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    pub id: BindingId,
    pub payer: PayerId,
    pub rights: Rights,
    /// Bound by somebody for whom the portal had vouched
    pub by_portal: bool,
    pub created_at: Moment,
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    payer_id: i64,
    rights: String,
    by_portal: bool,
    created_at: i64,
}

/// Binds the payer of a session, or binds anew with the rights of now.
pub async fn insert(db: &impl ConnectionTrait, openid: &str, session: &Session, now: Moment) -> Result<()> {
    let sql = "INSERT INTO wechat_binding (openid, payer_id, rights, epoch, created_at, via) \
        SELECT $1, id, $3, epoch, $4, $5 FROM payer WHERE id = $2 \
        ON CONFLICT (openid, payer_id) DO UPDATE \
        SET rights = excluded.rights, epoch = excluded.epoch, created_at = excluded.created_at, via = excluded.via";
    let via = session.by_portal.then_some(PORTAL);
    let values =
        [openid.into(), session.payer_id.0.into(), session.rights.code().into(), now.millis().into(), via.into()];
    db.execute_raw(statement(db, sql, values)).await?;
    Ok(())
}

/// What a WeChat user may come in as, the oldest first.
pub async fn of_openid(db: &impl ConnectionTrait, openid: &str) -> Result<Vec<Binding>> {
    find(db, "b.openid = $1", openid.into()).await
}

/// Every WeChat that opens a payer's account, the oldest first.
pub async fn of_payer(db: &impl ConnectionTrait, payer: PayerId) -> Result<Vec<Binding>> {
    find(db, "b.payer_id = $1", payer.0.into()).await
}

async fn find(db: &impl ConnectionTrait, which: &str, value: sea_orm::Value) -> Result<Vec<Binding>> {
    let sql = format!(
        "SELECT b.id, b.payer_id, b.rights, b.via IS NOT NULL AS by_portal, b.created_at FROM wechat_binding b \
         JOIN payer p ON p.id = b.payer_id AND p.epoch = b.epoch WHERE {which} ORDER BY b.created_at, b.id"
    );
    let rows = Row::find_by_statement(statement(db, &sql, [value])).all(db).await?;
    let read = |row: Row| {
        let rights =
            Rights::parse(&row.rights).ok_or_else(|| unfit("wechat_binding", "rights", row.id, &row.rights))?;
        Ok(Binding {
            id: BindingId(row.id),
            payer: PayerId(row.payer_id),
            rights,
            by_portal: row.by_portal,
            created_at: Moment::from_millis(row.created_at),
        })
    };
    rows.into_iter().map(read).collect()
}

/// The WeChats that are told what happens to a payer: those bound with full rights. A binding, and its openid.
pub async fn told_of(db: &impl ConnectionTrait, payer: PayerId) -> Result<Vec<(BindingId, String)>> {
    let sql = "SELECT b.id, b.openid FROM wechat_binding b JOIN payer p ON p.id = b.payer_id AND p.epoch = b.epoch \
        WHERE b.payer_id = $1 AND b.rights = 'full' ORDER BY b.id";
    let read = |row: &QueryResult| -> Result<(BindingId, String)> {
        Ok((BindingId(row.try_get("", "id")?), row.try_get("", "openid")?))
    };
    db.query_all_raw(statement(db, sql, [payer.0.into()])).await?.iter().map(read).collect()
}

#[derive(FromQueryResult)]
struct DueRow {
    binding: i64,
    openid: String,
    payer_id: i64,
    due_day: i64,
    many: i64,
    arrears_fen: i64,
    item: String,
}

/// What somebody who has bound a WeChat owes and must pay soon.
pub struct DueSoon {
    pub binding: BindingId,
    pub openid: String,
    pub payer: PayerId,
    /// `yyyymmdd`
    pub day: i64,
    /// How many charges
    pub many: i64,
    pub arrears: Fen,
    /// The name of one of them
    pub item: String,
}

/// Arrears due on the days from `first` to `last` that can be paid now and nobody was reminded of, by WeChat and day.
pub async fn due_soon(
    db: &impl ConnectionTrait,
    (first, last): (i64, i64),
    now: Moment,
    limit: u64,
) -> Result<Vec<DueSoon>> {
    let sql = "SELECT b.id AS binding, b.openid, b.payer_id, c.due_day, COUNT(*) AS many, \
        CAST(SUM(c.assessed_fen - c.waived_fen - c.paid_fen + c.refunded_fen) AS BIGINT) AS arrears_fen, \
        MIN(i.name) AS item FROM wechat_binding b JOIN payer p ON p.id = b.payer_id AND p.epoch = b.epoch \
        JOIN charge c ON c.payer_id = b.payer_id JOIN fee_item i ON i.id = c.fee_item_id \
        WHERE b.rights = 'full' AND c.due_day BETWEEN $1 AND $2 AND i.collection = 'collecting' \
        AND c.assessed_fen - c.waived_fen - c.paid_fen + c.refunded_fen > 0 \
        AND (i.opens_at IS NULL OR i.opens_at <= $3) AND (i.closes_at IS NULL OR i.closes_at > $3) \
        AND NOT EXISTS (SELECT 1 FROM message m WHERE m.once_key = 'due_soon:' || c.due_day || ':' || b.id) \
        GROUP BY b.id, b.openid, b.payer_id, c.due_day ORDER BY c.due_day, b.id LIMIT $4";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [first.into(), last.into(), now.millis().into(), limit.into()];
    let rows = DueRow::find_by_statement(statement(db, sql, values)).all(db).await?;
    let read = |row: DueRow| DueSoon {
        binding: BindingId(row.binding),
        openid: row.openid,
        payer: PayerId(row.payer_id),
        day: row.due_day,
        many: row.many,
        arrears: Fen::new(row.arrears_fen),
        item: row.item,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Ends one binding of a payer; false when it is not theirs.
pub async fn remove(db: &impl ConnectionTrait, id: BindingId, payer: PayerId) -> Result<bool> {
    let sql = "DELETE FROM wechat_binding WHERE id = $1 AND payer_id = $2";
    let done = db.execute_raw(statement(db, sql, [id.0.into(), payer.0.into()])).await?;
    Ok(done.rows_affected() > 0)
}

/// Ends every binding of a payer; gives how many there were.
pub async fn remove_of_payer(db: &impl ConnectionTrait, payer: PayerId) -> Result<u64> {
    let sql = "DELETE FROM wechat_binding WHERE payer_id = $1";
    Ok(db.execute_raw(statement(db, sql, [payer.0.into()])).await?.rows_affected())
}

/// Ends every binding of a WeChat user, who has left the account; gives how many there were.
pub async fn remove_of_openid(db: &impl ConnectionTrait, openid: &str) -> Result<u64> {
    let sql = "DELETE FROM wechat_binding WHERE openid = $1";
    Ok(db.execute_raw(statement(db, sql, [openid.into()])).await?.rows_affected())
}
