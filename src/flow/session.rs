//! 登录会话: beginning one, finding one by its token, and ending it.
//!
//! The rows in the database are the truth, and nothing stands between: each request reads its session and its payer in
//! one statement. So what ends a session ends it everywhere at once.
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use super::failure::Result;
use crate::app::App;
use crate::domain::ids::PayerId;
use crate::domain::payer::Payer;
use crate::domain::session::{Rights, Session};
use crate::store::payers::{self, Account};
use crate::store::sessions::{self, Opened};

/// Letters of a token, 5.8 bits each
const TOKEN: usize = 43;
/// How long a session lasts however much it is used
pub const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// How often the use of a session is noted
const MINUTE: Duration = Duration::from_secs(60);

/// Begins a session and gives its token, which is kept nowhere here.
pub async fn begin(app: &App, account: &Account, rights: Rights) -> Result<(String, Session)> {
    begin_with(app, account, Opened { rights, by_portal: false, ticket_hash: None }).await
}

/// As [`begin`], for whom the portal has vouched; by a ticket, which ends the session too.
pub async fn begin_by_portal(
    app: &App,
    account: &Account,
    rights: Rights,
    ticket: Option<&str>,
) -> Result<(String, Session)> {
    let ticket_hash = ticket.map(hash);
    begin_with(app, account, Opened { rights, by_portal: true, ticket_hash: ticket_hash.as_deref() }).await
}

async fn begin_with(app: &App, account: &Account, opened: Opened<'_>) -> Result<(String, Session)> {
    let (token, now) = (app.chance.token(TOKEN), app.clock.now());
    let payer_id = account.payer.id;
    let id = sessions::insert(app.db.write(), &hash(&token), payer_id, account.epoch, opened, now).await?;
    let Opened { rights, by_portal, .. } = opened;
    tracing::info!(session = %id, rights = rights.code(), by_portal, "signed in");
    Ok((token, Session { id, payer_id, rights, member: None, by_portal, created_at: now, seen_at: now }))
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
    let found = sessions::find(app.db.read(), &hash(token)).await?;
    let Some((mut session, account)) = found.filter(|(session, _)| is_alive(app, session)) else { return Ok(None) };
    let now = app.clock.now();
    if now.since(session.seen_at) >= MINUTE {
        sessions::touch(app.db.write(), session.id, now).await?;
        session.seen_at = now;
    }
    Ok(Some((session, account)))
}

/// Ends one session.
pub async fn end(app: &App, token: &str) -> Result<()> {
    Ok(sessions::end(app.db.write(), &hash(token), app.clock.now()).await?)
}

/// Ends what a ticket of the portal's has opened; gives how many sessions that were.
pub async fn end_of_ticket(app: &App, ticket: &str) -> Result<u64> {
    Ok(sessions::end_of_ticket(app.db.write(), &hash(ticket), app.clock.now()).await?)
}

/// Ends every session of a payer, on every device and in every process.
pub async fn end_all(app: &App, payer: PayerId) -> Result<()> {
    payers::raise_epoch(app.db.write(), payer).await?;
    tracing::info!(%payer, "signed out everywhere");
    Ok(())
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
