//! The envelope of what the platform pushes: believed or refused, opened, and the answer sealed (official account,
//! receiving messages and events; encrypting and decrypting messages).
//!
//! In plain mode the signature covers the time and a nonce, not the message; in safe mode it covers the sealed message
//! as well. Where a key is configured nothing in plain is opened. Keys, token and messages reach no error or log.
use anyhow::Context;
use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::iv::FixedLength;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::message::{cdata, fields};
use crate::config::{OfficialAccount, OneOrMore};
use crate::domain::moment::Moment;

/// A push whose timestamp is this many seconds off is refused; the platform repeats within some twenty.
const WINDOW_SECONDS: u64 = 300;
/// PKCS#7 to blocks of this many bytes, twice AES's own
const BLOCK: usize = 32;
/// Random bytes before the message, and its length after them
const HEAD: usize = 16 + 4;

/// The 43rd letter of a key holds two bits too many, which the platform makes at random.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What the platform signs and seals with.
pub struct Envelope {
    app_id: String,
    token: SecretString,
    /// The first seals; each opens
    keys: Vec<[u8; 32]>,
}

/// A push as it came: the parameters of its address, and its body.
#[derive(Clone, Copy, Default)]
pub struct Push<'a> {
    pub signature: &'a str,
    /// Of safe mode
    pub msg_signature: &'a str,
    /// Seconds since 1970
    pub timestamp: &'a str,
    pub nonce: &'a str,
    pub body: &'a str,
}

/// Why a push is not heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PushRefusal {
    #[error("the signature does not fit")]
    Signature,
    #[error("too old, or from a clock that is wrong")]
    Stale,
    #[error("not sealed, though a key is configured")]
    Plain,
    #[error("sealed with another key, or for another account")]
    Sealed,
    #[error("not in the protocol's shape")]
    Shape,
}

/// What an envelope held.
pub struct Opened {
    /// XML
    pub text: String,
    /// Which key opened it, to seal the answer with; none: it came in plain
    pub key: Option<usize>,
}

impl Envelope {
    /// None where the account's messages are not heard.
    ///
    /// # Errors
    /// A key that does not fit, by its name.
    pub fn new(account: &OfficialAccount) -> anyhow::Result<Option<Envelope>> {
        let Some(server) = &account.message else { return Ok(None) };
        let key = |text: &SecretString| {
            let bytes = LENIENT.decode(text.expose_secret()).ok();
            let key: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.try_into().ok());
            key.context("official_account.message.encoding_aes_key: 43 letters and digits")
        };
        let keys = server.encoding_aes_key.iter().flat_map(OneOrMore::all).map(key).collect::<Result<_, _>>()?;
        Ok(Some(Envelope { app_id: account.app_id.clone(), token: server.token.clone(), keys }))
    }

    /// Whether the platform asks, now: the set-up check, and every push in plain.
    ///
    /// # Errors
    /// Why not: signature first, then time.
    pub fn believe(&self, push: &Push<'_>, now: Moment) -> Result<(), PushRefusal> {
        self.signed(push, None, push.signature, now)
    }

    /// Opens a push that is the platform's own.
    ///
    /// # Errors
    /// Signature first, then time, then what is inside.
    pub fn open(&self, push: &Push<'_>, now: Moment) -> Result<Opened, PushRefusal> {
        if self.keys.is_empty() {
            self.believe(push, now)?;
            return Ok(Opened { text: push.body.to_owned(), key: None });
        }
        let sealed = fields(push.body).ok_or(PushRefusal::Shape)?.remove("Encrypt").ok_or(PushRefusal::Plain)?;
        self.signed(push, Some(&sealed), push.msg_signature, now)?;
        let bytes = STANDARD.decode(&sealed).map_err(|_| PushRefusal::Shape)?;
        let opened = self.keys.iter().enumerate().find_map(|(at, key)| {
            let text = unsealed(key, &self.app_id, bytes.clone())?;
            Some(Opened { text, key: Some(at) })
        });
        opened.ok_or(PushRefusal::Sealed)
    }

    fn signed(&self, push: &Push<'_>, sealed: Option<&str>, given: &str, now: Moment) -> Result<(), PushRefusal> {
        let own = self.signature(push.timestamp, push.nonce, sealed);
        if !bool::from(own.as_bytes().ct_eq(given.as_bytes())) {
            return Err(PushRefusal::Signature);
        }
        let at = push.timestamp.parse::<u32>().map_err(|_| PushRefusal::Shape)?;
        let at = Moment::from_unix(at.into());
        match at.since(now).max(now.since(at)).as_secs() < WINDOW_SECONDS {
            true => Ok(()),
            false => Err(PushRefusal::Stale),
        }
    }

    /// Hexadecimal SHA-1 of token, timestamp, nonce and the sealed message, sorted and joined.
    fn signature(&self, timestamp: &str, nonce: &str, sealed: Option<&str>) -> String {
        let mut parts = vec![self.token.expose_secret(), timestamp, nonce];
        parts.extend(sealed);
        parts.sort_unstable();
        sha1_hex(&parts.concat())
    }

    /// The answer to what [`Envelope::open`] gave: sealed with the same key, or as it is. `random` fills the head.
    pub fn seal(&self, opened: &Opened, answer: String, random: [u8; 16], nonce: &str, now: Moment) -> String {
        let Some(key) = opened.key.and_then(|at| self.keys.get(at)) else { return answer };
        let sealed = STANDARD.encode(sealed(key, &self.app_id, &answer, random));
        let timestamp = now.unix().to_string();
        let signature = self.signature(&timestamp, nonce, Some(&sealed));
        format!(
            "<xml><Encrypt>{}</Encrypt><MsgSignature>{}</MsgSignature><TimeStamp>{timestamp}</TimeStamp>\
             <Nonce>{}</Nonce></xml>",
            cdata(&sealed),
            cdata(&signature),
            cdata(nonce),
        )
    }
}

