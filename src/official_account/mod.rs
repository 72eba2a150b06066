//! WeChat's other half: the official account.
pub mod oauth;
