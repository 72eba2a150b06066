//! For tests: Alipay's side of the wire. It signs and verifies with the `rsa` crate, so that a mistake of ours is not
//! shared.
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer, Verifier};

use super::gateway::Gateway;
use crate::channel::contract::{PrepayAsk, RefundAsk};
use crate::clock::Clock;
use crate::config::AlipayAccount;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::{AttemptNo, RefundNo};
use crate::domain::trade::{Product, TradeNo};
use crate::outbound::HttpClient;
use crate::outbound::fake::{Fake, Play};
use crate::sandbox::keys;

pub const APP_ID: &str = "2021000000000001";
pub const SELLER_ID: &str = "2088000000000001";
pub const ATTEMPT: &str = "XF260901QMU000001T01";
pub const REFUND: &str = "XF260901QMU000001T01R01";
pub const TRADE: &str = "2026090122001400001000000001";

/// 2026-09-01 10:24:36 in Beijing
pub fn now() -> Moment {
    Moment::from_unix(1_788_229_476)
}

/// In public-key mode, with nobody at its gateway.
pub fn account() -> AlipayAccount {
    AlipayAccount {
        app_id: APP_ID.to_owned(),
        private_key: keys::ALIPAY_APP_KEY.into(),
        alipay_public_key: Some(keys::ALIPAY_PUBLIC.into()),
        app_cert: None,
        alipay_cert: None,
        alipay_root_cert: None,
        seller_id: SELLER_ID.to_owned(),
        gateway: "http://127.0.0.1:1/gateway.do".to_owned(),
        authorize_base: "http://127.0.0.1:1".to_owned(),
    }
}

pub fn certified_account() -> AlipayAccount {
    AlipayAccount {
        alipay_public_key: None,
        app_cert: Some(keys::ALIPAY_APP_CERT.into()),
        alipay_cert: Some(keys::ALIPAY_CERT.into()),
        alipay_root_cert: Some(keys::ALIPAY_ROOT_CERT.into()),
        ..account()
    }
}

pub fn attempt_no() -> AttemptNo {
    AttemptNo::parse(ATTEMPT).unwrap()
}

pub fn ask() -> PrepayAsk {
    PrepayAsk {
        attempt_no: attempt_no(),
        opened_at: now(),
        product: Product::AlipayWap,
        amount: Fen::new(909_995),
        subject: "学费".to_owned(),
        expires_at: now() + Duration::from_secs(1800),
        payer_ip: "203.0.113.9".to_owned(),
        buyer: None,
        notify_url: "https://pay.example.edu.cn/notify/alipay/fiscal".to_owned(),
        return_url: "https://pay.example.edu.cn/h5/result/XF260901QMU000001".to_owned(),
    }
}

pub fn refund_ask() -> RefundAsk {
    RefundAsk {
        refund_no: RefundNo::parse(REFUND).unwrap(),
        opened_at: now(),
        attempt_no: attempt_no(),
        trade_no: TradeNo(TRADE.to_owned()),
        amount: Fen::new(10_000),
        total: Fen::new(909_995),
        reason: "重复缴费 = 退款".to_owned(),
        notify_url: "https://pay.example.edu.cn/notify/alipay/fiscal".to_owned(),
    }
}

/// Alipay's signature over these bytes.
pub fn sign(text: &[u8]) -> String {
    static KEY: OnceLock<SigningKey<Sha256>> = OnceLock::new();
    let key = KEY.get_or_init(|| SigningKey::new(rsa::RsaPrivateKey::from_pkcs8_pem(keys::ALIPAY_KEY).unwrap()));
    STANDARD.encode(key.sign(text).to_bytes())
}

/// Whether the application signed these bytes.
pub fn app_signed(text: &[u8], sign: &str) -> bool {
    let key = rsa::RsaPublicKey::from_public_key_pem(keys::ALIPAY_APP_PUBLIC).unwrap();
    let Some(signature) = STANDARD.decode(sign).ok().and_then(|bytes| Signature::try_from(&bytes[..]).ok()) else {
        return false;
    };
    VerifyingKey::<Sha256>::new(key).verify(text, &signature).is_ok()
}

/// Alipay's rule for calls: everything but `sign` that is not empty, sorted.
pub fn gateway_believes(all: &BTreeMap<String, String>) -> bool {
    let signed = all.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
    let text: Vec<String> = signed.map(|(name, value)| format!("{name}={value}")).collect();
    app_signed(text.join("&").as_bytes(), all.get("sign").map_or("", String::as_str))
}

/// An answer as Alipay sends it.
pub fn envelope(name: &str, node: &str) -> String {
    format!(r#"{{"{name}":{node},"sign":"{}"}}"#, sign(node.as_bytes()))
}

pub fn gateway_at(base: &str, http: HttpClient) -> Gateway {
    let account = AlipayAccount { gateway: format!("{base}/gateway.do"), ..account() };
    Gateway::new(&account, Clock::manual(now()), http).unwrap()
}

pub fn unreachable_gateway() -> Gateway {
    gateway_at("http://127.0.0.1:1", HttpClient::new().unwrap())
}

/// A call as the gateway reads it: address and body together, in Alipay's way.
pub type Asked = BTreeMap<String, String>;

/// A gateway of ours with Alipay played behind it.
pub struct Scene {
    pub gateway: Gateway,
    fake: Fake,
}

impl Scene {
    /// Answers each call by the script; a call with a wrong signature is refused before it.
    pub fn start(mut script: impl FnMut(&Asked) -> Play + Send + 'static) -> Scene {
        let fake = Fake::start(move |seen| {
            let asked = read(&seen.target, &seen.body);
            match gateway_believes(&asked) && seen.method == "POST" {
                true => script(&asked),
                false => Play::plain(200, r#"{"error_response":{"code":"40002","sub_code":"isv.invalid-signature"}}"#),
            }
        });
        Scene { gateway: gateway_at(&fake.base, HttpClient::new().unwrap()), fake }
    }

    /// Answers every call with this node, signed.
    pub fn answering(node: &str) -> Scene {
        let node = node.to_owned();
        Scene::start(move |asked| reply(asked, &node))
    }

    /// `http://127.0.0.1:port`
    pub fn base(&self) -> &str {
        &self.fake.base
    }

    /// The n-th call, from 0.
    pub fn asked(&self, at: usize) -> Asked {
        let seen = &self.fake.seen()[at];
        read(&seen.target, &seen.body)
    }

    /// The business parameters of the n-th call.
    pub fn biz(&self, at: usize) -> serde_json::Value {
        serde_json::from_str(&self.asked(at)["biz_content"]).unwrap()
    }
}

/// A signed answer to a call, under the name its method asks for.
pub fn reply(asked: &Asked, node: &str) -> Play {
    Play::plain(200, &envelope(&format!("{}_response", asked["method"].replace('.', "_")), node))
}

fn read(target: &str, body: &[u8]) -> Asked {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let halves = [query.as_bytes(), body];
    halves.into_iter().flat_map(|half| form_urlencoded::parse(half).into_owned()).collect()
}
