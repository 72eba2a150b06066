//! 首页.
use poem::{IntoResponse, Response, Result, handler};

use super::access::surplus;
use crate::domain::charge::Charge;
use crate::domain::fee::FeeKind;
use crate::domain::module::{Module, Opening};
use crate::domain::money::Fen;
use crate::flow::{announcements, arrears, records};
use crate::web::error::Problem;
use crate::web::guard::{Settled, Visit};
use crate::web::html::Page;
use crate::web::view::home::{Home, OwedPeriod, PendingOrder};
use crate::web::view::part::Title;

/// `GET /h5`
#[handler]
pub async fn show(visit: &Visit, Settled(signed): Settled) -> Result<Response> {
    let app = &visit.app;
    let own = arrears::of_payer(app, signed.payer.id).await.map_err(Problem::from)?;
    let offered = app.config.school.modules.opening(Module::OtherFees) == Opening::Open;
    let owed = |tuition: bool| -> Fen {
        let wanted = own.charges.iter().filter(|charge| (charge.item.kind == FeeKind::Tuition) == tuition);
        wanted.map(|charge| charge.balance.arrears()).sum()
    };
    let mut waiting: Vec<_> = own.pending.iter().map(|(order, _)| order).collect();
    waiting.sort_by_key(|order| (order.expires_at, order.id));
    waiting.dedup_by_key(|order| order.id);
    waiting.retain(|order| order.expires_at > app.clock.now());
    let pending = match waiting.first() {
        None => None,
        Some(order) => {
            let lines = records::lines_of(app, order.id).await.map_err(Problem::from)?;
            Some(PendingOrder {
                order_no: order.order_no.clone(),
                title: Title::of(&lines),
                total: order.total,
                expires_at: order.expires_at,
                count: waiting.len(),
            })
        }
    };
    let back = records::recent_surplus(app, &signed.session).await.map_err(Problem::from)?;
    let view = Home {
        frame: visit.frame(Some(&signed.payer)),
        tuition: owed(true),
        other: if offered { owed(false) } else { Fen::ZERO },
        periods: periods(&own.charges),
        pending,
        surplus: back.as_ref().map(surplus),
        pinned: announcements::pinned(app).await.map_err(Problem::from)?,
        unread: announcements::unread(app, &signed.session).await.map_err(Problem::from)?.len(),
        limited: signed.is_limited(),
    };
    Ok(Page::new(view).into_response())
}

/// What of tuition is owed of each billing period, in the order of the charges.
fn periods(charges: &[Charge]) -> Vec<OwedPeriod> {
    let mut periods: Vec<OwedPeriod> = Vec::new();
    for charge in charges.iter().filter(|charge| charge.batch_key().is_none() && charge.balance.arrears().is_positive())
    {
        let (period, arrears) = (&charge.period, charge.balance.arrears());
        match periods.iter_mut().find(|known| known.code == period.code) {
            Some(known) => known.arrears = known.arrears + arrears,
            None => periods.push(OwedPeriod { code: period.code.clone(), name: period.name.clone(), arrears }),
        }
    }
    periods
}
