//! The keys of one account: ours signs, UnionPay's comes as a certificate with each message and must lead up to the
//! configured root (UnionPay ACP 5.1.0, signing rules; signMethod 01).
//!
//! The signature is over a digest of a digest: the message's text, its SHA-256 in small hexadecimal digits, and those
//! 64 letters signed as SHA256withRSA. Everything is parsed and tried once, when the channel is made. No key ever
//! leaves this file, and no error repeats one.
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PKCS1_SHA256, RsaParameters,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::fields::Fields;
use crate::channel::contract::NoticeRefusal;
use crate::config::UnionPayAccount;
use crate::domain::moment::Moment;

/// A key or certificate that cannot be used. Names the configuration's key, never its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unionpay.{key}: {why}")]
pub struct KeyError {
    pub key: &'static str,
    pub why: &'static str,
}

pub struct Keys {
    ours: KeyPair,
    cert_id: String,
    trust: Trust,
}

/// Whom UnionPay's certificate must come from, and whom it must name.
struct Trust {
    /// Root and middle certificates (DER)
    authorities: Vec<CertificateDer<'static>>,
    name: String,
}

const PROBE: &str = "jiaofei";

impl Keys {
    /// Parses and tries all keys of an account: our key must sign, the certificate must be its own, and every middle
    /// certificate must come from the root.
    ///
    /// # Errors
    /// [`KeyError`] names the first key that is missing or unfit.
    pub fn of(account: &UnionPayAccount) -> Result<Keys, KeyError> {
        let ours = private_key(account.sign_key.text())?;
        let why = "does not sign; an RSA key of 2048 bits or more is needed";
        let probe = sign(&ours, PROBE).ok_or(KeyError { key: "sign_key", why })?;
        let error = KeyError { key: "sign_cert", why: "not an RSA certificate (PEM)" };
        let own = certificates(account.sign_cert.text()).into_iter().next().ok_or(error)?;
        let own = parse(&own).ok_or(error)?;
        let fits = key_of(&own, &RSA_PKCS1_2048_8192_SHA256).is_some_and(|key| verify(&key, PROBE, &probe));
        if !fits {
            return Err(KeyError { key: "sign_cert", why: "the certificate of another key than sign_key" });
        }
        let cert_id = own.tbs_certificate.serial.to_string();
        Ok(Keys { ours, cert_id, trust: Trust::of(account)? })
    }

    /// Serial number of our certificate, in decimal.
    pub fn cert_id(&self) -> &str {
        &self.cert_id
    }

    /// Base64 of the signature of a text.
    pub fn sign(&self, text: &str) -> String {
        STANDARD.encode(sign(&self.ours, text).expect("the key has signed a probe when it was read"))
    }

    /// Whether UnionPay signed these fields, with a certificate that is good at `now`. Never panics.
    ///
    /// # Errors
    /// What is missing, unknown or does not fit.
    pub fn believe(&self, fields: &Fields, now: Moment) -> Result<(), NoticeRefusal> {
        if fields.get("signMethod") != Some("01") || fields.get("version") != Some("5.1.0") {
            return Err(NoticeRefusal::Malformed("not version 5.1.0 with signMethod 01"));
        }
        let signature = fields.get("signature").ok_or(NoticeRefusal::Missing("signature"))?;
        let pem = fields.get("signPubKeyCert").ok_or(NoticeRefusal::Missing("signPubKeyCert"))?;
        let leaf = certificates(pem).into_iter().next().ok_or(NoticeRefusal::Malformed("signPubKeyCert"))?;
        let leaf = parse(&leaf).ok_or(NoticeRefusal::Malformed("signPubKeyCert"))?;
        if !self.trust.covers(&leaf, now) {
            return Err(NoticeRefusal::UnknownKey);
        }
        let key = key_of(&leaf, &RSA_PKCS1_2048_8192_SHA256).ok_or(NoticeRefusal::UnknownKey)?;
        let signature = STANDARD.decode(signature).map_err(|_| NoticeRefusal::BadSignature)?;
        verify(&key, &fields.signed_text(), &signature).then_some(()).ok_or(NoticeRefusal::BadSignature)
    }
}

