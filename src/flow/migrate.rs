//! Brings the database up to date: its schema, and what only a program with the keys can put into it.
use super::failure::Result;
use crate::clock::Clock;
use crate::store::chain::Chain;
use crate::store::db::Db;
use crate::store::fill;

pub async fn bring_up(db: &Db, chain: &Chain, clock: &Clock) -> Result<()> {
    db.migrate().await?;
    let filled = fill::run(db, chain, clock.now()).await?;
    if filled > 0 {
        tracing::warn!(charges = filled, "the journal was chained: charges from before have their chain now");
    }
    Ok(())
}
