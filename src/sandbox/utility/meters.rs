//! What stands on every meter and card, what was put there under which number, and what goes wrong if told so.
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use rsa::sha2::Sha256;
use serde::{Deserialize, Serialize};

use crate::domain::moment::Moment;
use crate::sandbox::keys;

/// How far a timestamp may be off, in seconds. What was signed earlier has no effect any more.
const TOLERANCE: u64 = 300;

/// What goes wrong at the provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Nothing happens, and this status is answered
    Answer(u16),
    /// Nothing happens, and nothing is answered
    Hang,
    /// It is done, and the answer is lost
    LoseAnswer,
    /// It is done, and the answer bears no right signature
    Unsigned,
    /// It is taken and done later: the next question finds it done
    Slow,
    /// It will never be done
    Refuse,
}

/// What was asked for under one number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Given {
    pub no: String,
    pub service: String,
    pub account: String,
    pub fen: i64,
    pub at: Moment,
    pub state: GivenState,
    /// How often delivery was asked for; it counts once
    pub asked: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenState {
    Done,
    /// Taken, to be done
    Pending,
    Refused,
}

pub struct Meters {
    pub secret: Vec<u8>,
    /// What goes wrong, and how often still; none: until told otherwise
    pub trouble: Option<(Trouble, Option<u32>)>,
    /// By service and account, in fen
    left: BTreeMap<(String, String), i64>,
    given: Vec<Given>,
    /// How many calls came
    pub calls: u32,
}

impl Default for Meters {
    fn default() -> Self {
        let meter = |service: &str, account: &str, fen| ((service.to_owned(), account.to_owned()), fen);
        let left = [
            meter("electricity", "3-412", 2_315),
            meter("electricity", "3-413", 12_840),
            meter("electricity", "5-101", -460),
            meter("card", "20230417", 8_820),
            meter("card", "20110063", 15_000),
        ];
        let secret = keys::UTILITY_SECRET.to_vec();
        Self { secret, trouble: None, left: left.into(), given: Vec::new(), calls: 0 }
    }
}

/// What is asked.
#[derive(Deserialize)]
pub struct Ask {
    pub no: String,
    pub service: String,
    #[serde(default)]
    pub account: String,
    #[serde(default)]
    pub amount_fen: i64,
}

impl Meters {
    /// Every meter and card with what is left, in fen.
    pub fn left(&self) -> &BTreeMap<(String, String), i64> {
        &self.left
    }

    /// Each number once, in the order they first came.
    pub fn given(&self) -> &[Given] {
        &self.given
    }

    /// What goes wrong with this call.
    pub(super) fn strikes(&mut self) -> Option<Trouble> {
        let (trouble, times) = self.trouble?;
        match times {
            None => {}
            Some(0) => {
                self.trouble = None;
                return None;
            }
            Some(more) => self.trouble = Some((trouble, Some(more - 1))),
        }
        Some(trouble)
    }

    /// Puts an amount onto a meter, once under one number.
    pub(super) fn deliver(&mut self, ask: &Ask, trouble: Option<Trouble>, now: Moment) -> GivenState {
        if let Some(known) = self.given.iter_mut().find(|given| given.no == ask.no) {
            known.asked += 1;
            return known.state;
        }
        let key = (ask.service.clone(), ask.account.clone());
        let state = match trouble {
            Some(Trouble::Refuse) => GivenState::Refused,
            _ if !self.left.contains_key(&key) || ask.amount_fen <= 0 => GivenState::Refused,
            Some(Trouble::Slow) => GivenState::Pending,
            _ => GivenState::Done,
        };
        let (no, service, account, fen) = (ask.no.clone(), ask.service.clone(), ask.account.clone(), ask.amount_fen);
        self.given.push(Given { no, service, account, fen, at: now, state, asked: 1 });
        if state == GivenState::Done {
            *self.left.entry(key).or_default() += ask.amount_fen;
        }
        state
    }

    /// What became of a number. What was taken is done by now, and told so from the next question on.
    pub(super) fn query(&mut self, no: &str) -> Option<GivenState> {
        let given = self.given.iter_mut().find(|given| given.no == no)?;
        let told = given.state;
        if told == GivenState::Pending {
            given.state = GivenState::Done;
            *self.left.entry((given.service.clone(), given.account.clone())).or_default() += given.fen;
        }
        Some(told)
    }

    /// Whether a call is of now and rightly signed.
    pub(super) fn believes(&self, (id, timestamp, signature): (&str, &str, &str), body: &[u8], now: Moment) -> bool {
        let Ok(sent) = timestamp.parse::<i64>() else { return false };
        let given = signature.split(' ').filter_map(|one| BASE64.decode(one.strip_prefix("v1,")?).ok());
        let mut given = given.into_iter();
        now.unix().abs_diff(sent) <= TOLERANCE
            && given.any(|one| self.mac(id, timestamp, body).verify_slice(&one).is_ok())
    }

    /// `v1,` and the signature of an answer.
    pub(super) fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        format!("v1,{}", BASE64.encode(self.mac(id, timestamp, body).finalize().into_bytes()))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update([id, ".", timestamp, "."].concat().as_bytes());
        mac.update(body);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(no: &str, account: &str) -> Ask {
        Ask { no: no.into(), service: "electricity".into(), account: account.into(), amount_fen: 5_000 }
    }

    #[test]
    fn a_number_is_delivered_once_and_an_unknown_room_never() {
        let (mut meters, now) = (Meters::default(), Moment::from_unix(1));
        for _ in 0..3 {
            assert_eq!(meters.deliver(&ask("A", "3-412"), None, now), GivenState::Done);
        }
        assert_eq!(meters.left()[&("electricity".into(), "3-412".into())], 7_315);
        assert_eq!(meters.given()[0].asked, 3);
        assert_eq!(meters.deliver(&ask("B", "9-999"), None, now), GivenState::Refused);
        assert_eq!((meters.query("B"), meters.query("C")), (Some(GivenState::Refused), None));
    }

    #[test]
    fn what_was_signed_for_other_words_or_long_ago_is_not_believed() {
        let (meters, now) = (Meters::default(), Moment::from_unix(1_000));
        let signature = meters.sign("A", "1000", b"{}");
        assert!(meters.believes(("A", "1000", &signature), b"{}", now));
        assert!(!meters.believes(("B", "1000", &signature), b"{}", now));
        assert!(!meters.believes(("A", "1000", &signature), b"[]", now));
        assert!(!meters.believes(("A", "1000", &signature), b"{}", Moment::from_unix(1_301)));
    }
}
