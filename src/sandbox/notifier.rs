//! Sends the notices that are due, as the channels do: a new signature on every try, repeats by timetable, and only the
//! channel's own idea of an acknowledgement counts.
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use crate::domain::trade::Channel;

use super::alipay;
use super::faults::{Call, Fault};
use super::outbox::{Delivery, Manner, NoticeAbout, NoticeJob, Outgoing};
use super::trade::Trade;
use super::unionpay;
use super::wechat;
use super::world::Sandbox;

/// Copies of one notice that are under way at once.
const AT_ONCE: usize = 64;
/// How often the background loop looks, in real time.
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl Sandbox {
    /// Sends every notice that is due now, one after the other (copies of one notice at once), and tells how each try
    /// went.
    pub async fn deliver_due(self: &Arc<Self>) -> Vec<Delivery> {
        drop(self.bank());
        let due = self.outbox().take_due(self.now());
        let mut all = Vec::new();
        for job in due {
            let tries = self.deliver(&job).await;
            all.extend(tries.iter().cloned());
            self.outbox().record(job, tries, self.now());
        }
        all
    }

    /// Delivers for ever, looking five times a second.
    pub async fn run_notifier(self: Arc<Self>) {
        loop {
            self.deliver_due().await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn deliver(&self, job: &NoticeJob) -> Vec<Delivery> {
        let (channel, call) = (job.key.channel, call_of(&job.about));
        let copies = self.strikes(Fault::DuplicateNotice, channel, call).unwrap_or(0);
        let tries = stream::iter((0..=copies).map(|_| self.try_once(job)));
        // a courier is for repeatable histories, so it goes one way at a time
        let at_once = if self.courier().is_some() { 1 } else { AT_ONCE };
        tries.buffer_unordered(at_once).collect().await
    }

    async fn try_once(&self, job: &NoticeJob) -> Delivery {
        let mut delivery = Delivery {
            at: self.now(),
            id: job.id.clone(),
            out_trade_no: job.key.out_trade_no.clone(),
            about: job.about.clone(),
            url: job.url.clone(),
            try_no: job.tries + 1,
            status: None,
            body: String::new(),
            received: false,
        };
        let Some(outgoing) = self.compose(job) else { return delivery };
        let answer = match self.courier() {
            Some(courier) => courier.carry(job, outgoing).await,
            None => self.post(&job.url, outgoing).await,
        };
        if let Some((status, body)) = answer {
            delivery.received = counts_as_receipt(job.key.channel, status, &body);
            delivery.status = Some(status);
            delivery.body = body;
        }
        delivery
    }

    async fn post(&self, url: &str, outgoing: Outgoing) -> Option<(u16, String)> {
        let mut request = self.http.post(url).header("content-type", outgoing.content_type).body(outgoing.body);
        for (name, value) in outgoing.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        // an answer that breaks off is no answer
        Some((status, answer.text().await.ok()?))
    }

    fn compose(&self, job: &NoticeJob) -> Option<Outgoing> {
        let (channel, call) = (job.key.channel, call_of(&job.about));
        let (manner, corrupt) = {
            let mut faults = self.faults();
            let manner = Manner {
                signing: faults.signing_of_notice(channel, call),
                age: faults.strikes(Fault::StaleNotice, channel, call).unwrap_or(0),
                lies: faults.lies(channel, call),
            };
            (manner, faults.strikes(Fault::CorruptNotice, channel, call).is_some())
        };
        let trade = self.bank().trade(&job.key)?.clone();
        let mut outgoing = self.notice_of(job, &trade, manner)?;
        if corrupt {
            flip_a_byte(&mut outgoing.body);
        }
        Some(outgoing)
    }

    /// None where the channel sends nothing.
    fn notice_of(&self, job: &NoticeJob, trade: &Trade, manner: Manner) -> Option<Outgoing> {
        match job.key.channel {
            Channel::Wechat => wechat::notices::compose(self, job, trade, manner),
            Channel::Alipay => alipay::notices::compose(self, job, trade, manner),
            Channel::UnionPay => unionpay::notices::compose(self, job, trade, manner),
        }
    }
}

fn call_of(about: &NoticeAbout) -> Call {
    match about {
        NoticeAbout::Paid | NoticeAbout::Closed => Call::PaymentNotice,
        NoticeAbout::Refund { .. } => Call::RefundNotice,
    }
}

/// WeChat Pay v3: 200 or 204, whatever the body. Alipay: 200 and exactly the seven letters `success`. UnionPay ACP: 200
/// or 302, whatever the body.
fn counts_as_receipt(channel: Channel, status: u16, body: &str) -> bool {
    match channel {
        Channel::Wechat => matches!(status, 200 | 204),
        Channel::Alipay => status == 200 && body == "success",
        Channel::UnionPay => matches!(status, 200 | 302),
    }
}

/// Changes one letter or digit in the middle into another.
fn flip_a_byte(body: &mut [u8]) {
    let middle = body.len() / 2;
    let Some(byte) = body[middle..].iter_mut().find(|byte| byte.is_ascii_alphanumeric()) else { return };
    *byte = if *byte == b'8' { b'3' } else { b'8' };
}
