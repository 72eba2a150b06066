//! A phone proven by a code of a text message: asked for, sent again, given. What it is proven for is the caller's.
//!
//! The same is said of every phone. A code lives for five minutes, belongs to the visitor who asked for it, and the
//! next one ends it; wrong ones are counted before they are looked at. The step lies in the cache, so without Redis it
//! is known to the process that sent the code.
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::{NotTaken, Taken};
use super::failure::Result;
use super::guess::{Caller, Challenge, Gate, Toll, all_allowed, keyed};
use super::letter::Letter;
use crate::app::App;
use crate::domain::id_number::normalise;
use crate::domain::ids::PayerId;
use crate::domain::moment::Moment;
use crate::domain::payer::Phone;
use crate::store::messages;
use crate::store::seal::Field;

/// How long the steps may take together
const STEP: Duration = Duration::from_secs(30 * 60);
/// Codes to one phone, and codes that one signed-in payer asks for
const PAUSE: (u32, Duration) = (1, Duration::from_secs(60));
const PHONE: (u32, Duration) = (5, Duration::from_secs(3600));
const PAYER: (u32, Duration) = (10, Duration::from_secs(3600));
/// Codes asked for from one network, and how many of them without a question: a whole campus may be one
const ADDRESS: (u32, Duration) = (60, Duration::from_secs(600));
const FREE: u32 = 5;

/// What a phone is proven for.
pub struct CodeFor {
    /// Keeps steps and counts apart
    pub name: &'static str,
    /// The letter that brings a code (the second) to a phone (the first)
    pub letter: fn(String, String) -> Letter,
}

/// Who asks for a code, and for which page.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// The page that was wanted; empty for none
    pub back: &'a str,
    /// None: nobody is signed in
    pub payer: Option<PayerId>,
    pub caller: Caller<'a>,
}

/// Between asking for the code and what it is asked for.
#[derive(Serialize, Deserialize)]
struct Step {
    visitor: String,
    phone_sealed: String,
    back: String,
    /// Tells the code without saying it
    tag: String,
    /// Milliseconds since 1970
    until: i64,
    proven: bool,
}

impl Step {
    fn phone(&self, app: &App) -> Option<Phone> {
        Phone::parse(&app.sealer.open(Field::Phone, &self.phone_sealed)?)
    }
}

/// What a page between the steps shows.
pub struct Waiting {
    /// Masked
    pub phone: String,
    pub back: String,
    pub proven: bool,
}

impl CodeFor {
    pub async fn waiting(&self, app: &App, ticket: &str, visitor: &str) -> Option<Waiting> {
        let step = self.step(app, ticket, visitor).await?;
        Some(Waiting { phone: step.phone(app)?.masked(), proven: step.proven, back: step.back })
    }

    /// The phone this ticket has proven, and the page that was wanted.
    pub async fn proven(&self, app: &App, ticket: &str, visitor: &str) -> Option<(Phone, String)> {
        let step = self.step(app, ticket, visitor).await.filter(|step| step.proven)?;
        Some((step.phone(app)?, step.back))
    }

    /// As [`Self::proven`], for one use: of two that ask at once one is given it.
    pub async fn spend(&self, app: &App, ticket: &str, visitor: &str) -> Option<(Phone, String)> {
        let proven = self.proven(app, ticket, visitor).await?;
        app.cache.take(&self.key(ticket)).await.map(|_| proven)
    }

    async fn step(&self, app: &App, ticket: &str, visitor: &str) -> Option<Step> {
        let step: Step = serde_json::from_str(&app.cache.get(&self.key(ticket)).await?).ok()?;
        (step.visitor == visitor).then_some(step)
    }

    fn key(&self, ticket: &str) -> String {
        format!("{}:{ticket}", self.name)
    }

    async fn keep(&self, app: &App, ticket: &str, step: &Step) {
        if let Ok(text) = serde_json::to_string(step) {
            app.cache.put(&self.key(ticket), &text, STEP).await;
        }
    }

    fn toll(&self, app: &App, caller: Caller<'_>) -> Toll {
        Toll::new(app, self.name, caller.address, FREE, ADDRESS)
    }

    /// The security check the next wish for a code must come with, if it must.
    pub async fn question(&self, app: &App, caller: Caller<'_>) -> Option<Challenge> {
        self.toll(app, caller).question(app).await
    }

