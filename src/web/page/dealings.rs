//! 交易记录.
use poem::{IntoResponse, Response, Result, handler};

use super::orders::{bounds, capitals, listing, page};
use crate::flow::payments;
use crate::web::error::Problem;
use crate::web::guard::{Settled, Visit};
use crate::web::html::Page;
use crate::web::view::dealings::Dealings;
use crate::web::view::filter::{Dealt, Pages};
use crate::web::view::links;

/// `GET /h5/dealings?show=&when=&from=&to=&no=&page=`
#[handler]
pub async fn list(visit: &Visit, Settled(signed): Settled) -> Result<Response> {
    let dealt = Dealt::parse(visit.query("show")).unwrap_or_default();
    let list = listing(visit, links::DEALINGS, dealt.code());
    let paid = match dealt {
        Dealt::All => None,
        Dealt::Paid => Some(true),
        Dealt::Unpaid => Some(false),
    };
    let within = bounds(list.span, visit.app.clock.now());
    let number = capitals(&list.number);
    let find = async |page| payments::dealings(&visit.app, &signed.session, paid, within, &number, page).await;
    let mut page = page(visit);
    let (mut rows, total) = find(page).await.map_err(Problem::from)?;
    if page > Pages::last_of(total) {
        page = Pages::last_of(total);
        rows = find(page).await.map_err(Problem::from)?.0;
    }
    let view = Dealings {
        frame: visit.frame(Some(&signed.payer)),
        dealt,
        list,
        rows,
        pages: Pages { page, total },
        limited: signed.is_limited(),
    };
    Ok(Page::new(view).into_response())
}
