//! The official account's own interface: its access token, and the calls that carry it. It keeps nothing: who holds the
//! token is `flow/official/call.rs`.
//!
//! Secret and token travel in bodies and addresses and reach no error, log or page. Every answer comes with status 200;
//! what is wrong is told by `errcode`.
use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::OfficialAccount;
use crate::outbound::HttpClient;

/// The longest words of a refusal that are shown, in characters.
const LONGEST_WORDS: usize = 200;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct AccountApi {
    app_id: String,
    secret: SecretString,
    base: String,
    http: HttpClient,
}

/// The account's access token, and how long it lives at most.
#[derive(Clone, Debug)]
pub struct AccessToken {
    pub text: SecretString,
    pub life: Duration,
}

/// Why a call has no answer to use.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AccountError {
    /// The access token is not valid (any more): fetch another, once.
    #[error("the access token is not valid (errcode {0})")]
    Token(i64),
    /// The platform is busy, or a quota is used up: later.
    #[error("the platform is busy or a quota is used up (errcode {0})")]
    Busy(i64),
    /// The platform does not do it; the same call again is refused again.
    #[error("refused with errcode {code}: {words}")]
    Refused { code: i64, words: String },
    /// No whole answer. The call may have had its effect.
    #[error("no usable answer from the official account: {0}")]
    Unreachable(&'static str),
}

impl AccountError {
    /// The word in metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            AccountError::Unreachable(_) | AccountError::Busy(_) => "unreachable",
            AccountError::Token(_) | AccountError::Refused { .. } => "refused",
        }
    }
}

/// One call: a path of the interface, its own parameters, and a body of JSON or none.
#[derive(Clone)]
pub struct Call {
    path: &'static str,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
}

impl Call {
    pub fn get(path: &'static str) -> Call {
        Call { path, query: Vec::new(), body: None }
    }

    pub fn post(path: &'static str, body: Value) -> Call {
        Call { path, query: Vec::new(), body: Some(body) }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Call {
        self.query.push((name, value.to_owned()));
        self
    }

    pub const fn path(&self) -> &'static str {
        self.path
    }
}

/// The path alone: bodies name people.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({})", self.path)
    }
}

impl AccountApi {
    pub fn new(account: &OfficialAccount, http: HttpClient) -> AccountApi {
        AccountApi {
            app_id: account.app_id.clone(),
            secret: account.app_secret.clone(),
            base: account.api_base.trim_end_matches('/').to_owned(),
            http,
        }
    }

    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// `POST /cgi-bin/stable_token`: the token that is in use, or the next one shortly before its end. With `force` a
    /// new one: at most 20 times a day, 30 s apart.
    ///
    /// # Errors
    /// [`AccountError::Refused`] for a wrong id, secret or an address outside the white list (40164).
    pub async fn stable_token(&self, force: bool) -> Result<AccessToken, AccountError> {
        #[derive(Deserialize)]
        struct Told {
            access_token: SecretString,
            expires_in: u64,
        }
        let asked = json!({
            "grant_type": "client_credential",
            "appid": self.app_id,
            "secret": self.secret.expose_secret(),
            "force_refresh": force,
        });
        let told = self.send(&Call::post("/cgi-bin/stable_token", asked), None).await?;
        let told: Told = serde_json::from_value(told).map_err(|_| SHAPELESS)?;
        let text = told.access_token.expose_secret();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SHAPELESS);
        }
        Ok(AccessToken { text: told.access_token, life: Duration::from_secs(told.expires_in) })
    }

    /// One call under an access token.
    ///
    /// # Errors
    /// [`AccountError::Token`] when the token is the reason.
    pub async fn call(&self, call: &Call, token: &str) -> Result<Value, AccountError> {
        self.send(call, Some(token)).await
    }

    async fn send(&self, call: &Call, token: Option<&str>) -> Result<Value, AccountError> {
        let mut url = Url::parse(&format!("{}{}", self.base, call.path))
            .map_err(|_| AccountError::Unreachable("official_account.api_base is no address"))?;
        let own = call.query.iter().map(|(name, value)| (*name, value.as_str()));
        let pairs: Vec<(&str, &str)> = token.map(|text| ("access_token", text)).into_iter().chain(own).collect();
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        let (method, body) = match &call.body {
            None => (Method::GET, Vec::new()),
            // serde_json leaves letters beyond ASCII as they are; the menu refuses \uXXXX (40033)
            Some(body) => (Method::POST, body.to_string().into_bytes()),
        };
        let sent = self.http.send(method, url.as_str(), HeaderMap::new(), body).await;
        let reply = sent.map_err(|_| AccountError::Unreachable("no whole answer"))?;
        if reply.status != 200 {
            return Err(AccountError::Unreachable("not status 200"));
        }
        let told: Value = serde_json::from_slice(&reply.body).map_err(|_| SHAPELESS)?;
        if !told.is_object() {
            return Err(SHAPELESS);
        }
        judge(told)
    }
}

