//! GET /v3/certificates: the platform certificates, sealed under the APIv3 key (WeChat Pay v3, download certificates).
use serde_json::{Value, json};

use crate::sandbox::keys;
use crate::sandbox::world::Sandbox;

use super::answer::{Answer, Refusal};
use super::voice::{VoiceKey, seal};

/// The one in use, and its successor during a rotation. A merchant that has only the public key gets 404.
pub fn list(world: &Sandbox) -> Result<Answer, Refusal> {
    let switches = world.switches();
    if switches.public_key_only {
        let message = "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。";
        return Err(Refusal::new(404, "RESOURCE_NOT_EXISTS", message));
    }
    let mut data = vec![entry(world, VoiceKey::CertA, keys::WECHAT_PLATFORM_A_CERT, "2026")];
    if switches.rotation {
        data.push(entry(world, VoiceKey::CertB, keys::WECHAT_PLATFORM_B_CERT, "2027"));
    }
    Ok(Answer::Json(json!({ "data": data })))
}

fn entry(world: &Sandbox, key: VoiceKey, pem: &str, year: &str) -> Value {
    let (nonce, ciphertext) = seal(&world.chance, "certificate", pem.as_bytes());
    json!({
        "serial_no": key.serial(),
        "effective_time": format!("{year}-01-01T00:00:00+08:00"),
        "expire_time": "2046-01-01T00:00:00+08:00",
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": nonce,
            "associated_data": "certificate",
            "ciphertext": ciphertext,
        },
    })
}
