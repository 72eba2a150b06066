//! Money back: `alipay.trade.refund` and `alipay.trade.fastpay.refund.query`.
//!
//! Our refund number is Alipay's `out_request_no`; the same number with the same amount is the same refund. Alipay gives a
//! refund no number of its own, so ours is also the channel's.
use alipay_sdk_rust::biz::{BizContenter, TradeFastpayRefundQueryBiz, TradeRefundBiz};
use alipay_sdk_rust::response::RefundResponse;

use super::gateway::Gateway;
use super::order;
use super::refusal::Failure;
use super::request::Call;
use super::trades::ours;
use crate::channel::contract::{ChannelError, RefundAsk};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::trade::RefundHeard;

/// `alipay.trade.refund`. Only `fund_change=Y` proves that money moved; `N` also comes on a repeated ask, so then the
/// refund is asked for.
pub async fn refund(gateway: &Gateway, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
    let mut biz = TradeRefundBiz::new();
    address(&mut biz, ask);
    biz.set_refund_amount(ask.amount.yuan().into());
    biz.set("refund_reason", order::subject(&ask.reason).into());
    let answer: RefundResponse = gateway.call(Call::of(&biz)).await?;
    same(answer.out_trade_no.as_deref(), answer.trade_no.as_deref(), ask)?;
    if answer.fund_change.as_deref() == Some("Y") {
        let at = time(answer.gmt_refund_pay.as_deref(), gateway);
        // refund_fee is the sum of all refunds of the trade, so the amount of this one is the one asked for
        return Ok(RefundHeard::Done { channel_refund_no: ask.refund_no.to_string(), amount: ask.amount, at });
    }
    match query_refund(gateway, ask).await? {
        // accepted a moment ago; the query knows it some seconds later
        RefundHeard::Absent => Ok(RefundHeard::Processing { channel_refund_no: ask.refund_no.to_string() }),
        heard => Ok(heard),
    }
}

/// The fields of `alipay.trade.fastpay.refund.query` we act upon. Not the SDK's type: that one knows no `refund_status`, the
/// only proof.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Queried {
    out_trade_no: Option<String>,
    trade_no: Option<String>,
    out_request_no: Option<String>,
    refund_status: Option<String>,
    refund_amount: Option<String>,
    gmt_refund_pay: Option<String>,
}

/// `alipay.trade.fastpay.refund.query`. Without a status the refund has not arrived or has failed: it may be asked again
/// under the same number.
pub async fn query_refund(gateway: &Gateway, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
    let mut biz = TradeFastpayRefundQueryBiz::new();
    address(&mut biz, ask);
    biz.set("query_options", vec!["gmt_refund_pay".into()].into());
    let answer: Queried = match gateway.call(Call::of(&biz)).await {
        Ok(answer) => answer,
        Err(Failure::Refused(refusal)) if refusal.proves_absence() => return Ok(RefundHeard::Absent),
        Err(failure) => return Err(failure.into()),
    };
    same(answer.out_trade_no.as_deref(), answer.trade_no.as_deref(), ask)?;
    let refund_no = ask.refund_no.to_string();
    if answer.out_request_no.as_deref().is_some_and(|heard| heard != refund_no) {
        return Err(ChannelError::Untrusted("an answer about another out_request_no".to_owned()));
    }
    match answer.refund_status.as_deref() {
        None | Some("") => Ok(RefundHeard::Absent),
        Some("REFUND_SUCCESS") => {
            let amount = answer.refund_amount.as_deref().and_then(Fen::from_yuan);
            let amount = amount.ok_or(ChannelError::Untrusted("no usable refund_amount in the answer".to_owned()))?;
            let at = time(answer.gmt_refund_pay.as_deref(), gateway);
            Ok(RefundHeard::Done { channel_refund_no: refund_no, amount, at })
        }
        Some(_) => Ok(RefundHeard::Processing { channel_refund_no: refund_no }),
    }
}

/// Which refund of which trade. Where both numbers are given, Alipay goes by its own.
fn address(biz: &mut impl BizContenter, ask: &RefundAsk) {
    biz.set("out_trade_no", ask.attempt_no.to_string().into());
    if !ask.trade_no.0.is_empty() {
        biz.set("trade_no", ask.trade_no.0.clone().into());
    }
    biz.set("out_request_no", ask.refund_no.to_string().into());
}

fn same(out_trade_no: Option<&str>, trade_no: Option<&str>, ask: &RefundAsk) -> Result<(), Failure> {
    ours(out_trade_no, &ask.attempt_no)?;
    match trade_no {
        Some(no) if !ask.trade_no.0.is_empty() && no != ask.trade_no.0 => {
            Err(Failure::Untrusted("an answer about another trade_no".to_owned()))
        }
        _ => Ok(()),
    }
}

fn time(text: Option<&str>, gateway: &Gateway) -> Moment {
    text.and_then(Moment::parse_beijing).unwrap_or_else(|| gateway.now())
}