/// Hexadecimal SHA-1: what the official account signs with.
pub fn sha1_hex(text: &str) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn cipher(key: &[u8; 32]) -> UnboundCipherKey {
    UnboundCipherKey::new(&AES_256, key).expect("32 bytes are a key of AES-256")
}

/// The first half of the key is the IV as well.
fn iv(key: &[u8; 32]) -> FixedLength<16> {
    let (half, _) = key.split_first_chunk::<16>().expect("32 bytes have 16");
    FixedLength::from(half)
}

/// Opens `16 random ‖ length ‖ message ‖ appid ‖ padding`; none when anything of it does not fit.
fn unsealed(key: &[u8; 32], app_id: &str, mut bytes: Vec<u8>) -> Option<String> {
    let opener = DecryptingKey::cbc(cipher(key)).expect("AES-256 has CBC");
    let plain = opener.decrypt(&mut bytes, DecryptionContext::Iv128(iv(key))).ok()?;
    let padding = usize::from(*plain.last()?);
    let (plain, padded) = plain.split_at_checked(plain.len().checked_sub(padding)?)?;
    if !(1..=BLOCK).contains(&padding) || padded.iter().any(|byte| usize::from(*byte) != padding) {
        return None;
    }
    let (length, rest) = plain.get(16..)?.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (message, owner) = rest.split_at_checked(length)?;
    (owner == app_id.as_bytes()).then(|| String::from_utf8(message.to_vec()).ok()).flatten()
}

