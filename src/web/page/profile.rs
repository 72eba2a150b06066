//! 个人信息 and 银行卡.
use poem::http::StatusCode;
use poem::{IntoResponse, Response, Result, handler};

use super::account::{caller, mail_address, problem_of, status_of};
use super::login::captcha_of;
use crate::domain::payer::Phone;
use crate::domain::profile::Email;
use crate::flow::guess::Gate;
use crate::flow::profile::{self, Changed, Typed, TypedCard, Wrong, WrongCard};
use crate::web::error::{Problem, TYPED_WRONG, see_other};
use crate::web::form::Form;
use crate::web::guard::{Settled, SignedIn, Visit, local_path};
use crate::web::html::Page;
use crate::web::view::account::Done;
use crate::web::view::links;
use crate::web::view::login::Captcha;
use crate::web::view::profile::{CardPage, ProfilePage, WrongCardFields, WrongFields};

/// `GET /h5/me/profile`
#[handler]
pub async fn show(visit: &Visit, Settled(signed): Settled) -> Result<Response> {
    if signed.is_limited() {
        return Ok(see_other(links::ME));
    }
    let own = profile::own(&visit.app, &signed.session).await.map_err(Problem::from)?;
    let (phone, email) = (own.phone.as_ref().map(Phone::masked), own.profile.email.as_ref().map(Email::masked));
    let (phone, email) = (phone.unwrap_or_default(), email.unwrap_or_default());
    let address = own.profile.address;
    let typed =
        Typed { phone: &phone, email: &email, postcode: &address.postcode, street: &address.street, password: "" };
    Ok(draw(visit, &signed, (typed, visit.query("back")), Wrong::default()).await)
}

/// `POST /h5/me/profile`
#[handler]
pub async fn submit(visit: &Visit, Settled(signed): Settled, form: Form) -> Result<Response> {
    if signed.is_limited() {
        return Ok(see_other(links::ME));
    }
    let typed = Typed {
        phone: form.get("phone"),
        email: form.get("email"),
        postcode: form.get("postcode"),
        street: form.get("street"),
        password: form.get("password"),
    };
    let visitor = visit.visitor();
    let (link, caller) = (mail_address(visit), caller(visit, &visitor, &form));
    let changed = profile::change(&visit.app, &signed.session, typed, &link, caller).await;
    Ok(match changed.map_err(Problem::from)? {
        Ok(Changed::MailSent) => see_other(&links::me_done(Done::MailSent.code())),
        Ok(Changed::Saved) => match local_path(form.get("back")) {
            Some(back) => see_other(back),
            None => see_other(&links::me_done(Done::Profile.code())),
        },
        Err(wrong) => draw(visit, &signed, (typed, form.get("back")), wrong).await,
    })
}

async fn draw(visit: &Visit, signed: &SignedIn, (typed, back): (Typed<'_>, &str), wrong: Wrong) -> Response {
    let password = wrong.password.map(problem_of);
    let wrong = WrongFields { phone: wrong.phone, email: wrong.email, postcode: wrong.postcode, street: wrong.street };
    let status = if wrong == WrongFields::default() { status_of(password) } else { TYPED_WRONG };
    let view = ProfilePage {
        frame: visit.frame(Some(&signed.payer)),
        phone: typed.phone.to_owned(),
        email: typed.email.to_owned(),
        postcode: typed.postcode.to_owned(),
        street: typed.street.to_owned(),
        back: local_path(back).unwrap_or_default().to_owned(),
        wrong,
        password,
        captcha: captcha(visit, signed).await,
    };
    Page::with_status(status, view).into_response()
}

pub(super) async fn captcha(visit: &Visit, signed: &SignedIn) -> Option<Captcha> {
    let gate = Gate::new(&visit.app, "user", &signed.payer.number, visit.caller("", None).address);
    gate.question(&visit.app, &visit.visitor()).await.map(captcha_of)
}

/// `GET /h5/me/card`
#[handler]
pub async fn show_card(visit: &Visit, Settled(signed): Settled) -> Result<Response> {
    match signed.is_limited() {
        true => Ok(see_other(links::ME)),
        false => draw_card(visit, &signed, ("", &signed.payer.name), WrongCard::default()).await,
    }
}

/// `POST /h5/me/card`
#[handler]
pub async fn submit_card(visit: &Visit, Settled(signed): Settled, form: Form) -> Result<Response> {
    if signed.is_limited() {
        return Ok(see_other(links::ME));
    }
    let (app, session, visitor) = (&visit.app, &signed.session, visit.visitor());
    let typed = TypedCard {
        number: form.get("number"),
        bank: form.get("bank"),
        holder: form.get("holder"),
        password: form.get("password"),
    };
    let caller = caller(visit, &visitor, &form);
    let (changed, done) = match form.get("remove") {
        "1" => (profile::remove_card(app, session, typed.password, caller).await, Done::CardRemoved),
        _ => (profile::set_card(app, session, typed, caller).await, Done::Card),
    };
    match changed.map_err(Problem::from)? {
        Ok(()) => Ok(see_other(&links::me_done(done.code()))),
        Err(wrong) => draw_card(visit, &signed, (typed.bank, typed.holder), wrong).await,
    }
}

async fn draw_card(
    visit: &Visit,
    signed: &SignedIn,
    (bank, holder): (&str, &str),
    wrong: WrongCard,
) -> Result<Response> {
    let password = wrong.password.map(problem_of);
    let wrong = WrongCardFields { number: wrong.number, bank: wrong.bank, holder: wrong.holder };
    let status: StatusCode = if wrong == WrongCardFields::default() { status_of(password) } else { TYPED_WRONG };
    let own = profile::own(&visit.app, &signed.session).await.map_err(Problem::from)?;
    let view = CardPage {
        frame: visit.frame(Some(&signed.payer)),
        kept: own.profile.card,
        bank: bank.to_owned(),
        holder: holder.to_owned(),
        wrong,
        password,
        captcha: captcha(visit, signed).await,
    };
    Ok(Page::with_status(status, view).into_response())
}
