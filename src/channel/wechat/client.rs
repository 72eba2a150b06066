//! One signed question to WeChat Pay and its verified answer.
//!
//! Nothing leaves here as `Ok` that was not signed by a key of the ring over the very bytes that came. Every call may be
//! repeated with the same parameters, and is, once, when the answer's signature was a probe.
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::codes;
use super::keys::{self, ApiV3Key, KeyError, Keyring, MerchantKey, Sealed, VerifyingKeys};
use crate::channel::contract::{ChannelError, NoticeRefusal};
use crate::clock::{Chance, Clock};
use crate::config::WechatAccount;
use crate::outbound::{HttpClient, Reply};

/// Platform certificates are fetched at most this often, in milliseconds, also when fetching fails.
const REFRESH_PAUSE: i64 = 60_000;

pub struct Client {
    pub app_id: String,
    pub mch_id: String,
    pub merchant_key: MerchantKey,
    pub api_v3_key: ApiV3Key,
    pub keyring: Keyring,
    pub clock: Clock,
    serial_no: String,
    chance: Chance,
    http: HttpClient,
    /// `https://host[:port]`
    origin: String,
    /// The path the base address itself has, usually empty; it is sent, so it is signed.
    base_path: String,
    /// When certificates were last asked for; milliseconds since 1970
    refreshed_at: AtomicI64,
    /// A notice named a serial we do not know: fetch before the next call.
    refresh_wanted: AtomicBool,
}

/// Why an answer could not become `Ok`.
enum Failure {
    /// Not believed; the same question may be asked once more.
    Doubt(NoticeRefusal, Probe),
    Final(ChannelError),
}

/// Whether a doubtful answer may be a deliberate test of WeChat's: a wrong signature or an unknown serial
/// (WeChat Pay v3, signature probes). A repeated request is not probed again.
#[derive(PartialEq, Eq)]
enum Probe {
    Possible,
    No,
}

#[derive(Deserialize)]
struct CertificateList {
    data: Vec<ListedCertificate>,
}

/// The list's own serials and dates are not read: the certificate says them itself, and signed.
#[derive(Deserialize)]
struct ListedCertificate {
    encrypt_certificate: Sealed,
}

impl Client {
    pub fn new(account: &WechatAccount, clock: Clock, chance: Chance, http: HttpClient) -> Result<Client, KeyError> {
        let plain = |key, text: &str| match keys::is_plain(text) {
            true => Ok(text.to_owned()),
            false => Err(KeyError::of(key, "letters and digits only")),
        };
        let unfit = KeyError::of("wechat.api_base", "an http(s) address, e.g. https://api.mch.weixin.qq.com");
        let base = reqwest::Url::parse(&account.api_base).map_err(|_| unfit)?;
        let is_base = matches!(base.scheme(), "http" | "https") && base.query().is_none() && base.fragment().is_none();
        if !is_base || !base.has_host() {
            return Err(unfit);
        }
        let (merchant_key, api_v3_key, keyring) = keys::parse_all(account)?;
        Ok(Client {
            app_id: plain("wechat.app_id", &account.app_id)?,
            mch_id: plain("wechat.mch_id", &account.mch_id)?,
            serial_no: plain("wechat.serial_no", &account.serial_no)?,
            merchant_key,
            api_v3_key,
            keyring,
            clock,
            chance,
            http,
            origin: base.origin().ascii_serialization(),
            base_path: base.path().trim_end_matches('/').to_owned(),
            refreshed_at: AtomicI64::new(i64::MIN),
            refresh_wanted: AtomicBool::new(false),
        })
    }

    /// Asks; `path` begins with `/v3/` and carries its query. The bytes are empty when the answer is 204.
    pub async fn call(&self, method: Method, path: &str, body: &str) -> Result<Vec<u8>, ChannelError> {
        if self.refresh_wanted.swap(false, Ordering::Relaxed) {
            self.refresh().await;
        }
        let first = self.once(&method, path, body).await;
        let answer = match first {
            Err(Failure::Doubt(_, Probe::Possible)) => self.once(&method, path, body).await,
            other => other,
        };
        answer.map_err(|failure| match failure {
            Failure::Doubt(doubt, _) => ChannelError::Untrusted(doubt.to_string()),
            Failure::Final(error) => error,
        })
    }

