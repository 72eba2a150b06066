//! JS-SDK: the signature by which WeChat believes one of our pages. The ticket is shared by all processes through the
//! cache, as the access token is.
use std::time::Duration;

use super::call::{call, held};
use crate::app::App;
use crate::official_account::api::{AccountError, Call};
use crate::official_account::envelope::sha1_hex;

/// What `wx.config` wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageConfig {
    pub app_id: String,
    /// Seconds since 1970
    pub timestamp: i64,
    pub nonce: String,
    pub signature: String,
}

/// Signs a page of ours; none where there is no official account, or the page is somebody else's. The fragment does not
/// count.
///
/// # Errors
/// What the platform said when asked for a ticket.
pub async fn sign(app: &App, url: &str) -> Result<Option<PageConfig>, AccountError> {
    let own = url.strip_prefix(&app.config.server.public_url).is_some_and(|rest| rest.starts_with(['/', '?', '#']));
    let (Some(account), true) = (&app.account, own) else { return Ok(None) };
    let ticket = ticket(app, account.app_id()).await?;
    let (timestamp, nonce) = (app.clock.now().unix(), app.chance.token(16));
    let signature = signature(&ticket, &nonce, timestamp, url);
    Ok(Some(PageConfig { app_id: account.app_id().to_owned(), timestamp, nonce, signature }))
}

async fn ticket(app: &App, app_id: &str) -> Result<String, AccountError> {
    let fetch = async {
        let told = call(app, &Call::get("/cgi-bin/ticket/getticket").with("type", "jsapi")).await?;
        let ticket = told["ticket"].as_str().filter(|ticket| !ticket.is_empty());
        let ticket = ticket.ok_or(AccountError::Unreachable("not in the protocol's shape"))?;
        Ok((ticket.to_owned(), Duration::from_secs(told["expires_in"].as_u64().unwrap_or_default())))
    };
    held(app, &format!("account-ticket:{app_id}"), None, fetch).await
}

/// JS-SDK, signature: names in the order of the alphabet, values as they are, the address up to `#`.
fn signature(ticket: &str, nonce: &str, timestamp: i64, url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    sha1_hex(&format!("jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platforms_own_example_is_signed_as_it_says() {
        let ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg";
        let signed = |url| signature(ticket, "Wm3WZYTPz0wzccnW", 1_414_587_457, url);
        assert_eq!(signed("http://mp.weixin.qq.com?params=value"), "0f9de62fce790f9a083d5c99e95740ceb90c27ed");
        assert_eq!(signed("http://mp.weixin.qq.com?params=value#top"), signed("http://mp.weixin.qq.com?params=value"));
    }
}
