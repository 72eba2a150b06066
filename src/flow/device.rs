//! 登录提醒: a sign-in with a browser that was not seen before is told by mail. Of a browser a keyed hash is kept.
use super::failure::Result;
use super::guess::{Caller, keyed};
use super::letter::Letter;
use crate::app::App;
use crate::domain::ids::PayerId;
use crate::domain::message::Way;
use crate::store::{devices, messages};

/// Notes that a payer has signed in with a password. The very first browser is told nobody.
pub async fn note(app: &App, payer: PayerId, caller: Caller<'_>) -> Result<()> {
    if !app.config.school.sign_in_notice || !app.carrier.has(Way::Mail) {
        return Ok(());
    }
    let device = keyed(app, "device", &format!("{payer} {}", caller.visitor));
    let (tx, now) = (app.db.begin().await?, app.clock.now());
    let known = devices::known(&tx, payer, &device).await?;
    devices::note(&tx, payer, &device, now).await?;
    if known.any && !known.this {
        let letter = Letter::SignIn { payer, at: now.millis(), address: caller.address.to_string() };
        messages::insert(&tx, &app.sealer, letter.kind(), &letter.write(), now).await?;
    }
    tx.commit().await?;
    Ok(())
}
