//! Text messages through one HTTP call of the configuration. Neither numbers nor answers reach an error.
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;

use super::unsent::Unsent;
use crate::config::{Sms, SmsMethod};
use crate::domain::payer::Phone;
use crate::outbound::{HttpClient, OutboundError};

pub struct Texter {
    config: Sms,
    headers: HeaderMap,
    writing: Writing,
    http: HttpClient,
}

/// What a text message says: all of it, and the code alone.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    pub text: &'a str,
    pub code: &'a str,
}

/// How a value is written into a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Writing {
    Percent,
    Json,
    Plain,
}

impl Writing {
    fn of(content_type: &str) -> Writing {
        match content_type {
            kind if kind.contains("x-www-form-urlencoded") => Writing::Percent,
            kind if kind.contains("json") => Writing::Json,
            _ => Writing::Plain,
        }
    }

    fn write(self, value: &str) -> String {
        match self {
            Writing::Percent => {
                form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
            }
            Writing::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Writing::Plain => value.to_owned(),
        }
    }

    /// One walk over the template, so that a value is never taken for a place.
    fn fill(self, template: &str, phone: &str, text: Text<'_>) -> String {
        let mut out = String::with_capacity(template.len() + text.text.len());
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let places = [("{phone}", phone), ("{text}", text.text), ("{code}", text.code)];
            match places.iter().find(|(place, _)| rest.starts_with(place)) {
                Some((place, value)) => {
                    out.push_str(&self.write(value));
                    rest = &rest[place.len()..];
                }
                None => {
                    out.push('{');
                    rest = &rest[1..];
                }
            }
        }
        out + rest
    }
}

impl Texter {
    /// # Errors
    /// A header that cannot be sent.
    pub fn new(config: &Sms, http: HttpClient) -> anyhow::Result<Texter> {
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let unfit = || anyhow::anyhow!("sms.headers.{name}: cannot be sent");
            let key: HeaderName = name.parse().map_err(|_| unfit())?;
            let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| unfit())?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        if config.method == SmsMethod::Post && !headers.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let writing = Writing::of(&kind.to_ascii_lowercase());
        Ok(Texter { config: config.clone(), headers, writing, http })
    }

    /// Whether the words are ours: some gateways are given a code and keep the words themselves.
    pub fn takes_text(&self) -> bool {
        self.config.url.contains("{text}") || self.config.body.expose_secret().contains("{text}")
    }

    /// # Errors
    /// Why the gateway did not take it.
    pub async fn send(&self, to: &Phone, text: Text<'_>) -> Result<(), Unsent> {
        let url = Writing::Percent.fill(&self.config.url, to.reveal(), text);
        let (method, body) = match self.config.method {
            SmsMethod::Get => (Method::GET, String::new()),
            SmsMethod::Post => (Method::POST, self.writing.fill(self.config.body.expose_secret(), to.reveal(), text)),
        };
        let answer = self.http.send(method, &url, self.headers.clone(), body.into_bytes()).await;
        let answer = answer.map_err(|error| match error {
            OutboundError::Address => Unsent::Never("address"),
            OutboundError::Timeout => Unsent::Later("timeout"),
            _ => Unsent::Later("connection"),
        })?;
        match answer.status {
            200..=299 => {}
            400..=499 if !matches!(answer.status, 408 | 425 | 429) => return Err(Unsent::Never("refused")),
            _ => return Err(Unsent::Later("not now")),
        }
        let body = String::from_utf8_lossy(&answer.body);
        match &self.config.success {
            Some(wanted) if !body.contains(wanted.as_str()) => Err(Unsent::Later("other words")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_the_place_wants_them_and_never_read_as_places() {
        let text = Text { text: "码 \"1\" & {phone}\n", code: "000001" };
        let fill = |writing: Writing, template| writing.fill(template, "+8613800000001", text);
        assert_eq!(
            fill(Writing::Json, "{\"to\":\"{phone}\",\"x\":{},\"t\":\"{text}\"}"),
            "{\"to\":\"+8613800000001\",\"x\":{},\"t\":\"码 \\\"1\\\" & {phone}\\n\"}"
        );
        assert_eq!(
            fill(Writing::Percent, "m={phone}&c={code}&t={text}"),
            "m=%2B8613800000001&c=000001&t=%E7%A0%81%20%221%22%20%26%20%7Bphone%7D%0A"
        );
        assert_eq!(fill(Writing::Plain, "{code}{"), "000001{");
    }
}
