//! WeChat's other half: the official account.
pub mod api;
pub mod envelope;
pub mod menu;
pub mod message;
pub mod note;
pub mod oauth;
