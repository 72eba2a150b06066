//! 账户: a password of one's own, the security question, and the way back in for whoever forgot the password.
//!
//! Whatever changes a password ends every session; the one that changed it gets a new one. Nobody learns here whether
//! an account exists: who has none, or no question, is asked a question all the same.
use std::time::Duration;

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};

use super::failure::Result;
use super::guess::{Caller, Gate, Guess};
use super::{password, session, sign_in};
use crate::app::App;
use crate::config::FirstSignIn;
use crate::domain::id_number::IdNumber;
use crate::domain::ids::PayerId;
use crate::domain::moment::Moment;
use crate::domain::password::{Weakness, check};
use crate::domain::question::{Question, answer_key};
use crate::domain::refusal::Refusal;
use crate::domain::session::{Rights, Session};
use crate::store::payers::Account;
use crate::store::{accounts, payers, resets, sessions};

/// How many past passwords are not taken again
const PAST: u32 = 5;
/// How long a first step lasts
const STEP: Duration = Duration::from_secs(600);

/// What a payer's account has.
pub struct Standing {
    /// Not the school's initial one
    pub own_password: bool,
    pub question: Option<Question>,
    /// The sign-in before this one
    pub last_sign_in: Option<Moment>,
    /// 手机, masked
    pub phone: Option<String>,
    /// 证件号, masked
    pub id_number: Option<String>,
}

pub async fn standing(app: &App, session: &Session) -> Result<Standing> {
    let account = find(app, session.payer_id).await?;
    Ok(Standing {
        own_password: account.password_hash.is_some(),
        question: accounts::find_question(app.db.read(), session.payer_id).await?.map(|(question, _)| question),
        last_sign_in: accounts::last_sign_in(app.db.read(), session.payer_id, session.id).await?,
        phone: account.phone(&app.sealer)?.map(|phone| phone.masked()),
        id_number: account.id_number(&app.sealer)?.map(|id| id.masked()),
    })
}

pub async fn find(app: &App, payer: PayerId) -> Result<Account> {
    Ok(payers::find(app.db.read(), payer).await?.ok_or(Refusal::NotFound)?)
}

/// Whether a payer must choose a password and a question before anything but paying. For whom the portal has vouched,
/// the portal has the password.
pub fn must_set_up(app: &App, session: &Session, own_password: bool) -> bool {
    session.rights == Rights::Full
        && !session.by_portal
        && !own_password
        && app.config.school.first_sign_in == FirstSignIn::SetUp
}

/// Why a form of the account was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotTaken {
    /// The field that proves who it is was left empty.
    Empty,
    /// The old password, or the answer, is wrong; or there were too many tries.
    Guess(Guess),
    Weak(Weakness),
    /// One of the last passwords, or the initial one
    Reused,
    /// The two new passwords differ.
    Differ,
    /// No question was chosen.
    Question,
    /// The answer is too short or too long.
    Answer,
    /// The first step is over.
    StepOver,
    /// No mobile number.
    Phone,
    /// No e-mail address.
    Email,
    /// Too many messages were asked for.
    Wait {
        until: Moment,
    },
}

/// What was typed as new password, and again.
#[derive(Clone, Copy)]
pub struct NewPassword<'a> {
    pub new: &'a str,
    pub again: &'a str,
}

/// The form was taken; or why not.
pub type Taken<T> = std::result::Result<T, NotTaken>;

/// First sign-in: a password and a question at once. Gives the token of the new session.
pub async fn set_up(
    app: &App,
    session: &Session,
    new: NewPassword<'_>,
    (question, answer): (&str, &str),
) -> Result<Taken<String>> {
    let account = find(app, session.payer_id).await?;
    if account.password_hash.is_some() || session.rights != Rights::Full {
        return Err(Refusal::NotFound.into());
    }
    if let Err(not) = fresh(app, &account, new).await? {
        return Ok(Err(not));
    }
    let (question, key) = match asked(question, answer) {
        Ok(asked) => asked,
        Err(not) => return Ok(Err(not)),
    };
    let answer = password::store_form(app, &key).await;
    match replace(app, (session, &account), new.new, Some((question, &answer))).await? {
        Some(token) => Ok(Ok(token)),
        None => Err(Refusal::NotFound.into()),
    }
}

