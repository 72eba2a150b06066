//! Answers of the back channel: one line `k=v&k=v`, not URL-encoded, signed (ACP 5.1.0). What became of the call is in
//! `respCode`, never in the HTTP status.
use poem::Response;

use crate::sandbox::faults::Signing;

use super::fields::Fields;
use super::refusal::{Refusal, words};
use super::voice::sign;

/// What an answer repeats of its request.
const REPEATED: [&str; 14] = [
    "accessType",
    "bizType",
    "currencyCode",
    "encoding",
    "merId",
    "orderId",
    "origQryId",
    "reqReserved",
    "signMethod",
    "txnAmt",
    "txnSubType",
    "txnTime",
    "txnType",
    "version",
];

/// The whole answer: what the request said, what came of it, and the signature.
pub fn response(asked: &Fields, outcome: Result<Fields, Refusal>, signing: Signing) -> Response {
    let mut said = Fields::default();
    for name in REPEATED {
        if let Some(value) = asked.get(name) {
            said.put(name, value);
        }
    }
    match outcome {
        Ok(told) => {
            said.put("respCode", "00");
            told.iter().for_each(|(name, value)| said.put(name, value));
        }
        Err(refusal) => said.put("respCode", refusal.code),
    }
    let words = words(said.get("respCode").unwrap_or_default());
    said.put("respMsg", words);
    sign(signing, &mut said);
    Response::builder().content_type("text/html;charset=utf-8").body(said.line())
}
