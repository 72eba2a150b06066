//! What happened, counted where it happens, and how long it took. A count costs a look into a small map and one atomic
//! step; nothing here waits, fails or knows a database.
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::gauges::Gauges;
use super::labels::{
    Answered, Asked, CAS, HEARD, JOBS, NO_ANSWER, OFFICIAL_ACCOUNT, OPERATIONS, One, PLACES, Pattern, RECEIVED,
    REFUND_HEARD, REFUSED_FOR, Three, Two, method, status_class,
};
use crate::domain::message::{MessageState, Way};
use crate::domain::moment::Moment;
use crate::domain::order::Verdict;
use crate::domain::trade::Channel;

/// The word for a booking that failed; the channel's word will come again.
const FAILED: &str = "failed";

/// Seconds, from a cache's answer to the longest a request may take
const SPANS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Seconds between a payment and its booking; an inquiry finds it within 60
const DELAYS: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0];

type Timed<S> = Family<S, Histogram, fn() -> Histogram>;

fn spans<S: Clone + std::hash::Hash + Eq>() -> Timed<S> {
    Family::new_with_constructor(|| Histogram::new(SPANS))
}

/// Makes a series begin at nought.
fn exists<S, M, C>(family: &Family<S, M, C>, labels: &S)
where
    S: Clone + std::hash::Hash + Eq,
    C: MetricConstructor<M>,
{
    drop(family.get_or_create(labels));
}

/// A cheap handle; clones count together.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    gauges: Gauges,
    settlements: Family<Two, Counter>,
    booking_delay: Timed<One>,
    notices: Family<Two, Counter>,
    notices_refused: Family<Two, Counter>,
    notice_seconds: Timed<One>,
    inquiries: Family<Two, Counter>,
    refund_answers: Family<Two, Counter>,
    calls: Family<Three, Counter>,
    call_seconds: Timed<Two>,
    requests: Family<Answered, Counter>,
    request_seconds: Timed<Asked>,
    begin_seconds: Histogram,
    passwords: Gauge,
    job_run: Family<One, Gauge>,
    job_success: Family<One, Gauge>,
    job_failures: Family<One, Counter>,
    messages: Family<Two, Counter>,
    panics: Family<One, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut inner = Inner {
            registry: Registry::with_prefix("jiaofei"),
            gauges: Gauges::default(),
            settlements: Family::default(),
            booking_delay: Family::new_with_constructor(|| Histogram::new(DELAYS)),
            notices: Family::default(),
            notices_refused: Family::default(),
            notice_seconds: spans(),
            inquiries: Family::default(),
            refund_answers: Family::default(),
            calls: Family::default(),
            call_seconds: spans(),
            requests: Family::default(),
            request_seconds: spans(),
            begin_seconds: Histogram::new(SPANS),
            passwords: Gauge::default(),
            job_run: Family::default(),
            job_success: Family::default(),
            job_failures: Family::default(),
            messages: Family::default(),
            panics: Family::default(),
        };
        inner.fill();
        inner.register();
        Metrics(Arc::new(inner))
    }
}

impl Inner {
    /// Every series there can be, except the routes', which are the route map's to know.
    fn fill(&self) {
        for channel in Channel::ALL.iter().map(|channel| channel.code()) {
            let channel = ("channel", channel);
            for verdict in Verdict::CODES.into_iter().chain([FAILED]) {
                exists(&self.settlements, &[channel, ("verdict", verdict)]);
            }
            exists(&self.booking_delay, &[channel]);
            for received in RECEIVED {
                exists(&self.notices, &[channel, ("received", received)]);
            }
            for why in REFUSED_FOR {
                exists(&self.notices_refused, &[channel, ("why", why)]);
            }
            exists(&self.notice_seconds, &[channel]);
            for answer in HEARD.into_iter().chain(NO_ANSWER) {
                exists(&self.inquiries, &[channel, ("answer", answer)]);
            }
            for answer in REFUND_HEARD.into_iter().chain(NO_ANSWER) {
                exists(&self.refund_answers, &[channel, ("answer", answer)]);
            }
            for operation in OPERATIONS {
                self.fill_call(channel, operation);
            }
        }
        self.fill_call(("channel", OFFICIAL_ACCOUNT), "buyer");
        self.fill_call(("channel", OFFICIAL_ACCOUNT), "account");
        self.fill_call(("channel", CAS), "person");
        for job in JOBS {
            exists(&self.job_failures, &[("job", job)]);
        }
        for way in Way::ALL {
            for state in [MessageState::Sent, MessageState::Failed, MessageState::Nobody] {
                exists(&self.messages, &[("way", way.code()), ("state", state.code())]);
            }
        }
        for place in PLACES {
            exists(&self.panics, &[("place", place)]);
        }
    }

