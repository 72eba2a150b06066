//! UnionPay's 全渠道 gateway (ACP 5.1.0) as a merchant meets it: the form a payer's browser brings, the cashier page,
//! queries, refunds, notices.
pub mod answer;
pub mod cashier;
pub mod fields;
pub mod gateway;
pub mod notices;
pub mod orders;
pub mod query;
pub mod refunds;
pub mod refusal;
pub mod seen;
pub mod told;
pub mod voice;
