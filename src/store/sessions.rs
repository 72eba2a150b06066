//! Sessions: rows, so that losing the cache signs nobody out. Only the hash of a token is known here.
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};

use super::db::statement;
use super::error::Result;
use super::fees::{returned_id, unfit};
use super::schema::session::{Column, Entity};
use crate::domain::ids::{PayerId, SessionId};
use crate::domain::moment::Moment;
use crate::domain::session::{Rights, Session};

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    payer_id: i64,
    rights: String,
    created_at: i64,
    seen_at: i64,
}

/// The session of a token, if it has not ended and its payer has not signed out everywhere since.
pub async fn find(db: &impl ConnectionTrait, token_hash: &str) -> Result<Option<Session>> {
    let sql = "SELECT s.id, s.payer_id, s.rights, s.created_at, s.seen_at FROM session s \
        JOIN payer p ON p.id = s.payer_id AND p.epoch = s.epoch WHERE s.token_hash = $1 AND s.ended_at IS NULL";
    let Some(row) = Row::find_by_statement(statement(db, sql, [token_hash.into()])).one(db).await? else {
        return Ok(None);
    };
    let rights = Rights::parse(&row.rights).ok_or_else(|| unfit("session", "rights", row.id, &row.rights))?;
    Ok(Some(Session {
        id: SessionId(row.id),
        payer_id: PayerId(row.payer_id),
        rights,
        created_at: Moment::from_millis(row.created_at),
        seen_at: Moment::from_millis(row.seen_at),
    }))
}

pub async fn insert(
    db: &impl ConnectionTrait,
    token_hash: &str,
    payer: PayerId,
    epoch: i64,
    rights: Rights,
    now: Moment,
) -> Result<SessionId> {
    let sql = "INSERT INTO session (token_hash, payer_id, rights, epoch, created_at, seen_at) \
        VALUES ($1, $2, $3, $4, $5, $5) RETURNING id";
    let values = [token_hash.into(), payer.0.into(), rights.code().into(), epoch.into(), now.millis().into()];
    Ok(SessionId(returned_id(db, sql, values).await?))
}

/// Notes that a session was used.
pub async fn touch(db: &impl ConnectionTrait, id: SessionId, now: Moment) -> Result<()> {
    let touch = Entity::update_many().col_expr(Column::SeenAt, Expr::value(now.millis()));
    touch.filter(Column::Id.eq(id.0)).filter(Column::SeenAt.lt(now.millis())).exec(db).await?;
    Ok(())
}

pub async fn end(db: &impl ConnectionTrait, token_hash: &str, now: Moment) -> Result<()> {
    let end = Entity::update_many().col_expr(Column::EndedAt, Expr::value(now.millis()));
    end.filter(Column::TokenHash.eq(token_hash)).filter(Column::EndedAt.is_null()).exec(db).await?;
    Ok(())
}

/// The hashes of a payer's sessions begun since `since`, whatever became of them.
pub async fn hashes_of_payer(db: &impl ConnectionTrait, payer: PayerId, since: Moment) -> Result<Vec<String>> {
    let query = Entity::find().filter(Column::PayerId.eq(payer.0)).filter(Column::CreatedAt.gte(since.millis()));
    Ok(query.all(db).await?.into_iter().map(|row| row.token_hash).collect())
}
