//! Ending what was not paid: ask, close at the channel, ask again, then close here. An order is closed only when none
//! of its attempts can be paid any more by the channel's own word; if money comes all the same, `settle` finds a
//! place for it.
use std::time::Duration;

use super::attempt::{Retired, retire};
use super::failure::Result;
use super::lane::{self, Lane};
use super::{living, settle};
use crate::app::App;
use crate::domain::ids::OrderId;
use crate::domain::moment::Moment;
use crate::domain::order::{CloseReason, Order, OrderState};
use crate::drill::Fault;
use crate::store::{attempts, orders};

/// What became of an order that was to be closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    Closed,
    Paid,
    /// The channel gave no clear answer; try again later.
    Unclear,
    /// Money of another amount lies on it: it holds its charges until the office has decided.
    UnderReview,
}

/// Closes a pending order, whoever wants it closed. An order that is not pending any more tells what it is.
pub async fn close(app: &App, order: &Order, reason: CloseReason) -> Result<Ended> {
    for attempt in attempts::find_payable(app.db.read(), &app.sealer, order.id, app.clock.now()).await? {
        if app.drill.planted(Fault::CloseWithoutAsking) {
            attempts::move_to_closed(app.db.write(), attempt.id, app.clock.now(), None).await?;
            continue;
        }
        match retire(app, &attempt).await? {
            Retired::Closed => {}
            Retired::Paid => return ended(app, order.id).await,
            Retired::Unclear => return Ok(Ended::Unclear),
        }
    }
    app.drill.gap("close: no attempt payable").await?;
    let tx = app.db.begin().await?;
    let locked = orders::lock(&tx, order.id).await?;
    let pending = locked.is_some_and(|order| matches!(order.state, OrderState::Pending { .. }));
    if pending && settle::under_review(&tx, order.id).await? {
        return Ok(Ended::UnderReview);
    }
    // somebody may have begun to pay again meanwhile
    if pending && attempts::find_live(&tx, &app.sealer, order.id).await?.is_some() {
        return Ok(Ended::Unclear);
    }
    if pending {
        orders::move_to_closed(&tx, order.id, reason, app.clock.now()).await?;
        living::books::let_go(app, &tx, order, app.clock.now()).await?;
    }
    app.drill.point("close: order closed")?;
    tx.commit().await?;
    app.drill.gap("close: committed").await?;
    let _ = app.changed.send(order.id);
    ended(app, order.id).await
}

async fn ended(app: &App, id: OrderId) -> Result<Ended> {
    let order = orders::find(app.db.read(), id).await?;
    Ok(match order.map(|order| order.state) {
        Some(OrderState::Paid { .. }) => Ended::Paid,
        Some(OrderState::Closed { .. }) => Ended::Closed,
        Some(OrderState::Pending { .. }) if settle::under_review(app.db.read(), id).await? => Ended::UnderReview,
        _ => Ended::Unclear,
    })
}

/// Closes every order whose time ran out, except those the office looks at. Gives how many were closed.
pub async fn run_once(app: &App) -> Result<usize> {
    lane::each(app, lanes(app).await?, async |lane| run_lane(app, &lane).await).await
}

/// Where orders ran out.
pub async fn lanes(app: &App) -> Result<Vec<Lane>> {
    Ok(orders::expired_lanes(app.db.read(), app.clock.now()).await?)
}

/// Closes every order of one lane whose time ran out, except those the office looks at. Gives how many were closed.
pub async fn run_lane(app: &App, lane: &Lane) -> Result<usize> {
    let mut closed = 0;
    let mut after = (Moment::from_millis(0), OrderId(0));
    loop {
        let page = orders::find_expired(app.db.read(), lane, app.clock.now(), after, 100).await?;
        let Some(last) = page.last() else { return Ok(closed) };
        after = (last.expires_at, last.id);
        closed += lane::all(app, page, |order| expire(app, order)).await?;
    }
}

async fn expire(app: &App, order: Order) -> Result<bool> {
    // a channel that gave no clear answer is not asked again for the same order within the minute
    let key = format!("expiring:{}:{}", order.order_no, app.clock.now().unix() / 60);
    if !app.cache.once(&key, Duration::from_secs(60)).await {
        return Ok(false);
    }
    app.drill.gap("expire: found due").await?;
    Ok(close(app, &order, CloseReason::Expired).await? == Ended::Closed)
}
