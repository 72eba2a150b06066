//! 注册 in three steps, each a page of its own; and the link that proves a mailbox.
use poem::{IntoResponse, Response, Result, handler};

use super::account::{caller, mail_address, new_password, problem_of, status_of};
use super::login::captcha_of;
use crate::domain::question::Question;
use crate::flow::account::NotTaken;
use crate::flow::phone_code::{Asking, Waiting};
use crate::flow::sign_up::{self, Answer, CODE, Typed};
use crate::flow::{mailbox, session};
use crate::web::error::{Problem, TYPED_WRONG, see_other};
use crate::web::form::Form;
use crate::web::guard::{SignedIn, Visit, local_path, set_cookie};
use crate::web::html::Page;
use crate::web::view::account::{Done, FormProblem};
use crate::web::view::links;
use crate::web::view::message::{Message, MessagePage};
use crate::web::view::phone::{CodeOf, PhoneCode};
use crate::web::view::sign_up::{ConfirmMail, SignUpDetails, SignUpPhone, TypedDetails, WrongDetails};

/// `GET /h5/sign-up?back=`
#[handler]
pub async fn show(visit: &Visit, signed: Option<SignedIn>) -> Result<Response> {
    let back = local_path(visit.query("back")).unwrap_or_default();
    if signed.is_some_and(|signed| !signed.is_limited()) {
        return Ok(see_other(if back.is_empty() { links::HOME } else { back }));
    }
    Ok(draw_phone(visit, "", back, None).await)
}

/// `POST /h5/sign-up`: sends the code.
#[handler]
pub async fn submit(visit: &Visit, form: Form) -> Result<Response> {
    let (phone, visitor) = (form.get("phone"), visit.visitor());
    let back = local_path(form.get("back")).unwrap_or_default();
    if !sign_up::is_offered(&visit.app) {
        return Ok(tell(visit, Message::SignUpAway));
    }
    let asking = Asking { back, payer: None, caller: caller(visit, &visitor, &form) };
    let sent = CODE.send(&visit.app, phone, asking).await;
    Ok(match sent.map_err(Problem::from)? {
        Ok(ticket) => see_other(&links::sign_up_step(links::SIGN_UP_CODE, &ticket)),
        Err(not) => draw_phone(visit, phone, back, Some(problem_of(not))).await,
    })
}

async fn draw_phone(visit: &Visit, phone: &str, back: &str, problem: Option<FormProblem>) -> Response {
    if !sign_up::is_offered(&visit.app) {
        return tell(visit, Message::SignUpAway);
    }
    let captcha = CODE.question(&visit.app, visit.caller("", None)).await.map(captcha_of);
    let (frame, phone, back) = (visit.frame(None), phone.to_owned(), back.to_owned());
    Page::with_status(status_of(problem), SignUpPhone { frame, phone, back, problem, captcha }).into_response()
}

fn tell(visit: &Visit, message: Message) -> Response {
    Page::new(MessagePage { frame: visit.frame(None), message }).into_response()
}

/// The first step again, which says that the time is over.
async fn over(visit: &Visit) -> Response {
    draw_phone(visit, "", "", Some(FormProblem::StepOver)).await
}

/// `GET /h5/sign-up/code?t=`
#[handler]
pub async fn show_code(visit: &Visit) -> Result<Response> {
    Ok(draw_code(visit, visit.query("t"), None).await)
}

/// `POST /h5/sign-up/code`: the code, or another one.
#[handler]
pub async fn submit_code(visit: &Visit, form: Form) -> Result<Response> {
    let (app, visitor, ticket) = (&visit.app, visit.visitor(), form.get("ticket"));
    let caller = caller(visit, &visitor, &form);
    let (next, taken) = match form.get("once_more") {
        "" => (links::SIGN_UP_DETAILS, CODE.prove(app, ticket, form.get("code"), caller).await),
        _ => (links::SIGN_UP_CODE, CODE.send_again(app, ticket, None, caller).await),
    };
    Ok(match taken.map_err(Problem::from)? {
        Ok(()) => see_other(&links::sign_up_step(next, ticket)),
        Err(NotTaken::StepOver) => over(visit).await,
        Err(not) => draw_code(visit, ticket, Some(problem_of(not))).await,
    })
}

