//! Texts of a batch. poem-openapi takes a number or a boolean for a text; [`Text`] takes texts only, as the spec says.
use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use poem_openapi::validation::{Validator, ValidatorMeta};
use serde_json::Value;

/// A JSON string and nothing else.
pub struct Text(pub String);

/// The text, or an empty one where there is none.
pub fn filled(text: Option<Text>) -> String {
    text.map(|Text(text)| text).unwrap_or_default()
}

impl Type for Text {
    const IS_REQUIRED: bool = true;
    type RawValueType = String;
    type RawElementValueType = String;

    fn name() -> Cow<'static, str> {
        "string".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")))
    }

    fn as_raw_value(&self) -> Option<&String> {
        Some(&self.0)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a String> + 'a> {
        Box::new(std::iter::once(&self.0))
    }
}

impl ParseFromJSON for Text {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Text> {
        match value.unwrap_or_default() {
            Value::String(text) => Ok(Text(text)),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ToJSON for Text {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.0.clone()))
    }
}

/// What a text may look like. The spec has it as a pattern; checking it takes no regular expression, which would be
/// built anew for each of thousands of fields.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// 人员编号
    Number,
    /// A name: no control characters, no blanks at its ends
    Name,
    /// No control characters
    Plain,
    /// Visible ASCII
    Code,
    Digits,
    /// 证件号
    Document,
    Phone,
    /// `2026-09-30`
    Day,
}

impl Form {
    pub const fn pattern(self) -> &'static str {
        match self {
            Form::Number => r"^[A-Za-z0-9\-_./]+$",
            Form::Name => r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$",
            Form::Plain => r"^[^\x00-\x1f\x7f]*$",
            Form::Code => "^[!-~]+$",
            Form::Digits => "^[0-9]+$",
            Form::Document => r"^[A-Za-z0-9()/\-]+$",
            Form::Phone => r"^\+?[0-9][0-9 \-]*$",
            Form::Day => "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        }
    }

    fn fits(self, text: &str) -> bool {
        let all =
            |extra: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c));
        let plain = || !text.chars().any(|c| c < ' ' || c == '\x7f');
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        match self {
            Form::Number => all("-_./"),
            Form::Name => !text.is_empty() && plain() && !text.starts_with(' ') && !text.ends_with(' '),
            Form::Plain => plain(),
            Form::Code => !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()),
            Form::Digits => !text.is_empty() && digits(text),
            Form::Document => all("()/-"),
            Form::Phone => {
                let rest = text.strip_prefix('+').unwrap_or(text);
                rest.starts_with(|c: char| c.is_ascii_digit())
                    && rest.bytes().all(|b| b.is_ascii_digit() || b" -".contains(&b))
            }
            Form::Day => {
                let parts: Vec<&str> = text.split('-').collect();
                parts.iter().map(|part| part.len()).eq([4, 2, 2]) && parts.into_iter().all(digits)
            }
        }
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pattern({})", self.pattern())
    }
}

impl<T: AsRef<str>> Validator<T> for Form {
    fn check(&self, value: &T) -> bool {
        self.fits(value.as_ref())
    }
}

impl ValidatorMeta for Form {
    fn update_meta(&self, meta: &mut MetaSchema) {
        meta.pattern = Some(self.pattern().to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_checked_as_their_patterns_say() {
        for (form, good, bad) in [
            (Form::Number, &["2026001", "a-b_c.d/e"][..], &["", "1 2", "林", "a\0"][..]),
            (Form::Name, &["林知夏", "a", "a b"], &["", " a", "a ", "a\0b", "\n"]),
            (Form::Plain, &["", " ", "计算机学院"], &["a\tb", "\u{7f}"]),
            (Form::Code, &["11", "!~"], &["", "a b", "项"]),
            (Form::Digits, &["0", "10304275713"], &["", "1a", "１"]),
            (Form::Document, &["H12345678", "A(1)/2-3"], &["", "1 2", "证"]),
            (Form::Phone, &["12345", "+86 178-0000"], &["", "+", "- 1", "1a"]),
            (Form::Day, &["2026-09-30", "9999-99-99"], &["", "2026-9-30", "20260930", "２０２６-09-30", "2026-09-30-"]),
        ] {
            assert!(good.iter().all(|text| form.fits(text)), "{form}");
            assert!(bad.iter().all(|text| !form.fits(text)), "{form}");
        }
    }
}
