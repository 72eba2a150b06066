//! The school as the configuration names it, and what it lets payers do.
use serde::Deserialize;

use super::key::Picture;
use crate::domain::bilingual::Bilingual;
use crate::domain::id_number::IdNumber;
use crate::domain::module::Modules;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct School {
    pub name: String,
    #[serde(default)]
    pub name_en: String,
    #[serde(default = "order_prefix")]
    pub order_prefix: String,
    pub code: String,
    #[serde(default)]
    pub initial_password: InitialPassword,
    #[serde(default)]
    pub first_sign_in: FirstSignIn,
    /// 登录提醒: whether a sign-in with a new browser is told by mail, if mail is configured
    #[serde(default = "yes")]
    pub sign_in_notice: bool,
    /// Telephone of the finance office, shown where a payer may need it
    #[serde(default)]
    pub phone: String,
    #[serde(default)]
    pub office_hours: String,
    #[serde(default)]
    pub office_hours_en: String,
    /// Whom to call, shown on the help page
    #[serde(default)]
    pub contact: Vec<Contact>,
    /// Other services of the school, for international students
    #[serde(default)]
    pub portal: Vec<Portal>,
    /// The school's mark for the middle of codes (PNG, square)
    #[serde(default)]
    pub mark: Option<Picture>,
    /// What payers are offered; what is not named is open
    #[serde(default)]
    pub modules: Modules,
}

/// Another service of the school, shown as a link
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portal {
    pub name: String,
    #[serde(default)]
    pub name_en: String,
    /// `https://…`
    pub url: String,
}

/// Somebody of the school whom payers may call
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    pub name: String,
    #[serde(default)]
    pub name_en: String,
    pub phone: String,
    #[serde(default)]
    pub hours: String,
    #[serde(default)]
    pub hours_en: String,
}

impl School {
    pub fn bilingual_name(&self) -> Bilingual {
        Bilingual::new(&self.name, &self.name_en)
    }
}

fn yes() -> bool {
    true
}

fn order_prefix() -> String {
    "XF".to_owned()
}

/// What a payer's password is until he sets one (the manuals contradict each other, so each school says).
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum InitialPassword {
    /// The last six characters of the ID number, X in upper case
    #[default]
    IdLast6,
    IdLast8,
    /// 000000
    Zeros6,
    Fixed(String),
    /// The user name itself
    Username,
}

impl TryFrom<String> for InitialPassword {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "id_last6" => Ok(Self::IdLast6),
            "id_last8" => Ok(Self::IdLast8),
            "zeros6" => Ok(Self::Zeros6),
            "username" => Ok(Self::Username),
            other => match other.strip_prefix("fixed:") {
                Some(word) if !word.is_empty() => Ok(Self::Fixed(word.to_owned())),
                _ => {
                    Err(format!("initial_password: {other:?} is none of id_last6, id_last8, zeros6, username, fixed:…"))
                }
            },
        }
    }
}

/// What somebody who signs in with the initial password must do first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstSignIn {
    /// Choose a password and a security question before anything but paying
    #[default]
    SetUp,
    /// Nothing
    Open,
}

impl InitialPassword {
    /// The initial password of one payer; none when the rule needs an ID number and there is none.
    pub fn of(&self, username: &str, id_number: Option<&IdNumber>) -> Option<String> {
        match self {
            Self::IdLast6 => id_number.map(|id| id.tail(6).to_owned()),
            Self::IdLast8 => id_number.map(|id| id.tail(8).to_owned()),
            Self::Zeros6 => Some("000000".to_owned()),
            Self::Fixed(word) => Some(word.clone()),
            Self::Username => Some(username.to_owned()),
        }
    }
}
