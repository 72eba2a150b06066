//! For tests: UnionPay's side of the wire. It signs and verifies with the `rsa` crate, so that a mistake of ours is not
//! shared.
use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::DecodePrivateKey;
use rsa::sha2::{Digest, Sha256};
use rsa::signature::{Keypair, SignatureEncoding, Signer, Verifier};

use super::gateway::Gateway;
use crate::channel::contract::{PrepayAsk, RefundAsk};
use crate::clock::Clock;
use crate::config::UnionPayAccount;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::{AttemptNo, RefundNo};
use crate::domain::trade::{Product, TradeNo};
use crate::outbound::HttpClient;
use crate::outbound::fake::{Fake, Play};
use crate::sandbox::keys;

pub const MER_ID: &str = "898620100000109";
pub const ATTEMPT: &str = "XF260901QMU000001T01";
pub const REFUND: &str = "XF260901QMU000001T01R01";
pub const QUERY_ID: &str = "202609011024361234567";

/// 2026-09-01 10:24:36 in Beijing
pub fn now() -> Moment {
    Moment::from_unix(1_788_229_476)
}

/// With nobody at its gateway.
pub fn account() -> UnionPayAccount {
    UnionPayAccount {
        mer_id: MER_ID.to_owned(),
        sign_key: keys::UNIONPAY_MERCHANT_KEY.into(),
        sign_cert: keys::UNIONPAY_MERCHANT_CERT.into(),
        root_cert: keys::UNIONPAY_ROOT_CERT.into(),
        middle_cert: keys::UNIONPAY_MIDDLE_CERT.into(),
        name: "中国银联股份有限公司".to_owned(),
        gateway: "http://127.0.0.1:1".to_owned(),
        cashier: "https://cashier.95516.com".to_owned(),
    }
}

pub fn ask() -> PrepayAsk {
    PrepayAsk {
        attempt_no: AttemptNo::parse(ATTEMPT).unwrap(),
        opened_at: now(),
        product: Product::UnionPayWap,
        amount: Fen::new(909_995),
        subject: "学费&住宿费={1}".to_owned(),
        expires_at: now() + Duration::from_secs(1800),
        payer_ip: "203.0.113.9".to_owned(),
        buyer: None,
        notify_url: "https://pay.example.edu.cn/notify/unionpay/fiscal".to_owned(),
        return_url: "https://pay.example.edu.cn/h5/result/XF260901QMU000001".to_owned(),
    }
}

pub fn refund_ask() -> RefundAsk {
    RefundAsk {
        refund_no: RefundNo::parse(REFUND).unwrap(),
        opened_at: now() + Duration::from_secs(86_400),
        attempt_no: AttemptNo::parse(ATTEMPT).unwrap(),
        trade_no: TradeNo(QUERY_ID.to_owned()),
        amount: Fen::new(10_000),
        total: Fen::new(909_995),
        reason: "重复缴费".to_owned(),
        notify_url: "https://pay.example.edu.cn/notify/unionpay/fiscal".to_owned(),
    }
}

pub type Told = BTreeMap<String, String>;

pub fn told(pairs: &[(&str, &str)]) -> Told {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What is signed of a message: a digest of this text.
fn hashed(all: &Told) -> String {
    let signed = all.iter().filter(|(name, value)| *name != "signature" && !value.is_empty());
    let text: Vec<String> = signed.map(|(name, value)| format!("{name}={value}")).collect();
    Sha256::digest(text.join("&")).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The message signed with this key, with this certificate in it, its lines ended as UnionPay ends them.
pub fn signed_by(mut all: Told, key: &str, certificate: &str) -> Told {
    for (name, value) in [("version", "5.1.0"), ("encoding", "UTF-8"), ("signMethod", "01")] {
        all.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    all.insert("signPubKeyCert".to_owned(), certificate.trim_end().replace('\n', "\r\n"));
    let key = SigningKey::<Sha256>::new(rsa::RsaPrivateKey::from_pkcs8_pem(key).unwrap());
    let signature = STANDARD.encode(key.sign(hashed(&all).as_bytes()).to_bytes());
    all.insert("signature".to_owned(), signature);
    all
}

pub fn signed(all: Told) -> Told {
    signed_by(all, keys::UNIONPAY_KEY, keys::UNIONPAY_CERT)
}

/// Whether the merchant signed this message, with the certificate it names.
pub fn merchant_signed(all: &Told) -> bool {
    let key = SigningKey::<Sha256>::new(rsa::RsaPrivateKey::from_pkcs8_pem(keys::UNIONPAY_MERCHANT_KEY).unwrap());
    let signature = all.get("signature").and_then(|text| STANDARD.decode(text).ok());
    let Some(signature) = signature.and_then(|bytes| Signature::try_from(&bytes[..]).ok()) else { return false };
    let key: VerifyingKey<Sha256> = key.verifying_key();
    key.verify(hashed(all).as_bytes(), &signature).is_ok()
        && all.get("certId").is_some_and(|id| id == keys::UNIONPAY_MERCHANT_CERT_ID)
}

/// As the body of an answer: nothing encoded.
pub fn plain(all: &Told) -> String {
    all.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// As the body of a notice.
pub fn form(all: &Told) -> Vec<u8> {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish().into_bytes()
}

pub fn gateway_at(base: &str) -> Gateway {
    let account = UnionPayAccount { gateway: base.to_owned(), ..account() };
    Gateway::new(&account, Clock::manual(now()), HttpClient::new().unwrap()).unwrap()
}

pub fn unreachable_gateway() -> Gateway {
    gateway_at("http://127.0.0.1:1")
}

/// A gateway of ours with UnionPay played behind it.
pub struct Scene {
    pub gateway: Gateway,
    fake: Fake,
}

impl Scene {
    /// Answers each call by the script, signed, with the call's own number, second and merchant; a call with a wrong
    /// signature is refused before it.
    pub fn start(mut script: impl FnMut(&str, &Told) -> Told + Send + 'static) -> Scene {
        let fake = Fake::start(move |seen| {
            let asked: Told = form_urlencoded::parse(&seen.body).into_owned().collect();
            let mut answer = match merchant_signed(&asked) && seen.method == "POST" {
                true => script(seen.target.rsplit('/').next().unwrap(), &asked),
                false => told(&[("respCode", "11"), ("respMsg", "验签失败[9100004]")]),
            };
            for name in ["merId", "orderId", "txnTime"] {
                answer.entry(name.to_owned()).or_insert_with(|| asked[name].clone());
            }
            Play::plain(200, &plain(&signed(answer)))
        });
        Scene { gateway: gateway_at(&fake.base), fake }
    }

    /// Answers every call with these fields.
    pub fn answering(pairs: &[(&str, &str)]) -> Scene {
        let pairs = told(pairs);
        Scene::start(move |_, _| pairs.clone())
    }

    /// The n-th call, from 0: which of the gateway's pages, and what it said.
    pub fn asked(&self, at: usize) -> (String, Told) {
        let seen = &self.fake.seen()[at];
        (seen.target.clone(), form_urlencoded::parse(&seen.body).into_owned().collect())
    }
}
