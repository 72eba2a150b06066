//! 报名项目: what one can enrol for, who may, until when, and what is asked of whoever enrols.
use std::time::Duration;

use super::bilingual::{Bilingual, Lang};
use super::fee::{Window, WindowState};
use super::ids::{FeeItemId, PeriodId, ProgrammeId};
use super::moment::Moment;
use super::money::Fen;
use super::payer::PayerKind;

/// How many fields a form has at most, and letters of a label, a choice or an answer
pub const FIELDS: usize = 6;
pub const LABEL: usize = 32;
pub const ANSWER: usize = 200;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Programme {
    pub id: ProgrammeId,
    pub code: String,
    /// 收费部门
    pub department: Bilingual,
    pub name: Bilingual,
    /// 收费内容: plain text; an empty line begins a new paragraph
    pub about: Bilingual,
    pub item: FeeItemId,
    pub period: PeriodId,
    /// Zero: nothing is to be paid, and the seat is kept at once
    pub fee: Fen,
    pub capacity: i64,
    pub taken: i64,
    pub window: Window,
    /// How long a seat is kept for whoever has not paid
    pub pay_within: Duration,
    /// Who may enrol; none: everybody
    pub kinds: Vec<PayerKind>,
    pub fields: Vec<FormField>,
}

impl Programme {
    pub fn left(&self) -> i64 {
        (self.capacity - self.taken).max(0)
    }

    pub fn admits(&self, kind: PayerKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    pub fn is_over(&self, now: Moment) -> bool {
        matches!(self.window.at(now), WindowState::Over(_))
    }
}

/// A question of the office beside name and phone: any text, or one of some choices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormField {
    pub label: Bilingual,
    pub required: bool,
    /// None: any text
    pub choices: Vec<Bilingual>,
}

impl FormField {
    /// Whether this can stand as an answer. Choices are answered with their Chinese text.
    pub fn takes(&self, answer: &str) -> bool {
        match (answer.is_empty(), self.choices.is_empty()) {
            (true, _) => !self.required,
            (false, true) => answer.chars().count() <= ANSWER,
            (false, false) => self.choices.iter().any(|choice| choice.zh == answer),
        }
    }

    /// An answer as its reader sees it.
    pub fn shown<'a>(&'a self, answer: &'a str, lang: Lang) -> &'a str {
        self.choices.iter().find(|choice| choice.zh == answer).map_or(answer, |choice| choice.in_lang(lang))
    }
}

/// `组别/Group*=初级/Beginner|高级/Advanced；饮食要求/Diet`: fields with a semicolon between; `*` must be answered; `=` begins the
/// choices, with `|` between; English after a `/`. None when it cannot be read so.
pub fn read_form(text: &str) -> Option<Vec<FormField>> {
    let fields = text.split([';', '；']).map(str::trim).filter(|field| !field.is_empty());
    let fields: Option<Vec<FormField>> = fields.map(read_field).collect();
    fields.filter(|fields| fields.len() <= FIELDS)
}

fn read_field(text: &str) -> Option<FormField> {
    let (label, choices) = text.split_once(['=', '＝']).map_or((text, None), |(label, rest)| (label, Some(rest)));
    let plain = label.trim().strip_suffix(['*', '＊']);
    let choices: Option<Vec<Bilingual>> = match choices {
        None => Some(Vec::new()),
        Some(list) => list.split(['|', '｜']).map(named).collect(),
    };
    Some(FormField { label: named(plain.unwrap_or(label))?, required: plain.is_some(), choices: choices? })
}

fn named(text: &str) -> Option<Bilingual> {
    let (zh, en) = text.split_once('/').unwrap_or((text, ""));
    let (zh, en) = (zh.trim(), en.trim());
    let fits = !zh.is_empty() && zh.chars().count() <= LABEL && en.chars().count() <= 2 * LABEL;
    fits.then(|| Bilingual::new(zh, en))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offices_line_becomes_fields_with_choices_in_both_languages() {
        let fields = read_form("组别/Group*=初级/Beginner|高级/Advanced；饮食要求/Diet；").unwrap();
        assert_eq!(fields.len(), 2);
        assert_eq!((fields[0].label.clone(), fields[0].required), (Bilingual::new("组别", "Group"), true));
        assert_eq!(fields[0].shown("高级", Lang::En), "Advanced");
        assert!(fields[0].takes("初级") && !fields[0].takes("") && !fields[0].takes("中级"));
        assert!(fields[1].takes("") && fields[1].takes("素食") && !fields[1].takes(&"长".repeat(ANSWER + 1)));
        assert_eq!(read_form(" "), Some(Vec::new()));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_not_guessed_at() {
        for text in ["*", "组别=", "组别=甲||乙", "/Group", "a;b;c;d;e;f;g"] {
            assert_eq!(read_form(text), None, "{text}");
        }
    }
}
