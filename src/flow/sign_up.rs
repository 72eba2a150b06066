//! 注册: people from outside open an account of their own. First the phone is proven by a code, then the rest is asked.
//!
//! Nobody learns here whether the school knows a document number: with an unknown number, and with a known one without
//! proof, the same happens, an empty account of one's own is opened. Proof is the office's phone and name for that
//! number: then the office's account is taken over, and only then is told who is a student already.
use std::time::Duration;

use sea_orm::DatabaseTransaction;

use super::account::{NewPassword, NotTaken, asked, words};
use super::failure::Result;
use super::guess::{Caller, all_allowed, keyed};
use super::letter::Letter;
use super::phone_code::CodeFor;
use super::session::hash;
use super::{device, mailbox, password, session};
use crate::app::App;
use crate::domain::document::{Document, WrongNumber};
use crate::domain::id_number::IdNumber;
use crate::domain::ids::PayerId;
use crate::domain::message::Way;
use crate::domain::moment::Moment;
use crate::domain::payer::{PayerKind, Phone, name_key};
use crate::domain::profile::{Email, Gender, real_name};
use crate::domain::question::Question;
use crate::domain::refusal::Refusal;
use crate::domain::session::Rights;
use crate::store::payers::{Account, NewPayer};
use crate::store::sign_ups::{MOST, Opened, SignUp};
use crate::store::{accounts, payers, profiles, sign_ups};

/// How long the same form opens the same account, for a second tap
const AGAIN: Duration = Duration::from_secs(60);
/// Forms of one phone, and of one document number, that were filled in well
const FORMS: (u32, Duration) = (5, Duration::from_secs(86_400));

/// The code that proves the phone.
pub const CODE: CodeFor = CodeFor { name: "sign-up", letter: |phone, code| Letter::SignUpCode { phone, code } };

/// Whether people can sign up: the phone is proven by a text message.
pub fn is_offered(app: &App) -> bool {
    app.carrier.has(Way::Sms)
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
    let Some((phone, back)) = CODE.proven(app, ticket, caller.visitor).await else { return Ok(Answer::StepOver) };
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
