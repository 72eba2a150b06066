//! 核验: anybody types the number and the code of a voucher, a poster or an order, or scans a voucher's code, and learns
//! whether it is genuine.
use askama::Template;

use super::links;
use super::paid::SlipLine;
use super::part::channel_word;
use crate::domain::bilingual::Bilingual;
use crate::domain::capital::{capitals, english};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::OrderState;
use crate::domain::poster::{PosterKind, PosterState};
use crate::domain::trade::Channel;
use crate::web::html::{Frame, filters};

#[derive(Template, Debug)]
#[template(path = "page/verify.html")]
pub struct VerifyPage {
    pub frame: Frame,
    /// As they were typed
    pub receipt_no: String,
    pub code: String,
    /// None where nothing has been asked yet
    pub outcome: Option<Outcome>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A field is empty, or the code has characters no code has.
    Unread {
        receipt_no: bool,
        code: bool,
    },
    /// No such voucher
    False,
    /// Wrong too often
    Wait {
        until: Moment,
    },
    Genuine(Box<Genuine>),
    Poster(Box<GenuinePoster>),
    Order(Box<GenuineOrder>),
}

/// What a poster of the school's says, and where its code leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GenuinePoster {
    pub poster_no: String,
    pub kind: PosterKind,
    pub title: Bilingual,
    /// 部门; empty: none's
    pub department: String,
    /// The fee items or the programme
    pub names: Vec<Bilingual>,
    pub payees: Vec<Bilingual>,
    /// The address its code must lead to
    pub address: String,
    pub made_at: Moment,
    pub ends: Option<Moment>,
    pub state: PosterState,
}

/// What a stranger who was given its code sees of an order, the person masked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GenuineOrder {
    pub order_no: String,
    /// Masked
    pub payer: Bilingual,
    /// Masked
    pub payer_number: String,
    pub payee: Bilingual,
    pub lines: Vec<SlipLine>,
    pub total: Fen,
    pub made_at: Moment,
    pub state: OrderState,
}

/// What a stranger sees of a genuine voucher: what stands on it, the person masked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Genuine {
    pub receipt_no: String,
    pub charged_at: Moment,
    /// Masked
    pub payer: Bilingual,
    /// Masked
    pub payer_number: String,
    pub payee: Bilingual,
    pub channel: Option<Channel>,
    /// Masked
    pub order_no: String,
    /// Masked
    pub trade_no: Option<String>,
    pub lines: Vec<SlipLine>,
    pub total: Fen,
    /// What went back since
    pub refunded: Fen,
    /// What is on its way back
    pub returning: Fen,
}

impl Genuine {
    /// Back with the payer or on its way
    fn given_back(&self) -> Fen {
        self.refunded + self.returning
    }

    fn is_void(&self) -> bool {
        self.given_back() >= self.total
    }
}

