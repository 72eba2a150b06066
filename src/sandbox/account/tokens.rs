//! The account's access tokens (official account, stable access token): one in use, and the one before for five minutes
//! more.
use std::time::Duration;

use crate::clock::Chance;
use crate::domain::moment::Moment;

const LIFE: Duration = Duration::from_secs(7_200);
/// The next token is given this long before the end of the one in use, and both are good meanwhile.
const OVERLAP: Duration = Duration::from_secs(300);
/// `force_refresh`: at least so long apart, at most so often a day
const FORCED_APART: Duration = Duration::from_secs(30);
const FORCED_A_DAY: usize = 20;

#[derive(Default)]
pub struct Tokens {
    /// Text, and until when it is good; the last one is in use
    given: Vec<(String, Moment)>,
    forced: Vec<Moment>,
    /// How often a token was asked for
    pub asked: u32,
}

impl Tokens {
    /// The token in use and its seconds, or an errcode with its words.
    pub fn ask(&mut self, force: bool, chance: &Chance, now: Moment) -> Result<(String, u64), (i32, &'static str)> {
        self.asked += 1;
        if force {
            let today = self.forced.iter().filter(|at| at.format("%Y%m%d") == now.format("%Y%m%d")).count();
            if today >= FORCED_A_DAY {
                return Err((45009, "reach max api daily quota limit"));
            }
            if self.forced.last().is_some_and(|last| now < *last + FORCED_APART) {
                return Err((45011, "api minute-quota reach limit  must slower  retry next minute"));
            }
            self.forced.push(now);
            self.given.clear();
        }
        if let Some((text, until)) = self.given.last()
            && now + OVERLAP < *until
        {
            return Ok((text.clone(), until.since(now).as_secs()));
        }
        let text = format!("{}_{}", chance.token(3), chance.token(130));
        self.given.push((text.clone(), now + LIFE));
        Ok((text, LIFE.as_secs()))
    }

    /// What the platform says to a call that carries this token.
    pub fn believe(&self, token: &str, now: Moment) -> Result<(), (i32, &'static str)> {
        match self.given.iter().find(|(text, _)| text == token) {
            _ if token.is_empty() => Err((41001, "access_token missing")),
            None => Err((40001, "invalid credential, access_token is invalid or not latest")),
            Some((_, until)) if now >= *until => Err((42001, "access_token expired")),
            Some(_) => Ok(()),
        }
    }

    /// Somebody else made the tokens void; the next who asks is given another.
    pub fn void(&mut self) {
        self.given.clear();
    }
}
