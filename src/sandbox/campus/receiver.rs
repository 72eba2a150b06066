//! The campus system's address for events, and the page that shows what it has heard.
use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Json};
use poem::{IntoResponse, Request, Response, handler};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::sandbox::html;
use crate::sandbox::spoil::cut;
use crate::sandbox::world::Sandbox;

use super::inbox::{Mishap, Signed};

type World<'a> = Data<&'a Arc<Sandbox>>;

/// Where events are posted.
pub const PATH: &str = "/campus/events";
/// How many events the page shows
const SHOWN: usize = 50;

#[handler]
pub async fn hear(Data(world): World<'_>, req: &Request, body: Vec<u8>) -> Response {
    let header = |name: &str| req.header(name).unwrap_or_default();
    let signed = Signed {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: &body,
    };
    let (mishap, status) = {
        let mut inbox = world.campus();
        let mishap = inbox.strikes();
        let status = match mishap {
            Some(Mishap::Answer(status)) => StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Some(Mishap::Hang | Mishap::Break) => StatusCode::REQUEST_TIMEOUT,
            None | Some(Mishap::LoseAnswer) => match inbox.take(&signed, world.now()) {
                true => StatusCode::NO_CONTENT,
                false => StatusCode::UNAUTHORIZED,
            },
        };
        let told = if matches!(mishap, None | Some(Mishap::Answer(_))) { status.as_u16() } else { 0 };
        inbox.arrived(signed.id, world.now(), told);
        (mishap, status)
    };
    match mishap {
        Some(Mishap::Hang) => std::future::pending().await,
        Some(Mishap::Break | Mishap::LoseAnswer) => cut(status.into(), 0).await,
        Some(Mishap::Answer(_)) => {
            format!("no: {}", String::from_utf8_lossy(&body)).with_status(status).into_response()
        }
        None => status.into(),
    }
}

/// `/campus`: what was heard, the newest first.
#[handler]
pub fn show(Data(world): World) -> Response {
    let inbox = world.campus();
    let mut list = String::new();
    for heard in inbox.heard().iter().rev().take(SHOWN) {
        let (at, times) = (heard.at.beijing_text(), heard.times);
        let (id, body) = (html::escape(&heard.id), html::escape(&heard.body));
        list.push_str(&format!("<p class=\"note\">{at} · {id} · ×{times}</p><p><code>{body}</code></p>"));
    }
    if list.is_empty() {
        list.push_str("<p class=\"note\">还没有收到 · nothing yet</p>");
    }
    html::page("校园系统", &format!("<h1>校园系统 campus system</h1><p>收到的事件 · events heard</p>{list}"))
}

/// `/control/campus`: everything as JSON.
#[handler]
pub fn state(Data(world): World) -> Json<Value> {
    let inbox = world.campus();
    Json(json!({ "heard": inbox.heard(), "arrivals": inbox.arrivals(), "mishap": inbox.mishap }))
}

#[derive(Deserialize)]
pub struct Wanted {
    /// None: all is well
    #[serde(default)]
    mishap: Option<Mishap>,
    /// How often; none: until told otherwise
    #[serde(default)]
    times: Option<u32>,
}

#[handler]
pub fn set(Data(world): World, Json(wanted): Json<Wanted>) -> StatusCode {
    world.set_campus_mishap(wanted.mishap, wanted.times);
    StatusCode::NO_CONTENT
}
