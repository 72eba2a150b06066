//! Who follows the account, and what each has read in the conversation.
use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::moment::Moment;

/// How many lines a conversation keeps
const KEPT: usize = 200;

/// Who said a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    Follower,
    Account,
    /// A template message, or a subscription notice
    Notice,
    /// The platform itself
    Platform,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    pub who: Who,
    /// As the phone shows it; the account's words may have links in them
    pub text: String,
    /// Where a notice leads
    pub url: Option<String>,
    pub at: Moment,
}

#[derive(Default)]
struct Follower {
    follows: bool,
    /// Templates of subscription notices, once for each time the follower agreed
    agreed: Vec<String>,
    lines: Vec<Line>,
}

/// By phone.
#[derive(Default)]
pub struct Followers(BTreeMap<String, Follower>);

impl Followers {
    pub fn follows(&self, phone: &str) -> bool {
        self.0.get(phone).is_some_and(|follower| follower.follows)
    }

    pub(super) fn set(&mut self, phone: &str, follows: bool) {
        self.0.entry(phone.to_owned()).or_default().follows = follows;
    }

    /// The phone that fits.
    pub(super) fn phone_of(&self, fits: impl Fn(&str) -> bool) -> Option<String> {
        self.0.keys().find(|phone| fits(phone)).cloned()
    }

    /// Agrees to one notice of a template.
    pub fn agree(&mut self, phone: &str, template: &str) {
        self.0.entry(phone.to_owned()).or_default().agreed.push(template.to_owned());
    }

    /// Takes one agreement; false when there is none.
    pub(super) fn use_agreement(&mut self, phone: &str, template: &str) -> bool {
        let Some(follower) = self.0.get_mut(phone) else { return false };
        let at = follower.agreed.iter().position(|agreed| agreed == template);
        at.map(|at| follower.agreed.remove(at)).is_some()
    }

    /// The conversation, oldest line first.
    pub fn lines(&self, phone: &str) -> &[Line] {
        self.0.get(phone).map_or(&[], |follower| &follower.lines)
    }

    pub(super) fn add(&mut self, phone: &str, line: Line) {
        let lines = &mut self.0.entry(phone.to_owned()).or_default().lines;
        if lines.len() == KEPT {
            lines.remove(0);
        }
        lines.push(line);
    }
}
