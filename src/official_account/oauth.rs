//! Who is looking at the page: the openid of a WeChat user, by the official account's silent web authorisation.
//!
//! Only the openid is taken (`snsapi_base`); the token that comes with it is dropped. The account's secret goes into
//! one address and into no error, log or page. Whether `state` fits the session is the caller's question.
use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::config::OfficialAccount;
use crate::outbound::HttpClient;

/// The longest code that is passed on, in bytes. WeChat's have 32; a browser may send anything.
const LONGEST_CODE: usize = 512;

#[derive(Clone, Debug)]
pub struct OauthClient {
    app_id: String,
    secret: SecretString,
    api_base: String,
    authorize_base: String,
    http: HttpClient,
}

/// Why there is no openid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OauthError {
    /// The code is wrong, used, or older than five minutes: send the browser to authorise once more.
    #[error("the authorisation code is not valid (errcode {0})")]
    Code(i64),
    /// The page is a "quick browse" snapshot with a virtual person: ask the user to open the full page.
    #[error("a snapshot page's virtual account")]
    Snapshot,
    /// The account's id, secret or white list does not fit: the office must act.
    #[error("the official account is refused (errcode {0})")]
    Account(i64),
    /// No usable answer; trying again may help.
    #[error("no usable answer from the official account: {0}")]
    Unreachable(&'static str),
}

impl OauthError {
    /// The word in metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            OauthError::Unreachable(_) => "unreachable",
            OauthError::Code(_) | OauthError::Snapshot | OauthError::Account(_) => "refused",
        }
    }
}

/// Success and failure both come with status 200.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    errcode: i64,
    openid: Option<String>,
    is_snapshotuser: Option<i64>,
}

impl OauthClient {
    pub fn new(account: &OfficialAccount, http: HttpClient) -> OauthClient {
        let base = |text: &str| text.trim_end_matches('/').to_owned();
        OauthClient {
            app_id: account.app_id.clone(),
            secret: account.app_secret.clone(),
            api_base: base(&account.api_base),
            authorize_base: base(&account.authorize_base),
            http,
        }
    }

    /// Where the browser goes to come back to `redirect_uri` with `code` and `state`. The order of the parameters and
    /// the fragment matter (official account, web authorisation); `state` is letters and digits, at most 128.
    pub fn authorize_url(&self, redirect_uri: &str, state: &str) -> String {
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        format!(
            "{}/connect/oauth2/authorize?appid={}&redirect_uri={}&response_type=code&scope=snsapi_base&state={}\
             #wechat_redirect",
            self.authorize_base,
            encoded(&self.app_id),
            encoded(redirect_uri),
            encoded(state),
        )
    }

    /// Trades a code (once, within five minutes) for the openid.
    pub async fn openid(&self, code: &str) -> Result<String, OauthError> {
        if code.is_empty() || code.len() > LONGEST_CODE {
            return Err(OauthError::Code(40029));
        }
        let mut url = Url::parse(&format!("{}/sns/oauth2/access_token", self.api_base))
            .map_err(|_| OauthError::Unreachable("official_account.api_base is no address"))?;
        url.query_pairs_mut()
            .append_pair("appid", &self.app_id)
            .append_pair("secret", self.secret.expose_secret())
            .append_pair("code", code)
            .append_pair("grant_type", "authorization_code");
        let sent = self.http.send(Method::GET, url.as_str(), HeaderMap::new(), Vec::new()).await;
        let reply = sent.map_err(|_| OauthError::Unreachable("no whole answer"))?;
        if reply.status != 200 {
            return Err(OauthError::Unreachable("not status 200"));
        }
        let answer: Answer =
            serde_json::from_slice(&reply.body).map_err(|_| OauthError::Unreachable("not in the protocol's shape"))?;
        judge(answer)
    }
}

