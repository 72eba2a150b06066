//! What works unasked. Each job is a query for work that is due and a `run_once` of a flow; nothing is remembered
//! between runs, so any number of processes may run them and any of them may die.
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::flow::failure::Result;
use crate::flow::{chain, expire, inquire, refund};

/// How often the jobs look for work, in real time.
const EVERY: Duration = Duration::from_secs(2);

/// Runs every job once: attempts to ask about, orders that ran out, refunds to advance, the journal to tally. Gives how
/// much was done.
pub async fn run_once(app: &App) -> Result<usize> {
    let done = inquire::run_once(app).await? + expire::run_once(app).await? + refund::run_once(app).await?;
    Ok(done + chain::run_once(app).await?)
}

/// Runs the jobs until `stop` turns true. Each has its own loop, so that a slow channel holds up one of them at most;
/// work in hand is finished before the loops end.
pub async fn run(app: Arc<App>, stop: watch::Receiver<bool>) {
    let mut loops = JoinSet::new();
    for job in ["inquire", "expire", "refund", "tally"] {
        loops.spawn(keep_running(Arc::clone(&app), job, stop.clone()));
    }
    while loops.join_next().await.is_some() {}
}

async fn keep_running(app: Arc<App>, job: &'static str, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let work = async {
            match job {
                "inquire" => inquire::run_once(&app).await,
                "expire" => expire::run_once(&app).await,
                "tally" => chain::run_once(&app).await,
                _ => refund::run_once(&app).await,
            }
        };
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(Ok(_)) => {}
            Ok(Err(failure)) => tracing::error!(job, %failure, "the job will try again"),
            Err(_) => tracing::error!(job, "the job panicked and will try again"),
        }
        // ends early when told to stop; an error means that nobody can tell any more, which is a stop too
        let told = tokio::time::timeout(EVERY, stop.changed()).await;
        if matches!(told, Ok(Err(_))) {
            return;
        }
    }
}
