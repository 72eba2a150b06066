//! Alipay's voice and ear: its RSA2 signatures and the check of the merchant's (Alipay, signing rules).
//!
//! Made with the `rsa` crate, never with the library the application uses: a shared mistake could not be seen.
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use encoding_rs::Encoding;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use rsa::{RsaPrivateKey, RsaPublicKey};

use crate::sandbox::faults::Signing;
use crate::sandbox::keys;

use super::params::encode;

/// Number of the sandbox's Alipay certificate (`alipay_cert_sn`): MD5 of issuer and serial number, as Alipay counts it.
pub const ALIPAY_CERT_SN: &str = "85a2d881cd8e3fe5fc7dec445483b4c6";
/// The same of the sandbox merchants' application certificate (`app_cert_sn`).
pub const APP_CERT_SN: &str = "1a9ba02f373b56ca61501ae7963c910f";

fn signer(pem: &str) -> SigningKey<Sha256> {
    SigningKey::new(RsaPrivateKey::from_pkcs8_pem(pem).expect("the sandbox's own keys are well-formed"))
}

/// Base64 over the bytes. None: unsigned. There is no probe at Alipay; a probe is a wrong signature.
pub fn sign(how: Signing, message: &[u8]) -> Option<String> {
    static KEY: LazyLock<SigningKey<Sha256>> = LazyLock::new(|| signer(keys::ALIPAY_KEY));
    static STRANGER: LazyLock<SigningKey<Sha256>> = LazyLock::new(|| signer(keys::WECHAT_PLATFORM_B_KEY));
    let key: &SigningKey<Sha256> = match how {
        Signing::Missing => return None,
        Signing::Right => &KEY,
        Signing::Forged | Signing::Probe => &STRANGER,
    };
    Some(BASE64.encode(key.sign(message).to_bytes()))
}

/// Whether the application's private key made this signature.
pub fn app_signed(message: &[u8], signature: &str) -> bool {
    static KEY: LazyLock<VerifyingKey<Sha256>> = LazyLock::new(|| {
        let key = RsaPublicKey::from_public_key_pem(keys::ALIPAY_APP_PUBLIC);
        VerifyingKey::new(key.expect("the sandbox's own keys are well-formed"))
    });
    let Ok(bytes) = BASE64.decode(signature) else { return false };
    Signature::try_from(bytes.as_slice()).is_ok_and(|signature| KEY.verify(message, &signature).is_ok())
}

/// What a notice or a return address is signed over (rule "V1": neither `sign` nor `sign_type`; sorted by name).
pub fn v1_source(charset: &'static Encoding, fields: &[(&str, String)]) -> Vec<u8> {
    let mut signed: Vec<_> = fields.iter().filter(|(name, _)| !matches!(*name, "sign" | "sign_type")).collect();
    signed.sort_by_key(|(name, _)| *name);
    let pair = |(name, value): &(&str, String)| [name.as_bytes(), b"=", &encode(charset, value)].concat();
    signed.into_iter().map(pair).collect::<Vec<_>>().join(&b'&')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alipay_sdk_rust::cert::cert_sn_from_utf8;

    #[test]
    fn the_certificates_numbers_are_what_alipays_rule_makes_of_them() {
        assert_eq!(cert_sn_from_utf8(keys::ALIPAY_CERT.as_bytes()).unwrap(), ALIPAY_CERT_SN);
        assert_eq!(cert_sn_from_utf8(keys::ALIPAY_APP_CERT.as_bytes()).unwrap(), APP_CERT_SN);
    }

    #[test]
    fn a_forged_signature_is_well_formed_and_does_not_fit() {
        let public = VerifyingKey::<Sha256>::new(RsaPublicKey::from_public_key_pem(keys::ALIPAY_PUBLIC).unwrap());
        let fits = |how| {
            let bytes = BASE64.decode(sign(how, b"text").unwrap()).unwrap();
            public.verify(b"text", &Signature::try_from(bytes.as_slice()).unwrap()).is_ok()
        };
        assert!(fits(Signing::Right));
        assert!(!fits(Signing::Forged) && !fits(Signing::Probe));
        assert_eq!(sign(Signing::Missing, b"text"), None);
    }
}
