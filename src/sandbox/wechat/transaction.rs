//! A payment as WeChat Pay tells it, the same in a query's answer and inside a notice (WeChat Pay v3, query order).
use serde_json::{Value, json};

use crate::domain::trade::Product;
use crate::sandbox::faults::Lies;
use crate::sandbox::trade::{Trade, TradeState};

/// 交易类型 in answers; H5 is called MWEB there.
pub const fn trade_type(product: Product) -> &'static str {
    match product {
        Product::WechatJsapi => "JSAPI",
        Product::WechatNative => "NATIVE",
        _ => "MWEB",
    }
}

/// 交易状态 with its words. Any refund, also of a part, makes it REFUND.
pub fn trade_state(trade: &Trade) -> (&'static str, &'static str) {
    match trade.state {
        TradeState::NotPay => ("NOTPAY", "订单未支付"),
        TradeState::Closed { .. } => ("CLOSED", "订单已关闭"),
        TradeState::Paid { .. } if !trade.committed().is_zero() => ("REFUND", "订单发生过退款，退款详情请查询退款单"),
        TradeState::Paid { .. } => ("SUCCESS", "支付成功"),
    }
}

/// The answer of a query, as the trade is now.
pub fn as_queried(trade: &Trade, lies: Lies) -> Value {
    document(trade, trade_state(trade), lies)
}

/// The plaintext of a payment notice: as it was when paid, whatever was refunded since.
pub fn as_notified(trade: &Trade, lies: Lies) -> Value {
    document(trade, ("SUCCESS", "支付成功"), lies)
}

fn document(trade: &Trade, (state, words): (&str, &str), lies: Lies) -> Value {
    let total = trade.ask.total.get() + lies.more_fen;
    let currency = if lies.currency { "USD" } else { "CNY" };
    let mut told = json!({
        "appid": if lies.app { "wx0000000000foreign" } else { &trade.ask.app_id },
        "mchid": if lies.merchant { "1900009999" } else { &trade.key().merchant },
        "out_trade_no": trade.key().out_trade_no,
        "promotion_detail": [],
        "trade_state": state,
        "trade_state_desc": words,
    });
    if let Some(attach) = &trade.ask.attach {
        told["attach"] = json!(attach);
    }
    match &trade.state {
        TradeState::Paid { at, wallet, .. } => {
            told["transaction_id"] = json!(trade.trade_no);
            told["trade_type"] = json!(trade_type(trade.ask.product));
            told["bank_type"] = json!("OTHERS");
            told["success_time"] = json!(at.rfc3339());
            told["payer"] = json!({ "openid": wallet });
            told["amount"] =
                json!({ "total": total, "payer_total": total, "currency": currency, "payer_currency": currency });
        }
        TradeState::NotPay | TradeState::Closed { .. } => {
            told["payer"] = json!({});
            told["amount"] = json!({ "total": total, "currency": currency, "payer_currency": currency });
        }
    }
    told
}
