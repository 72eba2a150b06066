//! A form that comes too late: its session has ended, or its page was an earlier one's. Nothing is done; whoever sent
//! it is led back to where it stood, and finds there what was typed, but for secrets.
use std::sync::Arc;

use poem::http::{Method, StatusCode};
use poem::{Body, Endpoint, Request, Response};

use super::error::Problem;
use super::form::{LONGEST, sent_from_here};
use super::guard::{Visit, cookie, is_secure, page_of, set_cookie};
use super::refill::refill;
use super::stood::stood_at;
use crate::flow::late::{self, Late};
use crate::flow::session;

/// Says that something waits for this browser
const WAITS: &str = "jf_l";
/// The fields that may be shown again. Not among them: passwords, codes, answers, and whatever may be the number of a
/// document or a card; what somebody agrees to is agreed to anew.
const SAFE: [&str; 21] = [
    "account",
    "amount",
    "bank",
    "batch",
    "chip",
    "document",
    "email",
    "fee",
    "gender",
    "giver",
    "holder",
    "lasting",
    "method",
    "name",
    "nationality",
    "phone",
    "postcode",
    "question",
    "street",
    "way",
    "payer",
];

/// `a0`, the first answer of an enrolment, and `amt7`, the amount for a charge, are safe as well.
fn is_safe(name: &str) -> bool {
    let numbered = |head: &str| {
        name.strip_prefix(head).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    SAFE.contains(&name) || numbered("a") || numbered("amt")
}

/// A form as it was sent, until it is known whether it came in time.
pub struct Sent {
    action: String,
    fields: Vec<(String, String)>,
    from_here: bool,
}

impl Sent {
    /// Reads a POST and leaves it as it was; none for everything else.
    pub async fn read(req: &mut Request, visit: &Visit) -> Result<Option<Sent>, Problem> {
        if req.method() != Method::POST {
            return Ok(None);
        }
        let bytes = req.take_body().into_bytes_limit(LONGEST).await.map_err(|error| super::error::of(error.into()))?;
        let fields: Vec<(String, String)> = form_urlencoded::parse(&bytes).into_owned().collect();
        req.set_body(Body::from(bytes));
        let headers = req.headers();
        let csrf = fields.iter().find(|(name, _)| name == "csrf").map_or("", |(_, value)| value);
        // what another site sends is not put into a form of ours
        let says_so = headers.contains_key("origin") || headers.contains_key("sec-fetch-site");
        let ours = says_so || visit.bound().accepts(csrf);
        let from_here = ours && sent_from_here(headers, &visit.app.config.server.public_url);
        Ok(Some(Sent { action: req.original_uri().path().to_owned(), fields, from_here }))
    }

    /// The page the form stood on.
    pub fn stood_at(&self) -> String {
        if self.from_here { stood_at(&self.action, &self.fields) } else { page_of(&self.action).to_owned() }
    }

    /// Keeps what may be kept of a form that came too late; gives the cookie that says so.
    pub async fn keep(self, visit: &Visit, problem: &Problem) -> Option<String> {
        let page = self.stood_at();
        let payer = match (problem, visit.token()) {
            (Problem::FormExpired, None) => None,
            (Problem::SignIn { .. } | Problem::FormExpired, Some(token)) => {
                // whose it was is not known any more: nobody may see it
                match late::whose(&visit.app, token).await.ok().flatten() {
                    None if matches!(problem, Problem::SignIn { .. }) => return None,
                    payer => payer,
                }
            }
            _ => return None,
        };
        let fields: Vec<_> = self.fields.into_iter().filter(|(name, _)| is_safe(name)).collect();
        if !self.from_here || fields.is_empty() {
            return None;
        }
        let page = page.split('?').next().unwrap_or_default().to_owned();
        late::keep(&visit.app, &visit.visitor(), &Late { payer, page, action: self.action, fields }).await;
        Some(waits(visit, late::WAITS.as_secs()))
    }
}

/// The cookie, for so many seconds.
fn waits(visit: &Visit, seconds: u64) -> String {
    let end = if is_secure(&visit.app) { "; Secure" } else { "" };
    format!("{WAITS}=1; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{end}")
}

/// Around a page: puts in what waits for it.
pub async fn refilled<E: Endpoint<Output = Response>>(page: Arc<E>, req: Request) -> poem::Result<Response> {
    let has_cookie = req.method() == Method::GET && cookie(req.headers(), WAITS).is_some();
    let visit = req.data::<Arc<Visit>>().cloned().filter(|_| has_cookie);
    let path = req.original_uri().path().to_owned();
    let mut response = page.call(req).await?;
    let Some(visit) = visit else { return Ok(response) };
    if response.status() != StatusCode::OK || !response.content_type().is_some_and(|kind| kind.starts_with("text/html"))
    {
        return Ok(response);
    }
    let payer = match visit.token() {
        Some(token) => session::of_token(&visit.app, token).await.map_err(Problem::from)?,
        None => None,
    };
    let payer = payer.map(|(session, payer)| session.member.unwrap_or(payer.id));
    let Some(late) = late::take(&visit.app, &visit.visitor(), &path, payer).await else { return Ok(response) };
    let body = response.take_body().into_string().await.map_err(|_| Problem::Internal("a page is text".to_owned()))?;
    response.set_body(refill(&body, &late.action, &late.fields));
    Ok(set_cookie(response, &waits(&visit, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_among_the_fields_that_are_shown_again() {
        let secrets = [
            "password",
            "old",
            "new",
            "again",
            "code",
            "captcha",
            "answer",
            "number",
            "id_number",
            "username",
            "birth",
            "passport",
            "csrf",
            "ticket",
            "token",
            "key",
            "agree",
            "stamp",
            "remove",
            "a",
            "amt",
            "amtx",
            "a1b",
        ];
        for secret in secrets {
            assert!(!is_safe(secret), "{secret}");
        }
        for safe in ["phone", "a0", "a12", "amt7", "fee"] {
            assert!(is_safe(safe), "{safe}");
        }
    }
}
