//! What is done in the official account's name.
pub mod binding;
pub mod call;
pub mod menu;
