//! The conversation on the phone page: `/phone/talk`.
use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Json, Query};
use poem::{IntoResponse, Response, handler};
use serde::Deserialize;
use serde_json::{Value, json};

use super::notices;
use super::push::Doing;
use super::state::PushMode;
use crate::sandbox::world::Sandbox;

type World<'a> = Data<&'a Arc<Sandbox>>;

#[derive(Deserialize)]
struct Whose {
    phone: String,
}

fn state(world: &Sandbox, phone: &str) -> Json<Value> {
    let account = world.account();
    Json(json!({ "follows": account.followers.follows(phone), "lines": account.followers.lines(phone) }))
}

/// Whether the phone follows the account, and every line of the conversation.
#[handler]
pub fn show(Data(world): World, Query(whose): Query<Whose>) -> Json<Value> {
    state(world, &whose.phone)
}

/// What a person does: `follow`, `unfollow`, `say`, `tap` or `scan`, `text` being the words, the key or the scene; or
/// `agree`, to one of each subscription notice.
#[derive(Deserialize)]
struct Act {
    phone: String,
    act: String,
    #[serde(default)]
    text: String,
}

#[handler]
pub async fn act(Data(world): World<'_>, Json(asked): Json<Act>) -> Response {
    let text = asked.text;
    let doing = match asked.act.as_str() {
        "follow" => Doing::Follow(Some(text).filter(|scene| !scene.is_empty())),
        "unfollow" => Doing::Unfollow,
        "say" => Doing::Say(text),
        "tap" => Doing::Tap(text),
        "scan" => Doing::Scan(text),
        "agree" => {
            for known in notices::TEMPLATES.iter().filter(|known| known.subscription) {
                world.account().followers.agree(&asked.phone, known.id);
            }
            return state(world, &asked.phone).into_response();
        }
        _ => return StatusCode::BAD_REQUEST.into(),
    };
    world.converse(&asked.phone, doing).await;
    state(world, &asked.phone).into_response()
}

#[derive(Deserialize)]
pub struct Mode {
    mode: PushMode,
}

/// `/control/push`: how messages are sealed from now on.
#[handler]
pub fn set_mode(Data(world): World, Json(wanted): Json<Mode>) -> StatusCode {
    world.account().mode = wanted.mode;
    StatusCode::NO_CONTENT
}
