//! Each rule of each field: what breaks it is told beside the field, in both languages, and nothing else is lost.
pub mod beside;
pub mod covered;
pub mod rules;
