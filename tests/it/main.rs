//! Stories: each drives the whole app through its own router against the sandbox.
#![expect(clippy::unwrap_used, reason = "a story that cannot go on stops")]
mod alipay_paying;
mod auditing;
mod browser;
mod ending;
mod health;
mod misbehaving;
mod settling;
mod sign_in;
mod wechat_channel;
mod world;