/// 修改密码. Gives the token of the new session; every other one has ended.
pub async fn change_password(
    app: &App,
    session: &Session,
    old: &str,
    new: NewPassword<'_>,
    caller: Caller<'_>,
) -> Result<Taken<String>> {
    let account = find(app, session.payer_id).await?;
    if old.is_empty() {
        return Ok(Err(NotTaken::Empty));
    }
    if let Err(not) = fresh_words(&account, app, new)? {
        return Ok(Err(not));
    }
    if let Err(guess) = prove(app, &account, old, caller).await? {
        return Ok(Err(NotTaken::Guess(guess)));
    }
    if is_reused(app, &account, new.new).await? {
        return Ok(Err(NotTaken::Reused));
    }
    let token = replace(app, (session, &account), new.new, None).await?;
    // another one was set since the old one was looked at
    Ok(token.ok_or(NotTaken::Guess(Guess::WrongPair { tries_left: None })))
}

/// 密保, first step: the password. Gives the ticket of the second step.
pub async fn begin_question(app: &App, session: &Session, password: &str, caller: Caller<'_>) -> Result<Taken<String>> {
    if password.is_empty() {
        return Ok(Err(NotTaken::Empty));
    }
    let account = find(app, session.payer_id).await?;
    if let Err(guess) = prove(app, &account, password, caller).await? {
        return Ok(Err(NotTaken::Guess(guess)));
    }
    let ticket = app.chance.token(32);
    app.cache.put(&question_key(&ticket), &session.id.to_string(), STEP).await;
    Ok(Ok(ticket))
}

/// Whether the second step may be shown to this session.
pub async fn may_set_question(app: &App, session: &Session, ticket: &str) -> bool {
    app.cache.get(&question_key(ticket)).await.is_some_and(|kept| kept == session.id.to_string())
}

/// 密保, second step: question and answer.
pub async fn set_question(
    app: &App,
    session: &Session,
    ticket: &str,
    (question, answer): (&str, &str),
) -> Result<Taken<()>> {
    if !may_set_question(app, session, ticket).await {
        return Ok(Err(NotTaken::StepOver));
    }
    let (question, key) = match asked(question, answer) {
        Ok(asked) => asked,
        Err(not) => return Ok(Err(not)),
    };
    let hash = password::store_form(app, &key).await;
    accounts::set_question(app.db.write(), session.payer_id, question, &hash, app.clock.now()).await?;
    app.cache.remove(&question_key(ticket)).await;
    tracing::info!(payer = %session.payer_id, "security question set");
    Ok(Ok(()))
}

fn question_key(ticket: &str) -> String {
    format!("question:{ticket}")
}

pub(super) fn asked(question: &str, answer: &str) -> Taken<(Question, String)> {
    let question = Question::parse(question).ok_or(NotTaken::Question)?;
    Ok((question, answer_key(answer).ok_or(NotTaken::Answer)?))
}

/// 忘记密码, between its two steps.
#[derive(Serialize, Deserialize)]
struct Recovery {
    visitor: String,
    username: String,
}

/// 忘记密码, first step: which account. Gives a ticket and a question, whether there is such an account or not.
pub async fn begin_recovery(app: &App, username: &str, caller: Caller<'_>) -> Result<Taken<(String, Question)>> {
    if username.trim().is_empty() {
        return Ok(Err(NotTaken::Empty));
    }
    let gate = Gate::new(app, "recover", username, caller.address);
    if let Err(guess) = gate.look(app, caller.captcha).await {
        return Ok(Err(NotTaken::Guess(guess)));
    }
    let ticket = app.chance.token(32);
    let kept = Recovery { visitor: caller.visitor.to_owned(), username: username.to_owned() };
    if let Ok(text) = serde_json::to_string(&kept) {
        app.cache.put(&recovery_key(&ticket), &text, STEP).await;
    }
    Ok(Ok((ticket, question_of(app, username).await?)))
}