impl Trust {
    fn of(account: &UnionPayAccount) -> Result<Trust, KeyError> {
        let roots = certificates(account.root_cert.text());
        let error = KeyError { key: "root_cert", why: "not an RSA certificate (PEM)" };
        if roots.is_empty() || !roots.iter().all(|der| parse(der).is_some_and(|root| root.is_ca())) {
            return Err(error);
        }
        let middles = certificates(account.middle_cert.text());
        let error = KeyError { key: "middle_cert", why: "not a certificate (PEM) that the root has signed" };
        let comes_from_root = |der: &CertificateDer<'_>| {
            let middle = parse(der)?;
            let issued = roots.iter().filter_map(|root| parse(root)).any(|root| is_issued_by(&middle, &root));
            Some(issued && middle.is_ca())
        };
        if middles.is_empty() || !middles.iter().all(|der| comes_from_root(der) == Some(true)) {
            return Err(error);
        }
        if account.name.is_empty() {
            return Err(KeyError { key: "name", why: "missing" });
        }
        Ok(Trust { authorities: roots.into_iter().chain(middles).collect(), name: account.name.clone() })
    }

    /// Good at `now`, issued by an authority that is, and named as UnionPay: the third part of its common name
    /// between `@`.
    fn covers(&self, leaf: &X509Certificate<'_>, now: Moment) -> bool {
        let named = leaf.subject().iter_common_name().any(|name| {
            let third = name.as_str().ok().and_then(|name| name.split('@').nth(2));
            third == Some(self.name.as_str())
        });
        let mut authorities = self.authorities.iter().filter_map(|der| parse(der));
        named
            && is_good(leaf, now)
            && authorities.any(|authority| is_good(&authority, now) && is_issued_by(leaf, &authority))
    }
}

fn is_good(certificate: &X509Certificate<'_>, now: Moment) -> bool {
    let validity = certificate.validity();
    (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now.unix())
}

/// Whether this authority's key has signed the certificate.
fn is_issued_by(certificate: &X509Certificate<'_>, authority: &X509Certificate<'_>) -> bool {
    let algorithm = match certificate.signature_algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.11" => &RSA_PKCS1_2048_8192_SHA256,
        "1.2.840.113549.1.1.12" => &RSA_PKCS1_2048_8192_SHA384,
        "1.2.840.113549.1.1.13" => &RSA_PKCS1_2048_8192_SHA512,
        _ => return false,
    };
    let (signed, signature) = (certificate.tbs_certificate.as_ref(), certificate.signature_value.as_ref());
    certificate.issuer().as_raw() == authority.subject().as_raw()
        && key_of(authority, algorithm).is_some_and(|key| key.verify_sig(signed, signature).is_ok())
}

fn key_of(certificate: &X509Certificate<'_>, algorithm: &'static RsaParameters) -> Option<ParsedPublicKey> {
    ParsedPublicKey::new(algorithm, certificate.public_key().raw).ok()
}

/// The certificates of a PEM text, in their order.
fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().unwrap_or_default()
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, certificate)| certificate)
}

fn private_key(pem: &str) -> Result<KeyPair, KeyError> {
    let why = "not an unencrypted RSA private key of 2048 bits or more (PEM; openssl pkcs12 -nodes makes it)";
    let error = KeyError { key: "sign_key", why };
    let key = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
        Ok(PrivateKeyDer::Pkcs8(der)) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
        Ok(PrivateKeyDer::Pkcs1(der)) => KeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err(error),
    };
    key.ok().filter(|key| key.public_modulus_len() >= 256).ok_or(error)
}

fn sign(key: &KeyPair, text: &str) -> Option<Vec<u8>> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), hashed(text).as_bytes(), &mut signature).ok()?;
    Some(signature)
}

fn verify(key: &ParsedPublicKey, text: &str, signature: &[u8]) -> bool {
    key.verify_sig(hashed(text).as_bytes(), signature).is_ok()
}

