//! `[[living]]`: a service of the campus that payers top up: electricity of a room, money on a card.
use serde::Deserialize;

use super::webhook::{EndpointUrl, WebhookSecret};
use crate::domain::bilingual::Bilingual;
use crate::domain::living::Limits;
use crate::domain::money::Fen;
use crate::domain::pattern::Pattern;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Living {
    /// Names the service in the database and in addresses: never change it
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub name_en: String,
    /// What is topped up: 房间号, 卡号
    pub account: String,
    #[serde(default)]
    pub account_en: String,
    /// What such a number looks like, as [`Pattern`] reads it
    #[serde(deserialize_with = "pattern")]
    pub pattern: Pattern,
    /// Such a number, shown beside the field
    pub example: String,
    /// In fen, like all amounts here
    pub min: i64,
    pub max: i64,
    #[serde(default = "one_yuan")]
    pub step: i64,
    /// Amounts to choose from
    #[serde(default)]
    pub chips: Vec<i64>,
    /// `code` of the payee who receives the money
    pub payee: String,
    /// What the balance is counted in: 度. Empty: yuan
    #[serde(default)]
    pub unit: String,
    #[serde(default)]
    pub unit_en: String,
    /// The provider's address; `/deliver`, `/query` and `/balance` are put behind it. Never logged.
    pub url: EndpointUrl,
    /// The first signs; each is believed in answers
    pub secrets: Vec<WebhookSecret>,
}

fn one_yuan() -> i64 {
    100
}

fn pattern<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Pattern, D::Error> {
    let text = String::deserialize(from)?;
    let unfit = || serde::de::Error::custom("living.pattern: classes like [0-9A-Z]{1,4}, letters, digits, hyphens");
    Pattern::parse(&text).ok_or_else(unfit)
}

impl Living {
    pub fn bilingual_name(&self) -> Bilingual {
        Bilingual::new(&self.name, &self.name_en)
    }

    pub fn account_name(&self) -> Bilingual {
        Bilingual::new(&self.account, &self.account_en)
    }

    pub fn unit_name(&self) -> Bilingual {
        Bilingual::new(&self.unit, &self.unit_en)
    }

    pub fn limits(&self) -> Limits {
        Limits { min: Fen::new(self.min), max: Fen::new(self.max), step: Fen::new(self.step) }
    }

    /// A number as the provider writes it, if it can be one: blanks fall away, full-width and small letters become
    /// plain capitals.
    pub fn read_account(&self, typed: &str) -> Option<String> {
        let plain = |letter: char| match letter {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(letter as u32 - 0xfee0).unwrap_or(letter),
            '—' | '–' => '-',
            other => other,
        };
        let text: String = typed.chars().filter(|letter| !letter.is_whitespace()).map(plain).collect();
        Some(text.to_ascii_uppercase()).filter(|text| self.pattern.fits(text))
    }
}

/// What of the services cannot be used: the key, and why.
pub(super) fn check(services: &[Living], is_payee: impl Fn(&str) -> bool) -> Result<(), (String, &'static str)> {
    for (at, one) in services.iter().enumerate() {
        let unfit = |key: &str, why| Err((format!("living.{at}.{key}"), why));
        let shape = one.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let again = services[..at].iter().any(|other| other.id == one.id);
        if one.id.is_empty() || one.id.len() > 24 || !shape || again {
            return unfit("id", "small letters, digits and hyphens, 24 at most, once each");
        }
        if !is_payee(&one.payee) {
            return unfit("payee", "the code of a payee");
        }
        if one.min < 1 || one.max < one.min || one.max > Fen::MAX.get() || one.step < 1 {
            return unfit("min", "1 fen or more, not above max, with a step of at least 1");
        }
        if one.chips.iter().any(|chip| one.limits().check(Fen::new(*chip)).is_err()) {
            return unfit("chips", "amounts between min and max, in steps");
        }
        if one.read_account(&one.example).is_none() {
            return unfit("example", "a number that fits the pattern");
        }
        if one.secrets.is_empty() {
            return unfit("secrets", "at least one");
        }
    }
    Ok(())
}
