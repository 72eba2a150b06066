//! 退出登录, here or everywhere.
use poem::{IntoResponse, Response, Result, handler};

use crate::flow::{session, sso};
use crate::web::error::Problem;
use crate::web::form::Form;
use crate::web::guard::{SignedIn, Visit, set_cookie};
use crate::web::html::Page;
use crate::web::view::links;
use crate::web::view::message::{Message, MessagePage};

/// `POST /h5/logout`. Also says so to somebody whose session ended before. Whoever came through the portal is still
/// signed in there, and is shown the way out.
#[handler]
pub async fn here(visit: &Visit, _form: Form) -> Result<Response> {
    let Some(token) = visit.token() else { return Ok(goodbye(visit, Message::SignedOut)) };
    let session = session::of_token(&visit.app, token).await.map_err(Problem::from)?;
    session::end(&visit.app, token).await.map_err(Problem::from)?;
    let leave = match session.is_some_and(|(session, _)| session.by_portal) {
        true => sso::leave_url(&visit.app, links::LOGIN),
        false => None,
    };
    Ok(goodbye(visit, leave.map_or(Message::SignedOut, |leave| Message::SignedOutOfHere { leave })))
}

/// `POST /h5/logout-everywhere`
#[handler]
pub async fn everywhere(visit: &Visit, signed: SignedIn, _form: Form) -> Result<Response> {
    session::end_all(&visit.app, signed.payer.id).await.map_err(Problem::from)?;
    Ok(goodbye(visit, Message::SignedOutEverywhere))
}

fn goodbye(visit: &Visit, message: Message) -> Response {
    let page = Page::new(MessagePage { frame: visit.frame_signed_out(), message }).into_response();
    set_cookie(page, &visit.no_session_cookie())
}
