//! What Alipay's error codes mean to the flows (Alipay, common error codes and each method's business codes).
use crate::channel::contract::{ChannelError, RefusedFor};

/// Why a call gave no usable answer. Like [`ChannelError`], but a refusal still says whether it was signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    Unreachable(String),
    Untrusted(String),
    Refused(Refusal),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub why: RefusedFor,
    /// `sub_code`, or `code` where there is none
    pub code: String,
    pub message: String,
    /// Errors met before the gateway knows the application are not signed. Only a signed one may become an `Ok`.
    pub signed: bool,
}

impl Refusal {
    /// Whether Alipay itself says, under its signature, that the trade does not exist.
    pub fn proves_absence(&self) -> bool {
        self.signed && self.why == RefusedFor::Absent
    }

    /// The business code without its `ACQ.`.
    pub fn name(&self) -> &str {
        self.code.strip_prefix("ACQ.").unwrap_or(&self.code)
    }
}

impl From<Failure> for ChannelError {
    fn from(failure: Failure) -> ChannelError {
        match failure {
            Failure::Unreachable(why) => ChannelError::Unreachable(why),
            Failure::Untrusted(why) => ChannelError::Untrusted(why),
            Failure::Refused(Refusal { why, code, message, .. }) => ChannelError::Refused { why, code, message },
        }
    }
}

/// The four fields every answer begins with. A successful `alipay.system.oauth.token` has none of them.
#[derive(Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct Status {
    pub code: Option<String>,
    pub msg: Option<String>,
    pub sub_code: Option<String>,
    pub sub_msg: Option<String>,
}

/// Sorts an error answer: what is worth asking again is unreachable, the rest is a refusal.
pub fn judge(status: &Status, signed: bool) -> Failure {
    let code = status.code.as_deref().unwrap_or_default();
    let sub_code = status.sub_code.as_deref().unwrap_or_default();
    let shown = if sub_code.is_empty() { code } else { sub_code };
    let shown: String = shown.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
    if passes_by_itself(code, sub_code) {
        return Failure::Unreachable(format!("{code} {shown}"));
    }
    Failure::Refused(Refusal { why: reason(code, sub_code), code: shown, message: message(status), signed })
}

/// System failures, rate limits, and 10003 (under way): the effect is unknown, a later query tells.
fn passes_by_itself(code: &str, sub_code: &str) -> bool {
    let system = sub_code.starts_with("isp.") || sub_code.starts_with("aop.") || sub_code.ends_with("SYSTEM_ERROR");
    // 20001 comes as `aop.invalid-auth-token` and the like: asking again does not mend a token
    matches!(code, "20000" | "40005" | "10003") || (system && code != "20001")
}

fn reason(code: &str, sub_code: &str) -> RefusedFor {
    match sub_code.strip_prefix("ACQ.").unwrap_or(sub_code) {
        "TRADE_HAS_SUCCESS" => RefusedFor::AlreadyPaid,
        "TRADE_HAS_CLOSE" | "NOW_TIME_AFTER_EXPIRE_TIME_ERROR" => RefusedFor::AlreadyClosed,
        "CONTEXT_INCONSISTENT" | "DISCORDANT_REPEAT_REQUEST" => RefusedFor::NumberUsed,
        "TRADE_NOT_EXIST" => RefusedFor::Absent,
        "SELLER_BALANCE_NOT_ENOUGH" => RefusedFor::NotEnoughFunds,
        "BUYER_SELLER_EQUAL"
        | "TRADE_BUYER_NOT_MATCH"
        | "BUYER_BALANCE_NOT_ENOUGH"
        | "BUYER_ENABLE_STATUS_FORBID"
        | "BUYER_NOT_EXIST"
        | "isv.code-invalid" => RefusedFor::Buyer,
        "ACCESS_FORBIDDEN"
        | "PARTNER_ERROR"
        | "SELLER_BEEN_BLOCKED"
        | "SELLER_NOT_EXIST"
        | "OPEN_ID_NOT_TINY_APP"
        | "UNBOUND_APPLICATION" => RefusedFor::Configuration,
        name if name.starts_with("isv.") => RefusedFor::Configuration,
        _ if matches!(code, "20001" | "40001" | "40006") => RefusedFor::Configuration,
        _ => RefusedFor::Other,
    }
}