async fn draw_code(visit: &Visit, ticket: &str, problem: Option<FormProblem>) -> Response {
    let visitor = visit.visitor();
    let caller = visit.caller(&visitor, None);
    let Some(Waiting { phone, proven, .. }) = CODE.waiting(&visit.app, ticket, &visitor).await else {
        return over(visit).await;
    };
    if proven {
        return see_other(&links::sign_up_step(links::SIGN_UP_DETAILS, ticket));
    }
    let asked = match CODE.code_question(&visit.app, ticket, caller).await {
        Some(asked) => Some(asked),
        None if problem == Some(FormProblem::Captcha) => CODE.question(&visit.app, caller).await,
        None => None,
    };
    let view = PhoneCode {
        frame: visit.frame(None),
        of: CodeOf::SignUp,
        ticket: ticket.to_owned(),
        phone,
        problem,
        captcha: asked.map(captcha_of),
    };
    Page::with_status(status_of(problem), view).into_response()
}

/// `GET /h5/sign-up/details?t=`
#[handler]
pub async fn show_details(visit: &Visit) -> Result<Response> {
    let ticket = visit.query("t");
    let (typed, wrong) = (TypedDetails::default(), WrongDetails::default());
    Ok(draw_details(visit, ticket, typed, wrong, None).await)
}

/// `POST /h5/sign-up/details`: opens the account and signs in.
#[handler]
pub async fn submit_details(visit: &Visit, form: Form) -> Result<Response> {
    let (app, visitor, ticket) = (&visit.app, visit.visitor(), form.get("ticket"));
    let typed = Typed {
        name: form.get("name"),
        document: form.get("document"),
        number: form.get("number"),
        gender: form.get("gender"),
        email: form.get("email"),
        password: new_password(&form),
        question: form.get("question"),
        answer: form.get("answer"),
    };
    let caller = caller(visit, &visitor, &form);
    let answer = sign_up::submit(app, ticket, typed, &mail_address(visit), caller).await.map_err(Problem::from)?;
    let (wrong, problem) = match answer {
        Answer::In { token, back } => {
            if let Some(old) = visit.token() {
                session::end(app, old).await.map_err(Problem::from)?;
            }
            let to = if back.is_empty() { links::me_done(Done::SignedUp.code()) } else { back };
            return Ok(set_cookie(see_other(&to), &visit.session_cookie(&token)));
        }
        Answer::IsStudent { back } => return Ok(tell(visit, Message::IsStudent { back })),
        Answer::IsSignedUp { back } => return Ok(tell(visit, Message::IsSignedUp { back })),
        Answer::AskOffice => return Ok(tell(visit, Message::SignUpAtOffice)),
        Answer::StepOver => return Ok(over(visit).await),
        Answer::Wait { until } => (WrongDetails::default(), Some(FormProblem::Locked { until })),
        Answer::Wrong(wrong) => (shown(wrong), None),
    };
    let kept = TypedDetails {
        name: typed.name.to_owned(),
        document: typed.document.to_owned(),
        number: typed.number.to_owned(),
        gender: typed.gender.to_owned(),
        email: typed.email.to_owned(),
        question: Question::parse(typed.question),
    };
    Ok(draw_details(visit, ticket, kept, wrong, problem).await)
}

fn shown(wrong: sign_up::Wrong) -> WrongDetails {
    WrongDetails {
        name: wrong.name,
        document: wrong.document,
        number: wrong.number,
        gender: wrong.gender,
        email: wrong.email,
        password: wrong.password.map(problem_of),
        question: wrong.question,
        answer: wrong.answer,
    }
}

async fn draw_details(
    visit: &Visit,
    ticket: &str,
    typed: TypedDetails,
    wrong: WrongDetails,
    problem: Option<FormProblem>,
) -> Response {
    let Some(waiting) = CODE.waiting(&visit.app, ticket, &visit.visitor()).await else { return over(visit).await };
    if !waiting.proven {
        return see_other(&links::sign_up_step(links::SIGN_UP_CODE, ticket));
    }
    let status = if wrong == WrongDetails::default() { status_of(problem) } else { TYPED_WRONG };
    let (frame, ticket, phone) = (visit.frame(None), ticket.to_owned(), waiting.phone);
    Page::with_status(status, SignUpDetails { frame, ticket, phone, typed, wrong, problem }).into_response()
}

/// `GET /h5/mail?t=`. Opening it uses nothing up: mail programs open links too.
#[handler]
pub async fn show_mail(visit: &Visit) -> Result<Response> {
    let token = visit.query("t");
    Ok(match mailbox::opens(&visit.app, token).await.map_err(Problem::from)? {
        Some(email) => {
            Page::new(ConfirmMail { frame: visit.frame(None), token: token.to_owned(), email }).into_response()
        }
        None => tell(visit, Message::MailLinkOver),
    })
}

/// `POST /h5/mail`
#[handler]
pub async fn confirm_mail(visit: &Visit, form: Form) -> Result<Response> {
    let confirmed = mailbox::confirm(&visit.app, form.get("token")).await.map_err(Problem::from)?;
    Ok(tell(visit, if confirmed { Message::MailConfirmed } else { Message::MailLinkOver }))
}
