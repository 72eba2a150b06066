//! The stylesheets and scripts at their addresses, for pages that name them. An address never changes its text.
use std::sync::LazyLock;

use poem::http::StatusCode;
use poem::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, HeaderMap, VARY, X_CONTENT_TYPE_OPTIONS};
use poem::web::Path;
use poem::{Response, handler};

use crate::web::assets::{self, Asset};
use crate::web::press;

/// `GET /asset/{name}`
#[handler]
pub fn send(Path(name): Path<String>, headers: &HeaderMap) -> Response {
    let Some((asset, pressed)) = pressed().iter().find(|(asset, _)| asset.name == name) else {
        return StatusCode::NOT_FOUND.into();
    };
    let answer = Response::builder()
        .content_type(format!("{}; charset=utf-8", asset.content_type))
        .header(CACHE_CONTROL, "public, max-age=31536000, immutable")
        .header(VARY, ACCEPT_ENCODING)
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff");
    match press::is_taken(headers) {
        true => answer.header(CONTENT_ENCODING, "br").body(pressed.as_slice()),
        false => answer.body(asset.text()),
    }
}

/// Each text with its brotli stream, made once.
fn pressed() -> &'static [(&'static Asset, Vec<u8>)] {
    static PRESSED: LazyLock<Vec<(&'static Asset, Vec<u8>)>> =
        LazyLock::new(|| assets::assets().iter().map(|asset| (asset, press::brotli_once(asset.text()))).collect());
    &PRESSED
}
