//! Before a 海报: `/q/{code}`, number and name, who it is, what is owed.
//!
//! `/q` has one door. A code of an order leads to the order's cashier, a poster's to what the poster is about.
use poem::http::StatusCode;
use poem::web::Path;
use poem::{FromRequest, IntoResponse, Request, Response, Result, handler};

use super::access::{self, Access};
use super::cashier;
use super::confirm::{self, Selection, Unread};
use super::login::captcha_of;
use super::tuition::{self, Chosen};
use crate::domain::amount;
use crate::domain::bilingual::Bilingual;
use crate::domain::charge::Charge;
use crate::domain::checkout::Wanted;
use crate::domain::ids::ChargeId;
use crate::domain::module::{Module, Opening};
use crate::domain::money::Fen;
use crate::domain::order::{Order, OrderState};
use crate::domain::payer::{mask_name, mask_number};
use crate::domain::poster::{Poster, PosterKind, PosterState};
use crate::domain::refusal::Refusal;
use crate::flow::agreement;
use crate::flow::arrears::Arrears;
use crate::flow::checkout::Given;
use crate::flow::failure::Failure;
use crate::flow::guess::Guess;
use crate::flow::poster::desk::{self, Subject};
use crate::flow::poster::landing::{self, Account, Answer};
use crate::web::device::Device;
use crate::web::error::{LOCKED, Problem, TYPED_WRONG, of_refusal, see_other};
use crate::web::form::Form;
use crate::web::guard::{Visit, set_cookie};
use crate::web::html::{Page, Person};
use crate::web::view::confirm::ConsentProblem;
use crate::web::view::landing::{Ask, Fees, Head, Owed, Somebody, WhoIsIt};
use crate::web::view::links::{self, Door};
use crate::web::view::login::LoginProblem;
use crate::web::view::message::Message;
use crate::web::view::refusals;
use crate::web::view::tuition::RowState;
use crate::web::words::word;

/// `GET /q/{code}`: of an order or of a poster.
#[handler]
pub async fn scan(visit: &Visit, req: &Request, Path(code): Path<String>) -> Result<Response> {
    if !landing::looks_like_one(&code) {
        return cashier::draw(visit, Access::from_request_without_body(req).await?, None).await;
    }
    let found = landing::scan(&visit.app, &code, &visit.visitor()).await.map_err(Problem::from)?;
    let (poster, subject) = good(visit, found).await?;
    let way = match poster.kind {
        PosterKind::Platform => entrance(visit, links::HOME),
        PosterKind::Programme => match &subject.programme {
            Some(programme) => entrance(visit, &links::programme(programme)),
            None => return Err(Problem::Ended(Message::PosterRevoked).into()),
        },
        PosterKind::Item | PosterKind::Department => ask(visit, &poster, &subject, Typed::default()).await,
    };
    Ok(set_cookie(way, &visit.poster_cookie(&poster.code)))
}

/// By app: WeChat is asked silently who comes, so that whoever is bound comes in signed in.
fn entrance(visit: &Visit, to: &str) -> Response {
    match visit.device {
        Device::Wechat => see_other(&links::with_query(links::WECHAT_ENTER, &[("to", to)])),
        _ => see_other(to),
    }
}

/// A poster that is there and good, and what it is about; else what is said instead.
async fn good(visit: &Visit, found: Option<(Poster, PosterState)>) -> Result<(Poster, Subject), Problem> {
    let poster = match found {
        None => return Err(access::unknown_code(visit).await),
        Some((_, PosterState::Revoked(_))) => return Err(Problem::Ended(Message::PosterRevoked)),
        Some((_, PosterState::Expired(_))) => return Err(Problem::Ended(Message::PosterExpired)),
        Some((poster, PosterState::Active)) => poster,
    };
    let subject = desk::subject(&visit.app, &poster).await?;
    match visit.app.config.school.modules.opening(Module::OtherFees) {
        Opening::Open => Ok((poster, subject)),
        _ if !subject.only_other => Ok((poster, subject)),
        Opening::Closed => Err(Problem::NotOpen(Module::OtherFees)),
        Opening::Hidden => Err(Problem::Ended(Message::PosterRevoked)),
    }
}

/// As [`good`], for a later step: only posters that collect have any.
async fn collecting(visit: &Visit, code: &str) -> Result<(Poster, Subject), Problem> {
    let found = landing::find(&visit.app, code).await?;
    let (poster, subject) = good(visit, found).await?;
    if poster.collects().is_empty() { Err(Problem::NotFound) } else { Ok((poster, subject)) }
}

fn head(visit: &Visit, poster: &Poster, subject: &Subject) -> Head {
    Head {
        code: poster.code.clone(),
        poster_no: poster.poster_no.to_string(),
        title: poster.title.clone(),
        department: if poster.kind == PosterKind::Department { poster.about.clone() } else { String::new() },
        payees: subject.payees.iter().map(|code| access::payee(&visit.app, code).0).collect(),
    }
}