/// The question of a second step that is drawn again.
pub async fn recovery_question(app: &App, ticket: &str, visitor: &str) -> Result<Option<Question>> {
    match recovery(app, ticket, visitor).await {
        Some(kept) => Ok(Some(question_of(app, &kept.username).await?)),
        None => Ok(None),
    }
}

async fn recovery(app: &App, ticket: &str, visitor: &str) -> Option<Recovery> {
    let kept: Recovery = serde_json::from_str(&app.cache.get(&recovery_key(ticket)).await?).ok()?;
    (kept.visitor == visitor).then_some(kept)
}

fn recovery_key(ticket: &str) -> String {
    format!("recovery:{ticket}")
}

async fn question_of(app: &App, username: &str) -> Result<Question> {
    let own = match sign_in::find(app, username).await? {
        Some((account, _)) => accounts::find_question(app.db.read(), account.payer.id).await?,
        None => None,
    };
    Ok(own.map_or_else(|| nobodys_question(app, username), |(question, _)| question))
}

/// Always the same one for the same name, like a true one.
fn nobodys_question(app: &App, username: &str) -> Question {
    let key = hmac::Key::new(hmac::HMAC_SHA256, app.config.secrets.session_key.first().bytes());
    let tag = hmac::sign(&key, format!("question\0{}", payers::number_key(username)).as_bytes());
    Question::ALL[usize::from(tag.as_ref()[0]) % Question::ALL.len()]
}

/// 忘记密码, second step: the answer and a new password. Signs nobody in.
pub async fn recover(
    app: &App,
    ticket: &str,
    answer: &str,
    new: NewPassword<'_>,
    caller: Caller<'_>,
) -> Result<Taken<()>> {
    let Some(kept) = recovery(app, ticket, caller.visitor).await else { return Ok(Err(NotTaken::StepOver)) };
    let Some(key) = answer_key(answer) else { return Ok(Err(NotTaken::Answer)) };
    if let Err(not) = words(new, &[&kept.username]) {
        return Ok(Err(not));
    }
    let gate = Gate::new(app, "recover", &kept.username, caller.address);
    let left = match gate.enter(app, caller.captcha).await {
        Ok(left) => left,
        Err(guess) => return Ok(Err(NotTaken::Guess(guess))),
    };
    let account = gate.looked(app, sign_in::find(app, &kept.username).await).await?.map(|(account, _)| account);
    let stored = match &account {
        Some(account) => {
            let question = accounts::find_question(app.db.read(), account.payer.id).await;
            gate.looked(app, question).await?.map(|(_, hash)| hash)
        }
        None => None,
    };
    let (true, Some(account)) = (password::fits_hash(app, stored, &key).await, account) else {
        return Ok(Err(NotTaken::Guess(gate.wrong(app, left).await)));
    };
    gate.right(app).await;
    if let Err(not) = fresh(app, &account, new).await? {
        return Ok(Err(not));
    }
    if !put(app, &account, new.new, None).await? {
        return Ok(Err(NotTaken::StepOver));
    }
    app.cache.remove(&recovery_key(ticket)).await;
    tracing::info!(payer = %account.payer.id, "password recovered by security question");
    Ok(Ok(()))
}

/// Whether somebody signed in knows the password.
pub async fn prove_own(app: &App, session: &Session, typed: &str, caller: Caller<'_>) -> Result<Taken<()>> {
    if typed.is_empty() {
        return Ok(Err(NotTaken::Empty));
    }
    let account = find(app, session.payer_id).await?;
    Ok(prove(app, &account, typed, caller).await?.map_err(NotTaken::Guess))
}

