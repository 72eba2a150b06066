//! 生活缴费: the services, the form of one of them, and what an order's page says of a top-up.
use askama::Template;

use super::links;
use crate::domain::bilingual::Bilingual;
use crate::domain::living::{Limits, TopUpState, Unfit};
use crate::domain::money::Fen;
use crate::flow::living::buy::NotTaken;
use crate::web::html::Frame;

/// The list.
#[derive(Template, Debug)]
#[template(path = "page/living.html")]
pub struct Services {
    pub frame: Frame,
    pub services: Vec<ServiceRow>,
    /// Signed in with document number and name
    pub limited: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceRow {
    pub id: String,
    pub name: Bilingual,
    pub account: Bilingual,
    /// The number topped up last
    pub last: Option<String>,
}

/// POSTs `csrf`, `checkout_id`, `account`, and `amount` (yuan) or else `chip` (fen).
#[derive(Template, Debug)]
#[template(path = "page/top-up.html")]
pub struct TopUpPage {
    /// With a person
    pub frame: Frame,
    pub checkout_id: String,
    pub service: ServiceRow,
    pub payee: Bilingual,
    pub example: String,
    pub limits: Limits,
    pub chips: Vec<Fen>,
    /// The payer's own, the latest first
    pub remembered: Vec<String>,
    pub typed: Typed,
    /// What is left on the number shown, with its unit
    pub balance: Balance,
    pub problem: Option<NotTaken>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Typed {
    pub account: String,
    pub amount: String,
    /// In fen
    pub chip: Option<Fen>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Balance {
    /// In the unit; without one in yuan
    Known { left: String, unit: Bilingual },
    /// The provider did not say in time
    Unclear,
    /// No number to ask about yet
    Unasked,
}

impl TopUpPage {
    fn is_chosen(&self, chip: &Fen) -> bool {
        self.typed.chip == Some(*chip)
    }

    /// What is wrong with the number.
    fn account_problem(&self) -> String {
        match self.problem {
            Some(NotTaken::Account) => self.frame.with2(
                "living.bad_account",
                &("account", self.frame.name(&self.service.account)),
                &("example", &self.example),
            ),
            Some(NotTaken::NoSuchAccount) => {
                self.frame.with("living.no_such", "account", self.frame.name(&self.service.account))
            }
            _ => String::new(),
        }
    }

    /// What is wrong with the amount.
    fn amount_problem(&self) -> String {
        match self.problem {
            Some(NotTaken::NotAnAmount) => self.frame.w("amount.bad").to_owned(),
            Some(NotTaken::Amount(Unfit::Below(min))) => self.frame.with("living.below", "min", min),
            Some(NotTaken::Amount(Unfit::Above(max))) => self.frame.with("living.above", "max", max),
            Some(NotTaken::Amount(Unfit::OffStep(step))) => self.frame.with("living.off_step", "step", step),
            _ => String::new(),
        }
    }

    fn too_many(&self) -> bool {
        self.problem == Some(NotTaken::TooMany)
    }

    fn range(&self) -> String {
        self.frame.with2("living.range", &("min", self.limits.min), &("max", self.limits.max))
    }

    fn balance_text(&self) -> String {
        match &self.balance {
            Balance::Known { left, unit } if unit.zh.is_empty() => self.frame.with("living.balance_yuan", "left", left),
            Balance::Known { left, unit } => {
                self.frame.with2("living.balance", &("left", left), &("unit", self.frame.name(unit)))
            }
            Balance::Unclear => self.frame.w("living.balance_unclear").to_owned(),
            Balance::Unasked => String::new(),
        }
    }
}

/// What an order's pages say of the top-up it is for; for its payer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopUpLine {
    pub service: Bilingual,
    /// None: this session does not see it
    pub account: Option<String>,
    pub state: TopUpState,
}

impl TopUpLine {
    pub(super) fn word(&self) -> &'static str {
        match self.state {
            TopUpState::Unpaid => "living.unpaid",
            TopUpState::Dropped => "living.dropped",
            TopUpState::Waiting => "living.waiting",
            TopUpState::Done => "living.done",
            TopUpState::Returning => "living.returning",
            TopUpState::Returned => "living.returned",
        }
    }

    pub(super) fn more(&self) -> &'static str {
        match self.state {
            TopUpState::Unpaid | TopUpState::Dropped => "living.not_paid_more",
            TopUpState::Waiting => "living.waiting_more",
            TopUpState::Done => "living.done_more",
            TopUpState::Returning => "living.returning_more",
            TopUpState::Returned => "living.returned_more",
        }
    }

    pub(super) fn tone(&self) -> &'static str {
        match self.state {
            TopUpState::Done | TopUpState::Returned => "s1",
            TopUpState::Waiting | TopUpState::Unpaid => "s2",
            TopUpState::Returning | TopUpState::Dropped => "s3",
        }
    }
}
