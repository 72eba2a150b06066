//! 个人信息 and 银行卡. Phone and e-mail address are shown masked; sent back untouched they stay as they are.
use askama::Template;

use super::account::FormProblem;
use super::links;
use super::login::Captcha;
use crate::domain::profile::{Address, BankCard, Email};
use crate::web::html::Frame;

/// POSTs to [`links::PROFILE`]: `csrf`, `phone`, `email`, `postcode`, `street`, `password`, `back`; with a captcha
/// also `captcha_id` and `captcha`. 返回 is a link: nothing typed is kept.
#[derive(Template, Debug)]
#[template(path = "page/profile.html")]
pub struct ProfilePage {
    /// With a person
    pub frame: Frame,
    /// Masked, or as typed
    pub phone: String,
    /// Masked, or as typed
    pub email: String,
    pub postcode: String,
    pub street: String,
    /// Where the payer came from and goes back to; empty: 我的
    pub back: String,
    pub wrong: WrongFields,
    pub password: Option<FormProblem>,
    pub captcha: Option<Captcha>,
}

/// Which fields are wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WrongFields {
    pub phone: bool,
    pub email: bool,
    pub postcode: bool,
    pub street: bool,
}

/// POSTs to [`links::CARD`]: `csrf`, `number`, `bank`, `holder`, `password`, and `remove=1` to take the card away; with
/// a captcha also `captcha_id` and `captcha`. A number typed is never sent back.
#[derive(Template, Debug)]
#[template(path = "page/card.html")]
pub struct CardPage {
    /// With a person
    pub frame: Frame,
    /// The card that is kept, masked
    pub kept: Option<BankCard>,
    pub bank: String,
    pub holder: String,
    pub wrong: WrongCardFields,
    pub password: Option<FormProblem>,
    pub captcha: Option<Captcha>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WrongCardFields {
    pub number: bool,
    pub bank: bool,
    pub holder: bool,
}

/// What both templates ask about the password that proves who changes.
macro_rules! proven {
    ($page:ident) => {
        impl $page {
            fn password_problem(&self) -> Option<String> {
                let beside = self.password.filter(|problem| *problem != FormProblem::Captcha);
                beside.map(|problem| match problem {
                    FormProblem::Empty => self.frame.w("profile.password_empty").to_owned(),
                    other => other.text(&self.frame, "profile.password_wrong"),
                })
            }

            fn captcha_problem(&self) -> bool {
                self.password == Some(FormProblem::Captcha)
            }
        }
    };
}
proven!(ProfilePage);
proven!(CardPage);

impl ProfilePage {
    fn is_wrong(&self) -> bool {
        self.wrong != WrongFields::default() || self.password.is_some()
    }

    fn way_back(&self) -> &str {
        if self.back.is_empty() { links::ME } else { &self.back }
    }

    fn problem_if(&self, wrong: &bool, word: &'static str) -> Option<&'static str> {
        wrong.then(|| self.frame.w(word))
    }
}

impl CardPage {
    fn is_wrong(&self) -> bool {
        self.wrong != WrongCardFields::default() || self.password.is_some()
    }

    fn problem_if(&self, wrong: &bool, word: &'static str) -> Option<&'static str> {
        wrong.then(|| self.frame.w(word))
    }
}
