//! What must not be lost. The store speaks SQL through sea-orm and takes its connection as an argument.
//!
//! It knows no rule of the office: it finds, inserts and moves rows by compare-and-set; whether to do so is the
//! flows' business.
pub mod accounts;
pub mod announcements;
pub mod attempts;
pub mod audit;
pub mod backlog;
pub mod books;
pub mod bulk;
pub mod chain;
pub mod charges;
pub mod db;
pub mod devices;
pub mod enrolments;
pub mod error;
pub mod events;
pub mod fees;
pub mod fill;
pub mod home;
pub mod journal;
pub mod keys;
pub mod messages;
pub mod office;
pub mod orders;
pub mod payers;
pub mod profiles;
pub mod programmes;
pub mod refunds;
pub mod reseal;
pub mod resets;
pub mod schema;
pub mod seal;
pub mod serials;
pub mod sessions;
pub mod tallies;
