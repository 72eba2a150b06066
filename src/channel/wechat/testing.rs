//! For the tests beside: WeChat Pay's voice, made with other crates than the channel uses, so that a shared mistake
//! cannot hide.
use std::time::Duration;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderName};
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use serde_json::{Value, json};

use super::account::Wechat;
use crate::channel::contract::{PrepayAsk, RawNotice, RefundAsk};
use crate::clock::{Chance, Clock};
use crate::config::WechatAccount;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::{AttemptNo, RefundNo};
use crate::domain::trade::{Buyer, Product, TradeNo};
use crate::outbound::HttpClient;
use crate::outbound::fake::{Play, Seen};
use crate::sandbox::keys;

pub const ATTEMPT: &str = "XF261201QMU000001T01";
pub const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

pub fn now() -> Moment {
    Moment::parse_rfc3339("2026-12-01T10:00:00+08:00").unwrap()
}

/// An account with the public key and certificate A, as during WeChat's switch.
pub fn account(base: &str) -> WechatAccount {
    WechatAccount {
        app_id: "wx2421b1c4370ec43b".to_owned(),
        mch_id: "1900000001".to_owned(),
        serial_no: keys::WECHAT_MERCHANT_SERIAL.to_owned(),
        private_key: keys::WECHAT_MERCHANT_KEY.into(),
        api_v3_key: keys::WECHAT_API_V3_KEY.into(),
        public_key_id: Some(keys::WECHAT_PUBLIC_KEY_ID.to_owned()),
        public_key: Some(keys::WECHAT_PUBLIC_KEY.into()),
        platform_certificates: vec![keys::WECHAT_PLATFORM_A_CERT.into()],
        api_base: base.to_owned(),
        h5: true,
    }
}

pub fn public_key_only(base: &str) -> WechatAccount {
    WechatAccount { platform_certificates: Vec::new(), ..account(base) }
}

pub fn certificate_only(base: &str) -> WechatAccount {
    WechatAccount { public_key: None, public_key_id: None, ..account(base) }
}

pub fn wechat(account: &WechatAccount) -> Wechat {
    wechat_at(account, &Clock::manual(now()))
}

pub fn wechat_at(account: &WechatAccount, clock: &Clock) -> Wechat {
    let http = HttpClient::with_timeouts(Duration::from_millis(500), Duration::from_millis(500)).unwrap();
    Wechat::new(account, clock.clone(), Chance::seeded(1), http).unwrap()
}

/// A key of WeChat Pay and the serial it is named by.
#[derive(Clone)]
pub struct Voice {
    pub serial: &'static str,
    pub key: SigningKey<Sha256>,
}

impl Voice {
    fn of(serial: &'static str, pem: &str) -> Voice {
        Voice { serial, key: SigningKey::new(rsa::RsaPrivateKey::from_pkcs8_pem(pem).unwrap()) }
    }

    pub fn public() -> Voice {
        Self::of(keys::WECHAT_PUBLIC_KEY_ID, keys::WECHAT_PUBLIC_KEY_PRIVATE_HALF)
    }

    pub fn platform_a() -> Voice {
        Self::of(keys::WECHAT_PLATFORM_A_SERIAL, keys::WECHAT_PLATFORM_A_KEY)
    }

    pub fn platform_b() -> Voice {
        Self::of(keys::WECHAT_PLATFORM_B_SERIAL, keys::WECHAT_PLATFORM_B_KEY)
    }

