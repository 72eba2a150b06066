//! 家长代付, the giver's side: what a link is for, and the way to the cashier. Nobody signs in, and nothing else of the
//! payer is shown.
use std::time::Duration;

use poem::http::StatusCode;
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use super::access::{is_code, payee, unknown_code};
use crate::domain::order::OrderState;
use crate::domain::pay_for_me::PayLink;
use crate::domain::payer::{Payer, mask_name};
use crate::flow::pay_for_me::{self, NotGiven, Offer, Standing, Typed};
use crate::web::error::{Problem, TYPED_WRONG, see_other};
use crate::web::form::Form;
use crate::web::guard::Visit;
use crate::web::html::Page;
use crate::web::view::links::Door;
use crate::web::view::message::{Message, MessagePage};
use crate::web::view::pay_for_me::{Give, GiveWrong};

/// How long a browser finds back to what it began
const BEGUN: Duration = Duration::from_secs(3600);

/// `GET /for/{code}`
#[handler]
pub async fn show(visit: &Visit, Path(code): Path<String>) -> Result<Response> {
    let (link, payer) = find(visit, &code).await?;
    let key = visit.app.chance.token(22);
    draw(visit, (&link, &payer), Typed { key: &key, amount: "", giver: "" }, NotGiven::default()).await
}

/// `POST /for/{code}`
#[handler]
pub async fn submit(visit: &Visit, Path(code): Path<String>, form: Form) -> Result<Response> {
    let (link, payer) = find(visit, &code).await?;
    let typed = Typed { key: form.get("key"), amount: form.get("amount"), giver: form.get("giver") };
    if !(16..=64).contains(&typed.key.len()) || !is_code(typed.key) {
        return Err(Problem::BadRequest.into());
    }
    // an emptied field is not taken for all that is owed, as it is where there is none
    if form.pairs().iter().any(|(name, text)| name == "amount" && text.trim().is_empty()) {
        let not = NotGiven { unreadable: true, ..NotGiven::default() };
        return draw(visit, (&link, &payer), typed, not).await;
    }
    match pay_for_me::take_up(&visit.app, &link, typed).await.map_err(Problem::from)? {
        Ok(gift) => {
            visit.app.cache.put(&begun(visit, &link), &gift.code, BEGUN).await;
            Ok(see_other(&Door::Code(gift.code).cashier()))
        }
        Err(not) => draw(visit, (&link, &payer), typed, not).await,
    }
}

async fn find(visit: &Visit, code: &str) -> Result<(PayLink, Payer), Problem> {
    let found = match is_code(code) {
        true => pay_for_me::find_by_code(&visit.app, code).await?,
        false => None,
    };
    match found {
        Some(found) => Ok(found),
        None => Err(unknown_code(visit).await),
    }
}

fn begun(visit: &Visit, link: &PayLink) -> String {
    format!("giving:{}:{}", link.id, visit.visitor())
}

async fn draw(visit: &Visit, of: (&PayLink, &Payer), typed: Typed<'_>, not: NotGiven) -> Result<Response> {
    let message = match pay_for_me::standing(&visit.app, of.0).await.map_err(Problem::from)? {
        Standing::Open(offer) => return Ok(form(visit, of, typed, (offer, not))),
        Standing::Waiting { .. } => match own_way(visit, of.0).await? {
            Some(way) => return Ok(see_other(&way)),
            None => Message::GiftWaiting,
        },
        Standing::Paid => Message::GiftPaid,
        Standing::Revoked => Message::GiftRevoked,
        Standing::Expired => Message::GiftExpired,
        Standing::Gone => Message::GiftGone,
    };
    Ok(Page::new(MessagePage { frame: visit.frame(None), message }).into_response())
}

/// Back to what this browser began and has not paid.
async fn own_way(visit: &Visit, link: &PayLink) -> Result<Option<String>, Problem> {
    let Some(code) = visit.app.cache.get(&begun(visit, link)).await else { return Ok(None) };
    let begun = pay_for_me::find_begun(&visit.app, &code).await?;
    let waits = begun.is_some_and(|begun| matches!(begun.order.state, OrderState::Pending { .. }));
    Ok(waits.then(|| Door::Code(code).cashier()))
}

fn form(
    visit: &Visit,
    (link, payer): (&PayLink, &Payer),
    typed: Typed<'_>,
    (offer, not): (Offer, NotGiven),
) -> Response {
    let wrong =
        GiveWrong { unreadable: not.unreadable, amount: not.amount, giver: not.giver, wait_until: not.wait_until };
    let status = if wrong == GiveWrong::default() { StatusCode::OK } else { TYPED_WRONG };
    let view = Give {
        frame: visit.frame(None),
        code: link.code.clone(),
        key: typed.key.to_owned(),
        masked_name: mask_name(&payer.name),
        payee: payee(&visit.app, &offer.payee_code).0,
        lines: offer.lines,
        total: offer.total,
        min_split: offer.min_split,
        amount: if typed.amount.is_empty() { offer.total.yuan() } else { typed.amount.to_owned() },
        giver: typed.giver.to_owned(),
        wrong,
    };
    Page::with_status(status, view).into_response()
}
