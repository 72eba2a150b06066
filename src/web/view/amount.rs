//! 改: one charge's amount on a page of its own, for browsers without script or dialog.
use askama::Template;

use super::links;
use super::refusals;
use crate::domain::amount::AmountRefusal;
use crate::domain::bilingual::Bilingual;
use crate::domain::ids::ChargeId;
use crate::domain::money::Fen;
use crate::web::html::{Frame, filters};

/// POSTs to [`links::amount`]: `csrf`, `amount` (typed text, read by `Fen::typed`), and every one of `carried` under
/// its own name.
#[derive(Template, Debug)]
#[template(path = "page/amount.html")]
pub struct Amount {
    /// With a person
    pub frame: Frame,
    pub charge_id: ChargeId,
    pub item: Bilingual,
    pub period: Bilingual,
    pub arrears: Fen,
    pub min_split: Fen,
    /// What the field holds: the present choice, or what was typed and refused
    pub typed: String,
    pub problem: Option<AmountProblem>,
    /// Hidden fields to hand on (the other amounts, the filters)
    pub carried: Vec<(String, String)>,
    /// Where 取消 leads
    pub back: String,
}

impl Amount {
    fn problem_text(&self) -> String {
        match &self.problem {
            None => String::new(),
            Some(AmountProblem::NotAnAmount) => self.frame.w("amount.bad").to_owned(),
            Some(AmountProblem::Refused(why)) => refusals::amount(self.frame.lang, why),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AmountProblem {
    /// Not an amount with at most two decimals
    NotAnAmount,
    Refused(AmountRefusal),
}
