//! How a request ends when it does not succeed. The only place that chooses status codes.
use poem::http::header::{CACHE_CONTROL, LOCATION};
use poem::http::{HeaderValue, StatusCode};
use poem::{IntoResponse, Response};

use super::html::{Frame, Page};
use super::view::failure::{Failure as Shown, FailurePage};
use super::view::links::{self, LoginMode};
use super::view::message::{Message, MessagePage};
use crate::domain::module::Module;
use crate::domain::refusal::Refusal;
use crate::flow::failure::Failure as ActFailure;

/// Why there is no page. What the payer reads never says more than the words in `words.toml`; the rest is for the log.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("the request cannot be read")]
    BadRequest,
    #[error("sent from another site")]
    Forbidden,
    /// It does not exist, or it is somebody else's.
    #[error("not found")]
    NotFound,
    #[error("method not allowed")]
    MethodNotAllowed,
    #[error("body too large")]
    TooLarge,
    /// The form was drawn for another browser or another session.
    #[error("the form's token does not fit")]
    FormExpired,
    #[error("too many requests")]
    TooMany { wait_seconds: u64 },
    /// Nobody is signed in; `back` is the page that was wanted.
    #[error("not signed in")]
    SignIn { back: String },
    /// Signed in by e-mail, and no study is chosen.
    #[error("no study chosen")]
    ChooseStudy,
    /// A password of one's own must be chosen first.
    #[error("no own password yet")]
    SetUp,
    /// Took too long, or the database cannot be reached.
    #[error("unavailable: {0}")]
    Unavailable(String),
    #[error("{0}")]
    Internal(String),
    #[error("refused: {}", .0.code())]
    Refused(Refusal),
    /// 暂未开放
    #[error("not offered by this school")]
    NotOpen(Module),
    /// Not an error to the payer but an end, said on a page of its own.
    #[error("ended")]
    Ended(Message),
}

impl poem::error::ResponseError for Problem {
    fn status(&self) -> StatusCode {
        status(self)
    }
}

impl From<ActFailure> for Problem {
    fn from(failure: ActFailure) -> Problem {
        match failure {
            ActFailure::Refused(Refusal::NotFound) => Problem::NotFound,
            ActFailure::Refused(refusal) => Problem::Refused(refusal),
            ActFailure::Store(error) if error.is_away() => Problem::Unavailable(error.to_string()),
            ActFailure::Store(error) => Problem::Internal(error.to_string()),
        }
    }
}

/// 419: what web frameworks answer to a form that is too old. No standard has a number for it.
fn form_expired() -> StatusCode {
    StatusCode::from_u16(419).unwrap_or(StatusCode::FORBIDDEN)
}

