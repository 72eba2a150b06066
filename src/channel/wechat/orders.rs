//! Orders: open, ask, close (WeChat Pay v3: JSAPI, H5, Native; query by out_trade_no; close).
//!
//! The number of an attempt is `out_trade_no`. Opening again with the same ask sends the same parameters, and WeChat Pay
//! answers with a fresh `prepay_id`, `code_url` or `h5_url`; so nothing in the body may depend on the time of asking.
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
