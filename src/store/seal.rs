//! Personal fields at rest: sealed with AES-256-GCM, found again through a keyed blind index (HMAC-SHA-256).
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

use crate::clock::Chance;
use crate::config::Secrets;

/// Seals and finds personal fields. The sealed form is `v1.` + base64(nonce ‖ ciphertext ‖ tag); the field's name is
/// authenticated with it, so a sealed phone put into the ID-number column does not open.
#[derive(Clone)]
pub struct Sealer {
    key: std::sync::Arc<LessSafeKey>,
    index: hmac::Key,
    chance: Chance,
}

/// The sealed fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    IdNumber,
    Phone,
    Buyer,
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Field::IdNumber => "id_number",
            Field::Phone => "phone",
            Field::Buyer => "buyer",
        }
    }
}

impl Sealer {
    pub fn new(secrets: &Secrets, chance: Chance) -> Sealer {
        let key = UnboundKey::new(&AES_256_GCM, secrets.field_key.bytes()).expect("the key has 32 bytes by its type");
        let index = hmac::Key::new(hmac::HMAC_SHA256, secrets.index_key.bytes());
        Sealer { key: std::sync::Arc::new(LessSafeKey::new(key)), index, chance }
    }

    pub fn seal(&self, field: Field, plain: &str) -> String {
        let nonce: [u8; NONCE_LEN] = self.chance.bytes();
        let mut sealed = plain.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(field.name()), &mut sealed)
            .expect("a field is far below the cipher's limit of 64 GiB");
        let mut out = nonce.to_vec();
        out.append(&mut sealed);
        format!("v1.{}", BASE64.encode(out))
    }

    /// None when the text was not sealed for this field with this key.
    pub fn open(&self, field: Field, sealed: &str) -> Option<String> {
        let bytes = BASE64.decode(sealed.strip_prefix("v1.")?).ok()?;
        let (nonce, cipher) = bytes.split_at_checked(NONCE_LEN)?;
        let mut cipher = cipher.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.key.open_in_place(nonce, Aad::from(field.name()), &mut cipher).ok()?;
        String::from_utf8(plain.to_vec()).ok()
    }

    /// The same text always gives the same index, and without the key the index says nothing of the text.
    pub fn index(&self, field: Field, plain: &str) -> String {
        let mut context = hmac::Context::with_key(&self.index);
        context.update(field.name().as_bytes());
        context.update(&[0]);
        context.update(plain.as_bytes());
        BASE64.encode(context.sign())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Key32;

    fn sealer(key: u8) -> Sealer {
        let key = || Key32::new([key; 32]);
        let (session_key, field_key, index_key, journal_key) = (key(), key(), key(), key());
        let secrets = Secrets { session_key, field_key, index_key, journal_key, old_journal_keys: Vec::new() };
        Sealer::new(&secrets, Chance::seeded(1))
    }

    #[test]
    fn a_sealed_field_opens_with_its_own_key_and_name_only() {
        let sealed = sealer(1).seal(Field::Phone, "17800005287");
        assert_eq!(sealer(1).open(Field::Phone, &sealed).as_deref(), Some("17800005287"));
        assert_eq!(sealer(1).open(Field::IdNumber, &sealed), None);
        assert_eq!(sealer(2).open(Field::Phone, &sealed), None);
        assert_eq!(sealer(1).open(Field::Phone, "v1.AAAA"), None);
        assert_eq!(sealer(1).open(Field::Phone, "17800005287"), None);
    }

    #[test]
    fn one_text_seals_differently_each_time_but_is_found_by_one_index() {
        let sealer = sealer(1);
        assert_ne!(sealer.seal(Field::IdNumber, "X"), sealer.seal(Field::IdNumber, "X"));
        assert_eq!(sealer.index(Field::IdNumber, "X"), sealer.index(Field::IdNumber, "X"));
        assert_ne!(sealer.index(Field::IdNumber, "X"), sealer.index(Field::Phone, "X"));
    }
}
