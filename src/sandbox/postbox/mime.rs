//! Reads as much of a mail as a plain one needs (RFC 5322, 2045, 2047): subject and text.
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// A mail as it is read.
#[derive(PartialEq, Eq, Debug, Default)]
pub struct Mail {
    pub id: String,
    pub subject: String,
    pub text: String,
}

/// What a mail says; a part that cannot be read stays as it is.
pub fn read(raw: &str) -> Mail {
    let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((raw, ""));
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let text = match header("Content-Transfer-Encoding").to_ascii_lowercase().as_str() {
        "base64" => base64(body).unwrap_or_else(|| body.to_owned()),
        _ => body.to_owned(),
    };
    Mail { id: header("Message-ID"), subject: words(&header("Subject")), text: text.replace("\r\n", "\n") }
}

fn base64(text: &str) -> Option<String> {
    let plain: String = text.split_whitespace().collect();
    String::from_utf8(BASE64.decode(plain).ok()?).ok()
}

/// Encoded words (RFC 2047): blanks between two of them are no blanks.
fn words(text: &str) -> String {
    let mut out = String::new();
    let mut was_encoded = false;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let parts: Vec<&str> = word
            .strip_prefix("=?")
            .and_then(|word| word.strip_suffix("?="))
            .map_or(Vec::new(), |w| w.split('?').collect());
        let decoded = match parts.as_slice() {
            [_, "b" | "B", inner] => base64(inner),
            _ => None,
        };
        if !(out.is_empty() || was_encoded && decoded.is_some()) {
            out.push(' ');
        }
        was_encoded = decoded.is_some();
        out.push_str(decoded.as_deref().unwrap_or(word));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_and_text_are_read_whatever_their_writing() {
        let raw = "Message-ID: <m1@x>\r\nSubject: =?utf-8?b?6YeN6K6+?=\r\n =?utf-8?b?5a+G56CB?= now\r\n\
            Content-Transfer-Encoding: base64\r\n\r\n5oKo5aW9\r\nDQo=\r\n";
        let mail = read(raw);
        assert_eq!((mail.id.as_str(), mail.subject.as_str(), mail.text.as_str()), ("<m1@x>", "重设密码 now", "您好\n"));
        let plain = read("subject: Hello there\r\n\r\nText\r\n");
        assert_eq!((plain.subject.as_str(), plain.text.as_str()), ("Hello there", "Text\n"));
    }
}
