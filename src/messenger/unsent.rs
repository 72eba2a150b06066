//! How a try ended, and how a message that was not taken goes on.

/// Why a message was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsent {
    /// It may be taken later; the word is for the log
    Later(&'static str),
    /// It never will be
    Never(&'static str),
}

/// How a try ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Sent,
    /// There is nobody it could go to
    Nobody,
    Unsent(Unsent),
}
