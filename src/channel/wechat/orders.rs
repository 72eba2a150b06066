//! Orders: open, ask, close (WeChat Pay v3: JSAPI, H5, Native; query by out_trade_no; close).
//!
//! The number of an attempt is `out_trade_no`. Opening again with the same ask sends the same parameters, and WeChat
//! Pay answers with a fresh `prepay_id`, `code_url` or `h5_url`; so nothing in the body may depend on the time of
//! asking.
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wechat_pay_rust_sdk::model::{
    AmountInfo, H5Info, H5Params, H5SceneInfo, H5Type, JsapiParams, NativeParams, ParamsTrait,
};
use wechat_pay_rust_sdk::response::{H5Response, JsapiResponse, NativeResponse};

use super::client::Client;
use super::text::clean;
use crate::channel::contract::{ChannelError, Closing, JsapiLaunch, Prepay, PrepayAsk, RefusedFor};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::AttemptNo;
use crate::domain::trade::{Buyer, Heard, Product, TradeNo};

/// `description` may have 127 bytes (WeChat Pay v3, orders; the limit counts bytes).
const LONGEST_DESCRIPTION: usize = 127;
/// WeChat Pay closes an order after seven days by itself; a later `time_expire` is left out.
const LONGEST_LIFE_SECONDS: i64 = 7 * 24 * 3600;

pub async fn prepay(client: &Client, ask: &PrepayAsk) -> Result<Prepay, ChannelError> {
    let body = order_body(client, ask)?;
    let missing = |field: &str| ChannelError::Untrusted(format!("a signed answer without {field}"));
    match ask.product {
        Product::WechatJsapi => {
            let answer: JsapiResponse = client.ask(Method::POST, "/v3/pay/transactions/jsapi", &body).await?;
            let prepay_id = answer.prepay_id.filter(|id| !id.is_empty()).ok_or_else(|| missing("prepay_id"))?;
            Ok(Prepay::WechatJsapi { prepay_id })
        }
        Product::WechatH5 => {
            let answer: H5Response = client.ask(Method::POST, "/v3/pay/transactions/h5", &body).await?;
            let url = answer.h5_url.filter(|url| url.starts_with("https://") || url.starts_with("http://"));
            Ok(Prepay::Redirect { url: with_return(&url.ok_or_else(|| missing("h5_url"))?, &ask.return_url) })
        }
        _ => {
            let answer: NativeResponse = client.ask(Method::POST, "/v3/pay/transactions/native", &body).await?;
            let text = answer.code_url.filter(|text| !text.is_empty()).ok_or_else(|| missing("code_url"))?;
            Ok(Prepay::Code { text })
        }
    }
}

/// `&redirect_url=` is the only thing that may be added to an h5_url (WeChat Pay v3, H5).
fn with_return(h5_url: &str, return_url: &str) -> String {
    let mark = if h5_url.contains('?') { '&' } else { '?' };
    let encoded: String = form_urlencoded::byte_serialize(return_url.as_bytes()).collect();
    format!("{h5_url}{mark}redirect_url={encoded}")
}

fn refused(why: RefusedFor, code: &str, message: &str) -> ChannelError {
    ChannelError::Refused { why, code: code.to_owned(), message: message.to_owned() }
}

fn order_body(client: &Client, ask: &PrepayAsk) -> Result<String, ChannelError> {
    if !ask.amount.is_positive() {
        return Err(refused(RefusedFor::Other, "AMOUNT", "an order of less than one fen"));
    }
    let description = match clean(&ask.subject, LONGEST_DESCRIPTION) {
        empty if empty.is_empty() => "缴费".to_owned(),
        text => text,
    };
    let (name, number) = (description.as_str(), ask.attempt_no.as_str());
    let last = client.clock.now().unix() + LONGEST_LIFE_SECONDS;
    let time_expire = (ask.expires_at.unix() <= last).then(|| ask.expires_at.rfc3339());
    // The SDK counts fen in 32 bits, which end at 21,474,836.47 yuan: the amount is written below, in 64
    let amount = AmountInfo::from(0);
    let params = match (ask.product, &ask.buyer) {
        (Product::WechatJsapi, Some(Buyer::WechatOpenid(openid))) => {
            let mut params = JsapiParams::new(name, number, amount, openid.as_str().into());
            params.time_expire = time_expire;
            params.to_json()
        }
        (Product::WechatJsapi, _) => {
            return Err(refused(RefusedFor::Buyer, "OPENID", "JSAPI needs the payer's openid"));
        }
        (Product::WechatH5, _) => {
            let mut params = H5Params::new(name, number, amount, h5_scene(&ask.payer_ip));
            params.time_expire = time_expire;
            params.to_json()
        }
        (Product::WechatNative, _) => {
            let mut params = NativeParams::new(name, number, amount);
            params.time_expire = time_expire;
            params.to_json()
        }
        (other, _) => {
            return Err(refused(RefusedFor::Configuration, "PRODUCT", &format!("{other:?} is not WeChat Pay's")));
        }
    };
    let mut body: Map<String, Value> = serde_json::from_str(&params).expect("the SDK's parameters are a JSON object");
    body.insert("appid".to_owned(), json!(client.app_id));
    body.insert("mchid".to_owned(), json!(client.mch_id));
    body.insert("notify_url".to_owned(), json!(ask.notify_url));
    body.insert("amount".to_owned(), json!({"total": ask.amount.get(), "currency": "CNY"}));
    Ok(Value::Object(body).to_string())
}

