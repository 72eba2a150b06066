//! What works unasked. Each job is a query for work that is due and an act of a flow; nothing is remembered between
//! runs, so any number of processes may run them and any of them may die.
//!
//! Each job looks for work by itself, and each payee's account at each channel is worked through by itself, as is
//! each campus system and provider: one that hangs holds up nothing but what waits for it.
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::app::App;
use crate::flow::events::deliver;
use crate::flow::failure::Result;
use crate::flow::lane::Lane;
use crate::flow::official::note;
use crate::flow::{chain, enrol, ereceipt, expire, feed, idempotency, inquire, living, post, refund, rotate};

/// How often the jobs look for work, in real time.
const EVERY: Duration = Duration::from_secs(2);

/// What one worker of a job works through.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Part {
    Lane(Lane),
    /// Of the configuration, counted from 0
    Endpoint(usize),
    /// The job waits for nobody
    Whole,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Job {
    Inquire,
    Expire,
    Refund,
    Tally,
    Keys,
    Deliver,
    Enrol,
    Post,
    Remind,
    Feed,
    Sweep,
    EReceipts,
    TopUp,
}

impl Job {
    const ALL: [Job; 13] = [
        Job::Inquire,
        Job::Expire,
        Job::Refund,
        Job::Tally,
        Job::Keys,
        Job::Deliver,
        Job::Enrol,
        Job::Post,
        Job::Remind,
        Job::Feed,
        Job::Sweep,
        Job::EReceipts,
        Job::TopUp,
    ];

    /// The word in logs and metrics.
    const fn code(self) -> &'static str {
        match self {
            Job::Inquire => "inquire",
            Job::Expire => "expire",
            Job::Refund => "refund",
            Job::Tally => "tally",
            Job::Keys => "keys",
            Job::Deliver => "deliver",
            Job::Enrol => "enrol",
            Job::Post => "post",
            Job::Remind => "remind",
            Job::Feed => "feed",
            Job::Sweep => "sweep",
            Job::EReceipts => "ereceipts",
            Job::TopUp => "top_up",
        }
    }

    /// Where to set to work.
    async fn parts(self, app: &App) -> Result<Vec<Part>> {
        let lanes = match self {
            Job::Inquire => inquire::lanes(app).await?,
            Job::Expire => expire::lanes(app).await?,
            Job::Refund => refund::lanes(app).await?,
            Job::Tally | Job::Keys | Job::Enrol | Job::Post | Job::Remind | Job::Feed | Job::Sweep | Job::EReceipts => {
                return Ok(vec![Part::Whole]);
            }
            Job::Deliver => return Ok((0..app.config.webhook.len()).map(Part::Endpoint).collect()),
            Job::TopUp => return Ok((0..app.config.living.len()).map(Part::Endpoint).collect()),
        };
        Ok(lanes.into_iter().map(Part::Lane).collect())
    }

    /// Gives how much was done; 0: there is no more for now.
    async fn run_part(self, app: &App, part: &Part) -> Result<usize> {
        match (self, part) {
            (Job::Inquire, Part::Lane(lane)) => inquire::run_lane(app, lane).await,
            (Job::Expire, Part::Lane(lane)) => expire::run_lane(app, lane).await,
            (Job::Refund, Part::Lane(lane)) => refund::run_lane(app, lane).await,
            (Job::Deliver, Part::Endpoint(at)) => match app.config.webhook.get(*at) {
                // goes on by itself while everything is taken; an endpoint that refuses gets the pause
                Some(endpoint) => deliver::serve(app, endpoint).await.map(|_| 0),
                None => Ok(0),
            },
            (Job::TopUp, Part::Endpoint(at)) => match app.config.living.get(*at) {
                Some(service) => living::deliver::serve(app, service).await,
                None => Ok(0),
            },
            _ => self.run_once(app).await,
        }
    }

    async fn run_once(self, app: &App) -> Result<usize> {
        match self {
            Job::Inquire => inquire::run_once(app).await,
            Job::Expire => expire::run_once(app).await,
            Job::Refund => refund::run_once(app).await,
            Job::Tally => chain::run_once(app).await,
            Job::Keys => rotate::run_once(app).await,
            Job::Deliver => deliver::run_once(app).await,
            Job::Enrol => enrol::run_once(app).await,
            Job::Post => post::run_once(app).await,
            Job::Remind => note::remind_once(app).await,
            Job::Feed => feed::run_once(app).await,
            Job::Sweep => idempotency::sweep(app).await,
            Job::EReceipts => ereceipt::issue::run_once(app).await,
            Job::TopUp => living::deliver::run_once(app).await,
        }
    }
}

