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

#[cfg(test)]
mod tests {
    use super::super::testing::{Voice, account, body_of, is_signed, refund_ask, wechat};
    use super::*;
    use crate::channel::contract::PaymentChannel;
    use crate::outbound::fake::{Fake, Play};

    fn accepted(status: &str) -> Value {
        // Without funds_account, channel, user_received_account and most amounts: nothing of them is needed
        json!({
            "refund_id": "50000000382019052709732678859", "out_refund_no": "XF261201QMU000001T01R01",
            "transaction_id": "4200000263201902167700134902", "out_trade_no": "XF261201QMU000001T01",
            "create_time": "2026-12-01T09:59:50+08:00", "success_time": "2026-12-01T09:59:58+08:00", "status": status,
            "amount": {"total": 4_000_000_000_i64, "refund": 3_000_000_000_i64, "currency": "CNY"},
        })
    }

    async fn asked(status: u16, body: &str) -> [Result<RefundHeard, ChannelError>; 2] {
        let body = body.to_owned();
        let fake = Fake::start(move |_| Voice::public().answer(status, &body));
        let wechat = wechat(&account(&fake.base));
        let ask = refund_ask(3_000_000_000, 4_000_000_000);
        let heard = [wechat.refund(&ask).await, wechat.query_refund(&ask).await];
        let seen = fake.seen();
        assert!(seen.iter().all(is_signed));
        assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("POST", "/v3/refund/domestic/refunds"));
        assert_eq!(
            (seen[1].method.as_str(), seen[1].target.as_str()),
            ("GET", "/v3/refund/domestic/refunds/XF261201QMU000001T01R01")
        );
        let wanted = json!({
            "transaction_id": "4200000263201902167700134902", "out_refund_no": "XF261201QMU000001T01R01",
            "reason": "重复缴费", "notify_url": "https://pay.example.edu.cn/notify/wechat/fiscal",
            "amount": {"refund": 3_000_000_000_i64, "total": 4_000_000_000_i64, "currency": "CNY"},
        });
        assert_eq!(body_of(&seen[0]), wanted);
        heard
    }

    #[tokio::test]
    async fn each_state_of_a_refund_is_heard_in_the_answer_and_in_the_query() {
        let channel_refund_no = "50000000382019052709732678859".to_owned();
        let at = Moment::parse_rfc3339("2026-12-01T09:59:58+08:00").unwrap();
        let amount = Fen::new(3_000_000_000);
        let done = RefundHeard::Done { channel_refund_no: channel_refund_no.clone(), amount, at };
        let table = [
            ("SUCCESS", done),
            ("PROCESSING", RefundHeard::Processing { channel_refund_no }),
            ("CLOSED", RefundHeard::Closed),
        ];
        for (status, meant) in table {
            for heard in asked(200, &accepted(status).to_string()).await {
                assert_eq!(heard, Ok(meant.clone()), "{status}");
            }
        }
        for heard in asked(200, &accepted("ABNORMAL").to_string()).await {
            assert!(matches!(heard, Ok(RefundHeard::Abnormal { .. })));
        }
    }

    #[tokio::test]
    async fn a_refund_never_accepted_is_absent_when_asked_about() {
        let body = r#"{"code":"RESOURCE_NOT_EXISTS","message":"退款单不存在"}"#;
        let [refund, query] = asked(404, body).await;
        assert!(matches!(refund, Err(ChannelError::Refused { why: RefusedFor::Absent, .. })));
        assert_eq!(query, Ok(RefundHeard::Absent));
    }

    #[tokio::test]
    async fn an_empty_merchant_account_is_told_apart_from_other_refusals() {
        for code in ["NOT_ENOUGH", "NOTENOUGH"] {
            let body = json!({"code": code, "message": "基本账户余额不足，请充值后重新发起"}).to_string();
            let [refund, _] = asked(403, &body).await;
            assert!(matches!(refund, Err(ChannelError::Refused { why: RefusedFor::NotEnoughFunds, .. })), "{code}");
        }
        let body = r#"{"code":"INVALID_REQUEST","message":"订单金额或退款金额与之前请求不一致，请核实后再试"}"#;
        let [refund, _] = asked(400, body).await;
        assert!(matches!(refund, Err(ChannelError::Refused { why: RefusedFor::Other, .. })));
        for heard in asked(429, r#"{"code":"FREQUENCY_LIMITED","message":"频率限制"}"#).await {
            assert!(matches!(heard, Err(ChannelError::Unreachable(_))));
        }
    }

    #[tokio::test]
    async fn an_answer_about_another_refund_or_of_no_state_is_untrusted() {
        for (field, value) in [
            ("out_refund_no", json!("XF261201QMU000001T01R02")),
            ("out_trade_no", json!("XF261201QMU000002T01")),
            ("status", json!("LOST")),
            ("status", Value::Null),
            ("success_time", json!("yesterday")),
            ("amount", Value::Null),
        ] {
            let mut answer = accepted("SUCCESS");
            answer[field] = value;
            for heard in asked(200, &answer.to_string()).await {
                assert!(matches!(heard, Err(ChannelError::Untrusted(_))), "{field}");
            }
        }
    }

    #[tokio::test]
    async fn a_lost_answer_is_unreachable_and_asked_about_later() {
        let fake = Fake::start(|seen| match seen.method.as_str() {
            "POST" => Play::Silence,
            _ => Voice::public().answer(200, &accepted("PROCESSING").to_string()),
        });
        let wechat = wechat(&account(&fake.base));
        let ask = refund_ask(3_000_000_000, 4_000_000_000);
        assert!(matches!(wechat.refund(&ask).await, Err(ChannelError::Unreachable(_))));
        assert!(matches!(wechat.query_refund(&ask).await, Ok(RefundHeard::Processing { .. })));
    }

    #[test]
    fn a_long_reason_fits_80_bytes_and_an_empty_one_is_left_out() {
        let sent = |reason: &str| {
            let body = refund_body(&RefundAsk { reason: reason.to_owned(), ..refund_ask(1, 1) });
            serde_json::from_str::<Value>(&body).unwrap()["reason"].clone()
        };
        assert_eq!(sent(&"退".repeat(50)), json!("退".repeat(26)));
        assert_eq!(sent(" "), Value::Null);
    }
}
