//! Carries mail and text messages out of the house. It knows no payer and keeps nothing.
pub mod carrier;
pub mod mail;
pub mod sms;
pub mod unsent;
