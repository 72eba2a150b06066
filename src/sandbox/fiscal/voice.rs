//! The platform's envelope: how it believes a request and signs an answer.
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustcrypto_md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::{Value, json};

/// Who may ask, known to everybody.
pub const REGION: &str = "620000";
pub const UNIT: &str = "021099001";
pub const APP_ID: &str = "QMU2026001";
pub const APP_KEY: &str = "sandbox fiscal key";
pub const PLACE: &str = "001";
pub const BILL_KIND: &str = "0102";

#[derive(Deserialize)]
struct Envelope {
    region: String,
    deptcode: String,
    appid: String,
    data: String,
    noise: String,
    version: String,
    sign: String,
}

/// The message of a request that is rightly signed by who may ask.
pub fn heard(body: &[u8]) -> Option<Value> {
    let envelope: Envelope = serde_json::from_slice(body).ok()?;
    let fields = [
        ("region", envelope.region.as_str()),
        ("deptcode", &envelope.deptcode),
        ("appid", &envelope.appid),
        ("data", &envelope.data),
        ("noise", &envelope.noise),
        ("key", APP_KEY),
        ("version", &envelope.version),
    ];
    let known = [&envelope.region, &envelope.deptcode, &envelope.appid] == [REGION, UNIT, APP_ID];
    let believed = known && envelope.version == "1.0" && digest(&fields) == envelope.sign;
    serde_json::from_slice(&BASE64.decode(believed.then_some(&envelope.data)?).ok()?).ok()
}

/// An answer under a key: a code, and a message or the words of a refusal.
pub fn said(code: &str, message: &str, key: &str) -> Value {
    let inner = json!({ "result": code, "message": BASE64.encode(message) });
    let data = BASE64.encode(inner.to_string());
    let noise = "5f2c0e9bd0b04c1e8f6f0d6b7a1c9e33";
    let fields = [
        ("region", REGION),
        ("deptcode", UNIT),
        ("appid", APP_ID),
        ("data", &data),
        ("noise", noise),
        ("key", key),
        ("version", "1.0"),
    ];
    let sign = digest(&fields);
    json!({ "data": data, "noise": noise, "sign": sign })
}

fn digest(fields: &[(&str, &str)]) -> String {
    let mut md5 = Md5::new();
    for (at, (name, value)) in fields.iter().enumerate() {
        let and = if at == 0 { "" } else { "&" };
        md5.update(format!("{and}{name}={value}"));
    }
    md5.finalize().iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest by `md5sum`, in capitals.
    #[test]
    fn only_who_knows_the_key_is_heard() {
        let body = |sign: &str| {
            let envelope = json!({
                "region": REGION, "deptcode": UNIT, "appid": APP_ID, "data": "e30=",
                "noise": "0123456789abcdef0123456789abcdef", "version": "1.0", "sign": sign,
            });
            envelope.to_string()
        };
        assert_eq!(heard(body("BC309DC6F882F2D0B231CF7EFA54C8EE").as_bytes()), Some(json!({})));
        assert_eq!(heard(body("00000000000000000000000000000000").as_bytes()), None);
        assert_eq!(heard(b"{}"), None);
    }
}
