//! The wall of the little world: posters that hang there, for the phones to scan.
use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Json, Path};
use poem::{Response, handler};
use serde_json::{Value, json};

use super::relay::Relay;

/// What hangs there, in order.
#[handler]
pub fn list(Data(relay): Data<&Arc<Relay>>) -> Json<Value> {
    let titles: Vec<Value> = relay.world.wall().iter().map(|poster| json!({ "title": poster.title })).collect();
    Json(json!(titles))
}

/// One of them as a PNG.
#[handler]
pub fn picture(Data(relay): Data<&Arc<Relay>>, Path(at): Path<usize>) -> Response {
    match relay.world.wall().get(at) {
        Some(poster) => Response::builder().content_type("image/png").body(poster.png.clone()),
        None => StatusCode::NOT_FOUND.into(),
    }
}
