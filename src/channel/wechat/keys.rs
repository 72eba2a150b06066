//! The keys of one account: our own (signs requests), WeChat Pay's (believe answers and notices), and the APIv3 key
//! (opens sealed fields). Each is parsed once and tried at start.
//!
//! WeChat Pay signs with its public key or with a platform certificate, and with either during a switch, so all of
//! them lie in one map from the serial a message names to the key. Nothing here prints a key, and no error repeats
//! one.
use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderMap;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, SubjectPublicKeyInfoDer};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::channel::contract::NoticeRefusal;
use crate::config::{OneOrMore, WechatAccount};
use crate::domain::moment::Moment;

/// A message whose timestamp is this many seconds off is refused (WeChat Pay v3, verifying signatures: five minutes).
const WINDOW_SECONDS: u64 = 300;

/// Why an account cannot be used. Found at start, names the configuration key, never the value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{key}: {why}")]
pub struct KeyError {
    pub key: &'static str,
    pub why: &'static str,
}

impl KeyError {
    pub const fn of(key: &'static str, why: &'static str) -> Self {
        Self { key, why }
    }
}

/// The merchant's private key (apiclient_key.pem).
pub struct MerchantKey(RsaKeyPair);

impl MerchantKey {
    pub fn parse(pem: &str) -> Result<MerchantKey, KeyError> {
        let unfit = |why| KeyError::of("wechat.private_key", why);
        let der = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs8(der)) => der,
            Ok(PrivateKeyDer::Pkcs1(_)) => {
                return Err(unfit(
                    "this is PKCS#1; WeChat Pay's apiclient_key.pem is PKCS#8 (openssl pkcs8 -topk8 -nocrypt)",
                ));
            }
            _ => return Err(unfit("no unencrypted PKCS#8 private key in PEM")),
        };
        let pair =
            RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| unfit("not an RSA key of 2048 to 8192 bits"))?;
        let key = MerchantKey(pair);
        key.try_sign("trial").map(|_| key).ok_or_else(|| unfit("the key does not sign"))
    }

    /// SHA256withRSA (PKCS#1 v1.5), base64 in one line.
    pub fn sign(&self, text: &str) -> String {
        self.try_sign(text).expect("the key signed at start, and signing depends on nothing else")
    }

    fn try_sign(&self, text: &str) -> Option<String> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
        Some(STANDARD.encode(signature))
    }
}

/// A field sealed with the APIv3 key (AEAD_AES_256_GCM), in notices and in the list of certificates.
#[derive(Deserialize)]
pub struct Sealed {
    pub algorithm: String,
    pub nonce: String,
    #[serde(default)]
    pub associated_data: Option<String>,
    pub ciphertext: String,
}

/// The APIv3 key; while it is changed the one before it too, for what WeChat Pay sealed with that.
pub struct ApiV3Key(Vec<LessSafeKey>);

impl ApiV3Key {
    pub fn parse(keys: &OneOrMore<SecretString>) -> Result<ApiV3Key, KeyError> {
        let unfit = KeyError::of("wechat.api_v3_key", "exactly 32 characters");
        let parse = |text: &SecretString| UnboundKey::new(&AES_256_GCM, text.expose_secret().as_bytes());
        let keys: Result<_, _> = keys.all().iter().map(|text| parse(text).map(LessSafeKey::new)).collect();
        keys.map(Self).map_err(|_| unfit)
    }

    /// None when anything about it does not fit: algorithm, nonce, base64, key or tag.
    pub fn open(&self, sealed: &Sealed) -> Option<Vec<u8>> {
        if sealed.algorithm != "AEAD_AES_256_GCM" {
            return None;
        }
        let nonce = |sealed: &Sealed| Nonce::try_assume_unique_for_key(sealed.nonce.as_bytes()).ok();
        let bytes = STANDARD.decode(&sealed.ciphertext).ok()?;
        let aad = sealed.associated_data.as_deref().unwrap_or_default().as_bytes();
        self.0.iter().find_map(|key| {
            let mut bytes = bytes.clone();
            let length = key.open_in_place(nonce(sealed)?, Aad::from(aad), &mut bytes).ok()?.len();
            bytes.truncate(length);
            Some(bytes)
        })
    }
}

/// WeChat Pay's keys by serial, in the form [`lookup_form`] gives.
pub type VerifyingKeys = HashMap<String, Arc<ParsedPublicKey>>;

