//! 微信绑定: a payer who has signed in inside WeChat may let this WeChat in without a password from then on.
//!
//! Nothing is bound unasked. A binding has the rights of the sign-in that made it and no more, and ends with whatever
//! signs its payer out everywhere.
use crate::app::App;
use crate::domain::ids::{BindingId, PayerId};
use crate::domain::moment::Moment;
use crate::domain::payer::{PayerKind, mask_name, mask_number};
use crate::domain::session::{Rights, Session};
use crate::domain::trade::{Buyer, Channel};
use crate::flow::buyer;
use crate::flow::failure::Result;
use crate::flow::session;
use crate::store::bindings::{self, Binding};
use crate::store::{messages, payers};

/// A payer this WeChat may come in as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    pub id: BindingId,
    pub kind: PayerKind,
    pub masked_name: String,
    pub masked_number: String,
    pub college: String,
    pub class_name: String,
}

/// A WeChat that opens a payer's account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    pub id: BindingId,
    /// The one that asks
    pub is_this: bool,
    pub created_at: Moment,
}

/// How a visitor of the menu comes in.
#[derive(PartialEq, Eq, Debug)]
pub enum Entry {
    /// The token of a new session
    In(String),
    Choose(Vec<Identity>),
    /// Nothing is bound, or WeChat did not say who it is
    Nobody,
}

pub fn is_offered(app: &App) -> bool {
    app.oauth.is_some()
}

/// Where the browser is sent to be known, to come back to `back` whether WeChat says who it is or not.
pub async fn ask_who(app: &App, visitor: &str, back: &str) -> Result<String> {
    buyer::send_to_be_known(app, visitor, back).await
}

async fn openid(app: &App, visitor: &str) -> Option<String> {
    match buyer::known(app, "", Channel::Wechat, visitor).await? {
        Buyer::WechatOpenid(openid) => Some(openid),
        _ => None,
    }
}

/// Whether WeChat has said who this browser's user is.
pub async fn is_known(app: &App, visitor: &str) -> bool {
    openid(app, visitor).await.is_some()
}

/// Lets a visitor in: as the only payer that is bound, or as the one of several that `chosen` names.
pub async fn enter(app: &App, visitor: &str, chosen: Option<BindingId>) -> Result<Entry> {
    let Some(openid) = openid(app, visitor).await else { return Ok(Entry::Nobody) };
    let bound = bindings::of_openid(app.db.read(), &openid).await?;
    let one = match (bound.as_slice(), chosen) {
        ([], _) => return Ok(Entry::Nobody),
        ([one], None) => one,
        (several, None) => return Ok(Entry::Choose(identities(app, several).await?)),
        (several, Some(id)) => match several.iter().find(|one| one.id == id) {
            Some(one) => one,
            None => return Ok(Entry::Choose(identities(app, several).await?)),
        },
    };
    let Some(account) = payers::find(app.db.read(), one.payer).await? else { return Ok(Entry::Nobody) };
    let (token, _) = match one.by_portal {
        true => session::begin_by_portal(app, &account, one.rights, None).await?,
        false => session::begin(app, &account, one.rights).await?,
    };
    Ok(Entry::In(token))
}

async fn identities(app: &App, bound: &[Binding]) -> Result<Vec<Identity>> {
    let mut found = Vec::new();
    for one in bound {
        found.extend(payers::find(app.db.read(), one.payer).await?.map(|account| Identity {
            id: one.id,
            kind: account.payer.kind,
            masked_name: mask_name(&account.payer.name),
            masked_number: mask_number(&account.payer.number),
            college: account.payer.college,
            class_name: account.payer.class_name,
        }));
    }
    Ok(found)
}

/// The WeChats that open this payer's account. A limited session sees only its own.
pub async fn list(app: &App, session: &Session, visitor: &str) -> Result<Vec<Bound>> {
    let own = match openid(app, visitor).await {
        Some(openid) => bindings::of_openid(app.db.read(), &openid).await?,
        None => Vec::new(),
    };
    let bound = bindings::of_payer(app.db.read(), session.payer_id).await?.into_iter().map(|one| Bound {
        id: one.id,
        is_this: own.iter().any(|mine| mine.id == one.id),
        created_at: one.created_at,
    });
    Ok(bound.filter(|one| one.is_this || session.rights == Rights::Full).collect())
}

/// Binds this WeChat to the payer who is signed in. False when WeChat has not said who it is.
///
/// A limited sign-in does not take away what a full one has given.
pub async fn bind(app: &App, session: &Session, visitor: &str) -> Result<bool> {
    let Some(openid) = openid(app, visitor).await else { return Ok(false) };
    let (tx, now) = (app.db.begin().await?, app.clock.now());
    payers::lock(&tx, session.payer_id).await?;
    let known = bindings::of_openid(&tx, &openid).await?;
    let is_full = |one: &Binding| one.payer == session.payer_id && one.rights == Rights::Full;
    if session.rights == Rights::Full || !known.iter().any(is_full) {
        bindings::insert(&tx, &openid, session, now).await?;
    }
    tx.commit().await?;
    tracing::info!(payer = %session.payer_id, rights = session.rights.code(), "a WeChat was bound");
    Ok(true)
}

/// Ends a binding. False when this session may not: it is not its payer's, or not its own.
pub async fn unbind(app: &App, session: &Session, visitor: &str, id: BindingId) -> Result<bool> {
    if !list(app, session, visitor).await?.iter().any(|one| one.id == id) {
        return Ok(false);
    }
    Ok(bindings::remove(app.db.write(), id, session.payer_id).await?)
}

/// The office ends every binding of a payer; gives how many there were.
pub async fn end_all(app: &App, payer: PayerId) -> Result<u64> {
    Ok(bindings::remove_of_payer(app.db.write(), payer).await?)
}

/// Somebody has left the account (`unsubscribe`): nothing of them is kept, and what waits for them is not sent.
pub async fn forget(app: &App, openid: &str) -> Result<u64> {
    let tx = app.db.begin().await?;
    let ended = bindings::remove_of_openid(&tx, openid).await?;
    messages::drop_of(&tx, openid, app.clock.now()).await?;
    tx.commit().await?;
    Ok(ended)
}
