//! Asking the channels: on return, on read, and by schedule. What they say is booked through `settle::apply`.
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;

use super::attempt::{self, Retired, ask};
use super::failure::Result;
use super::settle::LATER_LOOK;
use crate::app::App;
use crate::domain::ids::OrderId;
use crate::domain::moment::Moment;
use crate::domain::order::{Attempt, AttemptState, Order, OrderState};
use crate::domain::trade::{Channel, Heard};
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
    /// Nothing has been paid, by the channel's own word of just now (or because nothing under way could be paid)
    pub certain: bool,
}

/// The order as it stands after asking about its live attempt, at most every three seconds per attempt and waiting
/// for the channel at most two and a half. For every page that shows a pending order to its payer.
pub async fn on_read(app: &Arc<App>, order: Order) -> Result<Seen> {
    if !matches!(order.state, OrderState::Pending { .. }) {
        return Ok(Seen { order, certain: false });
    }
    let Some(attempt) = attempts::find_live(app.db.read(), &app.sealer, order.id).await? else {
        return Ok(Seen { order, certain: true });
    };
    let every = Duration::from_secs(3);
    let period = app.clock.now().unix() / 3;
    let (asked, unpaid) = (&attempt.attempt_no, format!("unpaid:{}:{period}", attempt.attempt_no));
    if !app.cache.once(&format!("asked:{asked}:{period}"), every).await {
        return Ok(Seen { order, certain: app.cache.get(&unpaid).await.is_some() });
    }
    let id = order.id;
    let asking = tokio::spawn({
        let app = Arc::clone(app);
        async move { ask(&app, &attempt).await }
    });
    // a slow channel must not hold the page up; the asking goes on and books what it hears
    let certain = match tokio::time::timeout(Duration::from_millis(2500), asking).await {
        Ok(Ok(Ok(heard))) => matches!(heard, Ok(Heard::Unpaid | Heard::Absent | Heard::Closed)),
        Ok(Ok(Err(failure))) => return Err(failure),
        Ok(Err(_)) | Err(_) => false,
    };
    if certain {
        app.cache.put(&unpaid, "1", every).await;
    }
    Ok(Seen { order: orders::find(app.db.read(), id).await?.unwrap_or(order), certain })
}

/// Asks about every attempt that is due. Gives how many were asked about.
pub async fn run_once(app: &App) -> Result<usize> {
    let due = attempts::find_due(app.db.read(), &app.sealer, app.clock.now(), 200).await?;
    let asked = futures_util::stream::iter(due).map(|attempt| inquire(app, attempt)).buffer_unordered(8);
    let asked: Vec<Result<bool>> = asked.collect().await;
    let mut count = 0;
    for one in asked {
        count += usize::from(one?);
    }
    Ok(count)
}

async fn inquire(app: &App, due: Attempt) -> Result<bool> {
    let next = next_inquiry(&due, app.clock.now());
    if !attempts::claim_inquiry(app.db.write(), &due, next).await? {
        return Ok(false);
    }
    let pending = is_pending(app, due.order_id).await?;
    match (due.state, pending) {
        // paid another way, or closed, while this one may still be paid: make it unpayable
        (AttemptState::Live, false) => {
            attempt::retire(app, &due).await?;
        }
        // its closing was never confirmed in so many words: look whether it came to life after all
        (AttemptState::Closed, _) => {
            if let Ok(Heard::Unpaid) = ask(app, &due).await?
                && attempt::close_at_channel(app, &due).await? == Retired::Paid
            {
                tracing::info!(attempt_no = %due.attempt_no, "a closed attempt was paid late");
            }
        }
        _ => {
            ask(app, &due).await?.ok();
        }
    }
    Ok(true)
}

async fn is_pending(app: &App, order: OrderId) -> Result<bool> {
    let order = orders::find(app.db.read(), order).await?;
    Ok(order.is_some_and(|order| matches!(order.state, OrderState::Pending { .. })))
}

/// A live attempt is asked about until its order ends. A closed one is looked at until an hour after it ran out, in
/// case the channel breaks its word and its notice is lost: often at Alipay, where it may come to life, now and then
/// elsewhere.
fn next_inquiry(attempt: &Attempt, now: Moment) -> Option<Moment> {
    let watched_until = attempt.expires_at + Duration::from_secs(3600);
    match attempt.state {
        AttemptState::Live if now > watched_until => Some(now + Duration::from_secs(600)),
        AttemptState::Live => Some(now + patience(attempt.inquiries)),
        AttemptState::Closed if now < watched_until => {
            let may_come_to_life = attempt.product.channel() == Channel::Alipay && now < attempt.expires_at;
            Some(now + if may_come_to_life { Duration::from_secs(120) } else { LATER_LOOK })
        }
        AttemptState::Closed | AttemptState::Paid => None,
    }
}
