//! Error pages: what happened, whether the money is safe, and what to do now.
use askama::Template;

use super::links;
use super::refusals;
use crate::domain::module::Module;
use crate::domain::moment::Moment;
use crate::domain::refusal::Refusal;
use crate::web::html::Frame;

#[derive(Template, Debug)]
#[template(path = "page/failure.html")]
pub struct FailurePage {
    pub frame: Frame,
    pub failure: Failure,
    /// Where 重试 leads; none: no such button (after a POST there is nothing to repeat)
    pub retry: Option<String>,
}

/// One per status; the status itself is chosen in `error.rs`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// 400
    BadRequest,
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 405
    MethodNotAllowed,
    /// 413
    TooLarge,
    /// 419: the form's token is too old
    FormExpired,
    /// 429: how many seconds to wait
    TooMany { wait_seconds: u64 },
    /// 500, with the short code that finds it in the log
    Internal { code: String },
    /// 503, with the end if it is known
    Unavailable { until: Option<Moment> },
    /// 暂未开放: this school does not offer it, or not yet
    NotOpen(Module),
    /// The office says no, where no page of its own says it better
    Refused(Refusal),
}

impl FailurePage {
    fn heading(&self) -> String {
        match self.failure.module() {
            Some(module) => self.frame.with("failure.not_open_named", "module", self.frame.w(module)),
            None => self.frame.w(self.failure.heading()).to_owned(),
        }
    }

    fn text(&self) -> String {
        let frame = &self.frame;
        match &self.failure {
            Failure::BadRequest => frame.w("failure.bad_request_more").to_owned(),
            Failure::Forbidden => frame.w("failure.forbidden_more").to_owned(),
            Failure::NotFound => frame.w("failure.not_found_more").to_owned(),
            Failure::MethodNotAllowed => frame.w("failure.method_more").to_owned(),
            Failure::TooLarge => frame.w("failure.too_large_more").to_owned(),
            Failure::FormExpired => frame.w("failure.form_more").to_owned(),
            Failure::TooMany { wait_seconds } if *wait_seconds < 60 => {
                frame.with("failure.too_many_seconds", "n", wait_seconds)
            }
            Failure::TooMany { wait_seconds } => frame.with("failure.too_many_minutes", "n", wait_seconds.div_ceil(60)),
            Failure::Internal { .. } => frame.w("failure.internal_more").to_owned(),
            Failure::Unavailable { until: Some(until) } => {
                frame.with("failure.unavailable_until", "time", frame.day_time(until))
            }
            Failure::Unavailable { until: None } => frame.w("failure.unavailable_more").to_owned(),
            Failure::NotOpen(module) => match frame.modules.note(*module) {
                Some(note) => frame.name(&note).to_owned(),
                None => frame.w("failure.not_open_more").to_owned(),
            },
            Failure::Refused(why) => refusals::refusal(frame, why),
        }
    }
}

impl Failure {
    fn heading(&self) -> &'static str {
        match self {
            Failure::BadRequest => "failure.bad_request",
            Failure::Forbidden => "failure.forbidden",
            Failure::NotFound => "failure.not_found",
            Failure::MethodNotAllowed => "failure.method",
            Failure::TooLarge => "failure.too_large",
            Failure::FormExpired => "failure.form",
            Failure::TooMany { .. } => "failure.too_many",
            Failure::Internal { .. } => "failure.internal",
            Failure::Unavailable { .. } => "failure.unavailable",
            Failure::NotOpen(_) => "module.not_open",
            Failure::Refused(_) => "failure.refused",
        }
    }

    /// The part of the platform the page is about.
    fn module(&self) -> Option<&'static str> {
        let Failure::NotOpen(module) = self else { return None };
        Some(match module {
            Module::OtherFees => "kind.other",
            Module::LivingFees => "kind.living",
            Module::Enrolment => "enrol.title",
            Module::SignUp => "module.sign_up",
            Module::International => "module.international",
            Module::FiscalReceipts => "module.fiscal_receipts",
            Module::Recovery => "forgot.title",
            Module::BankCard => "card.title",
            Module::PayForMe => "for_me.title",
        })
    }

    /// Whether the money is safe. After a failure of ours only what the books say is promised.
    fn money(&self) -> &'static str {
        match self {
            Failure::Internal { .. } | Failure::Unavailable { .. } => "failure.money_check",
            _ => "failure.money_untouched",
        }
    }
}
