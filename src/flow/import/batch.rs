//! Pieces the three imports share: reading a cell as a day or an amount, and telling repetitions.
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Reads a cell as a day.
pub use crate::domain::moment::written_day as day;
use crate::domain::money::Fen;

/// Rows handled at a time: few enough for SQLite's 32,766 placeholders with a dozen columns.
pub const ROWS: usize = 1_000;

/// Yuan as the office writes it; grouped digits and ¥ are forgiven, nothing else.
pub fn amount(text: &str) -> Option<Fen> {
    Fen::typed(text)
}

/// Remembers which keys a file has had, and on which line, in 24 bytes a row.
#[derive(Default)]
pub struct SeenKeys {
    lines: HashMap<u64, u64>,
}

impl SeenKeys {
    /// The line the key stood on before, if it did. Two keys of one hash (one pair in a million files of a million
    /// rows) would be taken for a repetition, which is told, not booked.
    pub fn earlier(&mut self, key: impl Hash, line: u64) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        match self.lines.entry(hasher.finish()) {
            std::collections::hash_map::Entry::Occupied(known) => Some(*known.get()),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(line);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_the_second_time_with_its_first_line() {
        let mut seen = SeenKeys::default();
        assert_eq!(seen.earlier((1, 2), 5), None);
        assert_eq!(seen.earlier((1, 3), 6), None);
        assert_eq!(seen.earlier((1, 2), 7), Some(5));
    }
}
