//! 生活缴费: a top-up of a room or a card, and where it stands with who provides the service.
use std::time::Duration;

use super::fee::coded;
use super::ids::{ChargeId, OrderId, PayerId, TopUpId};
use super::money::Fen;
use super::{order_no::OrderNo, pause};

coded! {
    /// Where a top-up stands.
    TopUpState {
        /// Its order waits for payment
        Unpaid = "unpaid",
        /// Its order was closed; nothing is owed
        Dropped = "dropped",
        /// 充值中: paid, and not known to be delivered
        Waiting = "waiting",
        /// 已到账
        Done = "done",
        /// 未能到账: the money is on its way back
        Returning = "returning",
        /// 已原路退回
        Returned = "returned",
    }
}

/// One top-up, without the room or the card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopUp {
    pub id: TopUpId,
    pub order: OrderId,
    /// What the provider knows it by
    pub order_no: OrderNo,
    pub payer: PayerId,
    pub charge: ChargeId,
    /// The service's id in the configuration
    pub service: String,
    pub amount: Fen,
    pub state: TopUpState,
    /// Tries to deliver it so far
    pub tries: i64,
    /// The number the provider gave
    pub provider_no: Option<String>,
}

/// What the provider says of a top-up. Whatever else it answers counts as no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    Done {
        provider_no: String,
    },
    /// It will never be delivered
    Refused,
    /// It is being delivered
    Pending,
    /// Nobody has asked for it yet
    Absent,
}

/// How much may be paid at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    pub min: Fen,
    pub max: Fen,
    /// Amounts are multiples of it
    pub step: Fen,
}

/// Which limit an amount breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    Below(Fen),
    Above(Fen),
    OffStep(Fen),
}

impl Limits {
    pub fn check(&self, amount: Fen) -> Result<Fen, Unfit> {
        match amount {
            amount if amount < self.min => Err(Unfit::Below(self.min)),
            amount if amount > self.max => Err(Unfit::Above(self.max)),
            amount if amount.get() % self.step.get() != 0 => Err(Unfit::OffStep(self.step)),
            amount => Ok(amount),
        }
    }
}

/// How the code of a service's own fee item begins.
pub const ITEM: &str = "SH-";

/// The pauses after each try: more than a day and a half in all.
const PAUSES: [u64; 11] = [60, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 28_800, 28_800, 28_800];

/// How long to wait after the `tries`-th try (from 1). None: nothing is sent any more, it is only asked about.
pub fn pause_after(tries: i64, chance: u64) -> Option<Duration> {
    pause::after(&PAUSES, tries, chance)
}

/// How often a top-up is asked about of which nobody knows what became.
pub const ASKED_AGAIN: Duration = Duration::from_secs(6 * 3_600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_keeps_within_its_limits_and_steps() {
        let limits = Limits { min: Fen::new(1_000), max: Fen::new(50_000), step: Fen::new(100) };
        assert_eq!(limits.check(Fen::new(1_000)), Ok(Fen::new(1_000)));
        assert_eq!(limits.check(Fen::new(50_000)), Ok(Fen::new(50_000)));
        assert_eq!(limits.check(Fen::new(999)), Err(Unfit::Below(Fen::new(1_000))));
        assert_eq!(limits.check(Fen::new(50_001)), Err(Unfit::Above(Fen::new(50_000))));
        assert_eq!(limits.check(Fen::new(1_050)), Err(Unfit::OffStep(Fen::new(100))));
    }

    #[test]
    fn a_provider_that_is_down_for_a_day_is_still_asked_afterwards() {
        let all: u64 = (1..).map_while(|tries| pause_after(tries, 0)).map(|pause| pause.as_secs()).sum();
        assert!(all > 36 * 3_600, "{all}");
    }
}
