//! What stands in the way of guessing: a limit per account, a limit per address, and a question after some failures.
//!
//! The tries of an account are counted before they are looked at, so that a hundred at once are still five; those of an
//! address only when they were wrong, because a whole campus may come from one. Keys are made with a secret: no name,
//! number or address reaches the cache as it is.
use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use crate::app::App;
use crate::cache::captcha;
pub use crate::cache::captcha::Challenge;
use crate::cache::throttle::Throttle;
use crate::domain::id_number::normalise;
use crate::domain::moment::Moment;

/// Wrong tries of one account, and in how long
const ACCOUNT: (u32, Duration) = (5, Duration::from_secs(15 * 60));
/// Wrong tries from one address, and in how long
const ADDRESS: (u32, Duration) = (60, Duration::from_secs(10 * 60));
/// Wrong tries of one account after which a question is asked
const ASK_ACCOUNT: u32 = 3;
const ASK_ADDRESS: u32 = 10;
/// How many tries must be left for the payer not to be told
const TELL: u32 = 2;

/// Who is at the door.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    pub address: IpAddr,
    /// Hash of the cookie that tells browsers apart
    pub visitor: &'a str,
    /// Id and answer of a question that was asked
    pub captcha: Option<(&'a str, &'a str)>,
}

/// Why a try was not looked at, or was wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guess {
    /// One wording for every wrong pair. The tries left are told when they are few.
    WrongPair {
        tries_left: Option<u32>,
    },
    /// The question was not answered, or wrongly; the try does not count.
    Captcha,
    Locked {
        until: Moment,
    },
}

/// The counters one try touches.
pub struct Gate {
    account: String,
    address: String,
}

impl Gate {
    /// `kind` keeps names of one way of signing in apart from those of another.
    pub fn new(app: &App, kind: &str, account: &str, address: IpAddr) -> Gate {
        Gate {
            account: format!("try:{}", keyed(app, kind, &normalise(account))),
            address: format!("try:{}", keyed(app, "address", &network(address))),
        }
    }

    /// Lets a try through and counts it; gives how many the account has left after it.
    pub async fn enter(&self, app: &App, captcha: Option<(&str, &str)>) -> Result<u32, Guess> {
        if let Some(until) = self.locked(app).await {
            return Err(Guess::Locked { until });
        }
        self.answered(app, captcha).await?;
        match app.cache.throttle(&self.account, ACCOUNT.0, ACCOUNT.1).await {
            Throttle::Allowed { left } => Ok(left),
            Throttle::Wait(wait) => Err(Guess::Locked { until: app.clock.now() + wait }),
        }
    }

    /// Takes the try back when looking at it failed, by no fault of the payer's: who tries while the database is away
    /// is not locked out when it is back. Nothing was learned by such a try, so nothing is given away.
    pub async fn looked<T, E>(&self, app: &App, found: Result<T, E>) -> Result<T, E> {
        if found.is_err() {
            app.cache.give_back(&self.account).await;
        }
        found
    }

    /// The try was wrong; `left` is what [`Gate::enter`] gave.
    pub async fn wrong(&self, app: &App, left: u32) -> Guess {
        app.cache.throttle(&self.address, ADDRESS.0, ADDRESS.1).await;
        match self.locked(app).await {
            Some(until) => Guess::Locked { until },
            None => Guess::WrongPair { tries_left: (left <= TELL).then_some(left) },
        }
    }

    /// The try was right: the account's failures are forgotten. Those of the address stay, or an attacker with one
    /// account of his own could wipe them.
    pub async fn right(&self, app: &App) {
        app.cache.clear(&self.account).await;
    }

    /// Whether the next try must come with an answer.
    pub async fn asks(&self, app: &App) -> bool {
        let wrong = |throttle, limit: u32| match throttle {
            Throttle::Allowed { left } => limit - left,
            Throttle::Wait(_) => limit,
        };
        let account = app.cache.peek_throttle(&self.account, ACCOUNT.0, ACCOUNT.1).await;
        let address = app.cache.peek_throttle(&self.address, ADDRESS.0, ADDRESS.1).await;
        wrong(account, ACCOUNT.0) >= ASK_ACCOUNT || wrong(address, ADDRESS.0) >= ASK_ADDRESS
    }

    /// The question the next try must answer, if it must. Whoever was asked is asked again on a page that is drawn
    /// anew.
    pub async fn question(&self, app: &App, visitor: &str) -> Option<Challenge> {
        let before = format!("asked-captcha:{visitor}");
        if !self.asks(app).await && app.cache.get(&before).await.is_none() {
            return None;
        }
        app.cache.put(&before, "1", Duration::from_secs(300)).await;
        Some(captcha::challenge(&app.cache, &app.chance).await)
    }

    /// As [`Gate::enter`], for a step that tries nothing yet and so counts for nothing.
    pub async fn look(&self, app: &App, captcha: Option<(&str, &str)>) -> Result<(), Guess> {
        if let Some(until) = self.locked(app).await {
            return Err(Guess::Locked { until });
        }
        self.answered(app, captcha).await
    }

