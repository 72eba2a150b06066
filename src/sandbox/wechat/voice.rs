//! WeChat's voice and ear: its signatures, the check of the merchant's, and the sealing of notices.
//!
//! Made with the `rsa` and `aes-gcm` crates, never with the library the application uses: a shared mistake could not be
//! seen.
use std::sync::LazyLock;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use rsa::{RsaPrivateKey, RsaPublicKey};

use crate::clock::Chance;
use crate::domain::moment::Moment;
use crate::sandbox::faults::Signing;
use crate::sandbox::keys;
use crate::sandbox::world::{NoticeKey, Switches};

/// What every probe begins with (WeChat Pay v3, signature probe); it is not even base64.
pub const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// With whose key something is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VoiceKey {
    PublicKey,
    CertA,
    CertB,
}

impl VoiceKey {
    /// What stands in `Wechatpay-Serial`.
    pub const fn serial(self) -> &'static str {
        match self {
            Self::PublicKey => keys::WECHAT_PUBLIC_KEY_ID,
            Self::CertA => keys::WECHAT_PLATFORM_A_SERIAL,
            Self::CertB => keys::WECHAT_PLATFORM_B_SERIAL,
        }
    }

    /// The key of an answer: the one the request names; else the platform certificate, if the merchant has one.
    pub fn of_answer(asked: Option<&str>, switches: Switches) -> Self {
        match asked {
            Some(serial) if serial == Self::PublicKey.serial() => Self::PublicKey,
            _ if switches.public_key_only => Self::PublicKey,
            Some(serial) if serial == Self::CertB.serial() && switches.rotation => Self::CertB,
            _ => Self::CertA,
        }
    }

    pub fn of_notice(switches: Switches, chance: &Chance) -> Self {
        match switches.notice_key {
            _ if switches.public_key_only => Self::PublicKey,
            NoticeKey::PublicKey => Self::PublicKey,
            NoticeKey::CertA => Self::CertA,
            NoticeKey::CertB => Self::CertB,
            NoticeKey::Mixed => [Self::PublicKey, Self::CertA, Self::CertB][usize::from(chance.bytes::<1>()[0] % 3)],
        }
    }

    fn signer(self) -> &'static SigningKey<Sha256> {
        static KEYS: LazyLock<[SigningKey<Sha256>; 3]> = LazyLock::new(|| {
            [keys::WECHAT_PUBLIC_KEY_PRIVATE_HALF, keys::WECHAT_PLATFORM_A_KEY, keys::WECHAT_PLATFORM_B_KEY].map(signer)
        });
        match self {
            Self::PublicKey => &KEYS[0],
            Self::CertA => &KEYS[1],
            Self::CertB => &KEYS[2],
        }
    }
}

fn signer(pem: &str) -> SigningKey<Sha256> {
    SigningKey::new(RsaPrivateKey::from_pkcs8_pem(pem).expect("the sandbox's own keys are well-formed"))
}

/// A key nobody has asked for.
fn stranger() -> &'static SigningKey<Sha256> {
    static KEY: LazyLock<SigningKey<Sha256>> = LazyLock::new(|| signer(keys::ALIPAY_KEY));
    &KEY
}

/// The five `Wechatpay-*` headers over a body (WeChat Pay v3, signatures of answers and notices:
/// "timestamp\nnonce\nbody\n", also for an empty body).
pub fn headers(key: VoiceKey, how: Signing, at: Moment, chance: &Chance, body: &[u8]) -> Vec<(&'static str, String)> {
    let nonce = hex(&chance.bytes::<16>());
    let timestamp = at.unix().to_string();
    let message = [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat();
    let signature = match how {
        Signing::Missing => return Vec::new(),
        Signing::Right => sign(key.signer(), &message),
        Signing::Forged => sign(stranger(), &message),
        Signing::Probe => format!("{PROBE}{}", sign(stranger(), &message)),
    };
    vec![
        ("Wechatpay-Timestamp", timestamp),
        ("Wechatpay-Nonce", nonce),
        ("Wechatpay-Signature", signature),
        ("Wechatpay-Serial", key.serial().to_owned()),
        ("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
    ]
}

fn sign(key: &SigningKey<Sha256>, message: &[u8]) -> String {
    BASE64.encode(key.sign(message).to_bytes())
}

/// Whether the merchant's private key made this signature.
pub fn merchant_signed(message: &[u8], signature: &str) -> bool {
    static KEY: LazyLock<VerifyingKey<Sha256>> = LazyLock::new(|| {
        let key = RsaPublicKey::from_public_key_pem(keys::WECHAT_MERCHANT_PUBLIC);
        VerifyingKey::new(key.expect("the sandbox's own keys are well-formed"))
    });
    let Ok(bytes) = BASE64.decode(signature) else { return false };
    Signature::try_from(bytes.as_slice()).is_ok_and(|signature| KEY.verify(message, &signature).is_ok())
}

/// AEAD_AES_256_GCM under the APIv3 key: (nonce of 12 letters, base64 of ciphertext and tag).
pub fn seal(chance: &Chance, associated: &str, plain: &[u8]) -> (String, String) {
    let nonce = chance.token(12);
    let cipher =
        Aes256Gcm::new_from_slice(keys::WECHAT_API_V3_KEY.as_bytes()).expect("the APIv3 key has 32 characters");
    let payload = Payload { msg: plain, aad: associated.as_bytes() };
    let sealed = cipher.encrypt(Nonce::from_slice(nonce.as_bytes()), payload);
    (nonce, BASE64.encode(sealed.expect("GCM seals anything shorter than 64 GiB")))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