/// What the form of number and name held, and why it was not enough.
#[derive(Default)]
struct Typed<'a> {
    number: &'a str,
    name: &'a str,
    problem: Option<LoginProblem>,
}

async fn ask(visit: &Visit, poster: &Poster, subject: &Subject, typed: Typed<'_>) -> Response {
    let visitor = visit.visitor();
    let status = match &typed.problem {
        None => StatusCode::OK,
        Some(LoginProblem::Locked { .. }) => LOCKED,
        Some(_) => TYPED_WRONG,
    };
    let captcha = match status {
        LOCKED => None,
        _ => landing::question(&visit.app, typed.number, visit.caller(&visitor, None)).await.map(captcha_of),
    };
    let view = Ask {
        frame: visit.frame(None),
        head: head(visit, poster, subject),
        number: typed.number.to_owned(),
        name: typed.name.to_owned(),
        problem: typed.problem,
        captcha,
    };
    Page::with_status(status, view).into_response()
}

/// `POST /q/{code}/person`
#[handler]
pub async fn submit_person(visit: &Visit, Path(code): Path<String>, form: Form) -> Result<Response> {
    let (poster, subject) = collecting(visit, &code).await?;
    let (number, name, visitor) = (form.get("number"), form.get("name"), visit.visitor());
    let captcha = Some((form.get("captcha_id"), form.get("captcha"))).filter(|(id, _)| !id.is_empty());
    let caller = visit.caller(&visitor, captcha);
    let answer = landing::with_name(&visit.app, &poster, number, name, caller).await.map_err(Problem::from)?;
    let problem = match answer {
        Answer::In(ticket) => return Ok(see_other(&links::poster_step(&code, "person", &ticket, ""))),
        Answer::Empty => LoginProblem::Empty,
        Answer::Refused(Guess::WrongPair { tries_left }) => LoginProblem::WrongPair { tries_left },
        Answer::Refused(Guess::Captcha) => LoginProblem::Captcha,
        Answer::Refused(Guess::Locked { until }) => LoginProblem::Locked { until },
    };
    Ok(ask(visit, &poster, &subject, Typed { number, name, problem: Some(problem) }).await)
}

/// `GET /q/{code}/person?t=`
#[handler]
pub async fn show_person(visit: &Visit, Path(code): Path<String>) -> Result<Response> {
    let (poster, subject) = collecting(visit, &code).await?;
    let ticket = visit.query("t");
    let people = landing::people(&visit.app, &poster, ticket, &visit.visitor()).await.map_err(Problem::from)?;
    if people.is_empty() {
        return Ok(see_other(&Door::Code(code).cashier()));
    }
    let somebody = |(at, account): (usize, &Account)| Somebody {
        value: at.to_string(),
        name: masked(account),
        number: mask_number(&account.payer.number),
        college: account.payer.college.clone(),
    };
    let people = people.iter().enumerate().map(somebody).collect();
    let head = head(visit, &poster, &subject);
    Ok(Page::new(WhoIsIt { frame: visit.frame(None), head, ticket: ticket.to_owned(), people }).into_response())
}

fn masked(account: &Account) -> Bilingual {
    Bilingual::new(mask_name(&account.payer.name), mask_name(&account.payer.name_en))
}

/// A person let in by a pass, on the pages of one poster.
struct Guest {
    poster: Poster,
    subject: Subject,
    account: Account,
    ticket: String,
    who: String,
}

/// None: the pass is over, and the poster asks again.
async fn guest(visit: &Visit, code: &str, (ticket, who): (&str, &str)) -> Result<Option<Guest>, Problem> {
    let (poster, subject) = collecting(visit, code).await?;
    let people = landing::people(&visit.app, &poster, ticket, &visit.visitor()).await?;
    let chosen = who.parse::<usize>().ok().and_then(|at| people.into_iter().nth(at));
    let guest = |account| Guest { poster, subject, account, ticket: ticket.to_owned(), who: who.to_owned() };
    Ok(chosen.map(guest))
}

/// `GET /q/{code}/fees?t=&who=`
#[handler]
pub async fn show_fees(visit: &Visit, Path(code): Path<String>) -> Result<Response> {
    match guest(visit, &code, (visit.query("t"), visit.query("who"))).await? {
        Some(guest) => draw_fees(visit, &guest, Chosen::default(), (&[], None, "")).await,
        None => Ok(see_other(&Door::Code(code).cashier())),
    }
}

