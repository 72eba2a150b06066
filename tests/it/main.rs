//! Stories: each drives the whole app through its own router against the sandbox.
mod wechat_channel;
