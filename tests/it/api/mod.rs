//! The API told as stories: a payer's own program, and campus systems with a key.
mod payer;
mod spec;
