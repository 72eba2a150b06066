//! 登录.
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use poem::http::StatusCode;
use poem::{IntoResponse, Response, Result, handler};

use crate::domain::bilingual::Bilingual;
use crate::flow::guess::{Challenge, Guess};
use crate::flow::sign_in::{self, Answer, Choice, Refused};
use crate::flow::{announcements, password, session, sso};
use crate::web::error::{LOCKED, Problem, TYPED_WRONG, see_other};
use crate::web::form::Form;
use crate::web::guard::{Visit, local_path, set_cookie};
use crate::web::html::Page;
use crate::web::view::links::{self, LoginMode};
use crate::web::view::login::{Captcha, Choose, Identity, Login, LoginProblem, PasswordHint};

/// `GET /h5/login`
#[handler]
pub async fn show(visit: &Visit) -> Result<Response> {
    let back = local_path(visit.query("back")).unwrap_or_default();
    if let Some(token) = visit.token()
        && session::of_token(&visit.app, token).await.map_err(Problem::from)?.is_some()
    {
        return Ok(see_other(if back.is_empty() { links::HOME } else { back }));
    }
    let mode = LoginMode::parse(visit.query("mode")).unwrap_or_default();
    let typed = Typed { mode, name: "", own_name: "", back };
    Ok(draw(visit, &typed, None).await)
}

/// `POST /h5/login`
#[handler]
pub async fn submit(visit: &Visit, form: Form) -> Result<Response> {
    let app = &visit.app;
    let mode = LoginMode::parse(form.get("mode")).unwrap_or_default();
    let back = local_path(form.get("back")).unwrap_or_default();
    let captcha = Some((form.get("captcha_id"), form.get("captcha"))).filter(|(id, _)| !id.is_empty());
    let visitor = visit.visitor();
    let caller = visit.caller(&visitor, captcha);
    let (name, own_name, answer) = match (mode, form.get("ticket")) {
        (LoginMode::User, _) => {
            let name = form.get("username");
            (name, "", sign_in::with_password(app, name, form.get("password"), caller).await)
        }
        (LoginMode::Id, "") => {
            let (name, own_name) = (form.get("id_number"), form.get("name"));
            (name, own_name, sign_in::with_id_number(app, name, own_name, caller).await)
        }
        (LoginMode::Id, ticket) => ("", "", sign_in::choose(app, ticket, form.get("payer"), &visitor).await),
    };
    match answer.map_err(Problem::from)? {
        Answer::In(signed_in) => {
            if let Some(old) = visit.token() {
                session::end(app, old).await.map_err(Problem::from)?;
            }
            let to = if back.is_empty() { links::HOME } else { back };
            Ok(set_cookie(see_other(to), &visit.session_cookie(&signed_in.token)))
        }
        Answer::Choose(choice) => Ok(choose(visit, choice, back, !form.get("ticket").is_empty())),
        Answer::Refused(Refused::ChoiceOver) => Ok(see_other(&links::login(LoginMode::Id, back))),
        Answer::Refused(refused) => {
            let typed = Typed { mode, name, own_name, back };
            Ok(draw(visit, &typed, Some(refused)).await)
        }
    }
}

/// What the form held.
struct Typed<'a> {
    mode: LoginMode,
    /// User name or document number
    name: &'a str,
    own_name: &'a str,
    back: &'a str,
}

async fn draw(visit: &Visit, typed: &Typed<'_>, refused: Option<Refused>) -> Response {
    let visitor = visit.visitor();
    let by_id = typed.mode == LoginMode::Id;
    let caller = visit.caller(&visitor, None);
    let (problem, status) = match refused {
        None | Some(Refused::ChoiceOver) => (None, StatusCode::OK),
        Some(Refused::Empty) => (Some(LoginProblem::Empty), TYPED_WRONG),
        Some(Refused::Guess(Guess::WrongPair { tries_left })) => {
            (Some(LoginProblem::WrongPair { tries_left }), TYPED_WRONG)
        }
        Some(Refused::Guess(Guess::Captcha)) => (Some(LoginProblem::Captcha), TYPED_WRONG),
        Some(Refused::Guess(Guess::Locked { until })) => (Some(LoginProblem::Locked { until }), LOCKED),
    };
    let locked = matches!(problem, Some(LoginProblem::Locked { .. }));
    let question = match locked {
        true => None,
        false => sign_in::question(&visit.app, by_id, typed.name, caller).await,
    };
    let captcha = question.map(captcha_of);
    let view = Login {
        frame: visit.frame(None),
        mode: typed.mode,
        typed: typed.name.to_owned(),
        typed_name: typed.own_name.to_owned(),
        expired: visit.has_token() && problem.is_none(),
        problem,
        captcha,
        portal: sso::name(&visit.app),
        // what it tells holds nobody up
        news: announcements::newest(&visit.app).await.unwrap_or_default(),
        hint: hint(visit),
        back: typed.back.to_owned(),
    };
    Page::with_status(status, view).into_response()
}

/// The question as a page shows it.
pub fn captcha_of(asked: Challenge) -> Captcha {
    Captcha {
        image: format!("data:image/png;base64,{}", BASE64.encode(&asked.image_png)),
        id: asked.id,
        question: Bilingual::new(asked.question_zh, asked.question_en),
    }
}

fn hint(visit: &Visit) -> PasswordHint {
    match password::hint(&visit.app) {
        password::Hint::IdLast6 => PasswordHint::IdLast6,
        password::Hint::IdLast8 => PasswordHint::IdLast8,
        password::Hint::Username => PasswordHint::Username,
        password::Hint::None => PasswordHint::Told,
    }
}

fn choose(visit: &Visit, choice: Choice, back: &str, problem: bool) -> Response {
    let identities = choice.identities.into_iter().map(|one| {
        let unit = [one.college, one.class_name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        Identity { value: one.value, kind: one.kind, number: one.masked_number, unit: unit.join(" · ") }
    });
    let identities = identities.collect();
    let status = if problem { TYPED_WRONG } else { StatusCode::OK };
    let frame = visit.frame(None);
    Page::with_status(status, Choose { frame, ticket: choice.ticket, identities, problem, back: back.to_owned() })
        .into_response()
}
