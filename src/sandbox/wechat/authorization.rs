//! Who calls: the `Authorization` header of API v3, checked in the order of the real gateway and refused in its words.
//!
//! Checked: scheme, format, time (before the signature), serial number, signature. Nothing about the body's content.
use std::collections::HashMap;
use std::time::Duration;

use crate::domain::moment::Moment;
use crate::domain::trade::Channel;
use crate::sandbox::keys::WECHAT_MERCHANT_SERIAL;
use crate::sandbox::world::Sandbox;

use super::answer::Refusal;
use super::voice::merchant_signed;

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";
const FIELDS: [&str; 5] = ["mchid", "nonce_str", "signature", "timestamp", "serial_no"];
/// WeChat Pay v3, request signing
const WINDOW: Duration = Duration::from_secs(300);

pub const BAD_FORMAT: &str = "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》";
/// What the order family says when the header is missing or of another scheme.
pub const NOT_SIGNED: &str = "签名信息错误，验签失败";
pub const BAD_SCHEME: &str = "HTTP头Authorization认证类型不正确";
pub const BAD_TIME: &str = "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟";
pub const BAD_SERIAL: &str = "商户证书序列号有误。请使用签名私钥匹配的证书序列号";
pub const NO_CERTIFICATE: &str = "商户未申请过证书。";
pub const BAD_SIGNATURE: &str = "签名错误";

/// A request as it came over the wire.
pub struct Asked<'a> {
    pub method: &'a str,
    /// Path and query, exactly as sent
    pub url: &'a str,
    pub authorization: Option<&'a str>,
    pub body: &'a [u8],
    /// `/v3/pay/…`, which has its own words for a missing header
    pub about_pay: bool,
}

/// The mchid of a caller that signed rightly, or 401 SIGN_ERROR.
pub fn caller(world: &Sandbox, asked: &Asked) -> Result<String, Refusal> {
    check(world, asked).map_err(|message| Refusal::new(401, "SIGN_ERROR", message).numbered(268_443_699))
}

fn check(world: &Sandbox, asked: &Asked) -> Result<String, &'static str> {
    let missing = if asked.about_pay { NOT_SIGNED } else { BAD_FORMAT };
    let header = asked.authorization.ok_or(missing)?;
    let (scheme, rest) = header.split_once(' ').ok_or(missing)?;
    if scheme != SCHEME {
        return Err(if asked.about_pay { NOT_SIGNED } else { BAD_SCHEME });
    }
    let given = read(rest).ok_or(BAD_FORMAT)?;
    let seconds: i64 = given["timestamp"].parse().map_err(|_| BAD_FORMAT)?;
    if apart(Moment::from_unix(seconds), world.now()) > WINDOW {
        return Err(BAD_TIME);
    }
    let mchid = given["mchid"];
    world.bank().merchant(Channel::Wechat, mchid).ok_or(NO_CERTIFICATE)?;
    if given["serial_no"] != WECHAT_MERCHANT_SERIAL {
        return Err(BAD_SERIAL);
    }
    let head = format!("{}\n{}\n{}\n{}\n", asked.method, asked.url, given["timestamp"], given["nonce_str"]);
    let message = [head.as_bytes(), asked.body, b"\n"].concat();
    if !merchant_signed(&message, given["signature"]) {
        return Err(BAD_SIGNATURE);
    }
    Ok(mchid.to_owned())
}

/// `name="value"` five times, separated by single commas, in any order.
fn read(list: &str) -> Option<HashMap<&str, &str>> {
    let mut given = HashMap::new();
    for part in list.split(',') {
        let (name, quoted) = part.split_once('=')?;
        let value = quoted.strip_prefix('"')?.strip_suffix('"')?;
        let fits = FIELDS.contains(&name) && !value.is_empty() && !value.contains(['"', ' ']);
        if !fits || given.insert(name, value).is_some() {
            return None;
        }
    }
    let whole = FIELDS.iter().all(|field| given.contains_key(field));
    let plain_nonce = given.get("nonce_str").is_some_and(|nonce| nonce.len() <= 32);
    (whole && plain_nonce).then_some(given)
}

fn apart(a: Moment, b: Moment) -> Duration {
    a.since(b).max(b.since(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_five_quoted_fields_without_blanks_in_any_order() {
        let good = r#"serial_no="S",timestamp="1",signature="x=",nonce_str="n",mchid="m""#;
        assert_eq!(read(good).unwrap()["signature"], "x=");
        for bad in [
            "",
            r#"mchid="m""#,
            r#"serial_no="S", timestamp="1",signature="x",nonce_str="n",mchid="m""#,
            r#"serial_no=S,timestamp="1",signature="x",nonce_str="n",mchid="m""#,
            r#"serial_no="S",timestamp="1",signature="x",nonce_str="",mchid="m""#,
            r#"serial_no="S",timestamp="1",signature="x",nonce_str="n",mchid="m",mchid="m""#,
            r#"serial_no="S",timestamp="1",signature="x",nonce_str="n",mchid="m",extra="m""#,
            r#"serial_no="S",timestamp="1",signature="x",nonce_str="012345678901234567890123456789012",mchid="m""#,
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }
}
