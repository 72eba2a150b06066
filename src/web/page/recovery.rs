//! 忘记密码: by the security question, by mail or by text message. The pages say the same whether there is such an account
//! or not.
use poem::{IntoResponse, Response, Result, handler};

use super::account::{caller, new_password, problem_of, status_of};
use super::login::captcha_of;
use crate::domain::message::Way;
use crate::domain::question::Question;
use crate::flow::account::{self, NotTaken};
use crate::flow::guess::{Caller, Gate};
use crate::flow::recovery;
use crate::web::error::{Problem, see_other};
use crate::web::form::Form;
use crate::web::guard::Visit;
use crate::web::html::Page;
use crate::web::view::account::{Forgot, FormProblem};
use crate::web::view::links;
use crate::web::view::message::{Message, MessagePage};
use crate::web::view::recovery::{Proof, Reset};

/// `GET /h5/forgot`
#[handler]
pub async fn show_forgot(visit: &Visit) -> Result<Response> {
    Ok(draw_forgot(visit, None, "", None).await)
}

/// `POST /h5/forgot`: which way, or the second step of the question. Says the same whether there is such an account or
/// not.
#[handler]
pub async fn submit_forgot(visit: &Visit, form: Form) -> Result<Response> {
    let (app, visitor) = (&visit.app, visit.visitor());
    let caller = caller(visit, &visitor, &form);
    let (ticket, username) = (form.get("ticket"), form.get("username"));
    if ticket.is_empty() {
        return begin(visit, Way::parse(form.get("way")), username, caller).await;
    }
    let taken = account::recover(app, ticket, form.get("answer"), new_password(&form), caller).await;
    Ok(match taken.map_err(Problem::from)? {
        Ok(()) => recovered(visit),
        Err(not) => {
            let question = account::recovery_question(app, ticket, &visitor).await.map_err(Problem::from)?;
            let asked = question.map(|question| (ticket.to_owned(), question));
            let problem = if asked.is_none() { FormProblem::StepOver } else { problem_of(not) };
            draw_forgot(visit, asked, username, Some(problem)).await
        }
    })
}

/// The first step of each way.
async fn begin(visit: &Visit, way: Option<Way>, username: &str, caller: Caller<'_>) -> Result<Response> {
    let app = &visit.app;
    let not = match way {
        // no way out of the house: the security question
        None | Some(Way::Account) => {
            match account::begin_recovery(app, username, caller).await.map_err(Problem::from)? {
                Ok(asked) => return Ok(draw_forgot(visit, Some(asked), username, None).await),
                Err(not) => not,
            }
        }
        Some(Way::Mail) => {
            let address = format!("{}{}?t=", app.config.server.public_url, links::RESET_LINK);
            match recovery::send_link(app, username, &address, caller).await.map_err(Problem::from)? {
                Ok(()) => return Ok(tell(visit, Message::LinkSent)),
                Err(not) => not,
            }
        }
        Some(Way::Sms) => match recovery::send_code(app, username, caller).await.map_err(Problem::from)? {
            Ok(ticket) => return Ok(draw_code(visit, &ticket, None).await),
            Err(not) => not,
        },
    };
    Ok(draw_forgot(visit, None, username, Some(problem_of(not))).await)
}

fn tell(visit: &Visit, message: Message) -> Response {
    Page::new(MessagePage { frame: visit.frame(None), message }).into_response()
}

fn recovered(visit: &Visit) -> Response {
    let message = Message::PasswordRecovered;
    Page::new(MessagePage { frame: visit.frame_signed_out(), message }).into_response()
}

async fn draw_forgot(
    visit: &Visit,
    asked: Option<(String, Question)>,
    username: &str,
    problem: Option<FormProblem>,
) -> Response {
    let gate = Gate::new(&visit.app, "recover", username, visit.caller("", None).address);
    let captcha = gate.question(&visit.app, &visit.visitor()).await.map(captcha_of);
    let view = Forgot {
        frame: visit.frame(None),
        asked,
        by_mail: recovery::offers(&visit.app, Way::Mail),
        by_sms: recovery::offers(&visit.app, Way::Sms),
        username: username.to_owned(),
        problem,
        captcha,
    };
    Page::with_status(status_of(problem), view).into_response()
}

/// `GET /h5/forgot/code`: from the beginning.
#[handler]
pub async fn show_code() -> Result<Response> {
    Ok(see_other(links::FORGOT))
}

/// `POST /h5/forgot/code`: another code, or the code and a new password.
#[handler]
pub async fn submit_code(visit: &Visit, form: Form) -> Result<Response> {
    let (app, visitor) = (&visit.app, visit.visitor());
    let (ticket, caller) = (form.get("ticket"), caller(visit, &visitor, &form));
    let once_more = !form.get("once_more").is_empty();
    let taken = match once_more {
        true => recovery::send_again(app, ticket, caller).await,
        false => recovery::recover_by_code(app, ticket, form.get("code"), new_password(&form), caller).await,
    };
    Ok(match taken.map_err(Problem::from)? {
        Ok(()) if once_more => draw_code(visit, ticket, None).await,
        Ok(()) => recovered(visit),
        Err(NotTaken::StepOver) => draw_forgot(visit, None, "", Some(FormProblem::StepOver)).await,
        Err(not) => draw_code(visit, ticket, Some(problem_of(not))).await,
    })
}

async fn draw_code(visit: &Visit, ticket: &str, problem: Option<FormProblem>) -> Response {
    let visitor = visit.visitor();
    let captcha = recovery::question(&visit.app, ticket, visit.caller(&visitor, None)).await.map(captcha_of);
    let proof = Proof::Code { ticket: ticket.to_owned() };
    let view = Reset { frame: visit.frame(None), proof, problem, captcha };
    Page::with_status(status_of(problem), view).into_response()
}

/// `GET /h5/forgot/link?t=`. Opening it uses nothing up: mail programs open links too.
#[handler]
pub async fn show_link(visit: &Visit) -> Result<Response> {
    let token = visit.query("t");
    Ok(match recovery::link_opens(&visit.app, token).await.map_err(Problem::from)? {
        true => draw_link(visit, token, None),
        false => tell(visit, Message::LinkOver),
    })
}

/// `POST /h5/forgot/link`
#[handler]
pub async fn submit_link(visit: &Visit, form: Form) -> Result<Response> {
    let token = form.get("token");
    let taken = recovery::recover_by_link(&visit.app, token, new_password(&form)).await.map_err(Problem::from)?;
    Ok(match taken {
        Ok(()) => recovered(visit),
        Err(NotTaken::StepOver) => tell(visit, Message::LinkOver),
        Err(not) => draw_link(visit, token, Some(problem_of(not))),
    })
}

fn draw_link(visit: &Visit, token: &str, problem: Option<FormProblem>) -> Response {
    let proof = Proof::Link { token: token.to_owned() };
    let view = Reset { frame: visit.frame(None), proof, problem, captcha: None };
    Page::with_status(status_of(problem), view).into_response()
}
