//! What a payer's account has beside the password: the passwords before it, and the security question.
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::db::statement;
use super::error::Result;
use super::fees::unfit;
use super::schema::payer::{Column, Entity};
use crate::domain::ids::{PayerId, SessionId};
use crate::domain::moment::Moment;
use crate::domain::question::Question;

/// Sets a password and remembers it among the past ones.
pub async fn set_password(tx: &impl ConnectionTrait, payer: PayerId, hash: &str, now: Moment) -> Result<()> {
    let set = Entity::update_many().col_expr(Column::PasswordHash, Expr::value(hash));
    set.filter(Column::Id.eq(payer.0)).exec(tx).await?;
    let sql = "INSERT INTO past_password (payer_id, hash, set_at) VALUES ($1, $2, $3)";
    tx.execute_raw(statement(tx, sql, [payer.0.into(), hash.into(), now.millis().into()])).await?;
    Ok(())
}

/// The hashes of the last `limit` passwords, newest first.
pub async fn past_passwords(db: &impl ConnectionTrait, payer: PayerId, limit: u32) -> Result<Vec<String>> {
    let sql = format!("SELECT hash FROM past_password WHERE payer_id = $1 ORDER BY set_at DESC, id DESC LIMIT {limit}");
    let rows = db.query_all_raw(statement(db, &sql, [payer.0.into()])).await?;
    rows.iter().map(|row| Ok(row.try_get("", "hash")?)).collect()
}

/// 密保: the question, and the hash of its answer.
pub async fn find_question(db: &impl ConnectionTrait, payer: PayerId) -> Result<Option<(Question, String)>> {
    let sql = "SELECT question, answer_hash FROM security_question WHERE payer_id = $1";
    let Some(row) = db.query_one_raw(statement(db, sql, [payer.0.into()])).await? else { return Ok(None) };
    let code: String = row.try_get("", "question")?;
    let question = Question::parse(&code).ok_or_else(|| unfit("security_question", "question", payer, &code))?;
    Ok(Some((question, row.try_get("", "answer_hash")?)))
}

pub async fn set_question(
    tx: &impl ConnectionTrait,
    payer: PayerId,
    question: Question,
    answer_hash: &str,
    now: Moment,
) -> Result<()> {
    let sql = "INSERT INTO security_question (payer_id, question, answer_hash, updated_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (payer_id) DO UPDATE SET question = excluded.question, answer_hash = excluded.answer_hash, \
        updated_at = excluded.updated_at";
    let values = [payer.0.into(), question.code().into(), answer_hash.into(), now.millis().into()];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// When a payer signed in before the session that asks.
pub async fn last_sign_in(db: &impl ConnectionTrait, payer: PayerId, but: SessionId) -> Result<Option<Moment>> {
    let sql = "SELECT MAX(created_at) AS at FROM session WHERE payer_id = $1 AND id < $2";
    let row = db.query_one_raw(statement(db, sql, [payer.0.into(), but.0.into()])).await?;
    let at: Option<i64> = row.map(|row| row.try_get("", "at")).transpose()?.flatten();
    Ok(at.map(Moment::from_millis))
}
