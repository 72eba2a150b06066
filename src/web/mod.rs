//! Speaks HTTP; names only flow, app and domain.
pub mod api;
pub mod assets;
pub mod code;
pub mod csrf;
pub mod device;
pub mod error;
pub mod form;
pub mod guard;
pub mod health;
pub mod html;
pub mod layer;
pub mod notify;
pub mod page;
pub mod press;
pub mod routes;
pub mod view;
pub mod words;
