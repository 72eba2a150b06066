//! 模板消息 and 订阅通知: what goes to one follower, cut to what each field takes (official account, template messages;
//! subscription notices). Who may be told, and how often it is tried, is `flow/official/note.rs`.
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::api::{AccountError, Call};
use crate::config::{NoteWay, Template};

/// 43004 the follower has left; 43101 or 43108 has refused, or has not agreed; 40003 is nobody of this account
const UNREACHABLE: [i64; 4] = [43004, 43101, 43108, 40003];

/// What one follower is told.
pub struct Note<'a> {
    pub openid: &'a str,
    /// The same on every try: within ten minutes the platform sends a template message of one id once
    pub id: &'a str,
    /// Where a tap leads
    pub url: &'a str,
    /// What each fact is
    pub facts: &'a BTreeMap<String, String>,
}

/// The call that tells it.
pub fn compose(template: &Template, note: &Note<'_>) -> Call {
    let shown = |(field, value): (&String, &String)| {
        let text = match value.strip_prefix('=') {
            Some(fixed) => fixed.to_owned(),
            None => note.facts.get(value).cloned().unwrap_or_default(),
        };
        (field.clone(), json!({ "value": fit(field, &text) }))
    };
    let data: Map<String, Value> = template.fields.iter().map(shown).collect();
    let mut body = json!({ "touser": note.openid, "template_id": template.id, "data": data });
    match template.way {
        NoteWay::Template => {
            body["url"] = note.url.into();
            body["client_msg_id"] = note.id.into();
            Call::post("/cgi-bin/message/template/send", body)
        }
        NoteWay::Subscription => {
            body["page"] = note.url.into();
            Call::post("/cgi-bin/message/subscribe/bizsend", body)
        }
    }
}

/// Whether an answer says that this follower cannot be told, now or later.
pub fn is_unreachable(error: &AccountError) -> bool {
    matches!(error, AccountError::Refused { code, .. } if UNREACHABLE.contains(code))
}

/// Cuts a text to what a field takes; one that is longer is refused as a whole (47003).
fn fit(field: &str, text: &str) -> String {
    let most = match field.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "thing" | "const" => 20,
        "character_string" | "number" => 32,
        "phrase" => 5,
        "phone_number" => 17,
        "car_number" => 8,
        _ => return text.to_owned(),
    };
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_and_fixed_texts_stand_in_their_fields_and_fit() {
        assert_eq!(fit("thing1", &"学".repeat(20)), "学".repeat(20));
        assert_eq!(fit("thing12", &"学".repeat(21)), format!("{}…", "学".repeat(19)));
        assert_eq!(fit("amount2", "¥1234567890.00"), "¥1234567890.00");
        assert_eq!(fit("phrase3", "已经支付成功"), "已经支付…");
    }

    #[test]
    fn a_follower_who_left_or_refused_is_told_from_a_wrong_template() {
        let refused = |code| AccountError::Refused { code, words: String::new() };
        assert!([43004, 43101, 40003].into_iter().all(|code| is_unreachable(&refused(code))));
        assert!(!is_unreachable(&refused(40037)) && !is_unreachable(&AccountError::Busy(45009)));
    }
}
