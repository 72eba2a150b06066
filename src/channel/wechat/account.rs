//! One merchant's account at WeChat Pay, as the flows know it.
use async_trait::async_trait;

use super::client::Client;
use super::keys::KeyError;
use super::{notices, orders, refunds};
use crate::channel::contract::{
    Ack, AttemptKey, ChannelError, Closing, JsapiLaunch, Notice, NoticeRefusal, PaymentChannel, Prepay, PrepayAsk,
    RawNotice, Reception, RefundAsk, RefusedFor,
};
use crate::clock::{Chance, Clock};
use crate::config::WechatAccount;
use crate::domain::moment::Moment;
use crate::domain::trade::{Channel, Heard, Product, RefundHeard};
use crate::outbound::HttpClient;

pub struct Wechat {
    client: Client,
    h5: bool,
}

impl Wechat {
    /// Reads and tries every key, so that a wrong one is found at start and not at the first payment.
    pub fn new(account: &WechatAccount, clock: Clock, chance: Chance, http: HttpClient) -> Result<Wechat, KeyError> {
        Ok(Wechat { client: Client::new(account, clock, chance, http)?, h5: account.h5 })
    }
}

#[async_trait]
impl PaymentChannel for Wechat {
    fn channel(&self) -> Channel {
        Channel::Wechat
    }

    async fn prepay(&self, ask: &PrepayAsk) -> Result<Prepay, ChannelError> {
        if ask.product == Product::WechatH5 && !self.h5 {
            let message = "this merchant does not have the H5 product".to_owned();
            return Err(ChannelError::Refused { why: RefusedFor::Configuration, code: "H5".to_owned(), message });
        }
        orders::prepay(&self.client, ask).await
    }

    fn launch_jsapi(&self, prepay_id: &str, now: Moment, nonce: &str) -> Option<JsapiLaunch> {
        Some(orders::launch(&self.client, prepay_id, now, nonce))
    }

    async fn query(&self, attempt: &AttemptKey) -> Result<Heard, ChannelError> {
        orders::query(&self.client, &attempt.no).await
    }

    async fn close(&self, attempt: &AttemptKey) -> Result<Closing, ChannelError> {
        orders::close(&self.client, &attempt.no).await
    }

    async fn refund(&self, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
        refunds::refund(&self.client, ask).await
    }

    async fn query_refund(&self, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
        refunds::query(&self.client, ask).await
    }

    fn verify(&self, raw: &RawNotice) -> Result<Notice, NoticeRefusal> {
        notices::verify(&self.client, raw)
    }

    fn acknowledge(&self, reception: Reception) -> Ack {
        notices::acknowledge(reception)
    }
}
