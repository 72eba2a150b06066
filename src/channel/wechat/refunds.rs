//! Refunds: ask and ask about (WeChat Pay v3, domestic refunds).
//!
//! The same `out_refund_no` again is the same refund. 200 says only that it was accepted. A time-out says nothing: ask
//! about it, and when it is absent, ask for it again under the same number.
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wechat_pay_rust_sdk::model::{ParamsTrait, RefundsParams};

use super::client::Client;
use super::text::clean;
use crate::channel::contract::{ChannelError, RefundAsk, RefusedFor};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::trade::RefundHeard;

/// `reason` may have 80 bytes (WeChat Pay v3, refunds).
const LONGEST_REASON: usize = 80;

pub async fn refund(client: &Client, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
    let answer: Refund = client.ask(Method::POST, "/v3/refund/domestic/refunds", &refund_body(ask)).await?;
    answer.heard_for(ask)
}

pub async fn query(client: &Client, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
    let path = format!("/v3/refund/domestic/refunds/{}", ask.refund_no);
    match client.ask::<Refund>(Method::GET, &path, "").await {
        Ok(answer) => answer.heard_for(ask),
        Err(ChannelError::Refused { why: RefusedFor::Absent, .. }) => Ok(RefundHeard::Absent),
        Err(error) => Err(error),
    }
}

/// `notify_url` is always sent: without it the notice would come as v2 XML. `appid` and `mchid` would be refused here.
fn refund_body(ask: &RefundAsk) -> String {
    // The SDK counts fen in 32 bits: the amounts are written below, in 64
    let (refund_no, trade_no) = (ask.refund_no.as_str(), ask.trade_no.0.as_str());
    let mut params = RefundsParams::new(refund_no, 0, 0, Some(trade_no), None);
    params.reason = Some(clean(&ask.reason, LONGEST_REASON)).filter(|reason| !reason.is_empty());
    params.notify_url = Some(ask.notify_url.clone());
    let mut body: Map<String, Value> =
        serde_json::from_str(&params.to_json()).expect("the SDK's parameters are a JSON object");
    let amount = json!({"refund": ask.amount.get(), "total": ask.total.get(), "currency": "CNY"});
    body.insert("amount".to_owned(), amount);
    Value::Object(body).to_string()
}

/// A refund as answers and notices tell it: the state is `status` in the one, `refund_status` in the other.
#[derive(Deserialize)]
pub struct Refund {
    /// Only in notices
    pub mchid: Option<String>,
    pub refund_id: String,
    pub out_refund_no: String,
    pub out_trade_no: Option<String>,
    pub status: Option<String>,
    pub refund_status: Option<String>,
    pub success_time: Option<String>,
    pub amount: Option<Amount>,
}

#[derive(Deserialize)]
pub struct Amount {
    /// Fen
    pub refund: Option<i64>,
    pub currency: Option<String>,
}

impl Refund {
    /// What it means for us. The error names the field that is missing or unreadable.
    pub fn heard(self) -> Result<RefundHeard, &'static str> {
        match self.status.or(self.refund_status).ok_or("status")?.as_str() {
            "SUCCESS" => {
                let amount = self.amount.ok_or("amount")?;
                if amount.currency.is_some_and(|currency| currency != "CNY") {
                    return Err("amount.currency");
                }
                Ok(RefundHeard::Done {
                    channel_refund_no: self.refund_id,
                    amount: amount.refund.map(Fen::new).ok_or("amount.refund")?,
                    at: self.success_time.and_then(|at| Moment::parse_rfc3339(&at)).ok_or("success_time")?,
                })
            }
            "PROCESSING" => Ok(RefundHeard::Processing { channel_refund_no: self.refund_id }),
            "CLOSED" => Ok(RefundHeard::Closed),
            "ABNORMAL" => Ok(RefundHeard::Abnormal {
                why: "the payer's bank card or balance cannot take the money; handle it on WeChat Pay's platform"
                    .to_owned(),
            }),
            _ => Err("status"),
        }
    }

    fn heard_for(self, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
        let other_order = self.out_trade_no.as_deref().is_some_and(|no| no != ask.attempt_no.as_str());
        if self.out_refund_no != ask.refund_no.as_str() || other_order {
            return Err(ChannelError::Untrusted("a signed answer about another refund".to_owned()));
        }
        self.heard().map_err(|field| ChannelError::Untrusted(format!("a signed answer without a usable {field}")))
    }
}
