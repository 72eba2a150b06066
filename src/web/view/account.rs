//! 我的: what the school knows of the payer, a password of one's own, the security question, and the way back in.
use askama::Template;

use super::links;
use super::login::Captcha;
use crate::domain::bilingual::Bilingual;
use crate::domain::module::Module;
use crate::domain::moment::Moment;
use crate::domain::password::{SHORTEST, Weakness};
use crate::domain::question::Question;
use crate::web::html::Frame;

/// What was done just before the page was drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Done {
    Password,
    Question,
    Profile,
    Card,
    CardRemoved,
    SignedUp,
    /// An activation mail is on its way
    MailSent,
}

impl Done {
    pub const fn code(self) -> &'static str {
        match self {
            Done::Password => "password",
            Done::Question => "question",
            Done::Profile => "profile",
            Done::Card => "card",
            Done::CardRemoved => "card-removed",
            Done::SignedUp => "signed-up",
            Done::MailSent => "mail",
        }
    }

    pub fn parse(code: &str) -> Option<Done> {
        use Done::{Card, CardRemoved, MailSent, Password, Profile, Question, SignedUp};
        let all = [Password, Question, Profile, Card, CardRemoved, SignedUp, MailSent];
        all.into_iter().find(|done| done.code() == code)
    }

    fn word(self) -> &'static str {
        match self {
            Done::Password => "me.password_done",
            Done::Question => "me.question_done",
            Done::Profile => "profile.done",
            Done::Card => "card.done",
            Done::CardRemoved => "card.removed",
            Done::SignedUp => "me.signed_up",
            Done::MailSent => "me.mail_sent",
        }
    }
}

/// 我的. Personal fields masked, and none for who signed in with document number and name.
#[derive(Template, Debug)]
#[template(path = "page/me.html")]
pub struct Me {
    /// With a person
    pub frame: Frame,
    pub done: Option<Done>,
    /// Signed in with document number and name
    pub limited: bool,
    /// In full, of people from outside: it is a user name they have not seen before
    pub number: Option<String>,
    /// Masked
    pub id_number: Option<String>,
    /// Masked
    pub phone: Option<String>,
    pub own_password: bool,
    pub question: Option<Question>,
    pub last_sign_in: Option<Moment>,
    /// Signed in by e-mail
    pub member: bool,
    /// A mailbox that is not proven yet, masked
    pub mailbox: Option<String>,
    /// The activation mail cannot go again before
    pub mail_wait: Option<Moment>,
    /// How many 公告 were not opened yet
    pub unread: usize,
    /// There is an official account to bind a WeChat to
    pub wechat: bool,
}

/// Why a form of the account is shown again. Each stands beside its own field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FormProblem {
    /// The field that proves who it is was left empty: the password asked for, the answer, the code, the user name
    Empty,
    /// The password asked for, or the answer, is wrong
    Wrong {
        tries_left: Option<u32>,
    },
    Captcha,
    Locked {
        until: Moment,
    },
    Weak(Weakness),
    Reused,
    Differ,
    Question,
    Answer,
    /// No mobile number
    Phone,
    /// No e-mail address
    Email,
    /// The first step must be taken again
    StepOver,
    /// Too many messages were asked for
    Wait {
        until: Moment,
    },
}

impl FormProblem {
    pub fn text(self, frame: &Frame, wrong: &'static str) -> String {
        let word = match self {
            FormProblem::Wrong { tries_left: None } => wrong,
            FormProblem::Wrong { tries_left: Some(left) } => {
                return format!("{}{}", frame.w(wrong), frame.with("login.tries_left", "n", left));
            }
            FormProblem::Locked { until } => return frame.with("login.locked", "n", frame.minutes(&until)),
            FormProblem::Wait { until } => return frame.with("forgot.wait", "n", frame.minutes(&until)),
            FormProblem::Weak(Weakness::Short) => return frame.with("password.short", "n", SHORTEST),
            FormProblem::Weak(Weakness::Long) => "password.long",
            FormProblem::Weak(Weakness::NoLetter) => "password.no_letter",
            FormProblem::Weak(Weakness::NoDigit) => "password.no_digit",
            FormProblem::Weak(Weakness::NoSymbol) => "password.no_symbol",
            FormProblem::Weak(Weakness::Common) => "password.common",
            FormProblem::Weak(Weakness::Personal) => "password.personal",
            FormProblem::Reused => "password.reused",
            FormProblem::Differ => "password.differ",
            FormProblem::Empty => "account.empty",
            FormProblem::Captcha => "login.wrong_captcha",
            FormProblem::Question => "question.choose",
            FormProblem::Answer => "question.short",
            FormProblem::Phone => "profile.phone_wrong",
            FormProblem::Email => "profile.email_wrong",
            FormProblem::StepOver => "account.step_over",
        };
        frame.w(word).to_owned()
    }

