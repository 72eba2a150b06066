//! 接口密钥: making one, revoking it, and letting a call in with it.
//!
//! A key is 256 random bits and is kept nowhere here; its hash finds it again. Every call looks it up, so a revoked
//! key ends with the next call, in every process.
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::failure::Result;
use crate::app::App;
use crate::cache::throttle::Throttle;
use crate::domain::api_key::{ApiKey, ApiScope};
use crate::store::api_keys;
use crate::store::error::StoreError;

/// How every key begins, so that one that leaked is recognised
const PREFIX: &str = "jfk_";
/// Letters after it: 32 bytes in base64
const LETTERS: usize = 43;
const MINUTE: Duration = Duration::from_secs(60);

/// What becomes of a call that brings a key.
pub enum Admission {
    Admitted(ApiKey),
    /// No key, none of ours, or revoked
    Unknown,
    /// Too many calls in this minute
    Wait(Duration),
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum NoKey {
    #[error("a name has 1 to 64 characters, none of them a control character")]
    Name,
    #[error("a key without a scope may do nothing")]
    NoScope,
    #[error("a key of this name is in use; revoke it first, or take another name")]
    NameTaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a key and gives it, once.
pub async fn issue(app: &App, name: &str, scopes: &[ApiScope]) -> std::result::Result<String, NoKey> {
    if !(1..=64).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(NoKey::Name);
    }
    if scopes.is_empty() {
        return Err(NoKey::NoScope);
    }
    let mut scopes = scopes.to_vec();
    scopes.sort_unstable();
    scopes.dedup();
    let key = format!("{PREFIX}{}", BASE64.encode(app.chance.bytes::<32>()));
    match api_keys::insert(app.db.write(), name, &hash(&key), &scopes, app.clock.now()).await {
        Ok(id) => tracing::info!(key = %id, "an API key was made"),
        Err(error) if error.is_duplicate() => return Err(NoKey::NameTaken),
        Err(error) => return Err(error.into()),
    }
    Ok(key)
}

/// Ends the key of a name; false when none is live.
pub async fn revoke(app: &App, name: &str) -> Result<bool> {
    Ok(api_keys::revoke(app.db.write(), name, app.clock.now()).await?)
}

pub async fn list(app: &App) -> Result<Vec<ApiKey>> {
    Ok(api_keys::list(app.db.read()).await?)
}

/// Lets a call in, and counts it.
pub async fn admit(app: &App, key: &str) -> Result<Admission> {
    let looks_right = key.len() == PREFIX.len() + LETTERS && key.starts_with(PREFIX) && key.is_ascii();
    if !looks_right {
        return Ok(Admission::Unknown);
    }
    let Some(found) = api_keys::find(app.db.read(), &hash(key)).await? else { return Ok(Admission::Unknown) };
    let counter = format!("api:{}", found.id);
    if let Throttle::Wait(wait) = app.cache.throttle(&counter, app.config.api.calls_per_minute, MINUTE).await {
        return Ok(Admission::Wait(wait));
    }
    let now = app.clock.now();
    if found.last_used_at.is_none_or(|at| now.since(at) >= MINUTE) {
        api_keys::touch(app.db.write(), found.id, now).await?;
    }
    Ok(Admission::Admitted(found))
}

fn hash(key: &str) -> String {
    use std::fmt::Write;
    digest(&SHA256, key.as_bytes()).as_ref().iter().fold(String::with_capacity(64), |mut out, byte| {
        // writing to a String cannot fail
        let _ = write!(out, "{byte:02x}");
        out
    })
}
