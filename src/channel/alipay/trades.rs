//! One trade at Alipay: made from our side (`precreate`, `create`), asked for (`query`), made unpayable (`close`).
use alipay_sdk_rust::biz::BizContenter;
use alipay_sdk_rust::biz::{TradeCloseBiz, TradeCreateBiz, TradePrecreateBiz, TradeQueryBiz};
use alipay_sdk_rust::response::{CloseResponse, CreateResponse, PrecreateResponse};

use super::gateway::Gateway;
use super::order;
use super::refusal::{Failure, Refusal};
use super::request::Call;
use crate::channel::contract::{ChannelError, Closing, Prepay, PrepayAsk, RefusedFor};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::AttemptNo;
use crate::domain::trade::{Buyer, Heard, TradeNo};

/// `alipay.trade.precreate`: a text to show as a QR code. It lives two hours at most.
pub async fn precreate(gateway: &Gateway, ask: &PrepayAsk) -> Result<Prepay, ChannelError> {
    let mut biz = TradePrecreateBiz::new();
    order::fill(&mut biz, ask, &gateway.seller_id, gateway.now());
    biz.set("product_code", "FACE_TO_FACE_PAYMENT".into());
    let call = Call::of(&biz).with("notify_url", &ask.notify_url);
    let answer: PrecreateResponse = gateway.call(call).await?;
    ours(answer.out_trade_no.as_deref(), &ask.attempt_no)?;
    match answer.qr_code.filter(|text| !text.is_empty()) {
        Some(text) => Ok(Prepay::Code { text }),
        None => Err(ChannelError::Untrusted("no qr_code in the answer".to_owned())),
    }
}

/// `alipay.trade.create` for the Alipay app's own web view; the payer must be known.
pub async fn create(gateway: &Gateway, ask: &PrepayAsk) -> Result<Prepay, ChannelError> {
    let (name, id) = match &ask.buyer {
        Some(Buyer::AlipayUser(id)) if !id.is_empty() => ("buyer_id", id),
        Some(Buyer::AlipayOpenid(id)) if !id.is_empty() => ("buyer_open_id", id),
        _ => {
            let (code, message) = ("buyer_id".to_owned(), "the payer's Alipay id is missing".to_owned());
            return Err(ChannelError::Refused { why: RefusedFor::Buyer, code, message });
        }
    };
    let mut biz = TradeCreateBiz::new();
    order::fill(&mut biz, ask, &gateway.seller_id, gateway.now());
    biz.set("product_code", "JSAPI_PAY".into());
    biz.set("op_app_id", gateway.app_id.clone().into());
    biz.set(name, id.clone().into());
    let call = Call::of(&biz).with("notify_url", &ask.notify_url);
    let answer: CreateResponse = gateway.call(call).await?;
    ours(answer.out_trade_no.as_deref(), &ask.attempt_no)?;
    match answer.trade_no.filter(|no| !no.is_empty()) {
        Some(trade_no) => Ok(Prepay::AlipayJsapi { trade_no }),
        None => Err(ChannelError::Untrusted("no trade_no in the answer".to_owned())),
    }
}

/// An answer about another order than the one asked for is none.
pub fn ours(heard: Option<&str>, attempt_no: &AttemptNo) -> Result<(), Failure> {
    match heard {
        Some(other) if other != attempt_no.as_str() => {
            Err(Failure::Untrusted("an answer about another out_trade_no".to_owned()))
        }
        _ => Ok(()),
    }
}

/// The fields of `alipay.trade.query` we act upon. Not the SDK's type: that one knows no `seller_id`, and fails on shapes of
/// fields we do not need (`trade_settle_info`), which would leave a paid order unbooked.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Queried {
    out_trade_no: Option<String>,
    trade_no: Option<String>,
    trade_status: Option<String>,
    total_amount: Option<String>,
    send_pay_date: Option<String>,
    seller_id: Option<String>,
}

