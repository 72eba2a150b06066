//! UnionPay's gateway as a merchant meets it, over a real port, with signatures made and checked by tests' own code.
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::{Signature, SigningKey};
use rsa::pkcs8::DecodePrivateKey;
use rsa::sha2::{Digest, Sha256};
use rsa::signature::{Keypair, SignatureEncoding, Signer, Verifier};

use crate::domain::trade::Channel;
use crate::sandbox::keys;
use crate::sandbox::merchants::UNIONPAY_MER_FISCAL;
use crate::sandbox::server::stage::Stage;

mod access;
mod cashier;
mod faults;
mod notices;
mod queries;
mod refunds;

type Message = BTreeMap<String, String>;

const FRONT: &str = "/gateway/api/frontTransReq.do";
const BACK: &str = "/gateway/api/backTransReq.do";
const QUERY: &str = "/gateway/api/queryTrans.do";
const FRONT_URL: &str = "https://pay.example.edu.cn/h5/result/A1?x=1";
/// The second of every order and refund here, unless a test says otherwise.
const SECOND: &str = "20260901120000";

fn message(fields: &[(&str, &str)]) -> Message {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The lower-case hex SHA-256 of the sorted fields but `signature` and empty ones.
fn digest(message: &Message) -> String {
    let signed = message.iter().filter(|(name, value)| *name != "signature" && !value.is_empty());
    let text = signed.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key(pem: &str) -> SigningKey<Sha256> {
    SigningKey::new(RsaPrivateKey::from_pkcs8_pem(pem).unwrap())
}

/// Signed by the merchant.
fn signed(mut message: Message) -> Message {
    let signature = key(keys::UNIONPAY_MERCHANT_KEY).sign(digest(&message).as_bytes());
    message.insert("signature".to_owned(), BASE64.encode(signature.to_bytes()));
    message
}

/// Whether UnionPay's own key made the signature, and its own certificate was sent along.
fn is_unionpays(message: &Message) -> bool {
    let (Some(signature), Some(certificate)) = (message.get("signature"), message.get("signPubKeyCert")) else {
        return false;
    };
    let bytes = BASE64.decode(signature).unwrap();
    let signature = Signature::try_from(bytes.as_slice()).unwrap();
    let fits = key(keys::UNIONPAY_KEY).verifying_key().verify(digest(message).as_bytes(), &signature).is_ok();
    fits && certificate.replace("\r\n", "\n").trim() == keys::UNIONPAY_CERT.trim()
}

/// What a back-channel answer says: split at `&`, and at the first `=` only.
fn parsed(line: &str) -> Message {
    line.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// What all messages of a merchant share.
fn common(txn: &str, order_id: &str) -> Message {
    let (txn_type, txn_sub_type) = txn.split_once('/').unwrap();
    message(&[
        ("version", "5.1.0"),
        ("encoding", "UTF-8"),
        ("signMethod", "01"),
        ("certId", keys::UNIONPAY_MERCHANT_CERT_ID),
        ("txnType", txn_type),
        ("txnSubType", txn_sub_type),
        ("bizType", "000201"),
        ("channelType", "08"),
        ("accessType", "0"),
        ("merId", UNIONPAY_MER_FISCAL),
        ("orderId", order_id),
        ("txnTime", SECOND),
    ])
}

/// 8,000.00 yuan, to be paid within a quarter of an hour.
fn order(stage: &Stage, order_id: &str) -> Message {
    let mut order = common("01/01", order_id);
    order.extend(message(&[
        ("txnAmt", "800000"),
        ("currencyCode", "156"),
        ("frontUrl", FRONT_URL),
        ("backUrl", &stage.inbox_url),
        ("payTimeout", "20260901121500"),
        ("orderDesc", "启明大学-学费"),
        ("riskRateInfo", "{commodityName=学费}"),
    ]));
    order
}

fn with(mut message: Message, name: &str, value: &str) -> Message {
    message.insert(name.to_owned(), value.to_owned());
    message
}

async fn post(stage: &Stage, path: &str, message: &Message, phone: &str) -> reqwest::Response {
    let request = stage.http.post(format!("{}{path}", stage.base)).header("cookie", format!("phone={phone}"));
    request.form(message).send().await.unwrap()
}

/// What UnionPay answers on the back channel; panics where the signature does not fit.
async fn said(stage: &Stage, path: &str, message: Message) -> Message {
    let answer = post(stage, path, &signed(message), "lin").await;
    assert_eq!(answer.status(), 200);
    let said = parsed(&answer.text().await.unwrap());
    assert!(is_unionpays(&said), "rightly signed: {said:?}");
    said
}

async fn query(stage: &Stage, order_id: &str) -> Message {
    said(stage, QUERY, common("00/00", order_id)).await
}

/// respCode and origRespCode
async fn state(stage: &Stage, order_id: &str) -> (String, String) {
    let said = query(stage, order_id).await;
    (said["respCode"].clone(), said.get("origRespCode").cloned().unwrap_or_default())
}

/// Where the form leads a browser that is lin's; the page itself where it leads nowhere.
async fn land(stage: &Stage, order: Message) -> Result<String, String> {
    let answer = post(stage, FRONT, &signed(order), "lin").await;
    match answer.headers().get("location") {
        Some(to) => Ok(format!("{}{}", stage.base, to.to_str().unwrap())),
        None => Err(answer.text().await.unwrap()),
    }
}

async fn press(stage: &Stage, cashier: &str, act: &str) -> String {
    let request = stage.http.post(cashier).header("cookie", "phone=lin");
    request.form(&[("way", "card"), ("card", "0"), ("act", act)]).send().await.unwrap().text().await.unwrap()
}

/// Brought to the cashier and paid.
async fn paid(stage: &Stage, order_id: &str) -> Message {
    land(stage, order(stage, order_id)).await.unwrap();
    stage.world.pay(Channel::UnionPay, order_id, "lin").unwrap();
    query(stage, order_id).await
}

/// A refund of a payment by its queryId.
fn refund(stage: &Stage, order_id: &str, query_id: &str, fen: &str) -> Message {
    let mut refund = common("04/00", order_id);
    let url = stage.inbox_url.replace("pay", "refund");
    refund.extend(message(&[("origQryId", query_id), ("txnAmt", fen), ("backUrl", &url), ("currencyCode", "156")]));
    refund
}
