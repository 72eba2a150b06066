//! 忘记密码 by mail or text message, beside the security question of [`super::account`].
//!
//! Nobody learns here whether an account exists or has an address: the page only notes what was asked, and who is meant
//! is looked up when the message goes. A link works once; a code belongs to the browser that asked for it.
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::{NewPassword, NotTaken, Taken, fresh, put, words};
use super::failure::Result;
use super::guess::{Caller, Challenge, Gate, all_allowed, keyed, network};
use super::letter::Letter;
use super::session::hash;
use super::{password, session, sign_in};
use crate::app::App;
use crate::domain::id_number::normalise;
use crate::domain::message::{MessageKind, Way};
use crate::domain::moment::Moment;
use crate::store::{accounts, messages, payers, resets};

/// Letters of what stands in a link, 5.8 bits each
const TOKEN: usize = 43;
/// How long the page that asks for the code may be used
const STEP: Duration = Duration::from_secs(15 * 60);
/// One message of a kind to one account
const PAUSE: (u32, Duration) = (1, Duration::from_secs(60));
/// Messages of a kind to one account
const ACCOUNT: (u32, Duration) = (5, Duration::from_secs(3600));
/// Messages asked for from one network: a whole campus may be one
const ADDRESS: (u32, Duration) = (60, Duration::from_secs(600));

/// Whether this way back in is offered.
pub fn offers(app: &App, way: Way) -> bool {
    app.carrier.has(way)
}

/// Asks for the link. `address` is where it leads, to be followed by what proves it.
pub async fn send_link(app: &App, username: &str, address: &str, caller: Caller<'_>) -> Result<Taken<()>> {
    if let Err(not) = may_ask(app, Way::Mail, username, caller).await {
        return Ok(Err(not));
    }
    let token = app.chance.token(TOKEN);
    let link = format!("{address}{token}");
    put_in(app, &Letter::ResetLink { username: username.trim().to_owned(), link, token }).await?;
    Ok(Ok(()))
}

async fn put_in(app: &App, letter: &Letter) -> Result<()> {
    let now = app.clock.now();
    messages::insert(app.db.write(), &app.sealer, letter.kind(), &letter.write(), now).await?;
    Ok(())
}

/// Whether a message may be asked for. Counts alike for accounts that exist and for those that do not.
async fn may_ask(app: &App, way: Way, username: &str, caller: Caller<'_>) -> Taken<()> {
    if username.trim().is_empty() || !offers(app, way) {
        return Err(NotTaken::Empty);
    }
    Gate::new(app, "recover", username, caller.address).look(app, caller.captcha).await.map_err(NotTaken::Guess)?;
    let account = keyed(app, way.code(), &normalise(username));
    let limits = [
        (format!("ask:{}", keyed(app, "ask address", &network(caller.address))), ADDRESS),
        (format!("ask:{account}"), ACCOUNT),
        (format!("ask-pause:{account}"), PAUSE),
    ];
    all_allowed(app, &limits).await.map_err(|until| NotTaken::Wait { until })
}

/// Whether a link still opens.
pub async fn link_opens(app: &App, token: &str) -> Result<bool> {
    Ok(resets::find(app.db.read(), &hash(token), app.clock.now()).await?.is_some())
}

/// A new password by the link. Signs nobody in.
pub async fn recover_by_link(app: &App, token: &str, new: NewPassword<'_>) -> Result<Taken<()>> {
    let (hash, now) = (hash(token), app.clock.now());
    let account = match resets::find(app.db.read(), &hash, now).await? {
        Some(payer) => payers::find(app.db.read(), payer).await?,
        None => None,
    };
    let Some(account) = account else { return Ok(Err(NotTaken::StepOver)) };
    if let Err(not) = fresh(app, &account, new).await? {
        return Ok(Err(not));
    }
    let payer = account.payer.id;
    let stored = password::store_form(app, new.new).await;
    let tx = app.db.begin().await?;
    let held = payers::lock(&tx, payer).await?;
    if !resets::take(&tx, &hash, now).await? {
        drop(tx);
        // the second one of a double tap finds its own password there
        let same = password::fits_hash(app, held.and_then(|held| held.password_hash), new.new).await;
        return Ok(if same { Ok(()) } else { Err(NotTaken::StepOver) });
    }
    accounts::set_password(&tx, payer, &stored, now).await?;
    resets::end_all(&tx, payer, now).await?;
    tx.commit().await?;
    session::end_all(app, payer).await?;
    tracing::info!(%payer, "password recovered by link");
    Ok(Ok(()))
}

