//! The channels' door: raw bytes in, the channel's exact words out. It parses nothing.
use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};

use crate::app::App;
use crate::domain::trade::Channel;
use crate::flow::settle::{self, RawNotice};

/// The largest notice that is read, in bytes (WeChat Pay v3: the ciphertext alone is at most 1 MiB).
const LARGEST: usize = 1536 * 1024;

/// `POST /notify/{channel}/{payee}`
#[handler]
pub async fn notify(
    req: &Request,
    Path((channel, payee)): Path<(String, String)>,
    body: Body,
    app: Data<&Arc<App>>,
) -> Response {
    let Some(channel) = Channel::parse(&channel) else { return StatusCode::NOT_FOUND.into() };
    let Ok(body) = body.into_bytes_limit(LARGEST).await else { return StatusCode::PAYLOAD_TOO_LARGE.into() };
    let raw = RawNotice { headers: req.headers().clone(), body: body.into(), received_at: app.clock.now() };
    match settle::hear(&app, channel, &payee, &raw).await {
        Some(ack) => Response::builder()
            .status(StatusCode::from_u16(ack.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
            .content_type(ack.content_type)
            .body(ack.body),
        None => StatusCode::NOT_FOUND.into(),
    }
}
