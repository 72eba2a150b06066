//! What the network and a gateway's own machines do to an answer, the same for every channel: down, hanging, lost, cut
//! short, replaced by an HTML page. What concerns signatures stands with the channel.
use std::io;
use std::time::Duration;

use futures_util::stream;
use poem::http::{StatusCode, header};
use poem::{Body, Response};

use crate::domain::trade::Channel;

use super::faults::{Call, Fault};
use super::world::Sandbox;

/// Before the call has any effect: an answer instead of it, or none for ever.
pub async fn before(world: &Sandbox, channel: Channel, call: Call) -> Option<Response> {
    let strikes = |fault| world.strikes(fault, channel, call).is_some();
    if strikes(Fault::Down) {
        return Some(StatusCode::SERVICE_UNAVAILABLE.into());
    }
    if strikes(Fault::Hang) {
        std::future::pending::<()>().await;
    }
    let pages = [
        (Fault::Answer400, StatusCode::BAD_REQUEST),
        (Fault::Answer404, StatusCode::NOT_FOUND),
        (Fault::Answer429, StatusCode::TOO_MANY_REQUESTS),
        (Fault::Answer500, StatusCode::INTERNAL_SERVER_ERROR),
    ];
    pages.into_iter().find(|(fault, _)| strikes(*fault)).map(|(_, status)| page(status))
}

/// After the effect: the answer as it reaches the caller, if it does.
pub async fn after(world: &Sandbox, channel: Channel, call: Call, answer: Response) -> Response {
    let strikes = |fault| world.strikes(fault, channel, call).is_some();
    if strikes(Fault::HangAfterEffect) {
        std::future::pending::<()>().await;
    }
    if strikes(Fault::Answer502) {
        return page(StatusCode::BAD_GATEWAY);
    }
    if strikes(Fault::LoseAnswer) {
        return cut(answer, 0).await;
    }
    if strikes(Fault::TruncateAnswer) {
        return cut(answer, 2).await;
    }
    answer
}

fn page(status: StatusCode) -> Response {
    let html =
        format!("<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>");
    Response::builder().status(status).content_type("text/html").body(html)
}

/// Promises the whole body and closes the connection after 1/`part` of it; `part` 0: before the first byte of the
/// answer.
pub(super) async fn cut(answer: Response, part: usize) -> Response {
    let (head, body) = answer.into_parts();
    let bytes = body.into_vec().await.unwrap_or_default();
    let len = bytes.len().max(2);
    let kept = bytes[..bytes.len().checked_div(part).unwrap_or(0)].to_vec();
    let broken = || Err::<Vec<u8>, _>(io::Error::from(io::ErrorKind::ConnectionReset));
    let pieces = stream::unfold(0, move |step| {
        let kept = kept.clone();
        async move {
            match step {
                0 if !kept.is_empty() => Some((Ok(kept), 1)),
                // time for the first part to leave
                1 => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Some((broken(), 2))
                }
                0 => Some((broken(), 2)),
                _ => None,
            }
        }
    });
    let mut answer = Response::from_parts(head, Body::from_bytes_stream(pieces));
    if answer.status() == StatusCode::NO_CONTENT {
        answer.set_status(StatusCode::OK);
    }
    answer.headers_mut().insert(header::CONTENT_LENGTH, len.into());
    answer
}
