//! The moves of a storm, dealt from its seed before it begins, so that one can be left out without changing the others.
use jiaofei::clock::Chance;
use jiaofei::domain::trade::Product;
use jiaofei::drill::Strike;
use jiaofei::sandbox::faults::Fault;

use super::stage::STUDENTS;

/// How many moves one seed deals.
const LENGTH: usize = 45;

/// What somebody does. Orders are counted from the first one, around as often as needed.
#[derive(Clone, Debug)]
pub enum Act {
    /// Selects charges and opens orders; `part`: pays tuition in parts
    Open {
        who: usize,
        charges: u64,
        part: bool,
    },
    /// Starts paying, and goes on as far as `goes`
    Pay {
        order: usize,
        product: Product,
        phone: usize,
        goes: Goes,
    },
    /// Draws the page of a payment under way again
    Resume {
        order: usize,
    },
    /// Pays every old try that still can be paid; `late`: the channel takes the money of those that cannot
    PayOld {
        order: usize,
        phone: usize,
        late: bool,
    },
    /// Looks at the result page, which asks the channel
    Look {
        order: usize,
        telling: bool,
    },
    Cancel {
        order: usize,
    },
    /// Notices that are due arrive
    Deliver,
    /// The jobs look for work
    Jobs,
    Pass {
        seconds: u64,
    },
    /// Something goes wrong with the next calls or notices
    Trouble {
        fault: Fault,
        times: u32,
    },
    /// The office sends back a part of the first line
    Refund {
        order: usize,
        part: i64,
    },
    /// The office waives part of a charge
    Waive {
        who: usize,
        charge: usize,
    },
    /// A process ends in peace and a new one begins, with an empty cache
    Restart,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goes {
    /// The device never gets there
    Nowhere,
    /// The page is reached or the code scanned
    ToTheCashier,
    /// The payer confirms
    ThroughPayment,
}

/// One move: who does what in which of the two processes, and what happens in the middle of it.
#[derive(Clone, Debug)]
pub struct Move {
    pub process: usize,
    pub act: Act,
    /// The act ends at the place after so many more
    pub strike: Option<(u32, Strike)>,
    /// Another act comes in between, in this process, at the gap after so many more
    pub between: Option<(u32, usize, Act)>,
}

const PRODUCTS: [Product; 7] = [
    Product::WechatJsapi,
    Product::WechatNative,
    Product::WechatH5,
    Product::AlipayWap,
    Product::AlipayPage,
    Product::AlipayPrecreate,
    Product::AlipayJsapi,
];

/// What gateways, networks and banks do wrong in a storm. Those that never answer are left out: to us they are lost
/// answers, only slower.
const TROUBLES: [Fault; 26] = [
    Fault::LoseNotice,
    Fault::DelayNotice,
    Fault::DuplicateNotice,
    Fault::ReorderNotice,
    Fault::CorruptNotice,
    Fault::ForgeNotice,
    Fault::ProbeNotice,
    Fault::StaleNotice,
    Fault::LoseAnswer,
    Fault::LoseAnswer,
    Fault::Answer500,
    Fault::Answer502,
    Fault::Answer429,
    Fault::ForgedAnswer,
    Fault::UnsignedAnswer,
    Fault::ProbeAnswer,
    Fault::Down,
    Fault::RefundProcessing,
    Fault::RefundProcessing,
    Fault::RefundNotEnough,
    Fault::RefundClosed,
    Fault::RefundAbnormal,
    Fault::TakeWrongAmount,
    Fault::RepeatAs400,
    Fault::WrongAmount,
    Fault::ForeignMerchant,
];

struct Dealer(Chance);

impl Dealer {
    fn below(&self, below: usize) -> usize {
        usize::try_from(self.0.below(below as u64)).unwrap()
    }

    fn one_in(&self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn act(&self) -> Act {
        // mostly the newest orders, for little happens to old ones
        let order = self.below(64);
        match self.below(26) {
            0..=3 => {
                let charges = self.of(&[0b001, 0b001, 0b010, 0b100, 0b011, 0b111]);
                Act::Open { who: self.below(STUDENTS), charges, part: self.one_in(2) }
            }
            4..=9 => {
                let goes = self.of(&[Goes::Nowhere, Goes::ToTheCashier, Goes::ThroughPayment, Goes::ThroughPayment]);
                Act::Pay { order, product: self.of(&PRODUCTS), phone: self.below(2), goes }
            }
            10 => Act::Resume { order },
            11 | 12 => Act::PayOld { order, phone: self.below(2), late: self.one_in(3) },
            13 | 14 => Act::Look { order, telling: self.one_in(2) },
            15 => Act::Cancel { order },
            16 | 17 => Act::Deliver,
            18 | 19 => Act::Jobs,
            20 | 21 => Act::Pass { seconds: self.of(&[1, 3, 16, 40, 40, 400, 2_000, 9_000]) },
            22 | 23 => Act::Trouble { fault: self.of(&TROUBLES), times: u32::try_from(1 + self.below(3)).unwrap() },
            24 => match self.one_in(4) {
                true => Act::Restart,
                false => Act::Refund { order, part: self.of(&[1, 2, 3]) },
            },
            _ => match self.one_in(2) {
                true => Act::Waive { who: self.below(STUDENTS), charge: self.below(3) },
                false => Act::Refund { order, part: self.of(&[1, 2, 3]) },
            },
        }
    }
}

/// The moves of a seed.
pub fn deal(seed: u64) -> Vec<Move> {
    let dealer = Dealer(Chance::seeded(seed));
    let one = |_| {
        let (process, act) = (dealer.below(2), dealer.act());
        let after = |most| u32::try_from(dealer.below(most)).unwrap();
        let strike = match dealer.below(6) {
            0 => Some((after(16), Strike::Die)),
            1 => Some((after(16), Strike::Stumble)),
            _ => None,
        };
        let between = dealer.one_in(4).then(|| (after(8), dealer.below(2), in_between(&dealer)));
        Move { process, act, strike, between }
    };
    (0..LENGTH).map(one).collect()
}

/// What can happen while something else is under way: everything but a jump of the clock, for no call takes long.
fn in_between(dealer: &Dealer) -> Act {
    match dealer.act() {
        Act::Pass { .. } | Act::Restart | Act::Trouble { .. } => Act::Deliver,
        act => act,
    }
}
