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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::unionpay::testing::{self, Scene, Told, now, plain, signed, told};
    use crate::outbound::fake::{Fake, Play};

    const ASKED: [(&str, &str); 2] = [("orderId", testing::ATTEMPT), ("txnTime", "20260901102436")];

    fn refused(change: fn(&mut UnionPayAccount)) -> Option<&'static str> {
        let mut account = testing::account();
        change(&mut account);
        Gateway::new(&account, Clock::manual(now()), HttpClient::new().unwrap()).err().map(|error| error.key)
    }

    #[test]
    fn a_merchant_and_addresses_that_cannot_be_are_found_at_start() {
        assert_eq!(refused(|_| ()), None);
        assert_eq!(refused(|a| a.mer_id = "89862010000010".to_owned()), Some("mer_id"));
        assert_eq!(refused(|a| a.gateway = "gateway.95516.com".to_owned()), Some("gateway"));
        assert_eq!(refused(|a| a.cashier = "https://cashier.95516.com/?a=1".to_owned()), Some("cashier"));
    }

    #[tokio::test]
    async fn a_call_is_signed_and_says_who_we_are() {
        let scene = Scene::answering(&[("respCode", "00")]);
        let answer = scene.gateway.call("queryTrans.do", &ASKED).await.unwrap();
        assert_eq!(answer.get("respCode"), Some("00"));
        let (target, asked) = scene.asked(0);
        assert_eq!(target, "/gateway/api/queryTrans.do");
        for (name, value) in [("version", "5.1.0"), ("encoding", "UTF-8"), ("signMethod", "01"), ("accessType", "0")] {
            assert_eq!(asked[name], value);
        }
        assert_eq!((asked["merId"].as_str(), asked["orderId"].as_str()), (testing::MER_ID, testing::ATTEMPT));
    }

    /// What becomes of a call that is answered with these bytes.
    async fn answered(status: u16, body: String) -> Result<Fields, ChannelError> {
        let fake = Fake::start(move |_| Play::plain(status, &body));
        testing::gateway_at(&fake.base).call("queryTrans.do", &ASKED).await
    }

    #[tokio::test]
    async fn an_answer_that_is_not_unionpays_or_not_to_this_question_is_not_trusted() {
        let good = || told(&[("respCode", "00"), ("orderId", testing::ATTEMPT), ("txnTime", "20260901102436")]);
        let with = |name: &str, value: &str| -> Told {
            let mut all = good();
            all.insert(name.to_owned(), value.to_owned());
            all
        };
        assert!(answered(200, plain(&signed(good()))).await.is_ok());
        let untrusted = [
            plain(&good()),
            plain(&signed(good())).replace("respCode=00", "respCode=34"),
            plain(&signed(with("orderId", "XF260901QMU000002T01"))),
            plain(&signed(with("txnTime", "20260901102437"))),
            format!("{}&respCode=00", plain(&signed(good()))),
            String::new(),
            "<html>".to_owned(),
        ];
        for body in untrusted {
            let refused = answered(200, body.clone()).await;
            assert!(matches!(refused, Err(ChannelError::Untrusted(_))), "{body}");
        }
        assert!(matches!(answered(502, plain(&signed(good()))).await, Err(ChannelError::Unreachable(_))));
        let nobody = testing::unreachable_gateway().call("queryTrans.do", &ASKED).await;
        assert!(matches!(nobody, Err(ChannelError::Unreachable(_))));
    }

    #[test]
    fn a_code_is_two_signs_or_a_question_mark() {
        let code_of = |text: &str| code(&Fields::of(&[("respCode", text)]), "respCode");
        assert_eq!((code_of("A6").as_str(), code_of("姓").as_str(), code_of("123").as_str()), ("A6", "?", "?"));
        assert!(matches!(refusal("06"), ChannelError::Unreachable(_)));
        assert!(matches!(refusal("11"), ChannelError::Refused { why: RefusedFor::Configuration, .. }));
        assert!(matches!(refusal("36"), ChannelError::Refused { why: RefusedFor::Other, .. }));
    }
}
