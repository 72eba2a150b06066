//! 已缴费 and 收费单.
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use super::access::payee;
use super::orders::{bounds, page, span};
use crate::flow::records::{self, Slip as Found};
use crate::flow::settle::ISSUER;
use crate::web::error::Problem;
use crate::web::guard::{Settled, Visit};
use crate::web::html::Page;
use crate::web::view::links::PaidKind;
use crate::web::view::paid::{Maker, PaidList, PaidMonth, Slip, SlipLine, SlipRow};
use crate::web::view::part::Title;

/// `GET /h5/paid?show=&when=&from=&to=&page=`
#[handler]
pub async fn list(visit: &Visit, Settled(signed): Settled) -> Result<Response> {
    let kind = PaidKind::parse(visit.query("show")).unwrap_or_default();
    let (span, page) = (span(visit), page(visit));
    let tuition = match kind {
        PaidKind::All => None,
        PaidKind::Tuition => Some(true),
        PaidKind::Other => Some(false),
    };
    let within = bounds(span, visit.app.clock.now());
    let found = records::slips_of(&visit.app, &signed.session, tuition, within, page).await;
    let (slips, more) = found.map_err(Problem::from)?;
    let view = PaidList {
        frame: visit.frame(Some(&signed.payer)),
        kind,
        span,
        months: months(slips),
        page,
        more,
        limited: signed.is_limited(),
    };
    Ok(Page::new(view).into_response())
}

fn months(slips: Vec<Found>) -> Vec<PaidMonth> {
    let mut months: Vec<PaidMonth> = Vec::new();
    for slip in slips {
        let at = slip.receipt.issued_at;
        let row = SlipRow {
            receipt_no: slip.receipt.receipt_no.clone(),
            charged_at: at,
            title: Title::of(&slip.listed.lines),
            total: slip.listed.order.total,
            maker: maker(&slip.receipt.issuer),
        };
        match months.last_mut().filter(|month| month.month.month_start() == at.month_start()) {
            Some(month) => {
                month.sum = month.sum + row.total;
                month.slips.push(row);
            }
            None => months.push(PaidMonth { month: at, sum: row.total, slips: vec![row] }),
        }
    }
    months
}

fn maker(issuer: &str) -> Maker {
    if issuer == ISSUER { Maker::Platform } else { Maker::Clerk(issuer.to_owned()) }
}

/// `GET /h5/paid/{receipt_no}`
#[handler]
pub async fn show(visit: &Visit, Settled(signed): Settled, Path(no): Path<String>) -> Result<Response> {
    let found = records::find_slip(&visit.app, &signed.session, &no).await.map_err(Problem::from)?;
    let slip = found.ok_or(Problem::NotFound)?;
    let refunded = slip.listed.refunded();
    let (order, lines) = (slip.listed.order, slip.listed.lines);
    let lines = lines.into_iter().map(|line| SlipLine { period: line.period, item: line.item, amount: line.amount });
    let view = Slip {
        frame: visit.frame(Some(&signed.payer)),
        receipt_no: slip.receipt.receipt_no,
        charged_at: slip.receipt.issued_at,
        maker: maker(&slip.receipt.issuer),
        payee: payee(&visit.app, &order.payee_code).0,
        channel: order.paid_by.map(|product| product.channel()),
        lines: lines.collect(),
        total: order.total,
        refunded,
        order_no: Some(order.order_no),
    };
    Ok(Page::new(view).into_response())
}