    pub(super) fn is_of_new(self) -> bool {
        matches!(self, FormProblem::Weak(_) | FormProblem::Reused)
    }
}

/// The first password of one's own with a security question, or another password. POSTs to [`links::PASSWORD`]: `csrf`,
/// `old` (changing only), `new`, `again`; `question` and `answer` (first time only); with a captcha also `captcha_id`
/// and `captcha`.
#[derive(Template, Debug)]
#[template(path = "page/password.html")]
pub struct PasswordPage {
    pub frame: Frame,
    /// The first one: a question is chosen with it
    pub set_up: bool,
    /// Who came through the university's portal needs none
    pub portal: Option<Portal>,
    /// Chosen before
    pub question: Option<Question>,
    pub problem: Option<FormProblem>,
    pub captcha: Option<Captcha>,
}

/// 统一身份认证, which has a password of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Portal {
    pub name: Bilingual,
    /// Where its password is changed
    pub url: Option<String>,
}

/// 密保 in two steps: the password, then question and answer. POSTs to [`links::QUESTION`]: `csrf`, then `password`, or
/// `ticket`, `question` and `answer`.
#[derive(Template, Debug)]
#[template(path = "page/question.html")]
pub struct QuestionPage {
    pub frame: Frame,
    /// Proves the first step; none: this is it
    pub ticket: Option<String>,
    pub question: Option<Question>,
    pub problem: Option<FormProblem>,
    pub captcha: Option<Captcha>,
}

/// 忘记密码 in two steps. POSTs to [`links::FORGOT`]: `csrf`, then `username` and
/// `way` (none: the question; `mail`; `sms`), or `ticket`, `answer`, `new` and `again`.
#[derive(Template, Debug)]
#[template(path = "page/forgot.html")]
pub struct Forgot {
    pub frame: Frame,
    /// Ticket of the first step, and the question to answer; none: this is the first step
    pub asked: Option<(String, Question)>,
    /// 邮件 is offered
    pub by_mail: bool,
    /// 短信 is offered
    pub by_sms: bool,
    pub username: String,
    pub problem: Option<FormProblem>,
    pub captcha: Option<Captcha>,
}

/// What the templates of forms ask of their page.
macro_rules! form_page {
    ($page:ident, $wrong:literal) => {
        impl $page {
            /// The text beside a field that is wrong; none where all is well.
            fn beside(&self, is_of: impl Fn(FormProblem) -> bool) -> Option<String> {
                self.problem.filter(|problem| is_of(*problem)).map(|problem| problem.text(&self.frame, $wrong))
            }

            fn on_top(&self) -> Option<String> {
                use FormProblem::{Locked, StepOver, Wait};
                self.beside(|problem| matches!(problem, Locked { .. } | StepOver | Wait { .. }))
            }

            fn proof_problem(&self) -> Option<String> {
                use FormProblem::{Answer, Empty, Wrong};
                self.beside(|problem| matches!(problem, Empty | Wrong { .. } | Answer))
            }

            fn captcha_problem(&self) -> bool {
                self.problem == Some(FormProblem::Captcha)
            }
        }
    };
}
pub(super) use form_page;
form_page!(PasswordPage, "password.wrong_old");
form_page!(QuestionPage, "password.wrong_old");
form_page!(Forgot, "question.wrong");

impl PasswordPage {
    fn is_chosen(&self, one: &Question) -> bool {
        self.question.as_ref() == Some(one)
    }

    fn heading(&self) -> &'static str {
        if self.set_up { "password.set_up" } else { "password.title" }
    }

    fn new_problem(&self) -> Option<String> {
        self.beside(FormProblem::is_of_new)
    }

    fn again_problem(&self) -> Option<String> {
        self.beside(|problem| problem == FormProblem::Differ)
    }

    fn question_problem(&self) -> Option<String> {
        self.beside(|problem| problem == FormProblem::Question)
    }
}

impl QuestionPage {
    fn is_chosen(&self, one: &Question) -> bool {
        self.question.as_ref() == Some(one)
    }

    fn question_problem(&self) -> Option<String> {
        self.beside(|problem| problem == FormProblem::Question)
    }
}

impl Forgot {
    fn new_problem(&self) -> Option<String> {
        self.beside(FormProblem::is_of_new)
    }

    fn again_problem(&self) -> Option<String> {
        self.beside(|problem| problem == FormProblem::Differ)
    }
}

/// The word of a question.
pub fn question_word(question: &Question) -> &'static str {
    match question {
        Question::BirthTown => "question.birth_town",
        Question::PrimarySchool => "question.primary_school",
        Question::FirstTeacher => "question.first_teacher",
        Question::ChildhoodFriend => "question.childhood_friend",
        Question::FavouriteBook => "question.favourite_book",
        Question::FirstConcert => "question.first_concert",
        Question::GrandmotherName => "question.grandmother_name",
        Question::DreamJob => "question.dream_job",
    }
}
