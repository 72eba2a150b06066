//! Calls in the official account's name. All processes share one access token (and one ticket) through the cache,
//! and of those that find it missing one fetches it.
//!
//! The token may be lost at any time: the platform gives the same one again (stable_token), so without Redis each
//! process holds it for itself.
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use serde_json::Value;

use crate::app::App;
use crate::metrics::labels::OFFICIAL_ACCOUNT;
use crate::official_account::api::{AccountApi, AccountError, Call};

/// A token or ticket is not used in the last five minutes of its life: the platform then has the next one ready.
const MARGIN: Duration = Duration::from_secs(300);
/// How long one may take to fetch it before another tries.
const FETCHING: Duration = Duration::from_secs(10);
/// How long nobody tries again after it could not be fetched.
const FAILED: Duration = Duration::from_secs(2);
/// Between two looks of one who waits for it, and how many of them.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: u32 = 240;

/// Calls the platform; a token that has become invalid is fetched anew once, and the call repeated once.
///
/// # Errors
/// What the platform said, or that there is no official account.
pub async fn call(app: &App, call: &Call) -> Result<Value, AccountError> {
    let api = app.account.as_ref().ok_or(AccountError::Unreachable("no [official_account] is configured"))?;
    let begun = Instant::now();
    let answer = with_token(app, api, call).await;
    let outcome = answer.as_ref().err().map_or("ok", AccountError::code);
    app.metrics.called(OFFICIAL_ACCOUNT, "account", outcome, begun.elapsed());
    answer
}

async fn with_token(app: &App, api: &AccountApi, call: &Call) -> Result<Value, AccountError> {
    let token = token(app, api, None).await?;
    match api.call(call, &token).await {
        Err(AccountError::Token(_)) => {
            let fresh = self::token(app, api, Some(&token)).await?;
            api.call(call, &fresh).await
        }
        answer => answer,
    }
}

/// The token in use, and never `stale`, which the platform has just refused. Asks for the one in use; when that is the
/// one that was refused, for a new one.
async fn token(app: &App, api: &AccountApi, stale: Option<&str>) -> Result<String, AccountError> {
    let fetch = async {
        let mut told = api.stable_token(false).await?;
        if stale == Some(told.text.expose_secret()) {
            told = api.stable_token(true).await?;
        }
        Ok((told.text.expose_secret().to_owned(), told.life))
    };
    held(app, &format!("account-token:{}", api.app_id()), stale, fetch).await
}

/// What all processes hold under `key`, but `stale`; of those that find it missing one fetches it, with its life.
pub(super) async fn held(
    app: &App,
    key: &str,
    stale: Option<&str>,
    fetch: impl Future<Output = Result<(String, Duration), AccountError>> + Send,
) -> Result<String, AccountError> {
    let turn = format!("{key}:turn");
    for _ in 0..LOOKS {
        if let Some(held) = look(app, key, stale).await {
            return Ok(held);
        }
        if app.cache.once(&turn, FETCHING).await {
            // whoever had the turn before may have ended between the two questions
            if let Some(held) = look(app, key, stale).await {
                app.cache.remove(&turn).await;
                return Ok(held);
            }
            let fetched = fetch.await;
            match &fetched {
                Ok((text, life)) => {
                    let life = life.saturating_sub(MARGIN).max(Duration::from_secs(10));
                    app.cache.put(key, text, life).await;
                    app.cache.remove(&turn).await;
                }
                Err(_) => app.cache.put(&turn, "failed", FAILED).await,
            }
            return fetched.map(|(text, _)| text);
        }
        if app.cache.get(&turn).await.as_deref() == Some("failed") {
            return Err(AccountError::Unreachable("it could not be fetched a moment ago"));
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(AccountError::Unreachable("whoever fetches it did not come back"))
}

async fn look(app: &App, key: &str, stale: Option<&str>) -> Option<String> {
    app.cache.get(key).await.filter(|held| Some(held.as_str()) != stale)
}
