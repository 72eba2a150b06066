//! Speaks HTTP; names only flow, app and domain.
pub mod code;
pub mod html;
pub mod notify;
pub mod routes;
pub mod view;
pub mod words;
