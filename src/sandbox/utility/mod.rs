//! A provider of electricity and of a campus card: it believes what is rightly signed, delivers once under one number,
//! and can be told to fail. Written from its protocol ([docs/LIVING.md]), with other crates than the asker.
//!
//! [docs/LIVING.md]: ../../../docs/LIVING.md
pub mod meters;
pub mod till;
