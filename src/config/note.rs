//! `[official_account.templates.…]`: the messages of the official account a school has chosen in its console.
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::note::{Fact, NoteKind};

/// One kind's template.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// 模板ID
    pub id: String,
    #[serde(default)]
    pub way: NoteWay,
    /// Which fact stands in which field of the template: `thing3 = "item"`; `phrase5 = "=已支付"` is a fixed text.
    pub fields: BTreeMap<String, String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteWay {
    /// 模板消息: to every follower
    #[default]
    Template,
    /// 订阅通知: one message for each time the follower has agreed
    Subscription,
}

/// Types of fields the platform has; a number follows.
const TYPES: [&str; 10] =
    ["thing", "character_string", "time", "date", "amount", "phone_number", "car_number", "const", "phrase", "number"];

impl Template {
    /// What does not fit, for a kind.
    fn complaint(&self, kind: NoteKind) -> Option<String> {
        if self.id.is_empty() || self.fields.is_empty() {
            return Some("id and fields are needed".to_owned());
        }
        self.fields.iter().find_map(|(field, value)| {
            let fact = Fact::parse(value).filter(|fact| kind.facts().contains(fact));
            match () {
                () if !TYPES.contains(&field.trim_end_matches(|c: char| c.is_ascii_digit())) => {
                    Some(format!("fields.{field}: not a field of the platform's, such as thing1"))
                }
                () if fact.is_none() && !value.starts_with('=') => {
                    let known: Vec<&str> = kind.facts().iter().map(|fact| fact.code()).collect();
                    Some(format!("fields.{field}: {}, or a text behind =", known.join(", ")))
                }
                () => None,
            }
        })
    }
}

/// Key and complaint of what does not fit.
pub fn check(templates: &BTreeMap<String, Template>) -> Result<(), (String, String)> {
    for (kind, template) in templates {
        let key = format!("official_account.templates.{kind}");
        let known = || NoteKind::ALL.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(", ");
        let Some(kind) = NoteKind::parse(kind) else { return Err((key, known())) };
        if let Some(complaint) = template.complaint(kind) {
            return Err((key, complaint));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: &str, text: &str) -> Result<(), (String, String)> {
        check(&[(kind.to_owned(), toml::from_str(text).unwrap())].into())
    }

    #[test]
    fn a_kind_a_field_or_a_fact_that_is_not_there_is_named() {
        assert_eq!(said("paid", "id = 'T'\nfields = { thing1 = 'item', phrase2 = '=已支付' }"), Ok(()));
        let key = |kind: &str, text: &str| said(kind, text).unwrap_err();
        assert!(key("payed", "id = 'T'\nfields = { thing1 = 'item' }").1.contains("paid"));
        assert!(key("paid", "id = ''\nfields = { thing1 = 'item' }").1.contains("id"));
        assert!(key("paid", "id = 'T'\nfields = { first = 'item' }").1.starts_with("fields.first"));
        // whose arrears end when is nothing a payment knows
        assert!(key("paid", "id = 'T'\nfields = { thing1 = 'due' }").1.contains("order_no, item, amount, time"));
        assert!(key("paid", "id = 'T'\nfields = { thing1 = 'name' }").1.starts_with("fields.thing1"));
    }
}