    fn fill_call(&self, channel: (&'static str, &'static str), operation: &'static str) {
        for outcome in ["ok"].into_iter().chain(NO_ANSWER) {
            exists(&self.calls, &[channel, ("operation", operation), ("outcome", outcome)]);
        }
        exists(&self.call_seconds, &[channel, ("operation", operation)]);
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("settlements", "Words of channels judged, by verdict", self.settlements.clone());
        r.register("booking_delay_seconds", "From the payment to its booking", self.booking_delay.clone());
        r.register("notices", "Notices, by how they were received", self.notices.clone());
        r.register("notices_refused", "Notices not believed, by reason", self.notices_refused.clone());
        r.register("notice_seconds", "From a notice's arrival to its acknowledgement", self.notice_seconds.clone());
        r.register("inquiries", "Questions about attempts, by the channel's answer", self.inquiries.clone());
        r.register("refund_answers", "Words of channels about refunds", self.refund_answers.clone());
        r.register("outbound_calls", "Calls to channels, by outcome", self.calls.clone());
        r.register("outbound_call_seconds", "How long calls to channels took", self.call_seconds.clone());
        r.register("http_requests", "Answers, by route, method and class of status", self.requests.clone());
        r.register("http_request_seconds", "How long answers took", self.request_seconds.clone());
        let help = "From wanting a writing transaction to having it: the queue for a connection included";
        r.register("database_begin_seconds", help, self.begin_seconds.clone());
        r.register("passwords_in_hand", "Passwords waiting for argon2 or in it", self.passwords.clone());
        r.register("job_last_run_timestamp_seconds", "When a job last looked for work", self.job_run.clone());
        let help = "When a job last did its work without a failure";
        r.register("job_last_success_timestamp_seconds", help, self.job_success.clone());
        r.register("job_failures", "Runs of a job that failed", self.job_failures.clone());
        let help = "Mail, text messages and notes in WeChat at their end";
        r.register("messages", help, self.messages.clone());
        r.register("panics", "Panics that were caught", self.panics.clone());
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        r.register("build", "The program", build);
        self.gauges.register(r);
    }
}

impl Metrics {
    /// What is read at each scrape.
    pub fn gauges(&self) -> &Gauges {
        &self.0.gauges
    }

    /// Everything, as OpenMetrics 1.0 text.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(32 * 1024);
        encode(&mut text, &self.0.registry).expect("writing to a String cannot fail");
        text
    }

    /// A channel's word about a payment was judged, and carried out; none: that failed.
    pub fn settled(&self, channel: Channel, verdict: Option<&Verdict>, now: Moment) {
        let channel = ("channel", channel.code());
        let code = verdict.map_or(FAILED, Verdict::code);
        self.0.settlements.get_or_create(&[channel, ("verdict", code)]).inc();
        if let Some(Verdict::Settle { paid_at, .. } | Verdict::Surplus { paid_at, .. }) = verdict {
            self.0.booking_delay.get_or_create(&[channel]).observe(now.since(*paid_at).as_secs_f64());
        }
    }

    /// `received` is one of [`RECEIVED`].
    pub fn notice(&self, channel: Channel, received: &'static str, took: Duration) {
        let channel = ("channel", channel.code());
        self.0.notices.get_or_create(&[channel, ("received", received)]).inc();
        self.0.notice_seconds.get_or_create(&[channel]).observe(took.as_secs_f64());
    }

    /// `why` is one of [`REFUSED_FOR`].
    pub fn notice_refused(&self, channel: Channel, why: &'static str) {
        self.0.notices_refused.get_or_create(&[("channel", channel.code()), ("why", why)]).inc();
    }

    /// `answer` is one of [`HEARD`] or [`NO_ANSWER`].
    pub fn inquired(&self, channel: Channel, answer: &'static str) {
        self.0.inquiries.get_or_create(&[("channel", channel.code()), ("answer", answer)]).inc();
    }

    /// `answer` is one of [`REFUND_HEARD`] or [`NO_ANSWER`].
    pub fn refund_heard(&self, channel: Channel, answer: &'static str) {
        self.0.refund_answers.get_or_create(&[("channel", channel.code()), ("answer", answer)]).inc();
    }

    /// A call to the outside. `channel` is a channel's code, [`OFFICIAL_ACCOUNT`] or [`CAS`],
    /// `operation` one of [`OPERATIONS`],
    /// `outcome` `ok` or one of [`NO_ANSWER`].
    pub fn called(&self, channel: &'static str, operation: &'static str, outcome: &'static str, took: Duration) {
        let (channel, operation) = (("channel", channel), ("operation", operation));
        self.0.calls.get_or_create(&[channel, operation, ("outcome", outcome)]).inc();
        self.0.call_seconds.get_or_create(&[channel, operation]).observe(took.as_secs_f64());
    }

    /// A request was answered. `route` is the pattern of the route map; nothing was found without one.
    pub fn answered(&self, route: Arc<str>, method_name: &str, status: u16, took: Duration) {
        let (route, method) = (Pattern(route), method(method_name));
        let asked = Asked { route: route.clone(), method };
        self.0.requests.get_or_create(&Answered { route, method, status: status_class(status) }).inc();
        self.0.request_seconds.get_or_create(&asked).observe(took.as_secs_f64());
    }

    /// A writing transaction had to wait so long.
    pub fn began(&self, took: Duration) {
        self.0.begin_seconds.observe(took.as_secs_f64());
    }

    /// Counts a password as in hand until what is given back is dropped.
    pub fn password(&self) -> InHand {
        self.0.passwords.inc();
        InHand(self.0.passwords.clone())
    }

    /// A job looked for work.
    pub fn job_looked(&self, job: &'static str, now: Moment) {
        self.0.job_run.get_or_create(&[("job", job)]).set(now.unix());
    }

    /// A job found nothing to do, or did what it found (`well`), or failed.
    pub fn job_ran(&self, job: &'static str, well: bool, now: Moment) {
        let job = [("job", job)];
        match well {
            true => {
                self.0.job_success.get_or_create(&job).set(now.unix());
            }
            false => {
                self.0.job_failures.get_or_create(&job).inc();
            }
        }
    }

    /// `place` is one of [`PLACES`].
    pub fn message_ended(&self, way: Way, state: MessageState) {
        self.0.messages.get_or_create(&[("way", way.code()), ("state", state.code())]).inc();
    }

    pub fn panicked(&self, place: &'static str) {
        self.0.panics.get_or_create(&[("place", place)]).inc();
    }
}

/// Something counted while it lasts, however it ends.
pub struct InHand(Gauge);

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.dec();
    }
}
