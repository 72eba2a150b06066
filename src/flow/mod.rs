//! The acts of the fee office. One act = one transaction; the flow owns begin and commit, and calls no channel inside
//! one.
pub mod attempt;
pub mod buyer;
pub mod checkout;
pub mod expire;
pub mod failure;
pub mod inquire;
pub mod refund;
pub mod settle;