fn sealed(key: &[u8; 32], app_id: &str, message: &str, random: [u8; 16]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("an answer has a few hundred bytes");
    let mut bytes = Vec::with_capacity(HEAD + message.len() + app_id.len() + BLOCK);
    bytes.extend(random);
    bytes.extend(length.to_be_bytes());
    bytes.extend(message.as_bytes());
    bytes.extend(app_id.as_bytes());
    let padding = BLOCK - bytes.len() % BLOCK;
    bytes.extend(std::iter::repeat_n(u8::try_from(padding).expect("32 at most"), padding));
    let sealer = EncryptingKey::cbc(cipher(key)).expect("AES-256 has CBC");
    let context = EncryptionContext::Iv128(iv(key));
    sealer.less_safe_encrypt(&mut bytes, context).expect("whole blocks can be sealed");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MessageServer;

    const NOW: Moment = Moment::from_unix(1_409_304_348);
    const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    const TEXT: &str = "<xml><MsgType>缴费</MsgType></xml>";
    /// [`TEXT`] for `wxb11529c136998cb6`, and its signature with the token `pamtest`, as OpenSSL and Python make them
    const SEALED: &str = "Q3stYC6hdFzMh9T8HCvyDE8Ev4jg2jrO5fuo2mhbD3Q3pNrH+7HC/qvbHu0bLW/di/GoPA6ZJtfhewO5Nksb6nGorVk2\
                          lQwdOPLvc+Y1dXoMKZudg1aR3d05/UucqT36";
    const SIGNED: &str = "822c8e961d54d3f75f4ecbdf292098d3efa6ad71";

    fn envelope(app_id: &str, keys: OneOrMore<SecretString>) -> Envelope {
        let account = OfficialAccount {
            app_id: app_id.to_owned(),
            app_secret: String::new().into(),
            api_base: String::new(),
            authorize_base: String::new(),
            message: Some(MessageServer { token: "pamtest".into(), encoding_aes_key: Some(keys) }),
            templates: Default::default(),
            due_soon_days: 3,
        };
        Envelope::new(&account).unwrap().unwrap()
    }

    fn push(body: &str) -> Push<'_> {
        Push { msg_signature: SIGNED, timestamp: "1409304348", nonce: "xxxxxx", body, ..Push::default() }
    }

    #[test]
    fn what_another_program_sealed_is_opened_and_sealed_again_to_the_byte() {
        let other = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg";
        let keys: OneOrMore<SecretString> = (SecretString::from(other), SecretString::from(KEY)).into();
        let envelope = envelope("wxb11529c136998cb6", keys);
        let body = format!("<xml><ToUserName>gh</ToUserName><Encrypt>{SEALED}</Encrypt></xml>");
        let opened = envelope.open(&push(&body), NOW).unwrap();
        assert_eq!((opened.text.as_str(), opened.key), (TEXT, Some(1)));
        let answer = envelope.seal(&opened, TEXT.to_owned(), *b"0123456789abcdef", "xxxxxx", NOW);
        let fields = fields(&answer).unwrap();
        assert_eq!((fields["Encrypt"].as_str(), fields["MsgSignature"].as_str()), (SEALED, SIGNED));
    }

    #[test]
    fn another_account_another_key_and_every_changed_letter_are_refused() {
        let body = format!("<xml><Encrypt>{SEALED}</Encrypt></xml>");
        let refused = |app_id: &str, key: &str, push: &Push<'_>, at| envelope(app_id, key.into()).open(push, at).err();
        let own = "wxb11529c136998cb6";
        let other = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg";
        assert_eq!(refused("wxb11529c136998cb7", KEY, &push(&body), NOW), Some(PushRefusal::Sealed));
        assert_eq!(refused(own, other, &push(&body), NOW), Some(PushRefusal::Sealed));
        assert_eq!(refused(own, KEY, &push(&body.replace("Q3st", "R3st")), NOW), Some(PushRefusal::Signature));
        assert_eq!(refused(own, KEY, &push(TEXT), NOW), Some(PushRefusal::Plain));
        assert_eq!(refused(own, KEY, &push("{}"), NOW), Some(PushRefusal::Shape));
        for (seconds, old) in [(299, None), (300, Some(PushRefusal::Stale)), (-300, Some(PushRefusal::Stale))] {
            let at = Moment::from_unix(NOW.unix() + seconds);
            assert_eq!(refused(own, KEY, &push(&body), at), old, "{seconds}");
        }
    }

    #[test]
    fn padding_and_lengths_that_do_not_fit_open_nothing() {
        let key = [7; 32];
        let whole = sealed(&key, "wx1", "缴费", [1; 16]);
        assert_eq!(unsealed(&key, "wx1", whole.clone()).as_deref(), Some("缴费"));
        for cut in 0..whole.len() {
            assert_eq!(unsealed(&key, "wx1", whole[..cut].to_vec()), None, "{cut}");
        }
        for at in 0..whole.len() {
            let mut bent = whole.clone();
            bent[at] ^= 0x55;
            // a changed block makes noise of itself, and changes the next
            let opened = unsealed(&key, "wx1", bent);
            assert!(at < 16 || opened.as_deref() != Some("缴费"), "{at}");
        }
    }
}
