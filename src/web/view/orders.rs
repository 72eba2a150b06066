//! 订单查询: all orders, by state and day, by month.
use askama::Template;

use super::filter::{Listing, Pages, Which};
use super::links;
use super::part::Title;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::{CloseReason, OrderState};
use crate::domain::order_no::OrderNo;
use crate::domain::trade::Channel;
use crate::web::html::{Frame, filters};

#[derive(Template, Debug)]
#[template(path = "page/orders.html")]
pub struct Orders {
    /// With a person
    pub frame: Frame,
    pub which: Which,
    pub list: Listing,
    /// Newest first; at most 20 orders on a page
    pub months: Vec<Month>,
    pub pages: Pages,
    /// Signed in with document number and name: nothing before today is shown
    pub limited: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Month {
    /// Any moment of it
    pub month: Moment,
    /// Paid orders of the month among those shown, and their sum
    pub paid_count: usize,
    pub paid_sum: Fen,
    pub orders: Vec<OrderRow>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderRow {
    pub order_no: OrderNo,
    pub title: Title,
    pub created_at: Moment,
    pub total: Fen,
    pub state: OrderState,
    pub channel: Option<Channel>,
    /// Back with the payer
    pub refunded: Fen,
    /// On its way back
    pub returning: Fen,
}

impl Orders {
    fn which_word(&self) -> &'static str {
        which_word(self.which)
    }

    /// The state filters: word, address, whether it is the present one.
    fn states(&self) -> [(&'static str, String, bool); 4] {
        Which::ALL.map(|which| (which_word(which), self.list.showing(which.code()), which == self.which))
    }
}

fn which_word(which: Which) -> &'static str {
    match which {
        Which::All => "list.all",
        Which::Pending => "state.pending",
        Which::Paid => "orders.paid",
        Which::Failed => "orders.failed",
    }
}

impl OrderRow {
    fn word(&self) -> &'static str {
        state_word(&self.state)
    }

    fn tone(&self) -> &'static str {
        state_tone(&self.state)
    }
}

/// 待支付, 支付成功, 已取消 …
pub fn state_word(state: &OrderState) -> &'static str {
    match state {
        OrderState::Pending { .. } => "state.pending",
        OrderState::Paid { .. } => "state.paid",
        OrderState::Closed { reason: CloseReason::Cancelled, .. } => "state.cancelled",
        OrderState::Closed { reason: CloseReason::Expired, .. } => "state.expired",
        OrderState::Closed { reason: CloseReason::Superseded, .. } => "state.superseded",
    }
}

/// The colour that goes with the word.
pub fn state_tone(state: &OrderState) -> &'static str {
    match state {
        OrderState::Pending { .. } => "s2",
        OrderState::Paid { .. } => "s1",
        OrderState::Closed { .. } => "s0",
    }
}
