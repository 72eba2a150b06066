//! One signed question to WeChat Pay and its verified answer.
//!
//! Nothing leaves here as `Ok` that was not signed by a key of the ring over the very bytes that came. Every call may
//! be repeated with the same parameters, and is, once, when the answer's signature was a probe.
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use super::super::testing::{self, Voice, account, certificate_only, public_key_only, with_header};
    use super::*;
    use crate::outbound::fake::{Fake, Play};
    use crate::sandbox::keys as material;

    const PATH: &str = "/v3/pay/transactions/out-trade-no/XF261201QMU000001T01?mchid=1900000001";

    fn client(account: &WechatAccount) -> Client {
        client_at(account, &Clock::manual(testing::now()))
    }

    fn client_at(account: &WechatAccount, clock: &Clock) -> Client {
        let wait = Duration::from_millis(500);
        let http = HttpClient::with_timeouts(wait, wait).unwrap();
        Client::new(account, clock.clone(), Chance::seeded(1), http).unwrap()
    }

    async fn ask(fake: &Fake) -> Result<Vec<u8>, ChannelError> {
        client(&account(&fake.base)).call(Method::GET, PATH, "").await
    }

    fn untrusted(doubt: &NoticeRefusal) -> Result<Vec<u8>, ChannelError> {
        Err(ChannelError::Untrusted(doubt.to_string()))
    }

    #[tokio::test]
    async fn what_is_sent_is_what_was_signed() {
        let fake = Fake::start(|_| Voice::public().answer(200, "{}"));
        let client = client(&account(&fake.base));
        client.call(Method::GET, PATH, "").await.unwrap();
        client.call(Method::POST, "/v3/pay/transactions/native", r#"{"description":"学费 \"&=\"\n"}"#).await.unwrap();
        let seen = fake.seen();
        assert_eq!(seen[0].target, PATH);
        assert!(seen.iter().all(testing::is_signed));
        assert!(seen.iter().all(|one| one.header("wechatpay-serial") == Some(material::WECHAT_PUBLIC_KEY_ID)));
        assert!(seen.iter().all(|one| one.header("accept") == Some("application/json")));
        assert_eq!((seen[0].header("content-type"), seen[1].header("content-type")), (None, Some("application/json")));
        assert_ne!(seen[0].header("authorization"), seen[1].header("authorization"));
    }

    #[tokio::test]
    async fn a_base_address_with_a_path_is_signed_with_its_path() {
        let fake = Fake::start(|_| Voice::platform_a().answer(200, "{}"));
        let client = client(&certificate_only(&format!("{}/wechat/", fake.base)));
        client.call(Method::GET, PATH, "").await.unwrap();
        assert_eq!(fake.seen()[0].target, format!("/wechat{PATH}"));
        assert!(testing::is_signed(&fake.seen()[0]));
        assert_eq!(fake.seen()[0].header("wechatpay-serial"), None);
    }

    #[test]
    fn ids_that_would_break_a_header_are_refused_at_start() {
        let fit = account("https://api.mch.weixin.qq.com");
        let clock = || Clock::manual(testing::now());
        let http = HttpClient::new().unwrap();
        let cases = [
            (WechatAccount { serial_no: "4A7C\r\nX: y".to_owned(), ..fit.clone() }, "wechat.serial_no"),
            (WechatAccount { mch_id: "19\"00".to_owned(), ..fit.clone() }, "wechat.mch_id"),
            (WechatAccount { app_id: String::new(), ..fit.clone() }, "wechat.app_id"),
            (WechatAccount { api_base: "api.mch.weixin.qq.com".to_owned(), ..fit.clone() }, "wechat.api_base"),
            (WechatAccount { api_base: "https://a/?b".to_owned(), ..fit.clone() }, "wechat.api_base"),
        ];
        for (account, key) in cases {
            let error = Client::new(&account, clock(), Chance::seeded(1), http.clone()).map(|_| ()).unwrap_err();
            assert_eq!(error.key, key);
        }
    }

    #[tokio::test]
    async fn a_success_is_believed_from_either_key_and_from_nobody_else() {
        for voice in [Voice::public(), Voice::platform_a()] {
            let fake = Fake::start(move |_| voice.answer(200, r#"{"a":1}"#));
            assert_eq!(ask(&fake).await.as_deref(), Ok(br#"{"a":1}"#.as_slice()));
        }
        let evil = Fake::start(|_| Play::plain(200, r#"{"code_url":"weixin://evil"}"#));
        assert_eq!(ask(&evil).await, untrusted(&NoticeRefusal::Missing("Wechatpay-Timestamp")));
        let impostor = Voice { serial: material::WECHAT_PUBLIC_KEY_ID, ..Voice::platform_b() };
        let fake = Fake::start(move |_| impostor.answer(200, "{}"));
        assert_eq!(ask(&fake).await, untrusted(&NoticeRefusal::BadSignature));
        assert_eq!(fake.seen().len(), 1);
    }

    #[tokio::test]
    async fn an_old_or_changed_answer_is_not_believed() {
        let old = Fake::start(|_| {
            let headers = Voice::public().headers(testing::now() - Duration::from_secs(300), b"{}");
            Play::Answer { status: 200, headers, body: b"{}".to_vec() }
        });
        assert_eq!(ask(&old).await, untrusted(&NoticeRefusal::Stale));
        let changed = Fake::start(|_| match Voice::public().answer(200, r#"{"total":1}"#) {
            Play::Answer { status, headers, .. } => Play::Answer { status, headers, body: br#"{"total":2}"#.to_vec() },
            other => other,
        });
        assert_eq!(ask(&changed).await, untrusted(&NoticeRefusal::BadSignature));
    }

    #[tokio::test]
    async fn an_empty_204_is_believed_only_when_signed() {
        let fake = Fake::start(|_| Voice::public().answer(204, ""));
        assert_eq!(ask(&fake).await, Ok(Vec::new()));
        let fake = Fake::start(|_| Play::plain(204, ""));
        assert!(matches!(ask(&fake).await, Err(ChannelError::Untrusted(_))));
        let fake = Fake::start(|_| Voice::public().answer(201, "{}"));
        assert_eq!(ask(&fake).await, Err(ChannelError::Untrusted("status 201".to_owned())));
    }

    #[tokio::test]
    async fn a_signature_probe_is_dropped_and_the_same_question_asked_once_more() {
        let count = AtomicUsize::new(0);
        let probe = |status, body: &str| {
            let signature = "WECHATPAY/SIGNTEST/Tm90QVNpZ25hdHVyZQ==";
            with_header(Voice::public().answer(status, body), "Wechatpay-Signature", signature)
        };
        let fake = Fake::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0 => probe(200, "{}"),
            _ => Voice::public().answer(200, "{}"),
        });
        assert_eq!(ask(&fake).await, Ok(b"{}".to_vec()));
        let seen = fake.seen();
        assert_eq!(seen.len(), 2);
        assert_eq!((&seen[0].target, &seen[0].body), (&seen[1].target, &seen[1].body));
        assert!(seen.iter().all(testing::is_signed));

        for status in [200, 404] {
            let stubborn = Fake::start(move |_| probe(status, r#"{"code":"ORDER_NOT_EXIST"}"#));
            assert_eq!(ask(&stubborn).await, untrusted(&NoticeRefusal::BadSignature), "{status}");
            assert_eq!(stubborn.seen().len(), 2);
        }
    }

    #[tokio::test]
    async fn a_refusal_is_read_unsigned_but_never_wrongly_signed() {
        let refusal = r#"{"code":"ORDER_NOT_EXIST","message":"订单不存在"}"#;
        let fake = Fake::start(move |_| Play::plain(404, refusal));
        assert!(matches!(ask(&fake).await, Err(ChannelError::Refused { .. })));
        let fake = Fake::start(move |_| Voice::platform_a().answer(404, refusal));
        assert!(matches!(ask(&fake).await, Err(ChannelError::Refused { .. })));
        let impostor = Voice { serial: material::WECHAT_PUBLIC_KEY_ID, ..Voice::platform_b() };
        let fake = Fake::start(move |_| impostor.answer(404, refusal));
        assert_eq!(ask(&fake).await, untrusted(&NoticeRefusal::BadSignature));
    }

    #[tokio::test]
    async fn no_usable_answer_is_unreachable_whatever_it_looks_like() {
        let html = "<html><h1>502 Bad Gateway</h1></html>";
        let cases: [fn() -> Play; 7] = [
            || Play::plain(429, r#"{"code":"FREQUENCY_LIMITED","message":"频率超限"}"#),
            || Play::plain(500, r#"{"code":"SYSTEM_ERROR","message":"系统错误"}"#),
            || Play::plain(202, ""),
            || Play::plain(302, ""),
            || Play::plain(404, ""),
            || Play::Silence,
            || Play::Cut(b"{\"code".to_vec()),
        ];
        for (number, case) in cases.into_iter().enumerate() {
            let fake = Fake::start(move |_| case());
            assert!(matches!(ask(&fake).await, Err(ChannelError::Unreachable(_))), "case {number}");
            assert_eq!(fake.seen().len(), 1, "case {number}");
        }
        let proxy = Fake::start(move |_| Play::plain(502, html));
        let text = ask(&proxy).await.unwrap_err().to_string();
        assert_eq!(text, "no usable answer from the channel: status 502 without an error code");
    }

    #[tokio::test]
    async fn a_signed_answer_that_cannot_be_read_is_untrusted_and_not_repeated_in_the_error() {
        for body in ["", "<xml>", "{\"openid\":\"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o\",", "[1]"] {
            let fake = Fake::start(move |_| Voice::public().answer(200, body));
            let answer: Result<Map, _> = client(&account(&fake.base)).ask(Method::GET, PATH, "").await;
            let Err(ChannelError::Untrusted(text)) = answer else { panic!("{body}") };
            assert!(!text.contains("oUpF8"), "{text}");
        }
    }

    type Map = std::collections::BTreeMap<String, String>;

    /// Answers `/v3/certificates` with certificate B, signed by B itself, and everything else as B too.
    fn rotated(valid: bool) -> Fake {
        Fake::start(move |seen| match seen.target.as_str() {
            "/v3/certificates" => {
                let sealed = testing::seal(material::WECHAT_PLATFORM_B_CERT, Some("certificate"));
                let list = serde_json::json!({"data": [
                    {"serial_no": "anything", "effective_time ": 7, "encrypt_certificate": sealed},
                    {"encrypt_certificate": testing::seal("not a certificate", None)},
                ]});
                match valid {
                    true => Voice::platform_b().answer(200, &list.to_string()),
                    false => Play::plain(200, &list.to_string()),
                }
            }
            _ => Voice::platform_b().answer(200, "{}"),
        })
    }

    fn fetches(fake: &Fake) -> usize {
        fake.seen().iter().filter(|one| one.target == "/v3/certificates").count()
    }

    #[tokio::test]
    async fn a_new_certificate_is_fetched_when_its_serial_is_first_seen() {
        let fake = rotated(true);
        let client = client(&account(&fake.base));
        assert_eq!(client.call(Method::GET, PATH, "").await, Ok(b"{}".to_vec()));
        assert_eq!(client.call(Method::GET, PATH, "").await, Ok(b"{}".to_vec()));
        assert_eq!((fetches(&fake), fake.seen().len()), (1, 3));
        assert!(fake.seen().iter().all(testing::is_signed));
        let old = Voice::platform_a().notice(b"{}");
        assert_eq!(client.keyring.check(&old.headers, &old.body, testing::now()), Ok(()));
    }

    #[tokio::test]
    async fn certificates_are_fetched_at_most_once_a_minute_and_never_believed_unsigned() {
        let fake = rotated(false);
        let clock = Clock::manual(testing::now());
        let client = client_at(&account(&fake.base), &clock);
        for _ in 0..3 {
            assert_eq!(client.call(Method::GET, PATH, "").await, untrusted(&NoticeRefusal::UnknownKey));
        }
        assert_eq!(fetches(&fake), 1);
        clock.advance(Duration::from_secs(60));
        assert!(client.call(Method::GET, PATH, "").await.is_err());
        assert_eq!(fetches(&fake), 2);
    }

    #[tokio::test]
    async fn in_public_key_mode_no_certificate_is_ever_fetched() {
        let fake = rotated(true);
        let client = client(&public_key_only(&fake.base));
        client.want_refresh();
        assert_eq!(client.call(Method::GET, PATH, "").await, untrusted(&NoticeRefusal::UnknownKey));
        assert_eq!(fetches(&fake), 0);
    }
}
