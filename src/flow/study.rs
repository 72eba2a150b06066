//! 学业绑定: the studies of an account opened by e-mail.
//!
//! A study is bound by its number, the birth date and the nationality; one answer for whatever of it is wrong. Where
//! another account has it already, the passport number must be known as well, and that account is told. What is bound
//! may be paid and looked at, and nothing else of that payer.
use std::time::Duration;

use super::failure::Result;
use super::guess::{Caller, Challenge, Gate, Guess, keyed};
use super::letter::Letter;
use crate::app::App;
use crate::cache::throttle::Throttle;
use crate::domain::id_number::normalise;
use crate::domain::ids::PayerId;
use crate::domain::payer::Payer;
use crate::domain::profile::Email;
use crate::domain::refusal::Refusal;
use crate::domain::session::Session;
use crate::domain::study::{birth_day, looks_like_number};
use crate::store::studies::{self, Study};
use crate::store::{members, messages, payers, sessions};

/// Wrong tries at one study, whoever makes them
const NUMBER: (u32, Duration) = (10, Duration::from_secs(3600));

/// A bound study as its account sees it.
pub struct Own {
    /// Names the binding
    pub id: i64,
    pub payer: Payer,
    pub study: Option<Study>,
}

/// The studies bound to this account, and the address it signs in by.
pub async fn own(app: &App, session: &Session) -> Result<(Email, Vec<Own>)> {
    let member = of(session)?;
    let email = members::email(app.db.read(), &app.sealer, member).await?.ok_or(Refusal::NotFound)?;
    let mut found = Vec::new();
    for bound in members::bound(app.db.read(), member).await? {
        let account = payers::find(app.db.read(), bound.payer).await?.ok_or(Refusal::NotFound)?;
        let study = studies::of_payer(app.db.read(), &app.sealer, bound.payer).await?;
        found.push(Own { id: bound.id, payer: account.payer, study });
    }
    Ok((email, found))
}

/// Only of who signed in by e-mail.
fn of(session: &Session) -> Result<PayerId> {
    Ok(session.member.ok_or(Refusal::NotFound)?)
}

/// What was typed to bind a study.
#[derive(Clone, Copy)]
pub struct Typed<'a> {
    /// Application number or student number
    pub number: &'a str,
    pub birth_date: &'a str,
    pub nationality: &'a str,
    /// Only where it was asked for
    pub passport: &'a str,
}

/// What was left out, or cannot be what it should; nothing was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Unfit {
    pub number: bool,
    pub birth_date: bool,
    pub nationality: bool,
}

/// Why a study was not bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotBound {
    Unfit(Unfit),
    /// Something is wrong, and it is not told what
    Guess(Guess),
    /// Another account has it: the passport number is asked for as well
    Passport {
        is_wrong: bool,
    },
}

impl Typed<'_> {
    fn unfit(&self) -> Option<Unfit> {
        let unfit = Unfit {
            number: !looks_like_number(self.number),
            birth_date: birth_day(self.birth_date).is_none(),
            nationality: self.nationality.trim().is_empty(),
        };
        (unfit != Unfit::default()).then_some(unfit)
    }
}

/// Binds a study and goes on with it.
pub async fn bind(
    app: &App,
    session: &Session,
    typed: Typed<'_>,
    caller: Caller<'_>,
) -> Result<std::result::Result<(), NotBound>> {
    let member = of(session)?;
    if let Some(unfit) = typed.unfit() {
        return Ok(Err(NotBound::Unfit(unfit)));
    }
    // tries are counted before they are looked at: those of the account, and those at the number, whoever makes them
    let number = format!("bound:{}", keyed(app, "bound", &normalise(typed.number)));
    let gate = gate(app, member, caller);
    let left = match gate.enter(app, caller.captcha).await {
        Ok(left) => left,
        Err(guess) => return Ok(Err(NotBound::Guess(guess))),
    };
    if let Throttle::Wait(wait) = app.cache.throttle(&number, NUMBER.0, NUMBER.1).await {
        return Ok(Err(NotBound::Guess(Guess::Locked { until: app.clock.now() + wait })));
    }
    let found = gate.looked(app, studies::find(app.db.read(), &app.sealer, typed.number).await).await?;
    let Some(study) = found.filter(|study| study.details.proves(typed.birth_date, typed.nationality)) else {
        return Ok(Err(NotBound::Guess(gate.wrong(app, left).await)));
    };
    let taken = gate.looked(app, take(app, session, member, &study, typed.passport).await).await?;
    if taken || typed.passport.is_empty() {
        gate.right(app).await;
        app.cache.give_back(&number).await;
        return Ok(if taken { Ok(()) } else { Err(NotBound::Passport { is_wrong: false }) });
    }
    Ok(Err(match gate.wrong(app, left).await {
        locked @ Guess::Locked { .. } => NotBound::Guess(locked),
        _ => NotBound::Passport { is_wrong: true },
    }))
}

/// Binds a study that was proven. False when another account has it and the passport is not the right one; with the
/// right one that account is told.
async fn take(app: &App, session: &Session, member: PayerId, study: &Study, passport: &str) -> Result<bool> {
    let (tx, now) = (app.db.begin().await?, app.clock.now());
    payers::lock(&tx, member).await?;
    payers::lock(&tx, study.payer).await?;
    let holders = members::holders(&tx, study.payer).await?;
    let is_own = holders.contains(&member);
    if !holders.is_empty() && !is_own && !study.details.is_passport(passport) {
        tx.rollback().await?;
        return Ok(false);
    }
    members::bind(&tx, member, study.payer, now).await?;
    sessions::act_for(&tx, session.id, study.payer).await?;
    for holder in holders.into_iter().filter(|_| !is_own) {
        let letter = Letter::StudyShared { member: holder, at: now.millis() };
        messages::insert(&tx, &app.sealer, letter.kind(), &letter.write(), now).await?;
    }
    tx.commit().await?;
    tracing::info!(%member, payer = %study.payer, "study bound");
    Ok(true)
}

fn gate(app: &App, member: PayerId, caller: Caller<'_>) -> Gate {
    Gate::new(app, "bind", &member.to_string(), caller.address)
}

/// The security check the next try must come with, if it must.
pub async fn question(app: &App, session: &Session, caller: Caller<'_>) -> Option<Challenge> {
    gate(app, session.member?, caller).question(app, caller.visitor).await
}

/// Goes on with another of the account's studies. False when it was taken off meanwhile.
pub async fn choose(app: &App, session: &Session, id: &str) -> Result<bool> {
    let (_, _, (study, is_live)) = one(app, session, id).await?;
    if is_live {
        sessions::act_for(app.db.write(), session.id, study).await?;
    }
    Ok(is_live)
}

/// Takes a study off the account, on every device. Asked twice, it is off.
pub async fn unbind(app: &App, session: &Session, id: &str) -> Result<()> {
    let (member, id, (study, _)) = one(app, session, id).await?;
    members::unbind(app.db.write(), member, id, app.clock.now()).await?;
    tracing::info!(%member, payer = %study, "study unbound");
    Ok(())
}

/// A binding of this account, and nobody else's.
async fn one(app: &App, session: &Session, id: &str) -> Result<(PayerId, i64, (PayerId, bool))> {
    let member = of(session)?;
    let id = id.parse().map_err(|_| Refusal::NotFound)?;
    let found = members::binding(app.db.read(), member, id).await?.ok_or(Refusal::NotFound)?;
    Ok((member, id, found))
}
