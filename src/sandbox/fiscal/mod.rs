//! The fiscal authority's platform of e-receipts: it believes what is rightly signed, gives each serial number one
//! bill, makes bills void, and can be told to fail. Written from the interface's document, with another crate than the
//! asker's.
pub mod counter;
pub mod ledger;
pub mod voice;
