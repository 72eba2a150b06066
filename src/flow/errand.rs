//! A browser is sent away and comes back: to a channel that says who pays, to the portal that says who it is.
//!
//! What comes back with it is a state text that nobody can guess. It counts once, for a while, and only for the browser
//! that was sent: an answer that somebody else was given signs nobody in and pays for nobody.
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::app::App;

/// Letters of a state text, 5.8 bits each
const STATE: usize = 32;

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    /// Hash of the cookie of the browser that was sent
    visitor: String,
    about: T,
}

/// Keeps what an errand is about; gives the state text. `kind` keeps errands to one place apart from those to another.
pub async fn send<T: Serialize>(app: &App, kind: &str, visitor: &str, about: T, life: Duration) -> String {
    let state = app.chance.token(STATE);
    if let Ok(text) = serde_json::to_string(&Kept { visitor: visitor.to_owned(), about }) {
        app.cache.put(&key(kind, &state), &text, life).await;
    }
    state
}

/// What the errand of a state text was about. None: there is no such errand, its time is over, it is done, or another
/// browser was sent.
pub async fn back<T: DeserializeOwned>(app: &App, kind: &str, visitor: &str, state: &str) -> Option<T> {
    if state.len() != STATE {
        return None;
    }
    let kept: Kept<T> = serde_json::from_str(&app.cache.take(&key(kind, state)).await?).ok()?;
    (kept.visitor == visitor).then_some(kept.about)
}

fn key(kind: &str, state: &str) -> String {
    format!("errand:{kind}:{state}")
}
