//! From the ticked rows to orders.
use poem::{Response, Result, handler};

use super::amount;
use super::other;
use super::tuition::{self, Chosen};
use crate::domain::checkout::Wanted;
use crate::domain::ids::ChargeId;
use crate::domain::money::Fen;
use crate::domain::order::{Order, OrderState};
use crate::domain::refusal::Refusal;
use crate::flow::arrears;
use crate::flow::checkout;
use crate::flow::failure::Failure;
use crate::web::error::{Problem, see_other};
use crate::web::form::Form;
use crate::web::guard::{SignedIn, Visit};
use crate::web::view::links::{self, Door};

/// `POST /h5/checkout`
#[handler]
pub async fn submit(visit: &Visit, signed: SignedIn, form: Form) -> Result<Response> {
    let of_batches = form.get("page") == "other";
    let left_out = if of_batches { of_other_batches(visit, &signed, &form).await? } else { Vec::new() };
    let mut wanted = Vec::new();
    for text in form.all("fee") {
        let charge_id: ChargeId = text.parse().map_err(|_| Problem::BadRequest)?;
        if left_out.contains(&charge_id) {
            continue;
        }
        let typed = form.get(&format!("amt{charge_id}")).to_owned();
        let amount = match (typed.is_empty(), Fen::typed(&typed)) {
            (true, _) => None,
            (false, Some(amount)) => Some(amount),
            // never taken for "all of it": the payer is asked again
            (false, None) => return amount::ask_again(visit, &signed, charge_id, &typed, form.pairs()).await,
        };
        wanted.push(Wanted { charge_id, amount });
    }
    let id = form.get("checkout_id");
    if !(16..=64).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(Problem::BadRequest.into());
    }
    // under the payer's own name, so that nobody else's key can be met
    let checkout_id = format!("{}-{id}", signed.payer.id);
    match checkout::open(&visit.app, signed.payer.id, &checkout_id, &wanted).await {
        Ok(orders) => {
            let waits = |order: &&Order| matches!(order.state, OrderState::Pending { .. });
            let next = orders.iter().find(waits).or(orders.last());
            let to = next.map(|order| Door::Own(order.order_no.clone()).cashier());
            Ok(see_other(to.as_deref().unwrap_or(links::TUITION)))
        }
        Err(Failure::Refused(refusal)) if refusal != Refusal::NotFound => {
            let ticked = Some(wanted.iter().map(|one| one.charge_id).collect());
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

/// The page of other fees sends the fees of every batch and which batches were chosen: those of the others.
async fn of_other_batches(visit: &Visit, signed: &SignedIn, form: &Form) -> Result<Vec<ChargeId>> {
    let own = arrears::of_payer(&visit.app, signed.payer.id).await.map_err(Problem::from)?;
    let is_chosen = |key: String| form.all("batch").any(|chosen| chosen == key);
    let left_out = own.charges.iter().filter(|charge| charge.batch_key().is_some_and(|key| !is_chosen(key)));
    Ok(left_out.map(|charge| charge.id).collect())
}
