//! 注册: people from outside open an account of their own. First the phone is proven by a code, then the rest is asked.
//!
//! Nobody learns here whether the school knows a document number: with an unknown number, and with a known one without
//! proof, the same happens, an empty account of one's own is opened. Proof is the office's phone and name for that
//! number: then the office's account is taken over, and only then is told who is a student already.
use std::time::Duration;

use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

use super::account::{NewPassword, NotTaken, Taken, asked, words};
use super::failure::Result;
use super::guess::{Caller, Challenge, Gate, Toll, all_allowed, keyed};
use super::letter::Letter;
use super::session::hash;
use super::{device, mailbox, password, session};
use crate::app::App;
use crate::domain::document::{Document, WrongNumber};
use crate::domain::id_number::{IdNumber, normalise};
use crate::domain::ids::PayerId;
use crate::domain::message::{MessageKind, Way};
use crate::domain::moment::Moment;
use crate::domain::payer::{PayerKind, Phone, name_key};
use crate::domain::profile::{Email, Gender, real_name};
use crate::domain::question::Question;
use crate::domain::refusal::Refusal;
use crate::domain::session::Rights;
use crate::store::payers::{Account, NewPayer};
use crate::store::seal::Field;
use crate::store::sign_ups::{MOST, Opened, SignUp};
use crate::store::{accounts, messages, payers, profiles, sign_ups};

/// How long the steps may take together
const STEP: Duration = Duration::from_secs(30 * 60);
/// How long the same form opens the same account, for a second tap
const AGAIN: Duration = Duration::from_secs(60);
/// Codes to one phone
const PAUSE: (u32, Duration) = (1, Duration::from_secs(60));
const PHONE: (u32, Duration) = (5, Duration::from_secs(3600));
/// Codes asked for from one network, and how many of them without a question: a whole campus may be one
const ADDRESS: (u32, Duration) = (60, Duration::from_secs(600));
const FREE: u32 = 5;
/// Forms of one phone, and of one document number, that were filled in well
const FORMS: (u32, Duration) = (5, Duration::from_secs(86_400));

/// Whether people can sign up: the phone is proven by a text message.
pub fn is_offered(app: &App) -> bool {
    app.carrier.has(Way::Sms)
}