fn h5_scene(payer_ip: &str) -> H5SceneInfo {
    let address = payer_ip.parse::<std::net::IpAddr>().map(|ip| ip.to_canonical().to_string());
    H5SceneInfo {
        payer_client_ip: address.unwrap_or_else(|_| payer_ip.to_owned()),
        h5_info: H5Info {
            h5_type: H5Type::Wap.to_string(),
            app_name: None,
            app_url: None,
            bundle_id: None,
            package_name: None,
        },
        device_id: None,
        store_info: None,
    }
}

/// The parameters of `getBrandWCPayRequest`; `signType` is not signed (WeChat Pay v3, calling JSAPI).
pub fn launch(client: &Client, prepay_id: &str, now: Moment, nonce: &str) -> JsapiLaunch {
    let (app_id, time_stamp) = (client.app_id.clone(), now.unix().to_string());
    let package = format!("prepay_id={prepay_id}");
    let pay_sign = client.merchant_key.sign(&format!("{app_id}\n{time_stamp}\n{nonce}\n{package}\n"));
    let sign_type = "RSA".to_owned();
    JsapiLaunch { app_id, time_stamp, nonce_str: nonce.to_owned(), package, sign_type, pay_sign }
}

pub async fn query(client: &Client, attempt_no: &AttemptNo) -> Result<Heard, ChannelError> {
    let path = format!("/v3/pay/transactions/out-trade-no/{attempt_no}?mchid={}", client.mch_id);
    match client.ask::<Transaction>(Method::GET, &path, "").await {
        Ok(transaction) if transaction.out_trade_no != attempt_no.as_str() => {
            Ok(Heard::Foreign { field: "out_trade_no", got: transaction.out_trade_no })
        }
        Ok(transaction) => {
            let heard = transaction.heard(&client.app_id, &client.mch_id);
            heard.map_err(|field| ChannelError::Untrusted(format!("a signed answer without a usable {field}")))
        }
        Err(ChannelError::Refused { why: RefusedFor::Absent, .. }) => Ok(Heard::Absent),
        Err(error) => Err(error),
    }
}

pub async fn close(client: &Client, attempt_no: &AttemptNo) -> Result<Closing, ChannelError> {
    let path = format!("/v3/pay/transactions/out-trade-no/{attempt_no}/close");
    let body = json!({"mchid": client.mch_id}).to_string();
    match client.call(Method::POST, &path, &body).await {
        Ok(_) => Ok(Closing::Closed),
        Err(ChannelError::Refused { why: RefusedFor::AlreadyPaid, .. }) => Ok(Closing::Paid),
        Err(ChannelError::Refused { why: RefusedFor::AlreadyClosed, .. }) => Ok(Closing::Closed),
        Err(ChannelError::Refused { why: RefusedFor::Absent, .. }) => Ok(Closing::Absent),
        Err(error) => Err(error),
    }
}

/// A payment as queries and notices tell it (WeChat Pay v3, query). Only what is used; the rest may come and go.
#[derive(Deserialize)]
pub struct Transaction {
    pub appid: String,
    pub mchid: String,
    pub out_trade_no: String,
    pub trade_state: String,
    pub transaction_id: Option<String>,
    pub success_time: Option<String>,
    pub amount: Option<Amount>,
}

#[derive(Deserialize)]
pub struct Amount {
    /// Fen, before coupons: what was ordered (never `payer_total`)
    pub total: Option<i64>,
    pub currency: Option<String>,
}

