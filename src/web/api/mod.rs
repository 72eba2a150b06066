//! 接口: the OpenAPI for a payer's own program and for campus systems with a key. JSON in and out, problems as RFC 9457.
//!
//! - `service`: the endpoint, its spec and its page; `spec` completes the spec; `layer` lies around every call
//! - `problem`: every way a call can fail, and the only place of its status codes
//! - `money`: amounts, names and times as JSON has them
//! - `keys`: who calls with a key; `once`: the idempotency key around every POST
//! - `batches`, `rows` and `text`: payers, fee items and charges from campus systems
//! - `posters`: codes that hang on walls
//! - `feed`: every order, in the order of its changes
//! - `session`, `arrears`, `orders`, `receipts`: what a payer reads, with the session cookie of the H5
pub mod arrears;
pub mod batches;
pub mod feed;
pub mod keys;
pub mod layer;
pub mod money;
pub mod once;
pub mod orders;
pub mod posters;
pub mod problem;
pub mod receipts;
pub mod rows;
pub mod service;
pub mod session;
pub mod spec;
pub mod text;
