//! The API told as stories: a payer's own program, and campus systems with a key.
mod batches;
mod desk;
mod feed;
mod idempotency;
mod keys;
mod payer;
mod posters;
mod spec;
