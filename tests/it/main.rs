//! Stories: each drives the whole app through its own router against the sandbox.
#![expect(clippy::unwrap_used, reason = "a story that cannot go on stops")]
mod account;
mod alipay_channel;
mod alipay_paying;
mod api;
mod audit_command;
mod auditing;
mod browser;
mod certainty;
mod chain;
mod corpus;
mod crash;
mod csrf;
mod ending;
mod fairness;
mod headers;
mod health;
mod importing;
mod logs;
mod metrics;
mod misbehaving;
mod office;
mod paying;
mod privacy;
mod process;
mod racing;
mod records;
mod redis_gone;
mod sessions;
mod settling;
mod sign_in;
#[cfg(feature = "storm")]
mod storm;
mod tuition;
mod wechat_channel;
mod world;