/// Between asking for the code and the account.
#[derive(Serialize, Deserialize)]
struct Step {
    visitor: String,
    phone_sealed: String,
    /// The page that was wanted; empty for none
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

pub async fn waiting(app: &App, ticket: &str, visitor: &str) -> Option<Waiting> {
    let step = step(app, ticket, visitor).await?;
    Some(Waiting { phone: step.phone(app)?.masked(), proven: step.proven, back: step.back })
}

async fn step(app: &App, ticket: &str, visitor: &str) -> Option<Step> {
    let step: Step = serde_json::from_str(&app.cache.get(&step_key(ticket)).await?).ok()?;
    (step.visitor == visitor).then_some(step)
}

fn step_key(ticket: &str) -> String {
    format!("sign-up:{ticket}")
}

async fn keep(app: &App, ticket: &str, step: &Step) {
    if let Ok(text) = serde_json::to_string(step) {
        app.cache.put(&step_key(ticket), &text, STEP).await;
    }
}

fn toll(app: &App, caller: Caller<'_>) -> Toll {
    Toll::new(app, "sign-up", caller.address, FREE, ADDRESS)
}

/// The security check the next wish for a code must come with, if it must.
pub async fn question(app: &App, caller: Caller<'_>) -> Option<Challenge> {
    toll(app, caller).question(app).await
}

/// Asks for a code. Gives the ticket of the page that takes it; says the same of every phone.
pub async fn send_code(app: &App, phone: &str, back: &str, caller: Caller<'_>) -> Result<Taken<String>> {
    if phone.trim().is_empty() {
        return Ok(Err(NotTaken::Empty));
    }
    let Some(phone) = Phone::parse_mobile(phone) else { return Ok(Err(NotTaken::Phone)) };
    let ticket = app.chance.token(32);
    Ok(code_for(app, &ticket, &phone, back, caller).await?.map(|()| ticket))
}

/// Asks for another code on the same page; the one before is over.
pub async fn send_again(app: &App, ticket: &str, caller: Caller<'_>) -> Result<Taken<()>> {
    let step = step(app, ticket, caller.visitor).await.filter(|step| !step.proven);
    match step.and_then(|step| Some((step.phone(app)?, step.back))) {
        Some((phone, back)) => code_for(app, ticket, &phone, &back, caller).await,
        None => Ok(Err(NotTaken::StepOver)),
    }
}

async fn code_for(app: &App, ticket: &str, phone: &Phone, back: &str, caller: Caller<'_>) -> Result<Taken<()>> {
    let of = keyed(app, "sign-up phone", phone.reveal());
    let limits = [(format!("ask:{of}"), PHONE), (format!("ask-pause:{of}"), PAUSE)];
    if let Err(guess) = toll(app, caller).pay(app, caller.captcha).await {
        return Ok(Err(NotTaken::Guess(guess)));
    }
    if let Err(until) = all_allowed(app, &limits).await {
        return Ok(Err(NotTaken::Wait { until }));
    }
    let code = format!("{:06}", app.chance.below(1_000_000));
    let step = Step {
        visitor: caller.visitor.to_owned(),
        phone_sealed: app.sealer.seal(Field::Phone, phone.reveal()),
        back: back.to_owned(),
        tag: tag(app, ticket, &code),
        until: (app.clock.now() + MessageKind::SignUpCode.useful_for()).millis(),
        proven: false,
    };
    keep(app, ticket, &step).await;
    let letter = Letter::SignUpCode { phone: phone.reveal().to_owned(), code };
    messages::insert(app.db.write(), &app.sealer, letter.kind(), &letter.write(), app.clock.now()).await?;
    Ok(Ok(()))
}

fn tag(app: &App, ticket: &str, code: &str) -> String {
    keyed(app, "sign-up code", &format!("{ticket} {code}"))
}

/// The security check the next code must come with, if it must.
pub async fn code_question(app: &App, ticket: &str, caller: Caller<'_>) -> Option<Challenge> {
    let phone = step(app, ticket, caller.visitor).await?.phone(app)?;
    Gate::new(app, "sign-up", phone.reveal(), caller.address).question(app, caller.visitor).await
}

/// The code that came by text message.
pub async fn prove(app: &App, ticket: &str, code: &str, caller: Caller<'_>) -> Result<Taken<()>> {
    let Some(step) = step(app, ticket, caller.visitor).await else { return Ok(Err(NotTaken::StepOver)) };
    let Some(phone) = step.phone(app) else { return Ok(Err(NotTaken::StepOver)) };
    if step.proven {
        return Ok(Ok(()));
    }
    if code.trim().is_empty() {
        return Ok(Err(NotTaken::Empty));
    }
    let gate = Gate::new(app, "sign-up", phone.reveal(), caller.address);
    let left = match gate.enter(app, caller.captcha).await {
        Ok(left) => left,
        Err(guess) => return Ok(Err(NotTaken::Guess(guess))),
    };
    let in_time = app.clock.now() < Moment::from_millis(step.until);
    if !in_time || tag(app, ticket, &normalise(code)) != step.tag {
        return Ok(Err(NotTaken::Guess(gate.wrong(app, left).await)));
    }
    gate.right(app).await;
    keep(app, ticket, &Step { proven: true, ..step }).await;
    Ok(Ok(()))
}

/// The form as it was typed.
#[derive(Clone, Copy)]
pub struct Typed<'a> {
    pub name: &'a str,
    pub document: &'a str,
    pub number: &'a str,
    pub gender: &'a str,
    /// May be empty
    pub email: &'a str,
    pub password: NewPassword<'a>,
    pub question: &'a str,
    pub answer: &'a str,
}

/// Why the form was not taken; each field says for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wrong {
    pub name: bool,
    pub document: bool,
    pub number: Option<WrongNumber>,
    pub gender: bool,
    pub email: bool,
    pub password: Option<NotTaken>,
    pub question: bool,
    pub answer: bool,
}

/// How the last step ends.
pub enum Answer {
    /// The account is open, and this its session
    In {
        token: String,
        back: String,
    },
    /// Told to whoever has proven to be that person: a student or staff number is there, to sign in with
    IsStudent {
        back: String,
    },
    /// Told to whoever has proven to be that person: there is such an account
    IsSignedUp {
        back: String,
    },
    Wrong(Wrong),
    StepOver,
    Wait {
        until: Moment,
    },
    /// Too many have signed up with this document number
    AskOffice,
}

