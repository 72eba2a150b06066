//! 忘记密码 by mail or text message: what proves the person, and the new password.
use askama::Template;

use super::account::{FormProblem, form_page};
use super::links;
use super::login::Captcha;
use crate::web::html::Frame;

/// A new password by a code or a link. POSTs to [`links::RESET_CODE`]: `csrf`, `ticket`, `code`, `new`, `again`; or to
/// [`links::RESET_LINK`]: `csrf`, `token`, `new`, `again`. Of the account nothing is shown.
#[derive(Template, Debug)]
#[template(path = "page/reset.html")]
pub struct Reset {
    pub frame: Frame,
    pub proof: Proof,
    pub problem: Option<FormProblem>,
    pub captcha: Option<Captcha>,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// 短信验证码, to be typed
    Code { ticket: String },
    /// 邮件链接, by which the page was opened
    Link { token: String },
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Proof::Code { .. }) { "Code" } else { "Link" })
    }
}

form_page!(Reset, "reset.wrong_code");

impl Reset {
    fn action(&self) -> &'static str {
        match self.proof {
            Proof::Code { .. } => links::RESET_CODE,
            Proof::Link { .. } => links::RESET_LINK,
        }
    }

    fn new_problem(&self) -> Option<String> {
        self.beside(FormProblem::is_of_new)
    }

    fn again_problem(&self) -> Option<String> {
        self.beside(|problem| problem == FormProblem::Differ)
    }
}
