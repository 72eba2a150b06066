//! The signature of Standard Webhooks, under which we tell campus systems and ask providers, and by which their answers
//! are believed.
use std::fmt::Write;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::config::WebhookSecret;
use crate::domain::moment::Moment;

/// How far the time of an answer may be off, in seconds (Standard Webhooks, verifying: five minutes).
const TOLERANCE: i64 = 300;

/// The headers of one message; none when its number fits no header, which cannot be.
pub fn headers(secrets: &[WebhookSecret], id: &str, at: Moment, body: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("webhook-id", HeaderValue::from_str(id).ok()?);
    headers.insert("webhook-timestamp", HeaderValue::from(at.unix()));
    headers.insert("webhook-signature", HeaderValue::from_str(&signature(secrets, id, at, body)).ok()?);
    Some(headers)
}

/// Whether the headers of an answer are of this number, of now, and rightly signed with one of the secrets.
pub fn is_right(secrets: &[WebhookSecret], id: &str, now: Moment, headers: &HeaderMap, body: &[u8]) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(sent) = text("webhook-timestamp").parse::<i64>() else { return false };
    if text("webhook-id") != id || now.unix().abs_diff(sent) > TOLERANCE.unsigned_abs() {
        return false;
    }
    let given = text("webhook-signature").split(' ').filter_map(|one| BASE64.decode(one.strip_prefix("v1,")?).ok());
    let message = [format!("{id}.{sent}.").as_bytes(), body].concat();
    let fits = |given: &[u8]| secrets.iter().any(|secret| hmac::verify(&key(secret), &message, given).is_ok());
    given.into_iter().any(|one| fits(&one))
}

fn key(secret: &WebhookSecret) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.bytes())
}

/// `v1,<base64>` for each secret, with blanks between: HMAC-SHA256 over `id.timestamp.body` (Standard Webhooks,
/// signature scheme).
fn signature(secrets: &[WebhookSecret], id: &str, at: Moment, body: &[u8]) -> String {
    let mut all = String::new();
    for secret in secrets {
        let mut context = hmac::Context::with_key(&key(secret));
        context.update(format!("{id}.{}.", at.unix()).as_bytes());
        context.update(body);
        let blank = if all.is_empty() { "" } else { " " };
        // writing to a String cannot fail
        let _ = write!(all, "{blank}v1,{}", BASE64.encode(context.sign().as_ref()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> WebhookSecret {
        WebhookSecret::try_from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()).unwrap()
    }

    #[test]
    fn the_signature_is_the_one_of_the_specifications_example() {
        // Standard Webhooks, reference libraries' own test
        let (id, at, body) =
            ("msg_p5jXN8AQM9LWM0D4loKWxJek", Moment::from_unix(1_614_265_330), br#"{"test": 2432232314}"#);
        let signed = signature(&[secret()], id, at, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let both = signature(&[secret(), secret()], id, at, body);
        assert_eq!(both, format!("{signed} {signed}"));
    }

    #[test]
    fn an_answer_is_believed_for_its_number_its_time_and_its_words_only() {
        let (at, body) = (Moment::from_unix(1_614_265_330), b"{}");
        let headers = headers(&[secret()], "XF1", at, body).unwrap();
        let later = |seconds: i64| Moment::from_unix(at.unix() + seconds);
        assert!(is_right(&[secret()], "XF1", later(300), &headers, body));
        assert!(!is_right(&[secret()], "XF1", later(301), &headers, body));
        assert!(!is_right(&[secret()], "XF2", at, &headers, body));
        assert!(!is_right(&[secret()], "XF1", at, &headers, b"[]"));
        let other = WebhookSecret::try_from(format!("whsec_{}", BASE64.encode([7; 32]))).unwrap();
        assert!(!is_right(&[other], "XF1", at, &headers, body));
        assert!(!is_right(&[secret()], "XF1", at, &HeaderMap::new(), body));
    }
}
