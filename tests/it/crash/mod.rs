//! Real processes, really killed: the server as it ships, two of it, on a PostgreSQL and a Redis of their own, beside
//! the sandbox in a process of its own.
pub mod books;
pub mod breaker;
pub mod campus;
pub mod door;
pub mod notes;
pub mod outside;
pub mod person;
pub mod program;
pub mod stories;
pub mod town;
