//! 幂等: one effect and one answer for any number of calls under one key.
//!
//! A call is claimed by inserting its row; the primary key lets one process win, with or without Redis. The answer is
//! kept in the row and given to whoever calls again with the same body. A process that died leaves a claim without an
//! answer: after [`LEASE`] another call takes it over and does the work again, which changes nothing that was done
//! (every batch is an upsert inside one transaction). What fails by our own fault is not kept, so that it can be
//! tried again.
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::failure::Result;
use crate::app::App;
use crate::store::api_calls;

pub use crate::store::api_calls::{Answer, CallKey};

/// How long a claim holds without an answer; longer than a call may take ([`WORK`])
pub const LEASE: Duration = Duration::from_secs(60);
/// The longest the work of a call may take before it is undone
pub const WORK: Duration = Duration::from_secs(45);
/// How long an answer is kept: promised are 24 hours
const KEPT: Duration = Duration::from_secs(48 * 3600);

/// What a call under a key is.
pub enum Turn {
    /// Ours to do; [`finish`] or [`release`] must follow.
    Mine(Ticket),
    /// Done before.
    Done(Answer),
    /// Being done.
    Running { wait: Duration },
    /// The key was used for something else.
    Other,
}

/// The right to answer a call.
pub struct Ticket {
    key: CallKey,
    claim: String,
}

/// What a body says, without letting anybody try out what it said: a plain hash of a body with an ID number is found
/// by trying all of them. `secret` is the caller's own key, 256 random bits that are kept nowhere here, so that the
/// rows alone do not do, and that no change of a key of ours makes a body another one.
pub fn fingerprint(secret: &str, parts: &[&[u8]]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(b"idempotency");
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    BASE64.encode(context.sign())
}

/// Whose turn it is.
pub async fn take(app: &App, key: CallKey, fingerprint: &str) -> Result<Turn> {
    let claim = app.chance.token(22);
    // a second round only where a claim was given back between two looks
    for _ in 0..3 {
        let now = app.clock.now();
        if api_calls::insert(app.db.write(), &key, fingerprint, &claim, now).await? {
            return Ok(Turn::Mine(Ticket { key, claim }));
        }
        let Some(known) = api_calls::find(app.db.read(), &key).await? else { continue };
        if known.fingerprint != fingerprint {
            return Ok(Turn::Other);
        }
        if let Some(answer) = known.answer {
            return Ok(Turn::Done(answer));
        }
        let held = now.since(known.claimed_at);
        if held < LEASE {
            return Ok(Turn::Running { wait: Duration::from_secs(1) });
        }
        if api_calls::take_over(app.db.write(), &key, &known.claim, &claim, now).await? {
            tracing::warn!(key = %key.api_key, "a call without an answer is done again");
            return Ok(Turn::Mine(Ticket { key, claim }));
        }
    }
    Ok(Turn::Running { wait: Duration::from_secs(1) })
}

/// Keeps the answer, and gives what is to be answered: where the claim was taken over, the other's answer.
pub async fn finish(app: &App, ticket: &Ticket, answer: Answer) -> Result<Answer> {
    if api_calls::answer(app.db.write(), &ticket.key, &ticket.claim, &answer).await? {
        return Ok(answer);
    }
    let known = api_calls::find(app.db.read(), &ticket.key).await?;
    Ok(known.and_then(|known| known.answer).unwrap_or(answer))
}

/// Gives the claim back: the call may be made again.
pub async fn release(app: &App, ticket: &Ticket) -> Result<()> {
    Ok(api_calls::release(app.db.write(), &ticket.key, &ticket.claim).await?)
}

/// Forgets what is older than promised.
pub async fn sweep(app: &App) -> Result<usize> {
    let gone = api_calls::sweep(app.db.write(), app.clock.now() - KEPT).await?;
    Ok(usize::try_from(gone).unwrap_or(usize::MAX))
}
