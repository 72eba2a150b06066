//! The keys of one Alipay application: our private key signs, Alipay's public key verifies (Alipay, signing rules,
//! RSA2).
//!
//! Everything is parsed and tried once, when the channel is made; what is wrong is found at start, not at the first
//! payment. No key ever leaves this file, and no error repeats one.
use alipay_sdk_rust::cert;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::config::{AlipayAccount, Pem};

/// A key or certificate that cannot be used. Names the configuration's key, never its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("alipay.{key}: {why}")]
pub struct KeyError {
    pub key: &'static str,
    pub why: &'static str,
}

/// The numbers of certificate mode: 32 small hexadecimal digits each, the root's joined by `_`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertNumbers {
    pub app: String,
    pub alipay: String,
    pub alipay_root: String,
}

pub struct Keys {
    ours: KeyPair,
    /// Alipay's; two while it changes
    alipays: Vec<ParsedPublicKey>,
    numbers: Option<CertNumbers>,
}

const PROBE: &[u8] = b"jiaofei";

impl Keys {
    /// Parses and tries all keys of an account: the private key must sign, the certificate must be its own, and
    /// Alipay's key must not be ours (the usual mistake of public-key mode).
    ///
    /// # Errors
    /// [`KeyError`] names the first key that is missing or unfit.
    pub fn of(account: &AlipayAccount) -> Result<Keys, KeyError> {
        let ours = private_key(&account.private_key)?;
        let probe = sign(&ours, PROBE)
            .ok_or(KeyError { key: "private_key", why: "does not sign; a key of 2048 bits or more is needed" })?;
        let certified = [&account.app_cert, &account.alipay_cert, &account.alipay_root_cert];
        let (key, alipays, numbers) = match &account.alipay_public_key {
            None => {
                let (alipays, numbers) = certificates(account, &probe)?;
                ("alipay_cert", vec![alipays], Some(numbers))
            }
            Some(_) if certified.into_iter().any(Option::is_some) => {
                let why = "give either this key or the three certificates, not both";
                return Err(KeyError { key: "alipay_public_key", why });
            }
            Some(pems) => {
                let why = "not an RSA public key of 2048 bits or more";
                let parse = |pem: &Pem| der(pem.text()).and_then(|der| public_key(&der));
                let alipays = pems.all().iter().map(parse).collect::<Option<Vec<_>>>();
                ("alipay_public_key", alipays.ok_or(KeyError { key: "alipay_public_key", why })?, None)
            }
        };
        if alipays.iter().any(|key| key.verify_sig(PROBE, &probe).is_ok()) {
            return Err(KeyError { key, why: "this is the application's own key; Alipay's is needed" });
        }
        Ok(Keys { ours, alipays, numbers })
    }

    /// SHA256withRSA in base64.
    pub fn sign(&self, text: &[u8]) -> String {
        let signature = sign(&self.ours, text).expect("the key has signed a probe when it was read");
        STANDARD.encode(signature)
    }

    /// Whether Alipay signed these bytes. Never panics, whatever the signature's text.
    pub fn verifies(&self, text: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        self.alipays.iter().any(|key| key.verify_sig(text, &signature).is_ok())
    }

    /// Present in certificate mode.
    pub fn numbers(&self) -> Option<&CertNumbers> {
        self.numbers.as_ref()
    }
}

fn sign(key: &KeyPair, text: &[u8]) -> Option<Vec<u8>> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).ok()?;
    Some(signature)
}

/// The bytes inside PEM armour, or of bare base64, line breaks forgiven.
fn der(text: &str) -> Option<Vec<u8>> {
    let body: String = text
        .trim_start_matches('\u{feff}')
        .lines()
        .filter(|line| !line.trim_start().starts_with("-----"))
        .flat_map(str::split_whitespace)
        .collect();
    STANDARD.decode(body).ok().filter(|bytes| !bytes.is_empty())
}

fn private_key(pem: &Pem) -> Result<KeyPair, KeyError> {
    let error = KeyError { key: "private_key", why: "not an RSA private key of 2048 bits or more (PKCS#8 or PKCS#1)" };
    let der = der(pem.text()).ok_or(error)?;
    let key = KeyPair::from_pkcs8(&der).or_else(|_| KeyPair::from_der(&der)).map_err(|_| error)?;
    (key.public_modulus_len() >= 256).then_some(key).ok_or(error)
}

