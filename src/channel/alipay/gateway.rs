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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::alipay::testing::{self, Scene};
    use crate::outbound::fake::{Fake, Play};
    use std::io::{Read, Write};
    use std::time::{Duration, Instant};

    fn refused(change: impl FnOnce(&mut AlipayAccount)) -> &'static str {
        let mut account = testing::account();
        change(&mut account);
        let http = HttpClient::new().unwrap();
        Gateway::new(&account, Clock::manual(testing::now()), http).err().expect("refused").key
    }

    fn ask() -> Call {
        Call { method: "alipay.trade.query".to_owned(), parameters: vec![("biz_content", "{}".to_owned())] }
    }

    async fn unreachable(gateway: &Gateway) -> bool {
        matches!(gateway.call::<serde_json::Value>(ask()).await, Err(Failure::Unreachable(_)))
    }

    /// A server that writes these bytes to every connection and hangs up.
    fn server(bytes: Vec<u8>) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut heard = Vec::new();
                let mut part = [0; 4096];
                // version is the last parameter of the body
                while !heard.windows(8).any(|at| at == b"version=") {
                    match stream.read(&mut part) {
                        Ok(count) if count > 0 => heard.extend_from_slice(&part[..count]),
                        _ => break,
                    }
                }
                let _ = stream.write_all(&bytes);
            }
        });
        base
    }

    #[test]
    fn an_address_that_cannot_be_called_is_found_at_start() {
        assert_eq!(refused(|account| account.gateway = "openapi.alipay.com".to_owned()), "gateway");
        assert_eq!(refused(|account| account.gateway = "https://a.example/g?x=1".to_owned()), "gateway");
        assert_eq!(refused(|account| account.authorize_base = String::new()), "authorize_base");
        assert_eq!(refused(|account| account.app_id = String::new()), "app_id");
        assert_eq!(refused(|account| account.private_key = "AAAA".into()), "private_key");
    }

    #[tokio::test]
    async fn a_call_is_a_signed_form_and_its_answer_is_read_after_it_is_verified() {
        let scene = Scene::answering(r#"{"code":"10000","msg":"Success","subject":"a}b\"c"}"#);
        let answer: serde_json::Value = scene.gateway.call(ask()).await.unwrap();
        assert_eq!(answer["subject"], "a}b\"c");
        let asked = scene.asked(0);
        assert_eq!(asked["timestamp"], "2026-09-01 10:24:36");
        assert_eq!(asked["app_id"], testing::APP_ID);
        assert!(testing::gateway_believes(&asked));
    }

    #[tokio::test]
    async fn whatever_is_not_200_with_an_answer_is_unreachable() {
        for (status, body) in [(200, "<html>busy</html>"), (200, ""), (302, ""), (404, "{}"), (429, ""), (500, "{}")] {
            assert!(unreachable(&Scene::start(move |_| Play::plain(status, body)).gateway).await, "{status} {body}");
        }
        let node = r#"{"code":"10000"}"#;
        let whole = testing::envelope("alipay_trade_query_response", node);
        assert!(unreachable(&Scene::start(move |_| Play::plain(502, &whole)).gateway).await);
        assert!(unreachable(&testing::unreachable_gateway()).await);
    }

    #[tokio::test]
    async fn answers_that_break_off_anywhere_end_at_once() {
        let answer = testing::envelope("alipay_trade_query_response", r#"{"code":"10000"}"#);
        let chunked =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}", answer.len(), &answer[..40]);
        let short = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", answer.len(), &answer[..40]);
        let head = "HTTP/1.1 200 OK\r\nContent-Le".to_owned();
        let headless = "\0\0\0 not HTTP at all".to_owned();
        for bytes in [chunked, short, head, headless, String::new()] {
            let http = HttpClient::with_timeouts(Duration::from_secs(3), Duration::from_secs(30)).unwrap();
            let began = Instant::now();
            assert!(unreachable(&testing::gateway_at(&server(bytes.clone().into_bytes()), http)).await, "{bytes}");
            assert!(began.elapsed() < Duration::from_secs(20));
        }
    }

    #[tokio::test]
    async fn an_answer_without_a_length_is_read_to_its_end() {
        let answer = testing::envelope("alipay_trade_query_response", r#"{"code":"10000"}"#);
        let base = server(format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{answer}").into_bytes());
        let gateway = testing::gateway_at(&base, HttpClient::new().unwrap());
        let answer: serde_json::Value = gateway.call(ask()).await.unwrap();
        assert_eq!(answer["code"], "10000");
    }

    #[tokio::test]
    async fn a_gateway_that_hangs_is_given_up() {
        let silent = Fake::start(|_| Play::Silence);
        let http = HttpClient::with_timeouts(Duration::from_millis(300), Duration::from_millis(300)).unwrap();
        let began = Instant::now();
        assert!(unreachable(&testing::gateway_at(&silent.base, http)).await);
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn an_error_shows_neither_keys_nor_what_was_asked() {
        let scene = Scene::answering(r#"{"code":"10000","n":"2088secret"}"#);
        let call = ask().with("code", "s3cret");
        let error = scene.gateway.call::<Vec<u8>>(call).await.unwrap_err();
        assert!(matches!(&error, Failure::Untrusted(_)));
        assert!(!format!("{error:?}").contains("s3cret") && !format!("{error:?}").contains("2088secret"));
    }
}
