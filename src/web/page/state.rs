//! How an order stands, for pages that wait: asked by a script, or told as it changes.
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use poem::web::Json;
use poem::web::sse::{Event, SSE};
use poem::{IntoResponse, Response, Result, handler};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

use super::access::Access;
use crate::app::App;
use crate::domain::ids::OrderId;
use crate::domain::order::{Order, OrderState};
use crate::flow::failure::Failure;
use crate::flow::{inquire, records, settle};
use crate::web::error::Problem;
use crate::web::guard::Visit;
use crate::web::view::links::Door;

/// How often a stream looks for itself: another process may have heard what this one has not
const LOOK: Duration = Duration::from_secs(3);
/// After this many looks the stream ends; the browser opens another
const LOOKS: u32 = 40;

/// `GET …/state`
#[handler]
pub async fn show(visit: &Visit, access: Access) -> Result<Response> {
    let door = access.door();
    let (_, told) = look(&visit.app, access.order, &door).await.map_err(Problem::from)?;
    Ok(Json(told).into_response())
}

/// The order as it stands, and `{"state", "next"}`; `next` is where to go as soon as there is somewhere to go.
async fn look(app: &Arc<App>, order: Order, door: &Door) -> Result<(Order, Value), Failure> {
    let order = inquire::on_read(app, order, inquire::WAITING).await?.order;
    let review = settle::under_review(app.db.read(), order.id).await?;
    let (state, next) = match order.state {
        OrderState::Paid { .. } => ("paid", Some(door.result())),
        OrderState::Closed { .. } => ("closed", Some(door.result())),
        OrderState::Pending { .. } if review => ("review", Some(door.result())),
        OrderState::Pending { .. } => ("pending", None),
    };
    Ok((order, json!({ "state": state, "next": next })))
}

/// `GET …/events`: the same JSON at once and whenever it changes, until there is somewhere to go.
#[handler]
pub async fn events(visit: &Visit, access: Access) -> Result<SSE> {
    let watching = Watching {
        app: Arc::clone(&visit.app),
        changed: visit.app.changed.subscribe(),
        door: access.door(),
        order: access.order,
        said: String::new(),
        looks: 0,
        done: false,
    };
    let told = stream::unfold(watching, |watching| async move { watching.next().await });
    Ok(SSE::new(told).keep_alive(Duration::from_secs(15)))
}

struct Watching {
    app: Arc<App>,
    changed: Receiver<OrderId>,
    door: Door,
    order: Order,
    /// The last thing told
    said: String,
    looks: u32,
    done: bool,
}

impl Watching {
    async fn next(mut self) -> Option<(Event, Watching)> {
        while !self.done && self.looks < LOOKS {
            if self.looks > 0 {
                self.wait().await;
            }
            self.looks += 1;
            let text = self.look().await?;
            if text != self.said {
                self.said.clone_from(&text);
                return Some((Event::message(text), self));
            }
        }
        None
    }

    /// Until this order changes in this process, or it is time to look again.
    async fn wait(&mut self) {
        let id = self.order.id;
        let changed = async {
            // a receiver that has fallen behind looks at once
            while matches!(self.changed.recv().await, Ok(other) if other != id) {}
        };
        let _ = tokio::time::timeout(LOOK, changed).await;
    }

    async fn look(&mut self) -> Option<String> {
        let now = records::reread(&self.app, &self.order).await.ok()??;
        let (order, told) = look(&self.app, now, &self.door).await.ok()?;
        self.order = order;
        self.done = !told["next"].is_null();
        Some(told.to_string())
    }
}
