//! Personal fields at rest: sealed with AES-256-GCM, found again through a keyed blind index (HMAC-SHA-256).
//!
//! While a key is changed several are listed: the first one seals and enters, each one opens and finds. A sealed field
//! names its key, so one that no listed key opens is told apart from one that was tampered with.
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

use crate::clock::Chance;
use crate::config::{Key32, Secrets};

/// Seals and finds personal fields. The sealed form is `v2.` + the key's name + `.` + base64(nonce ‖ ciphertext ‖ tag);
/// `v1.` + base64 has no name and is tried with every key. The field's name is authenticated with it, so a sealed phone
/// put into the ID-number column does not open.
#[derive(Clone)]
pub struct Sealer {
    fields: Arc<[Named<LessSafeKey>]>,
    indexes: Arc<[Named<hmac::Key>]>,
    chance: Chance,
}

struct Named<K> {
    /// Eight hexadecimal digits, derived from the key
    name: String,
    key: K,
}

impl<K> Named<K> {
    fn of(secret: &Key32, purpose: Purpose, key: K) -> Named<K> {
        let namer = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
        let name = hmac::sign(&namer, format!("jiaofei {} key name", purpose.code()).as_bytes());
        Named { name: name.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect(), key }
    }
}

/// What a key of the sealer is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// `secrets.field_key`
    Field,
    /// `secrets.index_key`
    Index,
}

impl Purpose {
    pub const ALL: [Purpose; 2] = [Purpose::Field, Purpose::Index];

    pub const fn code(self) -> &'static str {
        match self {
            Purpose::Field => "field",
            Purpose::Index => "index",
        }
    }
}

/// The sealed fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    IdNumber,
    Phone,
    Buyer,
    Email,
    /// Postcode and address
    Address,
    /// The card for refunds
    Card,
    /// Phone and answers of an enrolment
    Enrolment,
    /// A message: what, and to whom
    Letter,
    /// A mailbox that is not proven yet
    MailLink,
    /// The room or the card of a top-up
    Account,
    /// The e-mail address an account signs in by
    Member,
    /// What a study is known by
    Study,
    /// The phone that was proven when an order was made
    ReceiptPhone,
    /// 代付: what a giver wishes to be called
    Giver,
}

impl Field {
    pub const ALL: [Field; 14] = [
        Field::IdNumber,
        Field::Phone,
        Field::Buyer,
        Field::Email,
        Field::Address,
        Field::Card,
        Field::Enrolment,
        Field::Letter,
        Field::MailLink,
        Field::Account,
        Field::Member,
        Field::Study,
        Field::ReceiptPhone,
        Field::Giver,
    ];

    const fn name(self) -> &'static str {
        match self {
            Field::IdNumber => "id_number",
            Field::Phone => "phone",
            Field::Buyer => "buyer",
            Field::Email => "email",
            Field::Address => "address",
            Field::Card => "card",
            Field::Enrolment => "enrolment",
            Field::Letter => "letter",
            Field::MailLink => "mail_link",
            Field::Account => "account",
            Field::Member => "member",
            Field::Study => "study",
            Field::ReceiptPhone => "receipt_phone",
            Field::Giver => "giver",
        }
    }
}

impl Sealer {
    pub fn new(secrets: &Secrets, chance: Chance) -> Sealer {
        let field = |secret: &Key32| {
            let key = UnboundKey::new(&AES_256_GCM, secret.bytes()).expect("the key has 32 bytes by its type");
            Named::of(secret, Purpose::Field, LessSafeKey::new(key))
        };
        let index =
            |secret: &Key32| Named::of(secret, Purpose::Index, hmac::Key::new(hmac::HMAC_SHA256, secret.bytes()));
        Sealer {
            fields: secrets.field_key.all().iter().map(field).collect(),
            indexes: secrets.index_key.all().iter().map(index).collect(),
            chance,
        }
    }

    /// The names of the listed keys, the one that seals or enters first.
    pub fn key_names(&self, purpose: Purpose) -> Vec<&str> {
        match purpose {
            Purpose::Field => self.fields.iter().map(|named| named.name.as_str()).collect(),
            Purpose::Index => self.indexes.iter().map(|named| named.name.as_str()).collect(),
        }
    }

    pub fn seal(&self, field: Field, plain: &str) -> String {
        let Named { name, key } = self.fields.first().expect("the configuration lists at least one key");
        let nonce: [u8; NONCE_LEN] = self.chance.bytes();
        let mut sealed = plain.as_bytes().to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(field.name()), &mut sealed)
            .expect("a field is far below the cipher's limit of 64 GiB");
        let mut out = nonce.to_vec();
        out.append(&mut sealed);
        format!("v2.{name}.{}", BASE64.encode(out))
    }

    /// None when the text was not sealed for this field with one of the listed keys.
    pub fn open(&self, field: Field, sealed: &str) -> Option<String> {
        self.open_with(field, sealed).map(|(plain, _)| plain)
    }

    /// As [`Sealer::open`], with the name of the key it was sealed with.
    pub fn open_with(&self, field: Field, sealed: &str) -> Option<(String, &str)> {
        let (wanted, text) = match sealed.strip_prefix("v2.") {
            Some(named) => named.split_once('.').map(|(name, text)| (Some(name), text))?,
            None => (None, sealed.strip_prefix("v1.")?),
        };
        let bytes = BASE64.decode(text).ok()?;
        let (nonce, cipher) = bytes.split_at_checked(NONCE_LEN)?;
        let fitting = self.fields.iter().filter(|named| wanted.is_none_or(|wanted| wanted == named.name));
        fitting.into_iter().find_map(|Named { name, key }| {
            let mut cipher = cipher.to_vec();
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let plain = key.open_in_place(nonce, Aad::from(field.name()), &mut cipher).ok()?;
            Some((String::from_utf8(plain.to_vec()).ok()?, name.as_str()))
        })
    }

    /// Whether a text says that the first key has sealed it.
    pub fn is_current(&self, sealed: &str) -> bool {
        let name = self.fields.first().map(|named| named.name.as_str());
        sealed.strip_prefix("v2.").and_then(|text| text.split_once('.')).map(|(name, _)| name) == name
    }

    /// What a text is entered under: the same text always gives the same index, and without the key the index says
    /// nothing of the text.
    pub fn index(&self, field: Field, plain: &str) -> String {
        let first = self.indexes.first().expect("the configuration lists at least one key");
        index(&first.key, field, plain)
    }

    /// Everything a text may have been entered under, the first key's index first; each with its key's name.
    pub fn indexes(&self, field: Field, plain: &str) -> Vec<(String, &str)> {
        self.indexes.iter().map(|named| (index(&named.key, field, plain), named.name.as_str())).collect()
    }
}

