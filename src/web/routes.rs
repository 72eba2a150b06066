//! The whole map on one screen.
use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::{EndpointExt, Response, Route, post};

use super::notify;
use crate::app::App;

pub fn routes(app: Arc<App>) -> BoxEndpoint<'static, Response> {
    Route::new().at("/notify/:channel/:payee", post(notify::notify)).data(app).map_to_response().boxed()
}
