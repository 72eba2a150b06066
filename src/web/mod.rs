//! Speaks HTTP; names only flow, app and domain.
pub mod notify;
pub mod routes;
pub mod html;
pub mod view;
pub mod words;
