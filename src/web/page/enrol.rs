//! 报名: programmes for everybody to look at, enrolments for whoever signed in with a password.
use poem::http::StatusCode;
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use crate::domain::bilingual::Bilingual;
use crate::domain::enrolment::Standing;
use crate::domain::fee::WindowState;
use crate::domain::ids::{EnrolmentId, ProgrammeId};
use crate::domain::payer::Phone;
use crate::domain::programme::Programme;
use crate::flow::enrol::{self, NotTaken, Typed};
use crate::web::error::{Problem, TYPED_WRONG, see_other};
use crate::web::form::Form;
use crate::web::guard::{Settled, SignedIn, Visit};
use crate::web::html::Page;
use crate::web::view::enrol::{Enrol, EnrolForm, EnrolmentPage, Mine, ProgrammePage, Way};
use crate::web::view::links;

/// `GET /h5/enrol?dept=&status=`
#[handler]
pub async fn list(visit: &Visit, signed: Option<SignedIn>) -> Result<Response> {
    let app = &visit.app;
    let limited = signed.as_ref().is_some_and(SignedIn::is_limited);
    let own = match signed.as_ref().filter(|signed| !signed.is_limited()) {
        Some(signed) => Some(enrol::of_payer(app, &signed.session).await.map_err(Problem::from)?),
        None => None,
    };
    let all = enrol::programmes(app).await.map_err(Problem::from)?;
    let department = visit.query("dept").to_owned();
    let status = Standing::parse(visit.query("status")).filter(|_| own.is_some());
    let fits = |one: &Programme| department.is_empty() || one.department.zh == department;
    let mut departments: Vec<Bilingual> = all.iter().map(|one| one.department.clone()).collect();
    departments.sort_by(|one, other| one.zh.cmp(&other.zh));
    departments.dedup_by(|one, other| one.zh == other.zh);
    let has = |id: ProgrammeId| {
        let live = |standing| matches!(standing, Standing::ToPay | Standing::Paid | Standing::Waiting);
        own.iter().flatten().any(|one| one.programme == id && live(one.standing()))
    };
    let now = app.clock.now();
    let programmes: Vec<Programme> =
        all.iter().filter(|one| fits(one) && !one.is_over(now) && !has(one.id)).cloned().collect();
    let mine = own.as_ref().map(|own| {
        let shown = own.iter().filter(|one| status.is_none_or(|status| one.standing() == status));
        let with_programme = |one: &crate::domain::enrolment::Enrolment| {
            let of = all.iter().find(|programme| programme.id == one.programme).filter(|of| fits(of))?;
            let (name, department) = (of.name.clone(), of.department.clone());
            Some(Mine { enrolment: one.clone(), name, department, is_free: one.due.is_none() })
        };
        shown.filter_map(with_programme).collect()
    });
    let frame = visit.frame(signed.as_ref().map(|signed| &signed.payer));
    Ok(Page::new(Enrol { frame, limited, mine, programmes, departments, department, status }).into_response())
}

/// `GET /h5/enrol/{id}`
#[handler]
pub async fn show(visit: &Visit, signed: Option<SignedIn>, Path(id): Path<String>) -> Result<Response> {
    let id: ProgrammeId = id.parse().map_err(|_| Problem::NotFound)?;
    draw(visit, signed, id, None).await
}

/// `POST /h5/enrol/{id}`
#[handler]
pub async fn submit(visit: &Visit, Settled(signed): Settled, Path(id): Path<String>, form: Form) -> Result<Response> {
    let id: ProgrammeId = id.parse().map_err(|_| Problem::NotFound)?;
    let programme = enrol::programme(&visit.app, id).await.map_err(Problem::from)?;
    if signed.is_limited() {
        return Ok(see_other(&links::programme(&id)));
    }
    let answers = answers(&programme, &form);
    let given: Vec<&str> = answers.iter().map(String::as_str).collect();
    let typed = Typed { phone: form.get("phone"), answers: &given };
    let queue = form.get("queue") == "1";
    match enrol::enrol(&visit.app, &signed.session, id, typed, queue).await.map_err(Problem::from)? {
        Ok(enrolment) => Ok(see_other(&links::enrolment(&enrolment))),
        Err(not) => draw(visit, Some(signed), id, Some((form.get("phone").to_owned(), answers, not))).await,
    }
}

fn answers(programme: &Programme, form: &Form) -> Vec<String> {
    (0..programme.fields.len()).map(|at| form.get(&format!("a{at}")).to_owned()).collect()
}

