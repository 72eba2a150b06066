//! 已缴费 and 收费单.
use askama::Template;
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use super::access::payee;
use super::orders::{bounds, page, span};
use crate::domain::bilingual::Bilingual;
use crate::domain::order::OrderLine;
use crate::domain::payer::mask_number;
use crate::flow::records::{self, Slip as Found};
use crate::flow::settle::ISSUER;
use crate::flow::voucher::{self, Voucher};
use crate::web::code;
use crate::web::error::Problem;
use crate::web::guard::{Settled, SignedIn, Visit};
use crate::web::html::{Frame, Page};
use crate::web::paper::{self, Kind};
use crate::web::view::links::{self, PaidKind};
use crate::web::view::paid::{Maker, PaidList, PaidMonth, Slip, SlipLine, SlipRow};
use crate::web::view::part::Title;
use crate::web::view::voucher::{Holder, VoucherPaper};

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
    let (slip, _) = slip(visit, &signed, &no).await?;
    Ok(Page::new(slip).into_response())
}

/// `GET /h5/paid/{receipt_no}/voucher.png`
#[handler]
pub async fn voucher_png(visit: &Visit, Settled(signed): Settled, Path(no): Path<String>) -> Result<Response> {
    Ok(draw(visit, &signed, &no, Kind::Png).await?)
}

/// `GET /h5/paid/{receipt_no}/voucher.pdf`
#[handler]
pub async fn voucher_pdf(visit: &Visit, Settled(signed): Settled, Path(no): Path<String>) -> Result<Response> {
    Ok(draw(visit, &signed, &no, Kind::Pdf).await?)
}

async fn draw(visit: &Visit, signed: &SignedIn, no: &str, kind: Kind) -> Result<Response, Problem> {
    let (slip, check) = slip(visit, signed, no).await?;
    let payer = &signed.payer;
    let holder = Holder {
        name: Bilingual::new(&payer.name, &payer.name_en),
        number: if signed.is_limited() { mask_number(&payer.number) } else { payer.number.clone() },
        made_at: visit.app.clock.now().beijing_text(),
    };
    let paper = VoucherPaper::of(&slip, &holder, code::modules(&check));
    let svg = paper.render().map_err(|error| Problem::Internal(error.to_string()))?;
    let bytes = paper::draw(svg, kind).await?;
    // a receipt number has no character that would end the name
    let name = format!("inline; filename=\"voucher-{}.{}\"", slip.receipt_no, kind.ending());
    Ok(Response::builder().content_type(kind.content_type()).header("content-disposition", name).body(bytes))
}

/// A payer's own slip, and the address that checks its voucher.
async fn slip(visit: &Visit, signed: &SignedIn, no: &str) -> Result<(Slip, String), Problem> {
    let found = records::find_slip(&visit.app, &signed.session, no).await?;
    let voucher = voucher::of(&visit.app, found.ok_or(Problem::NotFound)?).await?;
    let public_url = &visit.app.config.server.public_url;
    let check = format!("{public_url}{}", links::verify(&voucher.slip.receipt.receipt_no, &voucher.code));
    Ok((slip_of(visit, visit.frame(Some(&signed.payer)), voucher, &check), check))
}

fn slip_of(visit: &Visit, frame: Frame, voucher: Voucher, check: &str) -> Slip {
    let public_url = &visit.app.config.server.public_url;
    let (receipt, order) = (voucher.slip.receipt, voucher.slip.listed.order);
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
        scan: code::small(check).unwrap_or_default(),
        check_at: format!("{public_url}{}", links::VERIFY),
        receipt_no: receipt.receipt_no,
    }
}

pub fn lines_of(lines: Vec<OrderLine>) -> Vec<SlipLine> {
    lines.into_iter().map(|line| SlipLine { period: line.period, item: line.item, amount: line.amount }).collect()
}