/// `POST /q/{code}/fees`: opens the order, which is then paid by its code.
#[handler]
pub async fn submit_fees(visit: &Visit, Path(code): Path<String>, form: Form) -> Result<Response> {
    let Some(guest) = guest(visit, &code, (form.get("t"), form.get("who"))).await? else {
        return Ok(see_other(&Door::Code(code).cashier()));
    };
    let app = &visit.app;
    let agreement = agreement::asked(app);
    let consent = agreement.as_ref().and_then(|agreement| confirm::consent_problem(visit, &form, agreement));
    let ticked = form.all("fee").filter_map(|id| id.parse().ok()).collect();
    let chosen = Chosen { ticked: Some(ticked), ..Chosen::default() };
    let answered = (form.pairs(), consent, form.get("stamp"));
    let selection = match Selection::read(form.pairs(), &[]) {
        Ok(selection) => selection,
        Err(Unread::Broken) => return Err(Problem::BadRequest.into()),
        Err(Unread::Amount(..)) => return draw_fees(visit, &guest, chosen, answered).await,
    };
    // an empty field is not taken for all that is owed, as it is where there is none
    let is_untyped = |one: &Wanted| {
        let field = format!("amt{}", one.charge_id);
        form.pairs().iter().any(|(name, text)| *name == field && Fen::typed(text).is_none())
    };
    if consent.is_some() || selection.wanted.iter().any(is_untyped) {
        return draw_fees(visit, &guest, chosen, answered).await;
    }
    let payer = guest.account.payer.id;
    // under the payer's own name, so that nobody else's key can be met
    let checkout_id = format!("{payer}-{}", selection.key);
    let given = Given { agreement, phone: None };
    let opened = landing::open(app, &guest.poster, (payer, &checkout_id), &selection.wanted, &given).await;
    match opened {
        Ok(orders) => {
            let waits = |order: &&Order| matches!(order.state, OrderState::Pending { .. });
            let next = orders.iter().find(waits).or(orders.last());
            let to = next.map(|order| Door::Code(order.pay_code.clone()).cashier());
            Ok(see_other(to.as_deref().unwrap_or(&Door::Code(code).cashier())))
        }
        Err(Failure::Refused(refusal)) if refusal != Refusal::NotFound => {
            draw_fees(visit, &guest, Chosen { problem: Some(refusal), ..chosen }, answered).await
        }
        Err(failure) => Err(Problem::from(failure).into()),
    }
}

/// Draws what is owed, with what was chosen and typed and why it was not enough.
async fn draw_fees(
    visit: &Visit,
    guest: &Guest,
    chosen: Chosen,
    (typed, consent, stamp): (&[(String, String)], Option<ConsentProblem>, &str),
) -> Result<Response> {
    let (app, payer) = (&visit.app, &guest.account.payer);
    let own = landing::owed(app, &guest.poster, payer.id).await.map_err(Problem::from)?;
    let mut rows = Vec::new();
    for charge in &own.charges {
        let row = tuition::row(visit, &own, charge, &chosen);
        let field = format!("amt{}", charge.id);
        let text = typed.iter().find(|(name, _)| *name == field).map(|(_, text)| text.as_str());
        let ticked = matches!(row.state, RowState::Payable { selected: true, .. });
        let problem = text.filter(|_| ticked).and_then(|text| wrong_amount(visit, charge, text));
        let pay_code = match &row.state {
            RowState::InOrder { .. } => waiting_code(visit, guest, &own, charge.id).await?,
            _ => None,
        };
        let typed = text.map_or_else(|| charge.balance.arrears().yuan(), str::to_owned);
        rows.push(Owed { row, pay_code, typed, problem });
    }
    let wrong = consent.is_some() || rows.iter().any(|row| row.problem.is_some());
    let status = match &chosen.problem {
        Some(why) => of_refusal(why),
        None if wrong => TYPED_WRONG,
        None => StatusCode::OK,
    };
    // said beside the field, if it can be
    let problem = chosen.problem.filter(|why| !(wrong && matches!(why, Refusal::Amount { .. })));
    let mut frame = visit.frame(None);
    let name = masked(&guest.account);
    frame.person = Some(Person { name: name.zh, name_en: name.en, class_name: String::new(), ..Person::of(payer) });
    let view = Fees {
        frame,
        head: head(visit, &guest.poster, &guest.subject),
        ticket: guest.ticket.clone(),
        who: guest.who.clone(),
        checkout_id: app.chance.token(22),
        rows,
        consent: agreement::asked(app).map(|agreement| confirm::consent(visit, agreement, consent, stamp)),
        problem,
        here: links::poster_step(&guest.poster.code, "fees", &guest.ticket, &guest.who),
    };
    Ok(Page::with_status(status, view).into_response())
}

/// Why what was typed cannot be paid; none: it can.
fn wrong_amount(visit: &Visit, charge: &Charge, text: &str) -> Option<String> {
    let Some(wanted) = Fen::typed(text) else { return Some(word(visit.lang, "amount.bad").to_owned()) };
    let checked = amount::check(wanted, charge.balance.arrears(), charge.item.min_split);
    checked.err().map(|why| refusals::amount(visit.lang, &why))
}

/// The way to pay the order a charge waits in, if that order is of nothing but this poster's items.
async fn waiting_code(
    visit: &Visit,
    guest: &Guest,
    own: &Arrears,
    charge: ChargeId,
) -> Result<Option<String>, Problem> {
    let Some(order) = own.order_of(charge) else { return Ok(None) };
    Ok(landing::pay_code(&visit.app, &guest.poster, guest.account.payer.id, order.id).await?)
}
