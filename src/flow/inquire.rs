//! Asking the channels: on return, on read, and by schedule. What they say is booked through `settle::apply`.
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;

use super::attempt::{self, Retired, ask};
use super::failure::Result;
use super::lane::{self, Lane};
use super::settle::{self, LATER_LOOK};
use crate::app::App;
use crate::domain::ids::OrderId;
use crate::domain::moment::Moment;
use crate::domain::order::{Attempt, AttemptState, Order, OrderState};
use crate::domain::trade::Heard;
use crate::store::{attempts, orders};

/// When the first inquiry of a new attempt is due.
pub const FIRST_INQUIRY: Duration = Duration::from_secs(5);

/// How long to wait after the `asked`-th inquiry of a live attempt. Never more than 45 s, so that a payment whose
/// notice was lost is found within a minute with nobody watching.
fn patience(asked: i64) -> Duration {
    Duration::from_secs(match asked {
        0 => 5,
        1 => 10,
        2 => 20,
        3 => 30,
        _ => 45,
    })
}

/// An order as it stands, and how sure that is.
pub struct Seen {
    pub order: Order,
    /// Nothing has been paid, by the word every channel concerned gave on this very reading (or because there is no
    /// attempt that could have been paid)
    pub certain: bool,
}

/// How often a page that only waits asks about an attempt.
pub const WAITING: Duration = Duration::from_secs(3);
/// How often a page that must say whether money moved asks: an older word may be out of date, so there it counts for
/// nothing.
pub const TELLING: Duration = Duration::from_secs(1);

/// The order as it stands after asking about every attempt of it that may take money, at most once in `every` and
/// waiting for the channels at most two and a half seconds. For every page that shows an order to its payer.
pub async fn on_read(app: &Arc<App>, order: Order, every: Duration) -> Result<Seen> {
    if matches!(order.state, OrderState::Paid { .. }) {
        return Ok(Seen { order, certain: false });
    }
    let open = attempts::find_payable(app.db.read(), &app.sealer, order.id, app.clock.now()).await?;
    let asking = futures_util::stream::iter(open).map(|attempt| ask_in_time(app, attempt, every));
    let unpaid: Vec<Result<bool>> = asking.buffered(app.drill.side_by_side(16)).collect().await;
    let mut certain = true;
    for unpaid in unpaid {
        certain &= unpaid?;
    }
    let order = orders::find(app.db.read(), order.id).await?.unwrap_or(order);
    let certain = certain && !settle::under_review(app.db.read(), order.id).await?;
    Ok(Seen { order, certain })
}

/// Whether the channel says now that this attempt is not paid.
async fn ask_in_time(app: &Arc<App>, attempt: Attempt, every: Duration) -> Result<bool> {
    let period = app.clock.now().unix() / every.as_secs().cast_signed().max(1);
    let key = format!("asked:{}:{}:{period}", attempt.attempt_no, every.as_secs());
    if !app.cache.once(&key, every).await {
        return Ok(false);
    }
    let asking = tokio::spawn({
        let app = Arc::clone(app);
        async move { look(&app, &attempt).await }
    });
    // a slow channel must not hold the page up; the asking goes on and books what it hears
    match tokio::time::timeout(Duration::from_millis(2500), asking).await {
        Ok(Ok(looked)) => looked,
        Ok(Err(_)) | Err(_) => Ok(false),
    }
}

/// Asks about one attempt. A closed one that came to life after all is closed at its channel. Gives whether nothing
/// is paid, by the channel's clear word.
pub async fn look(app: &App, attempt: &Attempt) -> Result<bool> {
    let heard = ask(app, attempt).await?;
    if attempt.state == AttemptState::Closed && matches!(heard, Ok(Heard::Unpaid)) {
        let ended = attempt::close_at_channel(app, attempt).await?;
        if ended == Retired::Paid {
            tracing::info!(attempt_no = %attempt.attempt_no, "a closed attempt was paid late");
        }
        return Ok(ended == Retired::Closed);
    }
    Ok(matches!(heard, Ok(Heard::Unpaid | Heard::Absent | Heard::Closed)))
}

/// Asks about every attempt that is due. Gives how many were asked about.
pub async fn run_once(app: &App) -> Result<usize> {
    lane::each(app, lanes(app).await?, async |lane| run_lane(app, &lane).await).await
}

/// Where attempts are due.
pub async fn lanes(app: &App) -> Result<Vec<Lane>> {
    Ok(attempts::due_lanes(app.db.read(), app.clock.now()).await?)
}

/// Asks about the attempts that are due in one lane, those longest overdue first. Gives how many were asked about.
pub async fn run_lane(app: &App, lane: &Lane) -> Result<usize> {
    let due = attempts::find_due(app.db.read(), &app.sealer, lane, app.clock.now(), 40).await?;
    lane::all(app, due, |attempt| inquire(app, attempt)).await
}

async fn inquire(app: &App, due: Attempt) -> Result<bool> {
    app.drill.gap("inquire: found due").await?;
    let now = app.clock.now();
    let next = next_inquiry(&due, now);
    if !attempts::claim_inquiry(app.db.write(), &due, next).await? {
        return Ok(false);
    }
    app.drill.gap("inquire: claimed").await?;
    let pending = is_pending(app, due.order_id).await?;
    match (due.state, pending) {
        // paid another way, or closed, while this one may still be paid: make it unpayable
        (AttemptState::Live, false) => {
            attempt::retire(app, &due).await?;
        }
        (state, _) => {
            let unpaid = look(app, &due).await?;
            if unpaid && state == AttemptState::Closed && now >= watched_until(&due) {
                attempts::stop_watching(app.db.write(), due.id).await?;
            }
        }
    }
    Ok(true)
}

async fn is_pending(app: &App, order: OrderId) -> Result<bool> {
    let order = orders::find(app.db.read(), order).await?;
    Ok(order.is_some_and(|order| matches!(order.state, OrderState::Pending { .. })))
}

/// Until when a closed attempt is looked at: an hour after it ran out.
fn watched_until(attempt: &Attempt) -> Moment {
    attempt.expires_at + Duration::from_secs(3600)
}

/// A live attempt is asked about until its order ends. A closed one is looked at for a while, in case the channel
/// breaks its word and its notice is lost: within the minute where it may come to life, now and then elsewhere. The
/// last look is the first that is clearly answered after that while; a process that dies with it leaves it to
/// another.
fn next_inquiry(attempt: &Attempt, now: Moment) -> Option<Moment> {
    match attempt.state {
        AttemptState::Live if now > watched_until(attempt) => Some(now + Duration::from_secs(600)),
        AttemptState::Live => Some(now + patience(attempt.inquiries)),
        AttemptState::Closed => {
            let may_come_to_life = attempt.product.channel().may_come_to_life() && now < attempt.expires_at;
            Some(now + if may_come_to_life { Duration::from_secs(45) } else { LATER_LOOK })
        }
        AttemptState::Paid => None,
    }
}
