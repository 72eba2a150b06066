//! Every order, in the order of its changes, for a system that wants to know all of them and miss none.
//!
//! A time alone cannot order changes: the one stamped first may commit last, when a reader has gone past it. So no
//! change stamps anything; it takes the order's number away, in its own transaction. Numbers are given afterwards, by
//! one transaction at a time, to orders whose change has committed. Whoever has seen a number has therefore seen
//! every lower one that is still given, and an order that changes again comes again with a higher one.
use super::failure::Result;
use crate::app::App;
use crate::domain::moment::Moment;
use crate::domain::order::Order;
use crate::domain::order_no::OrderNo;
use crate::store::{feed, orders};

pub use crate::store::feed::{Attached, Line};

/// Orders numbered in one transaction
const ONCE: u64 = 1_000;

/// An order with what belongs to it.
pub struct Told {
    pub order: Order,
    pub attached: Attached,
    /// When its last change was numbered: moments after it
    pub changed_at: Option<Moment>,
}

/// One page of the feed.
pub struct Page {
    pub orders: Vec<Told>,
    /// Behind which number the next page begins
    pub next: i64,
    /// Whether more is there already
    pub more: bool,
}

/// Numbers what has changed; gives how many.
pub async fn run_once(app: &App) -> Result<usize> {
    if !feed::is_any_unfed(app.db.read()).await? {
        return Ok(0);
    }
    let tx = app.db.begin().await?;
    let last = feed::lock(&tx).await?;
    let done = feed::number(&tx, last, ONCE, app.clock.now()).await?;
    tx.commit().await?;
    Ok(usize::try_from(done).unwrap_or(usize::MAX))
}

/// What changed behind a number, `limit` orders at most; with `since`, only what was numbered then or later.
pub async fn page(app: &App, after: i64, since: Option<Moment>, limit: u64) -> Result<Page> {
    let numbered = run_once(app).await?;
    let mut found = feed::behind(app.db.read(), after, since, limit + 1).await?;
    let more = found.len() as u64 > limit || numbered as u64 == ONCE;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = found.last().map_or(after, |last| last.feed_no);
    let ids: Vec<_> = found.iter().map(|fed| fed.order.id).collect();
    let mut attached = feed::attached(app.db.read(), &ids).await?;
    let told = |fed: feed::Fed| Told {
        attached: attached.remove(&fed.order.id).unwrap_or_default(),
        changed_at: Some(fed.fed_at),
        order: fed.order,
    };
    Ok(Page { orders: found.into_iter().map(told).collect(), next, more })
}

/// One order, whosever it is.
pub async fn one(app: &App, no: &OrderNo) -> Result<Option<Told>> {
    let Some(order) = orders::find_by_no(app.db.read(), no).await? else { return Ok(None) };
    let attached = feed::attached(app.db.read(), &[order.id]).await?.remove(&order.id).unwrap_or_default();
    Ok(Some(Told { order, attached, changed_at: None }))
}
