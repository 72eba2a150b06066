//! The portal's pages and its server's addresses: `/cas/login`, `/cas/p3/serviceValidate`, `/cas/logout`.
use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::web::{Data, Form, Query};
use poem::{IntoResponse, Request, Response, handler};
use serde::Deserialize;

use super::book::Trouble;
use super::voice;
use crate::sandbox::html::{cookie, escape, notice, page};
use crate::sandbox::world::Sandbox;

type World<'a> = Data<&'a Arc<Sandbox>>;

/// What stands before `/login`.
pub const BASE: &str = "/cas";
/// The cookie of a sign-in at the portal (protocol 3.0, 3.6)
const COOKIE: &str = "TGC";

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    service: String,
    #[serde(default)]
    ticket: String,
}

/// Whoever has signed in goes on at once; everybody else chooses who to be.
#[handler]
pub fn login(req: &Request, Data(world): World<'_>, Query(asked): Query<Asked>) -> Response {
    if !is_served(world, &asked.service) {
        return notice("未认证授权的服务");
    }
    let session = cookie(req, COOKIE).filter(|session| world.cas().who(session).is_some());
    match session {
        Some(session) if !asked.service.is_empty() => go_on(world, &session, &asked.service),
        Some(session) => {
            let who = world.cas().who(&session).map(escape).unwrap_or_default();
            page("统一身份认证", &format!("<h1>已登录 {who}</h1><p><a href=\"{BASE}/logout\">退出 sign out</a></p>"))
        }
        None => choose(world, &asked.service),
    }
}

fn choose(world: &Sandbox, service: &str) -> Response {
    let hidden = format!("<input type=\"hidden\" name=\"service\" value=\"{}\">", escape(service));
    let mut body =
        format!("<h1>统一身份认证</h1><p>Campus sign-in</p><form method=\"post\" action=\"{BASE}/login\">{hidden}");
    for person in &world.cas().people {
        let (number, name) = (escape(&person.number), escape(&person.name));
        body.push_str(&format!("<button name=\"user\" value=\"{number}\">{name} · {number}</button>"));
    }
    body.push_str(&format!(
        "</form><form method=\"post\" action=\"{BASE}/login\">{hidden}<p><label>学号或工号 number<br>\
         <input name=\"user\" maxlength=\"64\" required></label></p><button>登录 sign in</button></form>\
         <p class=\"note\">沙箱：不用密码，选一个人，或写任意一个学号。Sandbox: no password; be anybody.</p>"
    ));
    page("统一身份认证（沙箱）", &body)
}

#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    service: String,
    user: String,
}

#[handler]
pub fn sign_in(Data(world): World<'_>, Form(chosen): Form<Chosen>) -> Response {
    if !is_served(world, &chosen.service) || chosen.user.is_empty() || chosen.user.len() > 64 {
        return notice("未认证授权的服务");
    }
    let session = format!("TGT-{}", world.chance.token(32));
    world.cas().sign_in(&session, &chosen.user);
    let answer = match chosen.service.is_empty() {
        true => page("统一身份认证", "<h1>已登录</h1>"),
        false => go_on(world, &session, &chosen.service),
    };
    answer
        .with_header(header::SET_COOKIE, format!("{COOKIE}={session}; Path={BASE}; HttpOnly; SameSite=Lax"))
        .into_response()
}

/// Applications the portal serves: the app under demonstration; any, where none is named.
fn is_served(world: &Sandbox, service: &str) -> bool {
    let of = |app: &str| service.strip_prefix(app).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    service.is_empty() || world.app_url().is_none_or(of)
}

fn go_on(world: &Sandbox, session: &str, service: &str) -> Response {
    let ticket = format!("ST-{}-cas01", world.chance.token(24));
    if world.cas().give(session, service, &ticket, world.now()).is_none() {
        return choose(world, service);
    }
    let joint = if service.contains('?') { '&' } else { '?' };
    StatusCode::FOUND.with_header(header::LOCATION, format!("{service}{joint}ticket={ticket}")).into_response()
}

/// `/cas/p3/serviceValidate`, and `/cas/serviceValidate` as older applications ask.
#[handler]
pub async fn validate(Data(world): World<'_>, Query(asked): Query<Asked>) -> Response {
    let trouble = world.cas().trouble.clone();
    let said = match trouble {
        Some(Trouble::Down) => return StatusCode::SERVICE_UNAVAILABLE.into(),
        Some(Trouble::Hang) => std::future::pending().await,
        Some(Trouble::Say(words)) => words,
        None => answer(world, &asked),
    };
    said.with_content_type("application/xml; charset=utf-8").into_response()
}

fn answer(world: &Sandbox, asked: &Asked) -> String {
    if asked.service.is_empty() || asked.ticket.is_empty() {
        return voice::failure("INVALID_REQUEST", "'service' and 'ticket' parameters are both required");
    }
    let mut book = world.cas();
    match book.redeem(&asked.ticket, &asked.service, world.now()) {
        Ok(number) => voice::success(&number, book.name_of(&number).unwrap_or_default()),
        Err(refusal) => voice::refused(refusal, &asked.ticket),
    }
}

/// Every application that was visited is told first.
#[handler]
pub async fn logout(req: &Request, Data(world): World<'_>, Query(asked): Query<Asked>) -> Response {
    let told = match cookie(req, COOKIE) {
        Some(session) => world.cas().sign_out(&session),
        None => Vec::new(),
    };
    for (ticket, service) in told {
        let at = world.now().format("%Y-%m-%dT%H:%M:%S+08:00");
        let request = voice::log_out(&world.chance.token(16), &ticket, &at);
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("logoutRequest", &request).finish();
        let sent = world.http.post(&service).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        // an application that does not answer keeps nobody signed in here
        let _ = sent.body(body).send().await;
    }
    let answer = match !asked.service.is_empty() && is_served(world, &asked.service) {
        true => StatusCode::FOUND.with_header(header::LOCATION, asked.service).into_response(),
        false => page("统一身份认证", "<h1>已退出统一身份认证</h1><p>You have left the portal.</p>"),
    };
    answer
        .with_header(header::SET_COOKIE, format!("{COOKIE}=; Path={BASE}; Max-Age=0; HttpOnly; SameSite=Lax"))
        .into_response()
}
