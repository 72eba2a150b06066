//! The in-process twin of Redis: the same answers for one process, bounded, and forgotten when the process ends.
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::throttle::Throttle;
use crate::clock::Clock;
use crate::domain::moment::Moment;

/// Entries a shelf holds before it lets go of the one that would fade first.
const ROOM: usize = 100_000;

/// Values and counters stand on two shelves, so that a flood of one cannot push out the other.
pub struct Twin {
    clock: Clock,
    values: Mutex<Shelf<String>>,
    counters: Mutex<Shelf<u32>>,
}

impl Twin {
    pub fn new(clock: Clock) -> Self {
        Self::with_room(clock, ROOM)
    }

    fn with_room(clock: Clock, room: usize) -> Self {
        Self { clock, values: Mutex::new(Shelf::new(room)), counters: Mutex::new(Shelf::new(room)) }
    }

    pub fn get(&self, key: &str) -> Option<String> {
        let now = self.clock.now();
        lock(&self.values).get(key, now).map(|entry| entry.value.clone())
    }

    pub fn put(&self, key: &str, value: &str, ttl: Duration) {
        let now = self.clock.now();
        lock(&self.values).put(key, value.to_owned(), now + ttl, now);
    }

    pub fn take(&self, key: &str) -> Option<String> {
        let now = self.clock.now();
        lock(&self.values).remove(key).filter(|entry| entry.fades > now).map(|entry| entry.value)
    }

    pub fn once(&self, key: &str, ttl: Duration) -> bool {
        let now = self.clock.now();
        let mut values = lock(&self.values);
        let first = values.get(key, now).is_none();
        if first {
            values.put(key, "1".to_owned(), now + ttl, now);
        }
        first
    }

    /// Counts a try if `count`, otherwise only looks.
    pub fn throttle(&self, key: &str, limit: u32, window: Duration, count: bool) -> Throttle {
        let now = self.clock.now();
        let mut counters = lock(&self.counters);
        let (tried, closes) = counters.get(key, now).map_or((0, now + window), |entry| (entry.value, entry.fades));
        if tried >= limit {
            return Throttle::Wait(closes.since(now));
        }
        if !count {
            return Throttle::Allowed { left: limit - tried };
        }
        counters.put(key, tried + 1, closes, now);
        Throttle::Allowed { left: limit - tried - 1 }
    }

    /// Takes back one try that was counted; the window stays as it is.
    pub fn give_back(&self, key: &str) {
        let now = self.clock.now();
        let mut counters = lock(&self.counters);
        if let Some((tried, closes)) = counters.get(key, now).map(|entry| (entry.value, entry.fades)) {
            counters.put(key, tried.saturating_sub(1), closes, now);
        }
    }

    pub fn clear(&self, key: &str) {
        lock(&self.counters).remove(key);
    }

    /// Forgets every value. Counters stay: forgetting them would hand out fresh tries.
    pub fn forget_values(&self) {
        lock(&self.values).empty();
    }
}

fn lock<T>(shelf: &Mutex<T>) -> MutexGuard<'_, T> {
    shelf.lock().expect("no holder of a shelf panics")
}

struct Entry<V> {
    value: V,
    fades: Moment,
}

/// A map whose entries fade, with the order in which they do.
struct Shelf<V> {
    room: usize,
    entries: HashMap<Arc<str>, Entry<V>>,
    order: BTreeSet<(Moment, Arc<str>)>,
}

impl<V> Shelf<V> {
    fn new(room: usize) -> Self {
        Self { room, entries: HashMap::new(), order: BTreeSet::new() }
    }

    fn get(&self, key: &str, now: Moment) -> Option<&Entry<V>> {
        self.entries.get(key).filter(|entry| entry.fades > now)
    }

    fn put(&mut self, key: &str, value: V, fades: Moment, now: Moment) {
        self.remove(key);
        while let Some((at, _)) = self.order.first()
            && (*at <= now || self.entries.len() >= self.room)
        {
            if let Some((_, faded)) = self.order.pop_first() {
                self.entries.remove(&faded);
            }
        }
        let key: Arc<str> = key.into();
        self.order.insert((fades, key.clone()));
        self.entries.insert(key, Entry { value, fades });
    }

    fn remove(&mut self, key: &str) -> Option<Entry<V>> {
        let (key, entry) = self.entries.remove_entry(key)?;
        self.order.remove(&(entry.fades, key));
        Some(entry)
    }

    fn empty(&mut self) {
        self.entries.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_full_shelf_lets_go_of_what_would_fade_first() {
        let twin = Twin::with_room(Clock::manual(Moment::from_unix(0)), 3);
        for (key, minutes) in [("late", 9), ("soon", 1), ("middle", 5), ("new", 7)] {
            twin.put(key, key, MINUTE * minutes);
        }
        assert_eq!(twin.get("soon"), None);
        assert_eq!(
            ["late", "middle", "new"].map(|key| twin.get(key)),
            ["late", "middle", "new"].map(|k| Some(k.into()))
        );
    }

    #[test]
    fn what_has_faded_leaves_before_anything_living() {
        let clock = Clock::manual(Moment::from_unix(0));
        let twin = Twin::with_room(clock.clone(), 2);
        twin.put("short", "a", MINUTE);
        twin.put("long", "b", MINUTE * 10);
        clock.advance(MINUTE * 2);
        twin.put("new", "c", MINUTE);
        assert_eq!(twin.get("long").as_deref(), Some("b"));
        assert_eq!(twin.values.lock().unwrap().entries.len(), 2);
    }

    #[test]
    fn writing_a_key_again_keeps_one_entry_and_the_newer_time() {
        let clock = Clock::manual(Moment::from_unix(0));
        let twin = Twin::with_room(clock.clone(), 2);
        twin.put("key", "old", MINUTE);
        twin.put("key", "new", MINUTE * 3);
        clock.advance(MINUTE * 2);
        assert_eq!(twin.get("key").as_deref(), Some("new"));
        assert_eq!(twin.values.lock().unwrap().order.len(), 1);
    }
}
