//! What a run has counted and what it has found wrong.
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

pub struct Notes {
    begun: Instant,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    counts: BTreeMap<String, u64>,
    wrong: Vec<String>,
    /// When something people depend on was away: from, until (none: still)
    outages: Vec<(Instant, Option<Instant>)>,
    told_paid: Vec<String>,
}

/// How long after an outage its echoes may still be heard.
const ECHO: Duration = Duration::from_secs(12);

impl Notes {
    pub fn new() -> Notes {
        Notes { begun: Instant::now(), inner: Mutex::default() }
    }

    fn hold(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn count(&self, what: impl Into<String>) {
        *self.hold().counts.entry(what.into()).or_default() += 1;
    }

    pub fn of(&self, what: &str) -> u64 {
        self.hold().counts.get(what).copied().unwrap_or_default()
    }

    /// Something that must not be. The run goes on, and fails in the end.
    pub fn wrong(&self, what: impl Into<String>) {
        let at = self.begun.elapsed().as_secs_f32();
        self.hold().wrong.push(format!("{at:.1} s: {}", what.into()));
    }

    pub fn all_wrong(&self) -> Vec<String> {
        self.hold().wrong.clone()
    }

    pub fn outage_begins(&self) {
        self.hold().outages.push((Instant::now(), None));
    }

    pub fn outage_ends(&self) {
        if let Some((_, until)) = self.hold().outages.last_mut() {
            *until = Some(Instant::now());
        }
    }

    /// Whether a request that began then may have met an outage or its echo.
    pub fn was_disturbed(&self, since: Instant) -> bool {
        self.hold().outages.iter().any(|(_, until)| until.is_none_or(|until| since < until + ECHO))
    }

    /// A page said to a payer that this order is paid.
    pub fn told_paid(&self, order_no: &str) {
        self.hold().told_paid.push(order_no.to_owned());
    }

    pub fn all_told_paid(&self) -> Vec<String> {
        self.hold().told_paid.clone()
    }

    pub fn print(&self) {
        let inner = self.hold();
        println!("after {:.0} s:", self.begun.elapsed().as_secs_f32());
        for (what, count) in &inner.counts {
            println!("{count:>8}  {what}");
        }
        for what in &inner.wrong {
            println!("  WRONG  {what}");
        }
    }
}
