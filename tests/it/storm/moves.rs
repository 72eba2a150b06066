//! The moves of a storm, dealt from its seed before it begins, so that one can be left out without changing the others.
use jiaofei::clock::Chance;
use jiaofei::domain::trade::{Channel, Product};
use jiaofei::drill::Strike;
use jiaofei::sandbox::campus::inbox::Mishap;
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
    /// The office sends back money of a wrong amount
    SendBack {
        order: usize,
    },
    /// The office waives part of a charge
    Waive {
        who: usize,
        charge: usize,
    },
    /// The next calls to the campus system go wrong
    Campus {
        mishap: Mishap,
        times: u32,
    },
    /// The operator lets an event go out again; counted as orders are
    Resend {
        event: usize,
    },
    /// Asks for a code by text message
    Forget {
        who: usize,
    },
    /// The gateway for text messages takes none for a while
    Silence {
        times: u32,
    },
    /// The process is to end at this place, of all there are, whenever it gets there
    LieInWait {
        place: usize,
        strike: Strike,
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
/// answers, only slower. So is a channel that signs another sum than it took: no book can agree with a liar's.
const TROUBLES: [Fault; 25] = [
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
    Fault::ForeignMerchant,
];

/// What a storm does more of than chance alone would: some mistakes show only where several rare things meet.
#[derive(Clone, Copy)]
enum Weather {
    Changeable,
    /// The office sends money back, and the channels take their time
    Returns,
    /// Channels take another amount than they were asked for
    WrongAmounts,
    /// Money comes for what is closed
    LateMoney,
    /// The office waives what somebody is paying
    Waivers,
    /// Two devices with WeChat pay one order at once
    TwoDevices,
    /// The database goes away now and again while notices come twice
    Stumbles,
}

const WEATHER: [Weather; 9] = [
    Weather::Changeable,
    Weather::Changeable,
    Weather::Changeable,
    Weather::Returns,
    Weather::WrongAmounts,
    Weather::LateMoney,
    Weather::Waivers,
    Weather::TwoDevices,
    Weather::Stumbles,
];

/// What goes wrong at a campus system: it refuses, is out of order, or hears and is not heard.
const MISHAPS: [Mishap; 5] =
    [Mishap::Answer(503), Mishap::Answer(302), Mishap::Break, Mishap::LoseAnswer, Mishap::LoseAnswer];

const RETURN_TROUBLES: [Fault; 6] = [
    Fault::LoseAnswer,
    Fault::RefundProcessing,
    Fault::RefundClosed,
    Fault::RefundAbnormal,
    Fault::Answer500,
    Fault::LoseNotice,
];

/// What kind of storm a seed makes. One that does few things does them often: what needs three rare things at once is
/// found sooner so than by a storm that does everything.
struct Dealer {
    chance: Chance,
    weather: Weather,
    products: Vec<Product>,
    /// Sets of charges, as bits
    charges: Vec<u64>,
    troubles: Vec<Fault>,
    /// One act in so many ends at a place
    strikes: usize,
    /// How they end there
    hows: &'static [Strike],
    /// One act in so many has another one in between
    between: usize,
    /// How many orders, from the first one, are looked at; more than there are: all
    orders: usize,
}

fn below(chance: &Chance, below: usize) -> usize {
    usize::try_from(chance.below(below as u64)).unwrap()
}

/// All of them in one storm of three, otherwise a few.
fn some<T: Copy>(chance: &Chance, all: &[T], few: usize) -> Vec<T> {
    match below(chance, 3) {
        0 => all.to_vec(),
        _ => (0..few).map(|_| all[below(chance, all.len())]).collect(),
    }
}

impl Dealer {
    fn new(seed: u64) -> Dealer {
        let chance = Chance::seeded(seed);
        let mut dealer = Dealer {
            products: some(&chance, &PRODUCTS, 2),
            charges: some(&chance, &[0b001, 0b001, 0b010, 0b100, 0b011, 0b111], 2),
            troubles: some(&chance, &TROUBLES, 3),
            strikes: [2, 4, 8, 1_000][below(&chance, 4)],
            hows: &[Strike::Die, Strike::Stumble],
            between: [2, 4, 8, 1_000][below(&chance, 4)],
            orders: [1, 3, 64, 64][below(&chance, 4)],
            weather: WEATHER[below(&chance, WEATHER.len())],
            chance,
        };
        let only_wechat = match dealer.weather {
            Weather::TwoDevices => true,
            Weather::WrongAmounts => dealer.one_in(2),
            _ => false,
        };
        if only_wechat {
            dealer.products = PRODUCTS.into_iter().filter(|product| product.channel() == Channel::Wechat).collect();
        }
        match dealer.weather {
            Weather::TwoDevices => dealer.between = 2,
            Weather::Stumbles => (dealer.strikes, dealer.between, dealer.hows) = (2, 1_000, &[Strike::Stumble]),
            // any waiver meets any order of this student
            Weather::Waivers => (dealer.charges, dealer.between) = (vec![0b111, 0b011], 2),
            _ => {}
        }
        dealer
    }

    fn below(&self, most: usize) -> usize {
        below(&self.chance, most)
    }

    fn one_in(&self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Before which gap the other act comes in between; a payment begins within the first five.
    fn gaps(&self) -> usize {
        if matches!(self.weather, Weather::TwoDevices) { 5 } else { 8 }
    }

    fn act(&self) -> Act {
        let of_the_weather = self.one_in(2).then(|| self.weather_act()).flatten();
        of_the_weather.unwrap_or_else(|| self.any_act())
    }

    /// What belongs to the weather.
    fn weather_act(&self) -> Option<Act> {
        let order = self.below(self.orders);
        let (phone, product) = (self.below(2), self.of(&self.products));
        let trouble = |fault| Act::Trouble { fault, times: 1 };
        let pay = |goes| Act::Pay { order, product, phone, goes };
        Some(match (self.weather, self.below(8)) {
            (Weather::Changeable, _) => return None,
            (_, 0) => Act::Deliver,
            (_, 1) => Act::Jobs,
            (Weather::Returns, 2 | 3) => Act::Refund { order, part: self.of(&[1, 2, 2, 3]) },
            (Weather::Returns, 4) => Act::Pass { seconds: self.of(&[40, 400, 2_000, 9_000]) },
            (Weather::Returns, 5) => trouble(self.of(&RETURN_TROUBLES)),
            (Weather::Returns, _) => pay(Goes::ThroughPayment),
            (Weather::WrongAmounts, 2 | 3) => trouble(Fault::TakeWrongAmount),
            (Weather::WrongAmounts, 4) => Act::SendBack { order },
            (Weather::WrongAmounts, 5) => Act::Look { order, telling: true },
            (Weather::WrongAmounts, _) => pay(Goes::ThroughPayment),
            (Weather::LateMoney, 2) => Act::Cancel { order },
            (Weather::LateMoney, 3 | 4) => Act::PayOld { order, phone, late: true },
            (Weather::LateMoney, 5) => Act::Pass { seconds: self.of(&[3, 40, 400, 2_000]) },
            (Weather::Waivers, 2..=4) => Act::Waive { who: self.below(STUDENTS), charge: self.below(3) },
            (Weather::Waivers, 5) => Act::PayOld { order, phone, late: false },
            (Weather::TwoDevices, 2) => Act::Cancel { order },
            (Weather::TwoDevices, 3) => Act::Resume { order },
            (Weather::TwoDevices, 4) => self.open(),
            (Weather::Stumbles, 2) => trouble(Fault::DuplicateNotice),
            (Weather::Stumbles, 3) => Act::Deliver,
            (Weather::Stumbles, 4) => self.open(),
            (Weather::Stumbles, _) => pay(Goes::ThroughPayment),
            (Weather::TwoDevices, _) => pay(Goes::ThroughPayment),
            (Weather::LateMoney | Weather::Waivers, _) => pay(self.of(&[Goes::ToTheCashier, Goes::ThroughPayment])),
        })
    }

    fn open(&self) -> Act {
        Act::Open { who: self.below(STUDENTS), charges: self.of(&self.charges), part: self.one_in(2) }
    }

    fn any_act(&self) -> Act {
        let order = self.below(self.orders);
        match self.below(28) {
            0..=3 => self.open(),
            4..=9 => {
                let goes = self.of(&[Goes::Nowhere, Goes::ToTheCashier, Goes::ThroughPayment, Goes::ThroughPayment]);
                Act::Pay { order, product: self.of(&self.products), phone: self.below(2), goes }
            }
            10 => Act::Resume { order },
            11 | 12 => Act::PayOld { order, phone: self.below(2), late: self.one_in(3) },
            13 | 14 => Act::Look { order, telling: self.one_in(2) },
            15 => Act::Cancel { order },
            16 | 17 => Act::Deliver,
            18 | 19 => Act::Jobs,
            20 | 21 => Act::Pass { seconds: self.of(&[1, 3, 16, 40, 40, 400, 2_000, 9_000, 100_000]) },
            22 | 23 => {
                let times = u32::try_from(1 + self.below(3)).unwrap();
                Act::Trouble { fault: self.of(&self.troubles), times }
            }
            24 => match self.below(4) {
                0 => Act::Restart,
                1 => Act::SendBack { order },
                _ => Act::Refund { order, part: self.of(&[1, 2, 3]) },
            },
            25 => match self.below(3) {
                0 => Act::Resend { event: order },
                1 => Act::Silence { times: u32::try_from(1 + self.below(3)).unwrap() },
                _ => Act::Forget { who: self.below(STUDENTS) },
            },
            26 => {
                let times = u32::try_from(1 + self.below(4)).unwrap();
                Act::Campus { mishap: self.of(&MISHAPS), times }
            }
            _ => match self.one_in(2) {
                true => Act::Waive { who: self.below(STUDENTS), charge: self.below(3) },
                false => Act::Refund { order, part: self.of(&[1, 2, 3]) },
            },
        }
    }
}

/// The moves of a seed.
pub fn deal(seed: u64) -> Vec<Move> {
    let dealer = Dealer::new(seed);
    let one = |_| {
        let (process, act) = (dealer.below(2), dealer.act());
        let after = |most| u32::try_from(dealer.below(most)).unwrap();
        let how = dealer.of(dealer.hows);
        let strike = dealer.one_in(dealer.strikes).then(|| (after(16), how));
        let between =
            dealer.one_in(dealer.between).then(|| (after(dealer.gaps()), dealer.below(2), in_between(&dealer, &act)));
        Move { process, act, strike, between }
    };
    let mut moves: Vec<Move> = (0..LENGTH).map(one).collect();
    // mostly there is something to pay from the beginning
    for who in (0..STUDENTS).filter(|_| !dealer.one_in(4)) {
        let act = Act::Open { who, charges: dealer.of(&dealer.charges), part: dealer.one_in(2) };
        moves.insert(0, Move { process: dealer.below(2), act, strike: None, between: None });
    }
    // every place has its turn, whatever chance says
    let (place, strike) = (usize::try_from(seed).unwrap(), dealer.of(&[Strike::Die, Strike::Stumble]));
    for process in 0..2 {
        let act = Act::LieInWait { place, strike };
        moves.insert(0, Move { process, act, strike: None, between: None });
    }
    moves
}

/// What can happen while something else is under way: everything but a jump of the clock, for no call takes long. Half
/// of it is about the same order.
fn in_between(dealer: &Dealer, outer: &Act) -> Act {
    let order = match outer {
        Act::Pay { order, .. } | Act::Resume { order } | Act::Look { order, .. } | Act::Cancel { order } => *order,
        _ => dealer.below(dealer.orders),
    };
    let pay = |product| Act::Pay { order, product, phone: dealer.below(2), goes: Goes::ThroughPayment };
    match dealer.below(8) {
        4.. if matches!(dealer.weather, Weather::TwoDevices) => return pay(dealer.of(&dealer.products)),
        4.. if matches!(dealer.weather, Weather::Waivers) => {
            return Act::Waive { who: dealer.below(STUDENTS), charge: dealer.below(3) };
        }
        0 | 1 => return pay(dealer.of(&dealer.products)),
        2 => return Act::Look { order, telling: dealer.one_in(2) },
        3 => return Act::Cancel { order },
        _ => {}
    }
    match dealer.act() {
        Act::Pass { .. } | Act::Restart | Act::Trouble { .. } => Act::Deliver,
        act => act,
    }
}
