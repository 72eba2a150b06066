//! One storm: its moves one after the other (on a server several at once), then quiet, then the reckoning.
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiaofei::drill::Fault;

use super::moves::Move;
use super::stage::Stage;
use super::{invariants, perform};

/// How a storm went.
pub struct Storm {
    pub history: Vec<String>,
    /// The first thing that did not hold
    pub broken: Option<String>,
    /// After how many moves; all of them when it showed only after quiet
    pub after: usize,
}

/// On a server so many moves are made at once.
const AT_ONCE: usize = 4;

/// How long the quiet lasts at most: its steps, in seconds.
const QUIET: [u64; 40] = {
    let mut steps = [6 * 3600; 40];
    let mut at = 0;
    while at < 18 {
        steps[at] = if at < 6 { 600 } else { 3600 };
        at += 1;
    }
    steps
};

pub async fn blow(seed: u64, moves: &[Move], planted: Option<Fault>) -> Storm {
    let stage = Stage::build(seed, planted).await;
    let mut after = 0;
    let numbered: Vec<(usize, &Move)> = moves.iter().enumerate().collect();
    for some in numbered.chunks(if stage.one_by_one { 1 } else { AT_ONCE }) {
        make(&stage, some).await;
        after += some.len();
        invariants::at_every_moment(&stage).await;
        if stage.history.broken().is_some() {
            break;
        }
    }
    if stage.history.broken().is_none() {
        quiet(&stage).await;
    }
    Storm { history: stage.history.lines(), broken: stage.history.broken(), after }
}

async fn make(stage: &Arc<Stage>, some: &[(usize, &Move)]) {
    if let [(number, one)] = some {
        return perform::make(stage, *number, one).await;
    }
    let one = |(number, one): &(usize, &Move)| {
        let (stage, number, one) = (Arc::clone(stage), *number, (*one).clone());
        tokio::spawn(async move { perform::make(&stage, number, &one).await })
    };
    for made in join_all(some.iter().map(one)).await {
        made.unwrap();
    }
    stage.clear_up().await;
}

/// All faults of the outside are over, the clock runs on, the jobs run, notices arrive, until nothing is left to do.
/// Whoever still lies in wait may strike once more, in the middle of the mending.
async fn quiet(stage: &Arc<Stage>) {
    stage.sandbox.clear_faults();
    stage.history.add("quiet");
    for (at, seconds) in QUIET.into_iter().enumerate() {
        stage.pass(Duration::from_secs(seconds));
        perform::deliver(stage, at % 2).await;
        perform::jobs(stage, at % 2).await;
        stage.clear_up().await;
        if at > 3 && invariants::at_rest(stage).await {
            break;
        }
    }
    if stage.history.broken().is_none() {
        invariants::after_quiet(stage).await;
    }
}
