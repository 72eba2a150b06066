//! 帮助: the questions payers ask, and whom to call.
use askama::Template;

use super::links;
use crate::domain::bilingual::Bilingual;
use crate::web::html::Frame;

#[derive(Template, Debug)]
#[template(path = "page/help.html")]
pub struct Help {
    pub frame: Frame,
    /// Whom to call, beside the office at the foot of every page
    pub contacts: Vec<Contact>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contact {
    pub name: Bilingual,
    pub phone: String,
    pub hours: Bilingual,
}

impl Contact {
    fn dial(&self) -> String {
        self.phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
    }
}

/// Question and answer
const QUESTIONS: [(&str, &str); 13] = [
    ("help.flow", "help.flow_more"),
    ("help.charged", "help.charged_more"),
    ("help.failed", "help.failed_more"),
    ("help.twice", "help.twice_more"),
    ("help.payee", "help.payee_more"),
    ("help.site", "help.site_more"),
    ("help.limit", "help.limit_more"),
    ("help.change", "help.change_more"),
    ("help.other", "help.other_more"),
    ("help.refund", "help.refund_more"),
    ("help.receipt", "help.receipt_more"),
    ("help.password", "help.password_more"),
    ("help.keep", "help.keep_more"),
];