/// Whether this is the payer's password, counted as a try of signing in.
async fn prove(
    app: &App,
    account: &Account,
    typed: &str,
    caller: Caller<'_>,
) -> Result<std::result::Result<(), Guess>> {
    let gate = Gate::new(app, "user", &account.payer.number, caller.address);
    let left = match gate.enter(app, caller.captcha).await {
        Ok(left) => left,
        Err(guess) => return Ok(Err(guess)),
    };
    let id_number = account.id_number(&app.sealer)?;
    if !password::fits(app, Some(known(account, id_number.as_ref())), typed).await {
        return Ok(Err(gate.wrong(app, left).await));
    }
    gate.right(app).await;
    Ok(Ok(()))
}

fn known<'a>(account: &'a Account, id_number: Option<&'a IdNumber>) -> password::Known<'a> {
    password::Known { hash: account.password_hash.clone(), username: &account.payer.number, id_number }
}

/// A new password by itself: both fields alike, and strong enough.
pub(super) fn words(new: NewPassword<'_>, personal: &[&str]) -> Taken<()> {
    check(new.new, personal).map_err(NotTaken::Weak)?;
    if new.new == new.again { Ok(()) } else { Err(NotTaken::Differ) }
}

fn fresh_words(account: &Account, app: &App, new: NewPassword<'_>) -> Result<Taken<()>> {
    let id_number = account.id_number(&app.sealer)?;
    let tail = id_number.as_ref().map_or("", |id| id.tail(6));
    Ok(words(new, &[&account.payer.number, tail]))
}

pub(super) async fn fresh(app: &App, account: &Account, new: NewPassword<'_>) -> Result<Taken<()>> {
    if let Err(not) = fresh_words(account, app, new)? {
        return Ok(Err(not));
    }
    Ok(if is_reused(app, account, new.new).await? { Err(NotTaken::Reused) } else { Ok(()) })
}

/// One that was set since the account was read is [`put`]'s to judge: it may be this very one.
async fn is_reused(app: &App, account: &Account, new: &str) -> Result<bool> {
    Ok(was_used(app, account, new).await? && find(app, account.payer.id).await?.password_hash == account.password_hash)
}

async fn was_used(app: &App, account: &Account, new: &str) -> Result<bool> {
    let id_number = account.id_number(&app.sealer)?;
    if password::fits(app, Some(known(account, id_number.as_ref())), new).await {
        return Ok(true);
    }
    for past in accounts::past_passwords(app.db.read(), account.payer.id, PAST).await? {
        if password::fits_hash(app, Some(past), new).await {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Sets a password over the one that was read, and ends every session. The second one of a double tap finds its own
/// password there. False: it is another one by now, and stays.
pub(super) async fn put(app: &App, account: &Account, new: &str, question: Option<(Question, &str)>) -> Result<bool> {
    let (payer, hash) = (account.payer.id, password::store_form(app, new).await);
    let (tx, now) = (app.db.begin().await?, app.clock.now());
    let held = payers::lock(&tx, payer).await?.ok_or(Refusal::NotFound)?;
    if held.password_hash != account.password_hash {
        drop(tx);
        return Ok(password::fits_hash(app, held.password_hash, new).await);
    }
    accounts::set_password(&tx, payer, &hash, now).await?;
    if let Some((question, answer)) = question {
        accounts::set_question(&tx, payer, question, answer, now).await?;
    }
    resets::end_all(&tx, payer, now).await?;
    payers::raise_epoch(&tx, payer).await?;
    tx.commit().await?;
    tracing::info!(%payer, "password set");
    Ok(true)
}

/// As [`put`]; begins a session for whoever is here, in the place of the old one, and gives its token.
async fn replace(
    app: &App,
    (old, account): (&Session, &Account),
    new: &str,
    question: Option<(Question, &str)>,
) -> Result<Option<String>> {
    if !put(app, account, new, question).await? {
        return Ok(None);
    }
    let account = find(app, account.payer.id).await?;
    let (token, new) = session::begin(app, &account, Rights::Full).await?;
    sessions::hand_on(app.db.write(), old.id, new.id).await?;
    Ok(Some(token))
}
