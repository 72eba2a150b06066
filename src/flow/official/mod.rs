//! What is done in the official account's name.
pub mod call;
pub mod menu;