/// All keys an answer or a notice may be signed with.
pub struct Keyring {
    configured: VerifyingKeys,
    live: ArcSwap<VerifyingKeys>,
    /// Sent as `Wechatpay-Serial`, so that answers are signed with the public key; none when only certificates are
    /// configured.
    pub public_key_id: Option<String>,
    /// Whether platform certificates are in use, and may therefore be fetched anew.
    pub has_certificates: bool,
}

impl Keyring {
    pub fn parse(account: &WechatAccount) -> Result<Keyring, KeyError> {
        let mut configured = VerifyingKeys::new();
        match (&account.public_key_id, &account.public_key) {
            (Some(id), Some(pem)) => {
                if !id.starts_with("PUB_KEY_ID_") || !is_plain(id) {
                    return Err(KeyError::of("wechat.public_key_id", "PUB_KEY_ID_ and digits"));
                }
                let unfit = KeyError::of("wechat.public_key", "no RSA public key in PEM (pub_key.pem)");
                let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.text().as_bytes()).map_err(|_| unfit)?;
                configured.insert(lookup_form(id), parse_public(&der).ok_or(unfit)?);
            }
            (None, None) => {}
            (Some(_), None) => return Err(KeyError::of("wechat.public_key", "missing beside public_key_id")),
            (None, Some(_)) => return Err(KeyError::of("wechat.public_key_id", "missing beside public_key")),
        }
        for pem in &account.platform_certificates {
            let unfit = KeyError::of("wechat.platform_certificates", "one of them is no RSA certificate in PEM");
            let (serial, certificate) = parse_certificate(pem.text().as_bytes()).ok_or(unfit)?;
            configured.insert(serial, certificate.key);
        }
        if configured.is_empty() {
            let why = "set public_key_id and public_key, or platform_certificates";
            return Err(KeyError::of("wechat.public_key", why));
        }
        Ok(Keyring {
            live: ArcSwap::from_pointee(configured.clone()),
            configured,
            public_key_id: account.public_key_id.clone(),
            has_certificates: !account.platform_certificates.is_empty(),
        })
    }

    /// Believes a message when its signature over the raw bytes fits (WeChat Pay v3, verifying signatures).
    pub fn check(&self, headers: &HeaderMap, body: &[u8], at: Moment) -> Result<(), NoticeRefusal> {
        check_with(&self.live.load(), headers, body, at)
    }

    /// What would be known with `fetched` beside the configured keys.
    pub fn joined(&self, fetched: VerifyingKeys) -> VerifyingKeys {
        let mut all = fetched;
        all.extend(self.configured.iter().map(|(serial, key)| (serial.clone(), key.clone())));
        all
    }

    pub fn replace(&self, keys: VerifyingKeys) {
        self.live.store(Arc::new(keys));
    }
}

/// [`Keyring::check`] with keys that are not live yet.
pub fn check_with(keys: &VerifyingKeys, headers: &HeaderMap, body: &[u8], at: Moment) -> Result<(), NoticeRefusal> {
    let field = |name: &'static str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
        value.ok_or(NoticeRefusal::Missing(name))
    };
    let timestamp = field("Wechatpay-Timestamp")?;
    let nonce = field("Wechatpay-Nonce")?;
    let signature = field("Wechatpay-Signature")?;
    let serial = field("Wechatpay-Serial")?;
    let seconds: i64 = timestamp.parse().map_err(|_| NoticeRefusal::Malformed("Wechatpay-Timestamp"))?;
    if at.unix().abs_diff(seconds) >= WINDOW_SECONDS {
        return Err(NoticeRefusal::Stale);
    }
    let key = keys.get(&lookup_form(serial)).ok_or(NoticeRefusal::UnknownKey)?;
    let signature = STANDARD.decode(signature).map_err(|_| NoticeRefusal::BadSignature)?;
    let message = [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat();
    key.verify_sig(&message, &signature).map_err(|_| NoticeRefusal::BadSignature)
}

/// When a message that is believed now becomes too old to be.
pub fn believed_until(headers: &HeaderMap) -> Option<Moment> {
    let seconds: i64 = headers.get("Wechatpay-Timestamp")?.to_str().ok()?.parse().ok()?;
    Some(Moment::from_unix(seconds.checked_add_unsigned(WINDOW_SECONDS)?))
}

/// A platform certificate, as far as it matters here.
pub struct PlatformCertificate {
    pub key: Arc<ParsedPublicKey>,
    pub expires_at: Moment,
}

