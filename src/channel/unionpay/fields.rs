//! A message of UnionPay: names and values, each name once.
//!
//! Calls and notices are forms, URL-encoded; answers are not encoded at all, and what stands in braces or brackets
//! there may hold `&` and `=` (UnionPay ACP 5.1.0, answers of the back channel).
use std::collections::BTreeMap;

/// More than any true message has (they are 2–4 KiB).
const LONGEST: usize = 64 * 1024;

/// Sorted by name, as the signature wants them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    pub fn of(pairs: &[(&str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// A notice's body. None for what is too long, not UTF-8, or names a field twice.
    pub fn of_form(body: &[u8]) -> Option<Fields> {
        if body.len() > LONGEST {
            return None;
        }
        let mut fields = Fields::default();
        for (name, value) in form_urlencoded::parse(body) {
            // what was no UTF-8 has left this sign behind
            if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
                return None;
            }
            fields.add(name.into_owned(), value.into_owned())?;
        }
        Some(fields)
    }

    /// An answer's body: split at `&`, but not inside `{…}` or `[…]`, and each piece at its first `=`. None as above.
    pub fn of_answer(body: &[u8]) -> Option<Fields> {
        let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= LONGEST)?;
        let mut fields = Fields::default();
        for pair in pieces(text).into_iter().filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.add(name.to_owned(), value.to_owned())?;
        }
        Some(fields)
    }

    fn add(&mut self, name: String, value: String) -> Option<()> {
        self.0.insert(name, value).is_none().then_some(())
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// A field's value; absent and empty are one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// `name=value` of all but `signature` and what is empty, joined by `&`, nothing encoded.
    pub fn signed_text(&self) -> String {
        let signed = self.0.iter().filter(|(name, value)| *name != "signature" && !value.is_empty());
        signed.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    /// As the body of a call.
    pub fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    pub fn into_pairs(self) -> Vec<(String, String)> {
        self.0.into_iter().collect()
    }
}

/// A brace or bracket closes at the first of its kind: they are not nested.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut begun, mut closes) = (Vec::new(), 0, None);
    for (at, byte) in text.bytes().enumerate() {
        match (closes, byte) {
            (Some(close), byte) if byte == close => closes = None,
            (Some(_), _) => {}
            (None, b'{') => closes = Some(b'}'),
            (None, b'[') => closes = Some(b']'),
            (None, b'&') => {
                pieces.push(&text[begun..at]);
                begun = at + 1;
            }
            (None, _) => {}
        }
    }
    pieces.push(&text[begun..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_is_read_as_it_stands() {
        let body =
            "accNo=6216***0018&respMsg=成功[0000000]&reserved={a=1&b=2}&cardTransData=[x&y=z]&signature=a+b/c==&e=";
        let fields = Fields::of_answer(body.as_bytes()).unwrap();
        assert_eq!(fields.get("respMsg"), Some("成功[0000000]"));
        assert_eq!(fields.get("reserved"), Some("{a=1&b=2}"));
        assert_eq!(fields.get("cardTransData"), Some("[x&y=z]"));
        assert_eq!(fields.get("signature"), Some("a+b/c=="), "split at the first = only, a plus stays");
        assert_eq!((fields.get("e"), fields.get("b"), fields.get("none")), (None, None, None));
        let text = "accNo=6216***0018&cardTransData=[x&y=z]&reserved={a=1&b=2}&respMsg=成功[0000000]";
        assert_eq!(fields.signed_text(), text, "sorted, without signature and what is empty");
    }

    #[test]
    fn a_certificate_keeps_its_line_ends() {
        let pem = "-----BEGIN CERTIFICATE-----\r\nMIIE\r\n-----END CERTIFICATE-----";
        let fields = Fields::of_answer(format!("signPubKeyCert={pem}&respCode=00").as_bytes()).unwrap();
        assert_eq!((fields.get("signPubKeyCert"), fields.get("respCode")), (Some(pem), Some("00")));
    }

    #[test]
    fn a_form_is_decoded_once() {
        let form = |body: &str| Fields::of_form(body.as_bytes());
        let fields = form("a=1%2B1&b=x+y&c=%252B&d=%7Ba%3D1%26b%3D2%7D&&e").unwrap();
        assert_eq!(fields.get("a"), Some("1+1"));
        assert_eq!(fields.get("b"), Some("x y"));
        assert_eq!(fields.get("c"), Some("%2B"));
        assert_eq!(fields.get("d"), Some("{a=1&b=2}"));
        assert_eq!(fields.get("e"), None);
    }

    #[test]
    fn a_field_that_stands_twice_spoils_the_message() {
        for body in ["a=1&a=1", "a=1&b=2&a=", "=1&=2"] {
            assert!(Fields::of_form(body.as_bytes()).is_none() && Fields::of_answer(body.as_bytes()).is_none());
        }
        assert!(Fields::of_form(b"a=1&%61=2").is_none());
        assert!(Fields::of_form(b"a=%ff").is_none() && Fields::of_answer(b"a=\xff").is_none());
        let long = "a".repeat(LONGEST + 1);
        assert!(Fields::of_form(long.as_bytes()).is_none() && Fields::of_answer(long.as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (Fields::of_form(&body), Fields::of_answer(&body));
        }

        #[test]
        fn what_stands_in_braces_is_one_value(inside in "[a-z=&\\[]{0,30}", after in "[a-z]{0,5}") {
            let body = format!("x={{{inside}}}{after}&y=1");
            let fields = Fields::of_answer(body.as_bytes()).unwrap();
            let whole = format!("{{{inside}}}{after}");
            prop_assert_eq!(fields.get("x"), Some(whole.as_str()));
            prop_assert_eq!(fields.get("y"), Some("1"));
        }

        #[test]
        fn whatever_is_encoded_comes_back(pairs in proptest::collection::btree_map(
            "[a-zA-Z]{1,8}", "[ -~一-龥&=+%]{0,20}", 0..6,
        )) {
            let fields = Fields(pairs);
            prop_assert!(Fields::of_form(fields.encoded().as_bytes()) == Some(fields));
        }
    }
}
