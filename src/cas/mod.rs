//! The university's portal, asked by CAS (protocol specification 3.0.3): where a person is sent to sign in, whose a
//! ticket is, and what the server says when somebody signs out. It knows no payer.
pub mod client;
pub mod words;
