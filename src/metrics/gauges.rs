//! How things stand, set when somebody asks: the scrape reads them from the database, the pool and the cache. What
//! could not be read has no series, or is no number, so that an old figure is never taken for a new one.
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::labels::{Certificate, Named, One, Two};

/// A gauge with a fraction, or that may be no number
pub type Seconds = Gauge<f64, AtomicU64>;

#[derive(Debug, Default)]
pub struct Gauges {
    /// 1 while the database answers the scrape
    pub database_up: Gauge,
    pub inquiries_due: Family<One, Gauge>,
    pub inquiry_overdue: Family<One, Seconds>,
    pub refunds_open: Family<One, Gauge>,
    pub refund_waiting: Family<One, Seconds>,
    pub orders_overdue: Seconds,
    pub order_overdue: Seconds,
    pub events_waiting: Seconds,
    pub event_waiting: Seconds,
    pub ereceipts_open: Family<One, Gauge>,
    pub ereceipt_waiting: Family<One, Seconds>,
    pub top_ups_open: Family<Named, Gauge>,
    pub top_up_waiting: Family<Named, Seconds>,
    pub office_items: Family<One, Gauge>,
    pub office_waiting: Seconds,
    pub cache_state: Family<One, Gauge>,
    pub redis_falls: Counter,
    pub connections: Family<Two, Gauge>,
    pub connections_allowed: Family<One, Gauge>,
    pub certificates: Family<Certificate, Gauge>,
}

impl Gauges {
    /// Forgets what was read from the database.
    pub fn forget(&self) {
        self.inquiries_due.clear();
        self.inquiry_overdue.clear();
        self.refunds_open.clear();
        self.refund_waiting.clear();
        self.orders_overdue.set(f64::NAN);
        self.order_overdue.set(f64::NAN);
        self.events_waiting.set(f64::NAN);
        self.event_waiting.set(f64::NAN);
        self.ereceipts_open.clear();
        self.ereceipt_waiting.clear();
        self.top_ups_open.clear();
        self.top_up_waiting.clear();
        self.office_items.clear();
        self.office_waiting.set(f64::NAN);
    }

    pub fn register(&self, r: &mut Registry) {
        r.register("database_up", "Whether the database answered this scrape", self.database_up.clone());
        r.register("inquiries_due", "Attempts to be asked about by now", self.inquiries_due.clone());
        let help = "How long the inquiry that is due longest has been due";
        r.register("inquiry_oldest_overdue_seconds", help, self.inquiry_overdue.clone());
        r.register("refunds_open", "Refunds that are not at their end", self.refunds_open.clone());
        r.register("refund_oldest_waiting_seconds", "Age of the oldest of them", self.refund_waiting.clone());
        let help = "Pending orders whose time is over and that the office does not look at";
        r.register("orders_past_their_time", help, self.orders_overdue.clone());
        let help = "For how long the longest of them has been over";
        r.register("order_longest_past_its_time_seconds", help, self.order_overdue.clone());
        r.register("events_waiting", "Events a campus system has still to take", self.events_waiting.clone());
        r.register("event_oldest_waiting_seconds", "Age of the oldest of them", self.event_waiting.clone());
        let help = "Fiscal e-receipts that are not at their end";
        r.register("ereceipts_open", help, self.ereceipts_open.clone());
        r.register("ereceipt_oldest_waiting_seconds", "Age of the oldest of them", self.ereceipt_waiting.clone());
        r.register("top_ups_open", "Paid top-ups their provider has still to take", self.top_ups_open.clone());
        r.register("top_up_oldest_waiting_seconds", "Since the oldest of them was paid", self.top_up_waiting.clone());
        r.register("office_items_open", "What waits for a person of the office", self.office_items.clone());
        r.register("office_item_oldest_seconds", "Age of the oldest of them", self.office_waiting.clone());
        r.register("cache_state", "1 for where the cache answers from", self.cache_state.clone());
        r.register("redis_falls", "How often Redis went away", self.redis_falls.clone());
        r.register("database_connections", "Connections of each pool", self.connections.clone());
        let help = "How many connections a pool may have";
        r.register("database_connections_allowed", help, self.connections_allowed.clone());
        let help = "When a certificate of the configuration ends";
        r.register("certificate_expires_timestamp_seconds", help, self.certificates.clone());
    }
}
