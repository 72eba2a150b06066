//! One merchant at UnionPay's gateway: signs a call, sends it, and believes the answer or not.
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};

use super::fields::Fields;
use super::keys::{KeyError, Keys};
use crate::channel::contract::{ChannelError, NoticeRefusal, OutwardForm, RefusedFor};
use crate::clock::Clock;
use crate::config::UnionPayAccount;
use crate::domain::moment::Moment;
use crate::outbound::HttpClient;

/// The merchant, its keys and its addresses. Keeps no state between calls.
pub struct Gateway {
    pub mer_id: String,
    keys: Keys,
    /// Without a slash at its end
    base: String,
    /// Where the cashier's form goes and is led on to
    origins: Vec<String>,
    clock: Clock,
    http: HttpClient,
}

/// What a call is about: the fields that differ from one to the other.
pub type Told<'a> = [(&'a str, &'a str)];

impl Gateway {
    pub fn new(account: &UnionPayAccount, clock: Clock, http: HttpClient) -> Result<Gateway, KeyError> {
        if account.mer_id.len() != 15 || !account.mer_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(KeyError { key: "mer_id", why: "15 digits" });
        }
        let base = account.gateway.trim_end_matches('/').to_owned();
        let cashier = origin("cashier", &account.cashier)?;
        let mut origins = vec![origin("gateway", &base)?, cashier];
        origins.dedup();
        Ok(Gateway { mer_id: account.mer_id.clone(), keys: Keys::of(account)?, base, origins, clock, http })
    }

    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// A signed message: what is told, and what every message of this merchant says.
    fn signed(&self, told: &Told<'_>) -> Fields {
        let mut fields = Fields::of(told);
        let always = [
            ("version", "5.1.0"),
            ("encoding", "UTF-8"),
            ("signMethod", "01"),
            ("accessType", "0"),
            ("bizType", "000201"),
            ("merId", &self.mer_id),
            ("certId", self.keys.cert_id()),
        ];
        for (name, value) in always {
            fields.set(name, value);
        }
        let signature = self.keys.sign(&fields.signed_text());
        fields.set("signature", &signature);
        fields
    }

    /// The form that takes a payer's browser to the cashier. Nothing is sent by us.
    pub fn front(&self, told: &Told<'_>) -> OutwardForm {
        let action = format!("{}/gateway/api/frontTransReq.do", self.base);
        OutwardForm { action, fields: self.signed(told).into_pairs(), origins: self.origins.clone() }
    }

    /// Calls `backTransReq.do` or `queryTrans.do` and gives the verified answer, which is about the same order.
    ///
    /// # Errors
    /// [`ChannelError::Unreachable`] and [`ChannelError::Untrusted`].
    pub async fn call(&self, path: &'static str, told: &Told<'_>) -> Result<Fields, ChannelError> {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded;charset=UTF-8");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
        let body = self.signed(told).encoded().into_bytes();
        let reply = self.http.send(Method::POST, &format!("{}/gateway/api/{path}", self.base), headers, body).await;
        let reply = reply.map_err(|error| ChannelError::Unreachable(error.to_string()))?;
        if reply.status != 200 {
            return Err(ChannelError::Unreachable(format!("HTTP {} to {path}", reply.status)));
        }
        let untrusted = |why: &str| ChannelError::Untrusted(format!("{path}: {why}"));
        let answer = Fields::of_answer(&reply.body).ok_or_else(|| untrusted("not a message"))?;
        self.believe(&answer).map_err(|refusal| {
            let code = code(&answer, "respCode");
            untrusted(&format!("{refusal}; it says respCode {code}"))
        })?;
        let same = |name: &&str| {
            let asked = told.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
            answer.get(name).is_none_or(|got| Some(got) == asked)
        };
        match ["orderId", "txnTime"].iter().all(same) {
            true => Ok(answer),
            false => Err(untrusted("the answer to another question")),
        }
    }

    /// Whether UnionPay signed these fields.
    ///
    /// # Errors
    /// What is missing, unknown or does not fit.
    pub fn believe(&self, fields: &Fields) -> Result<(), NoticeRefusal> {
        self.keys.believe(fields, self.now())
    }
}

/// Scheme, host and port of an address of the configuration.
fn origin(key: &'static str, text: &str) -> Result<String, KeyError> {
    match Url::parse(text) {
        Ok(url) if url.scheme().starts_with("http") && url.query().is_none() && url.fragment().is_none() => {
            Ok(url.origin().ascii_serialization())
        }
        _ => Err(KeyError { key, why: "an http(s) address without a query" }),
    }
}

/// A code of two letters or digits; `?` for anything else, so that nothing else reaches a log.
pub fn code(fields: &Fields, name: &str) -> String {
    let code = fields.get(name).filter(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    code.unwrap_or("?").to_owned()
}

/// A `respCode` that is no success, of a call that may be made again: what came of it.
pub fn refusal(code: &str) -> ChannelError {
    let why = match code {
        // no clear word: 未开放, 超时, 状态未明, 已受理, 繁忙
        "02" | "03" | "04" | "05" | "06" => return ChannelError::Unreachable(format!("respCode {code}")),
        // 格式, 验签, 要素, 商户状态, 权限
        "10" | "11" | "13" | "31" | "32" => RefusedFor::Configuration,
        "34" => RefusedFor::Absent,
        "64" => RefusedFor::NotEnoughFunds,
        _ => RefusedFor::Other,
    };
    ChannelError::Refused { why, code: code.to_owned(), message: String::new() }
}
