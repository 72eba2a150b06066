//! How an act ends when it does not succeed: the office says no, or something of ours broke.
use crate::domain::refusal::Refusal;
use crate::drill::Ended;
use crate::store::error::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A no with a reason the payer is told.
    #[error("refused: {}", .0.code())]
    Refused(Refusal),
    /// The database failed; nothing of the act was kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Refused(refusal)
    }
}

impl From<sea_orm::DbErr> for Failure {
    fn from(error: sea_orm::DbErr) -> Failure {
        Failure::Store(error.into())
    }
}

impl From<Ended> for Failure {
    fn from(ended: Ended) -> Failure {
        sea_orm::DbErr::Custom(ended.to_string()).into()
    }
}

pub type Result<T> = std::result::Result<T, Failure>;
