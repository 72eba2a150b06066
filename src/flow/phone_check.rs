//! 手机验证 before paying: a phone that answers is shown once, or for each choice. It becomes the phone of the receipt
//! of what is ordered then; the account's own phone stays as it is, for a code proves a phone and not a person.
use std::time::Duration;

use super::account::{NotTaken, Taken};
use super::failure::Result;
use super::guess::{Caller, keyed};
use super::letter::Letter;
use super::phone_code::{Asking, CodeFor};
use super::{profile, session};
use crate::app::App;
use crate::domain::consent::PhoneCheck;
use crate::domain::payer::Phone;
use crate::domain::session::{Rights, Session};
use crate::store::seal::Field;

pub const CODE: CodeFor = CodeFor { name: "phone-check", letter: |phone, code| Letter::PayCode { phone, code } };

/// How long a choice may be ordered after its phone was proven
const CHOICE: Duration = Duration::from_secs(30 * 60);

/// Whose proof it is: of one sign-in, and where each choice asks, of one choice (its key).
#[derive(Clone, Copy)]
pub struct Of<'a> {
    pub session: &'a Session,
    pub choice: &'a str,
}

impl Of<'_> {
    fn key(&self, app: &App) -> String {
        let choice = match app.config.checkout.phone_check {
            PhoneCheck::Always => self.choice,
            PhoneCheck::Off | PhoneCheck::Once => "",
        };
        format!("proven-phone:{}", keyed(app, "phone-check proof", &format!("{} {choice}", self.session.id)))
    }

    /// The browser and its sign-in, and nobody else.
    pub fn visitor(&self, visitor: &str) -> String {
        format!("{visitor} {}", self.session.id)
    }
}

pub fn is_asked(app: &App) -> bool {
    app.config.checkout.phone_check != PhoneCheck::Off
}

/// The phone that was proven, if it still counts.
pub async fn proven(app: &App, of: Of<'_>) -> Option<Phone> {
    let sealed = app.cache.get(&of.key(app)).await?;
    Phone::parse(&app.sealer.open(Field::Phone, &sealed)?)
}

/// The phone to begin with, masked: the account's own, where this sign-in may see it.
pub async fn known(app: &App, session: &Session) -> Result<Option<Phone>> {
    match session.rights {
        Rights::Full => Ok(profile::own(app, session).await?.phone),
        Rights::OwnArrears | Rights::Bound => Ok(None),
    }
}

/// Asks for a code; `typed` may be the account's own phone as it is shown, masked.
pub async fn send(app: &App, session: &Session, typed: &str, asking: Asking<'_>) -> Result<Taken<String>> {
    let known = known(app, session).await?.filter(|phone| phone.masked() == typed.trim());
    let phone = known.as_ref().map_or(typed, Phone::reveal);
    CODE.send(app, phone, asking).await
}

/// The code that came. It counts once; whoever has proven a phone before goes on.
pub async fn prove(app: &App, of: Of<'_>, ticket: &str, code: &str, caller: Caller<'_>) -> Result<Taken<()>> {
    match CODE.prove(app, ticket, code, caller).await? {
        Err(NotTaken::StepOver) if proven(app, of).await.is_some() => return Ok(Ok(())),
        Err(not) => return Ok(Err(not)),
        Ok(()) => {}
    }
    let Some((phone, _)) = CODE.spend(app, ticket, caller.visitor).await else {
        return Ok(if proven(app, of).await.is_some() { Ok(()) } else { Err(NotTaken::StepOver) });
    };
    let lasts = match app.config.checkout.phone_check {
        PhoneCheck::Always => CHOICE,
        PhoneCheck::Off | PhoneCheck::Once => session::LONGEST,
    };
    app.cache.put(&of.key(app), &app.sealer.seal(Field::Phone, phone.reveal()), lasts).await;
    Ok(Ok(()))
}
