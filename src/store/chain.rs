//! 链: what makes an altered byte of the journal show. Each entry carries a mac over itself and over the head its
//! charge had before; the charge's head is a mac over its last entry's mac, its sums, its owner and its number of
//! entries. Each charge has its own chain, so entries of different payers never wait for one another. Pure: reads no
//! database.
//!
//! Whoever can write to the database but has no key can neither alter nor add nor take away an entry unseen. Heads of
//! earlier states are kept nowhere, so the last entry cannot be taken away either.
//!
//! A mac is HMAC-SHA-256, cut to 16 bytes (RFC 2104, section 5), written as `key.mac`: eight hexadecimal digits that
//! name the key, and 22 characters of base64. What it covers is a row of fields: whole numbers as eight bytes
//! big-endian, texts as their length in eight bytes and then their bytes; the first field says what kind it is.
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use crate::config::{Key32, Secrets};
use crate::domain::charge::{Balance, Cause};
use crate::domain::ids::{ChargeId, FeeItemId, PayerId, PeriodId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;

/// The keys of the chain: one to write with, older ones to check with.
#[derive(Clone)]
pub struct Chain {
    current: ChainKey,
    older: Vec<ChainKey>,
}

#[derive(Clone)]
struct ChainKey {
    /// Eight hexadecimal digits, derived from the key
    name: String,
    key: hmac::Key,
}

impl ChainKey {
    fn new(secret: &Key32) -> ChainKey {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
        let name = hmac::sign(&secret, b"jiaofei journal key name");
        let name = name.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&secret, b"jiaofei journal chain").as_ref());
        ChainKey { name, key }
    }

    fn sign(&self, fields: &Fields) -> String {
        let tag = hmac::sign(&self.key, &fields.0);
        format!("{}.{}", self.name, BASE64.encode(&tag.as_ref()[..16]))
    }
}

/// What a mac covers, in an encoding that two different sequences never share.
pub(super) struct Fields(Vec<u8>);

impl Fields {
    pub(super) fn of(kind: &str) -> Fields {
        Fields(Vec::with_capacity(256)).text(kind)
    }

    pub(super) fn number(mut self, number: i64) -> Fields {
        self.0.extend(number.to_be_bytes());
        self
    }

    pub(super) fn text(mut self, text: &str) -> Fields {
        self.0.extend((text.len() as u64).to_be_bytes());
        self.0.extend(text.as_bytes());
        self
    }
}

/// Why a mac is not believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Disbelief {
    /// There is none
    Missing,
    /// Made with a key that is not configured: its name
    UnknownKey(String),
    /// It does not fit what it covers
    Broken,
}

impl Chain {
    pub fn new(secrets: &Secrets) -> Chain {
        let older = secrets.old_journal_keys.iter().map(ChainKey::new).collect();
        Chain { current: ChainKey::new(&secrets.journal_key), older }
    }

    /// The names of the configured keys, the one that writes first.
    pub fn key_names(&self) -> Vec<&str> {
        std::iter::once(&self.current).chain(&self.older).map(|key| key.name.as_str()).collect()
    }

    pub(super) fn sign(&self, fields: &Fields) -> String {
        self.current.sign(fields)
    }

    /// Whether `mac` was made over `fields` with one of the keys.
    pub(super) fn believe(&self, mac: Option<&str>, fields: &Fields) -> Result<(), Disbelief> {
        match self.key_of(mac)?.sign(fields) == mac.unwrap_or_default() {
            true => Ok(()),
            false => Err(Disbelief::Broken),
        }
    }

    /// The key a mac names.
    fn key_of(&self, mac: Option<&str>) -> Result<&ChainKey, Disbelief> {
        let (name, _) = mac.ok_or(Disbelief::Missing)?.split_once('.').ok_or(Disbelief::Broken)?;
        let known = std::iter::once(&self.current).chain(&self.older).find(|key| key.name == name);
        known.ok_or_else(|| Disbelief::UnknownKey(name.to_owned()))
    }
}

/// A charge as its journal sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Book {
    pub charge: ChargeId,
    pub owner: Owner,
    pub balance: Balance,
    /// How many entries made the balance
    pub entries: i64,
    /// None in a row that no program with a key has written
    pub head: Option<String>,
}

/// Whose charge it is, and since when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner {
    pub payer: PayerId,
    pub item: FeeItemId,
    pub period: PeriodId,
    pub created_at: Moment,
}

/// An entry to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    pub cause: Cause,
    pub cause_no: &'a str,
    pub amount: Fen,
    pub at: Moment,
}

/// An entry as it stands in its table, believed in nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptEntry {
    pub seq: Option<i64>,
    pub cause: String,
    pub cause_no: String,
    pub amount_fen: i64,
    pub at: i64,
    pub mac: Option<String>,
}

