//! One payee's account at UnionPay: the contract, each method handed to the file that knows it.
use async_trait::async_trait;

use super::gateway::Gateway;
use super::keys::KeyError;
use super::{notices, order, query, refunds};
use crate::channel::contract::{
    Ack, AttemptKey, ChannelError, Closing, Notice, NoticeRefusal, PaymentChannel, Prepay, PrepayAsk, RawNotice,
    Reception, RefundAsk,
};
use crate::clock::Clock;
use crate::config::UnionPayAccount;
use crate::domain::trade::{Channel, Heard, RefundHeard};
use crate::outbound::HttpClient;

pub struct UnionPay {
    gateway: Gateway,
}

impl UnionPay {
    /// Parses and tries every key of the account.
    ///
    /// # Errors
    /// [`KeyError`] names the configuration's key that is missing or unfit.
    pub fn new(account: &UnionPayAccount, clock: Clock, http: HttpClient) -> Result<UnionPay, KeyError> {
        Ok(UnionPay { gateway: Gateway::new(account, clock, http)? })
    }
}

#[async_trait]
impl PaymentChannel for UnionPay {
    fn channel(&self) -> Channel {
        Channel::UnionPay
    }

    async fn prepay(&self, ask: &PrepayAsk) -> Result<Prepay, ChannelError> {
        order::prepay(&self.gateway, ask)
    }

    async fn query(&self, attempt: &AttemptKey) -> Result<Heard, ChannelError> {
        query::query(&self.gateway, attempt).await
    }

    async fn close(&self, attempt: &AttemptKey) -> Result<Closing, ChannelError> {
        query::close(&self.gateway, attempt).await
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
