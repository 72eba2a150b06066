//! 注册: the phone, its code, and everything else; and the page of an activation link.
use askama::Template;

use super::account::FormProblem;
use super::links;
use super::login::Captcha;
use crate::domain::document::{Document, WrongNumber};
use crate::domain::profile::{Email, Gender};
use crate::domain::question::Question;
use crate::web::html::Frame;

/// First step. POSTs to [`links::SIGN_UP`]: `csrf`, `phone`, `back`; with a captcha also `captcha_id` and `captcha`.
#[derive(Template, Debug)]
#[template(path = "page/sign-up.html")]
pub struct SignUpPhone {
    pub frame: Frame,
    /// As it was typed
    pub phone: String,
    /// The page that was wanted; empty for none
    pub back: String,
    pub problem: Option<FormProblem>,
    pub captcha: Option<Captcha>,
}

pub fn is_of_phone(problem: FormProblem) -> bool {
    matches!(problem, FormProblem::Phone | FormProblem::Empty)
}

/// What a page with one phone number says of it.
macro_rules! phone_page {
    ($page:ident) => {
        impl $page {
            fn said(&self, is_of: impl Fn(FormProblem) -> bool) -> Option<String> {
                self.problem
                    .filter(|problem| is_of(*problem))
                    .map(|problem| problem.text(&self.frame, "reset.wrong_code"))
            }

            fn phone_problem(&self) -> Option<String> {
                self.said(is_of_phone)
            }

            /// What is not about the one field.
            fn above(&self) -> Option<String> {
                self.said(|problem| !is_of_phone(problem) && problem != FormProblem::Captcha)
            }

            fn captcha_problem(&self) -> bool {
                self.problem == Some(FormProblem::Captcha)
            }
        }
    };
}
pub(super) use phone_page;
phone_page!(SignUpPhone);

impl SignUpPhone {
    fn login(&self) -> String {
        links::login(links::LoginMode::User, &self.back)
    }
}

/// Third step. POSTs to [`links::SIGN_UP_DETAILS`]: `csrf`, `ticket`, `name`, `document`, `number`, `gender`, `email`,
/// `new`, `again`, `question`, `answer`.
#[derive(Template)]
#[template(path = "page/sign-up-details.html")]
pub struct SignUpDetails {
    pub frame: Frame,
    pub ticket: String,
    /// Proven, masked
    pub phone: String,
    pub typed: TypedDetails,
    pub wrong: WrongDetails,
    /// Not about one field
    pub problem: Option<FormProblem>,
}

/// What was typed, without what is secret.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct TypedDetails {
    pub name: String,
    pub document: String,
    pub number: String,
    pub gender: String,
    pub email: String,
    pub question: Option<Question>,
}

/// Which fields were not taken, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WrongDetails {
    pub name: bool,
    pub document: bool,
    pub number: Option<WrongNumber>,
    pub gender: bool,
    pub email: bool,
    pub password: Option<FormProblem>,
    pub question: bool,
    pub answer: bool,
}

impl SignUpDetails {
    fn is_wrong(&self) -> bool {
        self.problem.is_some() || self.wrong != WrongDetails::default()
    }

    fn above(&self) -> Option<String> {
        Some(self.problem?.text(&self.frame, "reset.wrong_code"))
    }

    fn is_document(&self, one: &Document) -> bool {
        self.typed.document == one.code()
    }

    fn is_gender(&self, one: &Gender) -> bool {
        self.typed.gender == one.code()
    }

    fn is_chosen(&self, one: &Question) -> bool {
        self.typed.question.as_ref() == Some(one)
    }

    fn said_if(&self, wrong: &bool, key: &'static str) -> Option<&'static str> {
        wrong.then(|| self.frame.w(key))
    }

    fn number_problem(&self) -> Option<String> {
        let word = match self.wrong.number? {
            WrongNumber::Empty => "sign_up.number_empty",
            WrongNumber::Shape => "sign_up.number_shape",
            WrongNumber::CheckDigit => "sign_up.number_check",
            WrongNumber::BirthDate => "sign_up.number_birth",
            WrongNumber::Another(document) => {
                return Some(self.frame.with(
                    "sign_up.number_other",
                    "document",
                    self.frame.w(document_word(&document)),
                ));
            }
        };
        Some(self.frame.w(word).to_owned())
    }

    fn password_problem(&self, is_again: bool) -> Option<String> {
        let problem = self.wrong.password.filter(|problem| (*problem == FormProblem::Differ) == is_again)?;
        Some(problem.text(&self.frame, "reset.wrong_code"))
    }

    fn new_problem(&self) -> Option<String> {
        self.password_problem(false)
    }

    fn again_problem(&self) -> Option<String> {
        self.password_problem(true)
    }

    fn question_problem(&self) -> Option<&'static str> {
        self.said_if(&self.wrong.question, "question.choose")
    }

    fn proof_problem(&self) -> Option<&'static str> {
        self.said_if(&self.wrong.answer, "question.short")
    }
}

pub fn document_word(document: &Document) -> &'static str {
    match document {
        Document::ResidentId => "document.resident_id",
        Document::PermanentResident => "document.permanent_resident",
        Document::HkMacauPermit => "document.hk_macau_permit",
        Document::HkMacauResidence => "document.hk_macau_residence",
        Document::TaiwanPermit => "document.taiwan_permit",
        Document::TaiwanResidence => "document.taiwan_residence",
        Document::Passport => "document.passport",
    }
}

pub fn gender_word(gender: &Gender) -> &'static str {
    match gender {
        Gender::Female => "gender.female",
        Gender::Male => "gender.male",
    }
}

/// An activation link that opens. POSTs to [`links::MAIL_LINK`]: `csrf`, `token`.
#[derive(Template)]
#[template(path = "page/confirm-mail.html")]
pub struct ConfirmMail {
    pub frame: Frame,
    pub token: String,
    /// Masked
    pub email: String,
}
