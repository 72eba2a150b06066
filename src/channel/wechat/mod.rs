//! WeChat Pay v3 for a direct merchant (直连商户).
pub mod account;
pub mod client;
pub mod codes;
pub mod keys;
pub mod notices;
pub mod orders;
pub mod refunds;
#[cfg(test)]
pub mod testing;
pub mod text;
