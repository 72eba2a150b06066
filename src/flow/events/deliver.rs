//! Sends events to campus systems as Standard Webhooks says: signed, at least once, the same `webhook-id` every time.
//!
//! A try is claimed by compare-and-set for [`HELD`]; a process that dies in the middle leaves it to the next. Each
//! endpoint is served apart from the others, so that one which is slow holds up only itself. An event's order among
//! others is not kept. Addresses, payloads and answers never reach a log.
use std::time::Duration;

use futures_util::future;
use reqwest::Method;

use crate::app::App;
use crate::config::Webhook;
use crate::domain::event::pause_after;
use crate::drill::Fault;
use crate::flow::failure::Result;
use crate::flow::signature;
use crate::outbound::{OutboundError, Reply};
use crate::store::events::{After, Due, Try};
use crate::store::{events, journal};

/// How long a claimed try belongs to its process; longer than any call can take.
pub const HELD: Duration = Duration::from_secs(60);
/// How many events are on their way to one endpoint at once
const SIDE_BY_SIDE: usize = 8;
/// After how many rounds of [`SIDE_BY_SIDE`] an endpoint waits for the next run
const ROUNDS: usize = 20;
/// How much of an answer that was no success is kept, in characters
const SAID: usize = 120;

/// Sends what is due, to every endpoint at once. Gives how many tries were made.
pub async fn run_once(app: &App) -> Result<usize> {
    if app.drill.side_by_side(2) == 1 {
        let mut tried = 0;
        for endpoint in &app.config.webhook {
            tried += serve(app, endpoint).await?;
        }
        return Ok(tried);
    }
    let runs = future::join_all(app.config.webhook.iter().map(|endpoint| serve(app, endpoint)));
    runs.await.into_iter().sum()
}

/// Sends what is due to one endpoint. It goes on while the endpoint takes everything it is given; one that does not is
/// left alone until the next run.
pub async fn serve(app: &App, endpoint: &Webhook) -> Result<usize> {
    let mut tried = 0;
    for _ in 0..ROUNDS {
        let round = app.drill.side_by_side(SIDE_BY_SIDE);
        let due = events::find_due(app.db.read(), &endpoint.name, app.clock.now(), round as u64).await?;
        let tries = future::join_all(due.iter().map(|due| try_once(app, endpoint, due))).await;
        let tries = tries.into_iter().collect::<Result<Vec<_>>>()?;
        tried += tries.iter().flatten().count();
        if tries.len() < round || tries.contains(&Some(false)) {
            break;
        }
    }
    Ok(tried)
}

/// Whether the endpoint took it; none when another process has claimed it.
async fn try_once(app: &App, endpoint: &Webhook, due: &Due) -> Result<Option<bool>> {
    let at = app.clock.now();
    let until = at + HELD;
    if !events::claim_try(app.db.write(), due, until).await? {
        return Ok(None);
    }
    app.drill.gap("event: claimed").await?;
    if app.drill.planted(Fault::DoneBeforeAnswer) {
        events::end_try(app.db.write(), due, until, After::Done { at }).await?;
    }
    let renumbered = format!("{}{}", due.event_no, due.tries);
    let event_no = if app.drill.planted(Fault::RenumberEvents) { &renumbered } else { &due.event_no };
    let headers = signature::headers(&endpoint.secrets, event_no, at, due.payload.as_bytes());
    let answer = match headers {
        Some(headers) => {
            let body = due.payload.clone().into_bytes();
            app.http.send(Method::POST, endpoint.url.as_str(), headers, body).await
        }
        None => Err(OutboundError::Address),
    };
    app.drill.gap("event: the endpoint has answered").await?;
    let ended = app.clock.now();
    let outcome = Outcome::of(&answer);
    let again = pause_after(due.tries + 1, app.chance.below(u64::MAX));
    let (after, alarm) = match (outcome.taken, outcome.status, again) {
        (true, ..) => (After::Done { at: ended }, None),
        (false, Some(410), _) => (After::Failed, Some(GONE)),
        (false, _, Some(pause)) => (After::Again { at: ended + pause }, None),
        (false, _, None) => (After::Failed, Some(UNDELIVERED)),
    };
    let log = Try {
        endpoint: endpoint.name.clone(),
        at: at.millis(),
        outcome: outcome.word.to_owned(),
        status: outcome.status.map(i64::from),
        millis: i64::try_from(ended.since(at).as_millis()).unwrap_or(i64::MAX),
        said: outcome.said,
    };
    let tx = app.db.begin().await?;
    events::insert_try(&tx, due.id, &log).await?;
    events::end_try(&tx, due, until, after).await?;
    if let Some((kind, why)) = alarm {
        // one item a day for each endpoint: the list of events names the rest
        let subject = format!("{} {}", endpoint.name, ended.day());
        let details = format!("{}: {why}", due.event_no);
        journal::raise_office_item(&tx, kind, &subject, &details, ended).await?;
    }
    tx.commit().await?;
    tell(endpoint, due, &log, after);
    Ok(Some(outcome.taken))
}

