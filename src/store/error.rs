//! How the store fails.
use sea_orm::{DbErr, RuntimeErr, SqlxError};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database: {0}")]
    Db(#[from] DbErr),
    /// A row that fits no state of the domain. Never read as a default.
    #[error("table {table}, column {column}, row {row}: {value:?} is no known value")]
    Unfit { table: &'static str, column: &'static str, row: String, value: String },
    /// A sealed field that none of our keys opens.
    #[error("table {table}, row {row}: a sealed field cannot be opened with the configured keys (secrets.field_key)")]
    Unsealed { table: &'static str, row: String },
}

impl StoreError {
    /// Whether a unique key refused the row: somebody else was first.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, StoreError::Db(e) if matches!(e.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_))))
    }
}

impl StoreError {
    /// Whether the database could not be reached, went away in the middle, or had no connection free in time.
    pub fn is_away(&self) -> bool {
        match self {
            StoreError::Db(DbErr::Conn(_) | DbErr::ConnectionAcquire(_)) => true,
            StoreError::Db(DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) => {
                breaks_off(error)
            }
            _ => false,
        }
    }
}

/// A statement that was under way when the database stopped fails as a statement, not as a connection.
fn breaks_off(error: &SqlxError) -> bool {
    match error {
        SqlxError::Io(_) | SqlxError::PoolTimedOut | SqlxError::PoolClosed | SqlxError::WorkerCrashed => true,
        // PostgreSQL, appendix A: class 08 connection exceptions, 57P.. the server stops or starts, 53300 it is full
        SqlxError::Database(told) => {
            told.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P") || code == "53300")
        }
        _ => false,
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;
