//! UnionPay's voice and ear: the signature over the SHA-256 text of a message, with the certificate that checks it sent
//! along, and the check of the merchant's (ACP 5.1.0, signMethod 01).
//!
//! Made with the `rsa` crate, never with the library the application uses: a shared mistake could not be seen.
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::DecodePrivateKey;
use rsa::sha2::Sha256;
use rsa::signature::{Keypair, SignatureEncoding, Signer, Verifier};

use rsa::RsaPrivateKey;

use crate::sandbox::faults::Signing;
use crate::sandbox::keys;

use super::fields::Fields;

fn signer(pem: &str) -> SigningKey<Sha256> {
    SigningKey::new(RsaPrivateKey::from_pkcs8_pem(pem).expect("the sandbox's own keys are well-formed"))
}

/// Puts certificate and signature into a message. Forged: with UnionPay's certificate and somebody else's key. UnionPay
/// has no probe; a probe is an impostor's: the signature fits the certificate sent along, which bears UnionPay's name
/// and comes from no authority.
pub fn sign(how: Signing, message: &mut Fields) {
    static KEY: LazyLock<SigningKey<Sha256>> = LazyLock::new(|| signer(keys::UNIONPAY_KEY));
    static IMPOSTOR: LazyLock<SigningKey<Sha256>> = LazyLock::new(|| signer(keys::UNIONPAY_IMPOSTOR_KEY));
    let (key, certificate): (&SigningKey<Sha256>, _) = match how {
        Signing::Missing => return,
        Signing::Right => (&KEY, keys::UNIONPAY_CERT),
        Signing::Forged => (&IMPOSTOR, keys::UNIONPAY_CERT),
        Signing::Probe => (&IMPOSTOR, keys::UNIONPAY_IMPOSTOR_CERT),
    };
    message.put("signPubKeyCert", with_crlf(certificate));
    let signature = key.sign(message.digest().as_bytes()).to_bytes();
    message.put("signature", BASE64.encode(signature));
}

/// A PEM text as UnionPay sends it: its line ends are CRLF, and belong to what is signed.
fn with_crlf(pem: &str) -> String {
    pem.trim_end().lines().map(|line| format!("{line}\r\n")).collect()
}

/// Whether the merchant's private key made the message's signature.
pub fn merchant_signed(message: &Fields) -> bool {
    static KEY: LazyLock<VerifyingKey<Sha256>> = LazyLock::new(|| signer(keys::UNIONPAY_MERCHANT_KEY).verifying_key());
    let Some(Ok(bytes)) = message.get("signature").map(|text| BASE64.decode(text)) else { return false };
    let signature = Signature::try_from(bytes.as_slice());
    signature.is_ok_and(|signature| KEY.verify(message.digest().as_bytes(), &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use rsa::RsaPublicKey;
    use rsa::pkcs8::DecodePublicKey;
    use x509_parser::pem::{Pem, parse_x509_pem};

    use super::*;

    fn read(pem: &str) -> Pem {
        parse_x509_pem(pem.as_bytes()).unwrap().1
    }

    fn public(pem: &Pem) -> RsaPublicKey {
        RsaPublicKey::from_public_key_der(pem.parse_x509().unwrap().public_key().raw).unwrap()
    }

    fn issued(pem: &str, by: &str) -> bool {
        let (pem, by) = (read(pem), read(by));
        let certificate = pem.parse_x509().unwrap();
        let signature = Signature::try_from(certificate.signature_value.as_ref()).unwrap();
        let key = VerifyingKey::<Sha256>::new(public(&by));
        key.verify(certificate.tbs_certificate.as_ref(), &signature).is_ok()
            && certificate.issuer() == by.parse_x509().unwrap().subject()
    }

    #[test]
    fn the_certificates_come_from_the_root_by_the_middle_and_the_impostors_does_not() {
        assert!(issued(keys::UNIONPAY_MIDDLE_CERT, keys::UNIONPAY_ROOT_CERT));
        assert!(issued(keys::UNIONPAY_CERT, keys::UNIONPAY_MIDDLE_CERT));
        assert!(issued(keys::UNIONPAY_MERCHANT_CERT, keys::UNIONPAY_MIDDLE_CERT));
        assert!(!issued(keys::UNIONPAY_IMPOSTOR_CERT, keys::UNIONPAY_MIDDLE_CERT));
        let names = [keys::UNIONPAY_CERT, keys::UNIONPAY_IMPOSTOR_CERT].map(|pem| {
            let pem = read(pem);
            let name = pem.parse_x509().unwrap().subject().to_string();
            (pem.parse_x509().unwrap().issuer().to_string(), name)
        });
        assert_eq!(names[0], names[1], "by name the impostor is UnionPay");
        assert_eq!(names[0].1.split('@').nth(2), Some("中国银联股份有限公司"));
    }

    #[test]
    fn keys_and_certificates_belong_together_and_the_merchants_number_is_its_serial_in_decimal() {
        for (key, certificate) in [
            (keys::UNIONPAY_KEY, keys::UNIONPAY_CERT),
            (keys::UNIONPAY_MERCHANT_KEY, keys::UNIONPAY_MERCHANT_CERT),
            (keys::UNIONPAY_IMPOSTOR_KEY, keys::UNIONPAY_IMPOSTOR_CERT),
        ] {
            assert_eq!(RsaPrivateKey::from_pkcs8_pem(key).unwrap().to_public_key(), public(&read(certificate)));
        }
        let pem = read(keys::UNIONPAY_MERCHANT_CERT);
        assert_eq!(pem.parse_x509().unwrap().serial.to_string(), keys::UNIONPAY_MERCHANT_CERT_ID);
    }

    #[test]
    fn an_impostors_signature_fits_the_certificate_sent_along_and_a_forged_one_does_not() {
        let fits = |how| {
            let mut message = Fields::default();
            message.put("orderId", "XF260901");
            sign(how, &mut message);
            let certificate = message.get("signPubKeyCert").unwrap();
            assert!(certificate.contains("\r\n") && certificate.ends_with("-----\r\n"));
            let key = VerifyingKey::<Sha256>::new(public(&read(certificate)));
            let bytes = BASE64.decode(message.get("signature").unwrap()).unwrap();
            key.verify(message.digest().as_bytes(), &Signature::try_from(bytes.as_slice()).unwrap()).is_ok()
        };
        assert!(fits(Signing::Right) && fits(Signing::Probe) && !fits(Signing::Forged));
        let mut unsigned = Fields::default();
        sign(Signing::Missing, &mut unsigned);
        assert_eq!(unsigned, Fields::default());
    }
}
