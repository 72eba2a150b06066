//! 待办: what a person of the office must look at, until it is resolved. Raised by [`super::journal::raise_office_item`].
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::error::Result;
use super::schema::office_item::{Column, Entity, Model};
use crate::domain::moment::Moment;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfficeItem {
    pub id: i64,
    pub kind: String,
    /// The attempt, refund or order number it is about
    pub subject: String,
    pub details: String,
    pub raised_at: Moment,
}

impl From<Model> for OfficeItem {
    fn from(row: Model) -> OfficeItem {
        let raised_at = Moment::from_millis(row.created_at);
        OfficeItem { id: row.id, kind: row.kind, subject: row.subject, details: row.details, raised_at }
    }
}

/// What nobody has resolved, longest waiting first.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<OfficeItem>> {
    let open = Entity::find().filter(Column::ResolvedAt.is_null());
    Ok(open
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await?
        .into_iter()
        .map(OfficeItem::from)
        .collect())
}

/// False when there is no such item, or it was resolved before.
pub async fn resolve(db: &impl ConnectionTrait, id: i64, now: Moment) -> Result<bool> {
    let resolve = Entity::update_many().col_expr(Column::ResolvedAt, Expr::value(now.millis()));
    let done = resolve.filter(Column::Id.eq(id)).filter(Column::ResolvedAt.is_null()).exec(db).await?;
    Ok(done.rows_affected == 1)
}

pub async fn resolve_about(tx: &impl ConnectionTrait, kind: &str, subject: &str, now: Moment) -> Result<()> {
    let resolve = Entity::update_many().col_expr(Column::ResolvedAt, Expr::value(now.millis()));
    let about = resolve.filter(Column::Kind.eq(kind)).filter(Column::Subject.eq(subject));
    about.filter(Column::ResolvedAt.is_null()).exec(tx).await?;
    Ok(())
}