    async fn answered(&self, app: &App, captcha: Option<(&str, &str)>) -> Result<(), Guess> {
        if !self.asks(app).await {
            return Ok(());
        }
        let answered = match captcha {
            Some((id, answer)) => captcha::check(&app.cache, id, answer).await,
            None => false,
        };
        if answered { Ok(()) } else { Err(Guess::Captcha) }
    }

    async fn locked(&self, app: &App) -> Option<Moment> {
        for (key, (limit, window)) in [(&self.account, ACCOUNT), (&self.address, ADDRESS)] {
            if let Throttle::Wait(wait) = app.cache.peek_throttle(key, limit, window).await {
                return Some(app.clock.now() + wait);
            }
        }
        None
    }
}

/// What stands in the way of guessing at something that belongs to no account: a count of the wrong tries of a network.
pub struct Fence {
    key: String,
    limit: u32,
    window: Duration,
}

impl Fence {
    pub fn new(app: &App, kind: &str, address: IpAddr, (limit, window): (u32, Duration)) -> Fence {
        Fence { key: format!("try:{}", keyed(app, kind, &network(address))), limit, window }
    }

    /// The wrong tries of all sign-ins from one network, whichever way they are made.
    pub fn of_sign_ins(app: &App, address: IpAddr) -> Fence {
        Fence::new(app, "address", address, ADDRESS)
    }

    /// Until when nothing more is looked at, if the network has guessed too often.
    pub async fn closed(&self, app: &App) -> Option<Moment> {
        match app.cache.peek_throttle(&self.key, self.limit, self.window).await {
            Throttle::Wait(wait) => Some(app.clock.now() + wait),
            Throttle::Allowed { .. } => None,
        }
    }

    pub async fn wrong(&self, app: &App) {
        app.cache.throttle(&self.key, self.limit, self.window).await;
    }
}

/// What stands in the way of asking for much: a count of what a network has asked for, and a question after some.
pub struct Toll {
    key: String,
    free: u32,
    limit: u32,
    window: Duration,
}

impl Toll {
    /// `free` are asked for without a question, `limit` at most in the window.
    pub fn new(app: &App, kind: &str, address: IpAddr, free: u32, (limit, window): (u32, Duration)) -> Toll {
        Toll { key: format!("toll:{}", keyed(app, kind, &network(address))), free, limit, window }
    }

    async fn left(&self, app: &App) -> Result<u32, Guess> {
        match app.cache.peek_throttle(&self.key, self.limit, self.window).await {
            Throttle::Allowed { left } => Ok(left),
            Throttle::Wait(wait) => Err(Guess::Locked { until: app.clock.now() + wait }),
        }
    }

    /// Lets one through and counts it.
    pub async fn pay(&self, app: &App, captcha: Option<(&str, &str)>) -> Result<(), Guess> {
        let answered = match captcha {
            Some((id, answer)) => captcha::check(&app.cache, id, answer).await,
            None => false,
        };
        if self.limit - self.left(app).await? >= self.free && !answered {
            return Err(Guess::Captcha);
        }
        app.cache.throttle(&self.key, self.limit, self.window).await;
        Ok(())
    }

    /// The question the next one must answer, if it must.
    pub async fn question(&self, app: &App) -> Option<Challenge> {
        match self.left(app).await {
            Ok(left) if self.limit - left >= self.free => Some(captcha::challenge(&app.cache, &app.chance).await),
            _ => None,
        }
    }
}

/// Counts one more of each, if none of them is full; else until when.
pub(super) async fn all_allowed(app: &App, limits: &[(String, (u32, Duration))]) -> Result<(), Moment> {
    for (key, (limit, window)) in limits {
        if let Throttle::Wait(wait) = app.cache.peek_throttle(key, *limit, *window).await {
            return Err(app.clock.now() + wait);
        }
    }
    for (key, (limit, window)) in limits {
        if let Throttle::Wait(wait) = app.cache.throttle(key, *limit, *window).await {
            return Err(app.clock.now() + wait);
        }
    }
    Ok(())
}

/// An IPv6 network is one neighbour: whoever has one has 2^64 addresses.
pub(super) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(four) => four.to_string(),
        IpAddr::V6(six) => format!("{:x?}", &six.segments()[..4]),
    }
}

/// Names something in the cache without saying what it is.
pub(super) fn keyed(app: &App, kind: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, app.config.secrets.session_key.first().bytes());
    let mut context = hmac::Context::with_key(&key);
    for part in ["throttle", kind, text] {
        context.update(part.as_bytes());
        context.update(&[0]);
    }
    BASE64.encode(&context.sign().as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_neighbour_is_one_network_and_a_mapped_ipv4_is_itself() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:203.0.113.7"), of("203.0.113.7"));
        assert_ne!(of("203.0.113.7"), of("203.0.113.8"));
    }
}