/// The serial (in look-up form) and key of a certificate in PEM.
pub fn parse_certificate(pem: &[u8]) -> Option<(String, PlatformCertificate)> {
    let der = CertificateDer::from_pem_slice(pem).ok()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).ok()?;
    let key = parse_public(certificate.public_key().raw)?;
    let serial: String = certificate.raw_serial().iter().map(|byte| format!("{byte:02X}")).collect();
    let expires_at = Moment::from_unix(certificate.validity().not_after.timestamp());
    Some((lookup_form(&serial), PlatformCertificate { key, expires_at }))
}

fn parse_public(der: &[u8]) -> Option<Arc<ParsedPublicKey>> {
    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).ok().map(Arc::new)
}

/// Serials are numbers in hexadecimal: programs differ in case and in leading zeros.
fn lookup_form(serial: &str) -> String {
    serial.trim_start_matches('0').to_ascii_uppercase()
}

/// Letters, digits and `_` only: safe in a header and in an address.
pub fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Reads all three kinds of key from the configuration.
pub fn parse_all(account: &WechatAccount) -> Result<(MerchantKey, ApiV3Key, Keyring), KeyError> {
    let merchant = MerchantKey::parse(account.private_key.text())?;
    let api_v3 = ApiV3Key::parse(&account.api_v3_key)?;
    Ok((merchant, api_v3, Keyring::parse(account)?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{self, Voice, account, certificate_only, header_map, public_key_only};
    use super::*;
    use crate::sandbox::keys as material;

    fn checked(ring: &Keyring, voice: &Voice, body: &[u8]) -> Result<(), NoticeRefusal> {
        ring.check(&header_map(&voice.headers(testing::now(), body)), body, testing::now())
    }

    fn refused(account: &WechatAccount) -> KeyError {
        parse_all(account).map(|_| ()).unwrap_err()
    }

    #[test]
    fn a_key_that_would_fail_at_the_first_payment_fails_at_start() {
        let pkcs1 = rsa::pkcs1::EncodeRsaPrivateKey::to_pkcs1_pem(
            &<rsa::RsaPrivateKey as rsa::pkcs8::DecodePrivateKey>::from_pkcs8_pem(material::WECHAT_MERCHANT_KEY)
                .unwrap(),
            rsa::pkcs8::LineEnding::LF,
        );
        let pkcs1 = pkcs1.unwrap();
        for text in [pkcs1.as_str(), "", "garbage", material::WECHAT_PUBLIC_KEY] {
            let error = refused(&WechatAccount { private_key: text.into(), ..account("http://127.0.0.1") });
            assert_eq!(error.key, "wechat.private_key");
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
        let said = refused(&WechatAccount { private_key: pkcs1.as_str().into(), ..account("http://127.0.0.1") });
        assert!(said.to_string().contains("PKCS#1"));
        let short = "0123456789".to_owned();
        let error = refused(&WechatAccount { api_v3_key: short.as_str().into(), ..account("http://127.0.0.1") });
        assert_eq!(error.key, "wechat.api_v3_key");
        assert!(!error.to_string().contains(&short));
    }

    #[test]
    fn the_verifying_keys_are_checked_at_start_and_named() {
        let base = "http://127.0.0.1";
        let cases = [
            (WechatAccount { public_key: Some("x".into()), ..account(base) }, "wechat.public_key"),
            (WechatAccount { public_key: None, ..account(base) }, "wechat.public_key"),
            (WechatAccount { public_key_id: None, ..account(base) }, "wechat.public_key_id"),
            (WechatAccount { public_key_id: Some("PUB_KEY_ID_0\n1".into()), ..account(base) }, "wechat.public_key_id"),
            (WechatAccount { public_key_id: Some("5157F09E".into()), ..account(base) }, "wechat.public_key_id"),
            (
                WechatAccount { platform_certificates: vec![material::WECHAT_PUBLIC_KEY.into()], ..account(base) },
                "wechat.platform_certificates",
            ),
            (WechatAccount { platform_certificates: Vec::new(), ..certificate_only(base) }, "wechat.public_key"),
        ];
        for (account, key) in cases {
            assert_eq!(refused(&account).key, key);
        }
    }

    #[test]
    fn during_the_switch_both_keys_are_believed_and_no_third() {
        let ring = Keyring::parse(&account("")).unwrap();
        assert_eq!(checked(&ring, &Voice::public(), b"{}"), Ok(()));
        assert_eq!(checked(&ring, &Voice::platform_a(), b"{}"), Ok(()));
        assert_eq!(checked(&ring, &Voice::platform_b(), b"{}"), Err(NoticeRefusal::UnknownKey));
        let ring = Keyring::parse(&public_key_only("")).unwrap();
        assert_eq!(checked(&ring, &Voice::platform_a(), b"{}"), Err(NoticeRefusal::UnknownKey));
        let ring = Keyring::parse(&certificate_only("")).unwrap();
        assert_eq!(checked(&ring, &Voice::public(), b"{}"), Err(NoticeRefusal::UnknownKey));
    }

    #[test]
    fn a_known_serial_with_another_keys_signature_is_refused() {
        let ring = Keyring::parse(&account("")).unwrap();
        let impostor = Voice { serial: material::WECHAT_PUBLIC_KEY_ID, ..Voice::platform_b() };
        assert_eq!(checked(&ring, &impostor, b"{}"), Err(NoticeRefusal::BadSignature));
    }

    #[test]
    fn the_serial_is_found_in_small_letters_too() {
        let ring = Keyring::parse(&account("")).unwrap();
        let mut headers = header_map(&Voice::platform_a().headers(testing::now(), b"{}"));
        headers.insert("Wechatpay-Serial", material::WECHAT_PLATFORM_A_SERIAL.to_lowercase().parse().unwrap());
        assert_eq!(ring.check(&headers, b"{}", testing::now()), Ok(()));
    }

    #[test]
    fn the_window_is_five_minutes_to_either_side() {
        let ring = Keyring::parse(&account("")).unwrap();
        let headers = header_map(&Voice::public().headers(testing::now(), b"{}"));
        let at = |moment| ring.check(&headers, b"{}", moment);
        for seconds in [299, 0] {
            assert_eq!(at(testing::now() + Duration::from_secs(seconds)), Ok(()));
            assert_eq!(at(testing::now() - Duration::from_secs(seconds)), Ok(()));
        }
        assert_eq!(at(testing::now() + Duration::from_secs(300)), Err(NoticeRefusal::Stale));
        assert_eq!(at(testing::now() - Duration::from_secs(300)), Err(NoticeRefusal::Stale));
    }

    #[test]
    fn each_missing_or_garbled_header_is_refused() {
        let ring = Keyring::parse(&account("")).unwrap();
        let whole = header_map(&Voice::public().headers(testing::now(), b"{}"));
        for name in ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"] {
            let mut headers = whole.clone();
            headers.remove(name);
            assert_eq!(ring.check(&headers, b"{}", testing::now()), Err(NoticeRefusal::Missing(name)));
            headers.insert(name, reqwest::header::HeaderValue::from_bytes(b"\xff\xfe").unwrap());
            assert_eq!(ring.check(&headers, b"{}", testing::now()), Err(NoticeRefusal::Missing(name)));
        }
        for garbage in ["x", "1e9", "-9223372036854775808", "99999999999999999999999"] {
            let mut headers = whole.clone();
            headers.insert("Wechatpay-Timestamp", garbage.parse().unwrap());
            assert!(ring.check(&headers, b"{}", testing::now()).is_err());
        }
    }

    #[test]
    fn the_signature_covers_the_raw_bytes() {
        let ring = Keyring::parse(&account("")).unwrap();
        let sent = br#"{"a":"\u5b66", "b":1}"#;
        let headers = header_map(&Voice::public().headers(testing::now(), sent));
        assert_eq!(ring.check(&headers, sent, testing::now()), Ok(()));
        let again: serde_json::Value = serde_json::from_slice(sent).unwrap();
        let reencoded = again.to_string().into_bytes();
        assert_eq!(ring.check(&headers, &reencoded, testing::now()), Err(NoticeRefusal::BadSignature));
    }

    #[test]
    fn a_seal_opens_with_any_associated_data_and_breaks_with_any_change() {
        let key = ApiV3Key::parse(&material::WECHAT_API_V3_KEY.into()).unwrap();
        let sealed = |aad| serde_json::from_value::<Sealed>(testing::seal("明文", aad)).unwrap();
        for aad in [Some("transaction"), Some(""), None] {
            assert_eq!(key.open(&sealed(aad)).as_deref(), Some("明文".as_bytes()), "{aad:?}");
        }
        let changes: [fn(&mut Sealed); 6] = [
            |s| s.associated_data = Some("refund".to_owned()),
            |s| s.nonce = "fdasflkja485".to_owned(),
            |s| s.nonce = "short".to_owned(),
            |s| s.algorithm = "AEAD_SM4_GCM".to_owned(),
            |s| s.ciphertext.replace_range(0..1, if s.ciphertext.starts_with('A') { "B" } else { "A" }),
            |s| s.ciphertext = "AAAA".to_owned(),
        ];
        for change in changes {
            let mut broken = sealed(Some("transaction"));
            change(&mut broken);
            assert_eq!(key.open(&broken), None);
        }
    }
}
