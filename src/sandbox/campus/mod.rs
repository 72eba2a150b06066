//! A campus system that is told when money moves: it believes what is rightly signed, knows what it has heard before,
//! and can be told to fail. Written from Standard Webhooks, with other crates than the sender.
pub mod inbox;
pub mod receiver;
