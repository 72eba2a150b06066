//! 付款出现问题: what may be wrong with a payment, and what to do about it as the order stands now.
use askama::Template;

use super::links::{self, Door};
use super::part::{OrderFacts, Surplus, Viewer};
use crate::web::html::{Frame, filters};

#[derive(Template, Debug)]
#[template(path = "page/trouble.html")]
pub struct Trouble {
    pub frame: Frame,
    pub viewer: Viewer,
    pub order: OrderFacts,
    pub stands: Stands,
    /// A second payment, or one that came too late
    pub surplus: Option<Surplus>,
}

/// How the order stands by the channel's word of this moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stands {
    Paid {
        /// 收费单号
        receipt_no: Option<String>,
    },
    /// Money of another amount arrived
    UnderReview,
    /// The channel has not given a clear word
    Unsure,
    /// Nothing was paid; it can be paid
    Unpaid,
    /// Nothing was paid; it cannot be paid any more
    Closed,
}

/// What a payer may do about it.
enum Act {
    Cashier,
    Result,
    /// A form: asks the channel again
    Ask,
    Tuition,
    Slip(String),
}

/// One kind of trouble: the payer's words, ours, and the way on.
struct Case {
    question: &'static str,
    answer: &'static str,
    act: Option<Act>,
    /// Whether the office is told to the payer
    call: bool,
}

impl Trouble {
    fn door(&self) -> Door {
        self.viewer.door()
    }

    fn stands_word(&self) -> &'static str {
        match self.stands {
            Stands::Paid { .. } => "trouble.paid",
            Stands::UnderReview => "trouble.review",
            Stands::Unsure => "trouble.unsure",
            Stands::Unpaid => "trouble.unpaid",
            Stands::Closed => "trouble.closed",
        }
    }

    /// Class of the mark before it
    fn tone(&self) -> &'static str {
        match self.stands {
            Stands::Paid { .. } => "ok-tip",
            Stands::UnderReview | Stands::Unsure | Stands::Unpaid | Stands::Closed => "",
        }
    }

    fn cases(&self) -> [Case; 5] {
        [self.not_charged(), self.charged(), self.wrong_person(), self.wrong_amount(), self.receipt()]
    }

    fn not_charged(&self) -> Case {
        let (answer, act) = match self.stands {
            Stands::Paid { .. } => ("trouble.not_charged_paid", Act::Result),
            Stands::UnderReview | Stands::Unsure => ("trouble.not_charged_unsure", Act::Ask),
            Stands::Unpaid => ("trouble.not_charged_unpaid", Act::Cashier),
            Stands::Closed => ("trouble.not_charged_closed", Act::Tuition),
        };
        Case { question: "trouble.not_charged", answer, act: Some(act), call: false }
    }

    fn charged(&self) -> Case {
        let (answer, act) = match self.stands {
            Stands::Paid { .. } => ("trouble.charged_paid", Some(Act::Result)),
            Stands::UnderReview => ("result.review_more", None),
            Stands::Unsure | Stands::Unpaid | Stands::Closed => ("trouble.charged_unsure", Some(Act::Ask)),
        };
        Case { question: "trouble.charged", answer, act, call: !matches!(self.stands, Stands::Paid { .. }) }
    }

    fn wrong_person(&self) -> Case {
        let (answer, act, call) = match self.stands {
            Stands::Unpaid => ("trouble.person_unpaid", Some(Act::Cashier), false),
            Stands::Closed => ("trouble.person_closed", None, false),
            Stands::Paid { .. } | Stands::UnderReview | Stands::Unsure => ("trouble.person_paid", None, true),
        };
        Case { question: "trouble.person", answer, act, call }
    }

    fn wrong_amount(&self) -> Case {
        let (answer, call) = match self.stands {
            Stands::UnderReview => ("result.review_more", true),
            Stands::Unpaid | Stands::Closed => ("trouble.amount_unpaid", true),
            Stands::Paid { .. } | Stands::Unsure => ("trouble.amount_paid", true),
        };
        Case { question: "trouble.amount", answer, act: None, call }
    }

    fn receipt(&self) -> Case {
        let (answer, act) = match &self.stands {
            Stands::Paid { receipt_no: Some(no) } => ("trouble.receipt_paid", Some(Act::Slip(no.clone()))),
            _ => ("trouble.receipt_not_yet", None),
        };
        Case { question: "trouble.receipt", answer, act, call: false }
    }
}
