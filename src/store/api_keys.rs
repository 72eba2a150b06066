//! Keys of campus systems. Only the hash of a key is known here.
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::db::statement;
use super::error::{Result, StoreError};
use super::fees::{returned_id, unfit};
use super::schema::api_key::{Column, Entity, Model};
use crate::domain::api_key::{ApiKey, ApiScope};
use crate::domain::ids::ApiKeyId;
use crate::domain::moment::Moment;

impl TryFrom<Model> for ApiKey {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<ApiKey> {
        let scope = |code: &str| ApiScope::parse(code).ok_or_else(|| unfit("api_key", "scopes", row.id, code));
        Ok(ApiKey {
            id: ApiKeyId(row.id),
            scopes: row.scopes.split_whitespace().map(scope).collect::<Result<_>>()?,
            name: row.name,
            created_at: Moment::from_millis(row.created_at),
            last_used_at: row.last_used_at.map(Moment::from_millis),
            revoked_at: row.revoked_at.map(Moment::from_millis),
        })
    }
}

/// The key of a hash, if it has not been revoked.
pub async fn find(db: &impl ConnectionTrait, hash: &str) -> Result<Option<ApiKey>> {
    let query = Entity::find().filter(Column::KeyHash.eq(hash)).filter(Column::RevokedAt.is_null());
    query.one(db).await?.map(ApiKey::try_from).transpose()
}

/// All keys, revoked ones too, in the order they were made.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<ApiKey>> {
    Entity::find().order_by_asc(Column::Id).all(db).await?.into_iter().map(ApiKey::try_from).collect()
}

/// Fails as a duplicate when a live key has the name.
pub async fn insert(
    db: &impl ConnectionTrait,
    name: &str,
    hash: &str,
    scopes: &[ApiScope],
    now: Moment,
) -> Result<ApiKeyId> {
    let sql = "INSERT INTO api_key (name, key_hash, scopes, created_at) VALUES ($1, $2, $3, $4) RETURNING id";
    let scopes = scopes.iter().map(|scope| scope.code()).collect::<Vec<_>>().join(" ");
    Ok(ApiKeyId(returned_id(db, sql, [name.into(), hash.into(), scopes.into(), now.millis().into()]).await?))
}

/// Revokes the live key of a name; false when there is none.
pub async fn revoke(db: &impl ConnectionTrait, name: &str, now: Moment) -> Result<bool> {
    let revoke = Entity::update_many().col_expr(Column::RevokedAt, Expr::value(now.millis()));
    let done = revoke.filter(Column::Name.eq(name)).filter(Column::RevokedAt.is_null()).exec(db).await?;
    Ok(done.rows_affected > 0)
}

/// Notes that a key was used.
pub async fn touch(db: &impl ConnectionTrait, id: ApiKeyId, now: Moment) -> Result<()> {
    let sql = "UPDATE api_key SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)";
    db.execute_raw(statement(db, sql, [now.millis().into(), id.0.into()])).await?;
    Ok(())
}
