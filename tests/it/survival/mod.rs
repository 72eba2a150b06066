//! Every form of the pages survives a double tap, the way back, a refresh, a session that has ended, a page that is too
//! old, and another device.
pub mod around;
pub mod entry;
pub mod paying;
pub mod proofs;
pub mod stage;
pub mod stories;
