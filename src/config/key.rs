//! Keys, certificates and pictures as the configuration names them: read when it is read; keys are never shown.
use std::fmt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// 32 bytes: 64 hexadecimal digits, base64, or `file:path`. Never defaulted.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Key32([u8; 32]);

impl Key32 {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// One value, or several that are good at the same time while one follows another. A list, or one text with commas
/// between them; the first is used to make things, each to read them.
#[derive(Clone)]
pub struct OneOrMore<T>(Vec<T>);

impl<T> OneOrMore<T> {
    pub fn first(&self) -> &T {
        self.0.first().expect("no value is made without a first one")
    }

    pub fn all(&self) -> &[T] {
        &self.0
    }
}

impl<T> From<T> for OneOrMore<T> {
    fn from(one: T) -> Self {
        Self(vec![one])
    }
}

impl<T> From<(T, T)> for OneOrMore<T> {
    /// The first, and what is read beside it.
    fn from((first, other): (T, T)) -> Self {
        Self(vec![first, other])
    }
}

impl From<&str> for OneOrMore<Pem> {
    /// The text itself, never a path.
    fn from(text: &str) -> Self {
        Pem::from(text).into()
    }
}

impl From<&str> for OneOrMore<SecretString> {
    fn from(text: &str) -> Self {
        SecretString::from(text).into()
    }
}

impl<T: fmt::Debug> fmt::Debug for OneOrMore<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de, T: TryFrom<String, Error: fmt::Display>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Text {
            One(String),
            List(Vec<String>),
        }
        let error = |why: String| serde::de::Error::custom(why);
        let texts = match Text::deserialize(from).map_err(|_| error("a text, or a list of texts".to_owned()))? {
            Text::One(text) if text.starts_with("-----") => vec![text],
            Text::One(text) => text.split(',').map(|text| text.trim().to_owned()).collect(),
            Text::List(texts) => texts,
        };
        if texts.is_empty() {
            return Err(error("an empty list; at least one value is needed".to_owned()));
        }
        let read = |text| T::try_from(text).map_err(|why| error(why.to_string()));
        Ok(Self(texts.into_iter().map(read).collect::<Result<_, _>>()?))
    }
}

impl fmt::Debug for Key32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key32(…)")
    }
}

impl TryFrom<String> for Key32 {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        use base64::Engine;
        let text = match text.strip_prefix("file:") {
            Some(path) => std::fs::read_to_string(path).map_err(|e| format!("key file {path}: {e}"))?,
            None => text,
        };
        let text = text.trim();
        let hex = || {
            let digit = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
            (text.len() == 64).then(|| (0..64).step_by(2).map(digit).collect::<Option<Vec<u8>>>()).flatten()
        };
        let bytes = hex().or_else(|| base64::engine::general_purpose::STANDARD.decode(text).ok());
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| "a key is 32 bytes: 64 hexadecimal digits, 44 characters of base64, or file:path".to_owned())
    }
}

/// A key or certificate: a path in the file, its text in memory. Read when the configuration is read, so a missing file
/// is found at start. A value that begins with `-----BEGIN` or is one line of base64 longer than 200 characters is
/// the text itself.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Pem(SecretString);

impl Pem {
    pub fn text(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&str> for Pem {
    /// The text itself, never a path.
    fn from(text: &str) -> Self {
        Self(text.to_owned().into())
    }
}

impl TryFrom<String> for Pem {
    type Error = String;
    fn try_from(value: String) -> Result<Self, String> {
        let is_text = value.trim_start().starts_with("-----BEGIN") || value.len() > 200;
        let text = match is_text {
            true => value,
            false => std::fs::read_to_string(Path::new(&value)).map_err(|e| format!("{value}: {e}"))?,
        };
        Ok(Self(text.into()))
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pem(…)")
    }
}

/// A picture: a path in the file, its bytes in memory.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Picture(Vec<u8>);

impl Picture {
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<String> for Picture {
    type Error = String;
    fn try_from(path: String) -> Result<Self, String> {
        std::fs::read(&path).map(Self).map_err(|e| format!("{path}: {e}"))
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} bytes)", self.0.len())
    }
}
