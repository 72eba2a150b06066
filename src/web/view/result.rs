//! 支付结果: paid, not known yet, or not paid. Each says in words where the money is.
use askama::Template;

use super::links;
use super::part::{NextOrder, OrderFacts, Surplus, Viewer, channel_word};
use super::refusals;
use crate::domain::moment::Moment;
use crate::domain::order::CloseReason;
use crate::domain::trade::{Channel, TradeNo};
use crate::web::html::{Frame, filters};

/// 缴费成功
#[derive(Template, Debug)]
#[template(path = "page/result-paid.html")]
pub struct Paid {
    pub frame: Frame,
    pub viewer: Viewer,
    pub order: OrderFacts,
    pub channel: Channel,
    pub paid_at: Moment,
    pub trade_no: TradeNo,
    /// 收费单号, once it exists; shown to the payer only
    pub receipt_no: Option<String>,
    /// A fiscal e-receipt follows; shown to the payer only
    pub ereceipt: Option<Coming>,
    /// A second payment of the same order
    pub surplus: Option<Surplus>,
    /// What is left of a mixed selection; for the payer only
    pub next: Option<NextOrder>,
}

/// Where the payer hears of the e-receipt
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Coming {
    /// To this phone or mail address, masked
    To(String),
    /// In the list of what was paid
    InTheList,
    /// It is there
    There,
}

/// 正在确认: asks by itself, by events, polling, or a refresh without a script. POSTs `csrf` to `Door::ask`.
#[derive(Template, Debug)]
#[template(path = "page/result-confirming.html")]
pub struct Confirming {
    pub frame: Frame,
    pub viewer: Viewer,
    pub order: OrderFacts,
    /// The way the payment was tried, when one was
    pub channel: Option<Channel>,
    /// Money of another amount than the order's arrived: the office looks at it first, nothing may be paid again
    pub under_review: bool,
}

/// 支付未完成
#[derive(Template, Debug)]
#[template(path = "page/result-incomplete.html")]
pub struct Incomplete {
    pub frame: Frame,
    pub viewer: Viewer,
    pub order: OrderFacts,
    pub channel: Option<Channel>,
    pub why: Why,
    /// The channel itself has said that nothing was paid. Without it the page does not claim so.
    pub certain: bool,
    /// Money that came after the end, going back
    pub surplus: Option<Surplus>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The payer closed the payment window; the order can still be paid
    Cancelled,
    /// The app said it failed; the order can still be paid
    Failed,
    /// The order is closed
    Closed(CloseReason),
}

impl Why {
    fn can_pay(self) -> bool {
        !matches!(self, Why::Closed(_))
    }
}

impl Paid {
    fn channel_text(&self) -> &'static str {
        self.frame.w(channel_word(&self.channel))
    }

    /// When and where the e-receipt comes.
    fn coming(&self) -> Option<String> {
        match self.ereceipt.as_ref().filter(|_| self.viewer.is_owner())? {
            Coming::To(place) => Some(self.frame.with("result.er_to", "place", place)),
            Coming::InTheList => Some(self.frame.w("result.er_list").to_owned()),
            Coming::There => Some(self.frame.w("result.er_there").to_owned()),
        }
    }

    /// The receipt is the payer's business only.
    fn own_receipt(&self) -> Option<&String> {
        self.receipt_no.as_ref().filter(|_| self.viewer.is_owner())
    }
}

impl Confirming {
    fn channel_text(&self) -> Option<&'static str> {
        self.channel.as_ref().map(|channel| self.frame.w(channel_word(channel)))
    }
}

impl Incomplete {
    fn heading(&self) -> &'static str {
        match (self.why, self.certain) {
            (Why::Closed(_), _) => "result.closed",
            (_, true) => "result.incomplete",
            (_, false) => "result.unsure",
        }
    }

    fn why_text(&self) -> String {
        let channel = self.channel.as_ref().map(channel_word).map(|key| self.frame.w(key));
        match (self.why, channel) {
            (Why::Cancelled, Some(channel)) => self.frame.with("result.why_cancelled_in", "channel", channel),
            (Why::Cancelled, None) => self.frame.w("result.why_cancelled").to_owned(),
            (Why::Failed, Some(channel)) => self.frame.with("result.why_failed_in", "channel", channel),
            (Why::Failed, None) => self.frame.w("result.why_failed").to_owned(),
            (Why::Closed(reason), _) => self.frame.w(refusals::closed(reason)).to_owned(),
        }
    }
}
