//! 统一身份认证: whom the university's portal knows comes in without a password of this platform.
//!
//! The portal is believed for one thing only: which number the person at this browser has. What the number opens is the
//! school's word, as with a password. A ticket is kept as a hash, and reaches no log.
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::failure::Result;
use super::guess::{Caller, Fence};
use super::{device, errand, session};
use crate::app::App;
use crate::cas::client::{CasClient, CasError};
use crate::cas::words;
use crate::domain::bilingual::Bilingual;
use crate::domain::moment::Moment;
use crate::domain::payer::PayerKind;
use crate::domain::refusal::Refusal;
use crate::domain::session::Rights;
use crate::metrics::labels::CAS;
use crate::store::payers::{self, Account};

/// Of errands
const KIND: &str = "cas";
/// Bytes of a number
const LONGEST: usize = 64;

/// What a state text stands for while the person is at the portal.
#[derive(Serialize, Deserialize)]
struct Errand {
    /// Path of ours; empty: the first page
    next: String,
}

/// How somebody comes back from the portal.
#[derive(PartialEq, Eq)]
pub enum Arrived {
    /// The token of a new session, and where to go on
    In { token: String, next: String },
    /// Nobody was signed in, and nothing has changed.
    Not { trouble: Trouble, next: String },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The errand or the ticket: too old, done, another browser's, or made up
    Over,
    /// The portal knows the person; the school has named nobody of that number
    Unknown,
    /// The portal's server gave no answer of use
    Away,
    /// Too many wrong tries from this network
    Wait,
}

/// What the portal is called; none: it is not offered.
pub fn name(app: &App) -> Option<Bilingual> {
    app.config.sign_in.cas.as_ref().map(|cas| cas.bilingual_name())
}

/// Where its password is changed, if the school says so.
pub fn password_url(app: &App) -> Option<String> {
    let url = app.config.sign_in.cas.as_ref().map(|cas| cas.password_url.clone());
    url.filter(|url| !url.is_empty())
}

/// Where a browser leaves the portal, to come back to `path`, a path of ours.
pub fn leave_url(app: &App, path: &str) -> Option<String> {
    app.cas.as_ref().map(|cas| cas.logout_url(&format!("{}{path}", app.config.server.public_url)))
}

/// Until when nobody is sent to the portal from this network, if it has guessed too often.
pub async fn closed(app: &App, caller: Caller<'_>) -> Option<Moment> {
    Fence::of_sign_ins(app, caller.address).closed(app).await
}

/// Sends a browser to the portal, to come back to `{public_url}/cas/callback` and from there to `next`, a path of ours.
///
/// # Errors
/// [`Refusal::NotFound`]: no portal is configured.
pub async fn begin(app: &App, visitor: &str, next: &str) -> Result<String> {
    let (cas, life) = portal(app)?;
    let state = errand::send(app, KIND, visitor, Errand { next: next.to_owned() }, life).await;
    Ok(cas.login_url(&service(app, &state)))
}

fn portal(app: &App) -> Result<(&CasClient, Duration)> {
    let (client, config) = app.cas.as_ref().zip(app.config.sign_in.cas.as_ref()).ok_or(Refusal::NotFound)?;
    Ok((client, Duration::from_secs(config.sign_in_seconds)))
}

/// The address a ticket is given for. It holds the state, so a ticket is good for one errand of one browser.
fn service(app: &App, state: &str) -> String {
    format!("{}/cas/callback?state={state}", app.config.server.public_url)
}

/// A browser came back with a ticket.
///
/// # Errors
/// [`Refusal::NotFound`]: no portal is configured.
pub async fn arrive(app: &App, caller: Caller<'_>, state: &str, ticket: &str) -> Result<Arrived> {
    let (cas, _) = portal(app)?;
    let Some(Errand { next }) = errand::back(app, KIND, caller.visitor, state).await else {
        return Ok(Arrived::Not { trouble: Trouble::Over, next: String::new() });
    };
    // whatever goes wrong is told at an address that holds no ticket
    match enter(app, cas, caller, &service(app, state), ticket).await {
        Ok(Ok(token)) => Ok(Arrived::In { token, next }),
        Ok(Err(trouble)) => Ok(Arrived::Not { trouble, next }),
        Err(failure) => {
            tracing::error!(%failure, "the portal's person could not be signed in");
            Ok(Arrived::Not { trouble: Trouble::Away, next })
        }
    }
}

async fn enter(
    app: &App,
    cas: &CasClient,
    caller: Caller<'_>,
    service: &str,
    ticket: &str,
) -> Result<std::result::Result<String, Trouble>> {
    let fence = Fence::of_sign_ins(app, caller.address);
    if fence.closed(app).await.is_some() {
        return Ok(Err(Trouble::Wait));
    }
    let begun = Instant::now();
    let said = cas.number(service, ticket).await;
    app.metrics.called(CAS, "person", said.as_ref().err().map_or("ok", CasError::code), begun.elapsed());
    let number = match said {
        Ok(number) => number,
        Err(error) => {
            tracing::warn!(%error, "the portal did not say who came");
            let is_ticket = matches!(error, CasError::Ticket(_));
            if is_ticket {
                fence.wrong(app).await;
            }
            return Ok(Err(if is_ticket { Trouble::Over } else { Trouble::Away }));
        }
    };
    let Some(account) = account_of(app, &number).await? else {
        tracing::warn!("the portal knows somebody whom the school has not named");
        return Ok(Err(Trouble::Unknown));
    };
    // what it tells keeps nobody out
    if let Err(failure) = device::note(app, account.payer.id, caller).await {
        tracing::error!(%failure, "a sign-in was not noted");
    }
    let (token, _) = session::begin_by_portal(app, &account, Rights::Full, Some(ticket)).await?;
    Ok(Ok(token))
}

/// The payer of a number, in any case. The store forgives blanks and wide letters inside a number, the portal does not:
/// with them it may be somebody else's. Whoever opened an account here alone is nobody of the portal's.
async fn account_of(app: &App, number: &str) -> Result<Option<Account>> {
    if number.is_empty() || number.len() > LONGEST || !number.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(None);
    }
    let account = payers::find_by_number(app.db.read(), number).await?;
    Ok(account.filter(|account| account.payer.kind != PayerKind::Outsider))
}

/// The portal says that somebody has signed out there: what the named ticket has opened ends. Whoever knows the ticket
/// may say so, and nobody else can. False where it is no such message.
pub async fn signed_out(app: &App, request: &str) -> Result<bool> {
    portal(app)?;
    let Some(ticket) = words::signed_out(request) else { return Ok(false) };
    let ended = session::end_of_ticket(app, &ticket).await?;
    tracing::info!(ended, "the portal has signed somebody out");
    Ok(true)
}
