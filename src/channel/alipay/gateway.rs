//! One application at Alipay's gateway: signs a call, sends it, and opens the answer.
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;

use super::envelope;
use super::keys::{KeyError, Keys};
use super::refusal::Failure;
use super::request::Call;
use crate::clock::Clock;
use crate::config::AlipayAccount;
use crate::domain::moment::Moment;
use crate::outbound::HttpClient;

/// The application, its keys and its addresses. Keeps no state between calls.
pub struct Gateway {
    pub app_id: String,
    /// 2088…; empty where the office gave none
    pub seller_id: String,
    pub keys: Keys,
    authorize_base: String,
    address: String,
    clock: Clock,
    http: HttpClient,
}

impl Gateway {
    pub fn new(account: &AlipayAccount, clock: Clock, http: HttpClient) -> Result<Gateway, KeyError> {
        let address = |key: &'static str, text: &str| match reqwest::Url::parse(text) {
            Ok(url) if url.scheme().starts_with("http") && url.query().is_none() && url.fragment().is_none() => {
                Ok(text.to_owned())
            }
            _ => Err(KeyError { key, why: "an http(s) address without a query" }),
        };
        if account.app_id.is_empty() {
            return Err(KeyError { key: "app_id", why: "missing" });
        }
        Ok(Gateway {
            app_id: account.app_id.clone(),
            seller_id: account.seller_id.clone(),
            keys: Keys::of(account)?,
            authorize_base: address("authorize_base", account.authorize_base.trim_end_matches('/'))?,
            address: address("gateway", &account.gateway)?,
            clock,
            http,
        })
    }

    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The base of the page where a payer is asked who he is.
    pub fn authorize_base(&self) -> &str {
        &self.authorize_base
    }

    /// The address a payer's browser goes to for a page method. Nothing is sent by us.
    pub fn page(&self, call: Call) -> String {
        call.sign(&self.app_id, &self.keys, self.now()).url(&self.address)
    }

    /// Calls a method and reads its verified answer.
    ///
    /// # Errors
    /// Every [`Failure`]; [`Failure::Untrusted`] also for a signed answer without the fields it must have.
    pub async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T, Failure> {
        let method = call.method.clone();
        let (url, body) = call.sign(&self.app_id, &self.keys, self.now()).post(&self.address);
        let form = HeaderValue::from_static("application/x-www-form-urlencoded;charset=utf-8");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
        let reply = self.http.send(Method::POST, &url, headers, body.into_bytes()).await;
        let reply = reply.map_err(|e| Failure::Unreachable(e.to_string()))?;
        if reply.status != 200 {
            return Err(Failure::Unreachable(format!("HTTP {} to {method}", reply.status)));
        }
        let node = envelope::open(&reply.body, &method, &self.keys)?;
        // the parser's own words could repeat a value, so they are left out
        serde_json::from_str(node).map_err(|_| Failure::Untrusted(format!("an answer to {method} of another shape")))
    }
}
