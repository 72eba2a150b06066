//! What the campus system has heard, and what it does wrong if told so.
use hmac::{Hmac, Mac};
use rsa::sha2::Sha256;
use serde::{Deserialize, Serialize};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::domain::moment::Moment;
use crate::sandbox::keys;

/// How far a timestamp may be off (Standard Webhooks, verifying: five minutes).
const TOLERANCE: i64 = 300;

/// What goes wrong at the receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mishap {
    /// Takes nothing and answers this status
    Answer(u16),
    /// Takes nothing and never answers
    Hang,
    /// Takes nothing, and the connection breaks
    Break,
    /// Takes the event, and the answer is lost
    LoseAnswer,
}

/// An event the receiver has taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Heard {
    /// `webhook-id`
    pub id: String,
    pub at: Moment,
    pub body: String,
    /// How often it came; it counts once
    pub times: u32,
    /// How often it came with other bytes than the first time
    pub differed: u32,
    /// How many signatures it bore
    pub signatures: usize,
}

/// A try as it arrived: its `webhook-id`, and what was answered (0: nothing).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Arrival {
    pub id: String,
    pub at: Moment,
    pub status: u16,
}

/// The headers of Standard Webhooks.
pub struct Signed<'a> {
    pub id: &'a str,
    pub timestamp: &'a str,
    pub signature: &'a str,
    pub body: &'a [u8],
}

pub struct Inbox {
    /// Any of them may have signed
    pub secrets: Vec<Vec<u8>>,
    /// What goes wrong, and how often still; none: until told otherwise
    pub mishap: Option<(Mishap, Option<u32>)>,
    heard: Vec<Heard>,
    arrivals: Vec<Arrival>,
}

impl Default for Inbox {
    fn default() -> Self {
        let secrets = vec![keys::CAMPUS_SECRET.to_vec()];
        Self { secrets, mishap: None, heard: Vec::new(), arrivals: Vec::new() }
    }
}

impl Inbox {
    /// Each event once, in the order they first came.
    pub fn heard(&self) -> &[Heard] {
        &self.heard
    }

    /// Every try, oldest first.
    pub fn arrivals(&self) -> &[Arrival] {
        &self.arrivals
    }

    /// What goes wrong with this call.
    pub(super) fn strikes(&mut self) -> Option<Mishap> {
        let (mishap, times) = self.mishap?;
        match times {
            None => {}
            Some(0) => {
                self.mishap = None;
                return None;
            }
            Some(more) => self.mishap = Some((mishap, Some(more - 1))),
        }
        Some(mishap)
    }

    pub(super) fn arrived(&mut self, id: &str, at: Moment, status: u16) {
        self.arrivals.push(Arrival { id: id.to_owned(), at, status });
    }

    /// Keeps what is believed; false when it is not.
    pub(super) fn take(&mut self, signed: &Signed<'_>, now: Moment) -> bool {
        let Some(signatures) = self.believed(signed, now) else { return false };
        match self.heard.iter_mut().find(|heard| heard.id == signed.id) {
            Some(known) => {
                known.times += 1;
                known.differed += u32::from(known.body.as_bytes() != signed.body);
            }
            None => {
                let body = String::from_utf8_lossy(signed.body).into_owned();
                self.heard.push(Heard { id: signed.id.to_owned(), at: now, body, times: 1, differed: 0, signatures });
            }
        }
        true
    }

    /// How many signatures there are, if the time is right and one of them is by one of our secrets.
    fn believed(&self, signed: &Signed<'_>, now: Moment) -> Option<usize> {
        let sent: i64 = signed.timestamp.parse().ok()?;
        if (now.unix() - sent).abs() > TOLERANCE {
            return None;
        }
        let signatures: Vec<Vec<u8>> =
            signed.signature.split(' ').filter_map(|one| BASE64.decode(one.strip_prefix("v1,")?).ok()).collect();
        let fits = |secret: &[u8], signature: &[u8]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
            mac.update([signed.id, ".", signed.timestamp, "."].concat().as_bytes());
            mac.update(signed.body);
            mac.verify_slice(signature).is_ok()
        };
        let ours = signatures.iter().any(|signature| self.secrets.iter().any(|secret| fits(secret, signature)));
        ours.then_some(signatures.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Standard Webhooks, reference libraries' own test.
    fn example() -> (Inbox, Signed<'static>, Moment) {
        let secret = BASE64.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = Signed {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp: "1614265330",
            signature: "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v2,x",
            body: br#"{"test": 2432232314}"#,
        };
        (Inbox { secrets: vec![secret], ..Inbox::default() }, signed, Moment::from_unix(1_614_265_330))
    }

    #[test]
    fn the_specifications_example_is_believed_and_counts_once() {
        let (mut inbox, signed, now) = example();
        assert!(inbox.take(&signed, now) && inbox.take(&signed, now));
        assert_eq!((inbox.heard().len(), inbox.heard()[0].times), (1, 2));
    }

    #[test]
    fn another_time_id_body_or_secret_is_not_believed() {
        let (mut inbox, signed, now) = example();
        for off in [-301, 301] {
            assert!(!inbox.take(&signed, Moment::from_unix(now.unix() + off)));
        }
        assert!(!inbox.take(&Signed { timestamp: "1614265331", ..signed }, now));
        assert!(!inbox.take(&Signed { id: "msg_x", ..signed }, now));
        assert!(!inbox.take(&Signed { body: b"{}", ..signed }, now));
        assert!(!inbox.take(&Signed { signature: "", ..signed }, now));
        inbox.secrets = vec![vec![1; 32]];
        assert!(!inbox.take(&signed, now));
        assert!(inbox.heard().is_empty());
    }
}
