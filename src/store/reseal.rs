//! Every place that holds a sealed field, read page by page and replaced by compare-and-set: what changed since it was
//! read stays as it is, and a row somebody holds is not waited for, so that nobody ever waits for both.
use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Value};

use super::db::{Db, statement};
use super::error::Result;
use super::seal::Field;

/// A column of sealed fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub field: Field,
    pub table: &'static str,
    pub column: &'static str,
    /// The column beside it in which the field is looked for
    pub index: Option<&'static str>,
}

impl Place {
    pub const fn of(field: Field) -> Place {
        match field {
            Field::IdNumber => {
                Place { field, table: "payer", column: "id_number_sealed", index: Some("id_number_index") }
            }
            Field::Phone => Place { field, table: "payer", column: "phone_sealed", index: None },
            Field::Buyer => Place { field, table: "attempt", column: "buyer_sealed", index: None },
            Field::Email => Place { field, table: "profile", column: "email_sealed", index: None },
            Field::Address => Place { field, table: "profile", column: "address_sealed", index: None },
            Field::Member => Place { field, table: "member", column: "email_sealed", index: Some("email_index") },
            Field::Study => Place { field, table: "study", column: "details_sealed", index: None },
            Field::MailLink => Place { field, table: "mail_link", column: "email_sealed", index: None },
            Field::Letter => Place { field, table: "message", column: "letter_sealed", index: None },
            Field::Card => Place { field, table: "profile", column: "card_sealed", index: None },
            Field::Account => Place { field, table: "top_up", column: "account_sealed", index: None },
            Field::ReceiptPhone => Place { field, table: "order_phone", column: "phone_sealed", index: None },
            Field::Giver => Place { field, table: "gift", column: "giver_sealed", index: None },
            Field::Enrolment => Place { field, table: "enrolment", column: "details_sealed", index: None },
        }
    }
}

/// A sealed field as it lies in its row.
#[derive(Clone, PartialEq, Eq, Debug, FromQueryResult)]
pub struct Kept {
    pub id: i64,
    pub sealed: String,
    /// None where there is no index, or where it was never entered
    pub entered: Option<String>,
}

/// What is to lie there instead.
#[derive(Clone, Debug)]
pub struct Renewed {
    pub kept: Kept,
    pub sealed: String,
    pub entered: Option<String>,
}

/// How many rows a page of [`page`] has at most; four values each stay far below what a statement may carry.
pub const PAGE: usize = 500;

/// How many sealed fields there are.
pub async fn count(db: &impl ConnectionTrait, place: Place) -> Result<u64> {
    let sql = format!("SELECT COUNT(*) AS n FROM {} WHERE {} IS NOT NULL", place.table, place.column);
    let row = db.query_one_raw(statement(db, &sql, [])).await?;
    let count: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
    Ok(count.unsigned_abs())
}

/// The next sealed fields after row `after`, in the order of their ids; `limit` at most.
pub async fn page(db: &impl ConnectionTrait, place: Place, after: i64, limit: usize) -> Result<Vec<Kept>> {
    let Place { table, column, index, .. } = place;
    let entered = index.unwrap_or("CAST(NULL AS TEXT)");
    let sql = format!(
        "SELECT id, {column} AS sealed, {entered} AS entered FROM {table} WHERE id > $1 AND {column} IS NOT NULL \
         ORDER BY id LIMIT {limit}"
    );
    Ok(Kept::find_by_statement(statement(db, &sql, [after.into()])).all(db).await?)
}

/// Replaces what still lies there as it was read, in one transaction; gives how many were replaced. Locks are taken
/// only where nobody has them.
pub async fn replace(db: &Db, place: Place, renewed: &[Renewed]) -> Result<u64> {
    if renewed.is_empty() {
        return Ok(0);
    }
    let tx = db.begin().await?;
    let free = match tx.get_database_backend() {
        DbBackend::Postgres => Some(hold_free(&tx, place, renewed).await?),
        // the one writer holds everything
        _ => None,
    };
    let mut replaced = 0;
    for new in renewed.iter().filter(|new| free.as_ref().is_none_or(|free| free.contains(&new.kept.id))) {
        let Place { table, column, index, .. } = place;
        let mut values: Vec<Value> =
            vec![new.kept.id.into(), new.kept.sealed.as_str().into(), new.sealed.as_str().into()];
        let mut sql = format!("UPDATE {table} SET {column} = $3");
        if let Some(index) = index {
            sql += &format!(", {index} = $4");
            values.push(new.entered.clone().into());
        }
        sql += &format!(" WHERE id = $1 AND {column} = $2");
        replaced += tx.execute_raw(statement(&tx, &sql, values)).await?.rows_affected();
    }
    tx.commit().await?;
    Ok(replaced)
}

/// Locks those of the rows that nobody else has locked; gives their ids.
async fn hold_free(tx: &impl ConnectionTrait, place: Place, renewed: &[Renewed]) -> Result<HashSet<i64>> {
    let ids = renewed.iter().map(|new| new.kept.id.to_string()).collect::<Vec<_>>().join(", ");
    let table = place.table;
    let sql = format!("SELECT id FROM {table} WHERE id IN ({ids}) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED");
    let rows = tx.query_all_raw(statement(tx, &sql, [])).await?;
    Ok(rows.iter().map(|row| row.try_get("", "id")).collect::<std::result::Result<_, _>>()?)
}
