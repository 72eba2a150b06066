//! 恢复: what a database needs that was brought back from a backup, before it is used.
//!
//! The channels know numbers that were given out after the backup was made, so none of them may be given out again;
//! the cache may remember what the database has forgotten; and everything that may have been paid since is asked
//! about. What was begun after the backup is not in the books: the channels' words about it end as office items.
use super::failure::Result;
use crate::app::App;
use crate::domain::moment::Moment;
use crate::store::home::{self, Moved};
use crate::store::journal;

/// How far every serial moves on: far more than a school gives out between a backup and its return.
pub const STRETCH: i64 = 1_000_000;
/// How far the attempts of a pending order are counted on
const TRIES: i64 = 100;

/// What was done for a database that was brought back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Restored {
    /// The last moment its books know of
    pub until: Option<Moment>,
    pub moved: Moved,
}

/// Looks whether the database lies where it lay before, and does for a copy what it needs. None at home. Call it after
/// the schema is up to date and before anything else.
pub async fn recognise(app: &App) -> Result<Option<Restored>> {
    let tx = app.db.begin().await?;
    let (known, here) = (home::known(&tx).await?, home::here(&tx).await?);
    let restored = match known {
        Some(known) if known != here => Some(prepare(app, &tx).await?),
        _ => None,
    };
    home::settle_in(&tx, &here).await?;
    tx.commit().await?;
    Ok(restored)
}

/// Does what a copy needs, whether it was recognised as one or not. Nothing else may use the database meanwhile.
pub async fn declare(app: &App) -> Result<Restored> {
    let tx = app.db.begin().await?;
    home::known(&tx).await?;
    let restored = prepare(app, &tx).await?;
    let here = home::here(&tx).await?;
    home::settle_in(&tx, &here).await?;
    tx.commit().await?;
    Ok(restored)
}

async fn prepare(app: &App, tx: &sea_orm::DatabaseTransaction) -> Result<Restored> {
    let now = app.clock.now();
    let today = format!("order:{}", now.format("%y%m%d"));
    let until = home::last_known(tx).await?;
    let moved = home::move_on(tx, &today, STRETCH, TRIES, now).await?;
    let lost = match until {
        Some(until) => format!("payments begun from {} to {} are not in the books", until.rfc3339(), now.rfc3339()),
        None => "the books are empty".to_owned(),
    };
    journal::raise_office_item(tx, "restored", &now.rfc3339(), &lost, now).await?;
    // it may say of money that it was booked, and of a session that it is good
    app.cache.forget().await;
    app.echoes.forget_values();
    tracing::error!(?moved, "for the office: a backup was brought back; {lost}");
    Ok(Restored { until, moved })
}
