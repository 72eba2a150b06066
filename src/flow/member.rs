//! 留学生: accounts opened by e-mail. A mailbox is proven before there is an account; whether it has one already is said
//! in the mail, not on the page.
use std::time::Duration;

use sea_orm::ConnectionTrait;

use super::account::{NewPassword, NotTaken, Taken, words};
use super::failure::Result;
use super::guess::{Caller, Challenge, Toll, all_allowed, keyed};
use super::letter::Letter;
use super::session::{self, hash};
use super::{device, password};
use crate::app::App;
use crate::domain::ids::PayerId;
use crate::domain::message::{MessageKind, Way};
use crate::domain::payer::PayerKind;
use crate::domain::profile::{Email, real_name};
use crate::domain::refusal::Refusal;
use crate::domain::session::Rights;
use crate::store::mail_links::MailLink;
use crate::store::payers::NewPayer;
use crate::store::profiles::Profile;
use crate::store::{accounts, mail_links, members, messages, payers, profiles};

/// Letters of what stands in a link, 5.8 bits each
const TOKEN: usize = 43;
/// Mails to one address, and asked for from one network, some of them without a question
const PAUSE: (u32, Duration) = (1, Duration::from_secs(60));
const ADDRESS: (u32, Duration) = (5, Duration::from_secs(3600));
const NETWORK: (u32, Duration) = (60, Duration::from_secs(600));
const FREE: u32 = 5;
/// How long the same form opens the same account, for a second tap
const AGAIN: Duration = Duration::from_secs(60);

/// Whether accounts can be opened: the mailbox is proven by a mail.
pub fn is_offered(app: &App) -> bool {
    app.carrier.has(Way::Mail)
}

fn toll(app: &App, caller: Caller<'_>) -> Toll {
    Toll::new(app, "register", caller.address, FREE, NETWORK)
}

/// The security check the next wish for a mail must come with, if it must.
pub async fn question(app: &App, caller: Caller<'_>) -> Option<Challenge> {
    toll(app, caller).question(app).await
}

/// Sends the link that opens an account, the first time or again. Says the same whether there is one already.
/// `address` is where the link leads, to be followed by what proves it.
pub async fn register(app: &App, email: &str, address: &str, caller: Caller<'_>) -> Result<Taken<()>> {
    if email.trim().is_empty() {
        return Ok(Err(NotTaken::Empty));
    }
    let Some(email) = Email::parse(email) else { return Ok(Err(NotTaken::Email)) };
    if let Err(guess) = toll(app, caller).pay(app, caller.captcha).await {
        return Ok(Err(NotTaken::Guess(guess)));
    }
    let of = keyed(app, "register", &email.reveal().to_ascii_lowercase());
    let limits = [(format!("ask:{of}"), ADDRESS), (format!("ask-pause:{of}"), PAUSE)];
    if let Err(until) = all_allowed(app, &limits).await {
        return Ok(Err(NotTaken::Wait { until }));
    }
    let (token, now) = (app.chance.token(TOKEN), app.clock.now());
    let letter = Letter::Register { email: email.reveal().to_owned(), link: format!("{address}{token}") };
    let tx = app.db.begin().await?;
    let until = now + MessageKind::MailLink.useful_for();
    mail_links::insert(&tx, &app.sealer, &hash(&token), &MailLink { payer: None, email }, until).await?;
    messages::insert(&tx, &app.sealer, letter.kind(), &letter.write(), now).await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// The address a registration link stands for, if it still opens. Opening it uses nothing up.
pub async fn opens(app: &App, token: &str) -> Result<Option<Email>> {
    let link = mail_links::find(app.db.read(), &app.sealer, &hash(token), app.clock.now()).await?;
    Ok(link.filter(|link| link.payer.is_none()).map(|link| link.email))
}

/// Why an account was not opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotOpened {
    Name,
    Password(NotTaken),
    LinkOver,
}

/// Opens the account of a registration link. Gives the token of its session.
pub async fn activate(
    app: &App,
    token: &str,
    name: &str,
    new: NewPassword<'_>,
    caller: Caller<'_>,
) -> Result<std::result::Result<String, NotOpened>> {
    let (link, now) = (hash(token), app.clock.now());
    let Some(email) = opens(app, token).await? else { return again(app, &link).await };
    let Some(name) = real_name(name) else { return Ok(Err(NotOpened::Name)) };
    let local = email.reveal().split('@').next().unwrap_or_default();
    if let Err(not) = words(new, &[local]) {
        return Ok(Err(NotOpened::Password(not)));
    }
    let stored = password::store_form(app, new.new).await;
    let number = next_number(app).await?;
    let tx = app.db.begin().await?;
    let payer = match open(app, &tx, &email, &number, &name, &stored).await? {
        Some(payer) if mail_links::take_for(&tx, &link, payer, now).await? => payer,
        _ => {
            tx.rollback().await?;
            return again(app, &link).await;
        }
    };
    tx.commit().await?;
    tracing::info!(%payer, "account opened by e-mail");
    // what it tells keeps nobody out
    if let Err(failure) = device::note(app, payer, caller).await {
        tracing::error!(%failure, "a sign-in was not noted");
    }
    begin(app, payer).await.map(Ok)
}

/// Writes an account whose mailbox is proven; none when the address has one. `stored` is the password as it is kept.
pub async fn open(
    app: &App,
    tx: &impl ConnectionTrait,
    email: &Email,
    number: &str,
    name: &str,
    stored: &str,
) -> Result<Option<PayerId>> {
    let now = app.clock.now();
    let payer = NewPayer {
        kind: PayerKind::Outsider,
        number: number.to_owned(),
        name: name.to_owned(),
        name_en: name.to_owned(),
        college: String::new(),
        class_name: String::new(),
        id_number: None,
        phone: None,
    };
    let Some(payer) = payers::insert(tx, &app.sealer, &payer, now).await? else { return Ok(None) };
    if !members::insert(tx, &app.sealer, payer, email, now).await? {
        return Ok(None);
    }
    accounts::set_password(tx, payer, stored, now).await?;
    let profile = Profile { email: Some(email.clone()), ..Profile::default() };
    profiles::save(tx, &app.sealer, payer, &profile, now).await?;
    Ok(Some(payer))
}

/// A second tap: the account the link has opened a moment ago.
async fn again(app: &App, link: &str) -> Result<std::result::Result<String, NotOpened>> {
    let since = app.clock.now() - AGAIN;
    match mail_links::taken_since(app.db.read(), link, since).await? {
        Some(payer) => begin(app, payer).await.map(Ok),
        None => Ok(Err(NotOpened::LinkOver)),
    }
}

async fn begin(app: &App, payer: PayerId) -> Result<String> {
    let account = payers::find(app.db.read(), payer).await?.ok_or(Refusal::NotFound)?;
    Ok(session::begin(app, &account, Rights::Full).await?.0)
}

/// `I26000001`: the number of an account opened by e-mail.
async fn next_number(app: &App) -> Result<String> {
    loop {
        let serial = app.serials.next(&app.db, "member", 10).await?;
        let number = format!("I{}{serial:06}", app.clock.now().format("%y"));
        if payers::find_by_number(app.db.read(), &number).await?.is_none() {
            return Ok(number);
        }
    }
}
