//! 我的, 修改密码 and 密保.
use poem::http::StatusCode;
use poem::{IntoResponse, Response, Result, handler};

use super::login::captcha_of;
use crate::domain::moment::Moment;
use crate::domain::payer::PayerKind;
use crate::domain::question::Question;
use crate::flow::account::{self, NewPassword, NotTaken};
use crate::flow::announcements;
use crate::flow::guess::{Caller, Gate, Guess};
use crate::flow::mailbox;
use crate::flow::official::binding;
use crate::flow::sso;
use crate::web::error::{LOCKED, Problem, TYPED_WRONG, see_other};
use crate::web::form::Form;
use crate::web::guard::{Settled, SignedIn, Visit, set_cookie};
use crate::web::html::Page;
use crate::web::view::account::{Done, FormProblem, Me, PasswordPage, Portal, QuestionPage};
use crate::web::view::links;

/// `GET /h5/me?done=`
#[handler]
pub async fn show_me(visit: &Visit, Settled(signed): Settled) -> Result<Response> {
    draw_me(visit, &signed, None).await
}

/// `POST /h5/me/mail`: the activation mail once more.
#[handler]
pub async fn submit_mail(visit: &Visit, Settled(signed): Settled, _form: Form) -> Result<Response> {
    match mailbox::send_again(&visit.app, &signed.session, &mail_address(visit)).await.map_err(Problem::from)? {
        Ok(()) => Ok(see_other(&links::me_done(Done::MailSent.code()))),
        Err(NotTaken::Wait { until }) => draw_me(visit, &signed, Some(until)).await,
        Err(_) => Ok(see_other(links::ME)),
    }
}

/// Where an activation link leads, to be followed by what proves it.
pub(super) fn mail_address(visit: &Visit) -> String {
    format!("{}{}?t=", visit.app.config.server.public_url, links::MAIL_LINK)
}

async fn draw_me(visit: &Visit, signed: &SignedIn, mail_wait: Option<Moment>) -> Result<Response> {
    let standing = account::standing(&visit.app, &signed.session).await.map_err(Problem::from)?;
    let mailbox = mailbox::pending(&visit.app, &signed.session).await.map_err(Problem::from)?;
    let limited = signed.is_limited();
    let own_number = signed.payer.kind == PayerKind::Outsider && !limited;
    let view = Me {
        frame: visit.frame(Some(&signed.payer)),
        done: Done::parse(visit.query("done")),
        limited,
        number: own_number.then(|| signed.payer.number.clone()),
        id_number: standing.id_number.filter(|_| !limited),
        phone: standing.phone.filter(|_| !limited),
        own_password: standing.own_password || signed.session.by_portal,
        question: standing.question.filter(|_| !limited),
        last_sign_in: standing.last_sign_in.filter(|_| !limited),
        member: signed.session.member.is_some(),
        mailbox: mailbox.map(|email| email.masked()),
        mail_wait,
        unread: announcements::unread(&visit.app, &signed.session).await.map_err(Problem::from)?.len(),
        wechat: binding::is_offered(&visit.app),
    };
    let status = if mail_wait.is_some() { LOCKED } else { StatusCode::OK };
    Ok(Page::with_status(status, view).into_response())
}

pub fn problem_of(not: NotTaken) -> FormProblem {
    match not {
        NotTaken::Empty => FormProblem::Empty,
        NotTaken::Guess(Guess::WrongPair { tries_left }) => FormProblem::Wrong { tries_left },
        NotTaken::Guess(Guess::Captcha) => FormProblem::Captcha,
        NotTaken::Guess(Guess::Locked { until }) => FormProblem::Locked { until },
        NotTaken::Weak(weakness) => FormProblem::Weak(weakness),
        NotTaken::Reused => FormProblem::Reused,
        NotTaken::Differ => FormProblem::Differ,
        NotTaken::Question => FormProblem::Question,
        NotTaken::Answer => FormProblem::Answer,
        NotTaken::Phone => FormProblem::Phone,
        NotTaken::Email => FormProblem::Email,
        NotTaken::StepOver => FormProblem::StepOver,
        NotTaken::Wait { until } => FormProblem::Wait { until },
    }
}

pub fn status_of(problem: Option<FormProblem>) -> StatusCode {
    match problem {
        None => StatusCode::OK,
        Some(FormProblem::Locked { .. }) => LOCKED,
        Some(_) => TYPED_WRONG,
    }
}

pub fn caller<'a>(visit: &Visit, visitor: &'a str, form: &'a Form) -> Caller<'a> {
    let captcha = Some((form.get("captcha_id"), form.get("captcha"))).filter(|(id, _)| !id.is_empty());
    visit.caller(visitor, captcha)
}

