//! A sandbox on a real port, a merchant who signs with its own code, and an inbox that takes notices.
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use poem::http::{HeaderMap, StatusCode};
use poem::listener::TcpAcceptor;
use poem::web::Data;
use poem::{EndpointExt, Request, Route, Server, handler, post};
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::DecodePrivateKey;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};

use crate::clock::{Chance, Clock};
use crate::domain::moment::Moment;
use crate::sandbox::keys;
use crate::sandbox::merchants::{WECHAT_APP_ID, WECHAT_MCH_FISCAL};
use crate::sandbox::world::{Options, Sandbox};

pub const NOON: Moment = Moment::from_unix(1_788_235_200);
pub const JSAPI: &str = "/v3/pay/transactions/jsapi";
pub const NATIVE: &str = "/v3/pay/transactions/native";
pub const H5: &str = "/v3/pay/transactions/h5";
pub const REFUNDS: &str = "/v3/refund/domestic/refunds";

pub struct Stage {
    pub world: Arc<Sandbox>,
    pub base: String,
    pub http: reqwest::Client,
    pub inbox: Arc<Inbox>,
    pub inbox_url: String,
}

/// What arrived at the merchant's notify address.
#[derive(Default)]
pub struct Inbox {
    got: Mutex<Vec<Got>>,
    /// What to answer next; 200 when empty
    pub answers: Mutex<VecDeque<u16>>,
    /// With which words; `success` when empty
    pub words: Mutex<VecDeque<&'static str>>,
}

#[derive(Clone)]
pub struct Got {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

#[handler]
async fn take(req: &Request, body: Vec<u8>, Data(inbox): Data<&Arc<Inbox>>) -> (StatusCode, String) {
    inbox.got.lock().unwrap().push(Got { headers: req.headers().clone(), body });
    let status = inbox.answers.lock().unwrap().pop_front().unwrap_or(200);
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let words = inbox.words.lock().unwrap().pop_front().unwrap_or("success").to_owned();
    (StatusCode::from_u16(status).unwrap(), words)
}

impl Inbox {
    pub fn all(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    pub fn answer(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }
}

impl Got {
    /// The envelope and the opened resource; panics unless the signature fits the named key.
    pub fn opened(&self) -> (Value, Value) {
        assert!(signature_fits(&self.headers, &self.body), "a notice is rightly signed");
        let envelope: Value = serde_json::from_slice(&self.body).unwrap();
        let plain = open_resource(&envelope["resource"]);
        (envelope, serde_json::from_slice(&plain).unwrap())
    }
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn is_signed(&self) -> bool {
        signature_fits(&self.headers, &self.body)
    }

    /// (status, code, message)
    pub fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        (self.status, body["code"].as_str().unwrap().to_owned(), body["message"].as_str().unwrap().to_owned())
    }
}

impl Stage {
    pub async fn start() -> Stage {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Stage {
        let world = Sandbox::new(options, Clock::manual(NOON), Chance::seeded(3));
        let inbox = Arc::new(Inbox::default());
        let (listener, base) = bound().await;
        let shown = Arc::clone(&world);
        tokio::spawn(async move { shown.serve(listener).await });
        let (listener, shop) = bound().await;
        let app = Route::new().at("/notify/:kind", post(take)).data(Arc::clone(&inbox));
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        tokio::spawn(Server::new_with_acceptor(acceptor).run(app));
        let policy = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().redirect(policy).no_proxy().build().unwrap();
        Stage { world, base, http, inbox, inbox_url: format!("{shop}/notify/pay") }
    }

    pub fn advance(&self, seconds: u64) {
        self.world.clock.advance(Duration::from_secs(seconds));
    }

    /// A well-formed Native order of 8,000.00 yuan.
    pub fn order(&self, no: &str) -> Value {
        json!({
            "appid": WECHAT_APP_ID,
            "mchid": WECHAT_MCH_FISCAL,
            "description": "启明大学-学费",
            "out_trade_no": no,
            "notify_url": self.inbox_url,
            "amount": { "total": 800_000, "currency": "CNY" },
        })
    }

    /// The same for JSAPI, to be paid by this openid.
    pub fn jsapi_order(&self, no: &str, openid: &str) -> Value {
        let mut order = self.order(no);
        order["payer"] = json!({ "openid": openid });
        order
    }

    /// The same for H5.
    pub fn h5_order(&self, no: &str) -> Value {
        let mut order = self.order(no);
        order["scene_info"] = json!({ "payer_client_ip": "203.0.113.9", "h5_info": { "type": "Wap" } });
        order
    }

    pub fn refund(&self, no: &str, refund_no: &str, fen: i64) -> Value {
        json!({
            "out_trade_no": no,
            "out_refund_no": refund_no,
            "reason": "多缴退费",
            "notify_url": self.inbox_url.replace("pay", "refund"),
            "amount": { "refund": fen, "total": 800_000, "currency": "CNY" },
        })
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_text(path, &body.to_string()).await
    }

    pub async fn post_text(&self, path: &str, body: &str) -> Reply {
        let authorization = self.authorization("POST", path, body);
        self.send(self.raw("POST", path, body).header("Authorization", authorization)).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Reply {
        let authorization = self.authorization("GET", path, "");
        self.send(self.raw("GET", path, "").header("Authorization", authorization)).await.unwrap()
    }

    pub async fn query(&self, no: &str) -> Reply {
        self.get(&format!("/v3/pay/transactions/out-trade-no/{no}?mchid={WECHAT_MCH_FISCAL}")).await
    }

    pub async fn close(&self, no: &str) -> Reply {
        let path = format!("/v3/pay/transactions/out-trade-no/{no}/close");
        self.post(&path, &json!({ "mchid": WECHAT_MCH_FISCAL })).await
    }

    /// A request without Authorization.
    pub fn raw(&self, method: &str, path: &str, body: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.base));
        let request = request.header("User-Agent", "test").header("Accept", "application/json");
        if body.is_empty() { request } else { request.header("Content-Type", "application/json").body(body.to_owned()) }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Reply> {
        let answer = request.timeout(Duration::from_secs(10)).send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Reply { status, headers, body: answer.bytes().await?.to_vec() })
    }

