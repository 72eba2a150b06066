//! WeChat Pay's refusals in the flows' words. The code decides, not the status: one code comes with several statuses,
//! and older spellings without underscores still occur (WeChat Pay v3, error codes).
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::channel::contract::{ChannelError, RefusedFor};

#[derive(Deserialize)]
struct Refusal {
    code: String,
    #[serde(default)]
    message: String,
}

/// What an answer that is no success means. `detail` is never read: it repeats the values that were sent.
pub fn refusal(status: u16, headers: &HeaderMap, body: &[u8]) -> ChannelError {
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
        // A proxy's page, a wrong path, an answer cut short: whether anything happened is unknown
        return ChannelError::Unreachable(format!("status {status} without an error code"));
    };
    let inner = headers.get("Request-ID").and_then(|id| id.to_str().ok()).and_then(|id| id.rsplit('-').next());
    let meaning = meaning(&refusal, inner.unwrap_or_default());
    let code = presentable(&refusal.code);
    match meaning {
        Some(why) if status >= 400 && (status < 500 || why != RefusedFor::Other) => {
            ChannelError::Refused { why, code, message: presentable(&refusal.message) }
        }
        _ => ChannelError::Unreachable(format!("status {status} {code}")),
    }
}

/// None: ask again, with the same parameters. `inner` is the internal number at the end of `Request-ID`.
fn meaning(refusal: &Refusal, inner: &str) -> Option<RefusedFor> {
    let code: String = refusal.code.chars().filter(|c| *c != '_').collect();
    Some(match code.to_ascii_uppercase().as_str() {
        "SYSTEMERROR" | "BANKERROR" | "FREQUENCYLIMITED" | "FREQUENCYLIMIT" | "RATELIMITEXCEEDED"
        | "RATELIMITEXCEED" | "SERVICEUNAVAILABLE" | "USERPAYING" => return None,
        "ORDERPAID" => RefusedFor::AlreadyPaid,
        "ORDERCLOSED" => RefusedFor::AlreadyClosed,
        "OUTTRADENOUSED" => RefusedFor::NumberUsed,
        "ORDERNOTEXIST" | "ORDERNOTEXISTS" | "RESOURCENOTEXISTS" | "RESOURCENOTEXIST" => RefusedFor::Absent,
        "NOTENOUGH" => RefusedFor::NotEnoughFunds,
        "OPENIDMISMATCH" => RefusedFor::Buyer,
        "SIGNERROR" | "NOAUTH" | "APPIDMCHIDNOTMATCH" | "MCHNOTEXISTS" | "MCHNOTEXIST" => RefusedFor::Configuration,
        "INVALIDREQUEST" | "PARAMERROR" => by_words(&refusal.message, inner),
        _ => RefusedFor::Other,
    })
}

/// INVALID_REQUEST says many things; the words (we ask for Chinese) or the internal number tell which.
/// An expired order is not closed: it is used up, so close it and take a new number (WeChat Pay v3, time_expire).
fn by_words(message: &str, inner: &str) -> RefusedFor {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match inner {
        "268449538" | "268498689" => return RefusedFor::AlreadyPaid,
        "268498688" | "268447914" => return RefusedFor::NumberUsed,
        "268512771" => return RefusedFor::Absent,
        "268445527" => return RefusedFor::Configuration,
        _ => {}
    }
    if says(&["该订单已支付"]) {
        RefusedFor::AlreadyPaid
    } else if says(&["订单已关闭"]) {
        RefusedFor::AlreadyClosed
    } else if says(&["请求重入", "商户订单号重复", "订单已过期"]) {
        RefusedFor::NumberUsed
    } else if says(&["openid"]) {
        RefusedFor::Buyer
    } else {
        RefusedFor::Other
    }
}

