//! 确认缴费: what will be ordered, where the receipt goes, and what is agreed to. And 缴费协议 on its own page.
use askama::Template;

use super::account::FormProblem;
use super::links;
use super::login::Captcha;
use crate::domain::announcement::paragraphs;
use crate::domain::bilingual::Bilingual;
use crate::domain::fee::Fund;
use crate::domain::money::Fen;
use crate::domain::order::OrderLine;
use crate::web::html::{Frame, filters};

/// POSTs to [`links::CHECKOUT`]: `csrf`, `checkout_id`, `confirmed`=1, `fee` and `amt{charge}` of every line as it is
/// shown; `agree` = the text's version, with `stamp` where it must be read for a while; `phone` and `password` where
/// none is known; with a captcha also `captcha_id` and `captcha`.
#[derive(Template, Debug)]
#[template(path = "page/confirm.html")]
pub struct Confirm {
    /// With a person
    pub frame: Frame,
    pub checkout_id: String,
    /// One for each payee, in the order they are paid
    pub parts: Vec<ConfirmPart>,
    /// What is owed by other amounts than those that were chosen
    pub changed: Vec<Changed>,
    pub consent: Option<Consent>,
    pub phone: Receiver,
    pub captcha: Option<Captcha>,
    /// Path and query of this page, for the ways that lead back
    pub here: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfirmPart {
    pub payee: Bilingual,
    pub fund: Fund,
    pub lines: Vec<OrderLine>,
    pub total: Fen,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed {
    pub item: Bilingual,
    pub was: Fen,
    /// Zero: nothing is owed any more, and it is not among the lines
    pub now: Fen,
}

/// 缴费协议 on this page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Consent {
    pub version: String,
    /// The whole text is shown, and 同意 waits; none: a link and a box to tick
    pub reading: Option<Reading>,
    pub problem: Option<ConsentProblem>,
}

impl Consent {
    /// Seconds the button waits, if it does.
    pub fn wait(&self) -> Option<u64> {
        self.reading.as_ref().map(|reading| reading.seconds).filter(|seconds| *seconds > 0)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    pub text: Bilingual,
    /// How long 同意 still waits, in seconds
    pub seconds: u64,
    /// When the page was first drawn, signed
    pub stamp: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConsentProblem {
    /// The box is not ticked.
    Unticked,
    /// 同意 was chosen too early.
    Early,
}

/// 票据接收手机.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Receiver {
    /// Not shown: the school does not ask, or this way of signing in does not tell
    Unsaid,
    /// Masked
    Known(String),
    /// Masked; proven by a code, for this order
    Proven(String),
    /// To be given here, with the password, since it changes the account
    Asked { typed: String, required: bool, wrong: bool, password: Option<FormProblem> },
}

impl Confirm {
    fn total(&self) -> Fen {
        self.parts.iter().map(|part| part.total).sum()
    }

    fn count(&self) -> usize {
        self.parts.iter().map(|part| part.lines.len()).sum()
    }

    /// 手续费: nothing is added by any channel.
    fn commission(&self) -> Fen {
        Fen::ZERO
    }

    fn is_wrong(&self) -> bool {
        let phone = matches!(&self.phone, Receiver::Asked { wrong, password, .. } if *wrong || password.is_some());
        phone || self.consent.as_ref().is_some_and(|consent| consent.problem.is_some()) || !self.changed.is_empty()
    }

    fn change_phone(&self) -> String {
        links::profile_from(&self.here)
    }

    fn other_phone(&self) -> String {
        links::other_phone(&self.here)
    }

    fn read_agreement(&self) -> String {
        links::agreement_from(&self.here)
    }

    fn password_problem(&self, problem: &Option<FormProblem>) -> Option<String> {
        let beside = problem.filter(|problem| *problem != FormProblem::Captcha)?;
        Some(match beside {
            FormProblem::Empty => self.frame.w("profile.password_empty").to_owned(),
            other => other.text(&self.frame, "profile.password_wrong"),
        })
    }

    fn captcha_problem(&self) -> bool {
        matches!(self.phone, Receiver::Asked { password: Some(FormProblem::Captcha), .. })
    }

    fn wait(&self) -> Option<u64> {
        self.consent.as_ref()?.wait()
    }

    fn paragraphs<'a>(&self, reading: &'a Reading) -> Vec<Vec<&'a str>> {
        paragraphs(self.frame.name(&reading.text))
    }

    fn submit_word(&self) -> &'static str {
        match self.consent.as_ref().is_some_and(|consent| consent.reading.is_some()) {
            true => self.frame.w("confirm.agree"),
            false => self.frame.w("confirm.submit"),
        }
    }
}

impl ConfirmPart {
    fn fund_word(&self) -> &'static str {
        match self.fund {
            Fund::Fiscal => "fund.fiscal",
            Fund::Agency => "fund.agency",
        }
    }
}

/// 缴费协议, for whoever wants to read it.
#[derive(Template, Debug)]
#[template(path = "page/agreement.html")]
pub struct AgreementPage {
    pub frame: Frame,
    pub text: Bilingual,
    pub version: String,
    /// Where to go on; empty: nowhere
    pub back: String,
}

impl AgreementPage {
    fn paragraphs(&self) -> Vec<Vec<&str>> {
        paragraphs(self.frame.name(&self.text))
    }
}
