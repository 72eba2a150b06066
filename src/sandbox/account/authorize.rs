//! `/connect/oauth2/authorize`: sends a WeChat visitor back with a one-time code (official account, web page
//! authorisation).
use std::sync::Arc;

use poem::http::{StatusCode, Uri, header};
use poem::web::{Data, Query};
use poem::{IntoResponse, Request, Response, handler};
use serde::Deserialize;

use crate::sandbox::codes::Grant;
use crate::sandbox::html::{escape, in_wechat, notice, page, phone_cookie, phone_of};
use crate::sandbox::world::Sandbox;

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    appid: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    response_type: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    state: String,
    /// The visitor has pressed "allow" on the consent page
    #[serde(default)]
    agreed: Option<String>,
}

/// The visitor is the phone named by the query or cookie `phone`; somebody without either is asked who he is.
#[handler]
pub fn authorize(req: &Request, Data(world): Data<&Arc<Sandbox>>, Query(asked): Query<Asked>) -> Response {
    if !in_wechat(req) {
        return notice("请在微信客户端打开链接");
    }
    if let Err(refusal) = check(world, &asked) {
        return notice(refusal);
    }
    let Some(phone) = phone_of(req) else { return ask_who(&asked) };
    if asked.scope == "snsapi_userinfo" && asked.agreed.is_none() {
        return ask_consent(&asked, &phone);
    }
    let code = world.chance.token(32);
    let grant = Grant { app_id: asked.appid, phone: phone.clone(), scope: asked.scope };
    world.codes().issue(&code, grant, world.now());
    let joint = if asked.redirect_uri.contains('?') { '&' } else { '?' };
    let location = format!("{}{joint}code={code}&state={}", asked.redirect_uri, asked.state);
    let answer = StatusCode::FOUND.with_header(header::LOCATION, location);
    answer.with_header(header::SET_COOKIE, phone_cookie(&phone)).into_response()
}

fn check(world: &Sandbox, asked: &Asked) -> Result<(), &'static str> {
    if !world.options.merchants.iter().any(|merchant| merchant.app_id == asked.appid && asked.appid.starts_with("wx")) {
        return Err("AppID 参数错误，错误码10013");
    }
    let uri = asked.redirect_uri.parse::<Uri>().ok().filter(|uri| uri.scheme().is_some());
    let host = uri.as_ref().and_then(Uri::host).ok_or("redirect_uri 参数错误，错误码10003")?;
    if world.options.oauth_domain.as_ref().is_some_and(|domain| domain != host) {
        return Err("redirect_uri域名与后台配置不一致，错误码10003");
    }
    if asked.response_type != "code" {
        return Err("response_type 参数错误");
    }
    if !matches!(asked.scope.as_str(), "snsapi_base" | "snsapi_userinfo") {
        return Err("此公众号并没有这些scope的权限，错误码10005");
    }
    if asked.state.len() > 128 || !asked.state.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("state 参数错误");
    }
    Ok(())
}

fn ask_who(asked: &Asked) -> Response {
    let form = format!(
        "<h1>谁的微信？</h1><form method=\"get\">{}<p><input name=\"phone\" maxlength=\"64\" required autofocus></p>\
         <button value=\"pay\">进入</button></form><p class=\"note\">沙箱：任意写一个名字，同名即同一人。</p>",
        hidden(asked)
    );
    page("微信（沙箱）", &form)
}

fn ask_consent(asked: &Asked, phone: &str) -> Response {
    let form = format!(
        "<h1>申请获取你的昵称、头像</h1><form method=\"get\">{}<input type=\"hidden\" name=\"phone\" value=\"{}\">\
         <button name=\"agreed\" value=\"1\">允许</button></form>",
        hidden(asked),
        escape(phone)
    );
    page("微信授权（沙箱）", &form)
}

fn hidden(asked: &Asked) -> String {
    let fields = [
        ("appid", &asked.appid),
        ("redirect_uri", &asked.redirect_uri),
        ("response_type", &asked.response_type),
        ("scope", &asked.scope),
        ("state", &asked.state),
    ];
    let input =
        |(name, value): (&str, &String)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
    fields.into_iter().map(input).collect()
}
