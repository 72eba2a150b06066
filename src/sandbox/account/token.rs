//! `/sns/oauth2/access_token`: changes a one-time code for the visitor's openid. Errors are HTTP 200 with an errcode,
//! and nothing is signed (official account, web page authorisation).
use std::sync::Arc;

use poem::http::header;
use poem::web::{Data, Query};
use poem::{IntoResponse, Response, handler};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::trade::Channel;
use crate::sandbox::bank::digits;
use crate::sandbox::codes::{CodeRefusal, Grant};
use crate::sandbox::faults::{Call, Fault};
use crate::sandbox::merchants::openid;
use crate::sandbox::spoil;
use crate::sandbox::world::Sandbox;

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    appid: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    grant_type: String,
}

#[handler]
pub async fn access_token(Data(world): Data<&Arc<Sandbox>>, Query(asked): Query<Asked>) -> Response {
    if let Some(spoilt) = spoil::before(world, Channel::Wechat, Call::Account).await {
        return spoilt;
    }
    let told = exchange(world, &asked).unwrap_or_else(|(code, words)| {
        let rid = digits(&world.chance, 8);
        json!({ "errcode": code, "errmsg": format!("{words}, rid: {rid}") })
    });
    // the real host says text/plain
    let answer = told.to_string().with_header(header::CONTENT_TYPE, "text/plain").into_response();
    spoil::after(world, Channel::Wechat, Call::Account, answer).await
}

fn exchange(world: &Sandbox, asked: &Asked) -> Result<Value, (i32, &'static str)> {
    if !world.options.merchants.iter().any(|merchant| merchant.app_id == asked.appid && asked.appid.starts_with("wx")) {
        return Err((40013, "invalid appid"));
    }
    if asked.secret != world.options.app_secret {
        return Err((40125, "invalid appsecret"));
    }
    if asked.grant_type != "authorization_code" {
        return Err((40002, "invalid grant_type"));
    }
    if asked.code.is_empty() {
        return Err((41008, "missing code"));
    }
    let grant = world.codes().redeem(&asked.appid, &asked.code, world.now()).map_err(|why| match why {
        CodeRefusal::Unknown => (40029, "invalid code"),
        CodeRefusal::Used => (40163, "code been used"),
        CodeRefusal::Expired => (42003, "oauth code expired"),
    })?;
    Ok(told(world, &grant))
}

fn told(world: &Sandbox, grant: &Grant) -> Value {
    let snapshot = world.strikes(Fault::SnapshotUser, Channel::Wechat, Call::Account).is_some();
    let phone = if snapshot { format!("snapshot of {}", grant.phone) } else { grant.phone.clone() };
    let mut told = json!({
        "access_token": world.chance.token(100),
        "expires_in": 7200,
        "refresh_token": world.chance.token(100),
        "openid": openid(&grant.app_id, &phone),
        "scope": grant.scope,
    });
    if snapshot {
        told["is_snapshotuser"] = json!(1);
    }
    told
}

#[cfg(test)]
mod tests;
