//! 其他缴费: batch by batch what is owed beside tuition, and the choice of one of them.
use askama::Template;

use super::filter::Owing;
use super::links;
use super::refusals;
use super::tuition::{FeeRow, RowState};
use crate::domain::bilingual::Bilingual;
use crate::domain::fee::Fund;
use crate::domain::ids::ChargeId;
use crate::domain::money::Fen;
use crate::domain::refusal::Refusal;
use crate::web::html::{Frame, filters};

/// POSTs to [`links::CHECKOUT`]: `csrf`, `checkout_id`, `batch` (the key of the chosen one; several where the school
/// lets them be paid together), and for every row that can be paid, of whatever batch, `fee` and `amt{charge id}`.
#[derive(Template, Debug)]
#[template(path = "page/other.html")]
pub struct Other {
    /// With a person
    pub frame: Frame,
    /// Minted for this drawing of the page
    pub checkout_id: String,
    /// What can be paid first. None at all: everything is paid.
    pub batches: Vec<Batch>,
    /// Whether several may be chosen
    pub several: bool,
    /// Why the last checkout was refused
    pub problem: Option<Refusal>,
    /// The amounts changed so far, carried through links
    pub amounts: Vec<(ChargeId, Fen)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    pub key: String,
    /// As the office named it; empty: by period and kind
    pub name: String,
    pub period: Bilingual,
    pub rows: Vec<FeeRow>,
    pub chosen: bool,
}

impl Other {
    fn can_pay(&self) -> bool {
        self.batches.iter().any(Batch::can_pay)
    }

    /// Whether there is a choice to speak of.
    fn has_choice(&self) -> bool {
        self.batches.iter().filter(|batch| batch.can_pay()).count() > 1
    }

    fn name(&self, batch: &Batch) -> String {
        match (batch.name.is_empty(), batch.rows.first()) {
            (true, Some(row)) => {
                let kind = self.frame.w(row.kind_word());
                self.frame.with2("other.of", &("period", self.frame.name(&batch.period)), &("kind", kind))
            }
            _ => batch.name.clone(),
        }
    }

    fn input(&self) -> &'static str {
        if self.several { "checkbox" } else { "radio" }
    }

    fn ask(&self) -> String {
        match self.frame.phone.as_str() {
            "" => self.frame.w("other.ask_office").to_owned(),
            phone => self.frame.with("other.ask", "phone", phone),
        }
    }

    fn problem_text(&self, why: &Refusal) -> String {
        refusals::refusal(&self.frame, why)
    }

    fn problem_link(&self) -> Option<String> {
        match &self.problem {
            Some(Refusal::InAnotherOrder { order_no }) => Some(links::Door::Own(order_no.clone()).cashier()),
            _ => None,
        }
    }

    fn change_link(&self, batch: &Batch, row: &FeeRow) -> String {
        let chosen = Owing { batches: vec![batch.key.clone()], amounts: self.amounts.clone(), ..Owing::default() };
        chosen.change(row.charge.id)
    }
}

impl Batch {
    fn can_pay(&self) -> bool {
        self.rows.iter().any(FeeRow::is_payable)
    }

    /// What would be paid for it.
    fn sum(&self) -> Fen {
        self.rows.iter().filter(|row| row.is_payable()).map(FeeRow::amount).sum()
    }

    fn arrears(&self) -> Fen {
        self.rows.iter().map(FeeRow::arrears).sum()
    }

    /// Whether it waits for its time or is over: then somebody must be asked.
    fn is_closed(&self) -> bool {
        self.rows.iter().all(|row| matches!(row.state, RowState::Closed(_)))
    }
}