    /// Asks for a code. Gives the ticket of the page that takes it; says the same of every phone.
    pub async fn send(&self, app: &App, phone: &str, asking: Asking<'_>) -> Result<Taken<String>> {
        if phone.trim().is_empty() {
            return Ok(Err(NotTaken::Empty));
        }
        let Some(phone) = Phone::parse_mobile(phone) else { return Ok(Err(NotTaken::Phone)) };
        let ticket = app.chance.token(32);
        Ok(self.code_for(app, &ticket, &phone, asking).await?.map(|()| ticket))
    }

    /// Asks for another code on the same page; the one before is over.
    pub async fn send_again(
        &self,
        app: &App,
        ticket: &str,
        payer: Option<PayerId>,
        caller: Caller<'_>,
    ) -> Result<Taken<()>> {
        let step = self.step(app, ticket, caller.visitor).await.filter(|step| !step.proven);
        match step.and_then(|step| Some((step.phone(app)?, step.back))) {
            Some((phone, back)) => self.code_for(app, ticket, &phone, Asking { back: &back, payer, caller }).await,
            None => Ok(Err(NotTaken::StepOver)),
        }
    }

    async fn code_for(&self, app: &App, ticket: &str, phone: &Phone, asking: Asking<'_>) -> Result<Taken<()>> {
        let Asking { back, payer, caller } = asking;
        let of = keyed(app, &format!("{} phone", self.name), phone.reveal());
        let mut limits = vec![(format!("ask:{of}"), PHONE), (format!("ask-pause:{of}"), PAUSE)];
        if let Some(payer) = payer {
            limits.push((format!("ask:{}", keyed(app, &format!("{} payer", self.name), &payer.to_string())), PAYER));
        }
        if let Err(guess) = self.toll(app, caller).pay(app, caller.captcha).await {
            return Ok(Err(NotTaken::Guess(guess)));
        }
        if let Err(until) = all_allowed(app, &limits).await {
            return Ok(Err(NotTaken::Wait { until }));
        }
        let code = format!("{:06}", app.chance.below(1_000_000));
        let letter = (self.letter)(phone.reveal().to_owned(), code.clone());
        let step = Step {
            visitor: caller.visitor.to_owned(),
            phone_sealed: app.sealer.seal(Field::Phone, phone.reveal()),
            back: back.to_owned(),
            tag: self.tag(app, ticket, &code),
            until: (app.clock.now() + letter.kind().useful_for()).millis(),
            proven: false,
        };
        self.keep(app, ticket, &step).await;
        messages::insert(app.db.write(), &app.sealer, letter.kind(), &letter.write(), app.clock.now()).await?;
        Ok(Ok(()))
    }

    fn tag(&self, app: &App, ticket: &str, code: &str) -> String {
        keyed(app, &format!("{} code", self.name), &format!("{ticket} {code}"))
    }

    /// The security check the next code must come with, if it must.
    pub async fn code_question(&self, app: &App, ticket: &str, caller: Caller<'_>) -> Option<Challenge> {
        let phone = self.step(app, ticket, caller.visitor).await?.phone(app)?;
        Gate::new(app, self.name, phone.reveal(), caller.address).question(app, caller.visitor).await
    }

    /// The code that came by text message.
    pub async fn prove(&self, app: &App, ticket: &str, code: &str, caller: Caller<'_>) -> Result<Taken<()>> {
        let Some(step) = self.step(app, ticket, caller.visitor).await else { return Ok(Err(NotTaken::StepOver)) };
        let Some(phone) = step.phone(app) else { return Ok(Err(NotTaken::StepOver)) };
        if step.proven {
            return Ok(Ok(()));
        }
        if code.trim().is_empty() {
            return Ok(Err(NotTaken::Empty));
        }
        let gate = Gate::new(app, self.name, phone.reveal(), caller.address);
        let left = match gate.enter(app, caller.captcha).await {
            Ok(left) => left,
            Err(guess) => return Ok(Err(NotTaken::Guess(guess))),
        };
        let in_time = app.clock.now() < Moment::from_millis(step.until);
        if !in_time || self.tag(app, ticket, &normalise(code)) != step.tag {
            return Ok(Err(NotTaken::Guess(gate.wrong(app, left).await)));
        }
        gate.right(app).await;
        self.keep(app, ticket, &Step { proven: true, ..step }).await;
        Ok(Ok(()))
    }
}