/// The programme as it is now; with what was typed and why it was not taken.
async fn draw(
    visit: &Visit,
    signed: Option<SignedIn>,
    id: ProgrammeId,
    refused: Option<(String, Vec<String>, NotTaken)>,
) -> Result<Response> {
    let app = &visit.app;
    let programme = enrol::programme(app, id).await.map_err(Problem::from)?;
    let status = match &refused {
        None => StatusCode::OK,
        Some((_, _, NotTaken::Full)) => StatusCode::CONFLICT,
        Some(_) => TYPED_WRONG,
    };
    let way = match &signed {
        None => Way::SignIn,
        Some(signed) if signed.is_limited() => Way::Limited,
        Some(signed) => {
            let live = enrol::live(app, &signed.session, id).await.map_err(Problem::from)?;
            match (live, programme.window.at(app.clock.now())) {
                (Some(live), _) => Way::Enrolled(live.id),
                (None, WindowState::NotYet(_) | WindowState::Over(_)) => Way::Closed,
                (None, WindowState::Open) if !programme.admits(signed.payer.kind) => Way::NotAdmitted,
                (None, WindowState::Open) => {
                    let known = enrol::known(app, &signed.session).await.map_err(Problem::from)?;
                    let masked = known.phone.as_ref().map(Phone::masked).unwrap_or_default();
                    let (phone, answers, problem) = match refused {
                        Some((phone, answers, not)) => (phone, answers, Some(not)),
                        None => (masked, Vec::new(), None),
                    };
                    let fields = programme.fields.clone();
                    Way::Form(EnrolForm { fields, id_number: known.id_number, phone, answers, problem })
                }
            }
        }
    };
    let frame = visit.frame(signed.as_ref().map(|signed| &signed.payer));
    Ok(Page::with_status(status, ProgrammePage { frame, programme, way }).into_response())
}

/// `GET /h5/enrolments/{id}?done=saved`
#[handler]
pub async fn show_own(visit: &Visit, Settled(signed): Settled, Path(id): Path<String>) -> Result<Response> {
    let id: EnrolmentId = id.parse().map_err(|_| Problem::NotFound)?;
    draw_own(visit, &signed, id, None).await
}

/// `POST /h5/enrolments/{id}`
#[handler]
pub async fn edit(visit: &Visit, Settled(signed): Settled, Path(id): Path<String>, form: Form) -> Result<Response> {
    let id: EnrolmentId = id.parse().map_err(|_| Problem::NotFound)?;
    let opened = enrol::find(&visit.app, &signed.session, id).await.map_err(Problem::from)?;
    let answers = answers(&opened.programme, &form);
    let given: Vec<&str> = answers.iter().map(String::as_str).collect();
    let typed = Typed { phone: form.get("phone"), answers: &given };
    match enrol::edit(&visit.app, &signed.session, id, typed).await.map_err(Problem::from)? {
        Ok(()) => Ok(see_other(&format!("{}?done=saved", links::enrolment(&id)))),
        Err(not) => draw_own(visit, &signed, id, Some((form.get("phone").to_owned(), answers, not))).await,
    }
}

/// `POST /h5/enrolments/{id}/cancel`
#[handler]
pub async fn cancel(visit: &Visit, Settled(signed): Settled, Path(id): Path<String>, _form: Form) -> Result<Response> {
    let id: EnrolmentId = id.parse().map_err(|_| Problem::NotFound)?;
    enrol::cancel(&visit.app, &signed.session, id).await.map_err(Problem::from)?;
    Ok(see_other(&links::enrolment(&id)))
}

async fn draw_own(
    visit: &Visit,
    signed: &SignedIn,
    id: EnrolmentId,
    refused: Option<(String, Vec<String>, NotTaken)>,
) -> Result<Response> {
    let app = &visit.app;
    let opened = enrol::find(app, &signed.session, id).await.map_err(Problem::from)?;
    let known = enrol::known(app, &signed.session).await.map_err(Problem::from)?;
    let status = if refused.is_some() { TYPED_WRONG } else { StatusCode::OK };
    let fields = opened.programme.fields.clone();
    let kept = fields.iter().map(|field| opened.details.answer(&field.label.zh).to_owned()).collect();
    let masked = Phone::parse(&opened.details.phone).map(|phone| phone.masked()).unwrap_or_default();
    let (phone, answers, problem) = match refused {
        Some((phone, answers, not)) => (phone, answers, Some(not)),
        None => (masked, kept, None),
    };
    let view = EnrolmentPage {
        frame: visit.frame(Some(&signed.payer)),
        enrolment: opened.enrolment,
        programme: opened.programme,
        before: opened.before,
        form: EnrolForm { fields, id_number: known.id_number, phone, answers, problem },
        checkout_id: app.chance.token(22),
        saved: visit.query("done") == "saved",
    };
    Ok(Page::with_status(status, view).into_response())
}
