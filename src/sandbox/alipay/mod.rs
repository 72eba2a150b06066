//! Alipay's open platform as a merchant meets it: gateway, cashier page, sign-in of a payer, notices.
pub mod answer;
pub mod authorize;
pub mod cashier;
pub mod gateway;
pub mod notices;
pub mod orders;
pub mod pages;
pub mod params;
pub mod refunds;
pub mod token;
pub mod told;
pub mod trades;
pub mod voice;
