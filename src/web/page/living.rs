//! 生活缴费: what can be topped up, and the form that makes an order of it.
use poem::http::StatusCode;
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use crate::app::App;

use crate::domain::money::Fen;
use crate::domain::order::Order;
use crate::flow::living::buy::{self, Living, NotTaken};
use crate::flow::living::provider::{self, Left};
use crate::web::error::{Problem, TYPED_WRONG, see_other};
use crate::web::form::Form;
use crate::web::guard::{Settled, SignedIn, Visit};
use crate::web::html::Page;
use crate::web::view::links::Door;
use crate::web::view::living::{Balance, ServiceRow, Services, TopUpLine, TopUpPage, Typed};

/// `GET /h5/living`
#[handler]
pub async fn list(visit: &Visit, Settled(signed): Settled) -> Result<Response> {
    let limited = signed.is_limited();
    let mut services = Vec::new();
    for service in visit.app.config.living.iter().filter(|_| !limited) {
        let accounts = buy::accounts(&visit.app, &signed.session, service).await.map_err(Problem::from)?;
        services.push(row(service, accounts.first().cloned()));
    }
    Ok(Page::new(Services { frame: visit.frame(Some(&signed.payer)), services, limited }).into_response())
}

/// `GET /h5/living/{service}`
#[handler]
pub async fn show(visit: &Visit, Settled(signed): Settled, Path(id): Path<String>) -> Result<Response> {
    let service = buy::service(&visit.app, &id).map_err(Problem::from)?;
    let remembered = buy::accounts(&visit.app, &signed.session, service).await.map_err(Problem::from)?;
    let account = remembered.first().cloned().unwrap_or_default();
    let chip = service.chips.first().map(|fen| Fen::new(*fen));
    let typed = Typed { account, amount: String::new(), chip };
    draw(visit, &signed, service, remembered, (typed, None)).await
}

/// `POST /h5/living/{service}`
#[handler]
pub async fn submit(visit: &Visit, Settled(signed): Settled, Path(id): Path<String>, form: Form) -> Result<Response> {
    let service = buy::service(&visit.app, &id).map_err(Problem::from)?;
    let checkout_id = form.get("checkout_id");
    if !(16..=64).contains(&checkout_id.len()) || !checkout_id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(Problem::BadRequest.into());
    }
    // under the payer's own name, so that nobody else's key can be met
    let checkout_id = format!("{}-{checkout_id}", signed.payer.id);
    let chip = form.get("chip").parse().ok().map(Fen::new).filter(|chip| service.chips.contains(&chip.get()));
    let typed = Typed { account: form.get("account").to_owned(), amount: form.get("amount").to_owned(), chip };
    // what is typed counts, else what is chosen
    let amount = match (typed.amount.trim().is_empty(), chip) {
        (true, Some(chip)) => chip.yuan(),
        _ => typed.amount.clone(),
    };
    let given = buy::Typed { account: &typed.account, amount: &amount, checkout_id: &checkout_id };
    match buy::buy(&visit.app, &signed.session, service, given).await.map_err(Problem::from)? {
        Ok(order) => Ok(see_other(&Door::Own(order.order_no.clone()).cashier())),
        Err(not) => {
            let remembered = buy::accounts(&visit.app, &signed.session, service).await.map_err(Problem::from)?;
            draw(visit, &signed, service, remembered, (typed, Some(not))).await
        }
    }
}

async fn draw(
    visit: &Visit,
    signed: &SignedIn,
    service: &Living,
    remembered: Vec<String>,
    (typed, problem): (Typed, Option<NotTaken>),
) -> Result<Response> {
    let app = &visit.app;
    let known = remembered.contains(&typed.account).then_some(&typed.account);
    let balance = match known {
        None => Balance::Unasked,
        Some(account) => match provider::balance(app, service, account).await {
            Left::Known(left) => Balance::Known { left, unit: service.unit_name() },
            Left::NoSuchAccount | Left::Unclear => Balance::Unclear,
        },
    };
    let status = if problem.is_some() { TYPED_WRONG } else { StatusCode::OK };
    let payee = app.config.payee(&service.payee).map(|payee| payee.bilingual_name()).unwrap_or_default();
    let view = TopUpPage {
        frame: visit.frame(Some(&signed.payer)),
        checkout_id: app.chance.token(22),
        service: row(service, None),
        payee,
        example: service.example.clone(),
        limits: service.limits(),
        chips: service.chips.iter().copied().map(Fen::new).collect(),
        remembered,
        typed,
        balance,
        problem,
    };
    Ok(Page::with_status(status, view).into_response())
}

fn row(service: &Living, last: Option<String>) -> ServiceRow {
    ServiceRow { id: service.id.clone(), name: service.bilingual_name(), account: service.account_name(), last }
}

/// What an order's pages say of the top-up it is for, to its payer.
pub async fn line_of(app: &App, order: &Order, limited: bool) -> Result<Option<TopUpLine>> {
    let found = buy::of_order(app, order).await.map_err(Problem::from)?;
    Ok(found.map(|(top_up, account)| {
        let service = app.config.living.iter().find(|service| service.id == top_up.service);
        TopUpLine {
            service: service.map(Living::bilingual_name).unwrap_or_default(),
            account: Some(account).filter(|_| !limited),
            state: top_up.state,
        }
    }))
}
