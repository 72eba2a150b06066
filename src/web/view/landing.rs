//! The pages before a 海报: number and name, whether it is you, and what you owe of what the poster is about.
use askama::Template;

use super::confirm::{Consent, ConsentProblem, Reading};
use super::links::{self, Door};
use super::login::{Captcha, LoginProblem};
use super::refusals;
use super::tuition::{FeeRow, RowState};
use crate::domain::announcement::paragraphs;
use crate::domain::bilingual::Bilingual;
use crate::domain::fee::Fund;
use crate::domain::ids::ChargeId;
use crate::domain::refusal::Refusal;
use crate::web::html::{Frame, filters};

/// What a poster says of itself on each of its pages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// What stands in its address
    pub code: String,
    pub poster_no: String,
    pub title: Bilingual,
    /// 部门; empty: it is none's
    pub department: String,
    pub payees: Vec<Bilingual>,
}

/// POSTs to [`Ask::action`]: `csrf`, `number`, `name`; with a captcha also `captcha_id` and `captcha`.
#[derive(Template, Debug)]
#[template(path = "page/poster-ask.html")]
pub struct Ask {
    pub frame: Frame,
    pub head: Head,
    /// As they were typed
    pub number: String,
    pub name: String,
    pub problem: Option<LoginProblem>,
    pub captcha: Option<Captcha>,
}

impl Ask {
    fn action(&self) -> String {
        links::poster_step(&self.head.code, "person", "", "")
    }

    fn pair_is_wrong(&self) -> bool {
        matches!(self.problem, Some(LoginProblem::Empty | LoginProblem::WrongPair { .. }))
    }

    fn captcha_problem(&self) -> bool {
        self.problem == Some(LoginProblem::Captcha)
    }

    fn above(&self) -> Option<String> {
        let frame = &self.frame;
        Some(match self.problem.as_ref()? {
            LoginProblem::Empty => frame.w("poster.empty").to_owned(),
            LoginProblem::WrongPair { tries_left: None } => frame.w("poster.wrong_pair").to_owned(),
            LoginProblem::WrongPair { tries_left: Some(left) } => {
                format!("{}{}", frame.w("poster.wrong_pair"), frame.with("login.tries_left", "n", left))
            }
            LoginProblem::Captcha => return None,
            LoginProblem::Locked { until } => frame.with("login.locked", "n", frame.minutes(until)),
        })
    }
}

/// 是不是本人: one of several people is chosen by a link.
#[derive(Template, Debug)]
#[template(path = "page/poster-person.html")]
pub struct WhoIsIt {
    pub frame: Frame,
    pub head: Head,
    pub ticket: String,
    pub people: Vec<Somebody>,
}

/// A person as somebody who knows number and name may see one: masked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Somebody {
    /// What to send back for this one
    pub value: String,
    pub name: Bilingual,
    pub number: String,
    pub college: String,
}

impl WhoIsIt {
    fn on(&self, somebody: &Somebody) -> String {
        links::poster_step(&self.head.code, "fees", &self.ticket, &somebody.value)
    }

    fn not_me(&self) -> String {
        Door::Code(self.head.code.clone()).cashier()
    }
}

/// POSTs to [`Fees::action`]: `csrf`, `t`, `who`, `checkout_id`, `fee` of every chosen charge and `amt{charge}`;
/// `agree` and `stamp` as on 确认缴费.
#[derive(Template, Debug)]
#[template(path = "page/poster-fees.html")]
pub struct Fees {
    /// With a person, masked
    pub frame: Frame,
    pub head: Head,
    pub ticket: String,
    /// Which of several people
    pub who: String,
    pub checkout_id: String,
    pub rows: Vec<Owed>,
    pub consent: Option<Consent>,
    pub problem: Option<Refusal>,
    /// Path and query of this page
    pub here: String,
}

/// A charge on the page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owed {
    pub row: FeeRow,
    /// The pay code of the order it waits in, where this page may lead there
    pub pay_code: Option<String>,
    /// What the field of the amount holds
    pub typed: String,
    /// Why what was typed cannot be paid
    pub problem: Option<String>,
}

impl Owed {
    fn id(&self) -> ChargeId {
        self.row.charge.id
    }

    fn note(&self, frame: &Frame) -> String {
        match &self.row.state {
            RowState::InOrder { .. } if self.pay_code.is_none() => frame.w("poster.waiting_elsewhere").to_owned(),
            _ => self.row.plain_note(frame),
        }
    }

    fn pay_link(&self) -> Option<String> {
        self.pay_code.as_ref().map(|code| Door::Code(code.clone()).cashier())
    }
}

impl Fees {
    fn action(&self) -> String {
        links::poster_step(&self.head.code, "fees", "", "")
    }

    fn can_pay(&self) -> bool {
        self.rows.iter().any(|owed| owed.row.is_payable())
    }

    fn above(&self) -> Option<String> {
        self.problem.as_ref().map(|why| refusals::refusal(&self.frame, why))
    }

    fn is_wrong(&self) -> bool {
        let consent = self.consent.as_ref().is_some_and(|consent| consent.problem.is_some());
        self.problem.is_some() || consent || self.rows.iter().any(|row| row.problem.is_some())
    }

    fn another(&self) -> String {
        Door::Code(self.head.code.clone()).cashier()
    }

    fn read_agreement(&self) -> String {
        links::agreement_from(&self.here)
    }

    fn paragraphs<'a>(&self, reading: &'a Reading) -> Vec<Vec<&'a str>> {
        paragraphs(self.frame.name(&reading.text))
    }

    /// Seconds the button waits, if it does.
    fn wait(&self) -> Option<u64> {
        self.consent.as_ref()?.wait()
    }
}
