//! What storms have found, told again move by move.
use jiaofei::domain::trade::Product;
use jiaofei::drill::Strike;
use jiaofei::sandbox::faults::Fault;

use super::moves::{Act, Goes, Move};
use super::seeds::alone;
use super::stage::places;

/// A move of the first process with nothing in the middle of it.
fn calm(act: Act) -> Move {
    Move { process: 0, act, strike: None, between: None }
}

fn pay(product: Product, phone: usize, goes: Goes) -> Act {
    Act::Pay { order: 0, product, phone, goes }
}

/// Everything holds, in every step and after quiet.
fn holds(moves: &[Move]) {
    let storm = alone(1, moves, None);
    assert_eq!(storm.broken, None, "{}", storm.history.join("\n"));
}

/// One device is about to begin; another one's beginning finds that the first try was paid a wrong amount.
#[test]
fn a_wrong_amount_that_comes_to_light_in_between_holds_the_order_for_every_device() {
    let other = pay(Product::WechatH5, 0, Goes::ToTheCashier);
    let begun = calm(pay(Product::WechatH5, 1, Goes::ThroughPayment));
    holds(&[
        calm(Act::Open { who: 0, charges: 0b010, part: false }),
        calm(Act::Trouble { fault: Fault::TakeWrongAmount, times: 2 }),
        calm(pay(Product::WechatNative, 0, Goes::ThroughPayment)),
        Move { between: Some((0, 0, other)), ..begun },
    ]);
}

/// Alipay takes money for a closed order, its notice is lost, the server is away for a day, and then either the last
/// look is not answered or the process dies over it.
#[test]
fn the_last_look_at_a_closed_attempt_is_made_until_it_is_answered() {
    let paid_late = [
        calm(Act::Open { who: 0, charges: 0b010, part: false }),
        calm(pay(Product::AlipayPage, 0, Goes::ToTheCashier)),
        calm(Act::Cancel { order: 0 }),
        calm(Act::Trouble { fault: Fault::LoseNotice, times: 1 }),
        calm(Act::PayOld { order: 0, phone: 0, late: true }),
    ];
    let back = calm(Act::Pass { seconds: 100_000 });
    let unanswered = [calm(Act::Trouble { fault: Fault::UnsignedAnswer, times: 1 }), back.clone()];
    holds(&[&paid_late[..], &unanswered[..]].concat());
    let place = places().iter().position(|place| place == "inquire: claimed").unwrap();
    let dying = [calm(Act::LieInWait { place, strike: Strike::Die }), back];
    holds(&[&paid_late[..], &dying[..]].concat());
}
