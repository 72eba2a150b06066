//! What somebody typed into a form that came too late: its session had ended, or its page was an earlier one's. It
//! waits for the same browser and the same person for half an hour, sealed, in the cache: losing it loses some typing.
//!
//! What may wait is chosen by the caller; passwords, codes and numbers of documents never come here.
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::failure::Result;
use super::session;
use crate::app::App;
use crate::domain::ids::PayerId;
use crate::store::seal::Field;
use crate::store::sessions;

/// As long as a sign-in may take, with a forgotten password in between
pub const WAITS: Duration = Duration::from_secs(30 * 60);

/// What was typed, and where.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Late {
    /// Whose it is; none where nobody signs in
    pub payer: Option<PayerId>,
    /// The path of the page the form stood on, without its query
    pub page: String,
    /// The path it was sent to
    pub action: String,
    /// Names and values
    pub fields: Vec<(String, String)>,
}

/// Whose session a token was, though nobody has used it for too long; none when it was ended by a sign-out or another
/// password.
pub async fn whose(app: &App, token: &str) -> Result<Option<PayerId>> {
    let found = sessions::find(app.db.read(), &session::hash(token)).await?;
    Ok(found.map(|(session, _)| session.member.unwrap_or(session.payer_id)))
}

/// Keeps it for the browser, in the place of what waited before.
pub async fn keep(app: &App, visitor: &str, late: &Late) {
    // sealed like a letter: it may name people, phones and addresses
    if let Ok(text) = serde_json::to_string(late) {
        app.cache.put(&key(visitor), &app.sealer.seal(Field::Letter, &text), WAITS).await;
    }
}

/// What waits for the browser on this page, for one use. `payer` is who is signed in now: what another person typed is
/// thrown away.
pub async fn take(app: &App, visitor: &str, page: &str, payer: Option<PayerId>) -> Option<Late> {
    let read =
        |sealed: String| -> Option<Late> { serde_json::from_str(&app.sealer.open(Field::Letter, &sealed)?).ok() };
    let late = app.cache.get(&key(visitor)).await.and_then(read)?;
    // the pages in between leave it alone
    if late.page != page {
        return None;
    }
    app.cache.take(&key(visitor)).await.filter(|_| late.payer.is_none() || late.payer == payer)?;
    Some(late)
}

fn key(visitor: &str) -> String {
    format!("late:{visitor}")
}