    /// [`Client::call`] for a question that is answered with JSON.
    pub async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: &str) -> Result<T, ChannelError> {
        decode(&self.call(method, path, body).await?)
    }

    /// Remembers that somebody signed with a serial we do not know.
    pub fn want_refresh(&self) {
        self.refresh_wanted.store(self.keyring.has_certificates, Ordering::Relaxed);
    }

    async fn once(&self, method: &Method, path: &str, body: &str) -> Result<Vec<u8>, Failure> {
        let reply = self.send(method, path, body).await.map_err(Failure::Final)?;
        let success = (200..300).contains(&reply.status) && reply.status != 202;
        // Refusals of the gate (401, 429) come unsigned; what is signed must fit, whatever it says
        if success || reply.headers.contains_key("Wechatpay-Signature") {
            self.believe(&reply).await?;
        }
        match reply.status {
            200 | 204 => Ok(reply.body),
            _ if success => Err(Failure::Final(ChannelError::Untrusted(format!("status {}", reply.status)))),
            status => Err(Failure::Final(codes::refusal(status, &reply.headers, &reply.body))),
        }
    }

    async fn believe(&self, reply: &Reply) -> Result<(), Failure> {
        let check = || self.keyring.check(&reply.headers, &reply.body, self.clock.now());
        let verdict = match check() {
            Err(NoticeRefusal::UnknownKey) if self.refresh().await => check(),
            other => other,
        };
        verdict.map_err(|doubt| {
            let tested = reply.headers.get("Wechatpay-Signature");
            let tested = tested.is_some_and(|value| value.as_bytes().starts_with(b"WECHATPAY/SIGNTEST/"));
            let possible = tested || doubt == NoticeRefusal::UnknownKey;
            Failure::Doubt(doubt, if possible { Probe::Possible } else { Probe::No })
        })
    }

    /// Signs and sends (WeChat Pay v3, signing requests). What is signed is what is sent, byte for byte.
    async fn send(&self, method: &Method, path: &str, body: &str) -> Result<Reply, ChannelError> {
        let path = format!("{}{path}", self.base_path);
        let timestamp = self.clock.now().unix();
        let nonce = self.chance.token(32);
        let signature = self.merchant_key.sign(&format!("{method}\n{path}\n{timestamp}\n{nonce}\n{body}\n"));
        let (mch_id, serial_no) = (&self.mch_id, &self.serial_no);
        let authorization = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{mch_id}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
             timestamp=\"{timestamp}\",serial_no=\"{serial_no}\""
        );
        let plain = |text: &str| HeaderValue::from_str(text).expect("ids are letters and digits, checked at start");
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, plain(&authorization));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("zh-CN"));
        if let Some(id) = &self.keyring.public_key_id {
            headers.insert("Wechatpay-Serial", plain(id));
        }
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let url = format!("{}{path}", self.origin);
        let sent = self.http.send(method.clone(), &url, headers, body.as_bytes().to_vec()).await;
        sent.map_err(|e| ChannelError::Unreachable(e.to_string()))
    }

    /// Fetches the platform certificates; true when the ring is new. Never in public-key-only mode.
    async fn refresh(&self) -> bool {
        let now = self.clock.now().millis();
        let before = self.refreshed_at.load(Ordering::Relaxed);
        let rested = now.saturating_sub(before) >= REFRESH_PAUSE || now < before;
        let claim = |at| self.refreshed_at.compare_exchange(before, at, Ordering::Relaxed, Ordering::Relaxed);
        if !self.keyring.has_certificates || !rested || claim(now).is_err() {
            return false;
        }
        match self.fetch_certificates().await {
            Ok(keys) => {
                tracing::info!(mch_id = %self.mch_id, known = keys.len(), "fetched WeChat Pay's certificates");
                self.keyring.replace(keys);
                true
            }
            Err(error) => {
                tracing::warn!(mch_id = %self.mch_id, %error, "could not fetch WeChat Pay's certificates");
                false
            }
        }
    }

    /// The list is sealed with our APIv3 key, and signed by a key we know or by one of those it brings
    /// (WeChat Pay v3, downloading platform certificates).
    async fn fetch_certificates(&self) -> Result<VerifyingKeys, ChannelError> {
        let reply = self.send(&Method::GET, "/v3/certificates", "").await?;
        if reply.status != 200 {
            return Err(codes::refusal(reply.status, &reply.headers, &reply.body));
        }
        let list: CertificateList = decode(&reply.body)?;
        let now = self.clock.now();
        let opened = list.data.iter().filter_map(|one| self.api_v3_key.open(&one.encrypt_certificate));
        let fetched = opened
            .filter_map(|pem| keys::parse_certificate(&pem))
            .filter(|(_, certificate)| certificate.expires_at > now)
            .map(|(serial, certificate)| (serial, certificate.key));
        let keys = self.keyring.joined(fetched.collect());
        keys::check_with(&keys, &reply.headers, &reply.body, now)
            .map_err(|doubt| ChannelError::Untrusted(doubt.to_string()))?;
        Ok(keys)
    }
}

/// Reads a believed answer. The text is not repeated in the error: it may name a person.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, ChannelError> {
    serde_json::from_slice(body)
        .map_err(|e| ChannelError::Untrusted(format!("unreadable at line {} column {}", e.line(), e.column())))
}
