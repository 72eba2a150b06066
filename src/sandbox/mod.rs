//! Stand-ins of the outside world over real HTTP with real signatures, and a list of faults they can be told to make.
pub mod bank;
pub mod faults;
pub mod keys;
pub mod merchants;
pub mod trade;
