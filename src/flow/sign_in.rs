//! 登录: with user name and password, or with document number and name.
//!
//! A password opens everything. Number and name are known to others too, so they open the person's own arrears and
//! nothing else ([`Rights::OwnArrears`]). One answer for every wrong pair: nobody learns here who is a student.
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::failure::Result;
use super::guess::{Caller, Gate, Guess};
use super::{device, password, session};
use crate::app::App;
use crate::cache::captcha::Challenge;
use crate::domain::id_number::IdNumber;
use crate::domain::ids::PayerId;
use crate::domain::module::{Module, Opening};
use crate::domain::payer::{PayerKind, mask_number, name_key};
use crate::domain::profile::Email;
use crate::domain::session::{Rights, Session};
use crate::store::payers::{self, Account};
use crate::store::{members, sign_ups};

/// How a sign-in ends.
#[derive(Debug)]
pub enum Answer {
    In(SignedIn),
    /// Several payers share the document number and the name.
    Choose(Choice),
    Refused(Refused),
}

pub struct SignedIn {
    /// For the browser's cookie; only its hash is kept
    pub token: String,
    pub session: Session,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedIn({:?})", self.session)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// A field was left empty; nothing was tried.
    Empty,
    /// The time to choose an identity is over: number and name must be given again.
    ChoiceOver,
    Guess(Guess),
}

/// Which of several identities?
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// Proves for five minutes, to the same browser, that number and name were right
    pub ticket: String,
    pub identities: Vec<Identity>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// What to send back for this one; means nothing outside this choice
    pub value: String,
    pub kind: PayerKind,
    pub masked_number: String,
    pub college: String,
    pub class_name: String,
}

const CHOICE_LIFE: Duration = Duration::from_secs(300);

#[derive(Serialize, Deserialize)]
struct Ticket {
    visitor: String,
    payers: Vec<PayerId>,
}

/// By student or staff number, or by the document number of somebody who has none yet.
pub async fn with_password(app: &App, username: &str, password: &str, caller: Caller<'_>) -> Result<Answer> {
    if username.trim().is_empty() || password.is_empty() {
        return Ok(Answer::Refused(Refused::Empty));
    }
    let gate = Gate::new(app, "user", username, caller.address);
    let left = match gate.enter(app, caller.captcha).await {
        Ok(left) => left,
        Err(guess) => return Ok(Answer::Refused(Refused::Guess(guess))),
    };
    let named = gate.looked(app, named(app, username).await).await?;
    match whose(app, &named, password).await? {
        Some(account) => {
            gate.right(app).await;
            // what it tells keeps nobody out
            if let Err(failure) = device::note(app, account.payer.id, caller).await {
                tracing::error!(%failure, "a sign-in was not noted");
            }
            enter(app, account, Rights::Full).await
        }
        None => Ok(Answer::Refused(Refused::Guess(gate.wrong(app, left).await))),
    }
}

/// The accounts of one user name.
struct Named {
    accounts: Vec<Account>,
    /// The name they were found by
    username: String,
    /// Somebody has signed up with this document number
    signed_up: bool,
}

/// Only people without a student or staff number are found by document number: of the others that number may be known
/// more widely, and the initial password is part of it. The office's accounts come first, then those people opened
/// themselves: anybody may sign up with anybody's document number, and keeps nobody out by it.
async fn named(app: &App, username: &str) -> Result<Named> {
    if let Some(account) = payers::find_by_number(app.db.read(), username).await? {
        let username = account.payer.number.clone();
        return Ok(Named { accounts: vec![account], username, signed_up: false });
    }
    if username.contains('@') {
        let is_open = app.config.school.modules.opening(Module::International) == Opening::Open;
        let accounts = match Email::parse(username).filter(|_| is_open) {
            Some(email) => members::find(app.db.read(), &app.sealer, &email).await?.into_iter().collect(),
            None => Vec::new(),
        };
        return Ok(Named { accounts, username: username.trim().to_owned(), signed_up: false });
    }
    let Ok(id) = IdNumber::parse(username) else {
        return Ok(Named { accounts: Vec::new(), username: String::new(), signed_up: false });
    };
    let mut accounts = payers::find_by_id_number(app.db.read(), &app.sealer, &id).await?;
    accounts.retain(|account| matches!(account.payer.kind, PayerKind::Newcomer | PayerKind::Outsider));
    let own = sign_ups::opened_by_themselves(app.db.read(), &app.sealer, &id).await?;
    let newest = |account: &Account| std::cmp::Reverse(account.payer.id);
    accounts.sort_by_key(|account| (own.contains(&account.payer.id), newest(account)));
    Ok(Named { accounts, username: id.reveal().to_owned(), signed_up: !own.is_empty() })
}

