//! 票据查询: the fiscal e-receipt of a payment.
use askama::Template;
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use crate::app::App;
use crate::domain::bilingual::Bilingual;
use crate::domain::ereceipt::{EReceipt, EReceiptState};
use crate::domain::ids::ReceiptId;
use crate::domain::module::{Module, Opening};
use crate::flow::ereceipt::desk;
use crate::flow::records::{self, Slip};
use crate::web::error::{Problem, see_other};
use crate::web::form::Form;
use crate::web::guard::{Settled, SignedIn, Visit};
use crate::web::html::Page;
use crate::web::paper::{self, Kind};
use crate::web::view::bill::{BillPaper, Face};
use crate::web::view::ereceipt::{EReceiptPage, Standing};
use crate::web::view::links;

/// `GET /h5/paid/{receipt_no}/ereceipt`
#[handler]
pub async fn show(visit: &Visit, Settled(signed): Settled, Path(no): Path<String>) -> Result<Response> {
    let (slip, all) = find(visit, &signed, &no).await?;
    let last = all.last().map(|last| &last.state);
    let told = match last {
        Some(EReceiptState::Pushed(_, told)) => Some(told.clone()),
        _ => None,
    };
    let red = match last {
        Some(EReceiptState::Reversed { red, .. }) => red.clone(),
        _ => None,
    };
    let before = &all[..all.len().saturating_sub(1)];
    let view = EReceiptPage {
        frame: visit.frame(Some(&signed.payer)),
        charged_at: slip.receipt.issued_at,
        receipt_no: slip.receipt.receipt_no,
        unit: unit(visit),
        standing: Standing::of(&all),
        bill: last.and_then(EReceiptState::bill).cloned(),
        told,
        may_ask: all.last().is_some_and(|last| desk::may_tell_again(&visit.app, last)),
        red,
        earlier: before.iter().filter_map(|one| one.state.bill()).map(|bill| bill.name.number.clone()).collect(),
        limited: signed.is_limited(),
    };
    Ok(Page::new(view).into_response())
}

/// `GET /h5/paid/{receipt_no}/ereceipt.png`
#[handler]
pub async fn picture(visit: &Visit, Settled(signed): Settled, Path(no): Path<String>) -> Result<Response> {
    Ok(draw(visit, &signed, &no).await?)
}

/// `POST /h5/paid/{receipt_no}/ereceipt/again`: the payer is told once more, at the phone as it is now.
#[handler]
pub async fn again(visit: &Visit, Settled(signed): Settled, Path(no): Path<String>, _form: Form) -> Result<Response> {
    let (slip, all) = find(visit, &signed, &no).await?;
    if let Some(last) = all.last() {
        desk::tell_again(&visit.app, last).await.map_err(Problem::from)?;
    }
    Ok(see_other(&links::ereceipt(&slip.receipt.receipt_no)))
}

/// What other pages tell of a payment's e-receipt; where the school does not show them, as if there were none.
pub async fn standing(app: &App, receipt: ReceiptId) -> Result<Standing, Problem> {
    if app.config.school.modules.opening(Module::FiscalReceipts) == Opening::Hidden {
        return Ok(Standing::Other);
    }
    Ok(Standing::of(&desk::of_receipt(app, receipt).await?))
}

/// A payer's own receipt with its e-receipts.
async fn find(visit: &Visit, signed: &SignedIn, no: &str) -> Result<(Slip, Vec<EReceipt>), Problem> {
    let slip = records::find_slip(&visit.app, &signed.session, no).await?.ok_or(Problem::NotFound)?;
    let all = desk::of_receipt(&visit.app, slip.receipt.id).await?;
    Ok((slip, all))
}

/// 执收单位
fn unit(visit: &Visit) -> Bilingual {
    let config = &visit.app.config;
    match config.fiscal.as_ref().map(|fiscal| fiscal.unit_name.as_str()) {
        None | Some("") => config.school.bilingual_name(),
        Some(name) => Bilingual::new(name, ""),
    }
}

async fn draw(visit: &Visit, signed: &SignedIn, no: &str) -> Result<Response, Problem> {
    let (_, all) = find(visit, signed, no).await?;
    let last = all.last().ok_or(Problem::NotFound)?;
    let (Some(bill), Some(content)) = (last.state.bill(), &last.content) else { return Err(Problem::NotFound) };
    let fiscal = visit.app.config.fiscal.as_ref();
    let (red, void) = match &last.state {
        EReceiptState::Reversed { red, .. } => (red.as_ref(), true),
        _ => (None, false),
    };
    let own = unit(visit);
    let face = Face {
        title: fiscal.map_or("非税收入统一票据（电子）", |fiscal| fiscal.bill_title.as_str()),
        unit: &own.zh,
        handler: fiscal.map_or("", |fiscal| fiscal.handler.as_str()),
        red,
        void,
    };
    let svg = BillPaper::of(bill, content, &face).render().map_err(|error| Problem::Internal(error.to_string()))?;
    let bytes = paper::draw(svg, Kind::Png).await?;
    // a bill's number has digits only
    let name = format!("inline; filename=\"ereceipt-{}.png\"", bill.name.number);
    Ok(Response::builder().content_type(Kind::Png.content_type()).header("content-disposition", name).body(bytes))
}
