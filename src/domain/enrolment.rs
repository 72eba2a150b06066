//! 报名: one payer's place in one programme, from the queue to the seat that is paid for.
use super::fee::coded;
use super::ids::{ChargeId, EnrolmentId, PayerId, ProgrammeId};
use super::moment::Moment;
use super::money::Fen;

coded! {
    /// What is kept of an enrolment; whether a seat is paid for is what its charge says.
    EnrolmentState {
        /// In the queue
        Waiting = "waiting",
        /// Has a seat
        Seated = "seated",
        /// Given back by the payer
        Cancelled = "cancelled",
        /// Not paid in time
        Expired = "expired",
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enrolment {
    pub id: EnrolmentId,
    pub programme: ProgrammeId,
    pub payer: PayerId,
    pub state: EnrolmentState,
    /// None: nothing is to be paid, or not yet
    pub due: Option<Due>,
    pub created_at: Moment,
    pub ended_at: Option<Moment>,
}

/// What a seat costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    pub charge: ChargeId,
    /// The seat is kept until then
    pub pay_by: Moment,
    /// 欠费 of the charge, as it stood when it was read
    pub arrears: Fen,
}

coded! {
    /// 报名状态
    Standing {
        /// 已报名待缴费
        ToPay = "to_pay",
        /// 已缴费; of a programme that costs nothing 已报名
        Paid = "paid",
        /// 候补
        Waiting = "waiting",
        /// 已取消
        Cancelled = "cancelled",
        /// 已过期
        Expired = "expired",
    }
}

impl Enrolment {
    pub fn standing(&self) -> Standing {
        match (self.state, self.due) {
            (EnrolmentState::Waiting, _) => Standing::Waiting,
            (EnrolmentState::Cancelled, _) => Standing::Cancelled,
            (EnrolmentState::Expired, _) => Standing::Expired,
            (EnrolmentState::Seated, Some(due)) if due.arrears.is_positive() => Standing::ToPay,
            (EnrolmentState::Seated, _) => Standing::Paid,
        }
    }

    /// Phone and answers can be changed, and the place given back.
    pub fn is_open(&self) -> bool {
        matches!(self.standing(), Standing::ToPay | Standing::Waiting)
    }
}