/// The first thing in a book that is not what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Torn {
    /// This entry, or what stands before it
    Entry { seq: Option<i64>, cause: String, cause_no: String, why: Disbelief },
    /// The entry that should come next has another number
    Order { stands: Option<i64>, should_be: i64 },
    /// A sum or the count of the charge
    Figure { what: &'static str, stands: i64, should_be: i64 },
    /// The charge's head: its owner, or the head itself
    Head { why: Disbelief },
}

impl Book {
    /// The book of a charge nobody has entered anything to.
    pub fn new(chain: &Chain, charge: ChargeId, owner: Owner) -> Book {
        let mut book = Book::blank(charge, owner);
        book.head = Some(chain.sign(&book.head_fields("")));
        book
    }

    fn blank(charge: ChargeId, owner: Owner) -> Book {
        Book { charge, owner, balance: Balance::default(), entries: 0, head: None }
    }

    /// Makes an entry: moves sums, count and head on, and gives the entry's mac. Its number is then `entries`.
    pub fn add(&mut self, chain: &Chain, entry: &NewEntry<'_>) -> String {
        let (cause, at) = (entry.cause, entry.at.millis());
        let mac = chain.sign(&self.entry_fields(cause.code(), entry.cause_no, entry.amount.get(), at));
        self.move_on(&chain.current, cause, entry.amount, &mac);
        mac
    }

    /// Goes through the entries, in the order of their numbers, and tells where they first stop making up this book.
    pub fn check(&self, chain: &Chain, entries: &[KeptEntry]) -> Option<Torn> {
        let mut book = Book::blank(self.charge, self.owner);
        for entry in entries {
            if entry.seq != Some(book.entries + 1) {
                return Some(Torn::Order { stands: entry.seq, should_be: book.entries + 1 });
            }
            let (cause_no, mac) = (entry.cause_no.as_str(), entry.mac.as_deref());
            let fields = book.entry_fields(&entry.cause, cause_no, entry.amount_fen, entry.at);
            let torn =
                |why| Torn::Entry { seq: entry.seq, cause: entry.cause.clone(), cause_no: cause_no.to_owned(), why };
            let key = match chain.believe(mac, &fields).and_then(|()| chain.key_of(mac)) {
                Ok(key) => key,
                Err(why) => return Some(torn(why)),
            };
            let Some(cause) = Cause::parse(&entry.cause) else { return Some(torn(Disbelief::Broken)) };
            book.move_on(key, cause, Fen::new(entry.amount_fen), mac.unwrap_or_default());
        }
        let figures = |book: &Book| {
            let sums = &book.balance;
            let fen = [sums.assessed, sums.waived, sums.paid, sums.refunded].map(Fen::get);
            [book.entries, fen[0], fen[1], fen[2], fen[3]]
        };
        const NAMES: [&str; 5] = ["entries", "assessed_fen", "waived_fen", "paid_fen", "refunded_fen"];
        for ((what, stands), should_be) in NAMES.into_iter().zip(figures(self)).zip(figures(&book)) {
            if stands != should_be {
                return Some(Torn::Figure { what, stands, should_be });
            }
        }
        let believed = match book.head {
            // made by the same hand as the last entry
            Some(head) => (self.head.as_ref() == Some(&head)).then_some(()).ok_or(match self.head {
                Some(_) => Disbelief::Broken,
                None => Disbelief::Missing,
            }),
            None => chain.believe(self.head.as_deref(), &self.head_fields("")),
        };
        believed.err().map(|why| Torn::Head { why })
    }

    fn move_on(&mut self, key: &ChainKey, cause: Cause, amount: Fen, mac: &str) {
        let sums = &mut self.balance;
        let sum = match cause {
            Cause::Assessed | Cause::Adjusted => &mut sums.assessed,
            Cause::Waived => &mut sums.waived,
            Cause::Paid => &mut sums.paid,
            Cause::Refunded => &mut sums.refunded,
        };
        *sum = *sum + amount;
        self.entries += 1;
        self.head = Some(key.sign(&self.head_fields(mac)));
    }

    /// What the mac of the next entry covers. The first one is preceded by nothing, so that a charge made under one key
    /// may be entered to under the next.
    fn entry_fields(&self, cause: &str, cause_no: &str, amount: i64, at: i64) -> Fields {
        let before = if self.entries == 0 { "" } else { self.head.as_deref().unwrap_or_default() };
        let fields = Fields::of("jiaofei entry").text(before).number(self.charge.0).number(self.entries + 1);
        fields.text(cause).text(cause_no).number(amount).number(at)
    }

    /// What the head covers; `mac` is the last entry's.
    fn head_fields(&self, mac: &str) -> Fields {
        let (owner, sums) = (&self.owner, &self.balance);
        let fields = Fields::of("jiaofei charge").text(mac).number(self.charge.0).number(self.entries);
        let fields = fields.number(owner.payer.0).number(owner.item.0).number(owner.period.0);
        let fields = fields.number(owner.created_at.millis());
        [sums.assessed, sums.waived, sums.paid, sums.refunded].iter().fold(fields, |all, sum| all.number(sum.get()))
    }
}
