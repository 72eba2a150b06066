//! 留学生: the door, the link of a registration mail, and the studies of an account.
use poem::http::StatusCode;
use poem::{IntoResponse, Response, Result, handler};

use super::account::{caller, new_password, problem_of, status_of};
use super::login::captcha_of;
use crate::domain::bilingual::{Bilingual, Lang};
use crate::flow::account::NotTaken;
use crate::flow::member::{self, NotOpened};
use crate::flow::session;
use crate::flow::study::{self, NotBound, Own, Typed};
use crate::web::error::{Problem, TYPED_WRONG, see_other};
use crate::web::form::Form;
use crate::web::guard::{SignedIn, Visit, set_cookie};
use crate::web::html::Page;
use crate::web::view::account::FormProblem;
use crate::web::view::links;
use crate::web::view::member::{Activate, International, PortalLink, Studies, StudyCard, StudyProblem, TypedStudy};
use crate::web::view::message::{Message, MessagePage};

/// `GET /h5/international`
#[handler]
pub async fn show(visit: &Visit) -> Result<Response> {
    Ok(draw_door(visit, "", None).await)
}

/// `POST /h5/international`: the mail that opens an account, the first time or again.
#[handler]
pub async fn register(visit: &Visit, form: Form) -> Result<Response> {
    let (app, visitor, email) = (&visit.app, visit.visitor(), form.get("email"));
    if !member::is_offered(app) {
        return Ok(tell(visit, Message::SignUpAway));
    }
    let address = format!("{}{}?t=", app.config.server.public_url, links::ACTIVATE);
    let sent = member::register(app, email, &address, caller(visit, &visitor, &form)).await;
    Ok(match sent.map_err(Problem::from)? {
        Ok(()) => tell(visit, Message::ActivationSent),
        Err(not) => draw_door(visit, email, Some(problem_of(not))).await,
    })
}

async fn draw_door(visit: &Visit, email: &str, problem: Option<FormProblem>) -> Response {
    let captcha = member::question(&visit.app, visit.caller("", None)).await.map(captcha_of);
    let (frame, email, portal) = (visit.frame(None), email.to_owned(), portal(visit));
    Page::with_status(status_of(problem), International { frame, email, problem, captcha, portal }).into_response()
}

fn portal(visit: &Visit) -> Vec<PortalLink> {
    let all = visit.app.config.school.portal.iter();
    all.map(|one| PortalLink { name: Bilingual::new(&one.name, &one.name_en), url: one.url.clone() }).collect()
}

fn tell(visit: &Visit, message: Message) -> Response {
    Page::new(MessagePage { frame: visit.frame(None), message }).into_response()
}

/// `GET /h5/international/activate?t=`. Opening it uses nothing up: mail programs open links too.
#[handler]
pub async fn show_link(visit: &Visit) -> Result<Response> {
    draw_link(visit, visit.query("t"), "", false, None).await
}

/// `POST /h5/international/activate`: opens the account and signs in.
#[handler]
pub async fn activate(visit: &Visit, form: Form) -> Result<Response> {
    let (app, visitor) = (&visit.app, visit.visitor());
    let (token, name) = (form.get("token"), form.get("name"));
    let caller = caller(visit, &visitor, &form);
    match member::activate(app, token, name, new_password(&form), caller).await.map_err(Problem::from)? {
        Ok(session) => {
            if let Some(old) = visit.token() {
                session::end(app, old).await.map_err(Problem::from)?;
            }
            Ok(set_cookie(see_other(links::STUDIES), &visit.session_cookie(&session)))
        }
        Err(NotOpened::LinkOver) => Ok(tell(visit, Message::ActivationOver)),
        Err(NotOpened::Name) => draw_link(visit, token, name, true, None).await,
        Err(NotOpened::Password(not)) => draw_link(visit, token, name, false, Some(problem_of(not))).await,
    }
}

async fn draw_link(
    visit: &Visit,
    token: &str,
    name: &str,
    name_wrong: bool,
    problem: Option<FormProblem>,
) -> Result<Response> {
    let Some(email) = member::opens(&visit.app, token).await.map_err(Problem::from)? else {
        return Ok(tell(visit, Message::ActivationOver));
    };
    let status = if name_wrong { TYPED_WRONG } else { status_of(problem) };
    let (frame, token, name) = (visit.frame(None), token.to_owned(), name.to_owned());
    let email = email.reveal().to_owned();
    Ok(Page::with_status(status, Activate { frame, token, email, name, name_wrong, problem }).into_response())
}