    pub fn authorization(&self, method: &str, path: &str, body: &str) -> String {
        authorization_of(WECHAT_MCH_FISCAL, keys::WECHAT_MERCHANT_SERIAL, self.world.now().unix(), method, path, body)
    }
}

async fn bound() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (listener, base)
}

pub fn authorization_of(mchid: &str, serial: &str, seconds: i64, method: &str, path: &str, body: &str) -> String {
    let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
    let message = format!("{method}\n{path}\n{seconds}\n{nonce}\n{body}\n");
    let signature = signed_by_merchant(&message);
    format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
         timestamp=\"{seconds}\",serial_no=\"{serial}\""
    )
}

/// The merchant's signature, base64.
pub fn signed_by_merchant(message: &str) -> String {
    let key = SigningKey::<Sha256>::new(RsaPrivateKey::from_pkcs8_pem(keys::WECHAT_MERCHANT_KEY).unwrap());
    BASE64.encode(key.sign(message.as_bytes()).to_bytes())
}

/// Whether the `Wechatpay-*` headers fit the body under the key they name.
pub fn signature_fits(headers: &HeaderMap, body: &[u8]) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let all = [text("Wechatpay-Timestamp"), text("Wechatpay-Nonce"), text("Wechatpay-Signature"), serial(headers)];
    let [Some(timestamp), Some(nonce), Some(signature), Some(serial)] = all else { return false };
    let message = [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat();
    let pem = match serial {
        keys::WECHAT_PUBLIC_KEY_ID => keys::WECHAT_PUBLIC_KEY_PRIVATE_HALF,
        keys::WECHAT_PLATFORM_A_SERIAL => keys::WECHAT_PLATFORM_A_KEY,
        keys::WECHAT_PLATFORM_B_SERIAL => keys::WECHAT_PLATFORM_B_KEY,
        _ => return false,
    };
    let key = VerifyingKey::<Sha256>::new(RsaPublicKey::from(RsaPrivateKey::from_pkcs8_pem(pem).unwrap()));
    let Ok(bytes) = BASE64.decode(signature) else { return false };
    key.verify(&message, &Signature::try_from(bytes.as_slice()).unwrap()).is_ok()
}

pub fn serial(headers: &HeaderMap) -> Option<&str> {
    headers.get("Wechatpay-Serial").and_then(|value| value.to_str().ok())
}

/// Opens an AEAD_AES_256_GCM resource with the APIv3 key.
pub fn open_resource(resource: &Value) -> Vec<u8> {
    let text = |name: &str| resource[name].as_str().unwrap();
    let sealed = BASE64.decode(text("ciphertext")).unwrap();
    let payload = Payload { msg: &sealed, aad: text("associated_data").as_bytes() };
    let cipher = Aes256Gcm::new_from_slice(keys::WECHAT_API_V3_KEY.as_bytes()).unwrap();
    cipher.decrypt(Nonce::from_slice(text("nonce").as_bytes()), payload).unwrap()
}
