//! The university's portal: a small CAS server (protocol specification 3.0.3). It knows who has signed in there, gives
//! each visit to an application a ticket that counts once, and tells applications when somebody signs out.
pub mod book;
pub mod doors;
pub mod voice;