fn index(key: &hmac::Key, field: Field, plain: &str) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(field.name().as_bytes());
    context.update(&[0]);
    context.update(plain.as_bytes());
    BASE64.encode(context.sign())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OneOrMore;

    fn sealer(key: u8) -> Sealer {
        of(Key32::new([key; 32]).into())
    }

    fn during_a_change(first: u8, other: u8) -> Sealer {
        of((Key32::new([first; 32]), Key32::new([other; 32])).into())
    }

    fn of(keys: OneOrMore<Key32>) -> Sealer {
        let journal_key = Key32::new([9; 32]);
        let (session_key, field_key, index_key) = (keys.clone(), keys.clone(), keys);
        let secrets = Secrets { session_key, field_key, index_key, journal_key, old_journal_keys: Vec::new() };
        Sealer::new(&secrets, Chance::seeded(1))
    }

    /// As the program sealed before keys had names.
    fn nameless(sealer: &Sealer, field: Field, plain: &str) -> String {
        let sealed = sealer.seal(field, plain);
        format!("v1.{}", sealed.rsplit_once('.').unwrap().1)
    }

    #[test]
    fn a_sealed_field_opens_with_its_own_key_and_name_only() {
        let sealed = sealer(1).seal(Field::Phone, "17800005287");
        assert_eq!(sealer(1).open(Field::Phone, &sealed).as_deref(), Some("17800005287"));
        assert_eq!(sealer(1).open(Field::IdNumber, &sealed), None);
        assert_eq!(sealer(2).open(Field::Phone, &sealed), None);
        for text in ["", "v1.", "v1.AAAA", "v2.", "v2.AAAA", "v2..AAAA", "17800005287", &sealed[..sealed.len() - 4]] {
            assert_eq!(sealer(1).open(Field::Phone, text), None, "{text}");
        }
    }

    #[test]
    fn every_generation_of_keys_opens_and_the_first_one_seals() {
        let (old, new) = (sealer(1), sealer(2));
        let (before, after) = (during_a_change(1, 2), during_a_change(2, 1));
        let ancient = nameless(&old, Field::IdNumber, "X");
        let texts = [&ancient, &old.seal(Field::IdNumber, "X"), &new.seal(Field::IdNumber, "X")];
        for sealed in texts {
            assert_eq!(before.open(Field::IdNumber, sealed).as_deref(), Some("X"), "{sealed}");
            assert_eq!(after.open(Field::IdNumber, sealed).as_deref(), Some("X"), "{sealed}");
        }
        assert_eq!(texts.map(|sealed| after.is_current(sealed)), [false, false, true]);
        assert_eq!(texts.map(|sealed| before.is_current(sealed)), [false, true, false]);
        assert_eq!(after.open_with(Field::IdNumber, &ancient).unwrap().1, old.key_names(Purpose::Field)[0]);
        assert!(new.open(Field::IdNumber, &ancient).is_none() && new.open(Field::IdNumber, texts[1]).is_none());
    }

    #[test]
    fn a_value_that_names_another_key_than_its_own_does_not_open() {
        let both = during_a_change(2, 1);
        let sealed = sealer(1).seal(Field::Phone, "X");
        let (old, new) = (sealer(1), sealer(2));
        let renamed = sealed.replace(old.key_names(Purpose::Field)[0], new.key_names(Purpose::Field)[0]);
        assert_eq!(both.open(Field::Phone, &renamed), None);
    }

    #[test]
    fn one_text_seals_differently_each_time_but_is_found_by_one_index_a_key() {
        let sealer = sealer(1);
        assert_ne!(sealer.seal(Field::IdNumber, "X"), sealer.seal(Field::IdNumber, "X"));
        assert_eq!(sealer.index(Field::IdNumber, "X"), sealer.index(Field::IdNumber, "X"));
        assert_ne!(sealer.index(Field::IdNumber, "X"), sealer.index(Field::Phone, "X"));
        let (old, new) = (sealer.index(Field::IdNumber, "X"), self::sealer(2).index(Field::IdNumber, "X"));
        let both = during_a_change(2, 1);
        assert_eq!(both.index(Field::IdNumber, "X"), new);
        assert_eq!(
            both.indexes(Field::IdNumber, "X").into_iter().map(|(text, _)| text).collect::<Vec<_>>(),
            [new, old]
        );
    }

    #[test]
    fn a_keys_name_is_not_the_same_for_another_purpose() {
        let sealer = sealer(1);
        assert_ne!(sealer.key_names(Purpose::Field), sealer.key_names(Purpose::Index));
    }
}
