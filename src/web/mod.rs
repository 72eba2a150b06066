//! Speaks HTTP; names only flow, app and domain.
pub mod notify;
pub mod routes;
