//! 银联全渠道 (UnionPay ACP 5.1.0): one merchant's account at its gateway. No SDK
//! ([decision](../../../docs/decisions/0029-unionpay.md)).
//!
//! - `account`: the contract, each method handed to the file that knows it
//! - `fields`: a message, as names and values; the text that is signed
//! - `keys`: our key signs; UnionPay's certificate comes with each message and must lead up to its root
//! - `gateway`: signs a call, sends it, and believes the answer or not
//! - `order`: the form a payer's browser takes to the cashier
//! - `query`: what became of an order; there is no closing
//! - `refunds`, `notices`: what their names say
//! - `times`: the protocol's times, which leave out the year
pub mod account;
pub mod fields;
pub mod gateway;
pub mod keys;
pub mod notices;
pub mod order;
pub mod query;
pub mod refunds;
#[cfg(test)]
pub mod testing;
pub mod times;