/// `alipay.trade.query`
pub async fn query(gateway: &Gateway, attempt_no: &AttemptNo) -> Result<Heard, ChannelError> {
    let mut biz = TradeQueryBiz::new();
    biz.set_out_trade_no(attempt_no.to_string().into());
    match gateway.call::<Queried>(Call::of(&biz)).await {
        Ok(answer) => judge(answer, attempt_no, &gateway.seller_id, gateway.now()),
        Err(Failure::Refused(refusal)) if refusal.proves_absence() => Ok(Heard::Absent),
        Err(failure) => Err(failure.into()),
    }
}

fn judge(answer: Queried, attempt_no: &AttemptNo, seller_id: &str, now: Moment) -> Result<Heard, ChannelError> {
    let missing = |name: &str| ChannelError::Untrusted(format!("no usable {name} in the answer"));
    let number = answer.out_trade_no.ok_or_else(|| missing("out_trade_no"))?;
    if number != attempt_no.as_str() {
        return Ok(Heard::Foreign { field: "out_trade_no", got: number });
    }
    if let Some(seller) = foreign_seller(answer.seller_id, seller_id) {
        return Ok(Heard::Foreign { field: "seller_id", got: seller });
    }
    match answer.trade_status.as_deref() {
        Some("WAIT_BUYER_PAY") => return Ok(Heard::Unpaid),
        // closed with a payment time: paid, and refunded in full since
        Some("TRADE_CLOSED") if answer.send_pay_date.is_none() => return Ok(Heard::Closed),
        Some("TRADE_SUCCESS" | "TRADE_FINISHED" | "TRADE_CLOSED") => {}
        _ => return Err(missing("trade_status")),
    }
    Ok(Heard::Paid {
        trade_no: TradeNo(answer.trade_no.filter(|no| !no.is_empty()).ok_or_else(|| missing("trade_no"))?),
        amount: answer.total_amount.as_deref().and_then(Fen::from_yuan).ok_or_else(|| missing("total_amount"))?,
        paid_at: answer.send_pay_date.as_deref().and_then(Moment::parse_beijing).unwrap_or(now),
    })
}

/// The seller an answer names, when it is not ours. Not every answer names one.
pub fn foreign_seller(heard: Option<String>, ours: &str) -> Option<String> {
    heard.filter(|heard| !heard.is_empty() && !ours.is_empty() && heard != ours)
}

/// `alipay.trade.close`. Alipay closes unpaid trades only; when it will not, the trade's state says why.
pub async fn close(gateway: &Gateway, attempt_no: &AttemptNo) -> Result<Closing, ChannelError> {
    let mut biz = TradeCloseBiz::new();
    biz.set_out_trade_no(attempt_no.to_string().into());
    let refusal = match gateway.call::<CloseResponse>(Call::of(&biz)).await {
        Ok(answer) => {
            ours(answer.out_trade_no.as_deref(), attempt_no)?;
            return Ok(Closing::Closed);
        }
        Err(Failure::Refused(refusal)) if refusal.proves_absence() => return Ok(Closing::Absent),
        Err(Failure::Refused(refusal)) if is_about_its_state(&refusal) => refusal,
        Err(failure) => return Err(failure.into()),
    };
    match query(gateway, attempt_no).await? {
        Heard::Paid { .. } => Ok(Closing::Paid),
        Heard::Closed => Ok(Closing::Closed),
        Heard::Absent => Ok(Closing::Absent),
        Heard::Unpaid => Err(ChannelError::Unreachable(format!("{} though the trade is unpaid", refusal.code))),
        Heard::Foreign { field, .. } => Err(ChannelError::Untrusted(format!("another {field} in the answer"))),
    }
}

fn is_about_its_state(refusal: &Refusal) -> bool {
    let by_name = ["TRADE_STATUS_ERROR", "REASON_TRADE_STATUS_INVALID", "REASON_ILLEGAL_STATUS"];
    by_name.contains(&refusal.name()) || matches!(refusal.why, RefusedFor::AlreadyPaid | RefusedFor::AlreadyClosed)
}
