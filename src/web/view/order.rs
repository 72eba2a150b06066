//! 订单明细: one order's lines, what happened to it, and what went back.
use askama::Template;

use super::ereceipt::Standing;
use super::links::{self, Door};
use super::living::TopUpLine;
use super::orders::{state_tone, state_word};
use super::part::{OrderFacts, channel_word};
use super::refusals;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::OrderState;
use crate::domain::refund::{RefundCause, RefundState};
use crate::domain::trade::Channel;
use crate::web::html::{Frame, filters};

/// 再次查询 POSTs `csrf` to `Door::ask`; 取消 to `Door::cancel`.
#[derive(Template, Debug)]
#[template(path = "page/order.html")]
pub struct OrderPage {
    /// With a person
    pub frame: Frame,
    pub order: OrderFacts,
    pub state: OrderState,
    pub channel: Option<Channel>,
    /// 收费单, once it exists: its number and when it was written
    pub receipt: Option<(String, Moment)>,
    /// 财政电子票据 of the receipt
    pub ereceipt: Standing,
    /// 生活缴费: what became of it
    pub top_up: Option<TopUpLine>,
    /// Newest first
    pub refunds: Vec<RefundLine>,
    /// Money of another amount arrived: the office looks at it first
    pub under_review: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefundLine {
    pub cause: RefundCause,
    pub state: RefundState,
    pub amount: Fen,
    pub channel: Channel,
    pub asked_at: Moment,
    pub done_at: Option<Moment>,
}

/// One step of what happened.
struct Step {
    word: &'static str,
    /// None: not yet
    at: Option<Moment>,
    note: String,
    /// Class of the mark: `done`, `now`, `end`, or nothing for what is still to come
    tone: &'static str,
}

impl OrderPage {
    fn is_pending(&self) -> bool {
        matches!(self.state, OrderState::Pending { .. })
    }

    fn is_paid(&self) -> bool {
        matches!(self.state, OrderState::Paid { .. })
    }

    fn state_word(&self) -> &'static str {
        if self.under_review { "state.review" } else { state_word(&self.state) }
    }

    fn tone(&self) -> &'static str {
        if self.under_review { "s2" } else { state_tone(&self.state) }
    }

    /// 下单 → 支付 → 收费单 → 开票, where there is something to issue, or 下单 → its end.
    fn steps(&self) -> Vec<Step> {
        let step = |word, at: Option<Moment>, tone| Step { word, at, note: String::new(), tone };
        let ordered = step("step.ordered", Some(self.order.created_at), "done");
        let channel =
            self.channel.as_ref().map(|channel| self.frame.w(channel_word(channel)).to_owned()).unwrap_or_default();
        match &self.state {
            OrderState::Pending { .. } => {
                vec![ordered, step("step.to_pay", None, "now"), step("step.receipt", None, "")]
            }
            OrderState::Paid { paid_at, .. } => {
                let receipt = match &self.receipt {
                    Some((no, at)) => Step { note: no.clone(), ..step("step.receipt", Some(*at), "done") },
                    None => step("step.receipt", None, "now"),
                };
                let paid = Step { note: channel, ..step("step.paid", Some(*paid_at), "done") };
                let issued = self.ereceipt.has_page().then(|| Step {
                    note: self.frame.w(self.ereceipt.word()).to_owned(),
                    ..step("step.ereceipt", None, if self.ereceipt.is_settled() { "done" } else { "now" })
                });
                [ordered, paid, receipt].into_iter().chain(issued).collect()
            }
            OrderState::Closed { reason, closed_at } => {
                let note = self.frame.w(refusals::closed(*reason)).to_owned();
                vec![ordered, Step { note, ..step("step.closed", Some(*closed_at), "end") }]
            }
        }
    }

    fn door(&self) -> Door {
        Door::Own(self.order.order_no.clone())
    }
}

impl RefundLine {
    fn cause_word(&self) -> &'static str {
        match self.cause {
            RefundCause::Surplus => "refund.surplus",
            RefundCause::Requested => "refund.requested",
        }
    }

    fn state_word(&self) -> &'static str {
        match self.state {
            RefundState::Wanted | RefundState::Processing => "refund.under_way",
            RefundState::Done => "refund.done",
            RefundState::Abnormal | RefundState::Closed => "refund.office",
        }
    }

    fn state_more(&self) -> &'static str {
        match self.state {
            RefundState::Wanted | RefundState::Processing => "refund.under_way_more",
            RefundState::Done => "refund.done_more",
            RefundState::Abnormal | RefundState::Closed => "refund.office_more",
        }
    }

    fn tone(&self) -> &'static str {
        match self.state {
            RefundState::Done => "s1",
            RefundState::Wanted | RefundState::Processing => "s2",
            RefundState::Abnormal | RefundState::Closed => "s3",
        }
    }
}
