//! The storm's teeth: each planted mistake is found by some seed.
use jiaofei::drill::Fault;

use super::seeds::sweep;
use super::shrink::shrink;
use super::stage::on_a_server;

/// Every mistake is found within so many seeds.
const WITHIN: u64 = 1_000;

#[test]
fn every_planted_mistake_is_found() {
    if on_a_server() {
        return;
    }
    let mut unfound = Vec::new();
    for fault in Fault::ALL {
        match sweep(1..=WITHIN, Some(*fault)).failed {
            Some((seed, storm)) => println!("{fault:?}: seed {seed}: {}", storm.broken.unwrap_or_default()),
            None => unfound.push(fault),
        }
    }
    assert!(unfound.is_empty(), "not found within {WITHIN} seeds: {unfound:?}");
}

#[test]
fn a_failing_storm_is_made_short() {
    if on_a_server() {
        return;
    }
    let planted = Some(Fault::ForgetPendingOrders);
    let (seed, storm) = sweep(1..=WITHIN, planted).failed.unwrap();
    let before = storm.after;
    let short = shrink(seed, planted, storm);
    assert!(short.storm.broken.is_some());
    assert!(short.moves.len() <= 4 && short.moves.len() < before, "{}", short.storm.history.join("\n"));
}