/// A form that can be taken.
struct Form<'a> {
    name: String,
    document: Document,
    number: IdNumber,
    gender: Gender,
    email: Option<Email>,
    password: &'a str,
    question: Question,
    answer: String,
}

fn read<'a>(app: &App, typed: Typed<'a>, phone: &Phone) -> std::result::Result<Form<'a>, Wrong> {
    let name = real_name(typed.name);
    let document = Document::parse(typed.document);
    let number = document.map(|document| document.read(typed.number, app.clock.now().day()));
    let tail = number.as_ref().and_then(|number| number.as_ref().ok()).map_or("", |number| number.tail(6));
    let password = words(typed.password, &[tail, phone.reveal()]);
    let gender = Gender::parse(typed.gender);
    let email = match typed.email.trim() {
        "" => Ok(None),
        typed => Email::parse(typed).map(Some).ok_or(()),
    };
    let question = asked(typed.question, typed.answer);
    let answer = asked(Question::BirthTown.code(), typed.answer);
    match (name, document, number, gender, email, password, question) {
        (Some(name), Some(document), Some(Ok(number)), Some(gender), Ok(email), Ok(()), Ok((question, answer))) => {
            Ok(Form { name, document, number, gender, email, password: typed.password.new, question, answer })
        }
        (name, document, number, gender, email, password, _) => Err(Wrong {
            name: name.is_none(),
            document: document.is_none(),
            number: number.and_then(std::result::Result::err),
            gender: gender.is_none(),
            email: email.is_err(),
            password: password.err(),
            question: Question::parse(typed.question).is_none(),
            answer: answer.is_err(),
        }),
    }
}

/// The last step: opens the account and signs in. `mail_address` is where an activation link leads, to be followed by
/// what proves it.
pub async fn submit(
    app: &App,
    ticket: &str,
    typed: Typed<'_>,
    mail_address: &str,
    caller: Caller<'_>,
) -> Result<Answer> {
    let step = step(app, ticket, caller.visitor).await.filter(|step| step.proven);
    let Some((phone, back)) = step.and_then(|step| Some((step.phone(app)?, step.back))) else {
        return Ok(Answer::StepOver);
    };
    let ticket = hash(ticket);
    if let Some(again) = of_form(app, &ticket, &back).await? {
        return Ok(again);
    }
    let form = match read(app, typed, &phone) {
        Ok(form) => form,
        Err(wrong) => return Ok(Answer::Wrong(wrong)),
    };
    let limits = ["sign-up of phone", "sign-up of number"].map(|kind| {
        let of = if kind.ends_with("phone") { phone.reveal() } else { form.number.reveal() };
        (format!("forms:{}", keyed(app, kind, of)), FORMS)
    });
    if let Err(until) = all_allowed(app, &limits).await {
        return Ok(Answer::Wait { until });
    }
    let joins = match whose(app, &form, &phone).await? {
        Whose::Student => return Ok(Answer::IsStudent { back }),
        Whose::SignedUp => return Ok(Answer::IsSignedUp { back }),
        Whose::TooMany => return Ok(Answer::AskOffice),
        Whose::Office(payer) => Some(payer),
        Whose::Nobodys => None,
    };
    let Some(payer) = open(app, &ticket, (&form, &phone), joins, mail_address).await? else {
        return Ok(of_form(app, &ticket, &back).await?.unwrap_or(Answer::StepOver));
    };
    // what it tells keeps nobody out
    if let Err(failure) = device::note(app, payer, caller).await {
        tracing::error!(%failure, "a sign-in was not noted");
    }
    begin(app, payer, back).await
}

/// The account this form has opened a moment ago.
async fn of_form(app: &App, ticket: &str, back: &str) -> Result<Option<Answer>> {
    let Some(opened) = sign_ups::find(app.db.read(), ticket).await? else { return Ok(None) };
    if app.clock.now().since(opened.at) >= AGAIN {
        return Ok(Some(Answer::StepOver));
    }
    begin(app, opened.payer, back.to_owned()).await.map(Some)
}

