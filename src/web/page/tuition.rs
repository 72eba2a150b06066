//! 学费缴费: the arrears, and what of them is to be paid now.
use poem::http::StatusCode;
use poem::{IntoResponse, Response, Result, handler};

use crate::domain::amount;
use crate::domain::charge::{Charge, Totals};
use crate::domain::fee::{Fund, Unpayable};
use crate::domain::ids::ChargeId;
use crate::domain::money::Fen;
use crate::domain::refusal::Refusal;
use crate::flow::arrears::{self, Arrears};
use crate::web::error::{Problem, of_refusal};
use crate::web::guard::{SignedIn, Visit};
use crate::web::html::Page;
use crate::web::view::tuition::{FeeRow, Period, PeriodChoice, RowState, Tuition};

/// What the page was asked to show, and what has been chosen on it so far.
#[derive(Default)]
pub struct Chosen {
    /// A billing period's code
    pub period: Option<String>,
    pub expired: bool,
    /// Changed amounts
    pub amounts: Vec<(ChargeId, Fen)>,
    /// The ticked rows; none: all that can be paid
    pub ticked: Option<Vec<ChargeId>>,
    pub problem: Option<Refusal>,
}

impl Chosen {
    /// Reads `period`, `expired` and `amt{charge}` of a query or a form; what is no amount is left out.
    pub fn read(pairs: &[(String, String)]) -> Chosen {
        let mut chosen = Chosen::default();
        for (name, value) in pairs {
            match name.as_str() {
                "period" if !value.is_empty() => chosen.period = Some(value.clone()),
                "expired" => chosen.expired = value == "1",
                _ => {
                    let charge = name.strip_prefix("amt").and_then(|id| id.parse().ok());
                    chosen.amounts.extend(charge.zip(Fen::typed(value)));
                }
            }
        }
        chosen
    }

    fn amount_of(&self, charge: &Charge) -> Fen {
        let arrears = charge.balance.arrears();
        let changed = self.amounts.iter().find(|(id, _)| *id == charge.id).map(|(_, amount)| *amount);
        changed.filter(|wanted| amount::check(*wanted, arrears, charge.item.min_split).is_ok()).unwrap_or(arrears)
    }
}

/// `GET /h5/tuition`
#[handler]
pub async fn show(visit: &Visit, signed: SignedIn) -> Result<Response> {
    draw(visit, &signed, Chosen::read(visit.query_pairs())).await
}

/// Draws the page with what was chosen and, after a refused checkout, with why.
pub async fn draw(visit: &Visit, signed: &SignedIn, chosen: Chosen) -> Result<Response> {
    let own = arrears::of_payer(&visit.app, signed.payer.id).await.map_err(Problem::from)?;
    let now = visit.app.clock.now();
    let owed: Vec<&Charge> = own.charges.iter().filter(|charge| charge.balance.arrears().is_positive()).collect();
    let is_over = |charge: &Charge| matches!(charge.item.payable_at(now), Err(Unpayable::Over(_)));
    let shown = |charge: &&&Charge| {
        let in_period = chosen.period.as_ref().is_none_or(|code| charge.period.code == *code);
        let held = own.order_of(charge.id).is_some();
        in_period && (chosen.expired || held || !is_over(charge))
    };
    let rows: Vec<&Charge> = owed.iter().filter(shown).copied().collect();
    let mut periods: Vec<(String, Period)> = Vec::new();
    let mut choices: Vec<PeriodChoice> = Vec::new();
    for charge in &owed {
        if !choices.iter().any(|choice| choice.code == charge.period.code) {
            choices.push(PeriodChoice { code: charge.period.code.clone(), name: charge.period.name.clone() });
        }
    }
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
    let view = Tuition {
        frame: visit.frame(Some(&signed.payer)),
        checkout_id: visit.app.chance.token(22),
        periods: periods.into_iter().map(|(_, period)| period).collect(),
        totals: Totals::of(rows.iter().map(|charge| &charge.balance)),
        choices,
        chosen: chosen.period,
        show_expired: chosen.expired,
        has_expired: owed.iter().any(|charge| is_over(charge)),
        problem: chosen.problem.clone(),
        amounts: chosen.amounts,
    };
    let status = chosen.problem.as_ref().map_or(StatusCode::OK, of_refusal);
    Ok(Page::with_status(status, view).into_response())
}

fn row(visit: &Visit, own: &Arrears, charge: &Charge, chosen: &Chosen) -> FeeRow {
    let config = &visit.app.config;
    let payee = config.payee(&charge.item.payee_code);
    let waiting = own.order_of(charge.id).filter(|order| order.expires_at > visit.app.clock.now());
    let state = match (waiting, charge.item.payable_at(visit.app.clock.now())) {
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
