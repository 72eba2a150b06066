//! What the operator's own machines ask, on a port no proxy leads to: `/metrics`, `/healthz`, `/readyz`.
use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::web::Data;
use poem::{EndpointExt, Response, Route, get, handler};

use super::health;
use crate::app::App;
use crate::flow::scrape;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub fn routes(app: Arc<App>) -> BoxEndpoint<'static, Response> {
    Route::new()
        .at("/metrics", get(metrics))
        .at("/healthz", get(health::healthz))
        .at("/readyz", get(health::readyz))
        .data(app)
        .map_to_response()
        .boxed()
}

#[handler]
async fn metrics(app: Data<&Arc<App>>) -> Response {
    Response::builder().content_type(OPENMETRICS).body(scrape::scrape(&app).await)
}
