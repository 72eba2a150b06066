//! What the operator's machine is told when it asks: the counters of this process, and how things stand in the
//! database, read at most every [`FRESH`] however often and by how many it is asked.
use std::time::Duration;

use crate::app::App;
use crate::cache::keep::CacheState;
use crate::config::Living;
use crate::domain::ereceipt::EReceiptWord;
use crate::domain::moment::Moment;
use crate::domain::refund::RefundState;
use crate::domain::trade::Channel;
use crate::metrics::gauges::Gauges;
use crate::metrics::labels::{OFFICE_KINDS, OTHER, known};
use crate::store::backlog::{self, Backlog, Waiting};

/// How long what was read from the database is given again
const FRESH: Duration = Duration::from_secs(3);
/// How long a scrape waits for the database
const PATIENCE: Duration = Duration::from_secs(2);

/// OpenMetrics 1.0 text. It always answers: what the database does not tell in two seconds is left out.
pub async fn scrape(app: &App) -> String {
    let gauges = app.metrics.gauges();
    let now = app.clock.now();
    let mut scraped = app.scraped.lock().await;
    let fresh = scraped.is_some_and(|at| now >= at && now.since(at) < FRESH);
    if !fresh {
        *scraped = Some(now);
        match tokio::time::timeout(PATIENCE, backlog::read(app.db.read(), now)).await {
            Ok(Ok(backlog)) => show(gauges, &backlog, &app.config.living, now),
            Ok(Err(error)) => away(gauges, &error),
            Err(_) => away(gauges, &"no answer in time"),
        }
    }
    drop(scraped);
    process(app, gauges);
    app.metrics.text()
}

fn away(gauges: &Gauges, error: &dyn std::fmt::Display) {
    tracing::error!(%error, "the database does not tell how things stand");
    gauges.database_up.set(0);
    gauges.forget();
}

fn show(gauges: &Gauges, backlog: &Backlog, services: &[Living], now: Moment) {
    let age = |waiting: Option<&Waiting>| waiting.and_then(|w| w.since).map_or(0.0, |at| now.since(at).as_secs_f64());
    let many = |waiting: Option<&Waiting>| waiting.map_or(0, |waiting| waiting.many);
    let find = |all: &'_ [Waiting], code: &str| all.iter().find(|waiting| waiting.what == code).cloned();
    gauges.database_up.set(1);
    for channel in Channel::ALL.iter().map(|channel| channel.code()) {
        let due = find(&backlog.inquiries, channel);
        gauges.inquiries_due.get_or_create(&[("channel", channel)]).set(many(due.as_ref()));
        gauges.inquiry_overdue.get_or_create(&[("channel", channel)]).set(age(due.as_ref()));
    }
    // done and closed are ends
    for state in [RefundState::Wanted, RefundState::Processing, RefundState::Abnormal].map(RefundState::code) {
        let open = find(&backlog.refunds, state);
        gauges.refunds_open.get_or_create(&[("state", state)]).set(many(open.as_ref()));
        gauges.refund_waiting.get_or_create(&[("state", state)]).set(age(open.as_ref()));
    }
    for state in [EReceiptWord::Wanted, EReceiptWord::Failed, EReceiptWord::Reversing].map(EReceiptWord::code) {
        let open = find(&backlog.ereceipts, state);
        gauges.ereceipts_open.get_or_create(&[("state", state)]).set(many(open.as_ref()));
        gauges.ereceipt_waiting.get_or_create(&[("state", state)]).set(age(open.as_ref()));
    }
    for service in services.iter().map(|service| &service.id) {
        let waiting = find(&backlog.top_ups, service);
        gauges.top_ups_open.get_or_create(&[("service", service.clone())]).set(many(waiting.as_ref()));
        gauges.top_up_waiting.get_or_create(&[("service", service.clone())]).set(age(waiting.as_ref()));
    }
    gauges.orders_overdue.set(f64::from(u32::try_from(backlog.orders.many).unwrap_or(u32::MAX)));
    gauges.order_overdue.set(age(Some(&backlog.orders)));
    gauges.events_waiting.set(f64::from(u32::try_from(backlog.events.many).unwrap_or(u32::MAX)));
    gauges.event_waiting.set(age(Some(&backlog.events)));
    for kind in OFFICE_KINDS.into_iter().chain([OTHER]) {
        let of_kind = backlog.office.iter().filter(|item| known(&item.what, &OFFICE_KINDS) == kind);
        gauges.office_items.get_or_create(&[("kind", kind)]).set(of_kind.map(|item| item.many).sum());
    }
    let oldest = backlog.office.iter().min_by_key(|item| item.since);
    gauges.office_waiting.set(age(oldest));
}

/// What this process knows without asking anybody.
fn process(app: &App, gauges: &Gauges) {
    let state = match app.cache.state() {
        CacheState::InProcess => "inprocess",
        CacheState::Redis => "redis",
        CacheState::Degraded => "degraded",
    };
    for one in ["inprocess", "redis", "degraded"] {
        gauges.cache_state.get_or_create(&[("state", one)]).set(i64::from(one == state));
    }
    gauges.redis_falls.inner().fetch_max(app.cache.falls(), std::sync::atomic::Ordering::Relaxed);
    for (pool, open, idle, allowed) in app.db.pools() {
        let (open, idle) = (i64::from(open), i64::try_from(idle).unwrap_or(i64::MAX));
        let pool = ("pool", pool);
        gauges.connections.get_or_create(&[pool, ("state", "idle")]).set(idle);
        gauges.connections.get_or_create(&[pool, ("state", "in_use")]).set((open - idle).max(0));
        gauges.connections_allowed.get_or_create(&[pool]).set(i64::from(allowed));
    }
}
