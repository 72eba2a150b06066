//! 学费缴费: the arrears, and what of them is to be paid now.
use poem::http::StatusCode;
use poem::{IntoResponse, Response, Result, handler};

use crate::domain::amount;
use crate::domain::bilingual::Bilingual;
use crate::domain::charge::{Charge, Totals};
use crate::domain::checkout::Wanted;
use crate::domain::fee::{Fund, Unpayable};
use crate::domain::ids::ChargeId;
use crate::domain::module::{Module, Opening};
use crate::domain::money::Fen;
use crate::domain::refusal::Refusal;
use crate::domain::session::Rights;
use crate::flow::arrears::{self, Arrears};
use crate::web::error::{Problem, of_refusal};
use crate::web::guard::{SignedIn, Visit};
use crate::web::html::Page;
use crate::web::view::filter::Owing;
use crate::web::view::tuition::{Choice, FeeRow, Period, RowState, Tuition};

/// What the page was asked to show, and what has been chosen on it so far.
#[derive(Default)]
pub struct Chosen {
    pub filter: Owing,
    /// The ticked rows; none: all that can be paid
    pub ticked: Option<Vec<ChargeId>>,
    pub problem: Option<Refusal>,
}

impl Chosen {
    pub fn read(pairs: &[(String, String)]) -> Chosen {
        let ticked = pairs.iter().filter(|(name, _)| name == "fee").filter_map(|(_, id)| id.parse().ok());
        let ticked = Some(ticked.collect::<Vec<_>>()).filter(|ticked| !ticked.is_empty());
        Chosen { filter: Owing::read(pairs), ticked, ..Chosen::default() }
    }

    fn amount_of(&self, charge: &Charge) -> Fen {
        let arrears = charge.balance.arrears();
        let changed = self.filter.amounts.iter().find(|(id, _)| *id == charge.id).map(|(_, amount)| *amount);
        changed.filter(|wanted| amount::check(*wanted, arrears, charge.item.min_split).is_ok()).unwrap_or(arrears)
    }
}

/// `GET /h5/tuition`
#[handler]
pub async fn show(visit: &Visit, signed: SignedIn) -> Result<Response> {
    draw(visit, &signed, Chosen::read(visit.query_pairs())).await
}

/// The choice again, with the rows still ticked and why they cannot be ordered.
pub async fn refuse(
    visit: &Visit,
    signed: &SignedIn,
    wanted: &[Wanted],
    pairs: &[(String, String)],
    why: Refusal,
) -> Result<Response> {
    let ticked = Some(wanted.iter().map(|one| one.charge_id).collect());
    draw(visit, signed, Chosen { ticked, problem: Some(why), ..Chosen::read(pairs) }).await
}

/// Draws the page with what was chosen and, after a refused checkout, with why.
pub async fn draw(visit: &Visit, signed: &SignedIn, chosen: Chosen) -> Result<Response> {
    let own = arrears::of_payer(&visit.app, signed.payer.id).await.map_err(Problem::from)?;
    let chosen = match signed.is_limited() {
        // what is owed, and nothing of what was paid
        true => Chosen { filter: Owing { settled: false, ..chosen.filter }, ..chosen },
        false => chosen,
    };
    let now = visit.app.clock.now();
    let (billed, other): (Vec<&Charge>, Vec<&Charge>) =
        own.charges.iter().partition(|charge| charge.batch_key().is_none());
    let filter = &chosen.filter;
    let is_settled = |charge: &Charge| !charge.balance.arrears().is_positive();
    let is_over = |charge: &Charge| matches!(charge.item.payable_at(now), Err(Unpayable::Over(_)));
    let is_hidden = |charge: &Charge| match is_settled(charge) {
        true => !filter.settled,
        false => !filter.expired && is_over(charge) && own.order_of(charge.id).is_none(),
    };
    let listed: Vec<&Charge> = billed.iter().copied().filter(|charge| !is_hidden(charge)).collect();
    let fits = |wanted: &Option<String>, code: &String| wanted.as_ref().is_none_or(|wanted| wanted == code);
    let shown = |one: &&&Charge| fits(&filter.period, &one.period.code) && fits(&filter.item, &one.item.code);
    let rows: Vec<&Charge> = listed.iter().filter(shown).copied().collect();
    let mut periods: Vec<(String, Period)> = Vec::new();
    for charge in &rows {
        let row = row(visit, &own, charge, &chosen);
        match periods.last_mut().filter(|(code, _)| *code == charge.period.code) {
            Some((_, period)) => period.rows.push(row),
            None => {
                let period = Period { name: charge.period.name.clone(), rows: vec![row] };
                periods.push((charge.period.code.clone(), period));
            }
        }
    }
    let offered = visit.app.config.school.modules.opening(Module::OtherFees) == Opening::Open;
    let view = Tuition {
        frame: visit.frame(Some(&signed.payer)),
        checkout_id: visit.app.chance.token(22),
        periods: periods.into_iter().map(|(_, period)| period).collect(),
        totals: Totals::of(rows.iter().map(|charge| &charge.balance)),
        periods_to_choose: choices(listed.iter().map(|one| (&one.period.code, &one.period.name))),
        items_to_choose: choices(listed.iter().map(|one| (&one.item.code, &one.item.name))),
        has_expired: billed.iter().any(|charge| !is_settled(charge) && is_over(charge)),
        has_settled: !signed.is_limited() && billed.iter().any(|charge| is_settled(charge)),
        other: other.iter().filter(|_| offered).map(|charge| charge.balance.arrears()).sum(),
        is_study: signed.session.rights == Rights::Bound,
        problem: chosen.problem.clone(),
        filter: chosen.filter,
    };
    let status = chosen.problem.as_ref().map_or(StatusCode::OK, of_refusal);
    Ok(Page::with_status(status, view).into_response())
}

/// Each code once, in the order of the rows.
fn choices<'a>(all: impl Iterator<Item = (&'a String, &'a Bilingual)>) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    for (code, name) in all {
        if !choices.iter().any(|choice| choice.code == *code) {
            choices.push(Choice { code: code.clone(), name: name.clone() });
        }
    }
    choices
}

/// A charge as the pages of arrears show it.
pub fn row(visit: &Visit, own: &Arrears, charge: &Charge, chosen: &Chosen) -> FeeRow {
    let config = &visit.app.config;
    let payee = config.payee(&charge.item.payee_code);
    let waiting = own.order_of(charge.id).filter(|order| order.expires_at > visit.app.clock.now());
    let state = match (waiting, charge.item.payable_at(visit.app.clock.now())) {
        _ if !charge.balance.arrears().is_positive() => RowState::Settled,
        (Some(order), _) => RowState::InOrder { order_no: order.order_no.clone(), expires_at: order.expires_at },
        (None, Err(why)) => RowState::Closed(why),
        (None, Ok(())) => RowState::Payable {
            selected: chosen.ticked.as_ref().is_none_or(|ticked| ticked.contains(&charge.id)),
            amount: chosen.amount_of(charge),
        },
    };
    FeeRow {
        fund: payee.map_or(Fund::Agency, |payee| payee.fund),
        payee: payee.map(|payee| payee.bilingual_name()).unwrap_or_default(),
        charge: charge.clone(),
        state,
    }
}