pub(super) fn new_password(form: &Form) -> NewPassword<'_> {
    NewPassword { new: form.get("new"), again: form.get("again") }
}

/// Whether there is no password to prove: a first one is chosen, because it must be or, by whom the portal has vouched
/// for, because they like to.
fn sets_up(visit: &Visit, signed: &SignedIn) -> bool {
    let (session, own) = (&signed.session, signed.own_password);
    account::must_set_up(&visit.app, session, own) || (session.by_portal && !own)
}

/// `GET /h5/me/password`
#[handler]
pub async fn show_password(visit: &Visit, signed: SignedIn) -> Result<Response> {
    Ok(match signed.is_limited() {
        true => see_other(links::ME),
        false => draw_password(visit, &signed, None, None).await,
    })
}

/// `POST /h5/me/password`. Whoever was signed in elsewhere with the old one is not any more.
#[handler]
pub async fn submit_password(visit: &Visit, signed: SignedIn, form: Form) -> Result<Response> {
    if signed.is_limited() {
        return Ok(see_other(links::ME));
    }
    let (app, session, new) = (&visit.app, &signed.session, new_password(&form));
    let visitor = visit.visitor();
    let taken = match sets_up(visit, &signed) {
        true => account::set_up(app, session, new, (form.get("question"), form.get("answer"))).await,
        false => account::change_password(app, session, form.get("old"), new, caller(visit, &visitor, &form)).await,
    };
    Ok(match taken.map_err(Problem::from)? {
        Ok(token) => set_cookie(see_other(&links::me_done(Done::Password.code())), &visit.session_cookie(&token)),
        Err(not) => {
            let chosen = Question::parse(form.get("question"));
            draw_password(visit, &signed, chosen, Some(problem_of(not))).await
        }
    })
}

async fn draw_password(
    visit: &Visit,
    signed: &SignedIn,
    question: Option<Question>,
    problem: Option<FormProblem>,
) -> Response {
    let set_up = sets_up(visit, signed);
    let gate = Gate::new(&visit.app, "user", &signed.payer.number, visit.caller("", None).address);
    let asked = if set_up { None } else { gate.question(&visit.app, &visit.visitor()).await };
    let frame = visit.frame(Some(&signed.payer));
    let portal = sso::name(&visit.app).filter(|_| signed.session.by_portal);
    let portal = portal.map(|name| Portal { name, url: sso::password_url(&visit.app) });
    let view = PasswordPage { frame, set_up, portal, question, problem, captcha: asked.map(captcha_of) };
    Page::with_status(status_of(problem), view).into_response()
}

/// `GET /h5/me/question`
#[handler]
pub async fn show_question(visit: &Visit, Settled(signed): Settled) -> Result<Response> {
    Ok(match signed.is_limited() {
        true => see_other(links::ME),
        false => draw_question(visit, &signed, None, None, None).await,
    })
}

/// `POST /h5/me/question`: either step.
#[handler]
pub async fn submit_question(visit: &Visit, Settled(signed): Settled, form: Form) -> Result<Response> {
    if signed.is_limited() {
        return Ok(see_other(links::ME));
    }
    let (app, session, visitor) = (&visit.app, &signed.session, visit.visitor());
    let ticket = form.get("ticket");
    if ticket.is_empty() {
        let begun = account::begin_question(app, session, form.get("password"), caller(visit, &visitor, &form)).await;
        return Ok(match begun.map_err(Problem::from)? {
            Ok(ticket) => draw_question(visit, &signed, Some(ticket), None, None).await,
            Err(not) => draw_question(visit, &signed, None, None, Some(problem_of(not))).await,
        });
    }
    let asked = (form.get("question"), form.get("answer"));
    Ok(match account::set_question(app, session, ticket, asked).await.map_err(Problem::from)? {
        Ok(()) => see_other(&links::me_done(Done::Question.code())),
        Err(NotTaken::StepOver) => draw_question(visit, &signed, None, None, Some(FormProblem::StepOver)).await,
        Err(not) => {
            let chosen = Question::parse(asked.0);
            draw_question(visit, &signed, Some(ticket.to_owned()), chosen, Some(problem_of(not))).await
        }
    })
}

async fn draw_question(
    visit: &Visit,
    signed: &SignedIn,
    ticket: Option<String>,
    question: Option<Question>,
    problem: Option<FormProblem>,
) -> Response {
    let gate = Gate::new(&visit.app, "user", &signed.payer.number, visit.caller("", None).address);
    let asked = if ticket.is_some() { None } else { gate.question(&visit.app, &visit.visitor()).await };
    let frame = visit.frame(Some(&signed.payer));
    let view = QuestionPage { frame, ticket, question, problem, captcha: asked.map(captcha_of) };
    Page::with_status(status_of(problem), view).into_response()
}
