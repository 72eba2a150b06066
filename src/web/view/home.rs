//! 首页: what is owed, the order that waits, and the ways on.
use askama::Template;

use super::filter::Owing;
use super::links::{self, Door};
use super::part::{Surplus, Title};
use crate::domain::announcement::Announcement;
use crate::domain::bilingual::Bilingual;
use crate::domain::module::Module;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::OrderNo;
use crate::web::html::{Frame, filters};

/// 当前欠费 = 学费欠费 + 其他缴费欠费.
#[derive(Template, Debug)]
#[template(path = "page/home.html")]
pub struct Home {
    /// With a person
    pub frame: Frame,
    pub tuition: Fen,
    pub other: Fen,
    /// 明细: what of tuition is owed of each billing period, newest first
    pub periods: Vec<OwedPeriod>,
    /// The order that waits for payment; of several the one that ends first
    pub pending: Option<PendingOrder>,
    /// Money that came twice in the last days
    pub surplus: Option<Surplus>,
    /// 公告 that everybody should see
    pub pinned: Option<Announcement>,
    /// How many 公告 were not opened yet
    pub unread: usize,
    /// Signed in with document number and name: no history before today
    pub limited: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwedPeriod {
    pub code: String,
    pub name: Bilingual,
    pub arrears: Fen,
}

impl OwedPeriod {
    fn address(&self) -> String {
        Owing::of_period(&self.code).address()
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingOrder {
    pub order_no: OrderNo,
    pub title: Title,
    pub total: Fen,
    pub expires_at: Moment,
    /// How many orders wait, this one counted
    pub count: usize,
}

impl Home {
    /// Where 去缴费 leads: to tuition, or to other fees if nothing else is owed.
    fn pay_link(&self) -> &'static str {
        if self.tuition.is_positive() { links::TUITION } else { links::OTHER }
    }

    fn arrears(&self) -> Fen {
        self.tuition + self.other
    }
}
