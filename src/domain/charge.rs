//! 应收: what a payer owes for one fee item in one billing period, and the entries that made it so.
use super::fee::{BillingPeriod, FeeItem, FeeKind};
use super::ids::{ChargeId, PayerId};
use super::moment::Moment;
use super::money::Fen;

/// 应收: one payer, one fee item, one billing period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    pub id: ChargeId,
    pub payer_id: PayerId,
    pub item: FeeItem,
    pub period: BillingPeriod,
    pub balance: Balance,
    /// The day the payer was told, `yyyymmdd`
    pub due_day: Option<i64>,
    /// 收费批次 as the office named it; often empty
    pub batch: String,
}

impl Charge {
    /// Whether it is what a payer buys (生活缴费) rather than what the office bills: what it owes waits in orders of its
    /// own, and is no arrears.
    pub fn is_bought(&self) -> bool {
        self.item.kind == FeeKind::Living && self.item.code.starts_with(super::living::ITEM)
    }

    /// Which batch of other fees it belongs to. Without a name, what a period has of one kind is a batch. What is
    /// billed with tuition is in none.
    pub fn batch_key(&self) -> Option<String> {
        match (self.item.kind, self.batch.as_str()) {
            (FeeKind::Tuition, _) => None,
            (kind, "") => Some(format!("{}:{}", kind.code(), self.period.code)),
            (_, named) => Some(format!("batch:{named}")),
        }
    }
}

/// Why a charge's books moved. One row of `charge_entry` per cause and cause number; rows are only ever added.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cause {
    /// 应收
    Assessed,
    /// 减免
    Waived,
    /// 实缴
    Paid,
    /// 退费
    Refunded,
    /// 调整: a correction of what was assessed, up or down
    Adjusted,
}

impl Cause {
    pub const ALL: [Cause; 5] = [Cause::Assessed, Cause::Waived, Cause::Paid, Cause::Refunded, Cause::Adjusted];

    pub const fn code(self) -> &'static str {
        match self {
            Cause::Assessed => "assessed",
            Cause::Waived => "waived",
            Cause::Paid => "paid",
            Cause::Refunded => "refunded",
            Cause::Adjusted => "adjusted",
        }
    }

    pub fn parse(code: &str) -> Option<Cause> {
        Self::ALL.into_iter().find(|cause| cause.code() == code)
    }
}

/// How the cause number of a payment at the counter begins.
pub const COUNTER: &str = "counter:";

/// What the slip of a payment at the counter says beside amount and charge; empty where nobody said it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CounterSlip {
    /// 收费单号
    pub slip_no: String,
    /// 制单人
    pub clerk: String,
    /// 收费日期: its Beijing midnight
    pub day: Option<Moment>,
}

impl CounterSlip {
    pub fn is_empty(&self) -> bool {
        *self == CounterSlip::default()
    }
}

/// The four money columns of the manuals: 应收, 减免, 实缴, 退费.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    pub assessed: Fen,
    pub waived: Fen,
    pub paid: Fen,
    pub refunded: Fen,
}

impl Balance {
    /// 欠费 = 应收 − 减免 − 实缴 + 退费. Negative when more was paid than is owed now.
    pub fn difference(&self) -> Fen {
        self.assessed - self.waived - self.paid + self.refunded
    }

    /// What can still be paid: the difference, never below zero.
    pub fn arrears(&self) -> Fen {
        self.difference().max(Fen::ZERO)
    }

    /// What counts as paid after refunds.
    pub fn kept(&self) -> Fen {
        self.paid - self.refunded
    }
}

/// The line over the table: 共有3条缴费项目, 共需交费9,350.00元, 已缴费0.06元, 欠费9,349.94元.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    pub count: usize,
    pub due: Fen,
    pub paid: Fen,
    pub arrears: Fen,
}

impl Totals {
    pub fn of<'a>(balances: impl IntoIterator<Item = &'a Balance>) -> Totals {
        balances.into_iter().fold(Totals::default(), |sum, balance| Totals {
            count: sum.count + 1,
            due: sum.due + balance.assessed - balance.waived,
            paid: sum.paid + balance.kept(),
            arrears: sum.arrears + balance.arrears(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid_of(assessed: i64, paid: i64) -> Balance {
        Balance { assessed: Fen::new(assessed), paid: Fen::new(paid), ..Balance::default() }
    }

    #[test]
    fn the_manuals_own_figures_add_up() {
        let insurance = paid_of(25_000, 1);
        let dormitory = paid_of(110_000, 2);
        let tuition = paid_of(800_000, 3);
        let totals = Totals::of([&insurance, &dormitory, &tuition]);
        assert_eq!(totals.count, 3);
        assert_eq!(totals.due.grouped(), "9,350.00");
        assert_eq!(totals.paid.grouped(), "0.06");
        assert_eq!(totals.arrears.grouped(), "9,349.94");
        assert_eq!(Totals::of([&dormitory, &tuition]).arrears.grouped(), "9,099.95");
        assert_eq!(insurance.arrears().grouped(), "249.99");
    }

    #[test]
    fn a_waiver_lowers_and_a_refund_raises_what_is_owed() {
        let balance = Balance { waived: Fen::new(100), refunded: Fen::new(30), ..paid_of(1_000, 500) };
        assert_eq!(balance.arrears(), Fen::new(430));
        let overpaid = paid_of(100, 300);
        assert_eq!(overpaid.arrears(), Fen::ZERO);
        assert_eq!(overpaid.difference(), Fen::new(-200));
    }
}
