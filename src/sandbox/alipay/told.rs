//! A call and its `biz_content`: what a caller tells of the business, read under the rules every method shares.
use encoding_rs::Encoding;
use serde_json::{Map, Value};

use crate::domain::money::Fen;

use super::answer::Refusal;
use super::params::Params;

/// A call as it arrived.
pub struct Asked {
    pub params: Params,
    pub charset: &'static Encoding,
}

impl Asked {
    pub fn text(&self, name: &str) -> Option<String> {
        self.params.text(self.charset, name)
    }

    pub fn told(&self) -> Result<Told, Refusal> {
        Told::read(&self.text("biz_content").unwrap_or_else(|| "{}".to_owned()))
    }
}

/// The JSON object of `biz_content`.
pub struct Told(Map<String, Value>);

impl Told {
    pub fn read(text: &str) -> Result<Told, Refusal> {
        match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Ok(Told(map)),
            _ => Err(Refusal::new("40002", "isv.invalid-parameter", "biz_content不是合法的JSON")),
        }
    }

    /// A text of at most `most` characters; a number counts as its text; absent and empty are one.
    pub fn text(&self, name: &str, most: usize) -> Result<Option<String>, Refusal> {
        let text = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(Refusal::parameter(&format!("{name}类型错误"))),
        };
        match () {
            () if text.is_empty() => Ok(None),
            () if text.chars().count() > most => Err(Refusal::parameter(&format!("{name}超过{most}个字符"))),
            () => Ok(Some(text)),
        }
    }

    pub fn need(&self, name: &str, most: usize) -> Result<String, Refusal> {
        self.text(name, most)?.ok_or_else(|| Refusal::parameter(&format!("{name}不能为空")))
    }

    /// Letters, digits and underscores.
    pub fn number(&self, name: &str) -> Result<Option<String>, Refusal> {
        let number = self.text(name, 64)?;
        let plain = |text: &String| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        match number {
            Some(text) if !plain(&text) => Err(Refusal::parameter(&format!("{name}只能包含字母、数字、下划线"))),
            number => Ok(number),
        }
    }

    /// Yuan with at most two decimals, more than nothing.
    pub fn amount(&self, name: &str) -> Result<Fen, Refusal> {
        let text = self.need(name, 12)?;
        let amount = Fen::from_yuan(&text).filter(|amount| amount.is_positive());
        amount.ok_or_else(|| Refusal::parameter(&format!("{name}={text}")))
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_yuan_as_text_or_number_and_never_zero_or_finer_than_fen() {
        let amount = |value: &str| Told::read(&format!(r#"{{"a":{value}}}"#)).unwrap().amount("a").ok();
        assert_eq!(amount(r#""0.01""#), Some(Fen::new(1)));
        assert_eq!(amount("8000"), Some(Fen::new(800_000)));
        for wrong in [r#""0""#, r#""0.001""#, r#""-1""#, r#""1e3""#, r#""""#, "[]", "null", r#""1,000""#] {
            assert_eq!(amount(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_order_number_is_letters_digits_and_underscores_up_to_64() {
        let number = |value: &str| Told::read(&format!(r#"{{"n":"{value}"}}"#)).unwrap().number("n");
        assert_eq!(number("XF_01").unwrap(), Some("XF_01".to_owned()));
        assert_eq!(number("").unwrap(), None);
        assert!(number("XF-01").is_err());
        assert!(number(&"1".repeat(65)).is_err());
        assert!(Told::read("[1]").is_err() && Told::read("a=b").is_err());
    }
}