/// SHA-256 in small hexadecimal digits: what is signed instead of the text.
fn hashed(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::unionpay::testing::{self, Told, now, signed, signed_by, told};
    use crate::sandbox::keys;

    fn fields(all: &Told) -> Fields {
        let pairs: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Fields::of(&pairs)
    }

    fn believed(all: &Told) -> Result<(), NoticeRefusal> {
        Keys::of(&testing::account()).unwrap().believe(&fields(all), now())
    }

    fn message() -> Told {
        told(&[("orderId", testing::ATTEMPT), ("respMsg", "成功[0000000]"), ("reqReserved", ""), ("txnAmt", "1")])
    }

    #[test]
    fn what_we_sign_is_a_digest_of_a_digest_under_our_decimal_number() {
        let keys = Keys::of(&testing::account()).unwrap();
        assert_eq!(keys.cert_id(), keys::UNIONPAY_MERCHANT_CERT_ID);
        let mut all = message();
        all.insert("certId".to_owned(), keys.cert_id().to_owned());
        all.insert("signature".to_owned(), keys.sign(&fields(&all).signed_text()));
        assert!(testing::merchant_signed(&all));
    }

    #[test]
    fn what_unionpay_signed_is_believed_and_nothing_else() {
        let good = signed(message());
        assert_eq!(believed(&good), Ok(()));
        for name in ["orderId", "respMsg", "txnAmt", "signPubKeyCert", "encoding"] {
            let mut other = good.clone();
            other.get_mut(name).unwrap().push('1');
            assert!(believed(&other).is_err(), "{name}");
            other.remove(name);
            assert!(believed(&other).is_err(), "without {name}");
        }
        let mut more = good.clone();
        more.insert("settleAmt".to_owned(), "1".to_owned());
        assert_eq!(believed(&more), Err(NoticeRefusal::BadSignature));
        let mut unsigned = good.clone();
        unsigned.remove("signature");
        assert_eq!(believed(&unsigned), Err(NoticeRefusal::Missing("signature")));
        let mut garbled = good.clone();
        garbled.insert("signature".to_owned(), "签名".to_owned());
        assert_eq!(believed(&garbled), Err(NoticeRefusal::BadSignature));
        for (name, value) in [("version", "5.0.0"), ("signMethod", "11")] {
            let mut old = message();
            old.insert(name.to_owned(), value.to_owned());
            assert!(matches!(believed(&signed(old)), Err(NoticeRefusal::Malformed(_))));
        }
    }

    #[test]
    fn a_certificate_must_lead_up_to_the_root_be_good_now_and_name_unionpay() {
        let forged = signed_by(message(), keys::UNIONPAY_IMPOSTOR_KEY, keys::UNIONPAY_IMPOSTOR_CERT);
        assert_eq!(believed(&forged), Err(NoticeRefusal::UnknownKey), "same name, another authority");
        let ours = signed_by(message(), keys::UNIONPAY_MERCHANT_KEY, keys::UNIONPAY_MERCHANT_CERT);
        assert_eq!(believed(&ours), Err(NoticeRefusal::UnknownKey), "a merchant of the same authority");
        let mixed = signed_by(message(), keys::UNIONPAY_IMPOSTOR_KEY, keys::UNIONPAY_CERT);
        assert_eq!(believed(&mixed), Err(NoticeRefusal::BadSignature), "its certificate, another's key");
        let keys = Keys::of(&testing::account()).unwrap();
        for year in ["2024", "2051"] {
            let then = Moment::parse_beijing(&format!("{year}-01-01 12:00:00")).unwrap();
            assert_eq!(keys.believe(&fields(&signed(message())), then), Err(NoticeRefusal::UnknownKey));
        }
        let other = UnionPayAccount { name: "00040000:SIGN".to_owned(), ..testing::account() };
        let refused = Keys::of(&other).unwrap().believe(&fields(&signed(message())), now());
        assert_eq!(refused, Err(NoticeRefusal::UnknownKey), "another name is configured");
    }

    #[test]
    fn a_key_that_does_not_fit_is_found_at_start() {
        let refused = |change: fn(&mut UnionPayAccount)| {
            let mut account = testing::account();
            change(&mut account);
            Keys::of(&account).err().map(|error| error.key)
        };
        assert_eq!(refused(|_| ()), None);
        assert_eq!(refused(|a| a.sign_key = "".into()), Some("sign_key"));
        assert_eq!(refused(|a| a.sign_key = keys::UNIONPAY_MERCHANT_CERT.into()), Some("sign_key"));
        assert_eq!(refused(|a| a.sign_cert = keys::UNIONPAY_CERT.into()), Some("sign_cert"));
        assert_eq!(refused(|a| a.sign_cert = "not a certificate".into()), Some("sign_cert"));
        assert_eq!(refused(|a| a.root_cert = keys::UNIONPAY_CERT.into()), Some("root_cert"));
        assert_eq!(refused(|a| a.root_cert = keys::ALIPAY_ROOT_CERT.into()), Some("middle_cert"));
        assert_eq!(refused(|a| a.middle_cert = keys::UNIONPAY_CERT.into()), Some("middle_cert"));
        assert_eq!(refused(|a| a.middle_cert = "".into()), Some("middle_cert"));
        assert_eq!(refused(|a| a.name.clear()), Some("name"));
    }
}