impl Transaction {
    /// What it means for us. The error names the field that is missing or unreadable.
    ///
    /// A partly refunded payment is REFUND, and still was paid.
    pub fn heard(self, app_id: &str, mch_id: &str) -> Result<Heard, &'static str> {
        if self.mchid != mch_id {
            return Ok(Heard::Foreign { field: "mchid", got: self.mchid });
        }
        if self.appid != app_id {
            return Ok(Heard::Foreign { field: "appid", got: self.appid });
        }
        let currency = self.amount.as_ref().and_then(|amount| amount.currency.clone());
        if let Some(got) = currency.filter(|currency| currency != "CNY") {
            return Ok(Heard::Foreign { field: "currency", got });
        }
        match self.trade_state.as_str() {
            "SUCCESS" | "REFUND" => Ok(Heard::Paid {
                trade_no: TradeNo(self.transaction_id.filter(|id| !id.is_empty()).ok_or("transaction_id")?),
                amount: self.amount.and_then(|amount| amount.total).map(Fen::new).ok_or("amount.total")?,
                paid_at: self.success_time.and_then(|at| Moment::parse_rfc3339(&at)).ok_or("success_time")?,
            }),
            "NOTPAY" | "USERPAYING" | "PAYERROR" => Ok(Heard::Unpaid),
            "CLOSED" | "REVOKED" => Ok(Heard::Closed),
            _ => Err("trade_state"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{
        self, ATTEMPT, OPENID, Voice, account, body_of, is_signature, is_signed, paid, prepay_ask, wechat, wechat_at,
    };
    use super::*;
    use crate::channel::contract::PaymentChannel;
    use crate::clock::Clock;
    use crate::outbound::fake::{Fake, Play, Seen};

    /// Answers everything with the same words, signed.
    fn saying(status: u16, body: &str) -> Fake {
        let body = body.to_owned();
        Fake::start(move |_| Voice::public().answer(status, &body))
    }

    async fn opened(ask: &PrepayAsk, answer: &str) -> (Result<Prepay, ChannelError>, Vec<Seen>) {
        let fake = saying(200, answer);
        let result = wechat(&account(&fake.base)).prepay(ask).await;
        (result, fake.seen())
    }

    #[tokio::test]
    async fn jsapi_sends_the_payer_and_gets_a_prepay_id() {
        let answer = r#"{"prepay_id":"wx201410272009395522657a690389285100"}"#;
        let (prepay, seen) = opened(&prepay_ask(Product::WechatJsapi), answer).await;
        assert_eq!(prepay, Ok(Prepay::WechatJsapi { prepay_id: "wx201410272009395522657a690389285100".to_owned() }));
        assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("POST", "/v3/pay/transactions/jsapi"));
        assert!(is_signed(&seen[0]));
        let body = json!({
            "appid": "wx2421b1c4370ec43b", "mchid": "1900000001", "description": "学费", "out_trade_no": ATTEMPT,
            "time_expire": "2026-12-01T10:30:00+08:00",
            "notify_url": "https://pay.example.edu.cn/notify/wechat/fiscal",
            "amount": {"total": 934_994, "currency": "CNY"}, "payer": {"openid": OPENID},
        });
        assert_eq!(body_of(&seen[0]), body);
    }

    #[tokio::test]
    async fn h5_sends_the_payers_address_and_comes_back_to_us() {
        let ask = PrepayAsk { payer_ip: "::ffff:203.0.113.7".to_owned(), ..prepay_ask(Product::WechatH5) };
        let h5_url = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2016&package=1037687096";
        let (prepay, seen) = opened(&ask, &json!({"h5_url": h5_url}).to_string()).await;
        let url = format!("{h5_url}&redirect_url=https%3A%2F%2Fpay.example.edu.cn%2Fh5%2Fcashier%2FXF261201QMU000001");
        assert_eq!(prepay, Ok(Prepay::Redirect { url }));
        assert_eq!(seen[0].target, "/v3/pay/transactions/h5");
        let scene = json!({"payer_client_ip": "203.0.113.7", "h5_info": {"type": "Wap"}});
        assert_eq!(body_of(&seen[0])["scene_info"], scene);
        assert_eq!(body_of(&seen[0]).get("payer"), None);
    }

    #[tokio::test]
    async fn native_gets_a_code_and_sends_neither_payer_nor_scene() {
        let ask = prepay_ask(Product::WechatNative);
        let (prepay, seen) = opened(&ask, r#"{"code_url":"weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00"}"#).await;
        assert_eq!(prepay, Ok(Prepay::Code { text: "weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00".to_owned() }));
        let body = body_of(&seen[0]);
        assert_eq!((body.get("payer"), body.get("scene_info")), (None, None));
        assert!(!String::from_utf8(seen[0].body.clone()).unwrap().contains("null"));
    }

    #[tokio::test]
    async fn amounts_from_one_fen_to_beyond_32_bits_are_written_whole() {
        for fen in [1, 9_999_999_999, 3_000_000_000] {
            let ask = PrepayAsk { amount: Fen::new(fen), ..prepay_ask(Product::WechatNative) };
            let (_, seen) = opened(&ask, r#"{"code_url":"weixin://x"}"#).await;
            assert_eq!(body_of(&seen[0])["amount"]["total"], json!(fen));
        }
        for fen in [0, -1] {
            let ask = PrepayAsk { amount: Fen::new(fen), ..prepay_ask(Product::WechatNative) };
            let (prepay, seen) = opened(&ask, "{}").await;
            assert!(prepay.is_err() && seen.is_empty());
        }
    }

    #[tokio::test]
    async fn awkward_names_are_sent_as_wechat_pay_takes_them() {
        let names = [
            ("学费&住宿费=1+1 100% <b>\"}", "学费&住宿费=1+1 100% <b>\"}".to_owned()),
            ("𠮷田 学费\r\n", "〓田 学费".to_owned()),
            (&"住".repeat(99), "住".repeat(42)),
            ("\u{0}", "缴费".to_owned()),
        ];
        for (subject, sent) in names {
            let ask = PrepayAsk { subject: subject.to_owned(), ..prepay_ask(Product::WechatNative) };
            let (_, seen) = opened(&ask, r#"{"code_url":"weixin://x"}"#).await;
            assert_eq!(body_of(&seen[0])["description"], json!(sent));
            assert!(is_signed(&seen[0]));
        }
    }

    #[tokio::test]
    async fn the_same_ask_later_sends_the_same_bytes() {
        let fake = saying(200, r#"{"code_url":"weixin://x"}"#);
        let clock = Clock::manual(testing::now());
        let wechat = wechat_at(&account(&fake.base), &clock);
        for _ in 0..3 {
            wechat.prepay(&prepay_ask(Product::WechatNative)).await.ok();
            clock.advance(Duration::from_secs(140));
        }
        let seen = fake.seen();
        assert!(seen.iter().all(|one| one.body == seen[0].body));
        let far =
            PrepayAsk { expires_at: clock.now() + Duration::from_secs(8 * 86400), ..prepay_ask(Product::WechatNative) };
        wechat.prepay(&far).await.ok();
        assert_eq!(body_of(fake.seen().last().unwrap()).get("time_expire"), None);
    }

    #[tokio::test]
    async fn an_order_is_refused_before_it_is_sent_when_it_cannot_be_ours() {
        let fake = saying(200, "{}");
        let why =
            async |account: &crate::config::WechatAccount, ask: &PrepayAsk| match wechat(account).prepay(ask).await {
                Err(ChannelError::Refused { why, .. }) => why,
                other => panic!("{other:?}"),
            };
        let account = account(&fake.base);
        let nobody = PrepayAsk { buyer: None, ..prepay_ask(Product::WechatJsapi) };
        assert_eq!(why(&account, &nobody).await, RefusedFor::Buyer);
        assert_eq!(why(&account, &prepay_ask(Product::AlipayWap)).await, RefusedFor::Configuration);
        let without_h5 = crate::config::WechatAccount { h5: false, ..account };
        assert_eq!(why(&without_h5, &prepay_ask(Product::WechatH5)).await, RefusedFor::Configuration);
        assert!(fake.seen().is_empty());
    }

    #[tokio::test]
    async fn a_signed_answer_without_its_one_field_is_untrusted() {
        for product in [Product::WechatJsapi, Product::WechatH5, Product::WechatNative] {
            for answer in ["{}", r#"{"prepay_id":"","h5_url":"javascript:alert(1)","code_url":""}"#] {
                let (prepay, _) = opened(&prepay_ask(product), answer).await;
                assert!(matches!(prepay, Err(ChannelError::Untrusted(_))), "{product:?}");
            }
        }
        let refusal = r#"{"code":"PARAM_ERROR","message":"参数错误"}"#;
        let fake = saying(400, refusal);
        let prepay = wechat(&account(&fake.base)).prepay(&prepay_ask(Product::WechatNative)).await;
        assert!(matches!(prepay, Err(ChannelError::Refused { why: RefusedFor::Other, .. })));
    }

    #[test]
    fn the_bridge_gets_the_merchants_signature_over_four_lines() {
        let launch = wechat(&account("http://127.0.0.1:1")).launch_jsapi("wx2014", testing::now(), "5K8264ILTKCH16CQ");
        let launch = launch.unwrap();
        let time = testing::now().unix();
        let message = format!("wx2421b1c4370ec43b\n{time}\n5K8264ILTKCH16CQ\nprepay_id=wx2014\n");
        assert!(is_signature(&message, &launch.pay_sign));
        let mut shown = serde_json::to_value(&launch).unwrap();
        shown["paySign"] = json!("");
        let wanted = json!({
            "appId": "wx2421b1c4370ec43b", "timeStamp": time.to_string(), "nonceStr": "5K8264ILTKCH16CQ",
            "package": "prepay_id=wx2014", "signType": "RSA", "paySign": "",
        });
        assert_eq!(shown, wanted);
    }

    async fn asked(status: u16, body: &str) -> Result<Heard, ChannelError> {
        let fake = saying(status, body);
        let heard = wechat(&account(&fake.base)).query(&prepay_ask(Product::WechatNative).key()).await;
        let target = format!("/v3/pay/transactions/out-trade-no/{ATTEMPT}?mchid=1900000001");
        assert_eq!((fake.seen()[0].method.as_str(), &fake.seen()[0].target), ("GET", &target));
        heard
    }

    #[tokio::test]
    async fn a_payment_refunded_in_part_was_still_paid() {
        for state in ["SUCCESS", "REFUND"] {
            let mut transaction = paid(3_000_000_000);
            transaction["trade_state"] = json!(state);
            let heard = asked(200, &transaction.to_string()).await;
            assert!(matches!(heard, Ok(Heard::Paid { amount, .. }) if amount == Fen::new(3_000_000_000)), "{heard:?}");
        }
    }

    #[tokio::test]
    async fn every_other_state_is_unpaid_closed_or_absent() {
        let table = [
            ("NOTPAY", Heard::Unpaid),
            ("USERPAYING", Heard::Unpaid),
            ("PAYERROR", Heard::Unpaid),
            ("CLOSED", Heard::Closed),
            ("REVOKED", Heard::Closed),
        ];
        for (state, meant) in table {
            let body = json!({"appid": "wx2421b1c4370ec43b", "mchid": "1900000001", "out_trade_no": ATTEMPT,
                              "trade_state": state, "amount": {"total": 1}});
            assert_eq!(asked(200, &body.to_string()).await, Ok(meant), "{state}");
        }
        for code in ["ORDER_NOT_EXIST", "ORDERNOTEXIST"] {
            assert_eq!(
                asked(404, &json!({"code": code, "message": "订单不存在"}).to_string()).await,
                Ok(Heard::Absent)
            );
        }
        let mut other = paid(1);
        other["out_trade_no"] = json!("XF261201QMU000009T01");
        let foreign = Heard::Foreign { field: "out_trade_no", got: "XF261201QMU000009T01".to_owned() };
        assert_eq!(asked(200, &other.to_string()).await, Ok(foreign));
        other = paid(1);
        other["trade_state"] = json!("SOMETHING");
        assert!(matches!(asked(200, &other.to_string()).await, Err(ChannelError::Untrusted(_))));
    }

    #[tokio::test]
    async fn closing_ends_closed_paid_or_absent() {
        let table = [
            (204, "", Ok(Closing::Closed)),
            (400, "ORDER_PAID", Ok(Closing::Paid)),
            (400, "ORDERPAID", Ok(Closing::Paid)),
            (400, "ORDER_CLOSED", Ok(Closing::Closed)),
            (404, "ORDER_NOT_EXIST", Ok(Closing::Absent)),
            (500, "SYSTEM_ERROR", Err(ChannelError::Unreachable("status 500 SYSTEM_ERROR".to_owned()))),
        ];
        for (status, code, ended) in table {
            let body = if code.is_empty() { String::new() } else { json!({ "code": code }).to_string() };
            let fake = saying(status, &body);
            let closing = wechat(&account(&fake.base)).close(&prepay_ask(Product::WechatNative).key()).await;
            assert_eq!(closing, ended, "{status} {code}");
            assert_eq!(fake.seen()[0].target, format!("/v3/pay/transactions/out-trade-no/{ATTEMPT}/close"));
            assert_eq!(body_of(&fake.seen()[0]), json!({"mchid": "1900000001"}));
        }
        let unsigned = Fake::start(|_| Play::plain(204, ""));
        let closing = wechat(&account(&unsigned.base)).close(&prepay_ask(Product::WechatNative).key()).await;
        assert!(matches!(closing, Err(ChannelError::Untrusted(_))));
    }
}
