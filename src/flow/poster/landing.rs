//! What happens before a poster: it is found, whoever stands there says number and name, and what they owe of the
//! poster's fee items becomes an order.
//!
//! Number and name give a pass and no session: it opens, for a quarter of an hour and in one browser, what one person
//! owes of this poster's items, and nothing else of anybody. The order is then paid as by anybody who has its code.
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::desk;
use crate::app::App;
use crate::domain::checkout::Wanted;
use crate::domain::fee::FeeKind;
use crate::domain::id_number::IdNumber;
use crate::domain::ids::{OrderId, PayerId, PosterId};
use crate::domain::module::{Module, Opening};
use crate::domain::order::{Order, OrderState};
use crate::domain::poster::{CODE, Poster, PosterKind, PosterState};
use crate::domain::refusal::Refusal;
use crate::flow::arrears::{self, Arrears};
use crate::flow::checkout::{self, Given};
use crate::flow::failure::Result;
use crate::flow::guess::{Caller, Challenge, Gate, Guess};
use crate::flow::sign_in::is_named;
use crate::store::payers;
use crate::store::{charges, orders, posters};

pub use crate::store::payers::Account;

/// How long a pass is good after it was last used
const PASS: Duration = Duration::from_secs(15 * 60);
/// A browser that opens a poster again counts once in this time
const ONE_SCAN: Duration = Duration::from_secs(3600);
/// The limits of the sign-in with document number and name hold for both together
const GATE: &str = "id";

/// Whether a code can be a poster's. An order's is longer.
pub fn looks_like_one(code: &str) -> bool {
    code.len() == CODE && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The poster of a code, and how it stands. A good one counts as scanned.
pub async fn scan(app: &App, code: &str, visitor: &str) -> Result<Option<(Poster, PosterState)>> {
    let Some(found) = find(app, code).await? else { return Ok(None) };
    let seen = format!("scan:{}:{visitor}", found.0.id);
    if found.1 == PosterState::Active && app.cache.once(&seen, ONE_SCAN).await {
        posters::count_scan(app.db.write(), found.0.id).await?;
    }
    Ok(Some(found))
}

/// As [`scan`], without counting.
pub async fn find(app: &App, code: &str) -> Result<Option<(Poster, PosterState)>> {
    if !looks_like_one(code) {
        return Ok(None);
    }
    let found = posters::find_by_code(app.db.read(), code).await?;
    Ok(found.map(|poster| {
        let state = poster.state(app.clock.now());
        (poster, state)
    }))
}

/// How number and name are answered.
pub enum Answer {
    /// The ticket of a pass
    In(String),
    /// A field was left empty; nothing was tried.
    Empty,
    Refused(Guess),
}

#[derive(Serialize, Deserialize)]
struct Pass {
    poster: PosterId,
    visitor: String,
    payers: Vec<PayerId>,
}

/// Student or staff number, or document number, with the name. One answer for every wrong pair.
pub async fn with_name(app: &App, poster: &Poster, number: &str, name: &str, caller: Caller<'_>) -> Result<Answer> {
    if number.trim().is_empty() || name.trim().is_empty() {
        return Ok(Answer::Empty);
    }
    let gate = Gate::new(app, GATE, number, caller.address);
    let left = match gate.enter(app, caller.captcha).await {
        Ok(left) => left,
        Err(guess) => return Ok(Answer::Refused(guess)),
    };
    let mut fitting = gate.looked(app, of_number(app, number).await).await?;
    fitting.retain(|account| is_named(account, name));
    if fitting.is_empty() {
        return Ok(Answer::Refused(gate.wrong(app, left).await));
    }
    gate.right(app).await;
    posters::count_sign_in(app.db.write(), poster.id).await?;
    let payers = fitting.iter().map(|account| account.payer.id).collect();
    let pass = Pass { poster: poster.id, visitor: caller.visitor.to_owned(), payers };
    let ticket = app.chance.token(32);
    keep(app, &ticket, &pass).await;
    Ok(Answer::In(ticket))
}

async fn of_number(app: &App, number: &str) -> Result<Vec<Account>> {
    let db = app.db.read();
    let mut found: Vec<Account> = payers::find_by_number(db, number).await?.into_iter().collect();
    if let Ok(id) = IdNumber::parse(number) {
        let others = payers::find_by_id_number(db, &app.sealer, &id).await?;
        let known: Vec<PayerId> = found.iter().map(|account| account.payer.id).collect();
        found.extend(others.into_iter().filter(|one| !known.contains(&one.payer.id)));
    }
    Ok(found)
}

/// The question the next try must answer, if it must.
pub async fn question(app: &App, typed: &str, caller: Caller<'_>) -> Option<Challenge> {
    Gate::new(app, GATE, typed, caller.address).question(app, caller.visitor).await
}

async fn keep(app: &App, ticket: &str, pass: &Pass) {
    if let Ok(text) = serde_json::to_string(pass) {
        app.cache.put(&key(ticket), &text, PASS).await;
    }
}

fn key(ticket: &str) -> String {
    format!("poster-pass:{ticket}")
}

/// Whom a pass of this poster lets in, in this browser; none: it is over, and number and name are asked again.
pub async fn people(app: &App, poster: &Poster, ticket: &str, visitor: &str) -> Result<Vec<Account>> {
    if ticket.len() != 32 || !ticket.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(Vec::new());
    }
    let Some(text) = app.cache.get(&key(ticket)).await else { return Ok(Vec::new()) };
    let Ok(pass) = serde_json::from_str::<Pass>(&text) else { return Ok(Vec::new()) };
    if pass.poster != poster.id || pass.visitor != visitor {
        return Ok(Vec::new());
    }
    keep(app, ticket, &pass).await;
    let mut found = Vec::new();
    for payer in &pass.payers {
        found.extend(payers::find(app.db.read(), *payer).await?);
    }
    Ok(found)
}

