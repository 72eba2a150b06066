//! The only reader of the system clock and the only source of chance. Everything else is given them.
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use crate::domain::moment::Moment;

/// Tells the time: the machine's, or one that tests move by hand.
#[derive(Clone)]
pub struct Clock(Kind);

#[derive(Clone)]
enum Kind {
    System,
    Manual(Arc<Mutex<Moment>>),
}

impl Clock {
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// Stands still at `start` until [`Clock::advance`] moves it. Clones share the hand.
    pub fn manual(start: Moment) -> Self {
        Self(Kind::Manual(Arc::new(Mutex::new(start))))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    pub fn now(&self) -> Moment {
        match &self.0 {
            Kind::System => Moment::from_millis(chrono::Utc::now().timestamp_millis()),
            Kind::Manual(hand) => *hand.lock().expect("no holder of the hand panics"),
        }
    }

    /// Moves a manual clock on; the system clock cannot be moved, so there it does nothing.
    pub fn advance(&self, span: Duration) {
        if let Kind::Manual(hand) = &self.0 {
            let mut at = hand.lock().expect("no holder of the hand panics");
            *at = *at + span;
        }
    }

    pub fn set(&self, at: Moment) {
        if let Kind::Manual(hand) = &self.0 {
            *hand.lock().expect("no holder of the hand panics") = at;
        }
    }
}

/// Gives random bytes: the operating system's, or a seeded row that is the same in every run.
#[derive(Clone)]
pub struct Chance(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Chance {
    pub fn system() -> Self {
        Self(Source::System)
    }

    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    pub fn fill(&self, bytes: &mut [u8]) {
        match &self.0 {
            Source::System => {
                aws_lc_rs::rand::fill(bytes).expect("the operating system's random source never fails after boot");
            }
            Source::Seeded(rng) => rng.lock().expect("no holder of the row panics").fill_bytes(bytes),
        }
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A token of `len` letters and digits (no 0 O I l), about 5.8 bits each: 22 make it unguessable.
    pub fn token(&self, len: usize) -> String {
        const LETTERS: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
        let mut out = String::with_capacity(len);
        while out.len() < len {
            for byte in self.bytes::<32>() {
                // 228 = 4 × 57: bytes above would favour the first letters
                if byte < 228 && out.len() < len {
                    out.push(char::from(LETTERS[usize::from(byte % 57)]));
                }
            }
        }
        out
    }

    /// A number from 0 to `below` − 1; `below` is at least 1.
    pub fn below(&self, below: u64) -> u64 {
        u64::from_be_bytes(self.bytes()) % below.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand_and_clones_share_it() {
        let clock = Clock::manual(Moment::from_unix(100));
        let copy = clock.clone();
        clock.advance(Duration::from_secs(5));
        assert_eq!(copy.now(), Moment::from_unix(105));
    }

    #[test]
    fn the_same_seed_gives_the_same_tokens() {
        assert_eq!(Chance::seeded(7).token(22), Chance::seeded(7).token(22));
        assert_ne!(Chance::system().token(22), Chance::system().token(22));
        assert_eq!(Chance::system().token(22).len(), 22);
    }
}
