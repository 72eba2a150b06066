//! 支付结果. Says where the money is, and claims nothing the channel has not said.
use poem::{IntoResponse, Request, Response, Result, handler};

use super::access::{Access, facts, surplus};
use super::ereceipt::standing;
use super::pay::is_paying_bearer;
use crate::domain::ids::ReceiptId;
use crate::domain::order::{CloseReason, OrderState};
use crate::domain::trade::Channel;
use crate::flow::ereceipt::tell;
use crate::flow::inquire;
use crate::flow::records::{self, Record};
use crate::web::error::{Problem, see_other};
use crate::web::form::Form;
use crate::web::guard::Visit;
use crate::web::html::Page;
use crate::web::view::ereceipt::Standing;
use crate::web::view::links::Said;
use crate::web::view::message::{Message, MessagePage};
use crate::web::view::part::{NextOrder, Title};
use crate::web::view::result::{Coming, Confirming, Incomplete, Paid, Why};

/// `GET …/result?said=`. `said` is the app's word and only chooses ours: the channel is asked in any case.
#[handler]
pub async fn show(visit: &Visit, access: Access) -> Result<Response> {
    draw(visit, access, Said::parse(visit.query("said"))).await
}

/// `POST …/result`: a browser back from UnionPay's cashier, whose page sends it with a form. What it carries is not
/// read, and another site's form brings no session along, so the browser is sent to ask for the page itself.
#[handler]
pub fn come_back(req: &Request) -> Response {
    see_other(req.original_uri().path())
}

/// `POST …/ask`: the payer wants to know now.
#[handler]
pub async fn ask(visit: &Visit, access: Access, _form: Form) -> Result<Response> {
    inquire::on_read(&visit.app, access.order.clone(), inquire::TELLING).await.map_err(Problem::from)?;
    Ok(see_other(&access.door().result()))
}

async fn draw(visit: &Visit, mut access: Access, said: Option<Said>) -> Result<Response> {
    let app = &visit.app;
    let seen = inquire::on_read(app, access.order.clone(), inquire::TELLING).await.map_err(Problem::from)?;
    access.order = seen.order;
    let record = records::record(app, access.order.clone()).await.map_err(Problem::from)?;
    if !access.viewer.is_owner()
        && !matches!(record.order.state, OrderState::Pending { .. })
        && !is_paying_bearer(visit, &access).await
    {
        let paid = matches!(record.order.state, OrderState::Paid { .. });
        let message = if paid { Message::CodePaid } else { Message::CodeClosed };
        return Ok(Page::new(MessagePage { frame: access.frame(visit), message }).into_response());
    }
    match record.order.state.clone() {
        OrderState::Paid { trade_no, paid_at } => {
            let next = next_of(visit, &access).await?;
            let ereceipt = coming(visit, &access, record.receipt.as_ref().map(|receipt| receipt.id)).await?;
            let view = Paid {
                ereceipt,
                frame: access.frame(visit),
                order: facts(app, &record.order, record.lines.clone()),
                // a paid order knows its product; the other is never shown
                channel: record.channel.unwrap_or(Channel::Wechat),
                paid_at,
                trade_no,
                receipt_no: record.receipt.as_ref().map(|receipt| receipt.receipt_no.clone()),
                surplus: record.surplus().map(surplus),
                next,
                viewer: access.viewer,
            };
            Ok(Page::new(view).into_response())
        }
        OrderState::Closed { reason, .. } => {
            if record.under_review {
                return Ok(confirming(visit, access, &record));
            }
            let certain = seen.certain && record.surplus().is_none() && reason != CloseReason::Superseded;
            Ok(incomplete(visit, access, &record, Why::Closed(reason), certain))
        }
        OrderState::Pending { .. } => {
            let why = match said {
                Some(Said::Cancelled) => Some(Why::Cancelled),
                Some(Said::Failed) => Some(Why::Failed),
                Some(Said::Done) | None => None,
            };
            match why {
                Some(why) if !record.under_review => Ok(incomplete(visit, access, &record, why, seen.certain)),
                None if !record.tried && !record.under_review => Ok(see_other(&access.door().cashier())),
                _ => Ok(confirming(visit, access, &record)),
            }
        }
    }
}

/// Where the payer hears of the e-receipt of this payment, if there is to be one.
async fn coming(visit: &Visit, access: &Access, receipt: Option<ReceiptId>) -> Result<Option<Coming>> {
    let (Some(receipt), true) = (receipt, access.viewer.is_owner()) else { return Ok(None) };
    Ok(match standing(&visit.app, receipt).await? {
        Standing::There => Some(Coming::There),
        Standing::Underway => {
            let place = tell::place(&visit.app, &access.order).await.map_err(Problem::from)?;
            Some(place.map_or(Coming::InTheList, Coming::To))
        }
        _ => None,
    })
}

fn incomplete(visit: &Visit, access: Access, record: &Record, why: Why, certain: bool) -> Response {
    let view = Incomplete {
        frame: access.frame(visit),
        order: facts(&visit.app, &record.order, record.lines.clone()),
        channel: record.channel,
        why,
        certain,
        surplus: record.surplus().map(surplus),
        viewer: access.viewer,
    };
    Page::new(view).into_response()
}

fn confirming(visit: &Visit, access: Access, record: &Record) -> Response {
    let view = Confirming {
        frame: access.frame(visit),
        order: facts(&visit.app, &record.order, record.lines.clone()),
        channel: record.channel,
        under_review: record.under_review,
        viewer: access.viewer,
    };
    Page::new(view).into_response()
}

/// What of the same selection is still to be paid; for the payer only.
async fn next_of(visit: &Visit, access: &Access) -> Result<Option<NextOrder>> {
    if !access.viewer.is_owner() {
        return Ok(None);
    }
    let siblings = records::siblings(&visit.app, &access.order).await.map_err(Problem::from)?;
    let waiting: Vec<_> =
        siblings.into_iter().filter(|one| matches!(one.order.state, OrderState::Pending { .. })).collect();
    Ok(waiting.first().map(|one| NextOrder {
        order_no: one.order.order_no.clone(),
        title: Title::of(&one.lines),
        left: waiting.len(),
    }))
}
