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
            return Err(ChannelError::Refused { why: RefusedFor::Configuration, code: "product".to_owned(), message });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::unionpay::testing::{self, Told, merchant_signed};
    use crate::domain::moment::Moment;

    fn form(ask: &PrepayAsk) -> (String, Told, Vec<String>) {
        match prepay(&testing::unreachable_gateway(), ask) {
            Ok(Prepay::Form(form)) => (form.action, form.fields.into_iter().collect(), form.origins),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_form_is_signed_and_says_what_when_and_how_much() {
        let (action, fields, origins) = form(&testing::ask());
        assert_eq!(action, "http://127.0.0.1:1/gateway/api/frontTransReq.do");
        assert_eq!(origins, ["http://127.0.0.1:1", "https://cashier.95516.com"]);
        assert!(merchant_signed(&fields));
        for (name, value) in [
            ("txnType", "01"),
            ("txnSubType", "01"),
            ("bizType", "000201"),
            ("channelType", "08"),
            ("orderId", testing::ATTEMPT),
            ("txnTime", "20260901102436"),
            ("payTimeout", "20260901105436"),
            ("txnAmt", "909995"),
            ("currencyCode", "156"),
            ("merId", testing::MER_ID),
            ("frontUrl", "https://pay.example.edu.cn/h5/result/XF260901QMU000001"),
            ("backUrl", "https://pay.example.edu.cn/notify/unionpay/fiscal"),
        ] {
            assert_eq!(fields.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(!fields.values().any(|value| value.contains("学费")), "nothing of the payer's but number and amount");
    }

    #[test]
    fn the_same_attempt_is_the_same_form_at_any_time_and_a_desktops_is_another_channel_type() {
        assert_eq!(form(&testing::ask()), form(&testing::ask()));
        let desktop = PrepayAsk { product: Product::UnionPayPage, ..testing::ask() };
        assert_eq!(form(&desktop).1["channelType"], "07");
        let later = PrepayAsk { opened_at: Moment::parse_beijing("2026-12-31 23:59:59").unwrap(), ..testing::ask() };
        assert_eq!(form(&later).1["txnTime"], "20261231235959");
        let foreign = PrepayAsk { product: Product::AlipayWap, ..testing::ask() };
        let refused = prepay(&testing::unreachable_gateway(), &foreign);
        assert!(matches!(refused, Err(ChannelError::Refused { why: RefusedFor::Configuration, .. })));
    }
}
