//! 验证凭证.
use poem::{IntoResponse, Response, Result, handler};

use super::access::payee;
use super::paid::lines_of;
use crate::domain::bilingual::Bilingual;
use crate::domain::id_number::normalise;
use crate::domain::payer::{Payer, mask_name, mask_number};
use crate::domain::voucher::VoucherCode;
use crate::flow::voucher::{self, Examined, Voucher};
use crate::web::error::{LOCKED, Problem, TYPED_WRONG};
use crate::web::guard::Visit;
use crate::web::html::Page;
use crate::web::view::verify::{Genuine, Outcome, VerifyPage};

/// `GET /verify?no=&code=`. A question, not an act: asking twice is asking once.
#[handler]
pub async fn show(visit: &Visit) -> Result<Response> {
    let (no, code) = (visit.query("no"), visit.query("code"));
    let outcome = match no.is_empty() && code.is_empty() {
        true => None,
        false => Some(examine(visit, &normalise(no), code).await?),
    };
    let status = match &outcome {
        None | Some(Outcome::Genuine(_)) => poem::http::StatusCode::OK,
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
    Ok(match voucher::examine(&visit.app, no, code, visit.address).await? {
        Examined::False => Outcome::False,
        Examined::Wait { until } => Outcome::Wait { until },
        Examined::Genuine(found) => {
            let (voucher, payer) = *found;
            Outcome::Genuine(Box::new(genuine(visit, voucher, &payer)))
        }
    })
}

fn genuine(visit: &Visit, voucher: Voucher, payer: &Payer) -> Genuine {
    let (refunded, returning) = (voucher.slip.listed.refunded(), voucher.slip.listed.returning);
    let order = voucher.slip.listed.order;
    Genuine {
        receipt_no: voucher.slip.receipt.receipt_no,
        charged_at: voucher.slip.receipt.issued_at,
        payer: Bilingual::new(mask_name(&payer.name), mask_name(&payer.name_en)),
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