/// The gateway's words for the operator, without what they may repeat of the call: `isv.invalid-signature` ends with
/// the whole text that was signed, payer's id included.
fn message(status: &Status) -> String {
    let words = status.sub_msg.as_deref().or(status.msg.as_deref()).unwrap_or_default();
    let words = words.split("验签字符串").next().unwrap_or_default();
    words.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: &str, sub_code: &str) -> Status {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Status { code: some(code), sub_code: some(sub_code), msg: some("Business Failed"), sub_msg: None }
    }

    fn why(code: &str, sub_code: &str) -> Option<RefusedFor> {
        match judge(&status(code, sub_code), true) {
            Failure::Refused(refusal) => Some(refusal.why),
            _ => None,
        }
    }

    #[test]
    fn what_may_pass_by_itself_is_unreachable_and_not_refused() {
        for (code, sub_code) in [
            ("20000", "isp.unknow-error"),
            ("20000", ""),
            ("20000", "aop.ACQ.SYSTEM_ERROR"),
            ("40004", "ACQ.SYSTEM_ERROR"),
            ("40005", "isv.app-call-limited"),
            ("10003", ""),
            ("", "isp.unknow-error"),
        ] {
            assert_eq!(why(code, sub_code), None, "{code} {sub_code}");
        }
    }

    #[test]
    fn each_refusal_the_flows_act_upon_is_told_apart() {
        for (code, sub_code, expected) in [
            ("40004", "ACQ.TRADE_HAS_SUCCESS", RefusedFor::AlreadyPaid),
            ("40004", "ACQ.TRADE_HAS_CLOSE", RefusedFor::AlreadyClosed),
            ("40004", "ACQ.CONTEXT_INCONSISTENT", RefusedFor::NumberUsed),
            ("40004", "ACQ.DISCORDANT_REPEAT_REQUEST", RefusedFor::NumberUsed),
            ("40004", "ACQ.TRADE_NOT_EXIST", RefusedFor::Absent),
            ("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", RefusedFor::NotEnoughFunds),
            ("40004", "ACQ.BUYER_SELLER_EQUAL", RefusedFor::Buyer),
            ("40002", "isv.code-invalid", RefusedFor::Buyer),
            ("40002", "isv.invalid-signature", RefusedFor::Configuration),
            ("20001", "aop.invalid-auth-token", RefusedFor::Configuration),
            ("40006", "", RefusedFor::Configuration),
            ("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", RefusedFor::Other),
            ("40004", "", RefusedFor::Other),
        ] {
            assert_eq!(why(code, sub_code), Some(expected), "{code} {sub_code}");
        }
    }

    #[test]
    fn the_text_the_gateway_echoes_is_not_repeated() {
        let words =
            "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：app_id=1&buyer_id=2088";
        let status = Status { sub_msg: Some(words.to_owned()), ..status("40002", "isv.invalid-signature") };
        let Failure::Refused(refusal) = judge(&status, false) else { panic!("a refusal") };
        assert_eq!(refusal.code, "isv.invalid-signature");
        assert!(refusal.message.starts_with("验签出错") && !refusal.message.contains("2088"));
    }

    #[test]
    fn an_unsigned_word_proves_no_absence() {
        let absent = |signed| match judge(&status("40004", "ACQ.TRADE_NOT_EXIST"), signed) {
            Failure::Refused(refusal) => refusal.proves_absence(),
            _ => false,
        };
        assert!(absent(true) && !absent(false));
    }
}
