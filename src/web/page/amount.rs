//! 改: another amount for one charge, for browsers without script.
use poem::http::StatusCode;
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use crate::domain::amount::{check, may_change};
use crate::domain::charge::Charge;
use crate::domain::ids::ChargeId;
use crate::domain::money::Fen;
use crate::flow::arrears;
use crate::web::error::{Problem, TYPED_WRONG, see_other};
use crate::web::form::Form;
use crate::web::guard::{SignedIn, Visit};
use crate::web::html::Page;
use crate::web::view::amount::{Amount, AmountProblem};
use crate::web::view::filter::Owing;

/// `GET /h5/tuition/{charge_id}/amount`
#[handler]
pub async fn show(visit: &Visit, signed: SignedIn, Path(id): Path<String>) -> Result<Response> {
    let charge = find(visit, &signed, &id).await?;
    let chosen = Owing::read(visit.query_pairs());
    let present = chosen.amounts.iter().find(|(id, _)| *id == charge.id).map(|(_, amount)| *amount);
    let typed = present.unwrap_or(charge.balance.arrears()).yuan();
    Ok(draw(visit, &signed, &charge, (&typed, None), &chosen))
}

/// `POST /h5/tuition/{charge_id}/amount`
#[handler]
pub async fn submit(visit: &Visit, signed: SignedIn, Path(id): Path<String>, form: Form) -> Result<Response> {
    let charge = find(visit, &signed, &id).await?;
    let mut chosen = Owing::read(form.pairs());
    let typed = form.get("amount");
    let arrears = charge.balance.arrears();
    let problem = match Fen::typed(typed) {
        None => AmountProblem::NotAnAmount,
        Some(amount) => match check(amount, arrears, charge.item.min_split) {
            Err(why) => AmountProblem::Refused(why),
            Ok(amount) => {
                chosen.amounts.retain(|(id, _)| *id != charge.id);
                if amount != arrears {
                    chosen.amounts.push((charge.id, amount));
                }
                return Ok(see_other(&chosen.address()));
            }
        },
    };
    Ok(draw(visit, &signed, &charge, (typed, Some(problem)), &chosen))
}

/// The page again, for an amount that came with a selection and cannot be read.
pub async fn ask_again(
    visit: &Visit,
    signed: &SignedIn,
    id: ChargeId,
    typed: &str,
    pairs: &[(String, String)],
) -> Result<Response> {
    let charge = find(visit, signed, &id.to_string()).await?;
    Ok(draw(visit, signed, &charge, (typed, Some(AmountProblem::NotAnAmount)), &Owing::read(pairs)))
}

/// One charge of this payer whose amount may be changed; anything else does not exist.
async fn find(visit: &Visit, signed: &SignedIn, id: &str) -> Result<Charge> {
    let id: ChargeId = id.parse().map_err(|_| Problem::NotFound)?;
    let found = arrears::find_charge(&visit.app, signed.payer.id, id).await.map_err(Problem::from)?;
    let changeable = |charge: &Charge| may_change(charge.balance.arrears(), charge.item.min_split);
    Ok(found.filter(changeable).ok_or(Problem::NotFound)?)
}

fn draw(
    visit: &Visit,
    signed: &SignedIn,
    charge: &Charge,
    (typed, problem): (&str, Option<AmountProblem>),
    chosen: &Owing,
) -> Response {
    let others = Owing {
        amounts: chosen.amounts.iter().filter(|(id, _)| *id != charge.id).copied().collect(),
        ..Owing::default()
    };
    let filters = chosen.fields().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let carried = filters.chain(others.amount_fields()).collect();
    let status = if problem.is_some() { TYPED_WRONG } else { StatusCode::OK };
    let view = Amount {
        frame: visit.frame(Some(&signed.payer)),
        charge_id: charge.id,
        item: charge.item.name.clone(),
        period: charge.period.name.clone(),
        arrears: charge.balance.arrears(),
        min_split: charge.item.min_split.unwrap_or(Fen::ZERO),
        typed: typed.to_owned(),
        problem,
        carried,
        back: chosen.address(),
    };
    Page::with_status(status, view).into_response()
}
