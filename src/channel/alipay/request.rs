//! The parameters of a call and their signature (Alipay, common request parameters and signing rules).
//!
//! The text that is signed is joined here from the very values that are sent; nothing is taken apart again, so no
//! value can break it.
use std::collections::BTreeMap;

use alipay_sdk_rust::biz::BizContenter;

use super::keys::Keys;
use crate::domain::moment::Moment;

/// Parameters in the order they are signed, `sign` last; none of them empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed(Vec<(&'static str, String)>);

/// What a method is called with.
#[derive(Clone, Default)]
pub struct Call {
    pub method: String,
    pub parameters: Vec<(&'static str, String)>,
}

impl Call {
    /// A method whose business parameters are one JSON text.
    pub fn of(biz: &impl BizContenter) -> Call {
        let content = serde_json::to_string(biz).expect("a map of texts is always JSON");
        Call { method: biz.method(), parameters: vec![("biz_content", content)] }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Call {
        self.parameters.push((name, value.to_owned()));
        self
    }

    /// Adds the common parameters and the signature. `sign_type` is signed too; empty values are neither signed nor
    /// sent.
    pub fn sign(self, app_id: &str, keys: &Keys, now: Moment) -> Signed {
        let mut all: BTreeMap<&'static str, String> = self.parameters.into_iter().collect();
        all.insert("app_id", app_id.to_owned());
        all.insert("method", self.method);
        all.insert("format", "JSON".to_owned());
        all.insert("charset", "utf-8".to_owned());
        all.insert("sign_type", "RSA2".to_owned());
        all.insert("timestamp", now.beijing_text());
        all.insert("version", "1.0".to_owned());
        if let Some(numbers) = keys.numbers() {
            all.insert("app_cert_sn", numbers.app.clone());
            all.insert("alipay_root_cert_sn", numbers.alipay_root.clone());
        }
        all.retain(|_, value| !value.is_empty());
        let text: Vec<String> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let sign = keys.sign(text.join("&").as_bytes());
        Signed(all.into_iter().chain([("sign", sign)]).collect())
    }
}

impl Signed {
    /// For POST: the address with the charset (the gateway must know it before it reads the body), and the body with
    /// the rest.
    pub fn post(&self, gateway: &str) -> (String, String) {
        let (charset, rest): (Vec<_>, Vec<_>) = self.0.iter().partition(|(name, _)| *name == "charset");
        (format!("{gateway}?{}", encode(charset)), encode(rest))
    }

    /// For a browser: one address with everything.
    pub fn url(&self, gateway: &str) -> String {
        format!("{gateway}?{}", encode(self.0.iter().collect()))
    }
}

fn encode(pairs: Vec<&(&'static str, String)>) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs.iter().map(|(name, value)| (name, value)))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::alipay::testing;
    use alipay_sdk_rust::biz::TradeQueryBiz;
    use proptest::prelude::*;

    const GATEWAY: &str = "https://openapi.alipay.com/gateway.do";

    fn signed(call: Call) -> Signed {
        call.sign(testing::APP_ID, &Keys::of(&testing::account()).unwrap(), Moment::from_unix(1_788_229_476))
    }

    fn read(text: &str) -> BTreeMap<String, String> {
        form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    }

    #[test]
    fn the_signed_parameters_are_the_gateways_own() {
        let mut biz = TradeQueryBiz::new();
        biz.set_out_trade_no("XF200216LUT000001T01".into());
        let url = signed(Call::of(&biz).with("notify_url", "").with("return_url", "https://a.example/r")).url(GATEWAY);
        let all = read(url.strip_prefix("https://openapi.alipay.com/gateway.do?").unwrap());
        assert_eq!(all["method"], "alipay.trade.query");
        assert_eq!(all["timestamp"], "2026-09-01 10:24:36");
        assert_eq!(all["biz_content"], r#"{"out_trade_no":"XF200216LUT000001T01"}"#);
        assert_eq!(all["return_url"], "https://a.example/r");
        let names: Vec<_> = all.keys().map(String::as_str).collect();
        let expected = "app_id biz_content charset format method return_url sign sign_type timestamp version";
        assert_eq!(names, expected.split(' ').collect::<Vec<_>>());
        assert!(testing::gateway_believes(&all));
    }

    #[test]
    fn a_post_carries_each_parameter_once_and_the_charset_in_the_address() {
        let (address, body) = signed(Call::default().with("code", "a&b=c+d")).post(GATEWAY);
        assert_eq!(address, "https://openapi.alipay.com/gateway.do?charset=utf-8");
        let mut all = read(&body);
        assert!(!all.contains_key("charset"));
        all.insert("charset".to_owned(), "utf-8".to_owned());
        assert!(testing::gateway_believes(&all));
    }

    #[test]
    fn certificate_mode_sends_both_numbers() {
        let keys = Keys::of(&testing::certified_account()).unwrap();
        let (_, body) = Call::default().sign(testing::APP_ID, &keys, Moment::from_unix(0)).post(GATEWAY);
        let mut all = read(&body);
        assert_eq!(all["app_cert_sn"], keys.numbers().unwrap().app);
        assert_eq!(all["alipay_root_cert_sn"], keys.numbers().unwrap().alipay_root);
        all.insert("charset".to_owned(), "utf-8".to_owned());
        assert!(testing::gateway_believes(&all));
    }

    proptest! {
        #[test]
        fn any_text_reaches_the_gateway_as_it_was(text in "[&=}{\"<>%+;#?\\\\ 𠮷学\\n]{0,30}") {
            let mut biz = TradeQueryBiz::new();
            biz.set_out_trade_no(text.clone().into());
            let url = signed(Call::of(&biz)).url(GATEWAY);
            let all = read(url.split_once('?').unwrap().1);
            let content: BTreeMap<String, String> = serde_json::from_str(&all["biz_content"]).unwrap();
            prop_assert_eq!(&content["out_trade_no"], &text);
            prop_assert!(testing::gateway_believes(&all));
        }
    }
}