fn public_key(der: &[u8]) -> Option<ParsedPublicKey> {
    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).ok()
}

/// Certificate mode: Alipay's key is the one in alipayCertPublicKey_RSA2.crt.
fn certificates(account: &AlipayAccount, probe: &[u8]) -> Result<(ParsedPublicKey, CertNumbers), KeyError> {
    let (app, app_number) = certificate("app_cert", account.app_cert.as_ref())?;
    if app.verify_sig(PROBE, probe).is_err() {
        return Err(KeyError { key: "app_cert", why: "the certificate of another key than private_key" });
    }
    let (alipays, alipay_number) = certificate("alipay_cert", account.alipay_cert.as_ref())?;
    let root = given("alipay_root_cert", account.alipay_root_cert.as_ref())?;
    let why = "no RSA certificate in it";
    let alipay_root = cert::root_cert_sn_from_utf8(root).map_err(|_| KeyError { key: "alipay_root_cert", why })?;
    Ok((alipays, CertNumbers { app: app_number, alipay: alipay_number, alipay_root }))
}

fn given<'a>(key: &'static str, pem: Option<&'a Pem>) -> Result<&'a str, KeyError> {
    let why = "missing: give alipay_public_key, or app_cert, alipay_cert and alipay_root_cert";
    pem.map(Pem::text).ok_or(KeyError { key, why })
}

