//! 手机验证 between the choice and 确认缴费: the phone, then the code that came to it.
use poem::{IntoResponse, Response, Result, handler};

use super::account::{caller, problem_of, status_of};
use super::confirm::Selection;
use super::login::captcha_of;
use crate::domain::payer::Phone;
use crate::domain::session::Rights;
use crate::flow::account::NotTaken;
use crate::flow::phone_check::{self, CODE, Of};
use crate::flow::phone_code::Asking;
use crate::web::error::{Problem, see_other};
use crate::web::form::Form;
use crate::web::guard::{SignedIn, Visit};
use crate::web::html::Page;
use crate::web::view::account::FormProblem;
use crate::web::view::links;
use crate::web::view::phone::{CodeOf, PhoneCheckPage, PhoneCode};

/// What was chosen, from the address of its 确认缴费; none where the school does not ask, or nothing was chosen.
fn chosen(visit: &Visit, back: &str) -> Option<Selection> {
    let query = back.strip_prefix(links::CONFIRM)?.strip_prefix('?')?;
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    Selection::read(&pairs, &[]).ok().filter(|_| phone_check::is_asked(&visit.app))
}

fn of<'a>(signed: &'a SignedIn, selection: &'a Selection) -> Of<'a> {
    Of { session: &signed.session, choice: &selection.key }
}

/// `GET /h5/phone?back=`
#[handler]
pub async fn show(visit: &Visit, signed: SignedIn) -> Result<Response> {
    let Some(selection) = chosen(visit, visit.query("back")) else { return Ok(see_other(links::TUITION)) };
    let proven = phone_check::proven(&visit.app, of(&signed, &selection)).await;
    if proven.is_some() && visit.query("other").is_empty() {
        return Ok(see_other(&selection.address()));
    }
    draw(visit, &signed, &selection, None, None).await
}

/// `POST /h5/phone`: sends the code.
#[handler]
pub async fn submit(visit: &Visit, signed: SignedIn, form: Form) -> Result<Response> {
    let Some(selection) = chosen(visit, form.get("back")) else { return Ok(see_other(links::TUITION)) };
    let (visitor, back) = (of(&signed, &selection).visitor(&visit.visitor()), selection.address());
    let asking = Asking { back: &back, payer: Some(signed.payer.id), caller: caller(visit, &visitor, &form) };
    let typed = form.get("phone");
    match phone_check::send(&visit.app, &signed.session, typed, asking).await.map_err(Problem::from)? {
        Ok(ticket) => Ok(see_other(&links::phone_code(&ticket, &back))),
        Err(not) => draw(visit, &signed, &selection, Some(typed), Some(problem_of(not))).await,
    }
}

async fn draw(
    visit: &Visit,
    signed: &SignedIn,
    selection: &Selection,
    typed: Option<&str>,
    problem: Option<FormProblem>,
) -> Result<Response> {
    let phone = match typed {
        Some(typed) => typed.to_owned(),
        None => {
            let known = phone_check::known(&visit.app, &signed.session).await.map_err(Problem::from)?;
            known.as_ref().map(Phone::masked).unwrap_or_default()
        }
    };
    let view = PhoneCheckPage {
        frame: visit.frame(Some(&signed.payer)),
        phone,
        for_receipt: signed.session.rights == Rights::Full,
        back: selection.address(),
        problem,
        captcha: CODE.question(&visit.app, visit.caller("", None)).await.map(captcha_of),
    };
    Ok(Page::with_status(status_of(problem), view).into_response())
}

/// `GET /h5/phone/code?t=&back=`
#[handler]
pub async fn show_code(visit: &Visit, signed: SignedIn) -> Result<Response> {
    let Some(selection) = chosen(visit, visit.query("back")) else { return Ok(see_other(links::TUITION)) };
    draw_code(visit, &signed, &selection, visit.query("t"), None).await
}

/// `POST /h5/phone/code`: the code, or another one.
#[handler]
pub async fn submit_code(visit: &Visit, signed: SignedIn, form: Form) -> Result<Response> {
    let Some(selection) = chosen(visit, form.get("back")) else { return Ok(see_other(links::TUITION)) };
    let (app, ticket, of) = (&visit.app, form.get("ticket"), of(&signed, &selection));
    let visitor = of.visitor(&visit.visitor());
    let caller = caller(visit, &visitor, &form);
    let (next, taken) = match form.get("once_more") {
        "" => (selection.address(), phone_check::prove(app, of, ticket, form.get("code"), caller).await),
        _ => {
            let again = CODE.send_again(app, ticket, Some(signed.payer.id), caller).await;
            (links::phone_code(ticket, &selection.address()), again)
        }
    };
    match taken.map_err(Problem::from)? {
        Ok(()) => Ok(see_other(&next)),
        Err(NotTaken::StepOver) => draw(visit, &signed, &selection, None, Some(FormProblem::StepOver)).await,
        Err(not) => draw_code(visit, &signed, &selection, ticket, Some(problem_of(not))).await,
    }
}

async fn draw_code(
    visit: &Visit,
    signed: &SignedIn,
    selection: &Selection,
    ticket: &str,
    problem: Option<FormProblem>,
) -> Result<Response> {
    let visitor = of(signed, selection).visitor(&visit.visitor());
    let caller = visit.caller(&visitor, None);
    let Some(waiting) = CODE.waiting(&visit.app, ticket, &visitor).await else {
        // back from 确认缴费: it was given, and counts
        if phone_check::proven(&visit.app, of(signed, selection)).await.is_some() {
            return Ok(see_other(&selection.address()));
        }
        return draw(visit, signed, selection, None, Some(FormProblem::StepOver)).await;
    };
    let asked = match CODE.code_question(&visit.app, ticket, caller).await {
        Some(asked) => Some(asked),
        None if problem == Some(FormProblem::Captcha) => CODE.question(&visit.app, caller).await,
        None => None,
    };
    let view = PhoneCode {
        frame: visit.frame(Some(&signed.payer)),
        of: CodeOf::Paying { back: selection.address() },
        ticket: ticket.to_owned(),
        phone: waiting.phone,
        problem,
        captcha: asked.map(captcha_of),
    };
    Ok(Page::with_status(status_of(problem), view).into_response())
}
