//! How often something may be tried: a count per key in a fixed window that opens with the first try.
//!
//! A throttle slows guessing. It never guards money: with Redis away each process counts for itself.
use std::time::Duration;

/// What a throttle says about a try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Throttle {
    /// Go on; `left` more tries fit into this window.
    Allowed { left: u32 },
    /// Refused, until this much time has passed.
    Wait(Duration),
}

impl Throttle {
    pub fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// `KEYS[1]` the counter; `ARGV` limit, window in milliseconds, 1 to count this try or 0 to look only. Answers
/// `{left, wait}`: left is −1 when refused, wait is in milliseconds. One script is one step for every process.
pub(super) const SCRIPT: &str = r"
local limit, window, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tried = tonumber(redis.call('GET', KEYS[1]) or '0')
local open = redis.call('PTTL', KEYS[1])
if open < 1 then open = window end
if tried >= limit then return {-1, open} end
if count == 0 then return {limit - tried, 0} end
tried = redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], open)
return {limit - tried, 0}";

/// `KEYS[1]` the counter. Its window stays as it is.
pub(super) const GIVE_BACK: &str = r"
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
return 0";

/// Reads the script's answer.
pub(super) fn from_script((left, wait): (i64, i64)) -> Throttle {
    match u32::try_from(left) {
        Ok(left) => Throttle::Allowed { left },
        Err(_) => Throttle::Wait(Duration::from_millis(u64::try_from(wait).unwrap_or(0))),
    }
}