/// Runs every job once: attempts to ask about, orders that ran out, refunds to advance, the journal to tally, keys to
/// note, events to deliver, seats to take back, messages to send, payers to remind, orders to number, old answers to
/// forget, e-receipts to issue, top-ups to deliver. Gives how much was done.
pub async fn run_once(app: &App) -> Result<usize> {
    let mut done = 0;
    for job in Job::ALL {
        let ran = job.run_once(app).await;
        app.metrics.job_looked(job.code(), app.clock.now());
        app.metrics.job_ran(job.code(), ran.is_ok(), app.clock.now());
        done += ran?;
    }
    Ok(done)
}

/// Runs the jobs until `stop` turns true; work in hand is finished before they end.
pub async fn run(app: Arc<App>, stop: watch::Receiver<bool>) {
    let mut loops = JoinSet::new();
    for job in Job::ALL {
        loops.spawn(keep_looking(Arc::clone(&app), job, stop.clone()));
    }
    while loops.join_next().await.is_some() {}
}

/// Looks for work again and again, and sets to it in every part where nobody is at it.
async fn keep_looking(app: Arc<App>, job: Job, mut stop: watch::Receiver<bool>) {
    let mut at_work: BTreeMap<Part, JoinHandle<()>> = BTreeMap::new();
    while !*stop.borrow() {
        at_work.retain(|_, worker| !worker.is_finished());
        let look = AssertUnwindSafe(job.parts(&app)).catch_unwind().await;
        let parts = well(&app, job, look);
        app.metrics.job_looked(job.code(), app.clock.now());
        if parts.as_ref().is_none_or(Vec::is_empty) {
            app.metrics.job_ran(job.code(), parts.is_some(), app.clock.now());
        }
        for part in parts.unwrap_or_default() {
            let worker = || tokio::spawn(work(Arc::clone(&app), job, part.clone(), stop.clone()));
            at_work.entry(part.clone()).or_insert_with(worker);
        }
        // ends early when told to stop; an error means that nobody can tell any more, which is a stop too
        let told = tokio::time::timeout(EVERY, stop.changed()).await;
        if matches!(told, Ok(Err(_))) {
            break;
        }
    }
    futures_util::future::join_all(at_work.into_values()).await;
}

/// Works through one part until nothing is due there.
async fn work(app: Arc<App>, job: Job, part: Part, stop: watch::Receiver<bool>) {
    loop {
        let ran = AssertUnwindSafe(job.run_part(&app, &part)).catch_unwind().await;
        let done = well(&app, job, ran);
        app.metrics.job_ran(job.code(), done.is_some(), app.clock.now());
        if done.is_none_or(|done| done == 0) || *stop.borrow() {
            return;
        }
    }
}

/// What came of it, unless it failed, which is told.
fn well<T>(app: &App, job: Job, outcome: std::thread::Result<Result<T>>) -> Option<T> {
    let job = job.code();
    match outcome {
        Ok(Ok(done)) => return Some(done),
        Ok(Err(failure)) => tracing::error!(job, %failure, "the job will try again"),
        Err(_) => {
            app.metrics.panicked("job");
            tracing::error!(job, "the job panicked and will try again");
        }
    }
    None
}
