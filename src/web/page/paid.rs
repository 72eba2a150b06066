//! 已缴费 and 收费单.
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use super::access::payee;
use super::orders::{bounds, page, span};
use crate::domain::order::OrderLine;
use crate::flow::records::{self, Slip as Found};
use crate::flow::settle::ISSUER;
use crate::flow::voucher::{self, Voucher};
use crate::web::code;
use crate::web::error::Problem;
use crate::web::guard::{Settled, Visit};
use crate::web::html::{Frame, Page};
use crate::web::view::links::{self, PaidKind};
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
    let voucher = voucher::of(&visit.app, slip).await.map_err(Problem::from)?;
    Ok(Page::new(slip_of(visit, visit.frame(Some(&signed.payer)), voucher)).into_response())
}

fn slip_of(visit: &Visit, frame: Frame, voucher: Voucher) -> Slip {
    let public_url = &visit.app.config.server.public_url;
    let (receipt, order) = (voucher.slip.receipt, voucher.slip.listed.order);
    let check = format!("{public_url}{}", links::verify(&receipt.receipt_no, &voucher.code));
    Slip {
        frame,
        charged_at: receipt.issued_at,
        maker: maker(&receipt.issuer),
        payee: payee(&visit.app, &order.payee_code).0,
        channel: order.paid_by.map(|product| product.channel()),
        trade_no: voucher.trade_no.map(|no| no.0),
        lines: lines_of(voucher.slip.listed.lines),
        total: order.total,
        refunded: voucher.refunded,
        returning: voucher.returning,
        order_no: Some(order.order_no),
        code: voucher.code.grouped(),
        scan: code::small(&check).unwrap_or_default(),
        check_at: format!("{public_url}{}", links::VERIFY),
        receipt_no: receipt.receipt_no,
    }
}

pub fn lines_of(lines: Vec<OrderLine>) -> Vec<SlipLine> {
    lines.into_iter().map(|line| SlipLine { period: line.period, item: line.item, amount: line.amount }).collect()
}
