//! jiaofei (缴费): the payment platform a university runs behind the "缴费入口" menu of its WeChat official account.
//!
//! The house has floors; a file uses only floors below its own (`tests/tidy.rs` reads the imports and holds it):
//! 1. `domain`: the words of the fee office, pure; `clock` and `config`: time, chance and values; `outbound`: the one
//!    HTTP client; `drill`: where a storm may strike; `metrics`: what is counted for the operator; `xml`: what others
//!    write
//! 2. `store`: what must not be lost; `channel`: who moves the money; `cache`: what may be lost;
//!    `official_account`: WeChat's other half; `fiscal`: who issues e-receipts; `cas`: the university's portal
//! 3. `app`: the toolbox
//! 4. `flow`: the acts of the office, one act = one transaction
//! 5. `web`: speaks HTTP; `jobs`: works unasked; `sandbox`: plays the outside world
//! 6. `cli`: the command line, which `main.rs` starts
pub mod app;
pub mod cache;
pub mod cas;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod drill;
pub mod fiscal;
pub mod flow;
pub mod jobs;
pub mod messenger;
pub mod metrics;
pub mod official_account;
pub mod outbound;
pub mod sandbox;
pub mod store;
pub mod web;
pub mod xml;
