//! Pieces that several pages show: an order's facts, who looks at it, what to call it.
use super::links::Door;
use crate::domain::bilingual::{Bilingual, Lang};
use crate::domain::fee::Fund;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::{Order, OrderLine};
use crate::domain::order_no::OrderNo;
use crate::domain::payer::{Payer, mask_name};
use crate::domain::trade::Channel;
use crate::web::html::Frame;
use crate::web::words;

/// What a list calls an order: its first item and how many there are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Title {
    pub first: Bilingual,
    pub count: usize,
}

impl Title {
    pub fn of(lines: &[OrderLine]) -> Title {
        Title { first: lines.first().map(|line| line.item.clone()).unwrap_or_default(), count: lines.len() }
    }

    /// `学费等 2 项`, `Tuition and 1 more`.
    pub fn in_lang(&self, lang: Lang) -> String {
        let first = self.first.in_lang(lang);
        let (key, count) = match lang {
            _ if self.count < 2 => return first.to_owned(),
            Lang::Zh => ("title.several", self.count),
            Lang::En => ("title.several", self.count - 1),
        };
        words::fill(lang, key, &[("first", &first), ("n", &count)])
    }
}

/// One order as the cashier, the results and its own page show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderFacts {
    pub order_no: OrderNo,
    pub lines: Vec<OrderLine>,
    pub total: Fen,
    /// 手续费, on top of the total
    pub commission: Fen,
    /// 收款方: the name bank and bill will show
    pub payee: Bilingual,
    pub fund: Fund,
    pub created_at: Moment,
    pub expires_at: Moment,
    /// 验真码, as people read it
    pub check: String,
}

impl OrderFacts {
    pub fn of(order: &Order, lines: Vec<OrderLine>, (payee, fund): (Bilingual, Fund), check: String) -> OrderFacts {
        OrderFacts {
            order_no: order.order_no.clone(),
            lines,
            total: order.total,
            commission: Fen::ZERO,
            payee,
            fund,
            created_at: order.created_at,
            expires_at: order.expires_at,
            check,
        }
    }

    pub fn title(&self) -> Title {
        Title::of(&self.lines)
    }

    /// What is paid: lines and commission.
    pub fn to_pay(&self) -> Fen {
        self.total + self.commission
    }
}

/// Who looks at an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Viewer {
    /// Its payer, signed in (`Frame::person` is there)
    Owner(OrderNo),
    /// Somebody with its pay code: sees the payer's name masked, and may pay and nothing else
    Bearer { code: String, masked_name: String },
}

impl Viewer {
    pub fn owner(order_no: &OrderNo) -> Viewer {
        Viewer::Owner(order_no.clone())
    }

    pub fn bearer(code: &str, payer: &Payer) -> Viewer {
        Viewer::Bearer { code: code.to_owned(), masked_name: mask_name(&payer.name) }
    }

    pub fn is_owner(&self) -> bool {
        matches!(self, Viewer::Owner(_))
    }

    pub fn door(&self) -> Door {
        match self {
            Viewer::Owner(no) => Door::Own(no.clone()),
            Viewer::Bearer { code, .. } => Door::Code(code.clone()),
        }
    }

    /// 缴费人 as this viewer may see it: name and masked number, or the masked name.
    pub fn payer(&self, frame: &Frame) -> String {
        match (self, &frame.person) {
            (Viewer::Owner(_), Some(person)) => format!("{} {}", person.name_in(frame.lang), person.number),
            (Viewer::Owner(_), None) => String::new(),
            (Viewer::Bearer { masked_name, .. }, _) => masked_name.clone(),
        }
    }
}

/// 代付人, by the name that was left.
pub fn giver_text(lang: Lang, giver: &str) -> String {
    match giver.is_empty() {
        true => words::word(lang, "giver.unnamed").to_owned(),
        false => words::fill(lang, "giver.named", &[("name", &giver)]),
    }
}

/// 微信支付, 支付宝, 银联支付
pub fn channel_word(channel: &Channel) -> &'static str {
    match channel {
        Channel::Wechat => "channel.wechat",
        Channel::Alipay => "channel.alipay",
        Channel::UnionPay => "channel.unionpay",
    }
}

/// The one-glyph tile: neutral, not the channel's mark.
pub fn channel_tile(channel: &Channel) -> &'static str {
    match channel {
        Channel::Wechat => "wx",
        Channel::Alipay => "ali",
        Channel::UnionPay => "up",
    }
}

pub fn channel_glyph(channel: &Channel) -> &'static str {
    match channel {
        Channel::Wechat => "微",
        Channel::Alipay => "支",
        Channel::UnionPay => "银",
    }
}

/// The next of the successive orders of a mixed selection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NextOrder {
    pub order_no: OrderNo,
    pub title: Title,
    /// How many orders are still to be paid, this one counted
    pub left: usize,
}

/// 重复缴费: money that came twice or too late, and where it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Surplus {
    pub amount: Fen,
    pub channel: Channel,
    /// When it was back; none while it is on its way
    pub returned_at: Option<Moment>,
}