/// A channel's words for our log and the office: one line, at most 200 characters, and without anything that looks
/// like an identifier (20 or more letters, digits, `_`, `-` in a row: openids, tokens, signatures).
fn presentable(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().take(200).chain(std::iter::once(' ')) {
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
            run.push(c);
            continue;
        }
        let is_code = run.len() < 20 || run.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        out.push_str(if is_code { &run } else { "[…]" });
        run.clear();
        out.push(if c.is_control() { ' ' } else { c });
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use RefusedFor::*;

    fn of(status: u16, code: &str, message: &str) -> ChannelError {
        let body = serde_json::json!({"code": code, "message": message}).to_string();
        refusal(status, &HeaderMap::new(), body.as_bytes())
    }

    fn why(error: ChannelError) -> Option<RefusedFor> {
        match error {
            ChannelError::Refused { why, .. } => Some(why),
            _ => None,
        }
    }

    #[test]
    fn codes_mean_the_same_with_and_without_underscores_and_under_any_4xx() {
        let table = [
            ("ORDER_PAID", AlreadyPaid),
            ("ORDER_CLOSED", AlreadyClosed),
            ("OUT_TRADE_NO_USED", NumberUsed),
            ("ORDER_NOT_EXIST", Absent),
            ("RESOURCE_NOT_EXISTS", Absent),
            ("NOT_ENOUGH", NotEnoughFunds),
            ("SIGN_ERROR", Configuration),
            ("NO_AUTH", Configuration),
            ("APPID_MCHID_NOT_MATCH", Configuration),
            ("RULE_LIMIT", Other),
            ("TRADE_ERROR", Other),
        ];
        for (code, meant) in table {
            for status in [400, 403, 404] {
                assert_eq!(why(of(status, code, "")), Some(meant), "{code} {status}");
                assert_eq!(why(of(status, &code.replace('_', ""), "")), Some(meant), "{code} {status}");
            }
        }
    }

    #[test]
    fn what_should_be_asked_again_is_never_a_refusal() {
        for (status, code) in [
            (429, "FREQUENCY_LIMITED"),
            (429, "RATELIMIT_EXCEEDED"),
            (500, "SYSTEM_ERROR"),
            (500, "SYSTEMERROR"),
            (400, "BANK_ERROR"),
            (503, "SERVICE_UNAVAILABLE"),
            (500, "SOMETHING_NEW"),
            (202, "USERPAYING"),
            (202, "ORDER_PAID"),
        ] {
            assert!(matches!(of(status, code, ""), ChannelError::Unreachable(_)), "{status} {code}");
        }
        assert_eq!(why(of(500, "OPENID_MISMATCH", "")), Some(Buyer));
    }

    #[test]
    fn an_answer_without_a_code_is_no_refusal() {
        for body in ["", "<html>502 Bad Gateway</html>", "{\"code\":", "[]", "null", "{\"message\":\"x\"}"] {
            for status in [301, 400, 404, 405, 502] {
                let error = refusal(status, &HeaderMap::new(), body.as_bytes());
                assert_eq!(error, ChannelError::Unreachable(format!("status {status} without an error code")));
            }
        }
    }

    #[test]
    fn an_invalid_request_is_read_by_its_words_or_its_internal_number() {
        let words = [
            ("请求重入时，参数与首次请求时不一致", NumberUsed),
            ("该订单已支付", AlreadyPaid),
            ("订单已关闭", AlreadyClosed),
            ("订单已过期，请更换商户订单号重新下单", NumberUsed),
            ("appid与openid不匹配", Buyer),
            ("订单金额或退款金额与之前请求不一致，请核实后再试", Other),
        ];
        for (message, meant) in words {
            assert_eq!(why(of(400, "INVALID_REQUEST", message)), Some(meant), "{message}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("Request-ID", "08F78BB5AF0610D302-268498689".parse().unwrap());
        let error = refusal(400, &headers, br#"{"code":"INVALID_REQUEST","message":"?"}"#);
        assert_eq!(why(error), Some(AlreadyPaid));
    }

    #[test]
    fn an_openid_never_reaches_the_text_of_an_error() {
        let openid = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
        let body = format!(
            r#"{{"code":"PARAM_ERROR","detail":{{"value":"{openid}"}},"message":"无效的openid：{openid}\n{openid}"}}"#
        );
        let text = refusal(400, &HeaderMap::new(), body.as_bytes()).to_string();
        assert_eq!(text, "the channel refused: PARAM_ERROR 无效的openid：[…] […]");
        let long = of(400, "PARAM_ERROR", &"字".repeat(9000)).to_string();
        assert!(long.chars().count() < 300);
    }
}
