//! 收银台, its code as a picture, the open-in-browser guide, and cancelling.
use poem::http::StatusCode;
use poem::{IntoResponse, Response, Result, handler};

use super::access::{Access, facts};
use super::ways::ways;
use crate::domain::order::{CloseReason, OrderState};
use crate::domain::refusal::Refusal;
use crate::flow::expire::Ended;
use crate::flow::failure::Failure;
use crate::flow::{checkout, expire, inquire, records, settle};
use crate::web::code::{self, Mark};
use crate::web::error::{Problem, of_refusal, see_other};
use crate::web::form::Form;
use crate::web::guard::Visit;
use crate::web::html::Page;
use crate::web::view::browser::BrowserGuide;
use crate::web::view::cashier::Cashier;
use crate::web::view::links::Door;
use crate::web::view::message::{Message, MessagePage};
use crate::web::view::part::Viewer;

/// `GET …/cashier/{order_no}`, `GET /q/{code}`. Asks the channel first: nobody is to pay what is paid.
#[handler]
pub async fn show(visit: &Visit, access: Access) -> Result<Response> {
    draw(visit, access, None).await
}

/// Draws the cashier, or what has become of its order.
pub async fn draw(visit: &Visit, mut access: Access, problem: Option<Refusal>) -> Result<Response> {
    let app = &visit.app;
    let seen = inquire::on_read(app, access.order, inquire::WAITING).await.map_err(Problem::from)?;
    access.order = seen.order;
    let over = access.order.expires_at <= app.clock.now();
    if matches!(access.order.state, OrderState::Pending { .. }) && over {
        return match expire::close(app, &access.order, CloseReason::Expired).await.map_err(Problem::from)? {
            Ended::Closed => Ok(ended(visit, &access, CloseReason::Expired)),
            Ended::Paid | Ended::Unclear | Ended::UnderReview => Ok(see_other(&access.door().result())),
        };
    }
    match &access.order.state {
        OrderState::Closed { reason, .. } if seen.certain => return Ok(ended(visit, &access, *reason)),
        // money may still have come: the result page tells what is known
        OrderState::Closed { .. } => return Ok(see_other(&access.door().result())),
        OrderState::Paid { .. } if access.viewer.is_owner() => return Ok(see_other(&access.door().result())),
        OrderState::Paid { .. } => return Ok(message(visit, &access, Message::CodePaid)),
        OrderState::Pending { .. } => {}
    }
    if settle::under_review(app.db.read(), access.order.id).await.map_err(Problem::from)? {
        return Ok(see_other(&access.door().result()));
    }
    let (ways, chosen) = ways(app, &access.order, visit.device);
    let lines = records::lines_of(app, access.order.id).await.map_err(Problem::from)?;
    let siblings = match access.viewer.is_owner() {
        true => records::siblings(app, &access.order).await.map_err(Problem::from)?,
        false => Vec::new(),
    };
    let place = siblings.iter().position(|one| one.order.id == access.order.id).unwrap_or(0);
    let status = problem.as_ref().map_or(StatusCode::OK, of_refusal);
    let view = Cashier {
        frame: access.frame(visit),
        order: facts(app, &access.order, lines),
        ways,
        chosen,
        code: visit.device.is_desktop(),
        problem,
        part: (place + 1, siblings.len().max(1)),
        may_be_shared: access.may_be_shared(),
        viewer: access.viewer,
    };
    Ok(Page::with_status(status, view).into_response())
}

fn ended(visit: &Visit, access: &Access, reason: CloseReason) -> Response {
    let order_no = access.order.order_no.clone();
    let said = match (access.viewer.is_owner(), reason) {
        (false, _) => Message::CodeClosed,
        (true, CloseReason::Cancelled) => Message::OrderCancelled { order_no },
        (true, reason) => Message::OrderClosed { order_no, reason },
    };
    message(visit, access, said)
}

fn message(visit: &Visit, access: &Access, message: Message) -> Response {
    Page::new(MessagePage { frame: access.frame(visit), message }).into_response()
}

/// `POST …/cashier/{order_no}/cancel`. Only the payer may; the route exists only on the payer's side.
#[handler]
pub async fn cancel(visit: &Visit, access: Access, _form: Form) -> Result<Response> {
    match checkout::cancel(&visit.app, &access.order).await {
        Ok(()) => Ok(see_other(&access.door().cashier())),
        Err(Failure::Refused(Refusal::OrderPaid)) => Ok(see_other(&access.door().result())),
        Err(Failure::Refused(refusal)) => draw(visit, access, Some(refusal)).await,
        Err(failure) => Err(Problem::from(failure).into()),
    }
}

/// `GET …/code.png`: the one code any app can scan. It leads to the order's own page and holds nothing else.
#[handler]
pub async fn code_png(visit: &Visit, access: Access) -> Result<Response> {
    picture(visit, link(visit, &access)).await
}

/// An address as a code to scan, with the school's mark.
pub async fn picture(visit: &Visit, link: String) -> Result<Response> {
    // `serve` has looked at the picture before it started
    let own = visit.app.config.school.mark.as_ref().and_then(|mark| Mark::read(mark.bytes()).ok());
    let mark = own.unwrap_or_default();
    let drawn = tokio::task::spawn_blocking(move || code::png(&link, &mark)).await;
    let png = drawn.ok().flatten().ok_or_else(|| Problem::Internal("the code could not be drawn".to_owned()))?;
    Ok(Response::builder().content_type("image/png").body(png))
}

/// `GET …/browser`
#[handler]
pub async fn browser(visit: &Visit, access: Access) -> Result<Response> {
    if !matches!(access.order.state, OrderState::Pending { .. }) {
        return Ok(see_other(&access.door().cashier()));
    }
    let lines = records::lines_of(&visit.app, access.order.id).await.map_err(Problem::from)?;
    let view = BrowserGuide {
        frame: access.frame(visit),
        order: facts(&visit.app, &access.order, lines),
        link: link(visit, &access),
        good_until: access.order.expires_at,
        viewer: access.viewer,
    };
    Ok(Page::new(view).into_response())
}

/// Pays this one order and shows nothing else of anybody.
fn link(visit: &Visit, access: &Access) -> String {
    let code = match &access.viewer {
        Viewer::Bearer { code, .. } => code.clone(),
        Viewer::Owner(_) => access.order.pay_code.clone(),
    };
    format!("{}{}", visit.app.config.server.public_url, Door::Code(code).cashier())
}
