//! The token every form carries: it says that the form was drawn for the browser that sends it.
//!
//! It is an HMAC of the browser's own cookies, masked afresh for every page, so that compression cannot tell its bytes
//! one by one (BREACH). Nothing is stored.
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use subtle::ConstantTimeEq;

use crate::domain::moment::Moment;

const LENGTH: usize = 32;

/// What a token is bound to.
#[derive(Clone, Copy)]
pub struct Bound<'a> {
    /// Never empty: the first signs, each is believed
    pub keys: &'a [hmac::Key],
    /// The cookie that tells browsers apart
    pub visitor: &'a str,
    /// The session cookie; empty before signing in
    pub session: &'a str,
}

impl Bound<'_> {
    fn mac(&self, key: &hmac::Key) -> [u8; LENGTH] {
        let mut context = hmac::Context::with_key(key);
        for part in ["csrf", self.visitor, self.session] {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        let tag = context.sign();
        tag.as_ref().try_into().expect("SHA-256 gives 32 bytes")
    }

    /// A token for one page; `mask` is random.
    pub fn token(&self, mask: [u8; LENGTH]) -> String {
        let mut out = mask.to_vec();
        let first = self.keys.first().expect("the configuration holds at least one key");
        out.extend(self.mac(first).iter().zip(mask).map(|(byte, mask)| byte ^ mask));
        BASE64.encode(out)
    }

    /// A moment that only we can have written into a form of this browser, for this purpose.
    pub fn stamp(&self, purpose: &str, at: Moment) -> String {
        let first = self.keys.first().expect("the configuration holds at least one key");
        format!("{}.{}", at.millis(), BASE64.encode(self.stamp_mac(first, purpose, at)))
    }

    /// The moment of a stamp; none when it is not ours, or was made for something else.
    pub fn stamped(&self, purpose: &str, stamp: &str) -> Option<Moment> {
        let (millis, mac) = stamp.split_once('.')?;
        let (at, mac) = (Moment::from_millis(millis.parse().ok()?), BASE64.decode(mac).ok()?);
        self.keys.iter().any(|key| mac.ct_eq(&self.stamp_mac(key, purpose, at)).into()).then_some(at)
    }

    fn stamp_mac(&self, key: &hmac::Key, purpose: &str, at: Moment) -> Vec<u8> {
        let mut context = hmac::Context::with_key(key);
        for part in ["stamp", purpose, &at.millis().to_string(), self.visitor, self.session] {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        context.sign().as_ref().to_vec()
    }

    pub fn accepts(&self, token: &str) -> bool {
        let Ok(bytes) = BASE64.decode(token) else { return false };
        let Some((mask, masked)) = bytes.split_at_checked(LENGTH).filter(|(_, rest)| rest.len() == LENGTH) else {
            return false;
        };
        let mac: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
        self.keys.iter().any(|key| mac.ct_eq(&self.mac(key)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32])
    }

    fn bound(keys: &[hmac::Key]) -> Bound<'_> {
        Bound { keys, visitor: "v", session: "s" }
    }

    #[test]
    fn a_token_is_good_for_the_cookies_it_was_made_for_under_any_mask() {
        let (keys, others) = ([key(7)], [key(8)]);
        let own = bound(&keys);
        assert!(own.accepts(&own.token([1; 32])) && own.accepts(&own.token([2; 32])));
        assert_ne!(own.token([1; 32])[43..], own.token([2; 32])[43..], "no part stays the same");
        for other in [
            bound(&others),
            Bound { visitor: "w", ..own },
            Bound { session: "", ..own },
            Bound { visitor: "", session: "vs", ..own },
        ] {
            assert!(!other.accepts(&own.token([1; 32])));
        }
    }

    #[test]
    fn while_the_key_is_changed_a_token_of_either_is_good() {
        let (old, new, both) = ([key(7)], [key(8)], [key(8), key(7)]);
        let (old, new, both) = (bound(&old), bound(&new), bound(&both));
        assert!(both.accepts(&old.token([1; 32])) && both.accepts(&new.token([1; 32])));
        assert!(new.accepts(&both.token([1; 32])) && !old.accepts(&both.token([1; 32])), "the first one signs");
    }

    #[test]
    fn a_stamp_tells_its_moment_to_the_browser_and_for_the_purpose_it_was_made_for() {
        let (keys, others) = ([key(7)], [key(8)]);
        let (own, at) = (bound(&keys), Moment::from_millis(1_788_000_000_123));
        let stamp = own.stamp("agreement", at);
        assert_eq!(own.stamped("agreement", &stamp), Some(at));
        let earlier = stamp.replacen("1788", "1787", 1);
        for (by, purpose, stamp) in [
            (own, "agreement", earlier.as_str()),
            (own, "another", &stamp),
            (bound(&others), "agreement", &stamp),
            (Bound { visitor: "w", ..own }, "agreement", &stamp),
            (Bound { session: "t", ..own }, "agreement", &stamp),
            (own, "agreement", ""),
            (own, "agreement", "x.y"),
            (own, "agreement", "1788000000123."),
        ] {
            assert_eq!(by.stamped(purpose, stamp), None, "{purpose} {stamp}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_without_a_panic() {
        let keys = [key(7)];
        let own = bound(&keys);
        let long = format!("{}AAAA", own.token([0; 32]));
        for text in ["", "AAAA", "%", "长", &own.token([0; 32])[..80], &long] {
            assert!(!own.accepts(text), "{text}");
        }
    }
}
