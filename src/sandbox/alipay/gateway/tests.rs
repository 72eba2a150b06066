//! Alipay's gateway as a merchant meets it, over a real port, with signatures made and checked by tests' own code.
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use encoding_rs::{Encoding, GBK, UTF_8};
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::sandbox::keys;
use crate::sandbox::merchants::{ALIPAY_APP_FISCAL, ALIPAY_SELLER_FISCAL, alipay_user};
use crate::sandbox::server::stage::Stage;

mod access;
mod faults;
mod identity;
mod notices;
mod orders;
mod pages;
mod refunds;

type Fields = BTreeMap<String, String>;

/// An answer as it came.
struct Said {
    status: u16,
    bytes: Vec<u8>,
}

impl Said {
    fn text(&self) -> String {
        UTF_8.decode(&self.bytes).0.into_owned()
    }

    /// The only node of the answer, whatever its name; panics where the signature does not fit.
    fn node(&self) -> Value {
        assert!(self.is_signed(), "rightly signed: {}", self.text());
        self.unsigned_node()
    }

    fn unsigned_node(&self) -> Value {
        serde_json::from_str(&self.members().0).unwrap()
    }

    /// (the node's text, all members)
    fn members(&self) -> (String, BTreeMap<String, Value>) {
        let text = self.text();
        let raw: BTreeMap<String, &RawValue> = serde_json::from_str(&text).unwrap_or_else(|_| panic!("JSON: {text}"));
        let node = raw.iter().find(|(name, _)| name.ends_with("_response")).unwrap().1.get().to_owned();
        (node, raw.into_iter().map(|(name, raw)| (name, serde_json::from_str(raw.get()).unwrap())).collect())
    }

    fn is_signed(&self) -> bool {
        let (node, members) = self.members();
        members.get("sign").is_some_and(|sign| alipay_signed(node.as_bytes(), sign.as_str().unwrap()))
    }

    /// `sub_code` without its prefix
    fn refusal(&self) -> String {
        let node = self.unsigned_node();
        assert_ne!(node["code"], json!("10000"), "{node}");
        node["sub_code"].as_str().unwrap().trim_start_matches("ACQ.").to_owned()
    }
}

fn alipay_signed(message: &[u8], signature: &str) -> bool {
    let key = VerifyingKey::<Sha256>::new(RsaPublicKey::from_public_key_pem(keys::ALIPAY_PUBLIC).unwrap());
    let bytes = BASE64.decode(signature).unwrap();
    key.verify(message, &Signature::try_from(bytes.as_slice()).unwrap()).is_ok()
}

fn app_sign(message: &[u8]) -> String {
    let key = SigningKey::<Sha256>::new(RsaPrivateKey::from_pkcs8_pem(keys::ALIPAY_APP_KEY).unwrap());
    BASE64.encode(key.sign(message).to_bytes())
}

/// The common parameters of a call, unsigned.
fn common(stage: &Stage, method: &str) -> Fields {
    let now = stage.world.now().beijing_text();
    let all = [
        ("app_id", ALIPAY_APP_FISCAL),
        ("method", method),
        ("format", "JSON"),
        ("charset", "utf-8"),
        ("sign_type", "RSA2"),
        ("timestamp", &now),
        ("version", "1.0"),
        ("alipay_sdk", "tests"),
    ];
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// Signed by the rules: everything but `sign`, sorted, no empty values, in the charset's bytes.
fn signed(mut fields: Fields, charset: &'static Encoding) -> Fields {
    let pairs = fields.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
    let pairs: Vec<_> = pairs.map(|(name, value)| [name.as_bytes(), b"=", &charset.encode(value).0].concat()).collect();
    fields.insert("sign".to_owned(), app_sign(&pairs.join(&b'&')));
    fields
}

fn encoded(fields: &Fields, charset: &'static Encoding) -> String {
    let pair = |(name, value): (&String, &String)| {
        let value: String = form_urlencoded::byte_serialize(&charset.encode(value).0).collect();
        format!("{name}={value}")
    };
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Sends parameters as the official SDKs do: the business in the body, the rest in the query.
async fn send(stage: &Stage, fields: &Fields, charset: &'static Encoding) -> Said {
    let (business, rest): (Fields, Fields) = fields.clone().into_iter().partition(|(name, _)| name == "biz_content");
    let request = stage.http.post(format!("{}/gateway.do?{}", stage.base, encoded(&rest, charset)));
    let request = request.header("content-type", "application/x-www-form-urlencoded;charset=utf-8");
    let answer = stage.send(request.body(encoded(&business, charset))).await.unwrap();
    Said { status: answer.status, bytes: answer.body }
}

async fn call_with(stage: &Stage, method: &str, biz: &Value, more: &[(&str, &str)]) -> Said {
    let mut fields = common(stage, method);
    fields.insert("biz_content".to_owned(), biz.to_string());
    fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    send(stage, &signed(fields, UTF_8), UTF_8).await
}

async fn call(stage: &Stage, method: &str, biz: &Value) -> Said {
    call_with(stage, method, biz, &[]).await
}

/// 8,000.00 yuan, paid within half an hour.
fn order(stage: &Stage, no: &str) -> Value {
    let until = stage.world.now() + std::time::Duration::from_secs(1800);
    json!({
        "out_trade_no": no, "total_amount": "8000.00", "subject": "启明大学-学费", "seller_id": ALIPAY_SELLER_FISCAL,
        "time_expire": until.beijing_text(),
    })
}

async fn precreate(stage: &Stage, no: &str) -> Said {
    call_with(stage, "alipay.trade.precreate", &order(stage, no), &[("notify_url", &stage.inbox_url)]).await
}

/// For the phone `lin` inside the Alipay app.
fn app_order(stage: &Stage, no: &str) -> Value {
    let mut order = order(stage, no);
    order["product_code"] = json!("JSAPI_PAY");
    order["op_app_id"] = json!(ALIPAY_APP_FISCAL);
    order["buyer_id"] = json!(alipay_user("lin"));
    order
}

async fn create(stage: &Stage, no: &str) -> Said {
    call_with(stage, "alipay.trade.create", &app_order(stage, no), &[("notify_url", &stage.inbox_url)]).await
}

async fn query(stage: &Stage, no: &str) -> Said {
    call(stage, "alipay.trade.query", &json!({ "out_trade_no": no })).await
}

/// Where a page method's link leads a browser that is this phone's; the page itself where it leads nowhere.
async fn land(stage: &Stage, method: &str, biz: &Value, more: &[(&str, &str)], phone: &str) -> Result<String, String> {
    let mut fields = common(stage, method);
    fields.insert("biz_content".to_owned(), biz.to_string());
    fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let link = format!("{}/gateway.do?{}", stage.base, encoded(&signed(fields, UTF_8), UTF_8));
    let answer = stage.http.get(link).header("cookie", format!("phone={phone}")).send().await.unwrap();
    match answer.headers().get("location") {
        Some(to) => Ok(format!("{}{}", stage.base, to.to_str().unwrap())),
        None => Err(answer.text().await.unwrap()),
    }
}

async fn press(stage: &Stage, cashier: &str, phone: &str, act: &str) -> reqwest::Response {
    let request = stage.http.post(cashier).header("cookie", format!("phone={phone}")).form(&[("act", act)]);
    request.send().await.unwrap()
}
