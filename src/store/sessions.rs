//! Sessions: rows, so that losing the cache signs nobody out. Only the hash of a token is known here.
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};

use super::db::statement;
use super::error::Result;
use super::fees::{returned_id, unfit};
use super::payers::Account;
use super::schema::payer;
use super::schema::session::{Column, Entity};
use crate::domain::ids::{PayerId, SessionId};
use crate::domain::moment::Moment;
use crate::domain::session::{Rights, Session};

/// The word for who vouched
pub(super) const PORTAL: &str = "portal";

#[derive(FromQueryResult)]
struct Row {
    session_id: i64,
    rights: String,
    begun_at: i64,
    seen_at: i64,
    holder: i64,
    is_member: bool,
    by_portal: bool,
    #[sea_orm(nested)]
    payer: payer::Model,
}

/// The session of a token and whose it is, if it has not ended and its holder has not signed out everywhere since: of a
/// member (the only ones who act for somebody) the payer of the chosen study while it is bound. One statement, asked
/// with every request of somebody signed in.
pub async fn find(db: &impl ConnectionTrait, token_hash: &str) -> Result<Option<(Session, Account)>> {
    const SQL: &str = "SELECT s.id AS session_id, s.rights, s.created_at AS begun_at, s.seen_at, \
        s.payer_id AS holder, s.acting IS NOT NULL AS is_member, s.via IS NOT NULL AS by_portal, \
        p.id, p.kind, p.number, p.number_key, p.name, p.name_key, p.name_en, p.college, p.class_name, \
        p.id_number_sealed, p.id_number_index, p.phone_sealed, p.password_hash, p.epoch, p.created_at, p.updated_at \
        FROM session s JOIN payer h ON h.id = s.payer_id AND h.epoch = s.epoch \
        LEFT JOIN study_binding b ON b.member_id = s.payer_id AND b.payer_id = s.acting AND b.ended_at IS NULL \
        JOIN payer p ON p.id = COALESCE(b.payer_id, s.payer_id) \
        WHERE s.token_hash = $1 AND s.ended_at IS NULL";
    let Some(row) = Row::find_by_statement(statement(db, SQL, [token_hash.into()])).one(db).await? else {
        return Ok(None);
    };
    let id = row.session_id;
    let rights = Rights::parse(&row.rights).ok_or_else(|| unfit("session", "rights", id, &row.rights))?;
    let session = Session {
        id: SessionId(id),
        payer_id: PayerId(row.payer.id),
        rights: if row.payer.id == row.holder { rights } else { Rights::Bound },
        member: row.is_member.then_some(PayerId(row.holder)),
        by_portal: row.by_portal,
        created_at: Moment::from_millis(row.begun_at),
        seen_at: Moment::from_millis(row.seen_at),
    };
    Ok(Some((session, Account::try_from(row.payer)?)))
}

/// What opened a session.
#[derive(Clone, Copy)]
pub struct Opened<'a> {
    pub rights: Rights,
    /// The portal vouched for the person
    pub by_portal: bool,
    /// Of the portal's ticket
    pub ticket_hash: Option<&'a str>,
}

/// Begins a session. A member goes on with the study bound last.
pub async fn insert(
    db: &impl ConnectionTrait,
    token_hash: &str,
    payer: PayerId,
    epoch: i64,
    opened: Opened<'_>,
    now: Moment,
) -> Result<SessionId> {
    let sql = "INSERT INTO session (token_hash, payer_id, rights, epoch, created_at, seen_at, via, ticket_hash, \
        acting) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, (SELECT COALESCE((SELECT b.payer_id FROM study_binding b \
        WHERE b.member_id = m.payer_id AND b.ended_at IS NULL ORDER BY b.id DESC LIMIT 1), m.payer_id) \
        FROM member m WHERE m.payer_id = $2)) RETURNING id";
    let via = opened.by_portal.then_some(PORTAL);
    let values = [
        token_hash.into(),
        payer.0.into(),
        opened.rights.code().into(),
        epoch.into(),
        now.millis().into(),
        via.into(),
        opened.ticket_hash.into(),
    ];
    Ok(SessionId(returned_id(db, sql, values).await?))
}

/// Chooses the study a session is about; without a live binding it counts for nothing.
pub async fn act_for(db: &impl ConnectionTrait, id: SessionId, study: PayerId) -> Result<()> {
    let sql = "UPDATE session SET acting = $2 WHERE id = $1";
    db.execute_raw(statement(db, sql, [id.0.into(), study.0.into()])).await?;
    Ok(())
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

/// Ends what a ticket of the portal's has opened; gives how many sessions that were.
pub async fn end_of_ticket(db: &impl ConnectionTrait, ticket_hash: &str, now: Moment) -> Result<u64> {
    let sql = "UPDATE session SET ended_at = $2 WHERE ticket_hash = $1 AND ended_at IS NULL";
    let done = db.execute_raw(statement(db, sql, [ticket_hash.into(), now.millis().into()])).await?;
    Ok(done.rows_affected())
}

/// A session that takes another one's place is vouched for by whoever vouched for that one, and ends with its ticket.
pub async fn hand_on(db: &impl ConnectionTrait, from: SessionId, to: SessionId) -> Result<()> {
    let sql = "UPDATE session SET via = (SELECT f.via FROM session f WHERE f.id = $1), \
        ticket_hash = (SELECT f.ticket_hash FROM session f WHERE f.id = $1) WHERE id = $2";
    db.execute_raw(statement(db, sql, [from.0.into(), to.0.into()])).await?;
    Ok(())
}
