//! What the operator does with events: looks at them, and lets one go out again.
use crate::app::App;
use crate::domain::event::Event;
use crate::domain::refusal::Refusal;
use crate::flow::failure::{Failure, Result};
use crate::store::events::{self, Delivery, Try};

/// How many events a list shows
pub const SHOWN: u64 = 100;

/// An event, where it stands with each endpoint, and every try.
pub struct Told {
    pub event: Event,
    pub deliveries: Vec<Delivery>,
    pub tries: Vec<Try>,
}

/// The latest events, newest first; only those that were given up somewhere, if `failed`.
pub async fn list(app: &App, failed: bool) -> Result<Vec<(Event, Vec<Delivery>)>> {
    let mut list = Vec::new();
    for event in events::find_latest(app.db.read(), failed, SHOWN).await? {
        let deliveries = events::deliveries(app.db.read(), event.id).await?;
        list.push((event, deliveries));
    }
    Ok(list)
}

/// # Errors
/// `NotFound`: no event has this number.
pub async fn show(app: &App, event_no: &str) -> Result<Told> {
    let event = find(app, event_no).await?;
    let deliveries = events::deliveries(app.db.read(), event.id).await?;
    let tries = events::tries(app.db.read(), event.id).await?;
    Ok(Told { event, deliveries, tries })
}

/// Lets an event go out again under its own number: to one endpoint of the configuration, also one it never went to,
/// or to all it went to. Gives their names.
///
/// # Errors
/// `NotFound`: no such event, or no such endpoint in the configuration.
pub async fn resend(app: &App, event_no: &str, endpoint: Option<&str>) -> Result<Vec<String>> {
    let event = find(app, event_no).await?;
    let known = |name: &str| app.config.webhook.iter().any(|endpoint| endpoint.name == name);
    let tx = app.db.begin().await?;
    let names: Vec<String> = match endpoint {
        Some(name) => vec![name.to_owned()],
        None => events::deliveries(&tx, event.id).await?.into_iter().map(|delivery| delivery.endpoint).collect(),
    };
    let names: Vec<String> = names.into_iter().filter(|name| known(name)).collect();
    if names.is_empty() {
        return Err(Refusal::NotFound.into());
    }
    for name in &names {
        events::send_to(&tx, event.id, name, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(names)
}

async fn find(app: &App, event_no: &str) -> Result<Event> {
    events::find_by_no(app.db.read(), event_no).await?.ok_or(Failure::Refused(Refusal::NotFound))
}
