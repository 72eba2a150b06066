//! One payee's account at Alipay: the contract, each method handed to the file that knows it.
use async_trait::async_trait;

use super::gateway::Gateway;
use super::keys::KeyError;
use super::{notices, oauth, pages, refunds, trades};
use crate::channel::contract::{
    Ack, ChannelError, Closing, Notice, NoticeRefusal, PaymentChannel, Prepay, PrepayAsk, RawNotice, Reception,
    RefundAsk, RefusedFor,
};
use crate::clock::Clock;
use crate::config::AlipayAccount;
use crate::domain::order_no::AttemptNo;
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
            Product::WechatJsapi | Product::WechatH5 | Product::WechatNative => {
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

    async fn query(&self, attempt_no: &AttemptNo) -> Result<Heard, ChannelError> {
        trades::query(&self.gateway, attempt_no).await
    }

    async fn close(&self, attempt_no: &AttemptNo) -> Result<Closing, ChannelError> {
        trades::close(&self.gateway, attempt_no).await
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
