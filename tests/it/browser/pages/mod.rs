//! Every page in its states, looked at and photographed in both languages.
pub mod entry;
pub mod paying;
pub mod records;
