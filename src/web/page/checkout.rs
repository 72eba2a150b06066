//! From the ticked rows to orders, by way of 确认缴费 where the school has it.
use poem::{Response, Result, handler};

use super::confirm::{Answered, Selection, Unread};
use super::tuition::Chosen;
use super::{amount, confirm, other, tuition};
use crate::domain::ids::ChargeId;
use crate::domain::order::{Order, OrderState};
use crate::domain::refusal::Refusal;
use crate::flow::arrears;
use crate::flow::checkout::{self, Given};
use crate::flow::failure::Failure;
use crate::flow::poster::landing;
use crate::web::error::{Problem, see_other};
use crate::web::form::Form;
use crate::web::guard::{SignedIn, Visit};
use crate::web::view::links::{self, Door};

/// `POST /h5/checkout`: what was chosen; with `confirmed`, what was confirmed.
#[handler]
pub async fn submit(visit: &Visit, signed: SignedIn, form: Form) -> Result<Response> {
    let of_batches = form.get("page") == "other";
    let left_out = if of_batches { of_other_batches(visit, &signed, &form).await? } else { Vec::new() };
    let selection = match Selection::read(form.pairs(), &left_out) {
        Ok(selection) => selection,
        Err(Unread::Broken) => return Err(Problem::BadRequest.into()),
        Err(Unread::Amount(charge, typed)) => {
            return amount::ask_again(visit, &signed, charge, &typed, form.pairs()).await;
        }
    };
    let (app, payer, confirmed) = (&visit.app, signed.payer.id, !form.get("confirmed").is_empty());
    let opened = if !confirm::is_asked(app) {
        open(visit, &signed, &selection, &Given::default()).await
    } else if confirmed {
        match confirm::take(visit, &signed, &form, &selection).await? {
            Ok(given) => open(visit, &signed, &selection, &given).await,
            Err(page) => return Ok(page),
        }
    } else {
        match checkout::preview(app, payer, &selection.wanted).await {
            Ok(_) => return Ok(see_other(&selection.address())),
            Err(failure) => Err(failure),
        }
    };
    match opened {
        Ok(orders) => {
            if let Some(code) = visit.poster() {
                // what it counts keeps nobody from paying
                if let Err(failure) = landing::note_orders(app, code, &orders).await {
                    tracing::error!(%failure, "an order was not counted to its poster");
                }
            }
            let waits = |order: &&Order| matches!(order.state, OrderState::Pending { .. });
            let next = orders.iter().find(waits).or(orders.last());
            let to = next.map(|order| Door::Own(order.order_no.clone()).cashier());
            Ok(see_other(to.as_deref().unwrap_or(links::TUITION)))
        }
        // what is owed changed since it was read: asked again, with both amounts
        Err(Failure::Refused(Refusal::Amount { .. })) if confirmed => {
            confirm::draw(visit, &signed, &selection, Answered::default()).await
        }
        Err(Failure::Refused(refusal)) if refusal != Refusal::NotFound => {
            let ticked = Some(selection.wanted.iter().map(|one| one.charge_id).collect());
            let of_batches = of_batches || refusal == Refusal::OneBatch;
            let chosen = Chosen { ticked, problem: Some(refusal), ..Chosen::read(form.pairs()) };
            match of_batches {
                true => other::draw(visit, &signed, chosen).await,
                false => tuition::draw(visit, &signed, chosen).await,
            }
        }
        Err(failure) => Err(Problem::from(failure).into()),
    }
}

async fn open(visit: &Visit, signed: &SignedIn, selection: &Selection, given: &Given) -> Result<Vec<Order>, Failure> {
    // under the payer's own name, so that nobody else's key can be met
    let checkout_id = format!("{}-{}", signed.payer.id, selection.key);
    checkout::open_given(&visit.app, (signed.payer.id, &checkout_id), &selection.wanted, given).await
}

/// The page of other fees sends the fees of every batch and which batches were chosen: those of the others.
async fn of_other_batches(visit: &Visit, signed: &SignedIn, form: &Form) -> Result<Vec<ChargeId>> {
    let own = arrears::of_payer(&visit.app, signed.payer.id).await.map_err(Problem::from)?;
    let is_chosen = |key: String| form.all("batch").any(|chosen| chosen == key);
    let left_out = own.charges.iter().filter(|charge| charge.batch_key().is_some_and(|key| !is_chosen(key)));
    Ok(left_out.map(|charge| charge.id).collect())
}
