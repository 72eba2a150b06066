//! What every kind of import is given, and how one can fail as a whole.
use sea_orm::DatabaseTransaction;

use super::table::TableError;
use crate::app::App;
use crate::domain::moment::Moment;
use crate::store::error::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sea_orm::DbErr> for ImportError {
    fn from(error: sea_orm::DbErr) -> Self {
        ImportError::Store(error.into())
    }
}

/// What every kind of import is given.
pub struct Context<'a> {
    pub app: &'a App,
    pub tx: &'a DatabaseTransaction,
    pub now: Moment,
    /// Marks this run's entries in the journal; no two runs share it
    pub run: String,
    /// Which of the wanted columns the file has
    pub present: Vec<bool>,
}
