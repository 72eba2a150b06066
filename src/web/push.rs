//! The official account's message server: what followers write and do, pushed by the platform. It parses no message.
use std::sync::Arc;
use std::time::Duration;

use poem::http::StatusCode;
use poem::web::{Data, Query};
use poem::{Body, IntoResponse, Response, handler};
use serde::Deserialize;

use crate::app::App;
use crate::flow::official::hear::{self, Heard, Push, PushRefusal};

/// The largest push that is read, in bytes; a text has 2,048 at most.
const LARGEST: usize = 64 * 1024;
/// The platform waits five seconds.
const PATIENCE: Duration = Duration::from_millis(4_500);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    signature: String,
    msg_signature: String,
    timestamp: String,
    nonce: String,
    echostr: String,
}

impl Asked {
    fn push<'a>(&'a self, body: &'a str) -> Push<'a> {
        Push {
            signature: &self.signature,
            msg_signature: &self.msg_signature,
            timestamp: &self.timestamp,
            nonce: &self.nonce,
            body,
        }
    }
}

/// `GET /wechat/message`: the set-up check, answered with its own word.
#[handler]
pub fn check(app: Data<&Arc<App>>, Query(asked): Query<Asked>) -> Response {
    match hear::is_platform(&app, &asked.push("")) {
        true => plain(asked.echostr),
        false => StatusCode::FORBIDDEN.into(),
    }
}

/// `POST /wechat/message`
#[handler]
pub async fn receive(app: Data<&Arc<App>>, Query(asked): Query<Asked>, body: Body) -> Response {
    let Ok(body) = body.into_bytes_limit(LARGEST).await else { return StatusCode::PAYLOAD_TOO_LARGE.into() };
    let Ok(body) = std::str::from_utf8(&body) else { return StatusCode::BAD_REQUEST.into() };
    let heard = tokio::time::timeout(PATIENCE, hear::hear(&app, &asked.push(body))).await;
    match heard.unwrap_or(Heard::Later) {
        Heard::Answer(xml) => Response::builder().content_type("application/xml; charset=utf-8").body(xml),
        Heard::Nothing => plain("success".to_owned()),
        Heard::Refused(PushRefusal::Shape) => StatusCode::BAD_REQUEST.into(),
        Heard::Refused(_) => StatusCode::FORBIDDEN.into(),
        Heard::Later => StatusCode::SERVICE_UNAVAILABLE.into(),
        Heard::Nowhere => StatusCode::NOT_FOUND.into(),
    }
}

/// Text and nothing else, whatever a browser would like to see in it.
fn plain(text: String) -> Response {
    text.with_content_type("text/plain; charset=utf-8").with_header("x-content-type-options", "nosniff").into_response()
}
