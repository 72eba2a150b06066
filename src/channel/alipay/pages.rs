//! The two page methods: `alipay.trade.wap.pay` for phones' browsers and `alipay.trade.page.pay` for computers.
//!
//! Both are only an address for the payer's browser, signed here; Alipay makes the trade when the payer arrives
//! there, and until then a query finds nothing.
use alipay_sdk_rust::biz::{BizContenter, TradePagePayBiz, TradeWapPayBiz};

use super::gateway::Gateway;
use super::order;
use super::request::Call;
use crate::channel::contract::{Prepay, PrepayAsk};

pub fn wap(gateway: &Gateway, ask: &PrepayAsk) -> Prepay {
    let mut biz = TradeWapPayBiz::new();
    order::fill(&mut biz, ask, &gateway.seller_id, gateway.now());
    biz.set_product_code("QUICK_WAP_WAY".into());
    biz.set_quit_url(ask.return_url.clone().into());
    redirect(gateway, &biz, ask)
}

pub fn page(gateway: &Gateway, ask: &PrepayAsk) -> Prepay {
    let mut biz = TradePagePayBiz::new();
    order::fill(&mut biz, ask, &gateway.seller_id, gateway.now());
    biz.set_product_code("FAST_INSTANT_TRADE_PAY".into());
    redirect(gateway, &biz, ask)
}

fn redirect(gateway: &Gateway, biz: &impl BizContenter, ask: &PrepayAsk) -> Prepay {
    let call = Call::of(biz).with("notify_url", &ask.notify_url).with("return_url", &ask.return_url);
    Prepay::Redirect { url: gateway.page(call) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::alipay::testing;
    use std::collections::BTreeMap;

    fn read(prepay: Prepay) -> (BTreeMap<String, String>, serde_json::Value) {
        let Prepay::Redirect { url } = prepay else { panic!("an address") };
        let query = url.strip_prefix("http://127.0.0.1:1/gateway.do?").unwrap();
        let all: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert!(testing::gateway_believes(&all));
        let biz = serde_json::from_str(&all["biz_content"]).unwrap();
        (all, biz)
    }

    #[test]
    fn the_phone_page_names_product_notice_and_return_address() {
        let (all, biz) = read(wap(&testing::unreachable_gateway(), &testing::ask()));
        assert_eq!(all["method"], "alipay.trade.wap.pay");
        assert_eq!(all["notify_url"], testing::ask().notify_url);
        assert_eq!(all["return_url"], testing::ask().return_url);
        let expected = serde_json::json!({
            "out_trade_no": testing::ATTEMPT, "total_amount": "9099.95", "subject": "学费",
            "seller_id": testing::SELLER_ID, "time_expire": "2026-09-01 10:54:36", "product_code": "QUICK_WAP_WAY",
            "quit_url": testing::ask().return_url,
        });
        assert_eq!(biz, expected);
    }

    #[test]
    fn the_computers_page_is_the_instant_product() {
        let (all, biz) = read(page(&testing::unreachable_gateway(), &testing::ask()));
        assert_eq!(all["method"], "alipay.trade.page.pay");
        assert_eq!(biz["product_code"], "FAST_INSTANT_TRADE_PAY");
        assert_eq!(biz["total_amount"], "9099.95");
    }

    #[test]
    fn a_name_that_breaks_careless_code_reaches_the_page_whole() {
        let ask = PrepayAsk { subject: "学费&住宿费=1+1 100% <b>\"}𠮷;".to_owned(), ..testing::ask() };
        let (_, biz) = read(wap(&testing::unreachable_gateway(), &ask));
        assert_eq!(biz["subject"], "学费＆住宿费＝1+1 100% <b>\"}𠮷;");
    }
}
