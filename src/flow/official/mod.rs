//! What is done in the official account's name.
pub mod binding;
pub mod call;
pub mod hear;
pub mod menu;
pub mod note;
pub mod talk;
pub mod ticket;
