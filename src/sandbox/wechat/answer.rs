//! Answers of the v3 gateway: success, refusal with code and message, and how they are dressed in headers.
use poem::http::{HeaderName, HeaderValue, StatusCode};
use poem::{Body, Response};
use serde_json::{Value, json};

use crate::sandbox::faults::Signing;
use crate::sandbox::world::Sandbox;

use super::voice::{VoiceKey, headers, hex};

/// A business answer; signed.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// 200
    Json(Value),
    /// 204, signed over the empty body
    Done,
}

/// The gateway says no. Nothing happened.
#[derive(Clone, PartialEq, Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub detail: Option<Value>,
    /// What ends the Request-ID (WeChat Pay v3, error numbers); 1 where none is known
    pub number: u32,
}

impl Refusal {
    pub fn new(status: u16, code: &'static str, message: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Self { status, code, message: message.to_owned(), detail: None, number: 1 }
    }

    /// 400 PARAM_ERROR about one field, in the documented shape of `detail`.
    pub fn of_field(path: &str, message: String) -> Self {
        let (location, field) = match path.strip_prefix("/body") {
            Some(field) => ("body", field),
            None => ("uri_template", path.strip_prefix("/uri_template").unwrap_or(path)),
        };
        let detail = json!({ "field": field, "issue": message, "location": location });
        Self { detail: Some(detail), number: 268_435_461, ..Self::new(400, "PARAM_ERROR", &message) }
    }

    pub fn numbered(mut self, number: u32) -> Self {
        self.number = number;
        self
    }

    fn body(&self) -> Value {
        match &self.detail {
            Some(detail) => json!({ "code": self.code, "detail": detail, "message": self.message }),
            None => json!({ "code": self.code, "message": self.message }),
        }
    }
}

/// A signed answer, also of a refusal: the caller was known.
pub fn signed(world: &Sandbox, key: VoiceKey, how: Signing, answer: &Result<Answer, Refusal>) -> Response {
    let (status, body, number) = match answer {
        Ok(Answer::Json(value)) => (StatusCode::OK, value.to_string(), 0),
        Ok(Answer::Done) => (StatusCode::NO_CONTENT, String::new(), 0),
        Err(refusal) => (refusal.status, refusal.body().to_string(), refusal.number),
    };
    let signature = headers(key, how, world.now(), &world.chance, body.as_bytes());
    let mut response = dressed(status, body);
    for (name, value) in signature {
        put(&mut response, name, &value);
    }
    put(&mut response, "Request-ID", &request_id(world, number));
    response
}

/// A refusal before the caller is known: no `Wechatpay-*` headers; `with_id` only where the real gateway gives a
/// Request-ID.
pub fn unsigned(world: &Sandbox, refusal: &Refusal, with_id: bool) -> Response {
    let mut response = dressed(refusal.status, refusal.body().to_string());
    if with_id {
        put(&mut response, "Request-ID", &request_id(world, refusal.number));
    }
    response
}

/// 404 and 405 come with nothing at all.
pub fn bare(status: StatusCode) -> Response {
    Response::builder().status(status).finish()
}

fn dressed(status: StatusCode, body: String) -> Response {
    let mut response = Response::builder().status(status).body(Body::from_string(body));
    put(&mut response, "Server", "nginx");
    put(&mut response, "Cache-Control", "no-cache, must-revalidate");
    put(&mut response, "X-Content-Type-Options", "nosniff");
    if status != StatusCode::NO_CONTENT {
        put(&mut response, "Content-Type", "application/json; charset=utf-8");
        put(&mut response, "Content-Language", "zh-CN");
    }
    response
}

fn put(response: &mut Response, name: &'static str, value: &str) {
    let name = HeaderName::from_bytes(name.as_bytes()).expect("header names here are constants of letters and dashes");
    let value = HeaderValue::from_str(value).expect("values here are ASCII");
    response.headers_mut().insert(name, value);
}

fn request_id(world: &Sandbox, number: u32) -> String {
    format!("08{}-{number}", hex(&world.chance.bytes::<12>()).to_uppercase())
}
