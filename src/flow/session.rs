//! 登录会话: beginning one, finding one by its token, and ending it.
//!
//! The rows in the database are the truth; the cache only saves reading them, for a minute at most, and is not asked
//! while Redis is away. What ends a session also takes it out of the cache.
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use super::failure::Result;
use crate::app::App;
use crate::cache::keep::CacheState;
use crate::domain::ids::{PayerId, SessionId};
use crate::domain::moment::Moment;
use crate::domain::payer::Payer;
use crate::domain::session::{Rights, Session};
use crate::store::payers::{self, Account};
use crate::store::sessions;

/// Letters of a token, 5.8 bits each
const TOKEN: usize = 43;
/// How long a session lasts however much it is used
pub const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// How long the cache is believed, and how often the use of a session is noted
const MINUTE: Duration = Duration::from_secs(60);

/// Begins a session and gives its token, which is kept nowhere here.
pub async fn begin(app: &App, account: &Account, rights: Rights) -> Result<(String, Session)> {
    let (token, now) = (app.chance.token(TOKEN), app.clock.now());
    let payer_id = account.payer.id;
    let id = sessions::insert(app.db.write(), &hash(&token), payer_id, account.epoch, rights, now).await?;
    tracing::info!(session = %id, rights = rights.code(), "signed in");
    Ok((token, Session { id, payer_id, rights, created_at: now, seen_at: now }))
}

/// The session of a token and whose it is; none when it has ended, by whatever cause.
pub async fn of_token(app: &App, token: &str) -> Result<Option<(Session, Payer)>> {
    Ok(account_of_token(app, token).await?.map(|(session, account)| (session, account.payer)))
}

/// As [`of_token`], with the whole account.
pub async fn account_of_token(app: &App, token: &str) -> Result<Option<(Session, Account)>> {
    if token.len() != TOKEN || !token.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(None);
    }
    let key = cache_key(&hash(token));
    let session = match from_cache(app, &key).await {
        Some(session) => session,
        None => match from_database(app, token, &key).await? {
            Some(session) => session,
            None => return Ok(None),
        },
    };
    let account = payers::find(app.db.read(), session.payer_id).await?;
    Ok(account.map(|account| (session, account)))
}

/// Ends one session.
pub async fn end(app: &App, token: &str) -> Result<()> {
    let hash = hash(token);
    let found = sessions::find(app.db.read(), &hash).await?;
    sessions::end(app.db.write(), &hash, app.clock.now()).await?;
    if let Some(session) = found {
        forget(app, session.payer_id, &[hash]).await;
    }
    Ok(())
}

/// Ends every session of a payer, on every device and in every process.
pub async fn end_all(app: &App, payer: PayerId) -> Result<()> {
    payers::raise_epoch(app.db.write(), payer).await?;
    let since = app.clock.now() - LONGEST;
    let hashes = sessions::hashes_of_payer(app.db.read(), payer, since).await?;
    forget(app, payer, &hashes).await;
    tracing::info!(%payer, sessions = hashes.len(), "signed out everywhere");
    Ok(())
}

/// Takes ended sessions out of the cache. The mark keeps a reader that was quicker than the ending from putting back
/// what it read before.
async fn forget(app: &App, payer: PayerId, hashes: &[String]) {
    app.cache.put(&mark(payer), "1", Duration::from_secs(30)).await;
    for hash in hashes {
        app.cache.remove(&cache_key(hash)).await;
    }
}

async fn from_cache(app: &App, key: &str) -> Option<Session> {
    if app.cache.state() == CacheState::Degraded {
        return None;
    }
    let session = read(&app.cache.get(key).await?)?;
    let fresh = app.clock.now().since(session.seen_at) < MINUTE;
    (fresh && is_alive(app, &session)).then_some(session)
}

async fn from_database(app: &App, token: &str, key: &str) -> Result<Option<Session>> {
    let found = sessions::find(app.db.read(), &hash(token)).await?;
    let Some(mut session) = found.filter(|session| is_alive(app, session)) else { return Ok(None) };
    let now = app.clock.now();
    if now.since(session.seen_at) >= MINUTE {
        sessions::touch(app.db.write(), session.id, now).await?;
        session.seen_at = now;
    }
    let mark = mark(session.payer_id);
    if app.cache.get(&mark).await.is_none() {
        app.cache.put(key, &write(&session), MINUTE).await;
        if app.cache.get(&mark).await.is_some() {
            app.cache.remove(key).await;
        }
    }
    Ok(Some(session))
}

fn is_alive(app: &App, session: &Session) -> bool {
    let now = app.clock.now();
    let idle = Duration::from_secs(app.config.checkout.session_seconds);
    now.since(session.seen_at) < idle && now.since(session.created_at) < LONGEST
}

pub(super) fn hash(token: &str) -> String {
    use std::fmt::Write;
    let digest = digest(&SHA256, token.as_bytes());
    digest.as_ref().iter().fold(String::with_capacity(64), |mut out, byte| {
        // writing to a String cannot fail
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn cache_key(hash: &str) -> String {
    format!("session:{hash}")
}

/// Set while sessions of this payer have just ended.
fn mark(payer: PayerId) -> String {
    format!("signed-out:{payer}")
}

fn write(session: &Session) -> String {
    let Session { id, payer_id, rights, created_at, seen_at } = session;
    format!("{id} {payer_id} {} {} {}", rights.code(), created_at.millis(), seen_at.millis())
}

fn read(text: &str) -> Option<Session> {
    let mut parts = text.split(' ');
    let mut next = || parts.next();
    Some(Session {
        id: SessionId(next()?.parse().ok()?),
        payer_id: PayerId(next()?.parse().ok()?),
        rights: Rights::parse(next()?)?,
        created_at: Moment::from_millis(next()?.parse().ok()?),
        seen_at: Moment::from_millis(next()?.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_comes_out_of_the_cache_as_it_went_in() {
        let session = Session {
            id: SessionId(7),
            payer_id: PayerId(8),
            rights: Rights::OwnArrears,
            created_at: Moment::from_millis(1),
            seen_at: Moment::from_millis(2),
        };
        assert_eq!(read(&write(&session)), Some(session));
        assert_eq!(read("7 8 root 1 2"), None);
        assert_eq!(read(""), None);
    }
}
