//! WeChat's other half: the official account.
pub mod api;
pub mod menu;
pub mod oauth;
