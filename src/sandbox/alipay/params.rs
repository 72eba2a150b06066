//! The parameters of a gateway call as they arrived, in the sender's bytes (Alipay, signing rules: query and body are
//! one set; every parameter but `sign` is signed, empty ones are not; sorted by name; values decoded once).
use std::collections::BTreeMap;

use encoding_rs::{Encoding, GB18030, GBK, UTF_8};

/// What a text becomes in another charset. Java writes `?` for a character the charset lacks; so does Alipay.
pub fn encode(charset: &'static Encoding, text: &str) -> Vec<u8> {
    if charset == UTF_8 {
        return text.as_bytes().to_vec();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        match charset.encode(c.encode_utf8(&mut buffer)) {
            (bytes, _, false) => out.extend_from_slice(&bytes),
            (_, _, true) => out.push(b'?'),
        }
    }
    out
}

/// `name=value&…` for a form or a query, every value escaped byte by byte.
pub fn form(charset: &'static Encoding, fields: &[(&str, String)]) -> String {
    let pair = |(name, value): &(&str, String)| {
        let value: String = form_urlencoded::byte_serialize(&encode(charset, value)).collect();
        format!("{name}={value}")
    };
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Names and values, decoded once, sorted by name.
#[derive(Clone, Default)]
pub struct Params(BTreeMap<Vec<u8>, Vec<u8>>);

impl Params {
    /// Query and form body. A name given twice counts by its first value, the query before the body.
    pub fn read(query: &[u8], body: &[u8]) -> Params {
        let mut all = BTreeMap::new();
        for pair in query.split(|b| *b == b'&').chain(body.split(|b| *b == b'&')) {
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let name = decode(halves.next().unwrap_or_default());
            let value = decode(halves.next().unwrap_or_default());
            if !name.is_empty() {
                all.entry(name).or_insert(value);
            }
        }
        Params(all)
    }

    /// The charset the call names; None for one the gateway does not know. UTF-8 where none is named.
    pub fn charset(&self) -> Option<&'static Encoding> {
        let Some(label) = self.0.get(b"charset".as_slice()).filter(|label| !label.is_empty()) else {
            return Some(UTF_8);
        };
        Encoding::for_label(label).filter(|charset| [UTF_8, GBK, GB18030].contains(charset))
    }

    /// A parameter as text; absent and empty are one. Bytes that are no text of the charset become U+FFFD.
    pub fn text(&self, charset: &'static Encoding, name: &str) -> Option<String> {
        let bytes = self.0.get(name.as_bytes()).filter(|bytes| !bytes.is_empty())?;
        Some(charset.decode_without_bom_handling(bytes).0.into_owned())
    }

    /// The bytes the gateway builds and checks the signature over.
    pub fn source(&self) -> Vec<u8> {
        let signed = self.0.iter().filter(|(name, value)| name.as_slice() != b"sign" && !value.is_empty());
        let pairs: Vec<Vec<u8>> = signed.map(|(name, value)| [name, b"=".as_slice(), value].concat()).collect();
        pairs.join(&b'&')
    }
}

/// `+` is a blank, `%hh` a byte; a `%` without two digits stays.
fn decode(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let byte = match text[at] {
            b'+' => b' ',
            b'%' => match digit(at + 1).zip(digit(at + 2)).and_then(|(hi, lo)| u8::try_from(hi * 16 + lo).ok()) {
                Some(byte) => {
                    at += 2;
                    byte
                }
                None => b'%',
            },
            other => other,
        };
        out.push(byte);
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_and_body_are_one_sorted_set_without_sign_and_without_empty_values() {
        let params =
            Params::read(b"method=m&charset=utf-8&sign=x&empty=", b"biz_content=%7B%22a%22%3A%221%2B1+%26%22%7D");
        assert_eq!(params.source(), br#"biz_content={"a":"1+1 &"}&charset=utf-8&method=m"#);
    }

    #[test]
    fn sign_type_and_parameters_nobody_knows_are_signed_too() {
        let params = Params::read(b"sign_type=RSA2&alipay_sdk=any&B=2&a=1", b"");
        assert_eq!(params.source(), b"B=2&a=1&alipay_sdk=any&sign_type=RSA2");
    }

    #[test]
    fn gbk_is_read_and_signed_in_its_own_bytes() {
        let params = Params::read(b"charset=GBK&subject=%D1%A7%B7%D1", b"");
        let charset = params.charset().unwrap();
        assert_eq!(params.text(charset, "subject").unwrap(), "学费");
        assert_eq!(params.source(), b"charset=GBK&subject=\xd1\xa7\xb7\xd1");
        assert!(Params::read(b"charset=klingon", b"").charset().is_none());
    }

    #[test]
    fn what_a_charset_lacks_becomes_a_question_mark() {
        assert_eq!(encode(GBK, "费𠮷1"), b"\xb7\xd1?1");
        assert_eq!(form(UTF_8, &[("a", "1+1 费".to_owned())]), "a=1%2B1+%E8%B4%B9");
    }

    #[test]
    fn a_broken_escape_stays_as_it_is() {
        assert_eq!(decode(b"100%&%zz%4"), b"100%&%zz%4");
    }
}