pub fn status(problem: &Problem) -> StatusCode {
    match problem {
        Problem::BadRequest => StatusCode::BAD_REQUEST,
        Problem::Forbidden => StatusCode::FORBIDDEN,
        // nothing was done, so no status of success, whatever was asked
        Problem::NotOpen(_) => StatusCode::NOT_FOUND,
        Problem::NotFound | Problem::Ended(Message::CodeUnknown) => StatusCode::NOT_FOUND,
        Problem::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Problem::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Problem::FormExpired => form_expired(),
        Problem::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Problem::SignIn { .. } | Problem::SetUp | Problem::ChooseStudy => StatusCode::SEE_OTHER,
        Problem::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Problem::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Problem::Refused(refusal) => of_refusal(refusal),
        Problem::Ended(Message::PosterRevoked | Message::PosterExpired) => StatusCode::GONE,
        Problem::Ended(Message::PortalOver { .. }) => StatusCode::GONE,
        Problem::Ended(Message::PortalUnknown { .. }) => StatusCode::FORBIDDEN,
        Problem::Ended(Message::PortalAway { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        Problem::Ended(_) => StatusCode::OK,
    }
}

/// The status of a page that says no, whichever page it is.
pub fn of_refusal(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::NotFound => StatusCode::NOT_FOUND,
        Refusal::NothingSelected
        | Refusal::OneBatch
        | Refusal::Amount { .. }
        | Refusal::OrderTooLarge
        | Refusal::Unpayable { .. }
        | Refusal::NotOffered
        | Refusal::Barred { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::InAnotherOrder { .. }
        | Refusal::OrderPaid
        | Refusal::OrderClosed { .. }
        | Refusal::ArrearsChanged
        | Refusal::UnderReview
        | Refusal::BuyerNeeded { .. } => StatusCode::CONFLICT,
        Refusal::ChannelBusy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::ChannelRefused { .. } => StatusCode::BAD_GATEWAY,
    }
}

/// The status of a form that is shown again because of what was typed.
pub const TYPED_WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
/// The status of a sign-in that was not looked at because of too many before it.
pub const LOCKED: StatusCode = StatusCode::TOO_MANY_REQUESTS;

/// What the framework itself refuses, and our own problems on their way up.
pub fn of(error: poem::Error) -> Problem {
    if error.is::<Problem>() {
        return error.downcast().unwrap_or_else(|error: poem::Error| Problem::Internal(error.to_string()));
    }
    match error.status() {
        StatusCode::NOT_FOUND => Problem::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Problem::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
        status if status.is_client_error() => Problem::BadRequest,
        _ => Problem::Internal(error.to_string()),
    }
}

/// Tells the payer, on a page in the payer's language. `retry` is where to try again, if anywhere; `code` finds the
/// request in the log.
pub fn page(problem: Problem, frame: Frame, retry: Option<String>, code: &str) -> Response {
    let status = status(&problem);
    let failure = match problem {
        Problem::SignIn { back } => return see_other(&links::login(LoginMode::User, &back)),
        Problem::SetUp => return see_other(links::PASSWORD),
        Problem::ChooseStudy => return see_other(links::STUDIES),
        Problem::Ended(message) => return Page::with_status(status, MessagePage { frame, message }).into_response(),
        Problem::BadRequest => Shown::BadRequest,
        Problem::Forbidden => Shown::Forbidden,
        Problem::NotFound => Shown::NotFound,
        Problem::MethodNotAllowed => Shown::MethodNotAllowed,
        Problem::TooLarge => Shown::TooLarge,
        Problem::FormExpired => Shown::FormExpired,
        Problem::TooMany { wait_seconds } => Shown::TooMany { wait_seconds },
        Problem::Unavailable(_) => Shown::Unavailable { until: None },
        Problem::Internal(_) => Shown::Internal { code: code.to_owned() },
        Problem::NotOpen(module) => Shown::NotOpen(module),
        Problem::Refused(refusal) => Shown::Refused(refusal),
    };
    let wait = match &failure {
        Shown::TooMany { wait_seconds } => Some(*wait_seconds),
        _ => None,
    };
    let mut response = Page::with_status(status, FailurePage { frame, failure, retry }).into_response();
    if let Some(seconds) = wait {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}

/// Tells a script, which asked for a state.
pub fn json(problem: &Problem) -> Response {
    let (status, body) = match problem {
        Problem::SignIn { back } => {
            let next = links::login(LoginMode::User, back);
            (StatusCode::UNAUTHORIZED, serde_json::json!({ "state": "signed_out", "next": next }))
        }
        other => (status(other), serde_json::json!({ "state": "unknown", "next": null })),
    };
    let mut response = Response::builder().status(status).content_type("application/json").body(body.to_string());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Tells a machine.
pub fn plain(problem: &Problem) -> Response {
    let status = status(problem);
    let text = status.canonical_reason().unwrap_or("error");
    Response::builder().status(status).content_type("text/plain; charset=utf-8").body(text)
}

/// Sends the browser on to a path or address, with GET.
pub fn see_other(to: &str) -> Response {
    let mut response = Response::builder().status(StatusCode::SEE_OTHER).finish();
    match HeaderValue::from_str(to) {
        Ok(to) => response.headers_mut().insert(LOCATION, to),
        // every path of ours is ASCII; an address of a channel that is not would be no address
        Err(_) => response.headers_mut().insert(LOCATION, HeaderValue::from_static(links::HOME)),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
