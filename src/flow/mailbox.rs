//! 激活邮箱: a mailbox somebody names counts for nothing until the link that was sent there is used.
use std::time::Duration;

use sea_orm::ConnectionTrait;

use super::account::{NotTaken, Taken};
use super::failure::Result;
use super::guess::{all_allowed, keyed};
use super::letter::Letter;
use super::session::hash;
use crate::app::App;
use crate::domain::ids::PayerId;
use crate::domain::message::{MessageKind, Way};
use crate::domain::profile::Email;
use crate::domain::session::{Rights, Session};
use crate::store::mail_links::MailLink;
use crate::store::profiles::Profile;
use crate::store::{mail_links, messages, payers, profiles};

/// Letters of what stands in a link, 5.8 bits each
const TOKEN: usize = 43;
/// Mails to one account
const PAUSE: (u32, Duration) = (1, Duration::from_secs(60));
const ACCOUNT: (u32, Duration) = (5, Duration::from_secs(3600));

/// Notes the mailbox a payer has named and sends the link; links before it end. `address` is where the link leads, to
/// be followed by what proves it.
pub(super) async fn name(
    app: &App,
    tx: &impl ConnectionTrait,
    payer: PayerId,
    email: &Email,
    address: &str,
) -> Result<()> {
    let (token, now) = (app.chance.token(TOKEN), app.clock.now());
    mail_links::end_all(tx, payer, now).await?;
    let link = MailLink { payer: Some(payer), email: email.clone() };
    let until = now + MessageKind::MailLink.useful_for();
    mail_links::insert(tx, &app.sealer, &hash(&token), &link, until).await?;
    let letter = Letter::ConfirmMail { email: email.reveal().to_owned(), link: format!("{address}{token}") };
    messages::insert(tx, &app.sealer, letter.kind(), &letter.write(), now).await?;
    Ok(())
}

/// Whether the link to this mailbox has just gone out: a form sent twice sends one letter.
pub(super) async fn is_named(app: &App, tx: &impl ConnectionTrait, payer: PayerId, email: &Email) -> Result<bool> {
    let Some((named, until)) = mail_links::pending(tx, &app.sealer, payer).await? else { return Ok(false) };
    let since = until.since(app.clock.now());
    Ok(named == *email && since + PAUSE.1 > MessageKind::MailLink.useful_for())
}

/// The mailbox that waits for its owner, if mail goes out at all.
pub async fn pending(app: &App, session: &Session) -> Result<Option<Email>> {
    if session.rights != Rights::Full || !app.carrier.has(Way::Mail) {
        return Ok(None);
    }
    let pending = mail_links::pending(app.db.read(), &app.sealer, session.payer_id).await?;
    Ok(pending.map(|(email, _)| email))
}

/// 重新发送激活邮件: a new link to the mailbox that was named.
pub async fn send_again(app: &App, session: &Session, address: &str) -> Result<Taken<()>> {
    let Some(email) = pending(app, session).await? else { return Ok(Err(NotTaken::StepOver)) };
    let of = keyed(app, "mailbox", &session.payer_id.to_string());
    let limits = [(format!("ask:{of}"), ACCOUNT), (format!("ask-pause:{of}"), PAUSE)];
    if let Err(until) = all_allowed(app, &limits).await {
        return Ok(Err(NotTaken::Wait { until }));
    }
    let tx = app.db.begin().await?;
    payers::lock(&tx, session.payer_id).await?;
    name(app, &tx, session.payer_id, &email, address).await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// The address a link stands for, if it still opens; masked. Opening it uses nothing up.
pub async fn opens(app: &App, token: &str) -> Result<Option<String>> {
    let link = mail_links::find(app.db.read(), &app.sealer, &hash(token), app.clock.now()).await?;
    Ok(link.filter(|link| link.payer.is_some()).map(|link| link.email.masked()))
}

/// Whoever has the link has the mailbox: from now on messages go there. False when the link does not open any more.
pub async fn confirm(app: &App, token: &str) -> Result<bool> {
    let (hash, now) = (hash(token), app.clock.now());
    let found = mail_links::find(app.db.read(), &app.sealer, &hash, now).await?;
    let Some((payer, email)) = found.and_then(|link| Some((link.payer?, link.email))) else { return Ok(false) };
    let tx = app.db.begin().await?;
    payers::lock(&tx, payer).await?;
    if !mail_links::take(&tx, &hash, now).await? {
        return Ok(false);
    }
    let kept = profiles::find(&tx, &app.sealer, payer).await?;
    if let Some(before) = kept.email.as_ref().filter(|before| **before != email) {
        tell_before(app, &tx, before).await?;
    }
    profiles::save(&tx, &app.sealer, payer, &Profile { email: Some(email), ..kept }, now).await?;
    mail_links::end_all(&tx, payer, now).await?;
    tx.commit().await?;
    tracing::info!(%payer, "mailbox confirmed");
    Ok(true)
}

/// A payer takes the mailbox away: links end, and the address that was kept is told.
pub(super) async fn give_up(app: &App, tx: &impl ConnectionTrait, payer: PayerId, kept: Option<&Email>) -> Result<()> {
    mail_links::end_all(tx, payer, app.clock.now()).await?;
    match kept {
        Some(before) => tell_before(app, tx, before).await,
        None => Ok(()),
    }
}

/// Tells the address that was the payer's that mail goes elsewhere now.
async fn tell_before(app: &App, tx: &impl ConnectionTrait, before: &Email) -> Result<()> {
    if app.carrier.has(Way::Mail) {
        let now = app.clock.now();
        let letter = Letter::MailMoved { email: before.reveal().to_owned(), at: now.millis() };
        messages::insert(tx, &app.sealer, letter.kind(), &letter.write(), now).await?;
    }
    Ok(())
}
