//! 统一身份认证: to the university's portal and back, and what the portal says when somebody leaves it.
use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::Data;
use poem::{Body, Response, Result, handler};

use crate::app::App;
use crate::flow::session;
use crate::flow::sso::{self, Arrived, Trouble};
use crate::web::error::{Problem, see_other};
use crate::web::guard::{Visit, local_path, set_cookie};
use crate::web::view::links;
use crate::web::view::message::Message;

/// The largest request to sign out that is read, in bytes
const LARGEST: usize = 64 * 1024;

/// `GET /h5/sso?next=`: the button of the sign-in page, and the address for the portal's own pages. Whoever is signed
/// in here goes to the portal as well: it may be somebody else who presses.
#[handler]
pub async fn begin(visit: &Visit) -> Result<Response> {
    let visitor = visit.visitor();
    if let Some(until) = sso::closed(&visit.app, visit.caller(&visitor, None)).await {
        let wait_seconds = until.since(visit.app.clock.now()).as_secs();
        return Err(Problem::TooMany { wait_seconds }.into());
    }
    let next = local_path(visit.query("next")).unwrap_or_default();
    Ok(see_other(&sso::begin(&visit.app, &visitor, next).await.map_err(Problem::from)?))
}

/// `GET /cas/callback?state=&ticket=`: back from the portal. However it ends, it goes on to an address without ticket.
#[handler]
pub async fn arrive(visit: &Visit) -> Result<Response> {
    let (app, visitor) = (&visit.app, visit.visitor());
    let caller = visit.caller(&visitor, None);
    let arrived = sso::arrive(app, caller, visit.query("state"), visit.query("ticket")).await;
    Ok(match arrived.map_err(Problem::from)? {
        Arrived::In { token, next } => {
            if let Some(old) = visit.token()
                && let Err(failure) = session::end(app, old).await
            {
                tracing::error!(%failure, "the session before was not ended");
            }
            let to = local_path(&next).unwrap_or(links::HOME);
            set_cookie(see_other(to), &visit.session_cookie(&token))
        }
        Arrived::Not { trouble: why, next } => see_other(&match why {
            Trouble::Over => links::sso_trouble("over", &next),
            Trouble::Unknown => links::sso_trouble("unknown", &next),
            Trouble::Away => links::sso_trouble("away", &next),
            // says how long
            Trouble::Wait => links::sso(&next),
        }),
    })
}

/// `GET /h5/sso/trouble?why=&next=`: nobody was signed in.
#[handler]
pub async fn show_trouble(visit: &Visit) -> Result<Response> {
    let leave = sso::leave_url(&visit.app, links::LOGIN).ok_or(Problem::NotFound)?;
    let back = local_path(visit.query("next")).unwrap_or_default().to_owned();
    Err(Problem::Ended(match visit.query("why") {
        "unknown" => Message::PortalUnknown { leave },
        "away" => Message::PortalAway { back },
        _ => Message::PortalOver { back },
    })
    .into())
}

/// `POST /cas/callback`: the portal's server says that somebody has signed out there (back-channel single log-out).
#[handler]
pub async fn signed_out(body: Body, app: Data<&Arc<App>>) -> Response {
    let Ok(body) = body.into_bytes_limit(LARGEST).await else { return StatusCode::PAYLOAD_TOO_LARGE.into() };
    let request = form_urlencoded::parse(&body).find(|(name, _)| name == "logoutRequest");
    let Some((_, request)) = request else { return StatusCode::BAD_REQUEST.into() };
    match sso::signed_out(&app, &request).await.map_err(Problem::from) {
        Ok(true) => StatusCode::OK.into(),
        Ok(false) => StatusCode::BAD_REQUEST.into(),
        Err(Problem::NotFound) => StatusCode::NOT_FOUND.into(),
        Err(problem) => {
            tracing::error!(%problem, "the portal was not heard");
            StatusCode::SERVICE_UNAVAILABLE.into()
        }
    }
}