fn judge(answer: Answer) -> Result<String, OauthError> {
    match answer.errcode {
        0 => {}
        // Busy, and the quotas per day and per minute
        -1 | 45009 | 45011 => return Err(OauthError::Unreachable("busy")),
        code @ (40029 | 40163 | 41008 | 42003) => return Err(OauthError::Code(code)),
        code => return Err(OauthError::Account(code)),
    }
    if answer.is_snapshotuser == Some(1) {
        return Err(OauthError::Snapshot);
    }
    let shape = |id: &String| (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    answer.openid.filter(shape).ok_or(OauthError::Unreachable("no openid"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::outbound::fake::{Fake, Play};

    fn client(base: &str) -> OauthClient {
        let account = OfficialAccount {
            app_id: "wx2421b1c4370ec43b".to_owned(),
            app_secret: "s3cret&=#".to_owned().into(),
            api_base: base.to_owned(),
            authorize_base: "https://open.weixin.qq.com/".to_owned(),
            message: None,
            templates: Default::default(),
            due_soon_days: 3,
        };
        let wait = Duration::from_millis(300);
        OauthClient::new(&account, HttpClient::with_timeouts(wait, wait).unwrap())
    }

    async fn answered(body: &'static str) -> Result<String, OauthError> {
        let fake = Fake::start(move |_| Play::plain(200, body));
        client(&fake.base).openid("021Kd4Ga1").await
    }

    #[test]
    fn the_browser_is_sent_with_the_parameters_in_wechats_order() {
        assert_eq!(
            client("").authorize_url("https://pay.example.edu.cn/h5/wechat/back", "Ab9"),
            "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx2421b1c4370ec43b\
             &redirect_uri=https%3A%2F%2Fpay.example.edu.cn%2Fh5%2Fwechat%2Fback\
             &response_type=code&scope=snsapi_base&state=Ab9#wechat_redirect"
        );
        let forged = client("").authorize_url("https://a.example/?x=1&y=#z", "a&scope=snsapi_userinfo#");
        assert_eq!(forged.matches("scope=").count(), 1);
        assert_eq!(forged.matches('#').count(), 1);
    }

    #[tokio::test]
    async fn a_code_is_traded_for_the_openid() {
        let body = r#"{"access_token":"ACCESS","expires_in":7200,"openid":"o6_bmjrPTlm6_2sgVt7hMZOPfL2M"}"#;
        let fake = Fake::start(move |_| Play::plain(200, body));
        let openid = client(&fake.base).openid("a&b=c#d/学").await;
        assert_eq!(openid.as_deref(), Ok("o6_bmjrPTlm6_2sgVt7hMZOPfL2M"));
        assert_eq!(
            fake.seen()[0].target,
            "/sns/oauth2/access_token?appid=wx2421b1c4370ec43b&secret=s3cret%26%3D%23&code=a%26b%3Dc%23d%2F%E5%AD%A6\
             &grant_type=authorization_code"
        );
    }

    #[tokio::test]
    async fn a_wrong_used_or_old_code_is_the_browsers_fault_and_the_rest_is_not() {
        let said = |errcode: i64| Answer { errcode, openid: None, is_snapshotuser: None };
        for code in [40029, 40163, 42003, 41008] {
            assert_eq!(judge(said(code)), Err(OauthError::Code(code)));
        }
        for code in [40013, 40125, 40164] {
            assert_eq!(judge(said(code)), Err(OauthError::Account(code)));
        }
        assert_eq!(judge(said(-1)), Err(OauthError::Unreachable("busy")));
        assert_eq!(
            answered(r#"{"errcode":40029,"errmsg":"invalid code, rid: 1"}"#).await,
            Err(OauthError::Code(40029))
        );
    }

    #[tokio::test]
    async fn a_snapshot_pages_virtual_person_is_refused() {
        assert_eq!(answered(r#"{"openid":"oVirtual","is_snapshotuser":1}"#).await, Err(OauthError::Snapshot));
        assert_eq!(answered(r#"{"openid":"oReal","is_snapshotuser":0}"#).await.as_deref(), Ok("oReal"));
    }

    #[tokio::test]
    async fn answers_of_no_shape_are_no_openid() {
        for body in ["", "<html>", "{}", "[]", r#"{"openid":""}"#, r#"{"openid":7}"#, r#"{"openid":"a b\n"}"#] {
            assert!(matches!(answered(body).await, Err(OauthError::Unreachable(_))), "{body}");
        }
        let down = Fake::start(|_| Play::plain(502, r#"{"openid":"oReal"}"#));
        assert_eq!(client(&down.base).openid("c").await, Err(OauthError::Unreachable("not status 200")));
        let silent = Fake::start(|_| Play::Silence);
        assert_eq!(client(&silent.base).openid("c").await, Err(OauthError::Unreachable("no whole answer")));
    }

    #[tokio::test]
    async fn an_absurd_code_is_not_even_sent() {
        let fake = Fake::start(|_| Play::plain(200, "{}"));
        for code in [String::new(), "x".repeat(513)] {
            assert_eq!(client(&fake.base).openid(&code).await, Err(OauthError::Code(40029)));
        }
        assert!(fake.seen().is_empty());
    }

    #[tokio::test]
    async fn the_secret_is_in_no_error_and_no_debug_text() {
        let client = client("http://127.0.0.1:1");
        let error = client.openid("c").await.unwrap_err();
        assert!(!format!("{error} {error:?} {client:?}").contains("s3cret"));
    }
}
