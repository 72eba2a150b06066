//! 家长代付, the payer's side: own links, a new one, its code, and taking it back.
use poem::http::StatusCode;
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use super::cashier::picture;
use crate::domain::amount::may_change;
use crate::domain::charge::Charge;
use crate::domain::ids::{ChargeId, PayLinkId};
use crate::domain::order::OrderState;
use crate::domain::order_no::OrderNo;
use crate::domain::pay_for_me::Lasting;
use crate::domain::payer::mask_name;
use crate::domain::session::Rights;
use crate::flow::pay_for_me::{self, NotMade, Offer, Own, Standing, Wish};
use crate::flow::records;
use crate::web::error::{Problem, TYPED_WRONG, of_refusal, see_other};
use crate::web::form::Form;
use crate::web::guard::{Settled, SignedIn, Visit};
use crate::web::html::Page;
use crate::web::view::links;
use crate::web::view::part::Title;
use crate::web::view::pay_for_me::{Choice, GivenRow, LinkRow, LinkState, OrderChoice, PayForMe, PayLinkPage, Unmade};

/// What the form of a new link was sent with.
#[derive(Default)]
struct Asked {
    order: Option<OrderNo>,
    charge: Option<ChargeId>,
    lasting: Option<Lasting>,
    problem: Option<Unmade>,
}

/// `GET /h5/pay-for-me?order=`
#[handler]
pub async fn list(visit: &Visit, Settled(signed): Settled) -> Result<Response> {
    draw(visit, &signed, Asked { order: OrderNo::parse(visit.query("order")), ..Asked::default() }).await
}

/// `POST /h5/pay-for-me`: `fee` or `order`, `lasting`.
#[handler]
pub async fn make(visit: &Visit, Settled(signed): Settled, form: Form) -> Result<Response> {
    let mut asked = Asked {
        order: OrderNo::parse(form.get("order")),
        charge: form.get("fee").parse().ok(),
        lasting: Lasting::parse(form.get("lasting")),
        problem: None,
    };
    let wish = match (&asked.order, asked.charge) {
        (Some(no), _) => Wish::Order(no.clone()),
        (None, Some(charge)) => Wish::Charge(charge),
        (None, None) => {
            asked.problem = Some(Unmade::Unchosen);
            return draw(visit, &signed, asked).await;
        }
    };
    let lasting = asked.lasting.unwrap_or(Lasting::ThreeDays);
    match pay_for_me::make(&visit.app, &signed.session, &wish, lasting).await.map_err(Problem::from)? {
        Ok(id) => Ok(see_other(&links::pay_link(&id))),
        Err(not) => {
            asked.problem = Some(match not {
                NotMade::TooMany => Unmade::TooMany,
                NotMade::Refused(refusal) => Unmade::Refused(refusal),
            });
            draw(visit, &signed, asked).await
        }
    }
}

async fn draw(visit: &Visit, signed: &SignedIn, asked: Asked) -> Result<Response> {
    let (app, limited) = (&visit.app, signed.session.rights != Rights::Full);
    let (mut own, mut choices, mut order) = (Vec::new(), Vec::new(), None);
    if !limited {
        own = pay_for_me::own(app, &signed.session).await.map_err(Problem::from)?;
        choices = pay_for_me::choices(app, &signed.session).await.map_err(Problem::from)?;
        if let Some(no) = &asked.order {
            let found = records::find_order(app, &signed.session, no).await.map_err(Problem::from)?;
            let found = found.filter(|order| matches!(order.state, OrderState::Pending { .. }));
            if let Some(found) = found {
                let lines = records::lines_of(app, found.id).await.map_err(Problem::from)?;
                order = Some(OrderChoice { no: found.order_no, title: Title::of(&lines), total: found.total });
            }
        }
    }
    let status = match &asked.problem {
        None => StatusCode::OK,
        Some(Unmade::Refused(refusal)) => of_refusal(refusal),
        Some(_) => TYPED_WRONG,
    };
    let view = PayForMe {
        frame: visit.frame(Some(&signed.payer)),
        limited,
        links: own.into_iter().map(row).collect(),
        order,
        choices: choices.into_iter().map(choice).collect(),
        chosen: asked.charge,
        lasting: asked.lasting.unwrap_or(Lasting::ThreeDays),
        problem: asked.problem,
    };
    Ok(Page::with_status(status, view).into_response())
}

fn row(own: Own) -> LinkRow {
    LinkRow {
        id: own.link.id,
        title: Title::of(&own.lines),
        state: state(&own.standing),
        expires_at: own.link.expires_at,
        given: own.given.iter().map(|given| given.amount).sum(),
    }
}

fn choice(charge: Charge) -> Choice {
    let arrears = charge.balance.arrears();
    Choice {
        id: charge.id,
        item: charge.item.name,
        period: charge.period.name,
        arrears,
        min_split: charge.item.min_split.filter(|_| may_change(arrears, charge.item.min_split)),
    }
}

fn state(standing: &Standing) -> LinkState {
    match standing {
        Standing::Open(_) => LinkState::Open,
        Standing::Waiting { .. } => LinkState::Waiting,
        Standing::Paid => LinkState::Paid,
        Standing::Revoked => LinkState::Revoked,
        Standing::Expired => LinkState::Expired,
        Standing::Gone => LinkState::Gone,
    }
}

async fn find(visit: &Visit, signed: &SignedIn, id: &str) -> Result<Own, Problem> {
    let id: PayLinkId = id.parse().map_err(|_| Problem::NotFound)?;
    pay_for_me::find_own(&visit.app, &signed.session, id).await?.ok_or(Problem::NotFound)
}

fn address(visit: &Visit, own: &Own) -> String {
    format!("{}{}", visit.app.config.server.public_url, links::give(&own.link.code))
}

/// `GET /h5/pay-for-me/{pay_link_id}`
#[handler]
pub async fn show(visit: &Visit, Settled(signed): Settled, Path(id): Path<String>) -> Result<Response> {
    let own = find(visit, &signed, &id).await?;
    let range = match &own.standing {
        Standing::Open(Offer { total, min_split, .. }) => min_split.map(|min| (min, *total)),
        _ => None,
    };
    let given = own.given.iter().map(|given| GivenRow {
        giver: given.giver.clone().unwrap_or_default(),
        amount: given.amount,
        paid_at: given.paid_at,
        order_no: given.order_no.clone(),
    });
    let view = PayLinkPage {
        frame: visit.frame(Some(&signed.payer)),
        id: own.link.id,
        url: address(visit, &own),
        masked_name: mask_name(&signed.payer.name),
        range,
        state: state(&own.standing),
        expires_at: own.link.expires_at,
        given: given.collect(),
        lines: own.lines,
    };
    Ok(Page::new(view).into_response())
}

/// `GET /h5/pay-for-me/{pay_link_id}/code.png`
#[handler]
pub async fn code_png(visit: &Visit, Settled(signed): Settled, Path(id): Path<String>) -> Result<Response> {
    let own = find(visit, &signed, &id).await?;
    picture(visit, address(visit, &own)).await
}

/// `POST /h5/pay-for-me/{pay_link_id}/revoke`
#[handler]
pub async fn revoke(visit: &Visit, Settled(signed): Settled, Path(id): Path<String>, _form: Form) -> Result<Response> {
    let own = find(visit, &signed, &id).await?;
    pay_for_me::revoke(&visit.app, &signed.session, own.link.id).await.map_err(Problem::from)?;
    Ok(see_other(&links::pay_link(&own.link.id)))
}
