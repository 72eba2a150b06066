//! 已缴费: payments made on every way, and one 收费单 with its lines, fit to print.
use askama::Template;

use super::ereceipt::Standing;
use super::filter::{Listing, Pages, PaidKind};
use super::links;
use super::part::{Title, channel_word, giver_text};
use crate::domain::bilingual::Bilingual;
use crate::domain::capital::{capitals, english};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::OrderNo;
use crate::domain::trade::Channel;
use crate::web::html::{Frame, filters};

#[derive(Template, Debug)]
#[template(path = "page/paid.html")]
pub struct PaidList {
    /// With a person
    pub frame: Frame,
    pub kind: PaidKind,
    pub list: Listing,
    /// Newest first; at most 20 slips on a page
    pub months: Vec<PaidMonth>,
    /// Over all that was found, newest first
    pub years: Vec<PaidYear>,
    pub pages: Pages,
    /// Signed in with document number and name: nothing before today is shown
    pub limited: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaidMonth {
    /// Any moment of it
    pub month: Moment,
    /// Of the slips shown
    pub sum: Fen,
    pub slips: Vec<SlipRow>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaidYear {
    pub year: String,
    pub count: usize,
    pub sum: Fen,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlipRow {
    /// 收费单号; empty where the counter's is not known
    pub receipt_no: String,
    /// 收费日期
    pub charged_at: Moment,
    pub title: Title,
    pub total: Fen,
    pub maker: Maker,
    /// 电子票据
    pub ereceipt: Standing,
    /// 收费期间 of what was paid at the counter, which has no page of its own
    pub period: Option<Bilingual>,
    /// Back with the payer
    pub refunded: Fen,
    /// On its way back
    pub returning: Fen,
}

/// 制单人
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Maker {
    /// 支付平台
    Platform,
    /// Somebody at the counter
    Clerk(String),
    /// The counter; who it was is not known
    Counter,
}

/// 收费单
#[derive(Template, Debug)]
#[template(path = "page/slip.html")]
pub struct Slip {
    /// With a person
    pub frame: Frame,
    pub receipt_no: String,
    pub charged_at: Moment,
    pub maker: Maker,
    pub payee: Bilingual,
    /// None for payments made elsewhere
    pub order_no: Option<OrderNo>,
    pub channel: Option<Channel>,
    /// 渠道交易号
    pub trade_no: Option<String>,
    /// 代付: who paid, as they wished to be called; empty: no name was left
    pub giver: Option<String>,
    pub lines: Vec<SlipLine>,
    pub total: Fen,
    /// 电子票据
    pub ereceipt: Standing,
    /// What went back since
    pub refunded: Fen,
    /// What is on its way back
    pub returning: Fen,
    /// 验证码, as people read it
    pub code: String,
    /// A picture of the address that checks it, as a `data:` address; empty: not shown
    pub scan: String,
    /// Where number and code may be typed
    pub check_at: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlipLine {
    /// 收费期间
    pub period: Bilingual,
    /// 收费项目
    pub item: Bilingual,
    /// 交费金额
    pub amount: Fen,
}

impl PaidList {
    fn kind_word(&self) -> &'static str {
        kind_word(self.kind)
    }

    /// The fee kind filters: word, address, whether it is the present one.
    fn kinds(&self) -> [(&'static str, String, bool); 3] {
        PaidKind::ALL.map(|kind| (kind_word(kind), self.list.showing(kind.code()), kind == self.kind))
    }

    fn sum(&self) -> Fen {
        self.years.iter().map(|year| year.sum).sum()
    }

    fn maker_text<'a>(&'a self, maker: &'a Maker) -> &'a str {
        maker.text(&self.frame)
    }
}

fn kind_word(kind: PaidKind) -> &'static str {
    match kind {
        PaidKind::All => "list.all",
        PaidKind::Tuition => "kind.tuition",
        PaidKind::Other => "paid.other",
    }
}

impl Maker {
    fn text<'a>(&'a self, frame: &Frame) -> &'a str {
        match self {
            Maker::Platform => frame.w("slip.platform"),
            Maker::Clerk(name) => name,
            Maker::Counter => frame.w("slip.counter"),
        }
    }
}

impl Slip {
    /// 大写
    fn capitals(&self) -> String {
        capitals(self.total)
    }

    /// The amount in English words
    fn english(&self) -> String {
        english(self.total)
    }

    pub fn is_void(&self) -> bool {
        self.refunded + self.returning >= self.total
    }

    fn maker_text(&self) -> &str {
        self.maker.text(&self.frame)
    }

    fn giver_text(&self) -> Option<String> {
        self.giver.as_ref().map(|giver| giver_text(self.frame.lang, giver))
    }

    fn channel_text(&self) -> Option<&'static str> {
        self.channel.as_ref().map(|channel| self.frame.w(channel_word(channel)))
    }
}
