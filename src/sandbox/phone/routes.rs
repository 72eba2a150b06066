//! The phone's own part of the sandbox's map.
use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::{EndpointExt, Request, Response, Route, get, handler, post};

use crate::sandbox::world::Sandbox;

use super::relay::{Relay, Tabs, astray};
use super::{page, wall};
use crate::sandbox::account::{menu, talk};

/// `/`, `/phone/…`, `/as/…`, and whatever a relayed page's script asks its own host for.
pub fn routes(world: &Arc<Sandbox>) -> BoxEndpoint<'static, Response> {
    let relay = Relay::new(world);
    Route::new()
        .at("/phone/state", get(page::state))
        .at("/phone/decode", post(page::decode))
        .at("/phone/forget", post(page::forget))
        .at("/phone/hurry", post(page::hurry))
        .at("/phone/menu", get(menu::on_the_phone))
        .at("/phone/talk", get(talk::show).post(talk::act))
        .at("/phone/wall", get(wall::list))
        .at("/phone/wall/:at", get(wall::picture))
        .at("/phone/:name", get(page::file))
        .at("/as/*rest", Tabs(Arc::clone(&relay)))
        .at("/*rest", rest)
        .data(relay)
        .map_to_response()
        .boxed()
}

/// The phone itself at `/`: beside a rest of any length, poem gives that path to the rest.
#[handler]
fn rest(req: &Request) -> Response {
    if req.original_uri().path() == "/" { page::index() } else { astray(req) }
}
