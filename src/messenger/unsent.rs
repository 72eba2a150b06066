//! How a message that was not taken goes on.

/// Why a message was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsent {
    /// It may be taken later; the word is for the log
    Later(&'static str),
    /// It never will be
    Never(&'static str),
}
