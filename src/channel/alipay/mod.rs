//! Alipay (支付宝), OpenAPI of the `gateway.do` kind. `account` is the channel; its parts, lowest first: `keys`,
//! `refusal`, `envelope` (answers), `request` (calls), `form` (bodies of notices), `gateway`, `order`, and one file a
//! kind of act.
//!
//! `alipay_sdk_rust` serves where it is sound: its `biz` builders, its certificate numbers, and those of its answers
//! that are whole. Never its network, its signer or its form pages.
pub mod account;
pub mod envelope;
pub mod form;
pub mod gateway;
pub mod keys;
pub mod notices;
pub mod oauth;
pub mod order;
pub mod pages;
pub mod refunds;
pub mod refusal;
pub mod request;
#[cfg(test)]
pub mod testing;
pub mod trades;
