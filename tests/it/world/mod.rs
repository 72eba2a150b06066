//! What every story needs: the whole app on a real port, the outside world on another, a clock moved by hand.
pub mod app;
pub mod database;
pub mod map;
pub mod page;
pub mod phone;
pub mod redis;
pub mod school;
pub mod unionpay;
