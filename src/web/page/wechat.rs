//! 微信绑定: the door of the official account's menu, and the page that binds and unbinds.
use poem::web::Json;
use poem::{IntoResponse, Response, Result, handler};
use serde_json::json;

use crate::domain::ids::BindingId;
use crate::flow::official::binding::{self, Entry, Identity};
use crate::flow::official::{note, ticket};
use crate::flow::session;
use crate::web::device::Device;
use crate::web::error::{Problem, TYPED_WRONG, see_other};
use crate::web::form::Form;
use crate::web::guard::{SignedIn, Visit, local_path, set_cookie};
use crate::web::html::Page;
use crate::web::view::links;
use crate::web::view::login;
use crate::web::view::wechat::{Bindings, BindingsDone, Entrance};

/// `GET /h5/wechat/enter?to=`: from the menu. WeChat is asked silently who it is; whoever is bound comes in signed in,
/// everybody else comes to the page as it is.
#[handler]
pub async fn enter(visit: &Visit) -> Result<Response> {
    let to = local_path(visit.query("to")).unwrap_or(links::HOME);
    if visit.device != Device::Wechat || !binding::is_offered(&visit.app) || is_signed_in(visit).await? {
        return Ok(see_other(to));
    }
    if visit.query("asked").is_empty() {
        let back = links::wechat_entered(to);
        return Ok(match binding::ask_who(&visit.app, &visit.visitor(), &back).await {
            Ok(url) => see_other(&url),
            Err(_) => see_other(to),
        });
    }
    let entry = binding::enter(&visit.app, &visit.visitor(), None).await.map_err(Problem::from)?;
    Ok(go_in(visit, entry, to, false))
}

/// `POST /h5/wechat/enter`: as which of several payers.
#[handler]
pub async fn choose(visit: &Visit, form: Form) -> Result<Response> {
    let to = local_path(form.get("to")).unwrap_or(links::HOME);
    // a value that names nothing asks again
    let chosen = form.get("payer").parse().unwrap_or(BindingId(0));
    let entry = binding::enter(&visit.app, &visit.visitor(), Some(chosen)).await.map_err(Problem::from)?;
    if let (Entry::In(_), Some(old)) = (&entry, visit.token()) {
        session::end(&visit.app, old).await.map_err(Problem::from)?;
    }
    Ok(go_in(visit, entry, to, true))
}

async fn is_signed_in(visit: &Visit) -> Result<bool> {
    let Some(token) = visit.token() else { return Ok(false) };
    Ok(session::of_token(&visit.app, token).await.map_err(Problem::from)?.is_some())
}

fn go_in(visit: &Visit, entry: Entry, to: &str, problem: bool) -> Response {
    match entry {
        Entry::In(token) => set_cookie(see_other(to), &visit.session_cookie(&token)),
        Entry::Nobody => see_other(to),
        Entry::Choose(identities) => {
            let identities = identities.into_iter().map(shown).collect();
            let view = Entrance { frame: visit.frame(None), identities, problem, to: to.to_owned() };
            let status = if problem { TYPED_WRONG } else { poem::http::StatusCode::OK };
            Page::with_status(status, view).into_response()
        }
    }
}

fn shown(one: Identity) -> login::Identity {
    let unit = [one.college, one.class_name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let number = format!("{} {}", one.masked_name, one.masked_number);
    login::Identity { value: one.id.to_string(), kind: one.kind, number, unit: unit.join(" · ") }
}

/// `GET /h5/wechat/jssdk?url=`: what `wx.config` wants, for one of our own pages.
#[handler]
pub async fn jssdk(visit: &Visit) -> Result<Response> {
    match ticket::sign(&visit.app, visit.query("url")).await {
        Ok(Some(config)) => Ok(Json(json!({
            "appId": config.app_id,
            "timestamp": config.timestamp,
            "nonceStr": config.nonce,
            "signature": config.signature,
        }))
        .into_response()),
        Ok(None) => Err(Problem::NotFound.into()),
        Err(error) => Err(Problem::Unavailable(error.to_string()).into()),
    }
}

/// `GET /h5/me/wechat`
#[handler]
pub async fn show(visit: &Visit, signed: SignedIn) -> Result<Response> {
    if !binding::is_offered(&visit.app) {
        return Err(Problem::NotFound.into());
    }
    let here = visit.device == Device::Wechat;
    let visitor = visit.visitor();
    if here && visit.query("asked").is_empty() && !binding::is_known(&visit.app, &visitor).await {
        let back = links::wechat_known();
        if let Ok(url) = binding::ask_who(&visit.app, &visitor, &back).await {
            return Ok(see_other(&url));
        }
    }
    let bound = binding::list(&visit.app, &signed.session, &visitor).await.map_err(Problem::from)?;
    let view = Bindings {
        frame: visit.frame(Some(&signed.payer)),
        here,
        known: here && binding::is_known(&visit.app, &visitor).await,
        limited: signed.is_limited(),
        told: !signed.is_limited() && note::is_offered(&visit.app),
        bound,
        done: BindingsDone::parse(visit.query("done")),
    };
    Ok(Page::new(view).into_response())
}

/// `POST /h5/me/wechat`: binds this WeChat; asked twice it is bound once.
#[handler]
pub async fn bind(visit: &Visit, signed: SignedIn, _form: Form) -> Result<Response> {
    if visit.device != Device::Wechat || !binding::is_offered(&visit.app) {
        return Ok(see_other(links::WECHAT));
    }
    let done = binding::bind(&visit.app, &signed.session, &visit.visitor()).await.map_err(Problem::from)?;
    let done = if done { BindingsDone::Bound } else { BindingsDone::Unknown };
    Ok(see_other(&links::wechat_done(done.code())))
}

/// `POST /h5/me/wechat/unbind`
#[handler]
pub async fn unbind(visit: &Visit, signed: SignedIn, form: Form) -> Result<Response> {
    let id = form.get("binding").parse().map_err(|_| Problem::NotFound)?;
    binding::unbind(&visit.app, &signed.session, &visit.visitor(), id).await.map_err(Problem::from)?;
    Ok(see_other(&links::wechat_done(BindingsDone::Unbound.code())))
}
