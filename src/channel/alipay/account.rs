//! One payee's account at Alipay: the contract, each method handed to the file that knows it.
use async_trait::async_trait;

use super::gateway::Gateway;
use super::keys::KeyError;
use super::{notices, oauth, pages, refunds, trades};
use crate::channel::contract::{
    Ack, AttemptKey, ChannelError, Closing, Notice, NoticeRefusal, PaymentChannel, Prepay, PrepayAsk, RawNotice,
    Reception, RefundAsk, RefusedFor,
};
use crate::clock::Clock;
use crate::config::AlipayAccount;
use crate::domain::trade::{Buyer, Channel, Heard, Product, RefundHeard};
use crate::outbound::HttpClient;

pub struct Alipay {
    gateway: Gateway,
}

impl Alipay {
    /// Parses and tries every key of the account.
    ///
    /// # Errors
    /// [`KeyError`] names the configuration's key that is missing or unfit.
    pub fn new(account: &AlipayAccount, clock: Clock, http: HttpClient) -> Result<Alipay, KeyError> {
        Ok(Alipay { gateway: Gateway::new(account, clock, http)? })
    }
}

#[async_trait]
impl PaymentChannel for Alipay {
    fn channel(&self) -> Channel {
        Channel::Alipay
    }

    async fn prepay(&self, ask: &PrepayAsk) -> Result<Prepay, ChannelError> {
        match ask.product {
            Product::AlipayWap => Ok(pages::wap(&self.gateway, ask)),
            Product::AlipayPage => Ok(pages::page(&self.gateway, ask)),
            Product::AlipayPrecreate => trades::precreate(&self.gateway, ask).await,
            Product::AlipayJsapi => trades::create(&self.gateway, ask).await,
            Product::WechatJsapi
            | Product::WechatH5
            | Product::WechatNative
            | Product::UnionPayWap
            | Product::UnionPayPage => {
                let message = format!("{} is no product of Alipay", ask.product.code());
                Err(ChannelError::Refused { why: RefusedFor::Configuration, code: "product".to_owned(), message })
            }
        }
    }

    fn sign_in_url(&self, redirect_uri: &str, state: &str) -> Option<String> {
        Some(oauth::authorize_url(&self.gateway, redirect_uri, state))
    }

    async fn buyer(&self, code: &str) -> Result<Buyer, ChannelError> {
        oauth::buyer(&self.gateway, code).await
    }

    async fn query(&self, attempt: &AttemptKey) -> Result<Heard, ChannelError> {
        trades::query(&self.gateway, &attempt.no).await
    }

    async fn close(&self, attempt: &AttemptKey) -> Result<Closing, ChannelError> {
        trades::close(&self.gateway, &attempt.no).await
    }

    async fn refund(&self, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
        refunds::refund(&self.gateway, ask).await
    }

    async fn query_refund(&self, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
        refunds::query_refund(&self.gateway, ask).await
    }

    fn verify(&self, raw: &RawNotice) -> Result<Notice, NoticeRefusal> {
        notices::verify(&self.gateway, raw)
    }

    fn acknowledge(&self, reception: Reception) -> Ack {
        notices::acknowledge(reception)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::alipay::testing::{self, Scene};

    /// The account behind a gateway whose every answer is this node; `None`: nobody answers.
    fn alipay(node: Option<&str>) -> (Alipay, Option<Scene>) {
        let scene = node.map(Scene::answering);
        let base = scene.as_ref().map_or("http://127.0.0.1:1", Scene::base);
        (Alipay { gateway: testing::gateway_at(base, HttpClient::new().unwrap()) }, scene)
    }

    fn ask(product: Product) -> PrepayAsk {
        let buyer = product.needs_buyer().then(|| Buyer::AlipayUser("2088102150477652".to_owned()));
        PrepayAsk { product, buyer, ..testing::ask() }
    }

    #[tokio::test]
    async fn each_product_goes_its_own_way_and_wechats_go_none() {
        let node = format!(r#"{{"code":"10000","trade_no":"{}","qr_code":"https://qr"}}"#, testing::TRADE);
        let (alipay, _scene) = alipay(Some(&node));
        for product in [Product::AlipayWap, Product::AlipayPage] {
            assert!(matches!(alipay.prepay(&ask(product)).await, Ok(Prepay::Redirect { .. })));
        }
        let code = alipay.prepay(&ask(Product::AlipayPrecreate)).await;
        assert_eq!(code, Ok(Prepay::Code { text: "https://qr".to_owned() }));
        let jsapi = alipay.prepay(&ask(Product::AlipayJsapi)).await;
        assert_eq!(jsapi, Ok(Prepay::AlipayJsapi { trade_no: testing::TRADE.to_owned() }));
        for product in [Product::WechatJsapi, Product::WechatH5, Product::WechatNative] {
            let refused = alipay.prepay(&ask(product)).await;
            assert!(matches!(refused, Err(ChannelError::Refused { why: RefusedFor::Configuration, .. })));
        }
    }

    #[tokio::test]
    async fn with_nobody_at_the_gateway_pages_still_open_and_the_rest_says_so() {
        let (alipay, _) = alipay(None);
        assert!(alipay.prepay(&ask(Product::AlipayWap)).await.is_ok());
        let unreachable = |error| matches!(error, Some(ChannelError::Unreachable(_)));
        let refund = testing::refund_ask();
        assert!(unreachable(alipay.prepay(&ask(Product::AlipayPrecreate)).await.err()));
        assert!(unreachable(alipay.query(&testing::ask().key()).await.err()));
        assert!(unreachable(alipay.close(&testing::ask().key()).await.err()));
        assert!(unreachable(alipay.refund(&refund).await.err()));
        assert!(unreachable(alipay.query_refund(&refund).await.err()));
        assert!(unreachable(alipay.buyer("code").await.err()));
    }
}
