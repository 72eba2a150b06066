//! The words of the fee office. Pure: nothing here waits, speaks SQL or speaks HTTP.
pub mod amount;
pub mod bilingual;
pub mod charge;
pub mod checkout;
pub mod fee;
pub mod id_number;
pub mod ids;
pub mod moment;
pub mod money;
pub mod order;
pub mod order_no;
pub mod payer;
pub mod refund;
pub mod refusal;
pub mod session;
pub mod trade;
