//! Stand-ins of the outside world over real HTTP with real signatures, and a list of faults they can be told to make.
pub mod account;
pub mod bank;
pub mod codes;
pub mod control;
pub mod faults;
pub mod html;
pub mod keys;
pub mod ledger;
pub mod merchants;
pub mod notifier;
pub mod outbox;
pub mod payer;
pub mod server;
pub mod spoil;
pub mod trade;
pub mod wechat;
pub mod world;
