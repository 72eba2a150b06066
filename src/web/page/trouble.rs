//! 付款出现问题.
use poem::{IntoResponse, Response, Result, handler};

use super::access::{Access, facts, surplus};
use crate::domain::order::{CloseReason, OrderState};
use crate::flow::inquire;
use crate::flow::records::{self, Record};
use crate::web::error::Problem;
use crate::web::guard::Visit;
use crate::web::html::Page;
use crate::web::view::trouble::{Stands, Trouble};

/// `GET /h5/orders/{order_no}/trouble`. The channel is asked first, as everywhere where money is spoken of.
#[handler]
pub async fn show(visit: &Visit, mut access: Access) -> Result<Response> {
    let seen = inquire::on_read(&visit.app, access.order.clone(), inquire::TELLING).await.map_err(Problem::from)?;
    access.order = seen.order;
    let record = records::record(&visit.app, access.order.clone()).await.map_err(Problem::from)?;
    let view = Trouble {
        frame: access.frame(visit),
        order: facts(&visit.app, &record.order, record.lines.clone()),
        stands: stands(&record, seen.certain),
        surplus: record.surplus().map(surplus),
        viewer: access.viewer,
    };
    Ok(Page::new(view).into_response())
}

fn stands(record: &Record, certain: bool) -> Stands {
    match &record.order.state {
        OrderState::Paid { .. } => {
            Stands::Paid { receipt_no: record.receipt.as_ref().map(|receipt| receipt.receipt_no.clone()) }
        }
        _ if record.under_review => Stands::UnderReview,
        _ if !certain => Stands::Unsure,
        OrderState::Pending { .. } => Stands::Unpaid,
        OrderState::Closed { reason: CloseReason::Superseded, .. } => Stands::Unsure,
        OrderState::Closed { .. } if record.surplus().is_some() => Stands::Unsure,
        OrderState::Closed { .. } => Stands::Closed,
    }
}
