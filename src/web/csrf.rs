//! The token every form carries: it says that the form was drawn for the browser that sends it.
//!
//! It is an HMAC of the browser's own cookies, masked afresh for every page, so that compression cannot tell its bytes
//! one by one (BREACH). Nothing is stored.
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use subtle::ConstantTimeEq;

const LENGTH: usize = 32;

/// What a token is bound to.
#[derive(Clone, Copy)]
pub struct Bound<'a> {
    pub key: &'a [u8; 32],
    /// The cookie that tells browsers apart
    pub visitor: &'a str,
    /// The session cookie; empty before signing in
    pub session: &'a str,
}

impl Bound<'_> {
    fn mac(&self) -> [u8; LENGTH] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key);
        let mut context = hmac::Context::with_key(&key);
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
        out.extend(self.mac().iter().zip(mask).map(|(byte, mask)| byte ^ mask));
        BASE64.encode(out)
    }

    pub fn accepts(&self, token: &str) -> bool {
        let Ok(bytes) = BASE64.decode(token) else { return false };
        let Some((mask, masked)) = bytes.split_at_checked(LENGTH).filter(|(_, rest)| rest.len() == LENGTH) else {
            return false;
        };
        let mac: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
        mac.ct_eq(&self.mac()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Bound = Bound { key: &[7; 32], visitor: "v", session: "s" };

    #[test]
    fn a_token_is_good_for_the_cookies_it_was_made_for_under_any_mask() {
        assert!(BOUND.accepts(&BOUND.token([1; 32])) && BOUND.accepts(&BOUND.token([2; 32])));
        assert_ne!(BOUND.token([1; 32])[43..], BOUND.token([2; 32])[43..], "no part stays the same");
        for other in [
            Bound { key: &[8; 32], ..BOUND },
            Bound { visitor: "w", ..BOUND },
            Bound { session: "", ..BOUND },
            Bound { visitor: "", session: "vs", ..BOUND },
        ] {
            assert!(!other.accepts(&BOUND.token([1; 32])));
        }
    }

    #[test]
    fn what_is_no_token_is_refused_without_a_panic() {
        let long = format!("{}AAAA", BOUND.token([0; 32]));
        for text in ["", "AAAA", "%", "长", &BOUND.token([0; 32])[..80], &long] {
            assert!(!BOUND.accepts(text), "{text}");
        }
    }
}
