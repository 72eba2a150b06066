//! 核验: vouchers, posters and orders.
use poem::{IntoResponse, Response, Result, handler};

use super::access::payee;
use super::paid::lines_of;
use crate::domain::bilingual::Bilingual;
use crate::domain::id_number::normalise;
use crate::domain::order::{Order, OrderLine};
use crate::domain::payer::{Payer, mask_name, mask_number};
use crate::domain::poster::{Poster, PosterKind, PosterState};
use crate::domain::voucher::VoucherCode;
use crate::flow::poster::desk::Subject;
use crate::flow::verify::{self, Examined};
use crate::flow::voucher::Voucher;
use crate::web::error::{LOCKED, Problem, TYPED_WRONG};
use crate::web::guard::Visit;
use crate::web::html::Page;
use crate::web::view::links;
use crate::web::view::verify::{Genuine, GenuineOrder, GenuinePoster, Outcome, VerifyPage};

/// `GET /verify?no=&code=`. A question, not an act: asking twice is asking once.
#[handler]
pub async fn show(visit: &Visit) -> Result<Response> {
    let (no, code) = (visit.query("no"), visit.query("code"));
    let outcome = match no.is_empty() && code.is_empty() {
        true => None,
        false => Some(examine(visit, &normalise(no), code).await?),
    };
    let status = match &outcome {
        None | Some(Outcome::Genuine(_) | Outcome::Poster(_) | Outcome::Order(_)) => poem::http::StatusCode::OK,
        Some(Outcome::Wait { .. }) => LOCKED,
        Some(Outcome::False | Outcome::Unread { .. }) => TYPED_WRONG,
    };
    let kept = |typed: &str| typed.chars().take(40).collect();
    let view = VerifyPage { frame: visit.frame(None), receipt_no: kept(no), code: kept(code), outcome };
    Ok(Page::with_status(status, view).into_response())
}

async fn examine(visit: &Visit, no: &str, code: &str) -> Result<Outcome, Problem> {
    let read = VoucherCode::parse(code);
    let (Some(code), false) = (&read, no.is_empty()) else {
        return Ok(Outcome::Unread { receipt_no: no.is_empty(), code: read.is_none() });
    };
    Ok(match verify::examine(&visit.app, no, code, visit.address).await? {
        Examined::False => Outcome::False,
        Examined::Wait { until } => Outcome::Wait { until },
        Examined::Voucher(found) => {
            let (voucher, payer) = *found;
            Outcome::Genuine(Box::new(genuine(visit, voucher, &payer)))
        }
        Examined::Poster(found) => {
            let (poster, state, subject) = *found;
            Outcome::Poster(Box::new(genuine_poster(visit, poster, state, subject)))
        }
        Examined::Order(found) => {
            let (order, lines, payer) = *found;
            Outcome::Order(Box::new(genuine_order(visit, order, lines, &payer)))
        }
    })
}

fn genuine_poster(visit: &Visit, poster: Poster, state: PosterState, subject: Subject) -> GenuinePoster {
    let public_url = &visit.app.config.server.public_url;
    GenuinePoster {
        poster_no: poster.poster_no.to_string(),
        address: format!("{public_url}{}", links::Door::Code(poster.code).cashier()),
        kind: poster.kind,
        department: if poster.kind == PosterKind::Department { poster.about } else { String::new() },
        title: poster.title,
        names: subject.names,
        payees: subject.payees.iter().map(|code| payee(&visit.app, code).0).collect(),
        made_at: poster.created_at,
        ends: poster.expires_at,
        state,
    }
}

fn genuine_order(visit: &Visit, order: Order, lines: Vec<OrderLine>, to: &Payer) -> GenuineOrder {
    GenuineOrder {
        order_no: order.order_no.to_string(),
        payer: masked(to),
        payer_number: mask_number(&to.number),
        payee: payee(&visit.app, &order.payee_code).0,
        lines: lines_of(lines),
        total: order.total,
        made_at: order.created_at,
        state: order.state,
    }
}

fn masked(payer: &Payer) -> Bilingual {
    Bilingual::new(mask_name(&payer.name), mask_name(&payer.name_en))
}

fn genuine(visit: &Visit, voucher: Voucher, payer: &Payer) -> Genuine {
    let (refunded, returning) = (voucher.slip.listed.refunded(), voucher.slip.listed.returning);
    let order = voucher.slip.listed.order;
    Genuine {
        receipt_no: voucher.slip.receipt.receipt_no,
        charged_at: voucher.slip.receipt.issued_at,
        payer: masked(payer),
        payer_number: mask_number(&payer.number),
        payee: payee(&visit.app, &order.payee_code).0,
        channel: order.paid_by.map(|product| product.channel()),
        order_no: mask_number(order.order_no.as_str()),
        trade_no: voucher.trade_no.map(|no| mask_number(&no.0)),
        lines: lines_of(voucher.slip.listed.lines),
        total: order.total,
        refunded,
        returning,
    }
}
