//! The acts of the fee office. One act = one transaction; the flow owns begin and commit, and calls no channel inside
//! one.
pub mod account;
pub mod arrears;
pub mod attempt;
pub mod audit;
pub mod buyer;
pub mod chain;
pub mod checkout;
pub mod events;
pub mod expire;
pub mod failure;
pub mod guess;
pub mod import;
pub mod inquire;
pub mod lane;
pub mod launch;
pub mod migrate;
pub mod office;
pub mod password;
pub mod records;
pub mod refund;
pub mod restore;
pub mod rotate;
pub mod scrape;
pub mod session;
pub mod settle;
pub mod sign_in;
