//! The storm's teeth: each planted mistake is found by some seed. Beside each stands a seed that is known to find it,
//! which is tried first: an ordinary seed, dealt like any other. When the flows have changed so that it finds it no
//! more, the first seeds are searched for another.
use std::sync::Mutex;

use jiaofei::drill::Fault;

use super::moves::deal;
use super::seeds::{all_cores, alone, from_environment, hand_out, sweep};
use super::shrink::shrink;
use super::stage::on_a_server;

/// Every mistake is found within so many seeds.
const WITHIN: u64 = 1_000;

/// One test for each mistake, with the seed that is known to find it.
macro_rules! found {
    ($($name:ident: $fault:ident, $seed:literal;)+) => {
        $(#[test]
        fn $name() {
            is_found(Fault::$fault, $seed);
        })+

        const TRIED: &[Fault] = &[$(Fault::$fault),+];
    };
}

found! {
    skipping_the_amount_check_is_found: SkipAmountCheck, 13;
    acknowledging_before_commit_is_found: AcknowledgeBeforeCommit, 11;
    remembering_before_commit_is_found: RememberBeforeCommit, 7;
    settling_without_guards_is_found: SettleWithoutGuards, 150;
    booking_late_money_regardless_is_found: BookLateRegardless, 1;
    skipping_what_is_still_due_is_found: SkipStillDue, 1;
    forgetting_the_old_attempt_is_found: ForgetOldAttempt, 3;
    taking_absent_for_closed_is_found: TakeAbsentForClosed, 18;
    forgetting_to_watch_is_found: ForgetToWatch, 1;
    closing_without_asking_is_found: CloseWithoutAsking, 14;
    naming_trades_twice_is_found: NameTradesTwice, 6;
    releasing_what_is_under_review_is_found: ReleaseUnderReview, 81;
    forgetting_pending_orders_is_found: ForgetPendingOrders, 1;
    sending_surplus_back_twice_is_found: RefundSurplusTwice, 1;
    renumbering_refunds_is_found: RenumberRefunds, 26;
    forgetting_to_reserve_is_found: ForgetToReserve, 1;
    booking_refunds_early_is_found: BookRefundsEarly, 67;
    telling_after_commit_is_found: TellAfterCommit, 7;
    telling_refunds_early_is_found: TellRefundsEarly, 67;
    ending_a_delivery_before_its_answer_is_found: DoneBeforeAnswer, 1;
    renumbering_events_is_found: RenumberEvents, 1;
}

fn is_found(fault: Fault, known: u64) {
    if on_a_server() {
        return;
    }
    let moves = deal(known);
    assert_eq!(alone(known, &moves, None).broken, None, "seed {known} fails without {fault:?}");
    if let Some(what) = alone(known, &moves, Some(fault)).broken {
        return println!("{fault:?}: seed {known}: {what}");
    }
    let found = sweep(1..=WITHIN, Some(fault), all_cores());
    let (seed, storm) = found.unwrap_or_else(|| panic!("{fault:?} is not found within {WITHIN} seeds"));
    println!("{fault:?}: seed {seed}, no longer {known}: {}", storm.broken.unwrap_or_default());
}

/// With `JIAOFEI_TEST_FAULTS=n` it tells of each mistake how many of the first n seeds find it, and what the first one
/// finds.
#[test]
fn every_mistake_that_can_be_planted_is_tried() {
    for fault in Fault::ALL {
        assert!(TRIED.contains(fault), "{fault:?} has no seed");
        if let Some(seeds) = from_environment("JIAOFEI_TEST_FAULTS") {
            tell(*fault, seeds);
        }
    }
}

fn tell(fault: Fault, seeds: u64) {
    let finds = Mutex::new(Vec::new());
    hand_out(&(1..=seeds), all_cores(), |seed| {
        if let Some(what) = alone(seed, &deal(seed), Some(fault)).broken {
            finds.lock().unwrap().push((seed, what));
        }
        true
    });
    let finds = finds.into_inner().unwrap();
    let first = finds.iter().min().map_or_else(|| "-".to_owned(), |(seed, what)| format!("{seed} | {what}"));
    println!("| `{fault:?}` | {} | {} of {seeds} | {first} |", fault.explain(), finds.len());
}

#[test]
fn a_failing_storm_is_made_short() {
    if on_a_server() {
        return;
    }
    let planted = Some(Fault::ForgetPendingOrders);
    let (seed, storm) = sweep(1..=WITHIN, planted, all_cores()).unwrap();
    let before = storm.after;
    let short = shrink(seed, planted, storm);
    assert!(short.storm.broken.is_some());
    assert!(short.moves.len() <= 4 && short.moves.len() < before, "{}", short.storm.history.join("\n"));
}
