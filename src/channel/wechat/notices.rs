//! Notices: believe or refuse (WeChat Pay v3, notifications), and the words to answer with.
//!
//! The order of work is fixed: size, headers, time, key, signature over the raw bytes, and only then JSON and the seal.
use wechat_pay_rust_sdk::model::WechatPayNotify;

use super::client::Client;
use super::keys::{Sealed, believed_until};
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
    Ok(Notice { id: envelope.id, about, believed_until: believed_until(&raw.headers) })
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use reqwest::header::HeaderMap;
    use serde_json::{Value, json};

    use super::super::account::Wechat;
    use super::super::testing::{self, ATTEMPT, Voice, account, envelope, paid, seal};
    use super::*;
    use crate::channel::contract::PaymentChannel;
    use crate::domain::moment::Moment;
    use crate::domain::money::Fen;
    use crate::domain::trade::{Heard, RefundHeard, TradeNo};
    use crate::outbound::fake::{Fake, Play};

    fn ours() -> Wechat {
        testing::wechat(&account("http://127.0.0.1:1"))
    }

    fn heard_of(event_type: &str, plain: &Value) -> Result<Notice, NoticeRefusal> {
        let body = envelope(event_type, &seal(&plain.to_string(), Some("transaction")));
        ours().verify(&Voice::public().notice(&body))
    }

    fn payment_of(plain: &Value) -> Result<Heard, NoticeRefusal> {
        heard_of("TRANSACTION.SUCCESS", plain).map(|notice| match notice.about {
            About::Payment { heard, .. } => heard,
            other => panic!("{other:?}"),
        })
    }

    fn edited(mut plain: Value, pointer: &str, value: Value) -> Value {
        *plain.pointer_mut(pointer).unwrap() = value;
        plain
    }

    #[test]
    fn a_payment_is_heard_from_either_key_without_attach_and_beyond_32_bits() {
        for (voice, total) in
            [(Voice::public(), 1), (Voice::platform_a(), 3_000_000_000), (Voice::public(), 9_999_999_999)]
        {
            for data in [Some("transaction"), Some(""), None] {
                let body = envelope("TRANSACTION.SUCCESS", &seal(&paid(total).to_string(), data));
                let notice = ours().verify(&voice.notice(&body)).unwrap();
                assert_eq!(notice.id, "EV-2018022511223320873");
                let heard = Heard::Paid {
                    trade_no: TradeNo("4200000263201902167700134902".to_owned()),
                    amount: Fen::new(total),
                    paid_at: Moment::parse_rfc3339("2026-12-01T09:59:58+08:00").unwrap(),
                };
                assert_eq!(notice.about, About::Payment { attempt_no: ATTEMPT.to_owned(), heard });
            }
        }
    }

    #[test]
    fn another_app_merchant_or_currency_is_foreign_and_names_the_field() {
        for (pointer, field) in [("/mchid", "mchid"), ("/appid", "appid"), ("/amount/currency", "currency")] {
            let plain = edited(paid(1), pointer, json!("USD"));
            assert_eq!(payment_of(&plain), Ok(Heard::Foreign { field, got: "USD".to_owned() }));
        }
    }

    #[test]
    fn a_payment_that_lacks_what_booking_needs_is_refused_not_guessed() {
        for (pointer, field) in [
            ("/transaction_id", "transaction_id"),
            ("/success_time", "success_time"),
            ("/amount/total", "amount.total"),
            ("/amount", "amount.total"),
        ] {
            let plain = edited(paid(1), pointer, Value::Null);
            assert_eq!(payment_of(&plain), Err(NoticeRefusal::Malformed(field)), "{pointer}");
        }
        let odd = edited(paid(1), "/trade_state", json!("SOMETHING"));
        assert_eq!(payment_of(&odd), Err(NoticeRefusal::Malformed("trade_state")));
        let yuan = edited(paid(1), "/amount/total", json!(0.01));
        assert_eq!(payment_of(&yuan), Err(NoticeRefusal::Malformed("payment")));
    }

    #[test]
    fn a_refunds_state_stands_in_refund_status() {
        let plain = json!({
            "mchid": "1900000001", "transaction_id": "4200000263201902167700134902", "out_trade_no": ATTEMPT,
            "refund_id": "50000000382019052709732678859", "out_refund_no": "XF261201QMU000001T01R01",
            "refund_status": "SUCCESS", "success_time": "2026-12-01T09:59:58+08:00", "user_received_account": "支付用户零钱",
            "amount": {"total": 934_994, "refund": 3_000_000_000_i64, "payer_total": 1, "payer_refund": 1},
        });
        let of = |plain: &Value| heard_of("REFUND.SUCCESS", plain).map(|notice| notice.about);
        let about = |heard| Ok(About::Refund { refund_no: "XF261201QMU000001T01R01".to_owned(), heard });
        let channel_refund_no = "50000000382019052709732678859".to_owned();
        let at = Moment::parse_rfc3339("2026-12-01T09:59:58+08:00").unwrap();
        let done = RefundHeard::Done { channel_refund_no, amount: Fen::new(3_000_000_000), at };
        assert_eq!(of(&plain), about(done));
        assert_eq!(of(&edited(plain.clone(), "/refund_status", json!("CLOSED"))), about(RefundHeard::Closed));
        let abnormal = of(&edited(plain.clone(), "/refund_status", json!("ABNORMAL"))).unwrap();
        assert!(matches!(abnormal, About::Refund { heard: RefundHeard::Abnormal { .. }, .. }));
        assert!(of(&edited(plain.clone(), "/mchid", json!("1900000002"))).is_err());
        assert!(of(&edited(plain, "/refund_status", json!("LOST"))).is_err());
    }

    #[test]
    fn a_genuine_notice_of_another_kind_is_nothing() {
        let notice = heard_of("COUPON.USE", &json!({})).unwrap();
        assert_eq!(notice.about, About::Nothing);
    }

    #[test]
    fn what_is_not_signed_by_wechat_pay_is_refused_whatever_it_contains() {
        let body = envelope("TRANSACTION.SUCCESS", &seal(&paid(1).to_string(), Some("transaction")));
        let of = |change: &dyn Fn(&mut RawNotice)| {
            let mut raw = Voice::public().notice(&body);
            change(&mut raw);
            ours().verify(&raw)
        };
        assert!(of(&|_| {}).is_ok());
        let bad = Err(NoticeRefusal::BadSignature);
        let probe = "WECHATPAY/SIGNTEST/Tm90QVNpZ25hdHVyZQ==";
        assert_eq!(of(&|raw| drop(raw.headers.insert("Wechatpay-Signature", probe.parse().unwrap()))), bad);
        assert_eq!(of(&|raw| raw.body.push(b' ')), bad);
        assert_eq!(
            of(&|raw| raw.body = serde_json::from_slice::<Value>(&raw.body).map(|v| format!("{v:#}").into()).unwrap()),
            bad
        );
        assert_eq!(of(&|raw| raw.received_at = raw.received_at + Duration::from_secs(300)), Err(NoticeRefusal::Stale));
        assert_eq!(of(&|raw| raw.headers.clear()), Err(NoticeRefusal::Missing("Wechatpay-Timestamp")));
        assert_eq!(ours().verify(&Voice::platform_b().notice(&body)), Err(NoticeRefusal::UnknownKey));
    }

    #[test]
    fn bytes_that_are_no_notice_are_refused_calmly() {
        let xml = b"<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>";
        let unsigned = RawNotice { headers: HeaderMap::new(), body: xml.to_vec(), received_at: testing::now() };
        assert_eq!(ours().verify(&unsigned), Err(NoticeRefusal::Missing("Wechatpay-Timestamp")));
        assert_eq!(ours().verify(&Voice::public().notice(xml)), Err(NoticeRefusal::Malformed("envelope")));
        let huge = RawNotice { body: vec![b'{'; 10 << 20], ..unsigned };
        assert_eq!(ours().verify(&huge), Err(NoticeRefusal::Malformed("longer than 1 MiB")));
        let deep = Voice::public().notice(&vec![b'['; 1 << 20]);
        assert_eq!(ours().verify(&deep), Err(NoticeRefusal::Malformed("envelope")));
        let sealed = edited(seal(&paid(1).to_string(), None), "/nonce", json!("another nonc"));
        let torn = Voice::public().notice(&envelope("TRANSACTION.SUCCESS", &sealed));
        assert!(matches!(ours().verify(&torn), Err(NoticeRefusal::Malformed(_))));
    }

    #[tokio::test]
    async fn a_notice_signed_by_a_new_certificate_has_it_fetched_before_the_next_call() {
        let fake = Fake::start(|_| Play::plain(500, ""));
        let wechat = testing::wechat(&account(&fake.base));
        assert_eq!(wechat.verify(&Voice::platform_b().notice(b"{}")), Err(NoticeRefusal::UnknownKey));
        let _ = wechat.query(&testing::prepay_ask(crate::domain::trade::Product::WechatNative).key()).await;
        assert_eq!(fake.seen()[0].target, "/v3/certificates");
    }

    #[test]
    fn the_acknowledgements_are_these_bytes() {
        let told = |reception| {
            let ack = ours().acknowledge(reception);
            (ack.status, ack.content_type, ack.body)
        };
        assert_eq!(told(Reception::Done), (200, "application/json", r#"{"code":"SUCCESS","message":"成功"}"#));
        assert_eq!(told(Reception::Refused), (401, "application/json", r#"{"code":"FAIL","message":"失败"}"#));
        assert_eq!(told(Reception::Later), (500, "application/json", r#"{"code":"FAIL","message":"失败"}"#));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_signed_bytes_make_it_panic(body in any::<Vec<u8>>(), plain in "\\PC*") {
            let _ = ours().verify(&Voice::public().notice(&body));
            for event_type in ["TRANSACTION.SUCCESS", "REFUND.CLOSED", plain.as_str()] {
                let body = envelope(event_type, &seal(&plain, None));
                let _ = ours().verify(&Voice::public().notice(&body));
            }
        }
    }
}
