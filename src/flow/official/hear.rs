//! Hears what followers write to the account and do with it, and says what to answer.
//!
//! The same push may come four times and to any process: it is answered once. What it brings about is safe to do again.
//! An answer says where to go, never anything of a person: whoever holds the phone reads it.
use std::time::Duration;

use super::binding;
use super::talk;
use crate::app::App;
use crate::flow::failure::Result;
use crate::flow::session::hash;
pub use crate::official_account::envelope::{Push, PushRefusal};
use crate::official_account::message::{About, Message};

/// How long a push is known; the platform repeats within some twenty seconds (receiving messages: thrice, after 5 s).
const KNOWN: Duration = Duration::from_secs(600);

/// What the platform is answered.
pub enum Heard {
    /// XML
    Answer(String),
    /// `success`: there is nothing to say
    Nothing,
    Refused(PushRefusal),
    /// The database failed: let it come again
    Later,
    /// The account's messages are not heard here
    Nowhere,
}

/// The set-up check: whether whoever asks has our token.
pub fn is_platform(app: &App, push: &Push<'_>) -> bool {
    app.envelope.as_ref().is_some_and(|envelope| envelope.believe(push, app.clock.now()).is_ok())
}

pub async fn hear(app: &App, push: &Push<'_>) -> Heard {
    let Some(envelope) = &app.envelope else { return Heard::Nowhere };
    let opened = match envelope.open(push, app.clock.now()) {
        Ok(opened) => opened,
        Err(why) => return refused(why),
    };
    let Some(message) = Message::read(&opened.text) else { return refused(PushRefusal::Shape) };
    let key = format!("account-message:{}", hash(&message.key));
    // whoever leaves is forgotten however often it is said
    if message.about != About::Unsubscribe && !app.cache.once(&key, KNOWN).await {
        return Heard::Nothing;
    }
    match answer(app, &message).await {
        Ok(None) => Heard::Nothing,
        Ok(Some(words)) => {
            let now = app.clock.now();
            let answer = message.answer(&words, now);
            Heard::Answer(envelope.seal(&opened, answer, app.chance.bytes(), &app.chance.token(16), now))
        }
        Err(failure) => {
            tracing::error!(%failure, "a follower who left is not forgotten yet; it will be said again");
            Heard::Later
        }
    }
}

fn refused(why: PushRefusal) -> Heard {
    tracing::warn!(%why, "a push to the message server was refused");
    Heard::Refused(why)
}

async fn answer(app: &App, message: &Message) -> Result<Option<String>> {
    let config = &app.config;
    Ok(match &message.about {
        About::Unsubscribe => {
            let ended = binding::forget(app, &message.from).await?;
            tracing::info!(ended, "a follower has left");
            None
        }
        About::Text(text) => Some(talk::to_text(config, text)),
        About::Click { key } => Some(talk::to_key(config, key)),
        About::Subscribe { scene } => {
            let scanned = scene.as_ref().and_then(|scene| talk::to_scene(config, scene));
            Some(scanned.unwrap_or_else(|| talk::welcome(config)))
        }
        About::Scan { scene } => Some(talk::to_scene(config, scene).unwrap_or_else(|| talk::to_key(config, scene))),
        About::Other => None,
    })
}
