//! 收银台: one order, its payee, and the ways to pay it.
use askama::Template;

use super::part::{OrderFacts, Viewer, channel_glyph, channel_tile, channel_word};
use super::{links, refusals};
use crate::domain::method::Barred;
use crate::domain::module::Module;
use crate::domain::refusal::Refusal;
use crate::domain::trade::Channel;
use crate::web::html::{Frame, filters};

/// POSTs to `Door::pay`: `csrf`, `method` (`wechat` | `alipay` | `unionpay`); to `Door::cancel`: `csrf`.
#[derive(Template, Debug)]
#[template(path = "page/cashier.html")]
pub struct Cashier {
    pub frame: Frame,
    pub viewer: Viewer,
    /// Waits for payment; closed and paid orders have other pages
    pub order: OrderFacts,
    /// In a fixed order. On a desktop these stand below the code; none: only the code is shown.
    pub ways: Vec<Way>,
    /// The preselected one: the way that works where the payer is
    pub chosen: Option<Channel>,
    /// On a desktop: one code for every app, `Door::code_png`
    pub code: bool,
    /// Why the last try to pay did not start
    pub problem: Option<Refusal>,
    /// Place among the successive orders of one selection: this one, of how many. Shown when there are several.
    pub part: (usize, usize),
    /// Whether the viewer may ask others to pay it
    pub may_be_shared: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Way {
    pub channel: Channel,
    pub availability: Availability,
    /// The school's rules let it not take this payment now: greyed, with the reason
    pub barred: Option<Barred>,
}

/// Whether a way of paying works where the payer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Availability {
    /// Starts right here (in its own app)
    Here,
    /// Leaves for the app and comes back
    OpensApp,
    /// Goes on on the channel's own page in this browser (desktop)
    OpensPage,
    /// Must be opened in a browser first: the guide follows
    NeedsBrowser,
    /// Not from this app
    NotHere,
}

impl Cashier {
    fn is_chosen(&self, way: &Way) -> bool {
        self.chosen == Some(way.channel)
    }

    fn chosen_word(&self) -> &'static str {
        self.frame.w(self.chosen.as_ref().map_or("cashier.pay", channel_word))
    }

    /// Whether there is anything to pay with here; without it there is no button.
    fn can_pay(&self) -> bool {
        self.ways.iter().any(Way::can_be_chosen)
    }

    /// Which apps read the code.
    fn code_apps(&self) -> &'static str {
        match self.ways.iter().any(|way| way.channel == Channel::UnionPay) {
            true => "cashier.code_apps_all",
            false => "cashier.code_apps",
        }
    }

    /// 家长代付 of this order, where the school offers it.
    fn pay_for_me(&self) -> Option<String> {
        let offered = self.frame.has(Module::PayForMe) && !self.frame.is_closed(Module::PayForMe);
        (self.may_be_shared && offered).then(|| links::pay_for_me(&self.order.order_no))
    }

    fn problem_text(&self, why: &Refusal) -> String {
        refusals::refusal(&self.frame, why)
    }
}

impl Way {
    fn word(&self) -> &'static str {
        channel_word(&self.channel)
    }

    fn can_be_chosen(&self) -> bool {
        self.barred.is_none() && self.availability != Availability::NotHere
    }

    fn tile(&self) -> &'static str {
        channel_tile(&self.channel)
    }

    fn glyph(&self) -> &'static str {
        channel_glyph(&self.channel)
    }

    /// The line under the name: what will happen, or why it cannot be chosen.
    fn note(&self, frame: &Frame, chosen: &Option<Channel>) -> String {
        if let Some(why) = &self.barred {
            return refusals::barred(frame, why);
        }
        frame.w(self.word_of_note(chosen)).to_owned()
    }

    fn word_of_note(&self, chosen: &Option<Channel>) -> &'static str {
        match self.availability {
            Availability::Here | Availability::OpensPage if self.channel == Channel::UnionPay => "way.unionpay",
            Availability::Here if *chosen == Some(self.channel) => "way.here_first",
            Availability::Here => "way.here",
            Availability::OpensApp => "way.opens_app",
            Availability::OpensPage => "way.opens_page",
            Availability::NeedsBrowser => "way.needs_browser",
            Availability::NotHere if self.channel == Channel::Wechat => "way.only_wechat",
            Availability::NotHere if self.channel == Channel::Alipay => "way.only_alipay",
            Availability::NotHere => "way.only_browser",
        }
    }
}
