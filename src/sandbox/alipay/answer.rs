//! Answers of the gateway: one node, signed as it stands, in the caller's charset (Alipay, synchronous answers). The
//! business result is in the node, never in the HTTP status.
use encoding_rs::{Encoding, UTF_8};
use poem::http::StatusCode;
use poem::{Body, Response};
use serde_json::{Value, json};

use crate::sandbox::faults::Signing;
use crate::sandbox::html::escape;

use super::params::encode;
use super::voice::{ALIPAY_CERT_SN, sign};

/// Fields of an answer, in the order they are written.
pub type Node = Vec<(&'static str, Value)>;

/// A field, unless there is nothing to say.
pub fn some(name: &'static str, value: Option<String>) -> Option<(&'static str, Value)> {
    value.map(|value| (name, json!(value)))
}

/// The gateway or the method says no. Nothing happened.
#[derive(Clone, PartialEq, Debug)]
pub struct Refusal {
    pub code: &'static str,
    pub sub_code: String,
    pub sub_msg: String,
    /// Fields some methods give beside a refusal
    pub beside: Node,
}

impl Refusal {
    pub fn new(code: &'static str, sub_code: &str, sub_msg: &str) -> Self {
        Self { code, sub_code: sub_code.to_owned(), sub_msg: sub_msg.to_owned(), beside: Vec::new() }
    }

    /// 40004 `ACQ.…`
    pub fn business(name: &str, words: &str) -> Self {
        Self::new("40004", &format!("ACQ.{name}"), words)
    }

    /// 40004 `ACQ.INVALID_PARAMETER`, saying what is wrong.
    pub fn parameter(why: &str) -> Self {
        Self::business("INVALID_PARAMETER", &format!("参数无效：{why}"))
    }

    const fn msg(&self) -> &'static str {
        match self.code.as_bytes() {
            b"40001" => "Missing Required Arguments",
            b"40002" => "Invalid Arguments",
            b"40006" => "Insufficient Permissions",
            _ => "Business Failed",
        }
    }

    fn node(&self) -> Node {
        let mut node = vec![
            ("code", json!(self.code)),
            ("msg", json!(self.msg())),
            ("sub_code", json!(self.sub_code)),
            // the gateway escapes its words as if for a page
            ("sub_msg", json!(escape(&self.sub_msg))),
        ];
        node.extend(self.beside.iter().cloned());
        node
    }
}

/// `code` and `msg` of a success, and what follows.
pub fn success(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Node {
    [("code", json!("10000")), ("msg", json!("Success"))].into_iter().chain(fields).collect()
}

/// How an answer is to be written.
#[derive(Clone, Copy)]
pub struct Manner {
    pub charset: &'static Encoding,
    pub signing: Signing,
    /// The caller works with certificates
    pub certified: bool,
}

/// The whole answer. `name` is the method's node; a gateway that does not know the method, and a sign-in that fails,
/// answer under `error_response`.
pub fn response(manner: Manner, name: &str, outcome: &Result<Node, Refusal>) -> Response {
    let node = match outcome {
        Ok(node) => text(node),
        Err(refusal) => text(&refusal.node()),
    };
    let node = encode(manner.charset, &node);
    let mut body = [b"{\"", name.as_bytes(), b"\":", &node].concat();
    if manner.certified {
        body.extend_from_slice(format!(",\"alipay_cert_sn\":\"{ALIPAY_CERT_SN}\"").as_bytes());
    }
    if let Some(signature) = sign(manner.signing, &node) {
        body.extend_from_slice(format!(",\"sign\":\"{signature}\"").as_bytes());
    }
    body.push(b'}');
    let label = if manner.charset == UTF_8 { "utf-8" } else { "GBK" };
    let response = Response::builder().status(StatusCode::OK);
    response.content_type(format!("text/html;charset={label}")).body(Body::from(body))
}

/// JSON text with escaped slashes, as the real gateway writes it.
fn text(node: &Node) -> String {
    let members: Vec<_> = node.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(",")).replace('/', "\\/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_slashes_are_escaped() {
        let node = success([("qr_code", json!("https://qr.alipay.com/bax")), ("a", json!("}\"]"))]);
        let expected = r#"{"code":"10000","msg":"Success","qr_code":"https:\/\/qr.alipay.com\/bax","a":"}\"]"}"#;
        assert_eq!(text(&node), expected);
    }

    #[test]
    fn the_words_of_a_refusal_are_escaped_for_a_page() {
        let refusal = Refusal::new("40002", "isv.invalid-signature", r#"biz_content={"a":1}&b"#);
        assert!(text(&refusal.node()).contains("biz_content={&quot;a&quot;:1}&amp;b"));
        assert!(text(&refusal.node()).contains("Invalid Arguments"));
    }
}
