//! A phone proven by a code: 手机验证 before paying, and the page that takes the code, there and in 注册.
use askama::Template;

use super::account::{FormProblem, form_page};
use super::links;
use super::login::Captcha;
use super::sign_up::{is_of_phone, phone_page};
use crate::web::html::Frame;

/// 手机验证. POSTs to [`links::PHONE_CHECK`]: `csrf`, `phone`, `back`; with a captcha also `captcha_id` and `captcha`.
#[derive(Template)]
#[template(path = "page/phone.html")]
pub struct PhoneCheckPage {
    /// With a person
    pub frame: Frame,
    /// As it was typed; the account's own is masked
    pub phone: String,
    /// Whether the receipt goes to it: this sign-in may say where it goes
    pub for_receipt: bool,
    /// 确认缴费 of what was chosen
    pub back: String,
    pub problem: Option<FormProblem>,
    pub captcha: Option<Captcha>,
}

/// What the code is for.
#[derive(Clone, PartialEq, Eq)]
pub enum CodeOf {
    SignUp,
    /// 确认缴费 of what was chosen
    Paying {
        back: String,
    },
}

/// The second step. POSTs to [`links::SIGN_UP_CODE`] or [`links::PHONE_CODE`]: `csrf`, `ticket`, `back` where something
/// was chosen, `code` or `once_more`.
#[derive(Template)]
#[template(path = "page/phone-code.html")]
pub struct PhoneCode {
    pub frame: Frame,
    pub of: CodeOf,
    pub ticket: String,
    /// Masked
    pub phone: String,
    pub problem: Option<FormProblem>,
    pub captcha: Option<Captcha>,
}

form_page!(PhoneCode, "reset.wrong_code");

phone_page!(PhoneCheckPage);

impl PhoneCode {
    fn title(&self) -> &'static str {
        match self.of {
            CodeOf::SignUp => "sign_up.title_code",
            CodeOf::Paying { .. } => "phone_check.title_code",
        }
    }

    fn action(&self) -> &'static str {
        match self.of {
            CodeOf::SignUp => links::SIGN_UP_CODE,
            CodeOf::Paying { .. } => links::PHONE_CODE,
        }
    }

    fn other_phone(&self) -> String {
        match &self.of {
            CodeOf::SignUp => links::SIGN_UP.to_owned(),
            CodeOf::Paying { back } => links::other_phone(back),
        }
    }
}
