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

/// The places a history names.
fn struck(history: &[String]) -> impl Iterator<Item = String> {
    let ended = history.iter().filter_map(|line| line.split_once(" dies at ").or(line.split_once(" stumbles at ")));
    ended.map(|(_, place)| place.trim_matches('"').to_owned())
}

/// As many storms at once as the machine has cores. On a server each storm is several acts at once already.
pub fn all_cores() -> usize {
    if on_a_server() { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) }
}

/// Hands the seeds out in their order. A thread to which `visit` says false ends.
pub fn hand_out(seeds: &RangeInclusive<u64>, threads: usize, visit: impl Fn(u64) -> bool + Sync) {
    let (begun, total) = (Instant::now(), seeds.end() + 1 - seeds.start());
    let next = AtomicU64::new(*seeds.start());
    let told = Mutex::new(begun);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > *seeds.end() || !visit(seed) {
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
    std::thread::scope(|scope| (0..threads).map(|_| scope.spawn(work)).for_each(drop));
}

/// Storms until one fails: the lowest seed that does, and how.
pub fn sweep(seeds: RangeInclusive<u64>, planted: Option<Fault>, threads: usize) -> Option<(u64, Storm)> {
    let found: Mutex<Option<(u64, Storm)>> = Mutex::new(None);
    let earlier = |seed| found.lock().unwrap().as_ref().is_some_and(|(found, _)| *found < seed);
    hand_out(&seeds, threads, |seed| {
        if earlier(seed) {
            return false;
        }
        let storm = alone(seed, &deal(seed), planted);
        let holds = storm.broken.is_none();
        let mut found = found.lock().unwrap();
        if !holds && found.as_ref().is_none_or(|(other, _)| seed < *other) {
            *found = Some((seed, storm));
        }
        holds
    });
    found.into_inner().unwrap()
}

pub fn from_environment(name: &str) -> Option<u64> {
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

fn all_hold(seeds: RangeInclusive<u64>, threads: usize) {
    let (begun, count) = (Instant::now(), seeds.end() + 1 - seeds.start());
    if let Some((seed, storm)) = sweep(seeds, None, threads) {
        panic!("{}", report(seed, storm));
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{count} seeds on {threads} cores in {seconds:.1} s: {:.1} seeds/s", count as f64 / seconds);
}

/// One part of the seeds that are always run, on one core: there is a test for each part. On a server each seed needs a
/// schema of its own, which is dearer.
fn part(number: u64) {
    let each = if on_a_server() { 5 } else { 125 };
    all_hold((number - 1) * each + 1..=number * each, 1);
}

/// With `JIAOFEI_TEST_SEED` or `JIAOFEI_TEST_SEEDS` it runs those, on all cores.
#[test]
fn after_any_storm_our_books_agree_with_the_banks() {
    let first = from_environment("JIAOFEI_TEST_SEED");
    let count = from_environment("JIAOFEI_TEST_SEEDS").or(first.map(|_| 1));
    match (first.unwrap_or(1), count) {
        (first, Some(count)) => all_hold(first..=first + count - 1, all_cores()),
        (_, None) => part(1),
    }
}

#[test]
fn after_any_storm_of_the_second_part_our_books_agree_with_the_banks() {
    part(2);
}

#[test]
fn after_any_storm_of_the_third_part_our_books_agree_with_the_banks() {
    part(3);
}

#[test]
fn after_any_storm_of_the_last_part_our_books_agree_with_the_banks() {
    part(4);
}

/// The first seed lies in wait at the second place, and so on around: each place gets forty seeds at most.
#[test]
fn at_every_place_an_act_is_ended_by_some_seed() {
    if on_a_server() {
        return;
    }
    let (all, mut done) = (places(), BTreeSet::new());
    for (at, place) in all.iter().enumerate() {
        for round in 1..=40 {
            if done.contains(place) {
                break;
            }
            let seed = u64::try_from(at + round * all.len()).unwrap();
            done.extend(struck(&alone(seed, &deal(seed), None).history));
        }
    }
    let missed: Vec<&String> = all.difference(&done).collect();
    assert!(missed.is_empty(), "no act was ended at {missed:?}");
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