/// The key and the number of the first certificate in a file.
fn certificate(key: &'static str, pem: Option<&Pem>) -> Result<(ParsedPublicKey, String), KeyError> {
    let text = given(key, pem)?;
    let error = KeyError { key, why: "not an RSA certificate (PEM)" };
    let number = cert::cert_sn_from_utf8(text).map_err(|_| error)?;
    let pem = cert::load_certificate(text).map_err(|_| error)?;
    let x509 = pem.parse_x509().map_err(|_| error)?;
    Ok((public_key(x509.public_key().raw).ok_or(error)?, number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::alipay::testing;
    use crate::sandbox::keys::{
        ALIPAY_APP_CERT, ALIPAY_APP_KEY, ALIPAY_APP_PUBLIC, ALIPAY_CERT, ALIPAY_PUBLIC, ALIPAY_ROOT_CERT,
        WECHAT_PLATFORM_A_CERT,
    };
    use rsa::pkcs1::EncodeRsaPrivateKey;
    use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};

    /// What `openssl` and `md5sum` make of the sandbox's certificates by Alipay's rule:
    /// MD5 of issuer (most specific first, no blank after the comma) and serial number in decimal.
    const APP_NUMBER: &str = "1a9ba02f373b56ca61501ae7963c910f";
    const ALIPAY_NUMBER: &str = "85a2d881cd8e3fe5fc7dec445483b4c6";
    const ROOT_NUMBER: &str = "d91a35761ce49e9eafe361f82aec4bf8";

    /// The real root file holds SM2 roots beside the RSA ones.
    const SM2_ROOT: &str = include_str!("testdata/sm2_root.cert.pem");

    fn refused(change: impl FnOnce(&mut AlipayAccount)) -> KeyError {
        let mut account = testing::account();
        change(&mut account);
        Keys::of(&account).err().expect("refused")
    }

    #[test]
    fn private_keys_are_read_in_every_spelling_alipays_tools_write() {
        let key = rsa::RsaPrivateKey::from_pkcs8_pem(ALIPAY_APP_KEY).unwrap();
        let bare = |pem: &str| pem.lines().filter(|line| !line.starts_with("---")).collect::<String>();
        let pkcs1 = key.to_pkcs1_pem(LineEnding::CRLF).unwrap();
        let pkcs8 = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        let expected = Keys::of(&testing::account()).unwrap().sign(b"text");
        for text in [pkcs1.as_str(), pkcs8.as_str(), &bare(&pkcs1), &bare(&pkcs8), &format!("\u{feff}{}\n", &*pkcs8)] {
            let mut account = testing::account();
            account.private_key = text.into();
            account.alipay_public_key = Some(bare(ALIPAY_PUBLIC).as_str().into());
            let keys = Keys::of(&account).unwrap();
            assert_eq!(keys.sign(b"text"), expected);
            assert_eq!(keys.numbers(), None);
        }
    }

    #[test]
    fn our_signature_is_believed_by_another_crate_and_its_signature_by_us() {
        let keys = Keys::of(&testing::account()).unwrap();
        assert!(testing::app_signed("学费=1+1&𠮷".as_bytes(), &keys.sign("学费=1+1&𠮷".as_bytes())));
        let theirs = testing::sign("学费".as_bytes());
        assert!(keys.verifies("学费".as_bytes(), &theirs));
        assert!(!keys.verifies("学费 ".as_bytes(), &theirs));
        for garbage in ["", "sign", "=", "AAAA", "签名", &theirs[1..], &theirs.replace('=', "")] {
            assert!(!keys.verifies("学费".as_bytes(), garbage), "{garbage}");
        }
    }

    #[test]
    fn certificate_numbers_follow_alipays_rule() {
        let keys = Keys::of(&testing::certified_account()).unwrap();
        let numbers = CertNumbers {
            app: APP_NUMBER.to_owned(),
            alipay: ALIPAY_NUMBER.to_owned(),
            alipay_root: ROOT_NUMBER.to_owned(),
        };
        assert_eq!(keys.numbers(), Some(&numbers));
        assert!(keys.verifies(b"text", &testing::sign(b"text")));
    }

    #[test]
    fn root_certificates_that_are_not_rsa_are_passed_over_and_the_rest_joined_in_file_order() {
        let mut account = testing::certified_account();
        let file = format!("{SM2_ROOT}{ALIPAY_ROOT_CERT}\r\n{SM2_ROOT}\n{ALIPAY_CERT}");
        account.alipay_root_cert = Some(file.as_str().into());
        let root = Keys::of(&account).unwrap().numbers().unwrap().alipay_root.clone();
        assert_eq!(root, format!("{ROOT_NUMBER}_{ALIPAY_NUMBER}"));
        account.alipay_root_cert = Some(SM2_ROOT.into());
        assert_eq!(Keys::of(&account).err().unwrap().key, "alipay_root_cert");
    }

    #[test]
    fn an_unfit_key_is_named_and_not_shown() {
        let secret = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
        let error = refused(|account| account.private_key = secret.into());
        assert_eq!(error.key, "private_key");
        assert!(!error.to_string().contains(secret));
        assert!(error.to_string().starts_with("alipay.private_key: "));
        assert_eq!(refused(|account| account.private_key = "".into()).key, "private_key");
        assert_eq!(refused(|account| account.alipay_public_key = Some("AAAA".into())).key, "alipay_public_key");
        assert_eq!(refused(|account| account.alipay_public_key = None).key, "app_cert");
    }

    #[test]
    fn our_own_public_key_in_alipays_place_is_found_at_start() {
        let error = refused(|account| account.alipay_public_key = Some(ALIPAY_APP_PUBLIC.into()));
        assert_eq!(error.key, "alipay_public_key");
        assert!(error.why.contains("own"));
    }

    #[test]
    fn certificate_mode_needs_three_fitting_certificates_and_no_public_key() {
        let refused = |change: fn(&mut AlipayAccount)| {
            let mut account = testing::certified_account();
            change(&mut account);
            Keys::of(&account).err().expect("refused").key
        };
        assert_eq!(refused(|account| account.alipay_root_cert = None), "alipay_root_cert");
        assert_eq!(refused(|account| account.alipay_cert = None), "alipay_cert");
        assert_eq!(refused(|account| account.alipay_cert = Some(ALIPAY_PUBLIC.into())), "alipay_cert");
        assert_eq!(refused(|account| account.alipay_cert = Some(SM2_ROOT.into())), "alipay_cert");
        assert_eq!(refused(|account| account.alipay_cert = Some(ALIPAY_APP_CERT.into())), "alipay_cert");
        assert_eq!(refused(|account| account.app_cert = Some(WECHAT_PLATFORM_A_CERT.into())), "app_cert");
        assert_eq!(refused(|account| account.alipay_public_key = Some(ALIPAY_PUBLIC.into())), "alipay_public_key");
    }
}
