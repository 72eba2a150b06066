//! 个人信息 and 银行卡: what a payer gives and changes. Where mail and messages go, and where a refund may go, is
//! changed only by who knows the password.
use super::account::{self, NotTaken};
use super::failure::Result;
use super::guess::Caller;
use super::mailbox;
use crate::app::App;
use crate::domain::message::Way;
use crate::domain::payer::Phone;
use crate::domain::profile::{Address, BankCard, Email};
use crate::domain::refusal::Refusal;
use crate::domain::session::{Rights, Session};
use crate::store::profiles::Profile;
use crate::store::{payers, profiles};

/// What a payer has given; the phone may be the school's.
pub struct Own {
    pub phone: Option<Phone>,
    pub profile: Profile,
}

pub async fn own(app: &App, session: &Session) -> Result<Own> {
    allowed(session)?;
    let account = payers::find(app.db.read(), session.payer_id).await?.ok_or(Refusal::NotFound)?;
    let profile = profiles::find(app.db.read(), &app.sealer, session.payer_id).await?;
    Ok(Own { phone: account.phone(&app.sealer)?, profile })
}

/// A form of 个人信息 as it was typed. What was not touched still reads as it is shown, masked.
#[derive(Clone, Copy)]
pub struct Typed<'a> {
    pub phone: &'a str,
    pub email: &'a str,
    pub postcode: &'a str,
    pub street: &'a str,
    /// Needed when the phone or the e-mail address changes
    pub password: &'a str,
}

/// Why 个人信息 was not taken; each field says for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wrong {
    pub phone: bool,
    pub email: bool,
    pub postcode: bool,
    pub street: bool,
    pub password: Option<NotTaken>,
}

/// What became of a changed form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changed {
    Saved,
    /// Saved but for the mailbox: it counts once the link that was sent there is opened
    MailSent,
}

/// Changes what differs from what is kept. A new mailbox counts only when its link is opened, where mail goes out at
/// all; `mail_link` is where the link leads, to be followed by what proves it.
pub async fn change(
    app: &App,
    session: &Session,
    typed: Typed<'_>,
    mail_link: &str,
    caller: Caller<'_>,
) -> Result<std::result::Result<Changed, Wrong>> {
    let Own { phone, profile } = own(app, session).await?;
    let new_phone = match &phone {
        Some(kept) if typed.phone.trim() == kept.masked() => Ok(None),
        None if typed.phone.trim().is_empty() => Ok(None),
        _ => Phone::parse_mobile(typed.phone).map(Some).ok_or(()),
    };
    let email = match (&profile.email, typed.email.trim()) {
        (Some(kept), same) if same == kept.masked() => Ok(Some(kept.clone())),
        (_, "") => Ok(None),
        (_, typed) => Email::parse(typed).map(Some).ok_or(()),
    };
    let (postcode, street) = (Address::postcode_of(typed.postcode), Address::street_of(typed.street));
    let (new_phone, email, postcode, street) = match (new_phone, email, postcode, street) {
        (Ok(phone), Ok(email), Some(postcode), Some(street)) => (phone, email, postcode, street),
        (phone, email, postcode, street) => {
            return Ok(Err(Wrong {
                phone: phone.is_err(),
                email: email.is_err(),
                postcode: postcode.is_none(),
                street: street.is_none(),
                password: None,
            }));
        }
    };
    let new_phone = new_phone.filter(|new| Some(new) != phone.as_ref());
    if (new_phone.is_some() || email != profile.email)
        && let Err(not) = account::prove_own(app, session, typed.password, caller).await?
    {
        return Ok(Err(Wrong { password: Some(not), ..Wrong::default() }));
    }
    let (tx, now) = (app.db.begin().await?, app.clock.now());
    payers::lock(&tx, session.payer_id).await?;
    let kept = profiles::find(&tx, &app.sealer, session.payer_id).await?;
    let proves = app.carrier.has(Way::Mail);
    let named = email.clone().filter(|email| proves && kept.email.as_ref() != Some(email));
    if let Some(mailbox) = &named {
        if !mailbox::is_named(app, &tx, session.payer_id, mailbox).await? {
            mailbox::name(app, &tx, session.payer_id, mailbox, mail_link).await?;
        }
    } else if email.is_none() {
        mailbox::give_up(app, &tx, session.payer_id, kept.email.as_ref()).await?;
    }
    let email = if named.is_some() { kept.email } else { email };
    let profile = Profile { email, address: Address { postcode, street }, card: kept.card };
    profiles::save(&tx, &app.sealer, session.payer_id, &profile, now).await?;
    if let Some(phone) = &new_phone {
        profiles::set_phone(&tx, &app.sealer, session.payer_id, phone, now).await?;
    }
    tx.commit().await?;
    tracing::info!(payer = %session.payer_id, phone = new_phone.is_some(), "profile changed");
    Ok(Ok(if named.is_some() { Changed::MailSent } else { Changed::Saved }))
}

/// A form of 银行卡 as it was typed.
#[derive(Clone, Copy)]
pub struct TypedCard<'a> {
    pub number: &'a str,
    pub bank: &'a str,
    pub holder: &'a str,
    pub password: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WrongCard {
    pub number: bool,
    pub bank: bool,
    pub holder: bool,
    pub password: Option<NotTaken>,
}

pub async fn set_card(
    app: &App,
    session: &Session,
    typed: TypedCard<'_>,
    caller: Caller<'_>,
) -> Result<std::result::Result<(), WrongCard>> {
    allowed(session)?;
    let Some(card) = BankCard::new(typed.number, typed.bank, typed.holder) else {
        return Ok(Err(WrongCard {
            number: BankCard::number_of(typed.number).is_none(),
            bank: BankCard::name_of(typed.bank).is_none(),
            holder: BankCard::name_of(typed.holder).is_none(),
            password: None,
        }));
    };
    keep_card(app, session, Some(card), typed.password, caller).await
}

pub async fn remove_card(
    app: &App,
    session: &Session,
    password: &str,
    caller: Caller<'_>,
) -> Result<std::result::Result<(), WrongCard>> {
    allowed(session)?;
    keep_card(app, session, None, password, caller).await
}

async fn keep_card(
    app: &App,
    session: &Session,
    card: Option<BankCard>,
    password: &str,
    caller: Caller<'_>,
) -> Result<std::result::Result<(), WrongCard>> {
    if let Err(not) = account::prove_own(app, session, password, caller).await? {
        return Ok(Err(WrongCard { password: Some(not), ..WrongCard::default() }));
    }
    let (tx, now) = (app.db.begin().await?, app.clock.now());
    payers::lock(&tx, session.payer_id).await?;
    let kept = profiles::find(&tx, &app.sealer, session.payer_id).await?;
    profiles::save(&tx, &app.sealer, session.payer_id, &Profile { card, ..kept }, now).await?;
    tx.commit().await?;
    tracing::info!(payer = %session.payer_id, "card for refunds changed");
    Ok(Ok(()))
}

/// Nothing personal for who signed in with document number and name.
fn allowed(session: &Session) -> Result<()> {
    match session.rights {
        Rights::Full => Ok(()),
        Rights::OwnArrears | Rights::Bound => Err(Refusal::NotFound.into()),
    }
}
