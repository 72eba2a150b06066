//! 留学生: opening an account by e-mail, and the studies bound to it.
use askama::Template;

use super::account::FormProblem;
use super::links::{self, LoginMode};
use super::login::Captcha;
use crate::domain::bilingual::Bilingual;
use crate::domain::module::Module;
use crate::domain::profile::Email;
use crate::flow::study::Unfit;
use crate::web::html::Frame;

/// The door: sign in, register, have the mail sent again. POSTs to [`links::INTERNATIONAL`]: `csrf`, `email`; with a
/// captcha also `captcha_id` and `captcha`.
#[derive(Template, Debug)]
#[template(path = "page/international.html")]
pub struct International {
    pub frame: Frame,
    /// As it was typed
    pub email: String,
    pub problem: Option<FormProblem>,
    pub captcha: Option<Captcha>,
    pub portal: Vec<PortalLink>,
}

/// Another service of the school
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortalLink {
    pub name: Bilingual,
    pub url: String,
}

fn said(frame: &Frame, problem: Option<FormProblem>, is_of: impl Fn(FormProblem) -> bool) -> Option<String> {
    problem.filter(|problem| is_of(*problem)).map(|problem| problem.text(frame, "studies.wrong"))
}

fn is_of_email(problem: FormProblem) -> bool {
    matches!(problem, FormProblem::Email | FormProblem::Empty)
}

impl International {
    fn email_problem(&self) -> Option<String> {
        said(&self.frame, self.problem, is_of_email)
    }

    fn above(&self) -> Option<String> {
        said(&self.frame, self.problem, |problem| !is_of_email(problem) && problem != FormProblem::Captcha)
    }

    fn captcha_problem(&self) -> bool {
        self.problem == Some(FormProblem::Captcha)
    }
}

/// A registration link that opens. POSTs to [`links::ACTIVATE`]: `csrf`, `token`, `name`, `new`, `again`.
#[derive(Template)]
#[template(path = "page/activate.html")]
pub struct Activate {
    pub frame: Frame,
    pub token: String,
    /// The user name
    pub email: String,
    /// As it was typed
    pub name: String,
    pub name_wrong: bool,
    pub problem: Option<FormProblem>,
}

impl Activate {
    fn is_wrong(&self) -> bool {
        self.name_wrong || self.problem.is_some()
    }

    fn new_problem(&self) -> Option<String> {
        said(&self.frame, self.problem, |problem| problem != FormProblem::Differ)
    }

    fn again_problem(&self) -> Option<String> {
        said(&self.frame, self.problem, |problem| problem == FormProblem::Differ)
    }
}

/// The studies of an account. POSTs to [`links::STUDIES`]: `csrf`, `number`, `birth`, `nationality`; where another
/// account has the study also `passport`; with a captcha also `captcha_id` and `captcha`. POSTs to
/// [`links::CHOOSE_STUDY`] and [`links::UNBIND_STUDY`]: `csrf`, `study`.
#[derive(Template)]
#[template(path = "page/studies.html")]
pub struct Studies {
    pub frame: Frame,
    /// The address the account signs in by
    pub email: String,
    pub studies: Vec<StudyCard>,
    pub typed: TypedStudy,
    pub problem: Option<StudyProblem>,
    pub captcha: Option<Captcha>,
    pub portal: Vec<PortalLink>,
}

/// Why the form is shown again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StudyProblem {
    /// Stands beside each field
    Unfit(Unfit),
    /// Stands above them: it is not told which is wrong
    Form(FormProblem),
    /// The passport number is asked for as well
    Passport { is_wrong: bool },
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct TypedStudy {
    pub number: String,
    pub birth_date: String,
    pub nationality: String,
}

/// The identity block of one study.
#[derive(Clone, PartialEq, Eq)]
pub struct StudyCard {
    /// Names the binding
    pub id: i64,
    /// Words of the labels, and what stands beside them
    pub lines: Vec<(&'static str, String)>,
    pub passport_name: String,
}

impl Studies {
    fn count(&self) -> usize {
        self.studies.len()
    }

    fn above(&self) -> Option<String> {
        match self.problem {
            Some(StudyProblem::Form(FormProblem::Captcha)) | Some(StudyProblem::Unfit(_)) | None => None,
            Some(StudyProblem::Form(problem)) => Some(problem.text(&self.frame, "studies.wrong")),
            Some(StudyProblem::Passport { .. }) => Some(self.frame.w("studies.passport_why").to_owned()),
        }
    }

    fn unfit(&self) -> Unfit {
        match self.problem {
            Some(StudyProblem::Unfit(unfit)) => unfit,
            _ => Unfit::default(),
        }
    }

    /// Whether the passport number is asked for, and whether the one that was given is wrong.
    fn passport(&self) -> Option<bool> {
        match self.problem {
            Some(StudyProblem::Passport { is_wrong }) => Some(is_wrong),
            _ => None,
        }
    }

    fn captcha_problem(&self) -> bool {
        self.problem == Some(StudyProblem::Form(FormProblem::Captcha))
    }
}
