//! Who pays, as the channel knows the person: WeChat's openid and Alipay's user id, asked for silently when a product
//! needs it.
//!
//! The answer lives in the cache only, bound to the visitor's own cookie: when it is lost, the channel is asked again.
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::errand;
use super::failure::Result;
use crate::app::App;
use crate::domain::refusal::Refusal;
use crate::domain::trade::{Buyer, Channel};
use crate::metrics::labels::OFFICIAL_ACCOUNT;
use crate::official_account::oauth::OauthError;

/// How long a visitor may be away
const AWAY: Duration = Duration::from_secs(600);

/// What a state text stands for while the payer is away at the channel's page.
#[derive(Serialize, Deserialize)]
struct Errand {
    payee_code: String,
    back: String,
    /// Only to be known: without WeChat's word the way goes on all the same
    #[serde(default)]
    optional: bool,
}

/// The buyer this visitor is known as, if he has been asked for.
pub async fn known(app: &App, payee_code: &str, channel: Channel, visitor: &str) -> Option<Buyer> {
    Buyer::parse(&app.cache.get(&key(payee_code, channel, visitor)).await?)
}

fn key(payee_code: &str, channel: Channel, visitor: &str) -> String {
    match channel {
        // one official account serves all payees
        Channel::Wechat => format!("buyer:wechat:{visitor}"),
        Channel::Alipay | Channel::UnionPay => format!("buyer:{}:{payee_code}:{visitor}", channel.code()),
    }
}

/// Sends a visitor to the channel's sign-in page, to come back to `{public_url}/{channel}/callback` and from there to
/// `back`, a path of ours. `visitor` is the hash of the browser's own cookie.
pub async fn send(app: &App, payee_code: &str, channel: Channel, visitor: &str, back: &str) -> Result<String> {
    away(app, channel, visitor, errand(payee_code, back)).await
}

/// As [`send`] to WeChat, for whoever need not be known: the way goes on to `back` without WeChat's word too.
pub async fn send_to_be_known(app: &App, visitor: &str, back: &str) -> Result<String> {
    // what was known before is not taken for the word that is asked for now
    app.cache.remove(&key("", Channel::Wechat, visitor)).await;
    away(app, Channel::Wechat, visitor, Errand { optional: true, ..errand("", back) }).await
}

fn errand(payee_code: &str, back: &str) -> Errand {
    Errand { payee_code: payee_code.to_owned(), back: back.to_owned(), optional: false }
}

async fn away(app: &App, channel: Channel, visitor: &str, errand: Errand) -> Result<String> {
    let account = app.channels.find(&errand.payee_code, channel);
    let state = errand::send(app, channel.code(), visitor, errand, AWAY).await;
    let callback = format!("{}/{}/callback", app.config.server.public_url, channel.code());
    let url = match channel {
        Channel::Wechat => app.oauth.as_ref().map(|oauth| oauth.authorize_url(&callback, &state)),
        Channel::Alipay | Channel::UnionPay => account.and_then(|account| account.sign_in_url(&callback, &state)),
    };
    Ok(url.ok_or(Refusal::NotOffered)?)
}

/// A visitor came back from the channel's page. The state counts once, and only for the browser that was sent; the
/// code is traded for the buyer. Gives the path to go on to.
pub async fn receive(app: &App, channel: Channel, visitor: &str, state: &str, code: &str) -> Result<String> {
    let errand: Option<Errand> = errand::back(app, channel.code(), visitor, state).await;
    let errand = errand.ok_or(Refusal::NotFound)?;
    match who(app, channel, &errand, code).await {
        Ok(buyer) => {
            let key = key(&errand.payee_code, channel, visitor);
            app.cache.put(&key, &buyer.code(), Duration::from_secs(2 * 3600)).await;
        }
        Err(_) if errand.optional => {}
        Err(refusal) => return Err(refusal.into()),
    }
    Ok(errand.back)
}

async fn who(app: &App, channel: Channel, errand: &Errand, code: &str) -> std::result::Result<Buyer, Refusal> {
    match channel {
        Channel::Wechat => {
            let oauth = app.oauth.as_ref().ok_or(Refusal::NotOffered)?;
            let begun = Instant::now();
            let openid = oauth.openid(code).await;
            let outcome = openid.as_ref().err().map_or("ok", OauthError::code);
            app.metrics.called(OFFICIAL_ACCOUNT, "buyer", outcome, begun.elapsed());
            openid.map(Buyer::WechatOpenid).map_err(|error| tell(&error, channel))
        }
        Channel::Alipay | Channel::UnionPay => {
            let account = app.channels.find(&errand.payee_code, channel).ok_or(Refusal::NotOffered)?;
            account.buyer(code).await.map_err(|error| tell(&error, channel))
        }
    }
}

fn tell(error: &dyn std::fmt::Display, channel: Channel) -> Refusal {
    tracing::warn!(channel = channel.code(), %error, "the channel did not say who pays");
    Refusal::ChannelBusy { channel }
}
