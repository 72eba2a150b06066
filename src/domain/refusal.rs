//! Why the office says no to a payer. Each refusal has a stable code; the words for it stand in `words.toml`.
use super::amount::AmountRefusal;
use super::bilingual::Bilingual;
use super::fee::Unpayable;
use super::method::Barred;
use super::order::CloseReason;
use super::order_no::OrderNo;
use super::trade::Channel;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It does not exist, or it is somebody else's: the two are not told apart.
    NotFound,
    /// Nothing was selected.
    NothingSelected,
    /// Other fees of more than one batch were selected.
    OneBatch,
    /// The item takes no money now.
    Unpayable { item: Bilingual, why: Unpayable },
    /// The amount breaks a rule.
    Amount { item: Bilingual, why: AmountRefusal },
    /// The charge is in an unpaid order of other lines: pay or cancel that one first.
    InAnotherOrder { order_no: OrderNo },
    /// One order would exceed what channels take (99,999,999.99 yuan).
    OrderTooLarge,
    /// The order is paid.
    OrderPaid,
    /// The order is closed; a new one can be made.
    OrderClosed { reason: CloseReason },
    /// What the order was for is no longer owed in that amount; it was closed.
    ArrearsChanged,
    /// Money of an unexpected amount arrived for this order: the office looks at it first.
    UnderReview,
    /// The payee cannot be paid this way.
    NotOffered,
    /// The school's rules let the channel take no such payment now.
    Barred { channel: Channel, why: Barred },
    /// The channel must first know who pays: send the payer through its sign-in.
    BuyerNeeded { channel: Channel },
    /// The channel gave no usable answer. The order is safe; the same step may be tried again.
    ChannelBusy { channel: Channel },
    /// The channel said no; another way of paying may work.
    ChannelRefused { channel: Channel },
}

impl Refusal {
    /// A word for logs and programs that never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NotFound => "not_found",
            Refusal::NothingSelected => "nothing_selected",
            Refusal::OneBatch => "one_batch",
            Refusal::Unpayable { why: Unpayable::Suspended, .. } => "item_suspended",
            Refusal::Unpayable { why: Unpayable::NotYet(_), .. } => "item_not_yet",
            Refusal::Unpayable { why: Unpayable::Over(_), .. } => "item_over",
            Refusal::Amount { why, .. } => match why {
                AmountRefusal::AboveArrears { .. } => "amount_above_arrears",
                AmountRefusal::BelowMinimum { .. } => "amount_below_minimum",
                AmountRefusal::RemainderTooSmall { .. } => "amount_remainder",
                AmountRefusal::NotSplittable { .. } => "amount_not_splittable",
                AmountRefusal::NothingOwed => "nothing_owed",
            },
            Refusal::InAnotherOrder { .. } => "in_another_order",
            Refusal::OrderTooLarge => "order_too_large",
            Refusal::OrderPaid => "order_paid",
            Refusal::OrderClosed { .. } => "order_closed",
            Refusal::ArrearsChanged => "arrears_changed",
            Refusal::UnderReview => "under_review",
            Refusal::NotOffered => "not_offered",
            Refusal::Barred { .. } => "method_barred",
            Refusal::BuyerNeeded { .. } => "buyer_needed",
            Refusal::ChannelBusy { .. } => "channel_busy",
            Refusal::ChannelRefused { .. } => "channel_refused",
        }
    }
}
