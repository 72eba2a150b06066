//! The account's interface on `api.weixin.qq.com`: who may call it, and how it answers. Errors are HTTP 200 with an
//! errcode; nothing is signed.
use std::sync::Arc;

use poem::http::header;
use poem::web::{Data, Query};
use poem::{Body, IntoResponse, Response, handler};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::trade::Channel;
use crate::sandbox::bank::digits;
use crate::sandbox::faults::Call;
use crate::sandbox::spoil;
use crate::sandbox::world::Sandbox;

/// The longest body that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// An errcode and its words.
pub type Refused = (i32, String);

#[derive(Deserialize)]
pub struct Carried {
    #[serde(default)]
    pub access_token: String,
}

/// What the platform says, as it says it.
pub fn told(world: &Sandbox, answer: Result<Value, Refused>) -> Response {
    let told = answer.unwrap_or_else(
        |(code, words)| json!({ "errcode": code, "errmsg": format!("{words} rid: {}", digits(&world.chance, 8)) }),
    );
    told.to_string().with_header(header::CONTENT_TYPE, "application/json; encoding=utf-8").into_response()
}

/// A call with an access token: refused before `act` when the token is not good.
pub async fn under_token(
    world: &Arc<Sandbox>,
    carried: &Carried,
    act: impl FnOnce() -> Result<Value, Refused>,
) -> Response {
    if let Some(spoilt) = spoil::before(world, Channel::Wechat, Call::Account).await {
        return spoilt;
    }
    let good = world.account().tokens.believe(&carried.access_token, world.now());
    let answer = good.map_err(|(code, words)| (code, words.to_owned())).and_then(|()| act());
    spoil::after(world, Channel::Wechat, Call::Account, told(world, answer)).await
}

/// The text of a body; one that is no UTF-8 is refused.
pub async fn text(body: Body) -> Result<String, Refused> {
    let bytes = body.into_bytes_limit(LONGEST).await.map_err(|_| (47001, "data format error".to_owned()))?;
    String::from_utf8(bytes.to_vec()).map_err(|_| (40033, "invalid charset".to_owned()))
}

/// `POST /cgi-bin/stable_token`
#[handler]
pub async fn stable_token(Data(world): Data<&Arc<Sandbox>>, body: Body) -> Response {
    if let Some(spoilt) = spoil::before(world, Channel::Wechat, Call::Account).await {
        return spoilt;
    }
    let asked = text(body).await;
    let answer = asked.and_then(|text| token(world, &text));
    spoil::after(world, Channel::Wechat, Call::Account, told(world, answer)).await
}

fn token(world: &Sandbox, text: &str) -> Result<Value, Refused> {
    #[derive(Deserialize)]
    struct Asked {
        grant_type: String,
        appid: String,
        secret: String,
        #[serde(default)]
        force_refresh: bool,
    }
    let refused = |code: i32, words: &str| Err((code, words.to_owned()));
    let Ok(asked) = serde_json::from_str::<Asked>(text) else { return refused(47001, "data format error") };
    if asked.grant_type != "client_credential" {
        return refused(40002, "invalid grant_type");
    }
    if !world.options.merchants.iter().any(|merchant| merchant.app_id == asked.appid && asked.appid.starts_with("wx")) {
        return refused(40013, "invalid appid");
    }
    if asked.secret != world.options.app_secret {
        return refused(40125, "invalid appsecret");
    }
    let given = world.account().tokens.ask(asked.force_refresh, &world.chance, world.now());
    let (text, seconds) = given.map_err(|(code, words)| (code, words.to_owned()))?;
    Ok(json!({ "access_token": text, "expires_in": seconds }))
}

/// `GET /cgi-bin/ticket/getticket?type=jsapi`
#[handler]
pub async fn ticket(Data(world): Data<&Arc<Sandbox>>, Query(carried): Query<Carried>) -> Response {
    let act = || {
        let ticket = world.chance.token(86);
        world.account().tickets.push(ticket.clone());
        Ok(json!({ "errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": 7200 }))
    };
    under_token(world, &carried, act).await
}
