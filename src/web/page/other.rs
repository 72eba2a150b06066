//! 其他缴费: what is owed beside tuition, batch by batch.
use poem::http::StatusCode;
use poem::{IntoResponse, Response, Result, handler};

use super::tuition::{Chosen, row};
use crate::domain::charge::Charge;
use crate::domain::fee::Unpayable;
use crate::domain::moment::Moment;
use crate::flow::arrears::{self, Arrears};
use crate::web::error::{Problem, of_refusal};
use crate::web::guard::{SignedIn, Visit};
use crate::web::html::Page;
use crate::web::view::other::{Batch, Other};

/// `GET /h5/other`
#[handler]
pub async fn show(visit: &Visit, signed: SignedIn) -> Result<Response> {
    draw(visit, &signed, Chosen::read(visit.query_pairs())).await
}

/// Draws the page with what was chosen and, after a refused checkout, with why.
pub async fn draw(visit: &Visit, signed: &SignedIn, chosen: Chosen) -> Result<Response> {
    let own = arrears::of_payer(&visit.app, signed.payer.id).await.map_err(Problem::from)?;
    let now = visit.app.clock.now();
    let mut batches: Vec<(u8, Batch)> = Vec::new();
    for charge in own.charges.iter().filter(|charge| charge.balance.arrears().is_positive()) {
        let Some(key) = charge.batch_key() else { continue };
        let place = place(&own, charge, now);
        let row = row(visit, &own, charge, &chosen);
        match batches.iter_mut().find(|(_, batch)| batch.key == key) {
            Some((first, batch)) => {
                *first = place.min(*first);
                batch.rows.push(row);
            }
            None => {
                let (name, period) = (charge.batch.clone(), charge.period.name.clone());
                let batch = Batch { chosen: chosen.filter.batches.contains(&key), key, name, period, rows: vec![row] };
                batches.push((place, batch));
            }
        }
    }
    // what can be paid stands first, what is over last
    batches.sort_by_key(|(place, _)| *place);
    let mut batches: Vec<Batch> = batches.into_iter().map(|(_, batch)| batch).collect();
    if let Some(first) = batches.first_mut().filter(|_| chosen.filter.batches.is_empty()) {
        first.chosen = true;
    }
    let view = Other {
        frame: visit.frame(Some(&signed.payer)),
        checkout_id: visit.app.chance.token(22),
        batches,
        several: !visit.app.config.checkout.one_batch,
        problem: chosen.problem.clone(),
        amounts: chosen.filter.amounts,
    };
    let status = chosen.problem.as_ref().map_or(StatusCode::OK, of_refusal);
    Ok(Page::with_status(status, view).into_response())
}

fn place(own: &Arrears, charge: &Charge, now: Moment) -> u8 {
    match charge.item.payable_at(now) {
        Ok(()) if own.order_of(charge.id).is_none_or(|order| order.expires_at <= now) => 0,
        Ok(()) => 1,
        Err(Unpayable::NotYet(_)) => 2,
        Err(Unpayable::Suspended | Unpayable::Over(_)) => 3,
    }
}
