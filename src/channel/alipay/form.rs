//! A notification's body, `application/x-www-form-urlencoded`, as bytes.
//!
//! Decoded exactly once and never through text: the signature covers the bytes of the sender's charset, which may be
//! GBK. `&` alone separates; a raw `;` belongs to its value.
use std::collections::BTreeMap;

use encoding_rs::{Encoding, GB18030, GBK, UTF_8};

use crate::channel::contract::NoticeRefusal;

/// More than any true notification has (they are 2–8 KiB).
const LONGEST: usize = 64 * 1024;

/// Names and values, sorted by name as the signature wants them.
pub struct Form(BTreeMap<Vec<u8>, Vec<u8>>);

impl Form {
    /// # Errors
    /// [`NoticeRefusal::Malformed`] for a body that is too long, holds no name, or names a field twice.
    pub fn parse(body: &[u8]) -> Result<Form, NoticeRefusal> {
        if body.len() > LONGEST {
            return Err(NoticeRefusal::Malformed("longer than 64 KiB"));
        }
        let mut fields = BTreeMap::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default());
            let value = decode(halves.next().unwrap_or_default());
            if fields.insert(name, value).is_some() {
                return Err(NoticeRefusal::Malformed("a field stands twice"));
            }
        }
        Ok(Form(fields))
    }

    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name.as_bytes()).map(Vec::as_slice)
    }

    /// `name=value` of every field `keep` wants, joined by `&`, in the sender's bytes.
    pub fn joined(&self, keep: impl Fn(&[u8], &[u8]) -> bool) -> Vec<u8> {
        let mut text = Vec::new();
        for (name, value) in self.0.iter().filter(|(name, value)| keep(name, value)) {
            if !text.is_empty() {
                text.push(b'&');
            }
            text.extend_from_slice(name);
            text.push(b'=');
            text.extend_from_slice(value);
        }
        text
    }

    /// The charset the form names for itself; UTF-8 where it names none.
    pub fn charset(&self) -> Result<&'static Encoding, NoticeRefusal> {
        let Some(label) = self.bytes("charset").filter(|label| !label.is_empty()) else { return Ok(UTF_8) };
        Encoding::for_label(label)
            .filter(|charset| [UTF_8, GBK, GB18030].contains(charset))
            .ok_or(NoticeRefusal::Malformed("charset"))
    }

    /// A field as text; absent and empty are one.
    pub fn text(&self, charset: &'static Encoding, name: &'static str) -> Result<Option<String>, NoticeRefusal> {
        let Some(bytes) = self.bytes(name).filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
        let text = charset.decode_without_bom_handling_and_without_replacement(bytes);
        text.map(|text| Some(text.into_owned())).ok_or(NoticeRefusal::Malformed(name))
    }
}

/// `+` is a blank, `%hh` a byte; a `%` without two digits stays.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%').then(|| hex(tail)).flatten();
        match escaped {
            Some(byte) => out.push(byte),
            None if first == b'+' => out.push(b' '),
            None => out.push(first),
        }
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    out
}

/// The byte that two hexadecimal digits at the start spell.
fn hex(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(body: &[u8]) -> Vec<u8> {
        Form::parse(body).unwrap().bytes("a").unwrap().to_vec()
    }

    #[test]
    fn a_value_is_decoded_once_and_only_once() {
        assert_eq!(value(b"a=1%2B1"), b"1+1");
        assert_eq!(value(b"a=1+1"), b"1 1");
        assert_eq!(value(b"a=%252B"), b"%2B");
        assert_eq!(value(b"a=x;y=z&&b"), b"x;y=z");
        assert_eq!(value(b"a=100%&b=%zz"), b"100%");
        assert_eq!(value(b"%61=%d1%a7%B7%d1"), b"\xd1\xa7\xb7\xd1");
        assert_eq!(value(b"a"), b"");
    }

    #[test]
    fn a_field_that_stands_twice_is_refused_however_it_is_spelled() {
        for body in [&b"a=1&a=1"[..], b"a=1&%61=2", b"=&="] {
            assert!(Form::parse(body).is_err());
        }
        assert!(Form::parse(&vec![b'a'; LONGEST + 1]).is_err());
    }

    #[test]
    fn the_form_names_its_own_charset() {
        for (label, charset) in [("UTF-8", UTF_8), ("utf-8", UTF_8), ("GBK", GBK), ("gb2312", GBK), ("", UTF_8)] {
            let form = Form::parse(format!("charset={label}").as_bytes()).unwrap();
            assert_eq!(form.charset(), Ok(charset));
        }
        for label in ["utf-7", "utf-16", "shift_jis", "%ff"] {
            assert!(Form::parse(format!("charset={label}").as_bytes()).unwrap().charset().is_err());
        }
        let form = Form::parse(b"a=%d1%a7%b7%d1&b=").unwrap();
        assert_eq!(form.text(GBK, "a").unwrap().as_deref(), Some("学费"));
        assert_eq!(form.text(UTF_8, "a"), Err(NoticeRefusal::Malformed("a")));
        assert_eq!(form.text(UTF_8, "b"), Ok(None));
    }

    proptest! {
        #[test]
        fn whatever_is_encoded_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let encoded: String = form_urlencoded::byte_serialize(&bytes).collect();
            prop_assert_eq!(decode(encoded.as_bytes()), bytes.clone());
            let _ = Form::parse(&bytes);
        }
    }
}