/// Between asking for a code and giving it.
#[derive(Serialize, Deserialize)]
struct Asked {
    visitor: String,
    username: String,
    /// Tells the code without saying it
    tag: String,
    /// Milliseconds since 1970
    until: i64,
}

/// Asks for a code. Gives the ticket of the page that takes it, whether there is such an account or not.
pub async fn send_code(app: &App, username: &str, caller: Caller<'_>) -> Result<Taken<String>> {
    let ticket = app.chance.token(32);
    Ok(code_for(app, &ticket, username, caller).await?.map(|()| ticket))
}

/// Asks for another code on the same page; the one before is over.
pub async fn send_again(app: &App, ticket: &str, caller: Caller<'_>) -> Result<Taken<()>> {
    match asked(app, ticket, caller.visitor).await {
        Some(asked) => code_for(app, ticket, &asked.username, caller).await,
        None => Ok(Err(NotTaken::StepOver)),
    }
}

async fn code_for(app: &App, ticket: &str, username: &str, caller: Caller<'_>) -> Result<Taken<()>> {
    if let Err(not) = may_ask(app, Way::Sms, username, caller).await {
        return Ok(Err(not));
    }
    let code = format!("{:06}", app.chance.below(1_000_000));
    let username = username.trim().to_owned();
    let asked = Asked {
        visitor: caller.visitor.to_owned(),
        username: username.clone(),
        tag: tag(app, ticket, &code),
        until: (app.clock.now() + MessageKind::ResetCode.useful_for()).millis(),
    };
    if let Ok(text) = serde_json::to_string(&asked) {
        app.cache.put(&ticket_key(ticket), &text, STEP).await;
    }
    put_in(app, &Letter::ResetCode { username, code }).await?;
    Ok(Ok(()))
}

fn tag(app: &App, ticket: &str, code: &str) -> String {
    keyed(app, "reset code", &format!("{ticket} {code}"))
}

fn ticket_key(ticket: &str) -> String {
    format!("reset-code:{ticket}")
}

async fn asked(app: &App, ticket: &str, visitor: &str) -> Option<Asked> {
    let asked: Asked = serde_json::from_str(&app.cache.get(&ticket_key(ticket)).await?).ok()?;
    (asked.visitor == visitor).then_some(asked)
}

/// The security check the next code must come with, if it must.
pub async fn question(app: &App, ticket: &str, caller: Caller<'_>) -> Option<Challenge> {
    let asked = asked(app, ticket, caller.visitor).await?;
    Gate::new(app, "recover", &asked.username, caller.address).question(app, caller.visitor).await
}

/// A new password by the code. Signs nobody in.
pub async fn recover_by_code(
    app: &App,
    ticket: &str,
    code: &str,
    new: NewPassword<'_>,
    caller: Caller<'_>,
) -> Result<Taken<()>> {
    let Some(asked) = asked(app, ticket, caller.visitor).await else { return Ok(Err(NotTaken::StepOver)) };
    if code.trim().is_empty() {
        return Ok(Err(NotTaken::Empty));
    }
    if let Err(not) = words(new, &[&asked.username]) {
        return Ok(Err(not));
    }
    let gate = Gate::new(app, "recover", &asked.username, caller.address);
    let left = match gate.enter(app, caller.captcha).await {
        Ok(left) => left,
        Err(guess) => return Ok(Err(NotTaken::Guess(guess))),
    };
    let in_time = app.clock.now() < Moment::from_millis(asked.until);
    let fits = in_time && tag(app, ticket, &normalise(code)) == asked.tag;
    let account = if fits { sign_in::find(app, &asked.username).await? } else { None };
    let Some((account, _)) = account else {
        return Ok(Err(NotTaken::Guess(gate.wrong(app, left).await)));
    };
    gate.right(app).await;
    if let Err(not) = fresh(app, &account, new).await? {
        return Ok(Err(not));
    }
    // of two that give the same code with two passwords one gets through
    if !put(app, &account, new.new, None).await? {
        return Ok(Err(NotTaken::StepOver));
    }
    app.cache.remove(&ticket_key(ticket)).await;
    tracing::info!(payer = %account.payer.id, "password recovered by code");
    Ok(Ok(()))
}
