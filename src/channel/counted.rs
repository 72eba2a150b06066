//! An account whose calls are counted: which operation, how it ended, how long it took. It changes nothing.
use std::time::Instant;

use async_trait::async_trait;

use super::contract::{
    Ack, AttemptKey, ChannelError, Closing, JsapiLaunch, Notice, NoticeRefusal, PaymentChannel, Prepay, PrepayAsk,
    RawNotice, Reception, RefundAsk,
};
use crate::domain::moment::Moment;
use crate::domain::trade::{Buyer, Channel, Heard, RefundHeard};
use crate::metrics::counters::Metrics;

pub struct Counted<C> {
    account: C,
    metrics: Metrics,
}

impl<C: PaymentChannel> Counted<C> {
    pub fn new(account: C, metrics: Metrics) -> Counted<C> {
        Counted { account, metrics }
    }

    async fn count<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, ChannelError>>,
    ) -> Result<T, ChannelError> {
        let begun = Instant::now();
        let answer = call.await;
        let outcome = answer.as_ref().err().map_or("ok", ChannelError::code);
        self.metrics.called(self.account.channel().code(), operation, outcome, begun.elapsed());
        answer
    }
}

#[async_trait]
impl<C: PaymentChannel> PaymentChannel for Counted<C> {
    fn channel(&self) -> Channel {
        self.account.channel()
    }

    async fn prepay(&self, ask: &PrepayAsk) -> Result<Prepay, ChannelError> {
        self.count("prepay", self.account.prepay(ask)).await
    }

    fn launch_jsapi(&self, prepay_id: &str, now: Moment, nonce: &str) -> Option<JsapiLaunch> {
        self.account.launch_jsapi(prepay_id, now, nonce)
    }

    fn sign_in_url(&self, redirect_uri: &str, state: &str) -> Option<String> {
        self.account.sign_in_url(redirect_uri, state)
    }

    async fn buyer(&self, code: &str) -> Result<Buyer, ChannelError> {
        self.count("buyer", self.account.buyer(code)).await
    }

    async fn query(&self, attempt: &AttemptKey) -> Result<Heard, ChannelError> {
        self.count("query", self.account.query(attempt)).await
    }

    async fn close(&self, attempt: &AttemptKey) -> Result<Closing, ChannelError> {
        self.count("close", self.account.close(attempt)).await
    }

    async fn refund(&self, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
        self.count("refund", self.account.refund(ask)).await
    }

    async fn query_refund(&self, ask: &RefundAsk) -> Result<RefundHeard, ChannelError> {
        self.count("query_refund", self.account.query_refund(ask)).await
    }

    fn verify(&self, raw: &RawNotice) -> Result<Notice, NoticeRefusal> {
        let noticed = self.account.verify(raw);
        if let Err(refusal) = &noticed {
            self.metrics.notice_refused(self.channel(), refusal.code());
        }
        noticed
    }

    fn acknowledge(&self, reception: Reception) -> Ack {
        self.account.acknowledge(reception)
    }
}
