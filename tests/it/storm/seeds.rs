//! Many seeds, each alone on a thread, and what is told of the first that fails.
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiaofei::drill::Fault;

use super::moves::{Move, deal};
use super::run::{Storm, blow};
use super::shrink::shrink;
use super::stage::{on_a_server, places};

/// One storm in a runtime of its own. A panic is a find.
pub fn alone(seed: u64, moves: &[Move], planted: Option<Fault>) -> Storm {
    // the first test of a process installs it, the others find it there
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = match on_a_server() {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = builder.enable_all().build().unwrap();
    let blown = catch_unwind(AssertUnwindSafe(|| runtime.block_on(blow(seed, moves, planted))));
    runtime.shutdown_background();
    blown.unwrap_or_else(|_| Storm {
        history: Vec::new(),
        broken: Some("a panic, told above".to_owned()),
        after: moves.len(),
    })
}

/// What many seeds came to.
pub struct Sweep {
    /// The first seed that failed, and how
    pub failed: Option<(u64, Storm)>,
    /// Every place an act was ended at
    pub struck: BTreeSet<String>,
}

/// The places a history names.
fn struck(history: &[String]) -> impl Iterator<Item = String> {
    let ended = history.iter().filter_map(|line| line.split_once(" dies at ").or(line.split_once(" stumbles at ")));
    ended.map(|(_, place)| place.trim_matches('"').to_owned())
}

/// Storms until one fails.
pub fn sweep(seeds: RangeInclusive<u64>, planted: Option<Fault>) -> Sweep {
    let (begun, total) = (Instant::now(), seeds.end() + 1 - seeds.start());
    let next = AtomicU64::new(*seeds.start());
    let found: Mutex<Option<(u64, Storm)>> = Mutex::new(None);
    let places = Mutex::new(BTreeSet::new());
    let told = Mutex::new(begun);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > *seeds.end() || found.lock().unwrap().as_ref().is_some_and(|(earlier, _)| *earlier < seed) {
                return;
            }
            let storm = alone(seed, &deal(seed), planted);
            places.lock().unwrap().extend(struck(&storm.history));
            if storm.broken.is_some() {
                let mut found = found.lock().unwrap();
                if found.as_ref().is_none_or(|(earlier, _)| seed < *earlier) {
                    *found = Some((seed, storm));
                }
                return;
            }
            let mut told = told.lock().unwrap();
            if told.elapsed() > Duration::from_secs(10) {
                *told = Instant::now();
                let done = seed - seeds.start();
                eprintln!("{done} of {total} seeds, {:.1} seeds/s", done as f64 / begun.elapsed().as_secs_f64());
            }
        }
    };
    // on a server each storm is several acts at once already
    let threads = if on_a_server() { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
    std::thread::scope(|scope| (0..threads).map(|_| scope.spawn(work)).for_each(drop));
    Sweep { failed: found.into_inner().unwrap(), struck: places.into_inner().unwrap() }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|number| number.parse().ok())
}

/// What to print of a seed that failed: its moves made short, as a history.
fn report(seed: u64, storm: Storm) -> String {
    let what = storm.broken.clone().unwrap_or_default();
    // acts side by side happen otherwise each time: only the whole history is of use
    let short = if on_a_server() { storm } else { shrink(seed, None, storm).storm };
    let history = short.history.join("\n");
    let again = short.broken.unwrap_or_default();
    format!("seed {seed}: {what}\nagain: JIAOFEI_TEST_SEED={seed}\nmade short: {again}\n{history}")
}

#[test]
fn after_any_storm_our_books_agree_with_the_banks() {
    // on a server each seed needs a schema of its own, which is dearer
    let usual = if on_a_server() { 20 } else { 500 };
    let first = from_environment("JIAOFEI_TEST_SEED");
    let count = from_environment("JIAOFEI_TEST_SEEDS").unwrap_or(if first.is_some() { 1 } else { usual });
    let (first, begun) = (first.unwrap_or(1), Instant::now());
    let swept = sweep(first..=first + count - 1, None);
    if let Some((seed, storm)) = swept.failed {
        panic!("{}", report(seed, storm));
    }
    let (seconds, all) = (begun.elapsed().as_secs_f64(), places());
    let missed: Vec<&String> = all.iter().filter(|place| !swept.struck.contains(*place)).collect();
    println!("{count} seeds in {seconds:.1} s: {:.1} seeds/s", count as f64 / seconds);
    println!("{} of {} places struck", all.len() - missed.len(), all.len());
    assert!(missed.is_empty() || count < 500, "no act was ended at {missed:?}");
}

#[test]
fn the_same_seed_gives_the_same_history() {
    if on_a_server() {
        return;
    }
    for seed in 1..=6 {
        let moves = deal(seed);
        let (one, other) = (alone(seed, &moves, None), alone(seed, &moves, None));
        assert!(one.history.len() > moves.len(), "{:?}", one.broken);
        for (at, (one, other)) in one.history.iter().zip(&other.history).enumerate() {
            assert_eq!(one, other, "seed {seed}, line {at}");
        }
        assert_eq!(one.history.len(), other.history.len());
    }
}