/// What somebody owes of the poster's items, and the pending orders it waits in.
pub async fn owed(app: &App, poster: &Poster, payer: PayerId) -> Result<Arrears> {
    let mut own = arrears::of_payer(app, payer).await?;
    let offers_other = app.config.school.modules.opening(Module::OtherFees) == Opening::Open;
    own.charges.retain(|charge| {
        let is_about = poster.collects().contains(&charge.item.code);
        is_about && charge.balance.arrears().is_positive() && (offers_other || charge.item.kind != FeeKind::Other)
    });
    Ok(own)
}

/// Opens the orders of a selection of what is owed here. What is not of this poster is not found.
pub async fn open(
    app: &App,
    poster: &Poster,
    (payer, checkout_id): (PayerId, &str),
    wanted: &[Wanted],
    given: &Given,
) -> Result<Vec<Order>> {
    let own = charges::find_of_payer(app.db.read(), payer).await?;
    let is_about = |one: &Wanted| {
        own.iter().any(|charge| charge.id == one.charge_id && poster.collects().contains(&charge.item.code))
    };
    if !wanted.iter().all(is_about) {
        return Err(Refusal::NotFound.into());
    }
    let opened = checkout::open_given(app, (payer, checkout_id), wanted, given).await?;
    note(app, poster, &opened).await?;
    Ok(opened)
}

async fn note(app: &App, poster: &Poster, opened: &[Order]) -> Result<()> {
    for order in opened.iter().filter(|order| matches!(order.state, OrderState::Pending { .. })) {
        posters::note_order(app.db.write(), poster.id, order.id).await?;
    }
    Ok(())
}

/// Orders of somebody who came from a poster and signed in: those with something the poster is about.
pub async fn note_orders(app: &App, code: &str, opened: &[Order]) -> Result<()> {
    let Some((poster, PosterState::Active)) = find(app, code).await? else { return Ok(()) };
    let about = desk::subject(app, &poster).await?.items;
    let mut from_here = Vec::new();
    for order in opened {
        let own = charges::find_of_payer(app.db.read(), order.payer_id).await?;
        let lines = orders::lines(app.db.read(), order.id).await?;
        let is_about = |id| own.iter().any(|charge| charge.id == id && about.contains(&charge.item.id));
        if poster.kind == PosterKind::Platform || lines.iter().any(|line| is_about(line.charge_id)) {
            from_here.push(order.clone());
        }
    }
    note(app, &poster, &from_here).await
}

/// The pay code of a pending order, if the order holds nothing but what this poster is about.
pub async fn pay_code(app: &App, poster: &Poster, payer: PayerId, order: OrderId) -> Result<Option<String>> {
    let db = app.db.read();
    let Some(found) = orders::find(db, order).await?.filter(|order| order.payer_id == payer) else { return Ok(None) };
    let own = charges::find_of_payer(db, payer).await?;
    let lines = orders::lines(db, order).await?;
    let is_about = |id| own.iter().any(|charge| charge.id == id && poster.collects().contains(&charge.item.code));
    Ok(lines.iter().all(|line| is_about(line.charge_id)).then_some(found.pay_code))
}
