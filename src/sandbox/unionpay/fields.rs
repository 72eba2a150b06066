//! The fields of a message: how UnionPay reads them from a form, writes them in an answer, and makes the text that is
//! signed (ACP 5.1.0, message format and signature).
use std::collections::BTreeMap;

use rsa::sha2::{Digest, Sha256};

use crate::domain::moment::Moment;
use crate::domain::money::Fen;

use super::refusal::Refusal;

/// Names and values, sorted by name in ASCII.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// A URL-encoded form. A name given twice is a broken message.
    pub fn read(form: &[u8]) -> Result<Fields, Refusal> {
        let mut all = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(form) {
            if all.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Refusal::new("10"));
            }
        }
        Ok(Fields(all))
    }

    pub fn put(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Absent and empty are one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// 13 when it is missing.
    pub fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or(Refusal::new("13"))
    }

    /// 13 when it is missing, 10 when it is anything else.
    pub fn must_be(&self, name: &str, value: &str) -> Result<(), Refusal> {
        if self.need(name)?.eq_ignore_ascii_case(value) { Ok(()) } else { Err(Refusal::new("10")) }
    }

    /// `yyyyMMddHHmmss`, Beijing time.
    pub fn moment(&self, name: &str) -> Result<Option<Moment>, Refusal> {
        self.get(name).map(|text| moment(text).ok_or(Refusal::new("10"))).transpose()
    }

    /// Fen: up to 12 digits and more than nothing.
    pub fn amount(&self) -> Result<Fen, Refusal> {
        let text = self.need("txnAmt")?;
        let digits = text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
        let fen = text.parse().ok().filter(|fen: &i64| digits && *fen > 0);
        fen.map(Fen::new).ok_or(Refusal::new("10"))
    }

    /// An http or https address of at most 256 characters.
    pub fn address(&self, name: &str) -> Result<String, Refusal> {
        let url = self.need(name)?;
        let web = url.starts_with("http://") || url.starts_with("https://");
        if web && url.len() <= 256 { Ok(url.to_owned()) } else { Err(Refusal::new("10")) }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `k=v&k=v`, not URL-encoded: the body of an answer.
    pub fn line(&self) -> String {
        self.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    /// URL-encoded: the body of a notice.
    pub fn form(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.iter()).finish()
    }

    /// What is signed: the lower-case hex SHA-256 of all fields but `signature` and empty ones, sorted and joined as
    /// they stand.
    pub fn digest(&self) -> String {
        let signed = self.iter().filter(|(name, value)| *name != "signature" && !value.is_empty());
        let text: Vec<String> = signed.map(|(name, value)| format!("{name}={value}")).collect();
        Sha256::digest(text.join("&")).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// `yyyyMMddHHmmss`, Beijing time.
pub fn moment(text: &str) -> Option<Moment> {
    let digits = text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit());
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let [year, month, day] = [part(0, 4), part(4, 6), part(6, 8)];
    let [hour, minute, second] = [part(8, 10), part(10, 12), part(12, 14)];
    Moment::parse_beijing(&format!("{year}-{month}-{day} {hour}:{minute}:{second}")).filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_over_sorted_fields_as_they_stand_without_signature_and_empty_ones() {
        let fields = Fields::read(b"b=%E8%B4%B9%2B+1&signature=x&a=2&C=&B=%7Bc%3D1%26d%3D2%7D").unwrap();
        let digest: String = Sha256::digest("B={c=1&d=2}&a=2&b=费+ 1").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(fields.digest(), digest);
        assert_eq!(fields.line(), "B={c=1&d=2}&C=&a=2&b=费+ 1&signature=x");
    }

    #[test]
    fn a_name_given_twice_is_a_broken_message() {
        assert_eq!(Fields::read(b"a=1&a=1").unwrap_err().code, "10");
    }

    #[test]
    fn an_amount_is_whole_fen_in_digits_and_never_nothing() {
        let amount = |text: &str| Fields::read(format!("txnAmt={text}").as_bytes()).unwrap().amount();
        assert_eq!(amount("800000").unwrap(), Fen::new(800_000));
        for wrong in ["0", "-1", "1.00", "%2B1", "1e3", "1234567890123", "1+"] {
            assert_eq!(amount(wrong).unwrap_err().code, "10", "{wrong}");
        }
        assert_eq!(amount("").unwrap_err().code, "13");
    }

    #[test]
    fn a_moment_is_fourteen_digits_of_beijing_time() {
        assert_eq!(moment("20260901120000").unwrap().beijing_text(), "2026-09-01 12:00:00");
        for wrong in ["", "2026090112000", "20261301120000", "20260901 20000", "2026-09-01 12:00:00"] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }
}
