//! How long to wait between tries of what is sent to others.
use std::time::Duration;

/// The pause after the `tries`-th try (from 1), out of `pauses` in seconds. None: that was the last one.
///
/// `chance`, any number, lengthens it by up to a tenth, so that what failed together does not come back together.
pub fn after(pauses: &[u64], tries: i64, chance: u64) -> Option<Duration> {
    let at = usize::try_from(tries).ok()?.checked_sub(1)?;
    let millis = pauses.get(at)? * 1_000;
    Some(Duration::from_millis(millis + chance % (millis / 10 + 1)))
}
