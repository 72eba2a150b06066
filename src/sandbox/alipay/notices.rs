//! Notices as Alipay sends them: a form in the order's charset, signed by rule "V1" (Alipay, asynchronous notice).
use std::time::Duration;

use serde_json::json;

use crate::domain::money::Fen;
use crate::domain::trade::Channel;
use crate::sandbox::outbox::{Manner, NoticeAbout, NoticeJob, Outgoing};
use crate::sandbox::trade::{RefundState, Trade, TradeState};
use crate::sandbox::world::Sandbox;

use super::params::form;
use super::trades::{FOREIGN_SELLER, charset_of, payer, status};
use super::voice::{sign, v1_source};

type Fields = Vec<(&'static str, String)>;

/// One try. None where Alipay sends nothing.
pub fn compose(world: &Sandbox, job: &NoticeJob, trade: &Trade, manner: Manner) -> Option<Outgoing> {
    let (charset, label) = charset_of(trade.ask.gbk || world.switches().alipay_gbk);
    let mut fields = common(world, job, trade, manner, label)?;
    fields.extend(times(trade));
    if let NoticeAbout::Refund { refund_no } = &job.about {
        fields.extend(refund(trade, refund_no)?);
    }
    if let Some(signature) = sign(manner.signing, &v1_source(charset, &fields)) {
        fields.push(("sign", signature));
    }
    let content_type = match trade.ask.gbk || world.switches().alipay_gbk {
        true => "application/x-www-form-urlencoded; charset=GBK",
        false => "application/x-www-form-urlencoded; charset=utf-8",
    };
    Some(Outgoing { content_type, headers: Vec::new(), body: form(charset, &fields).into_bytes() })
}

fn common(world: &Sandbox, job: &NoticeJob, trade: &Trade, manner: Manner, label: &str) -> Option<Fields> {
    let lies = manner.lies;
    let seller = {
        let merchant =
            world.options.merchants.iter().find(|m| m.channel == Channel::Alipay && m.id == job.key.merchant);
        if lies.merchant { FOREIGN_SELLER.to_owned() } else { merchant?.seller_id.clone() }
    };
    let app_id = if lies.app { "2021999999999999".to_owned() } else { trade.ask.app_id.clone() };
    let total = (trade.ask.total + Fen::new(lies.more_fen)).yuan();
    let status = match job.about {
        NoticeAbout::Paid if trade.is_paid() => "TRADE_SUCCESS",
        _ => status(world, trade),
    };
    let mut fields: Fields = vec![
        ("notify_time", (world.now() - Duration::from_secs(manner.age)).beijing_text()),
        ("notify_type", "trade_status_sync".to_owned()),
        ("notify_id", job.id.replace("EV-", "")),
        ("app_id", app_id.clone()),
        ("auth_app_id", app_id),
        ("charset", label.to_owned()),
        ("version", "1.0".to_owned()),
        ("sign_type", "RSA2".to_owned()),
        ("trade_no", trade.trade_no.clone()),
        ("out_trade_no", job.key.out_trade_no.clone()),
        ("seller_id", seller),
        ("seller_email", "cwc***@sandbox.example".to_owned()),
        ("trade_status", status.to_owned()),
        ("total_amount", total.clone()),
        ("subject", trade.ask.description.clone()),
        ("gmt_create", trade.ordered_at.beijing_text()),
    ];
    fields.extend(trade.ask.body.clone().map(|body| ("body", body)));
    fields.extend(trade.ask.attach.clone().map(|attach| ("passback_params", attach)));
    // notices call the user id `buyer_id`, answers `buyer_user_id`
    let renamed = |(name, value)| (if name == "buyer_user_id" { "buyer_id" } else { name }, value);
    fields.extend(payer(world, trade).into_iter().map(renamed));
    if trade.is_paid() {
        fields.push(("receipt_amount", total.clone()));
        fields.push(("invoice_amount", total.clone()));
        fields.push(("buyer_pay_amount", total.clone()));
        fields.push(("point_amount", "0.00".to_owned()));
        let bills = json!([{ "amount": total, "fundChannel": "ALIPAYACCOUNT" }]);
        fields.push(("fund_bill_list", bills.to_string()));
    }
    Some(fields)
}

/// When it was paid, or closed unpaid.
fn times(trade: &Trade) -> Option<(&'static str, String)> {
    match &trade.state {
        TradeState::NotPay => None,
        TradeState::Closed { at } => Some(("gmt_close", at.beijing_text())),
        TradeState::Paid { at, .. } => Some(("gmt_payment", at.beijing_text())),
    }
}

/// What is told of one refund; `refund_fee` is the sum of all of them.
fn refund(trade: &Trade, refund_no: &str) -> Option<Fields> {
    let refund = trade.refund(refund_no)?;
    let RefundState::Success { at } = refund.state else { return None };
    let mut fields: Fields = vec![
        ("out_biz_no", refund_no.to_owned()),
        ("out_request_no", refund_no.to_owned()),
        ("refund_fee", trade.sent_back().yuan()),
        ("send_back_fee", refund.amount.yuan()),
        ("refund_amount", refund.amount.yuan()),
        ("refund_status", "REFUND_SUCCESS".to_owned()),
        ("gmt_refund", at.format("%Y-%m-%d %H:%M:%S%.3f")),
    ];
    if trade.sent_back() == trade.ask.total {
        fields.push(("gmt_close", at.beijing_text()));
    }
    fields.extend(refund.reason.clone().map(|reason| ("refund_reason", reason)));
    Some(fields)
}
