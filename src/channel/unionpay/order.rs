//! 消费 01/01: the form a payer's browser takes to UnionPay's cashier (ACP 5.1.0, frontTransReq). The order appears
//! there when the payer does; the same form again, before it is paid, is the same order.
use super::gateway::Gateway;
use super::times;
use crate::channel::contract::{ChannelError, Prepay, PrepayAsk, RefusedFor};
use crate::domain::trade::Product;

/// # Errors
/// A product of another channel.
pub fn prepay(gateway: &Gateway, ask: &PrepayAsk) -> Result<Prepay, ChannelError> {
    let channel_type = match ask.product {
        Product::UnionPayWap => "08",
        Product::UnionPayPage => "07",
        other => {
            let message = format!("{} is no product of UnionPay", other.code());
            return Err(ChannelError::Refused {
                why: RefusedFor::Configuration,
                code: "product".to_owned(),
                message,
            });
        }
    };
    let form = gateway.front(&[
        ("txnType", "01"),
        ("txnSubType", "01"),
        ("channelType", channel_type),
        ("orderId", ask.attempt_no.as_str()),
        ("txnTime", &times::text(ask.opened_at)),
        ("txnAmt", &ask.amount.get().to_string()),
        ("currencyCode", "156"),
        ("payTimeout", &times::text(ask.expires_at)),
        ("frontUrl", &ask.return_url),
        ("backUrl", &ask.notify_url),
    ]);
    Ok(Prepay::Form(form))
}