const SHAPELESS: AccountError = AccountError::Unreachable("not in the protocol's shape");

fn judge(told: Value) -> Result<Value, AccountError> {
    match told.get("errcode").and_then(Value::as_i64).unwrap_or(0) {
        0 => Ok(told),
        code @ (40001 | 40014 | 41001 | 42001) => Err(AccountError::Token(code)),
        code @ (-1 | 45009 | 45011) => Err(AccountError::Busy(code)),
        code => {
            let words = told.get("errmsg").and_then(Value::as_str).unwrap_or_default();
            let words = words.chars().filter(|letter| !letter.is_control()).take(LONGEST_WORDS).collect();
            Err(AccountError::Refused { code, words })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::fake::{Fake, Play};

    fn api(base: &str) -> AccountApi {
        let account = OfficialAccount {
            app_id: "wx2421b1c4370ec43b".to_owned(),
            app_secret: "s3cret".to_owned().into(),
            api_base: format!("{base}/"),
            authorize_base: String::new(),
            message: None,
            templates: Default::default(),
            due_soon_days: 3,
        };
        let wait = Duration::from_millis(300);
        AccountApi::new(&account, HttpClient::with_timeouts(wait, wait).unwrap())
    }

    #[tokio::test]
    async fn the_token_is_asked_for_in_a_body_and_carried_in_the_address() {
        let fake = Fake::start(|seen| match seen.target.as_str() {
            "/cgi-bin/stable_token" => Play::plain(200, r#"{"access_token":"T0-k_n","expires_in":7200}"#),
            _ => Play::plain(200, r#"{"errcode":0,"errmsg":"ok"}"#),
        });
        let api = api(&fake.base);
        let token = api.stable_token(false).await.unwrap();
        assert_eq!((token.text.expose_secret(), token.life.as_secs()), ("T0-k_n", 7200));
        api.call(&Call::post("/cgi-bin/menu/create", json!({"name": "缴费"})), "T0-k_n").await.unwrap();
        let seen = fake.seen();
        let asked: Value = serde_json::from_slice(&seen[0].body).unwrap();
        assert_eq!(asked["grant_type"], "client_credential");
        assert_eq!((&asked["secret"], &asked["force_refresh"]), (&json!("s3cret"), &json!(false)));
        assert_eq!(seen[1].target, "/cgi-bin/menu/create?access_token=T0-k_n");
        assert_eq!(seen[1].body, r#"{"name":"缴费"}"#.as_bytes(), "as it is, without \\u");
    }

    #[test]
    fn errcodes_say_whether_another_token_another_time_or_a_person_helps() {
        let said = |code: i64| judge(json!({"errcode": code, "errmsg": "invalid button name size\n hint: [x]"}));
        for code in [40001, 40014, 41001, 42001] {
            assert_eq!(said(code), Err(AccountError::Token(code)));
        }
        for code in [-1, 45009, 45011] {
            assert_eq!(said(code), Err(AccountError::Busy(code)));
        }
        let words = "invalid button name size hint: [x]".to_owned();
        assert_eq!(said(40018), Err(AccountError::Refused { code: 40018, words }));
        assert!(judge(json!({"menu": {}})).is_ok());
    }

    #[tokio::test]
    async fn answers_of_no_shape_are_no_answer_and_no_secret_is_told() {
        for body in ["", "[]", "<html>", r#"{"access_token":""}"#, r#"{"access_token":"a b","expires_in":7200}"#] {
            let fake = Fake::start(move |_| Play::plain(200, body));
            let error = api(&fake.base).stable_token(false).await.unwrap_err();
            assert!(matches!(error, AccountError::Unreachable(_)), "{body}");
        }
        let api = api("http://127.0.0.1:1");
        let call = Call::get("/cgi-bin/menu/get");
        let error = api.call(&call, "T0k3n").await.unwrap_err();
        let told = format!("{error} {error:?} {api:?} {call:?}");
        assert!(!told.contains("s3cret") && !told.contains("T0k3n"), "{told}");
    }
}