/// Which of the accounts of a name has this password. As many are checked whether the school knows the document number
/// or not: whoever has signed up with it does not learn that by the time an answer takes.
async fn whose<'a>(app: &App, named: &'a Named, password: &str) -> Result<Option<&'a Account>> {
    let mut found = None;
    for account in &named.accounts {
        let id_number = account.id_number(&app.sealer)?;
        let hash = account.password_hash.clone();
        let known = password::Known { hash, username: &named.username, id_number: id_number.as_ref() };
        if password::fits(app, Some(known), password).await && found.is_none() {
            found = Some(account);
        }
    }
    let wanted = if named.signed_up { 1 + sign_ups::MOST } else { 1 };
    for _ in named.accounts.len()..wanted {
        password::fits(app, None, password).await;
    }
    Ok(found)
}

/// The account of a user name, and the name it was found by; of several the first of [`named`].
pub async fn find(app: &App, username: &str) -> Result<Option<(Account, String)>> {
    let Named { accounts, username, .. } = named(app, username).await?;
    Ok(accounts.into_iter().next().map(|account| (account, username)))
}

/// By document number and name, without a password.
pub async fn with_id_number(app: &App, id_number: &str, name: &str, caller: Caller<'_>) -> Result<Answer> {
    if id_number.trim().is_empty() || name.trim().is_empty() {
        return Ok(Answer::Refused(Refused::Empty));
    }
    let gate = Gate::new(app, "id", id_number, caller.address);
    let left = match gate.enter(app, caller.captcha).await {
        Ok(left) => left,
        Err(guess) => return Ok(Answer::Refused(Refused::Guess(guess))),
    };
    let own = match IdNumber::parse(id_number) {
        Ok(id) => {
            let own = payers::find_by_id_number(app.db.read(), &app.sealer, &id).await;
            gate.looked(app, own).await?
        }
        Err(_) => Vec::new(),
    };
    let fitting: Vec<Account> = own.into_iter().filter(|account| is_named(account, name)).collect();
    if fitting.is_empty() {
        return Ok(Answer::Refused(Refused::Guess(gate.wrong(app, left).await)));
    }
    gate.right(app).await;
    match fitting.as_slice() {
        [account] => enter(app, account, Rights::OwnArrears).await,
        several => Ok(Answer::Choose(ask_which(app, several, caller.visitor).await)),
    }
}

/// Whether somebody is called so, in Chinese or in Latin letters.
pub fn is_named(account: &Account, name: &str) -> bool {
    let (key, latin) = (name_key(name), name_key(&account.payer.name_en));
    account.name_key == key || (!latin.is_empty() && latin == key)
}

async fn ask_which(app: &App, accounts: &[Account], visitor: &str) -> Choice {
    let ticket = app.chance.token(32);
    let payers = accounts.iter().map(|account| account.payer.id).collect();
    if let Ok(text) = serde_json::to_string(&Ticket { visitor: visitor.to_owned(), payers }) {
        app.cache.put(&ticket_key(&ticket), &text, CHOICE_LIFE).await;
    }
    Choice { ticket, identities: identities(accounts) }
}

fn identities(accounts: &[Account]) -> Vec<Identity> {
    let identity = |(at, account): (usize, &Account)| Identity {
        value: at.to_string(),
        kind: account.payer.kind,
        masked_number: mask_number(&account.payer.number),
        college: account.payer.college.clone(),
        class_name: account.payer.class_name.clone(),
    };
    accounts.iter().enumerate().map(identity).collect()
}

/// Signs in as one of several identities; asks again when the value names none of them.
pub async fn choose(app: &App, ticket: &str, value: &str, visitor: &str) -> Result<Answer> {
    let over = Ok(Answer::Refused(Refused::ChoiceOver));
    let Some(text) = app.cache.get(&ticket_key(ticket)).await else { return over };
    let Ok(kept) = serde_json::from_str::<Ticket>(&text) else { return over };
    if kept.visitor != visitor {
        return over;
    }
    let mut accounts = Vec::new();
    for payer in &kept.payers {
        accounts.extend(payers::find(app.db.read(), *payer).await?);
    }
    let chosen = value.parse::<usize>().ok().and_then(|at| accounts.get(at));
    let Some(account) = chosen else {
        return Ok(Answer::Choose(Choice { ticket: ticket.to_owned(), identities: identities(&accounts) }));
    };
    app.cache.remove(&ticket_key(ticket)).await;
    enter(app, account, Rights::OwnArrears).await
}

fn ticket_key(ticket: &str) -> String {
    format!("choose:{ticket}")
}

async fn enter(app: &App, account: &Account, rights: Rights) -> Result<Answer> {
    let (token, session) = session::begin(app, account, rights).await?;
    Ok(Answer::In(SignedIn { token, session }))
}

/// The question the next try must answer, if it must; `typed` is the user name or document number of the last one.
/// Whoever was asked is asked again on a page that is drawn anew.
pub async fn question(app: &App, by_id: bool, typed: &str, caller: Caller<'_>) -> Option<Challenge> {
    Gate::new(app, if by_id { "id" } else { "user" }, typed, caller.address).question(app, caller.visitor).await
}
