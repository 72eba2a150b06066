//! The gateway's address for text messages, and the page of what arrived.
use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Json};
use poem::{IntoResponse, Request, Response, handler};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shelf::Arrived;
use crate::domain::message::Way;
use crate::sandbox::html;
use crate::sandbox::world::Sandbox;

type World<'a> = Data<&'a Arc<Sandbox>>;

/// Where text messages are posted: `{"phone", "text"}` with the header `Authorization`.
pub const PATH: &str = "/sms/send";
/// Known to everybody
pub const KEY: &str = "Bearer sandbox";
/// How many messages the page shows
const SHOWN: usize = 50;

#[derive(Deserialize)]
struct Wanted {
    phone: String,
    text: String,
}

#[handler]
pub fn send(Data(world): World, req: &Request, body: Vec<u8>) -> Response {
    if req.header("authorization") != Some(KEY) {
        return StatusCode::UNAUTHORIZED.into();
    }
    let Ok(wanted) = serde_json::from_slice::<Wanted>(&body) else { return StatusCode::BAD_REQUEST.into() };
    let at = world.now();
    let mut shelf = world.postbox();
    if let Some(status) = shelf.refusal(Way::Sms) {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        return Json(json!({ "code": "FAIL" })).with_status(status).into_response();
    }
    let (way, subject, id) = (Way::Sms.code(), String::new(), String::new());
    shelf.take(Arrived { way, to: wanted.phone, subject, text: wanted.text, id, at });
    Json(json!({ "code": "OK" })).into_response()
}

fn chosen(world: &Sandbox, req: &Request) -> Vec<Arrived> {
    let query = form_urlencoded::parse(req.uri().query().unwrap_or_default().as_bytes());
    let to = query.into_owned().find(|(name, value)| name == "to" && !value.is_empty());
    match to {
        Some((_, to)) => world.postbox().of(&to),
        None => world.postbox().all().to_vec(),
    }
}

/// `/messages?to=`: what arrived, the newest first; of one number or address, or of all.
#[handler]
pub fn show(Data(world): World, req: &Request) -> Response {
    let mut list = String::new();
    for one in chosen(world, req).iter().rev().take(SHOWN) {
        let (at, to) = (one.at.beijing_text(), html::escape(&one.to));
        let word = if one.way == Way::Mail.code() { "邮件 mail" } else { "短信 text message" };
        let subject = html::escape(&one.subject);
        let line = |line: &str| match line.starts_with("http") {
            true => format!("<a href=\"{0}\">{0}</a>", html::escape(line)),
            false => html::escape(line),
        };
        let text = one.text.lines().map(line).collect::<Vec<_>>().join("<br>");
        list.push_str(&format!("<p class=\"note\">{at} · {word} · {to}</p><p><b>{subject}</b></p><p>{text}</p>"));
    }
    if list.is_empty() {
        list.push_str("<p class=\"note\">还没有消息 · nothing yet</p>");
    }
    html::page("短信和邮件", &format!("<h1>短信和邮件 messages</h1>{list}"))
}

/// `/control/messages?to=`: everything as JSON.
#[handler]
pub fn state(Data(world): World, req: &Request) -> Json<Value> {
    Json(json!(chosen(world, req)))
}

#[derive(Deserialize)]
pub struct Refusal {
    /// `mail` or `sms`
    way: String,
    /// HTTP status, or SMTP code
    status: u16,
    times: u32,
}

#[handler]
pub fn refuse(Data(world): World, Json(wanted): Json<Refusal>) -> StatusCode {
    match Way::parse(&wanted.way) {
        Some(way) => {
            world.postbox().refuse(way, wanted.status, wanted.times);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::BAD_REQUEST,
    }
}
