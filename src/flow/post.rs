//! Sends what waits in the outbox: mail, text messages, and notes in WeChat.
//!
//! A try is claimed by compare-and-set for [`HELD`]; a process that dies in the middle leaves it to the next. A message
//! is tried with growing pauses while it is of use. Addresses, numbers and texts never reach a log.
use std::time::Duration;

use futures_util::future;

use super::failure::Result;
use super::letter::Letter;
use super::official::note;
use super::session::hash;
use super::sign_in;
use crate::app::App;
use crate::domain::ids::PayerId;
use crate::domain::message::{MessageState, Way, pause_after};
use crate::domain::payer::Phone;
use crate::domain::profile::Email;
use crate::messenger::mail;
use crate::messenger::sms::Text;
use crate::messenger::unsent::{Outcome, Unsent};
use crate::store::messages::Due;
use crate::store::seal::Field;
use crate::store::{members, messages, profiles, resets};

/// How long a claimed try belongs to its process; longer than any call can take.
pub const HELD: Duration = Duration::from_secs(60);
/// How many messages are on their way at once
const SIDE_BY_SIDE: usize = 8;

/// Sends what is due. Gives how many tries were made.
pub async fn run_once(app: &App) -> Result<usize> {
    let limit = app.drill.side_by_side(SIDE_BY_SIDE);
    let due = messages::find_due(app.db.read(), app.clock.now(), limit as u64).await?;
    let tries = future::join_all(due.iter().map(|due| try_once(app, due))).await;
    let tries = tries.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(tries.into_iter().filter(|tried| *tried).count())
}

/// False when another process has claimed it.
async fn try_once(app: &App, due: &Due) -> Result<bool> {
    let until = app.clock.now() + HELD;
    if !messages::claim_try(app.db.write(), due, until).await? {
        return Ok(false);
    }
    app.drill.gap("message: claimed").await?;
    let outcome = match app.clock.now() < due.useful_until {
        true => carry(app, due).await?,
        false => Outcome::Unsent(Unsent::Never("too late")),
    };
    app.drill.gap("message: answered").await?;
    let (now, tries, kind) = (app.clock.now(), due.tries + 1, due.kind.code());
    let (state, why) = match outcome {
        Outcome::Sent => (MessageState::Sent, ""),
        Outcome::Nobody => (MessageState::Nobody, ""),
        Outcome::Unsent(Unsent::Never(why)) => (MessageState::Failed, why),
        Outcome::Unsent(Unsent::Later(why)) => {
            let again = pause_after(tries, app.chance.below(u64::MAX)).map(|pause| now + pause);
            if let Some(at) = again.filter(|at| *at < due.useful_until) {
                messages::try_again(app.db.write(), due, until, at).await?;
                tracing::warn!(message = %due.id, kind, tries, why, "message not taken; it goes again later");
                return Ok(true);
            }
            (MessageState::Failed, why)
        }
    };
    if messages::end(app.db.write(), due, until, state, now).await? {
        app.metrics.message_ended(due.kind.way(), state);
    }
    match state {
        MessageState::Sent => tracing::info!(message = %due.id, kind, tries, "message sent"),
        MessageState::Failed => tracing::error!(message = %due.id, kind, tries, why, "message given up"),
        // whether somebody can be reached is nobody's business
        MessageState::Nobody | MessageState::Waiting => {}
    }
    Ok(true)
}

async fn carry(app: &App, due: &Due) -> Result<Outcome> {
    let way = due.kind.way();
    if !app.carrier.has(way) && (way != Way::Account || app.account.is_none()) {
        return Ok(Outcome::Unsent(Unsent::Later("not configured")));
    }
    let plain = app.sealer.open(Field::Letter, &due.letter_sealed);
    let Some(letter) = plain.and_then(|plain| Letter::read(&plain)) else {
        return Ok(Outcome::Unsent(Unsent::Later("sealed with another key")));
    };
    match (way, &letter) {
        (Way::Account, letter) => note::carry(app, due, letter).await,
        (Way::Mail, letter) => by_mail(app, due, letter).await,
        (Way::Sms, Letter::ResetCode { username, code }) => {
            let phone = match sign_in::find(app, username).await? {
                Some((account, _)) => account.phone(&app.sealer)?,
                None => None,
            };
            by_sms(app, phone, code, &letter).await
        }
        (Way::Sms, Letter::SignUpCode { phone, code } | Letter::PayCode { phone, code }) => {
            by_sms(app, Phone::parse(phone), code, &letter).await
        }
        (Way::Sms, Letter::Seat { phone: Some(phone), .. }) => by_sms(app, Phone::parse(phone), "", &letter).await,
        (Way::Sms, _) => Ok(Outcome::Unsent(Unsent::Never("no text message"))),
    }
}

async fn by_mail(app: &App, due: &Due, letter: &Letter) -> Result<Outcome> {
    let told = match letter {
        Letter::Register { email, .. } if is_member(app, email).await? => {
            Some(Letter::HasAccount { email: email.clone() })
        }
        _ => None,
    };
    let letter = told.as_ref().unwrap_or(letter);
    let to = match letter {
        Letter::SignIn { payer, .. } | Letter::Seat { payer, .. } => address(app, *payer).await?,
        Letter::ConfirmMail { email, .. }
        | Letter::MailMoved { email, .. }
        | Letter::Register { email, .. }
        | Letter::HasAccount { email } => Email::parse(email),
        Letter::StudyShared { member, .. } => members::email(app.db.read(), &app.sealer, *member).await?,
        Letter::ResetCode { .. } | Letter::SignUpCode { .. } | Letter::PayCode { .. } | Letter::Note { .. } => None,
        Letter::ResetLink { username, token, .. } => match sign_in::find(app, username).await? {
            Some((account, _)) => {
                let (payer, to) = (account.payer.id, address(app, account.payer.id).await?);
                if to.is_some() {
                    // before it goes: whoever is quick must not find it closed
                    resets::insert(app.db.write(), &hash(token), payer, due.useful_until).await?;
                }
                to
            }
            None => None,
        },
    };
    let (Some(to), Some(mailer)) = (to, &app.carrier.mail) else { return Ok(Outcome::Nobody) };
    let (id, text) = (format!("m{}-{}", due.id, due.useful_until.unix()), letter.text(&app.config));
    let mail = mail::Letter { id: &id, subject: letter.subject(), text: &text };
    Ok(match mailer.send(&to, mail, app.clock.now()).await {
        Ok(()) => Outcome::Sent,
        Err(unsent) => Outcome::Unsent(unsent),
    })
}

async fn is_member(app: &App, email: &str) -> Result<bool> {
    let Some(email) = Email::parse(email) else { return Ok(false) };
    Ok(members::find(app.db.read(), &app.sealer, &email).await?.is_some())
}

async fn address(app: &App, payer: PayerId) -> Result<Option<Email>> {
    Ok(profiles::find(app.db.read(), &app.sealer, payer).await?.email)
}

async fn by_sms(app: &App, to: Option<Phone>, code: &str, letter: &Letter) -> Result<Outcome> {
    let (Some(to), Some(texter)) = (to, &app.carrier.sms) else { return Ok(Outcome::Nobody) };
    let text = letter.text(&app.config);
    Ok(match texter.send(&to, Text { text: &text, code }).await {
        Ok(()) => Outcome::Sent,
        Err(unsent) => Outcome::Unsent(unsent),
    })
}
