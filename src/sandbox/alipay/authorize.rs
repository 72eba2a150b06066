//! `/oauth2/publicAppAuthorize.htm`: sends a payer's browser back with a one-time `auth_code` (Alipay, web
//! authorisation). `auth_base` is silent for a known phone; `auth_user` asks.
use std::sync::Arc;

use poem::http::{StatusCode, Uri, header};
use poem::web::{Data, Query};
use poem::{IntoResponse, Request, Response, handler};
use serde::Deserialize;

use crate::domain::trade::Channel;
use crate::sandbox::codes::Grant;
use crate::sandbox::html::{escape, notice, page, phone_cookie, phone_of};
use crate::sandbox::world::Sandbox;

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    app_id: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    state: String,
    /// The visitor has pressed "allow"
    #[serde(default)]
    agreed: Option<String>,
}

/// The visitor is the phone named by the query or cookie `phone`; somebody without either is asked who he is.
#[handler]
pub fn authorize(req: &Request, Data(world): Data<&Arc<Sandbox>>, Query(asked): Query<Asked>) -> Response {
    let known = world.options.merchants.iter().any(|m| m.channel == Channel::Alipay && m.app_id == asked.app_id);
    let uri = asked.redirect_uri.parse::<Uri>().ok().filter(|uri| uri.scheme().is_some() && uri.host().is_some());
    match () {
        () if !known => return notice("无效的AppID参数（invalid-app-id）"),
        () if !matches!(asked.scope.as_str(), "auth_base" | "auth_user") => return notice("scope 参数错误"),
        () if uri.is_none() => return notice("redirect_uri 参数错误"),
        () => {}
    }
    let Some(phone) = phone_of(req) else {
        let who = "<p><input name=\"phone\" maxlength=\"64\" required autofocus></p><button>进入</button>";
        return form(&asked, "谁的支付宝？", who);
    };
    if asked.scope == "auth_user" && asked.agreed.is_none() {
        let own = format!("<input type=\"hidden\" name=\"phone\" value=\"{}\">", escape(&phone));
        let agree = format!("{own}<button class=\"alipay\" name=\"agreed\" value=\"1\">同意</button>");
        return form(&asked, "授权获取你的会员信息", &agree);
    }
    let code = world.chance.token(32);
    let grant = Grant { app_id: asked.app_id.clone(), phone: phone.clone(), scope: asked.scope.clone() };
    world.codes().issue(&code, grant, world.now());
    let fields = form_urlencoded::Serializer::new(String::new())
        .append_pair("app_id", &asked.app_id)
        .append_pair("source", "alipay_wallet")
        .append_pair("scope", &asked.scope)
        .append_pair("state", &asked.state)
        .append_pair("auth_code", &code)
        .finish();
    let joint = if asked.redirect_uri.contains('?') { '&' } else { '?' };
    let answer = StatusCode::FOUND.with_header(header::LOCATION, format!("{}{joint}{fields}", asked.redirect_uri));
    answer.with_header(header::SET_COOKIE, phone_cookie(&phone)).into_response()
}

fn form(asked: &Asked, title: &str, rest: &str) -> Response {
    let fields = [
        ("app_id", &asked.app_id),
        ("scope", &asked.scope),
        ("redirect_uri", &asked.redirect_uri),
        ("state", &asked.state),
    ];
    let hidden: String = fields
        .into_iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value)))
        .collect();
    page("支付宝（沙箱）", &format!("<h1>{title}</h1><form method=\"get\">{hidden}{rest}</form>"))
}
