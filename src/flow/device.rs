//! 登录提醒: a sign-in with a browser that was not seen before is told by mail and in WeChat. Of a browser a
//! keyed hash is kept.
use super::failure::Result;
use super::guess::{Caller, keyed};
use super::letter::Letter;
use super::official::note;
use crate::app::App;
use crate::domain::ids::PayerId;
use crate::domain::message::Way;
use crate::store::{devices, messages};

/// Notes that a payer has signed in with a password. The very first browser is told nobody.
pub async fn note(app: &App, payer: PayerId, caller: Caller<'_>) -> Result<()> {
    let by_mail = app.carrier.has(Way::Mail);
    if !app.config.school.sign_in_notice || (!by_mail && !note::tells_sign_ins(app)) {
        return Ok(());
    }
    let device = keyed(app, "device", &format!("{payer} {}", caller.visitor));
    let (tx, now) = (app.db.begin().await?, app.clock.now());
    let known = devices::known(&tx, payer, &device).await?;
    devices::note(&tx, payer, &device, now).await?;
    if known.any && !known.this {
        note::signed_in(app, &tx, payer, now).await?;
    }
    if known.any && !known.this && by_mail {
        let letter = Letter::SignIn { payer, at: now.millis(), address: caller.address.to_string() };
        messages::insert(&tx, &app.sealer, letter.kind(), &letter.write(), now).await?;
    }
    tx.commit().await?;
    Ok(())
}
