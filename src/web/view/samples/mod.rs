//! Every page in every state worth looking at, of a fictional school; the tests render them all.
pub mod around;
pub mod binding;
pub mod enrolling;
pub mod entry;
pub mod ereceipts;
pub mod joining;
pub mod kit;
pub mod living;
pub mod other;
pub mod pay_for_me;
pub mod paying;
pub mod posters;
pub mod records;