/// The endpoint asked not to be told again (410 Gone).
const GONE: (&str, &str) = ("webhook_gone", "the endpoint wants no more events");
/// The last try is over.
const UNDELIVERED: (&str, &str) = ("webhook_failed", "the endpoint took the event on none of ten tries");

fn tell(endpoint: &Webhook, due: &Due, log: &Try, after: After) {
    let (endpoint, event_no, kind, tries) = (&endpoint.name, &due.event_no, due.kind.code(), due.tries + 1);
    let (outcome, status) = (&log.outcome, log.status.unwrap_or(0));
    match after {
        After::Done { .. } => tracing::info!(endpoint, event_no, kind, tries, "event delivered"),
        After::Again { .. } => {
            tracing::warn!(endpoint, event_no, kind, tries, outcome, status, "event not taken; it goes again later");
        }
        After::Failed => {
            tracing::error!(endpoint, event_no, kind, tries, outcome, status, "for the office: event given up")
        }
    }
}

/// How a try ended.
struct Outcome {
    taken: bool,
    word: &'static str,
    status: Option<u16>,
    said: String,
}

impl Outcome {
    fn of(answer: &std::result::Result<Reply, OutboundError>) -> Outcome {
        let silent = |word| Outcome { taken: false, word, status: None, said: String::new() };
        match answer {
            Ok(reply) => {
                let taken = (200..300).contains(&reply.status);
                let said = if taken { String::new() } else { beginning(&reply.body) };
                Outcome { taken, word: "answered", status: Some(reply.status), said }
            }
            Err(OutboundError::Setup) => silent("setup"),
            Err(OutboundError::Address) => silent("address"),
            Err(OutboundError::Connect) => silent("connect"),
            Err(OutboundError::Timeout) => silent("timeout"),
            Err(OutboundError::TooLong) => silent("too_long"),
            Err(OutboundError::Broken) => silent("broken"),
        }
    }
}

/// How an answer begins. A receiver may say back what it was sent, or add what it knows about somebody: digits become
/// `0`, and whatever is not ASCII, as names are, becomes one `?` at a stretch.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * SAID)]);
    let plain = |c: char| match c {
        c if c.is_ascii_digit() => '0',
        c if c.is_control() => ' ',
        c if c.is_ascii() => c,
        _ => '?',
    };
    let mut said = String::new();
    for c in text.chars().map(plain).take(4 * SAID) {
        if said.len() < SAID && !(c == '?' && said.ends_with('?')) {
            said.push(c);
        }
    }
    said.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_answer_only_a_short_printable_beginning_without_digits_and_names_is_kept() {
        let said = "\u{1b}[31mno\r\n林知夏 201901180001\0\u{ff}";
        assert_eq!(beginning(said.as_bytes()), "[00mno  ? 000000000000 ?");
        assert_eq!(beginning(&[b'x'; 100_000]).len(), SAID);
        assert_eq!(beginning(&[0xff, 0xfe, 0x00]), "?");
    }
}
