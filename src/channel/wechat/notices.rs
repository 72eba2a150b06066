//! Notices: believe or refuse (WeChat Pay v3, notifications), and the words to answer with.
//!
//! The order of work is fixed: size, headers, time, key, signature over the raw bytes, and only then JSON and the seal.
use wechat_pay_rust_sdk::model::WechatPayNotify;

use super::client::Client;
use super::keys::Sealed;
use super::orders::Transaction;
use super::refunds::Refund;
use crate::channel::contract::{About, Ack, Notice, NoticeRefusal, RawNotice, Reception};
use crate::outbound::LONGEST_ANSWER;

pub fn verify(client: &Client, raw: &RawNotice) -> Result<Notice, NoticeRefusal> {
    if raw.body.len() > LONGEST_ANSWER {
        return Err(NoticeRefusal::Malformed("longer than 1 MiB"));
    }
    client.keyring.check(&raw.headers, &raw.body, raw.received_at).inspect_err(|refusal| {
        if *refusal == NoticeRefusal::UnknownKey {
            client.want_refresh();
        }
    })?;
    let envelope: WechatPayNotify =
        serde_json::from_slice(&raw.body).map_err(|_| NoticeRefusal::Malformed("envelope"))?;
    let about = match envelope.event_type.split_once('.') {
        Some(("TRANSACTION", _)) => payment(client, &open(client, &envelope)?)?,
        Some(("REFUND", _)) => refund(client, &open(client, &envelope)?)?,
        _ => About::Nothing,
    };
    Ok(Notice { id: envelope.id, about })
}

fn open(client: &Client, envelope: &WechatPayNotify) -> Result<Vec<u8>, NoticeRefusal> {
    let resource = &envelope.resource;
    let sealed = Sealed {
        algorithm: resource.algorithm.clone(),
        nonce: resource.nonce.clone(),
        associated_data: resource.associated_data.clone(),
        ciphertext: resource.ciphertext.clone(),
    };
    client.api_v3_key.open(&sealed).ok_or(NoticeRefusal::Malformed("resource does not open with the APIv3 key"))
}

fn payment(client: &Client, plain: &[u8]) -> Result<About, NoticeRefusal> {
    let transaction: Transaction = serde_json::from_slice(plain).map_err(|_| NoticeRefusal::Malformed("payment"))?;
    let attempt_no = transaction.out_trade_no.clone();
    let heard = transaction.heard(&client.app_id, &client.mch_id).map_err(NoticeRefusal::Malformed)?;
    Ok(About::Payment { attempt_no, heard })
}

fn refund(client: &Client, plain: &[u8]) -> Result<About, NoticeRefusal> {
    let refund: Refund = serde_json::from_slice(plain).map_err(|_| NoticeRefusal::Malformed("refund"))?;
    if refund.mchid.as_ref().is_some_and(|mch_id| *mch_id != client.mch_id) {
        return Err(NoticeRefusal::Malformed("another merchant's refund"));
    }
    let refund_no = refund.out_refund_no.clone();
    let heard = refund.heard().map_err(NoticeRefusal::Malformed)?;
    Ok(About::Refund { refund_no, heard })
}

/// The status decides: only 200 and 204 end the repetitions (WeChat Pay v3, answering notifications).
pub fn acknowledge(reception: Reception) -> Ack {
    let (status, body) = match reception {
        Reception::Done => (200, r#"{"code":"SUCCESS","message":"成功"}"#),
        Reception::Refused => (401, r#"{"code":"FAIL","message":"失败"}"#),
        Reception::Later => (500, r#"{"code":"FAIL","message":"失败"}"#),
    };
    Ack { status, content_type: "application/json", body }
}
