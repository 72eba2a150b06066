//! 已缴费 and 收费单.
use askama::Template;
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use super::access::payee;
use super::ereceipt::standing;
use super::orders::{bounds, capitals, listing, page};
use crate::app::App;
use crate::domain::bilingual::Bilingual;
use crate::domain::money::Fen;
use crate::domain::order::OrderLine;
use crate::domain::payer::mask_number;
use crate::flow::pay_for_me;
use crate::flow::payments::{self, Payment, Wanted};
use crate::flow::records;
use crate::flow::settle::ISSUER;
use crate::flow::voucher::{self, Voucher};
use crate::web::code;
use crate::web::error::Problem;
use crate::web::guard::{Settled, SignedIn, Visit};
use crate::web::html::{Frame, Page};
use crate::web::paper::{self, Kind};
use crate::web::view::ereceipt::Standing;
use crate::web::view::filter::{Pages, PaidKind};
use crate::web::view::links;
use crate::web::view::paid::{Maker, PaidList, PaidMonth, PaidYear, Slip, SlipLine, SlipRow};
use crate::web::view::part::Title;
use crate::web::view::voucher::{Holder, VoucherPaper};

/// `GET /h5/paid?show=&when=&from=&to=&no=&page=`
#[handler]
pub async fn list(visit: &Visit, Settled(signed): Settled) -> Result<Response> {
    let kind = PaidKind::parse(visit.query("show")).unwrap_or_default();
    let list = listing(visit, links::PAID, kind.code());
    let tuition = match kind {
        PaidKind::All => None,
        PaidKind::Tuition => Some(true),
        PaidKind::Other => Some(false),
    };
    let within = bounds(list.span, visit.app.clock.now());
    let number = capitals(&list.number);
    let find = async |page| {
        let wanted = Wanted { tuition, within, number: &number, page };
        payments::of_payer(&visit.app, &signed.session, wanted).await
    };
    let mut page = page(visit);
    let mut found = find(page).await.map_err(Problem::from)?;
    if page > Pages::last_of(found.total) {
        page = Pages::last_of(found.total);
        found = find(page).await.map_err(Problem::from)?;
    }
    let years = found.years.into_iter().map(|(year, count, sum)| PaidYear { year, count, sum });
    let mut rows = Vec::new();
    for payment in found.page {
        rows.push(row(&visit.app, payment).await?);
    }
    let view = PaidList {
        frame: visit.frame(Some(&signed.payer)),
        kind,
        list,
        years: years.collect(),
        pages: Pages { page, total: found.total },
        months: months(rows),
        limited: signed.is_limited(),
    };
    Ok(Page::new(view).into_response())
}

async fn row(app: &App, payment: Payment) -> Result<SlipRow, Problem> {
    Ok(match payment {
        Payment::Slip(slip) => SlipRow {
            ereceipt: standing(app, slip.receipt.id).await?,
            charged_at: slip.receipt.issued_at,
            title: Title::of(&slip.listed.lines),
            total: slip.listed.order.total,
            maker: maker(&slip.receipt.issuer),
            period: None,
            refunded: slip.listed.refunded(),
            returning: slip.listed.returning,
            receipt_no: slip.receipt.receipt_no,
        },
        Payment::AtCounter(paid) => SlipRow {
            ereceipt: Standing::Other,
            charged_at: paid.at,
            title: Title { first: paid.item, count: 1 },
            total: paid.amount,
            maker: if paid.slip.clerk.is_empty() { Maker::Counter } else { Maker::Clerk(paid.slip.clerk) },
            period: Some(paid.period),
            refunded: Fen::ZERO,
            returning: Fen::ZERO,
            receipt_no: paid.slip.slip_no,
        },
    })
}

fn months(rows: Vec<SlipRow>) -> Vec<PaidMonth> {
    let mut months: Vec<PaidMonth> = Vec::new();
    for row in rows {
        let at = row.charged_at;
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
    let voucher = voucher::of(&visit.app, found.ok_or(Problem::NotFound)?);
    let public_url = &visit.app.config.server.public_url;
    let check = format!("{public_url}{}", links::verify(&voucher.slip.receipt.receipt_no, &voucher.code));
    let ereceipt = standing(&visit.app, voucher.slip.receipt.id).await?;
    let gift = pay_for_me::that_paid(&visit.app, voucher.slip.receipt.order_id).await?;
    let giver = gift.map(|gift| gift.giver.unwrap_or_default());
    Ok((Slip { giver, ..slip_of(visit, visit.frame(Some(&signed.payer)), voucher, (ereceipt, &check)) }, check))
}

fn slip_of(visit: &Visit, frame: Frame, voucher: Voucher, (ereceipt, check): (Standing, &str)) -> Slip {
    let public_url = &visit.app.config.server.public_url;
    let (refunded, returning) = (voucher.slip.listed.refunded(), voucher.slip.listed.returning);
    let (receipt, order) = (voucher.slip.receipt, voucher.slip.listed.order);
    Slip {
        frame,
        charged_at: receipt.issued_at,
        maker: maker(&receipt.issuer),
        payee: payee(&visit.app, &order.payee_code).0,
        channel: order.paid_by.map(|product| product.channel()),
        trade_no: voucher.trade_no.map(|no| no.0),
        giver: None,
        lines: lines_of(voucher.slip.listed.lines),
        total: order.total,
        ereceipt,
        refunded,
        returning,
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