/// `GET /h5/studies`
#[handler]
pub async fn studies(visit: &Visit, signed: SignedIn) -> Result<Response> {
    draw(visit, &signed, TypedStudy::default(), None).await
}

/// `POST /h5/studies`: binds one more.
#[handler]
pub async fn bind(visit: &Visit, signed: SignedIn, form: Form) -> Result<Response> {
    let visitor = visit.visitor();
    let typed = Typed {
        number: form.get("number"),
        birth_date: form.get("birth"),
        nationality: form.get("nationality"),
        passport: form.get("passport").trim(),
    };
    let bound = study::bind(&visit.app, &signed.session, typed, caller(visit, &visitor, &form)).await;
    let problem = match bound.map_err(Problem::from)? {
        Ok(()) => return Ok(see_other(links::TUITION)),
        Err(NotBound::Unfit(unfit)) => StudyProblem::Unfit(unfit),
        Err(NotBound::Passport { is_wrong }) => StudyProblem::Passport { is_wrong },
        Err(NotBound::Guess(guess)) => StudyProblem::Form(problem_of(NotTaken::Guess(guess))),
    };
    let typed = TypedStudy {
        number: typed.number.to_owned(),
        birth_date: typed.birth_date.to_owned(),
        nationality: typed.nationality.to_owned(),
    };
    draw(visit, &signed, typed, Some(problem)).await
}

/// `POST /h5/studies/choose`
#[handler]
pub async fn choose(visit: &Visit, signed: SignedIn, form: Form) -> Result<Response> {
    let chosen = study::choose(&visit.app, &signed.session, form.get("study")).await.map_err(Problem::from)?;
    Ok(see_other(if chosen { links::TUITION } else { links::STUDIES }))
}

/// `POST /h5/studies/unbind`
#[handler]
pub async fn unbind(visit: &Visit, signed: SignedIn, form: Form) -> Result<Response> {
    study::unbind(&visit.app, &signed.session, form.get("study")).await.map_err(Problem::from)?;
    Ok(see_other(links::STUDIES))
}

async fn draw(visit: &Visit, signed: &SignedIn, typed: TypedStudy, problem: Option<StudyProblem>) -> Result<Response> {
    let (email, own) = study::own(&visit.app, &signed.session).await.map_err(Problem::from)?;
    let visitor = visit.visitor();
    let caller = visit.caller(&visitor, None);
    let captcha = study::question(&visit.app, &signed.session, caller).await.map(captcha_of);
    let view = Studies {
        frame: visit.frame(Some(&signed.payer)),
        email: email.reveal().to_owned(),
        studies: own.into_iter().map(|own| card(own, visit.lang)).collect(),
        typed,
        problem,
        captcha,
        portal: portal(visit),
    };
    let status = match problem {
        None => StatusCode::OK,
        Some(StudyProblem::Form(problem)) => status_of(Some(problem)),
        Some(_) => TYPED_WRONG,
    };
    Ok(Page::with_status(status, view).into_response())
}

fn card(own: Own, lang: Lang) -> StudyCard {
    let Own { id, payer, study } = own;
    let mut lines = Vec::new();
    if let Some(study) = study {
        let chinese = lang == Lang::Zh;
        let details = &study.details;
        // an applicant has no student number yet
        let number = if payer.number == study.application_no { String::new() } else { payer.number.clone() };
        lines = vec![
            ("studies.application_no", study.application_no.clone()),
            ("studies.student_no", number),
            ("studies.passport_no", details.masked_passport()),
            ("studies.passport_name", payer.name_en.clone()),
            ("studies.chinese_name", if payer.name == payer.name_en { String::new() } else { payer.name.clone() }),
            ("sign_up.gender", details.gender.clone()),
            ("studies.birth_date", details.birth_date.clone()),
            ("studies.nationality", details.nationality_in(chinese).to_owned()),
            ("studies.apply_type", details.apply_type.clone()),
            ("studies.duration", details.duration.clone()),
            ("studies.department", details.department.clone()),
        ];
        lines.retain(|(_, text)| !text.is_empty());
    }
    StudyCard { id, lines, passport_name: if payer.name_en.is_empty() { payer.name } else { payer.name_en } }
}