async fn begin(app: &App, payer: PayerId, back: String) -> Result<Answer> {
    let account = payers::find(app.db.read(), payer).await?.ok_or(Refusal::NotFound)?;
    let (token, _) = session::begin(app, &account, Rights::Full).await?;
    Ok(Answer::In { token, back })
}

/// To whom a form belongs, as far as it is proven.
enum Whose {
    Nobodys,
    /// The office's account, in which nobody has chosen a password
    Office(PayerId),
    Student,
    SignedUp,
    TooMany,
}

async fn whose(app: &App, form: &Form<'_>, phone: &Phone) -> Result<Whose> {
    let all = payers::find_by_id_number(app.db.read(), &app.sealer, &form.number).await?;
    let own = sign_ups::opened_by_themselves(app.db.read(), &app.sealer, &form.number).await?;
    let mut proven: Vec<Account> = Vec::new();
    for account in all {
        if account.name_key == name_key(&form.name) && account.phone(&app.sealer)?.as_ref() == Some(phone) {
            proven.push(account);
        }
    }
    let has_number = |account: &Account| matches!(account.payer.kind, PayerKind::Student | PayerKind::Staff);
    if proven.iter().any(has_number) {
        return Ok(Whose::Student);
    }
    if proven.iter().any(|account| account.password_hash.is_some()) {
        return Ok(Whose::SignedUp);
    }
    match proven.first() {
        Some(account) => Ok(Whose::Office(account.payer.id)),
        None if own.len() >= MOST => Ok(Whose::TooMany),
        None => Ok(Whose::Nobodys),
    }
}

/// None when the form has opened an account before, or the office's account has been taken over meanwhile.
async fn open(
    app: &App,
    ticket: &str,
    (form, phone): (&Form<'_>, &Phone),
    joins: Option<PayerId>,
    mail_address: &str,
) -> Result<Option<PayerId>> {
    let number = match joins {
        Some(_) => String::new(),
        None => next_number(app).await?,
    };
    let (password, answer) =
        (password::store_form(app, form.password).await, password::store_form(app, &form.answer).await);
    let (tx, now) = (app.db.begin().await?, app.clock.now());
    let payer = match joins {
        None => new_payer(app, &tx, number, form, phone, now).await?,
        Some(payer) => {
            let account = payers::lock(&tx, payer).await?;
            account.filter(|account| account.password_hash.is_none()).map(|account| account.payer.id)
        }
    };
    let Some(payer) = payer else { return Ok(None) };
    let opened = if joins.is_some() { Opened::Joined } else { Opened::New };
    let new = SignUp { payer, opened, document: form.document, gender: form.gender, at: now };
    if !sign_ups::insert(&tx, ticket, new).await? {
        return Ok(None);
    }
    profiles::set_phone(&tx, &app.sealer, payer, phone, now).await?;
    accounts::set_password(&tx, payer, &password, now).await?;
    accounts::set_question(&tx, payer, form.question, &answer, now).await?;
    if let Some(email) = &form.email {
        mailbox::name(app, &tx, payer, email, mail_address).await?;
    }
    tx.commit().await?;
    tracing::info!(%payer, opened = opened.code(), "signed up");
    Ok(Some(payer))
}

/// `W26000001`: 用户编号 of who signed up. A number the office has given to somebody is passed over.
async fn next_number(app: &App) -> Result<String> {
    loop {
        let serial = app.serials.next(&app.db, "outsider", 10).await?;
        let number = format!("W{}{serial:06}", app.clock.now().format("%y"));
        if payers::find_by_number(app.db.read(), &number).await?.is_none() {
            return Ok(number);
        }
    }
}

async fn new_payer(
    app: &App,
    tx: &DatabaseTransaction,
    number: String,
    form: &Form<'_>,
    phone: &Phone,
    now: Moment,
) -> Result<Option<PayerId>> {
    let payer = NewPayer {
        kind: PayerKind::Outsider,
        number,
        name: form.name.clone(),
        name_en: String::new(),
        college: String::new(),
        class_name: String::new(),
        id_number: Some(form.number.clone()),
        phone: Some(phone.clone()),
    };
    Ok(payers::insert(tx, &app.sealer, &payer, now).await?)
}
