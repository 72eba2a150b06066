//! 财政电子票据 at the platform of the fiscal authority. It knows no payer's row and keeps nothing.
pub mod contract;
pub mod signature;
pub mod standard;
