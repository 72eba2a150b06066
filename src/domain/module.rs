//! 功能开放: which parts of the platform a school offers. What is not named is open.
use std::collections::BTreeMap;

use serde::Deserialize;

use super::bilingual::Bilingual;

/// A part that a school may not want, or not yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Module {
    /// 其他缴费
    OtherFees,
    /// 生活缴费
    LivingFees,
    /// 报名
    Enrolment,
    /// 新用户注册
    SignUp,
    /// 留学生
    International,
    /// 财政电子票据
    FiscalReceipts,
    /// 忘记密码
    Recovery,
    /// 银行卡
    BankCard,
    /// 家长代付
    PayForMe,
}

impl Module {
    pub const ALL: [Module; 9] = [
        Module::OtherFees,
        Module::LivingFees,
        Module::Enrolment,
        Module::SignUp,
        Module::International,
        Module::FiscalReceipts,
        Module::Recovery,
        Module::BankCard,
        Module::PayForMe,
    ];
}

/// Whether a module is there for payers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opening {
    #[default]
    Open,
    /// 暂未开放: its entries stay, and each of its pages says so and what to do instead
    Closed,
    /// As if it had never been made
    Hidden,
}

/// What the school says about one module: `"closed"`, or with a sentence of its own.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged, expecting = "\"open\", \"closed\" or \"hidden\", or { state, note, note_en }")]
enum Switch {
    Plain(Opening),
    Noted(Noted),
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Noted {
    state: Opening,
    #[serde(default)]
    note: String,
    #[serde(default)]
    note_en: String,
}

/// The switches of one school.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Modules(BTreeMap<Module, Switch>);

impl Modules {
    pub fn opening(&self, module: Module) -> Opening {
        match self.0.get(&module) {
            None => Opening::Open,
            Some(Switch::Plain(opening) | Switch::Noted(Noted { state: opening, .. })) => *opening,
        }
    }

    /// What to do instead, in the school's own words; none: the platform's.
    pub fn note(&self, module: Module) -> Option<Bilingual> {
        match self.0.get(&module) {
            Some(Switch::Noted(noted)) if !noted.note.is_empty() => Some(Bilingual::new(&noted.note, &noted.note_en)),
            _ => None,
        }
    }

    pub fn set(&mut self, module: Module, opening: Opening) {
        self.0.insert(module, Switch::Plain(opening));
    }

    /// Sets a module with the school's own words.
    pub fn set_noted(&mut self, module: Module, state: Opening, note: Bilingual) {
        self.0.insert(module, Switch::Noted(Noted { state, note: note.zh, note_en: note.en }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Modules, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn what_is_not_named_is_open_and_a_sentence_may_stand_beside_a_state() {
        let modules = read(
            r#"
            enrolment = "hidden"
            living_fees = { state = "closed", note = "请到一卡通中心。", note_en = "Go to the card office." }
            "#,
        )
        .unwrap();
        assert_eq!(modules.opening(Module::Enrolment), Opening::Hidden);
        assert_eq!(modules.opening(Module::LivingFees), Opening::Closed);
        assert_eq!(modules.note(Module::LivingFees).unwrap().en, "Go to the card office.");
        assert_eq!(modules.note(Module::Enrolment), None);
        assert_eq!(modules.opening(Module::Recovery), Opening::Open);
    }

    #[test]
    fn a_typing_error_is_told_with_what_can_be_written() {
        assert!(read("enrollment = \"closed\"").unwrap_err().contains("`enrolment`"));
        assert!(read("enrolment = \"shut\"").unwrap_err().contains("\"hidden\""));
        assert!(read("enrolment = { state = \"closed\", text = \"x\" }").unwrap_err().contains("note_en"));
    }
}
