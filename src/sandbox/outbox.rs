//! The notices waiting to be sent, their timetable, and the journal of every try. Never sends: `notifier.rs` does.
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::moment::Moment;
use crate::domain::trade::Channel;

use super::faults::{Lies, Signing};
use super::trade::TradeKey;

/// WeChat Pay v3, payment notice: after the first try 15 more, 24 h 4 min in all. Seconds.
const WECHAT_REPEATS: [u64; 15] =
    [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600];
/// Alipay, asynchronous notice: eight sends in all, 24 h 22 min. Seconds.
const ALIPAY_REPEATS: [u64; 7] = [240, 600, 600, 3600, 7200, 21_600, 54_000];
/// UnionPay ACP 5.1.0, back notice: five sends in all, after 0, 1, 2 and 4 minutes. Seconds.
const UNIONPAY_REPEATS: [u64; 4] = [0, 60, 120, 240];
/// How long a notice that is to arrive out of order waits for another one, seconds.
const HELD_FOR: u64 = 60;

/// What a notice is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeAbout {
    Paid,
    Closed,
    Refund { refund_no: String },
}

/// A notice that has not been received yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoticeJob {
    /// The same on every try
    pub id: String,
    pub key: TradeKey,
    pub about: NoticeAbout,
    pub url: String,
    pub queued_at: Moment,
    pub due_at: Moment,
    /// Tries made so far
    pub tries: usize,
    /// Waits until a later notice has been sent
    pub held: bool,
}

/// One try to send one notice, as it went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Delivery {
    pub at: Moment,
    /// Equal on all tries and copies of one notice
    pub id: String,
    pub out_trade_no: String,
    pub about: NoticeAbout,
    pub url: String,
    /// From 1
    pub try_no: usize,
    /// What the receiver answered; none: no answer within five seconds, or no connection
    pub status: Option<u16>,
    pub body: String,
    /// Whether the channel takes this answer for a receipt
    pub received: bool,
}

/// What is to go wrong with one try.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub signing: Signing,
    /// How old the timestamp is, seconds
    pub age: u64,
    pub lies: Lies,
}

/// A notice as it goes over the wire.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// Takes a notice to its address without a network.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Status and body of the answer; none when there was no whole one.
    async fn carry(&self, job: &NoticeJob, notice: Outgoing) -> Option<(u16, String)>;
}

#[derive(Default)]
pub struct Outbox {
    waiting: Vec<NoticeJob>,
    journal: Vec<Delivery>,
}

impl Outbox {
    pub fn push(&mut self, job: NoticeJob) {
        self.waiting.push(job);
    }

    /// Takes out what is due, in the order it is to be sent: notices held back come last, and only if something
    /// overtakes them.
    pub fn take_due(&mut self, now: Moment) -> Vec<NoticeJob> {
        let due = |job: &NoticeJob| job.due_at <= now;
        let overtaken = self.waiting.iter().any(|job| !job.held && due(job));
        let waited = |job: &NoticeJob| now.since(job.queued_at) >= Duration::from_secs(HELD_FOR);
        let goes = |job: &NoticeJob| due(job) && (!job.held || overtaken || waited(job));
        let (mut out, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting).into_iter().partition(goes);
        self.waiting = stay;
        out.sort_by_key(|job| (job.held, job.due_at));
        out
    }

    /// Makes everything due now.
    pub fn hurry(&mut self, now: Moment) {
        for job in &mut self.waiting {
            job.due_at = now;
            job.held = false;
        }
    }

    /// Writes down a try; puts the notice back for its next one unless it was received or has had its last.
    pub fn record(&mut self, mut job: NoticeJob, tries: Vec<Delivery>, now: Moment) {
        let received = tries.iter().any(|delivery| delivery.received);
        self.journal.extend(tries);
        let repeats: &[u64] = match job.key.channel {
            Channel::Wechat => &WECHAT_REPEATS,
            Channel::Alipay => &ALIPAY_REPEATS,
            Channel::UnionPay => &UNIONPAY_REPEATS,
        };
        if let Some(pause) = repeats.get(job.tries).filter(|_| !received) {
            job.tries += 1;
            job.held = false;
            job.due_at = now + Duration::from_secs(*pause);
            self.waiting.push(job);
        }
    }

    /// What still waits to be sent or received.
    pub fn waiting(&self) -> &[NoticeJob] {
        &self.waiting
    }

    /// Every try so far, oldest first.
    pub fn journal(&self) -> &[Delivery] {
        &self.journal
    }

    /// When the next notice is due.
    pub fn next_due(&self) -> Option<Moment> {
        self.waiting.iter().map(|job| job.due_at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Moment = Moment::from_unix(1_788_235_200);

    fn job(channel: Channel, id: &str) -> NoticeJob {
        NoticeJob {
            id: id.to_owned(),
            key: TradeKey::new(channel, "1", id),
            about: NoticeAbout::Paid,
            url: "http://127.0.0.1/".to_owned(),
            queued_at: NOON,
            due_at: NOON,
            tries: 0,
            held: false,
        }
    }

    /// Tries until given up; how often, and how long after the first.
    fn exhaust(channel: Channel) -> (usize, u64) {
        let mut outbox = Outbox::default();
        outbox.push(job(channel, "a"));
        let (mut now, mut tries) = (NOON, 0);
        while let Some(due) = outbox.next_due() {
            now = due;
            for job in outbox.take_due(now) {
                tries += 1;
                outbox.record(job, vec![], now);
            }
        }
        (tries, now.since(NOON).as_secs())
    }

    #[test]
    fn wechat_tries_sixteen_times_in_a_day_and_four_minutes() {
        assert_eq!(exhaust(Channel::Wechat), (16, 24 * 3600 + 4 * 60));
    }

    #[test]
    fn alipay_tries_eight_times_in_about_a_day() {
        assert_eq!(exhaust(Channel::Alipay), (8, 24 * 3600 + 24 * 60));
    }

    #[test]
    fn unionpay_tries_five_times_in_seven_minutes() {
        assert_eq!(exhaust(Channel::UnionPay), (5, 7 * 60));
    }

    #[test]
    fn a_notice_held_back_goes_after_the_one_that_overtakes_it() {
        let mut outbox = Outbox::default();
        outbox.push(NoticeJob { held: true, ..job(Channel::Wechat, "first") });
        assert!(outbox.take_due(NOON).is_empty());
        outbox.push(job(Channel::Wechat, "second"));
        let order: Vec<_> = outbox.take_due(NOON).into_iter().map(|job| job.id).collect();
        assert_eq!(order, ["second", "first"]);
        outbox.push(NoticeJob { held: true, ..job(Channel::Wechat, "alone") });
        assert_eq!(outbox.take_due(NOON + Duration::from_secs(60)).len(), 1);
    }
}
