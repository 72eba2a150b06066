//! How the store fails.

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database: {0}")]
    Db(#[from] sea_orm::DbErr),
    /// A row that fits no state of the domain. Never read as a default.
    #[error("table {table}, column {column}, row {row}: {value:?} is no known value")]
    Unfit { table: &'static str, column: &'static str, row: String, value: String },
    /// A sealed field that our key does not open.
    #[error("table {table}, row {row}: a sealed field cannot be opened with the configured key")]
    Unsealed { table: &'static str, row: String },
}

impl StoreError {
    /// Whether a unique key refused the row: somebody else was first.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, StoreError::Db(e) if matches!(e.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_))))
    }
}

impl StoreError {
    /// Whether the database could not be reached, or had no connection free in time.
    pub fn is_away(&self) -> bool {
        matches!(self, StoreError::Db(sea_orm::DbErr::Conn(_) | sea_orm::DbErr::ConnectionAcquire(_)))
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;
