//! 家长代付: the payer's links, one link with its code, and what whoever opens it sees.
use askama::Template;

use super::part::giver_text;
use super::{links, refusals};
use crate::domain::amount::AmountRefusal;
use crate::domain::bilingual::Bilingual;
use crate::domain::ids::{ChargeId, PayLinkId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::OrderLine;
use crate::domain::order_no::OrderNo;
use crate::domain::pay_for_me::Lasting;
use crate::domain::refusal::Refusal;
use crate::web::html::{Frame, filters};
use crate::web::view::part::Title;

/// Own links and the form for a new one, which POSTs to [`links::PAY_FOR_ME`]: `csrf`, `fee` or `order`, `lasting`.
#[derive(Template, Debug)]
#[template(path = "page/pay-for-me.html")]
pub struct PayForMe {
    /// With a person
    pub frame: Frame,
    /// Not signed in with user name and password: there are no links
    pub limited: bool,
    /// Newest first
    pub links: Vec<LinkRow>,
    /// The order a link is wanted for, in place of the choice
    pub order: Option<OrderChoice>,
    pub choices: Vec<Choice>,
    pub chosen: Option<ChargeId>,
    pub lasting: Lasting,
    pub problem: Option<Unmade>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkRow {
    pub id: PayLinkId,
    pub title: Title,
    pub state: LinkState,
    pub expires_at: Moment,
    /// What was given by it
    pub given: Fen,
}

/// An order that others may pay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderChoice {
    pub no: OrderNo,
    pub title: Title,
    pub total: Fen,
}

/// A charge that others may pay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    pub id: ChargeId,
    pub item: Bilingual,
    pub period: Bilingual,
    pub arrears: Fen,
    /// The smallest part; none: all at once
    pub min_split: Option<Fen>,
}

/// Why no link was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unmade {
    Unchosen,
    TooMany,
    Refused(Refusal),
}

/// How a link stands, for its payer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkState {
    Open,
    Waiting,
    Paid,
    Revoked,
    Expired,
    Gone,
}

impl LinkState {
    fn word(&self) -> &'static str {
        match self {
            LinkState::Open => "for_me.open",
            LinkState::Waiting => "for_me.waiting",
            LinkState::Paid => "for_me.paid",
            LinkState::Revoked => "for_me.revoked",
            LinkState::Expired => "for_me.expired",
            LinkState::Gone => "for_me.gone",
        }
    }

    fn tone(&self) -> &'static str {
        match self {
            LinkState::Open | LinkState::Paid => "s1",
            LinkState::Waiting => "s2",
            LinkState::Revoked | LinkState::Expired | LinkState::Gone => "s0",
        }
    }

    /// Whether it can still be opened by others.
    fn stands(&self) -> bool {
        matches!(self, LinkState::Open | LinkState::Waiting)
    }
}

impl PayForMe {
    fn problem_text(&self, why: &Unmade) -> String {
        match why {
            Unmade::Unchosen => self.frame.w("for_me.unchosen").to_owned(),
            Unmade::TooMany => self.frame.w("for_me.too_many").to_owned(),
            Unmade::Refused(refusal) => refusals::refusal(&self.frame, refusal),
        }
    }

    fn is_chosen(&self, choice: &Choice) -> bool {
        self.chosen == Some(choice.id) || self.choices.len() == 1
    }

    fn lastings(&self) -> [(&'static str, &'static str, bool); 3] {
        [Lasting::Day, Lasting::ThreeDays, Lasting::Week].map(|one| {
            let word = match one {
                Lasting::Day => "for_me.day",
                Lasting::ThreeDays => "for_me.three_days",
                Lasting::Week => "for_me.week",
            };
            (one.code(), word, one == self.lasting)
        })
    }

    fn has_form(&self) -> bool {
        self.order.is_some() || !self.choices.is_empty()
    }
}

impl Choice {
    fn how(&self, frame: &Frame) -> String {
        match self.min_split {
            Some(min) => frame.with("for_me.split", "min", min),
            None => frame.w("for_me.whole").to_owned(),
        }
    }
}

/// One link, to be shown and sent. Revoking POSTs `csrf`.
#[derive(Template, Debug)]
#[template(path = "page/pay-link.html")]
pub struct PayLinkPage {
    /// With a person
    pub frame: Frame,
    pub id: PayLinkId,
    /// The whole address
    pub url: String,
    /// As others see it
    pub masked_name: String,
    pub lines: Vec<OrderLine>,
    /// Smallest and largest part; none: the sum of the lines
    pub range: Option<(Fen, Fen)>,
    pub state: LinkState,
    pub expires_at: Moment,
    /// First one first
    pub given: Vec<GivenRow>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GivenRow {
    /// Empty: no name was left
    pub giver: String,
    pub amount: Fen,
    pub paid_at: Moment,
    pub order_no: OrderNo,
}

impl PayLinkPage {
    fn total(&self) -> Fen {
        self.lines.iter().map(|line| line.amount).sum()
    }

    fn giver(&self, row: &GivenRow) -> String {
        giver_text(self.frame.lang, &row.giver)
    }
}

/// What whoever opens a link sees. POSTs to [`links::give`]: `csrf`, `key`, `amount` where it may be chosen, `giver`.
#[derive(Template, Debug)]
#[template(path = "page/give.html")]
pub struct Give {
    /// Without a person, whoever is signed in here
    pub frame: Frame,
    pub code: String,
    /// Minted when the page was drawn
    pub key: String,
    pub masked_name: String,
    pub payee: Bilingual,
    pub lines: Vec<OrderLine>,
    pub total: Fen,
    /// The smallest part that may be given; none: all of it
    pub min_split: Option<Fen>,
    /// As they were typed
    pub amount: String,
    pub giver: String,
    pub wrong: GiveWrong,
}

/// What is wrong with what was typed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GiveWrong {
    pub unreadable: bool,
    pub amount: Option<AmountRefusal>,
    pub giver: bool,
    pub wait_until: Option<Moment>,
}

impl Give {
    fn is_wrong(&self) -> bool {
        self.wrong != GiveWrong::default()
    }

    fn amount_problem(&self) -> String {
        match (&self.wrong.amount, self.wrong.unreadable) {
            (Some(why), _) => refusals::amount(self.frame.lang, why),
            (None, true) => self.frame.w("amount.bad").to_owned(),
            (None, false) => String::new(),
        }
    }
}
