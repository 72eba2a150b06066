//! The official account's half: the page that tells a web page who its visitor is, and the exchange of the code it
//! gives.
pub mod authorize;
pub mod token;