    /// The four headers over these bytes.
    pub fn headers(&self, at: Moment, body: &[u8]) -> Vec<(String, String)> {
        let (timestamp, nonce) = (at.unix().to_string(), "5K8264ILTKCH16CQ2502SI8ZNMTM67VS");
        let message = [format!("{timestamp}\n{nonce}\n").as_bytes(), body, b"\n"].concat();
        let signature = STANDARD.encode(self.key.sign(&message).to_bytes());
        let pairs = [
            ("Wechatpay-Timestamp", timestamp.as_str()),
            ("Wechatpay-Nonce", nonce),
            ("Wechatpay-Signature", &signature),
            ("Wechatpay-Serial", self.serial),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    pub fn answer(&self, status: u16, body: &str) -> Play {
        let headers = self.headers(now(), body.as_bytes());
        Play::Answer { status, headers, body: body.as_bytes().to_vec() }
    }

    pub fn notice(&self, body: &[u8]) -> RawNotice {
        RawNotice { headers: header_map(&self.headers(now(), body)), body: body.to_vec(), received_at: now() }
    }
}

/// The answer with one header set to something else.
pub fn with_header(play: Play, name: &str, value: &str) -> Play {
    match play {
        Play::Answer { status, mut headers, body } => {
            headers.retain(|(key, _)| key != name);
            headers.push((name.to_owned(), value.to_owned()));
            Play::Answer { status, headers, body }
        }
        other => other,
    }
}

pub fn header_map(pairs: &[(String, String)]) -> HeaderMap {
    let name = |name: &str| HeaderName::try_from(name).unwrap();
    pairs.iter().map(|(key, value)| (name(key), value.parse().unwrap())).collect()
}

/// What the APIv3 key seals, in the shape of `resource` and `encrypt_certificate`.
pub fn seal(plain: &str, associated_data: Option<&str>) -> Value {
    let cipher = aes_gcm::Aes256Gcm::new_from_slice(keys::WECHAT_API_V3_KEY.as_bytes()).unwrap();
    let nonce = "fdasflkja484";
    let payload = Payload { msg: plain.as_bytes(), aad: associated_data.unwrap_or_default().as_bytes() };
    let ciphertext = cipher.encrypt(aes_gcm::Nonce::from_slice(nonce.as_bytes()), payload).unwrap();
    let mut sealed = json!({
        "original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "ciphertext": STANDARD.encode(ciphertext),
        "nonce": nonce,
    });
    if let Some(data) = associated_data {
        sealed["associated_data"] = json!(data);
    }
    sealed
}

pub fn envelope(event_type: &str, resource: &Value) -> Vec<u8> {
    json!({
        "id": "EV-2018022511223320873", "create_time": "2026-12-01T10:00:00+08:00", "resource_type": "encrypt-resource",
        "event_type": event_type, "summary": "支付成功", "resource": resource,
    })
    .to_string()
    .into_bytes()
}

/// A paid order as queries and notices tell it.
pub fn paid(total: i64) -> Value {
    json!({
        "appid": "wx2421b1c4370ec43b", "mchid": "1900000001", "out_trade_no": ATTEMPT,
        "transaction_id": "4200000263201902167700134902", "trade_type": "JSAPI", "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功", "bank_type": "CMC", "success_time": "2026-12-01T09:59:58+08:00",
        "payer": {"openid": OPENID},
        "amount": {"total": total, "payer_total": total - 1, "currency": "CNY", "payer_currency": "CNY"},
    })
}

pub fn prepay_ask(product: Product) -> PrepayAsk {
    PrepayAsk {
        attempt_no: AttemptNo::parse(ATTEMPT).unwrap(),
        opened_at: now(),
        product,
        amount: Fen::new(934_994),
        subject: "学费".to_owned(),
        expires_at: now() + Duration::from_secs(1800),
        payer_ip: "203.0.113.7".to_owned(),
        buyer: product.needs_buyer().then(|| Buyer::WechatOpenid(OPENID.to_owned())),
        notify_url: "https://pay.example.edu.cn/notify/wechat/fiscal".to_owned(),
        return_url: "https://pay.example.edu.cn/h5/cashier/XF261201QMU000001".to_owned(),
    }
}

pub fn refund_ask(amount: i64, total: i64) -> RefundAsk {
    let attempt_no = AttemptNo::parse(ATTEMPT).unwrap();
    RefundAsk {
        refund_no: RefundNo::compose(&attempt_no, 1),
        opened_at: now(),
        attempt_no,
        trade_no: TradeNo("4200000263201902167700134902".to_owned()),
        amount: Fen::new(amount),
        total: Fen::new(total),
        reason: "重复缴费".to_owned(),
        notify_url: "https://pay.example.edu.cn/notify/wechat/fiscal".to_owned(),
    }
}

/// Whether a request bears the merchant's signature over exactly what came over the wire.
pub fn is_signed(seen: &Seen) -> bool {
    let authorization = seen.header("authorization").unwrap();
    let fields = authorization.strip_prefix("WECHATPAY2-SHA256-RSA2048 ").unwrap();
    let field = |name: &str| {
        let mut all = fields.split(',').filter_map(|pair| pair.split_once('='));
        all.find(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"').to_owned()).unwrap()
    };
    assert_eq!((field("mchid"), field("serial_no")), ("1900000001".into(), keys::WECHAT_MERCHANT_SERIAL.into()));
    let (method, target, body) = (&seen.method, &seen.target, String::from_utf8(seen.body.clone()).unwrap());
    let message = format!("{method}\n{target}\n{}\n{}\n{body}\n", field("timestamp"), field("nonce_str"));
    is_signature(&message, &field("signature"))
}

/// Whether this is the merchant's signature of `message`.
pub fn is_signature(message: &str, signature: &str) -> bool {
    let public = rsa::RsaPublicKey::from_public_key_pem(keys::WECHAT_MERCHANT_PUBLIC).unwrap();
    let signature = Signature::try_from(STANDARD.decode(signature).unwrap().as_slice()).unwrap();
    VerifyingKey::<Sha256>::new(public).verify(message.as_bytes(), &signature).is_ok()
}

pub fn body_of(seen: &Seen) -> Value {
    serde_json::from_slice(&seen.body).unwrap()
}
