//! The pages: each file reads what its page shows, and does what its forms ask for.
pub mod access;
pub mod account;
pub mod amount;
pub mod callback;
pub mod cashier;
pub mod checkout;
pub mod home;
pub mod login;
pub mod logout;
pub mod orders;
pub mod paid;
pub mod pay;
pub mod result;
pub mod settings;
pub mod state;
pub mod tuition;
pub mod ways;
