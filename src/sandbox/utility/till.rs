//! The provider's three addresses, and the page that shows its meters.
use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Json, Path};
use poem::{IntoResponse, Request, Response, handler};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::sandbox::html;
use crate::sandbox::spoil::cut;
use crate::sandbox::world::Sandbox;

use super::meters::{Ask, GivenState, Meters, Trouble};

type World<'a> = Data<&'a Arc<Sandbox>>;

/// Before `/deliver`, `/query` and `/balance`.
pub const PATH: &str = "/utility";

#[handler]
pub async fn serve(Data(world): World<'_>, Path(what): Path<String>, req: &Request, body: Vec<u8>) -> Response {
    let header = |name: &str| req.header(name).unwrap_or_default();
    let signed = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let (trouble, answer) = {
        let (mut meters, now) = (world.utility(), world.now());
        meters.calls += 1;
        let trouble = meters.strikes();
        let ask = serde_json::from_slice::<Ask>(&body).ok().filter(|ask| ask.no == signed.0);
        let answer = match (trouble, ask) {
            (Some(Trouble::Answer(status)), _) => Err(status),
            (Some(Trouble::Hang), _) => Err(408),
            _ if !meters.believes(signed, &body, now) => Err(401),
            (_, None) => Err(400),
            (trouble, Some(ask)) => Ok(answer(&mut meters, &what, &ask, trouble, now)),
        };
        let told = answer.map(|said| {
            let (said, sent) = (said.to_string(), now.unix().to_string());
            let id = if trouble == Some(Trouble::Unsigned) { "another" } else { signed.0 };
            let signature = meters.sign(id, &sent, said.as_bytes());
            let answer = said.with_header("webhook-id", signed.0).with_header("webhook-timestamp", sent);
            answer.with_header("webhook-signature", signature).into_response()
        });
        (trouble, told.unwrap_or_else(|status: u16| StatusCode::from_u16(status).unwrap_or_default().into()))
    };
    match trouble {
        Some(Trouble::Hang) => std::future::pending().await,
        Some(Trouble::LoseAnswer) => cut(answer, 0).await,
        _ => answer,
    }
}

fn answer(
    meters: &mut Meters,
    what: &str,
    ask: &Ask,
    trouble: Option<Trouble>,
    now: crate::domain::moment::Moment,
) -> Value {
    let given = match what {
        "deliver" => Some(meters.deliver(ask, trouble, now)),
        "query" => meters.query(&ask.no),
        _ => {
            return match meters.left().get(&(ask.service.clone(), ask.account.clone())) {
                Some(fen) => json!({ "state": "known", "balance": yuan(*fen) }),
                None => json!({ "state": "unknown_account" }),
            };
        }
    };
    match given {
        Some(GivenState::Done) => json!({ "state": "done", "no": format!("E{}", ask.no) }),
        Some(GivenState::Pending) => json!({ "state": "pending" }),
        Some(GivenState::Refused) => json!({ "state": "refused" }),
        None => json!({ "state": "absent" }),
    }
}

fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}

/// `/utility`: what is left everywhere, and what was put there.
#[handler]
pub fn show(Data(world): World) -> Response {
    let meters = world.utility();
    let mut list = String::from("<h1>能源中心 utility</h1><p>电表与校园卡 · meters and cards</p>");
    for ((service, account), fen) in meters.left() {
        let (service, account) = (html::escape(service), html::escape(account));
        list.push_str(&format!("<p>{service} {account}: ¥{}</p>", yuan(*fen)));
    }
    list.push_str("<p class=\"note\">充值 · top-ups</p>");
    for given in meters.given().iter().rev().take(50) {
        let (no, account) = (html::escape(&given.no), html::escape(&given.account));
        let (at, stands) = (given.at.beijing_text(), format!("{:?}", given.state));
        let yuan = yuan(given.fen);
        list.push_str(&format!("<p class=\"note\">{at} · {no} · {account} · ¥{yuan} · {stands} ×{}</p>", given.asked));
    }
    html::page("能源中心", &list)
}

/// `/control/utility`: everything as JSON.
#[handler]
pub fn state(Data(world): World) -> Json<Value> {
    let meters = world.utility();
    let left: Vec<Value> = meters
        .left()
        .iter()
        .map(|((service, account), fen)| json!({ "service": service, "account": account, "fen": fen }))
        .collect();
    Json(json!({ "left": left, "given": meters.given(), "trouble": meters.trouble, "calls": meters.calls }))
}

#[derive(Deserialize)]
pub struct Wanted {
    /// None: all is well
    #[serde(default)]
    trouble: Option<Trouble>,
    /// How often; none: until told otherwise
    #[serde(default)]
    times: Option<u32>,
}

#[handler]
pub fn set(Data(world): World, Json(wanted): Json<Wanted>) -> StatusCode {
    world.set_utility_trouble(wanted.trouble, wanted.times);
    StatusCode::NO_CONTENT
}
