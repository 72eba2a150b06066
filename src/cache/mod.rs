//! What may be lost: Redis, or its in-process twin. Emptying it at any moment costs time, never money.
//!
//! - `keep`: the cache itself, values that fade and firsts that happen once
//! - `throttle`: how often something may be tried
//! - `captcha`: a question a person can answer
//! - `memory` and `remote`: the two places it is kept in
pub mod captcha;
pub mod keep;
pub mod memory;
pub mod remote;
pub mod throttle;
