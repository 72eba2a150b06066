//! A text-message gateway and a mail server of the outside, and the page that shows what arrived on whose phone and in
//! whose mailbox.
pub mod gateway;
pub mod mime;
pub mod shelf;
pub mod smtp;