impl VerifyPage {
    fn heading(&self) -> &'static str {
        match &self.outcome {
            None | Some(Outcome::Unread { .. }) => "verify.title",
            Some(Outcome::False) => "verify.false",
            Some(Outcome::Wait { .. }) => "verify.wait",
            Some(Outcome::Genuine(voucher)) if voucher.is_void() => "verify.void",
            Some(Outcome::Genuine(voucher)) if voucher.given_back().is_positive() => "verify.partly",
            Some(Outcome::Genuine(_)) => "verify.genuine",
            Some(Outcome::Poster(poster)) => match poster.state {
                PosterState::Active => "verify.poster",
                PosterState::Revoked(_) => "verify.poster_revoked",
                PosterState::Expired(_) => "verify.poster_expired",
            },
            Some(Outcome::Order(order)) => match order.state {
                OrderState::Pending { .. } => "verify.order_pending",
                OrderState::Paid { .. } => "verify.order_paid",
                OrderState::Closed { .. } => "verify.order_closed",
            },
        }
    }

    fn text(&self) -> String {
        let frame = &self.frame;
        match &self.outcome {
            None | Some(Outcome::Unread { .. }) => frame.w("verify.how").to_owned(),
            Some(Outcome::False) => frame.w("verify.false_more").to_owned(),
            Some(Outcome::Wait { until }) => frame.with("verify.wait_more", "n", frame.minutes(until)),
            Some(Outcome::Genuine(voucher)) if voucher.is_void() => frame.w("verify.void_more").to_owned(),
            Some(Outcome::Genuine(voucher)) if voucher.given_back().is_positive() => {
                let kept = voucher.total - voucher.given_back();
                frame.with2("verify.partly_more", &("back", voucher.given_back()), &("kept", kept))
            }
            Some(Outcome::Genuine(_)) => frame.w("verify.genuine_more").to_owned(),
            Some(Outcome::Poster(poster)) => match poster.state {
                PosterState::Active => frame.w("verify.poster_more").to_owned(),
                PosterState::Revoked(at) => frame.with("verify.poster_revoked_more", "day", frame.day_time(&at)),
                PosterState::Expired(at) => frame.with("verify.poster_expired_more", "day", frame.day_time(&at)),
            },
            Some(Outcome::Order(order)) => match &order.state {
                OrderState::Pending { .. } => frame.w("verify.order_pending_more").to_owned(),
                OrderState::Paid { paid_at, .. } => {
                    frame.with("verify.order_paid_more", "day", frame.day_time(paid_at))
                }
                OrderState::Closed { .. } => frame.w("verify.order_closed_more").to_owned(),
            },
        }
    }

    /// The class of the round picture above an outcome.
    fn tone(&self) -> &'static str {
        match &self.outcome {
            Some(Outcome::Genuine(voucher)) if voucher.is_void() => "f",
            Some(Outcome::Genuine(voucher)) if voucher.given_back().is_positive() => "w still",
            Some(Outcome::Wait { .. }) => "w still",
            Some(Outcome::Genuine(_)) => "",
            Some(Outcome::Poster(poster)) if poster.state == PosterState::Active => "",
            Some(Outcome::Order(order)) if !matches!(order.state, OrderState::Closed { .. }) => "",
            Some(Outcome::Poster(_) | Outcome::Order(_)) => "w still",
            _ => "f",
        }
    }

    fn voucher(&self) -> Option<&Genuine> {
        match &self.outcome {
            Some(Outcome::Genuine(voucher)) => Some(voucher),
            _ => None,
        }
    }

    fn poster(&self) -> Option<&GenuinePoster> {
        match &self.outcome {
            Some(Outcome::Poster(poster)) => Some(poster),
            _ => None,
        }
    }

    fn order(&self) -> Option<&GenuineOrder> {
        match &self.outcome {
            Some(Outcome::Order(order)) => Some(order),
            _ => None,
        }
    }

    fn poster_kind(&self, kind: &PosterKind) -> &'static str {
        self.frame.w(match kind {
            PosterKind::Platform => "verify.kind_platform",
            PosterKind::Item => "verify.kind_item",
            PosterKind::Programme => "verify.kind_programme",
            PosterKind::Department => "verify.kind_department",
        })
    }

    /// Nothing was asked, or nothing that could be read.
    fn is_asking(&self) -> bool {
        matches!(self.outcome, None | Some(Outcome::Unread { .. }))
    }

    fn no_problem(&self) -> Option<&'static str> {
        let bad = matches!(self.outcome, Some(Outcome::Unread { receipt_no: true, .. }));
        bad.then(|| self.frame.w("verify.no_empty"))
    }

    fn code_problem(&self) -> Option<&'static str> {
        let bad = matches!(self.outcome, Some(Outcome::Unread { code: true, .. }));
        let word = if self.code.trim().is_empty() { "verify.code_empty" } else { "verify.code_unread" };
        bad.then(|| self.frame.w(word))
    }

    fn channel_text(&self) -> Option<&'static str> {
        let channel = self.voucher()?.channel.as_ref()?;
        Some(self.frame.w(channel_word(channel)))
    }

    fn words_of(&self, amount: &Fen) -> String {
        capitals(*amount)
    }

    fn english_of(&self, amount: &Fen) -> String {
        english(*amount)
    }
}
