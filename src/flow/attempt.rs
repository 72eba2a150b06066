//! One attempt and its channel: asking about it, and making it unpayable. What the channel says is booked through
//! `settle::apply`; what it does not say clearly leaves the attempt live, which is safe.
use std::time::Duration;

use super::failure::Result;
use super::settle;
use crate::app::App;
use crate::channel::contract::{ChannelError, Closing};
use crate::domain::order::Attempt;
use crate::domain::trade::Heard;
use crate::drill::Fault;
use crate::store::attempts;

/// What became of an attempt that was to be ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retired {
    /// It cannot be paid any more, or it is closed here and watched
    /// ([`may_come_to_life`](crate::domain::trade::Channel::may_come_to_life)).
    Closed,
    /// It is paid, and booked.
    Paid,
    /// The channel gave no clear answer; the attempt stays live, which is safe.
    Unclear,
}

/// Asks for the state of one attempt and books the answer.
pub async fn ask(app: &App, attempt: &Attempt) -> Result<std::result::Result<Heard, ChannelError>> {
    let Some(account) = app.channels.find(&attempt.payee_code, attempt.product.channel()) else {
        return Ok(Err(ChannelError::Unreachable("no account is configured for this payee and channel".to_owned())));
    };
    let answer = account.query(&attempt.into()).await;
    let said = answer.as_ref().map_or_else(ChannelError::code, Heard::code);
    app.metrics.inquired(attempt.product.channel(), said);
    app.drill.gap("ask: the channel has answered").await?;
    let mut heard = match answer {
        Ok(heard) => heard,
        Err(error) => {
            tracing::warn!(attempt_no = %attempt.attempt_no, %error, "inquiry without an answer");
            return Ok(Err(error));
        }
    };
    if let (Heard::Paid { trade_no, .. }, true) = (&mut heard, app.drill.planted(Fault::NameTradesTwice)) {
        trade_no.0 = attempt.attempt_no.to_string();
    }
    settle::apply(app, attempt, &heard, None).await?;
    Ok(Ok(heard))
}

/// Makes one live attempt unpayable, or finds out that it is paid.
pub async fn retire(app: &App, attempt: &Attempt) -> Result<Retired> {
    let heard = ask(app, attempt).await?;
    app.drill.gap("retire: asked").await?;
    match heard {
        Ok(Heard::Paid { .. }) => Ok(Retired::Paid),
        Ok(Heard::Closed) => Ok(Retired::Closed),
        Ok(Heard::Unpaid) => close_at_channel(app, attempt).await,
        Ok(Heard::Absent) => absent(app, attempt).await,
        Ok(Heard::Foreign { .. }) | Err(_) => Ok(Retired::Unclear),
    }
}

/// Closes an attempt the channel knows and waits for.
pub async fn close_at_channel(app: &App, attempt: &Attempt) -> Result<Retired> {
    let Some(account) = app.channels.find(&attempt.payee_code, attempt.product.channel()) else {
        return Ok(Retired::Unclear);
    };
    let answer = account.close(&attempt.into()).await;
    app.drill.gap("retire: the channel has closed").await?;
    match answer {
        Ok(Closing::Closed) => {
            settle::apply(app, attempt, &Heard::Closed, None).await?;
            Ok(Retired::Closed)
        }
        Ok(Closing::Absent) => absent(app, attempt).await,
        // paid between the question and the closing: ask again, never assume
        Ok(Closing::Paid) => match ask(app, attempt).await? {
            Ok(Heard::Paid { .. }) => Ok(Retired::Paid),
            _ => Ok(Retired::Unclear),
        },
        Err(error) => {
            tracing::warn!(attempt_no = %attempt.attempt_no, %error, "closing without a clear answer");
            Ok(Retired::Unclear)
        }
    }
}

/// The channel has never seen the number. WeChat Pay knows every order that was made there, so only a call still
/// under way (8 s at most) can be missing; elsewhere an order may yet appear, so the attempt is closed here and
/// watched.
async fn absent(app: &App, attempt: &Attempt) -> Result<Retired> {
    let now = app.clock.now();
    let under_way = now.since(attempt.created_at) < Duration::from_secs(15);
    let takes_its_time = !attempt.product.channel().may_come_to_life() && under_way;
    if takes_its_time && !app.drill.planted(Fault::TakeAbsentForClosed) {
        return Ok(Retired::Unclear);
    }
    app.drill.gap("retire: absent").await?;
    let watch_at = Some(now + Duration::from_secs(30)).filter(|_| !app.drill.planted(Fault::ForgetToWatch));
    attempts::move_to_closed(app.db.write(), attempt.id, now, watch_at).await?;
    Ok(Retired::Closed)
}
