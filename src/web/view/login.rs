//! 登录: by user name and password, or by document number and name; and the choice between several identities.
use askama::Template;

use super::links::{self, LoginMode};
use crate::domain::announcement::Announcement;
use crate::domain::bilingual::Bilingual;
use crate::domain::module::Module;
use crate::domain::moment::Moment;
use crate::domain::payer::PayerKind;
use crate::web::html::Frame;

/// POSTs to [`links::LOGIN`]: `csrf`, `mode` (`user` | `id`), `back`; `username` and `password`, or `id_number` and
/// `name`; with a captcha also `captcha_id` and `captcha`.
#[derive(Template, Debug)]
#[template(path = "page/login.html")]
pub struct Login {
    pub frame: Frame,
    pub mode: LoginMode,
    /// What was typed as user name or document number, kept after a refusal
    pub typed: String,
    /// What was typed as name in [`LoginMode::Id`]
    pub typed_name: String,
    pub problem: Option<LoginProblem>,
    /// The session ran out: said above the form
    pub expired: bool,
    pub captcha: Option<Captcha>,
    pub hint: PasswordHint,
    /// What the university's portal is called, if one may sign in there
    pub portal: Option<Bilingual>,
    /// The newest announcements
    pub news: Vec<Announcement>,
    /// Path to go to after signing in; empty: the first page
    pub back: String,
}

impl Login {
    fn by_user(&self) -> bool {
        self.mode == LoginMode::User
    }

    /// The same page for either way, with a new captcha.
    fn user_link(&self) -> String {
        links::login(LoginMode::User, &self.back)
    }

    fn sign_up(&self) -> String {
        links::sign_up(&self.back)
    }

    fn id_link(&self) -> String {
        links::login(LoginMode::Id, &self.back)
    }

    fn portal_link(&self) -> String {
        links::sso(&self.back)
    }

    fn pair_is_wrong(&self) -> bool {
        matches!(self.problem, Some(LoginProblem::WrongPair { .. } | LoginProblem::Empty))
    }

    fn captcha_is_wrong(&self) -> bool {
        matches!(self.problem, Some(LoginProblem::Captcha))
    }

    fn problem_text(&self) -> Option<String> {
        let frame = &self.frame;
        let pair = match self.mode {
            LoginMode::User => "login.wrong_user",
            LoginMode::Id => "login.wrong_id",
        };
        Some(match self.problem.as_ref()? {
            LoginProblem::WrongPair { tries_left: None } => frame.w(pair).to_owned(),
            LoginProblem::WrongPair { tries_left: Some(left) } => {
                format!("{}{}", frame.w(pair), frame.with("login.tries_left", "n", left))
            }
            LoginProblem::Captcha => frame.w("login.wrong_captcha").to_owned(),
            LoginProblem::Empty => frame.w("login.empty").to_owned(),
            LoginProblem::Locked { until } => frame.with("login.locked", "n", frame.minutes(until)),
        })
    }
}

/// Why a sign-in was refused. One wording for every wrong pair.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoginProblem {
    /// 学号或密码有误
    WrongPair {
        /// Tries until the account is locked; said when few are left
        tries_left: Option<u32>,
    },
    /// 验证码错误: wrong or expired
    Captcha,
    /// A field was left empty
    Empty,
    /// Too many failures; nothing is tried until then
    Locked { until: Moment },
}

/// 验证码: a picture, and the same asked as a sum in words; either answer is taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Captcha {
    pub id: String,
    /// A `data:` address of the picture (120 × 44 pixels)
    pub image: String,
    /// 「二十七加五等于几」, "twenty-seven plus five"
    pub question: Bilingual,
}

/// What the page may say about initial passwords.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordHint {
    IdLast6,
    IdLast8,
    Username,
    /// The school tells it another way
    Told,
}

impl PasswordHint {
    fn word(self) -> &'static str {
        match self {
            PasswordHint::IdLast6 => "login.hint.id6",
            PasswordHint::IdLast8 => "login.hint.id8",
            PasswordHint::Username => "login.hint.username",
            PasswordHint::Told => "login.hint.told",
        }
    }
}

/// Several payers share the document number and the name: which one signs in. POSTs to [`links::LOGIN`]: `csrf`,
/// `mode=id`, `back`, `ticket`, `payer`.
#[derive(Template, Debug)]
#[template(path = "page/choose.html")]
pub struct Choose {
    pub frame: Frame,
    /// Proves that document number and name were right
    pub ticket: String,
    pub identities: Vec<Identity>,
    /// Nothing was chosen
    pub problem: bool,
    pub back: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The value of `payer`
    pub value: String,
    pub kind: PayerKind,
    /// Masked
    pub number: String,
    /// College and class; may be empty
    pub unit: String,
}

impl Choose {
    fn back_link(&self) -> String {
        links::login(LoginMode::Id, &self.back)
    }
}

impl Identity {
    pub(super) fn kind_word(&self) -> &'static str {
        match self.kind {
            PayerKind::Student => "payer.student",
            PayerKind::Staff => "payer.staff",
            PayerKind::Newcomer => "payer.newcomer",
            PayerKind::Outsider => "payer.outsider",
        }
    }
}
