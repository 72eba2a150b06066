//! What happened in a storm, one line each, in the order it happened. Two runs of one seed write the same lines.
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiaofei::clock::Clock;

use crate::world::app::start_of_story;

pub struct History {
    clock: Clock,
    lines: Mutex<Vec<String>>,
    broken: Mutex<Option<String>>,
}

fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl History {
    pub fn new(clock: Clock) -> History {
        History { clock, lines: Mutex::default(), broken: Mutex::default() }
    }

    /// One more line, with the time since the story began.
    pub fn add(&self, line: impl AsRef<str>) {
        let at = self.clock.now().since(start_of_story()).as_secs();
        let (hours, minutes, seconds) = (at / 3600, at / 60 % 60, at % 60);
        hold(&self.lines).push(format!("{hours:02}:{minutes:02}:{seconds:02}  {}", line.as_ref()));
    }

    /// Something does not hold. The first thing counts.
    pub fn break_off(&self, what: impl AsRef<str>) {
        self.add(format!("!! {}", what.as_ref()));
        hold(&self.broken).get_or_insert_with(|| what.as_ref().to_owned());
    }

    pub fn broken(&self) -> Option<String> {
        hold(&self.broken).clone()
    }

    pub fn lines(&self) -> Vec<String> {
        hold(&self.lines).clone()
    }
}
