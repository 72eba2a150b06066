//! 事件: campus systems are told when money has moved.
pub mod deliver;
pub mod desk;
pub mod record;
