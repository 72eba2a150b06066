//! Calls to who provides a service: signed, and believed when signed. Three questions: deliver this, what became of it,
//! and what is left on a room or card. An answer that is not rightly signed is no answer.
use std::time::Duration;

use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::config::Living;
use crate::domain::living::{Told, TopUp};
use crate::flow::signature;

/// How long a page waits for the balance.
const PATIENCE: Duration = Duration::from_millis(1_500);

#[derive(Serialize)]
struct Ask<'a> {
    /// Our order number: asked again under it, the provider delivers once
    no: &'a str,
    service: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    account: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_fen: Option<i64>,
}

#[derive(Deserialize)]
struct Answer {
    state: String,
    #[serde(default)]
    no: String,
    #[serde(default)]
    balance: String,
}

/// What is left on a room or card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Left {
    /// As the provider writes it, in the service's unit
    Known(String),
    /// There is no such room or card
    NoSuchAccount,
    /// The provider did not answer in time
    Unclear,
}

/// Asks for delivery, under the order's number. None: whether it had an effect is unknown.
pub async fn deliver(app: &App, service: &Living, top_up: &TopUp, account: &str) -> Option<Told> {
    let no = top_up.order_no.as_str();
    let ask = Ask { no, service: &service.id, account, amount_fen: Some(top_up.amount.get()) };
    told(call(app, service, "deliver", &ask).await?)
}

/// Asks what became of it. None: the provider gave no usable answer.
pub async fn query(app: &App, service: &Living, top_up: &TopUp) -> Option<Told> {
    let ask = Ask { no: top_up.order_no.as_str(), service: &service.id, account: "", amount_fen: None };
    told(call(app, service, "query", &ask).await?)
}

pub async fn balance(app: &App, service: &Living, account: &str) -> Left {
    let no = app.chance.token(22);
    let ask = Ask { no: &no, service: &service.id, account, amount_fen: None };
    let answer = tokio::time::timeout(PATIENCE, call(app, service, "balance", &ask)).await;
    match answer.ok().flatten() {
        Some(answer) if answer.state == "known" && is_decimal(&answer.balance) => Left::Known(answer.balance),
        Some(answer) if answer.state == "unknown_account" => Left::NoSuchAccount,
        _ => Left::Unclear,
    }
}

fn told(answer: Answer) -> Option<Told> {
    match answer.state.as_str() {
        "done" => Some(Told::Done { provider_no: answer.no.chars().filter(char::is_ascii_graphic).take(64).collect() }),
        "refused" => Some(Told::Refused),
        "pending" => Some(Told::Pending),
        "absent" => Some(Told::Absent),
        _ => None,
    }
}

/// `12`, `-3.50`: at most two decimals.
fn is_decimal(text: &str) -> bool {
    let bare = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = bare.split_once('.').unwrap_or((bare, "0"));
    let digits = |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole, 9) && digits(part, 2)
}

async fn call(app: &App, service: &Living, what: &'static str, ask: &Ask<'_>) -> Option<Answer> {
    let body = serde_json::to_vec(ask).ok()?;
    let headers = signature::headers(&service.secrets, ask.no, app.clock.now(), &body)?;
    let url = format!("{}/{what}", service.url.as_str().trim_end_matches('/'));
    let (id, no) = (&service.id, ask.no);
    match app.http.send(Method::POST, &url, headers, body).await {
        Ok(reply) if reply.status == 200 => {
            let now = app.clock.now();
            if signature::is_right(&service.secrets, ask.no, now, &reply.headers, &reply.body) {
                return serde_json::from_slice(&reply.body).ok();
            }
            tracing::warn!(service = id, what, no, "a provider's answer is not rightly signed");
        }
        Ok(reply) => tracing::warn!(service = id, what, no, status = reply.status, "a provider gave no answer"),
        Err(error) => tracing::warn!(service = id, what, no, %error, "a provider gave no answer"),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_is_a_number_or_nothing() {
        for (text, fits) in
            [("36.50", true), ("-3.5", true), ("0", true), ("", false), ("1.234", false), ("1e3", false)]
        {
            assert_eq!(is_decimal(text), fits, "{text}");
        }
        assert!(!is_decimal("<b>") && !is_decimal("1234567890") && !is_decimal("-") && !is_decimal("1."));
    }
}
