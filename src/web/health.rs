//! What machines ask: `/healthz`, is the process alive; `/readyz`, may it be sent people.
use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Json};
use poem::{IntoResponse, Response, handler};
use serde_json::json;

use crate::app::App;

#[handler]
pub async fn healthz() -> &'static str {
    "ok"
}

/// Without its database the process can do nothing; without Redis it is slower and ready all the same.
#[handler]
pub async fn readyz(app: Data<&Arc<App>>) -> Response {
    let cache = format!("{:?}", app.cache.state()).to_lowercase();
    let (status, database) = match app.db.ping().await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "away")
        }
    };
    Json(json!({ "database": database, "cache": cache })).with_status(status).into_response()
}
