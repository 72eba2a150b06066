//! 财政电子票据 of a payment: where it stands, and the face of the bill.
use askama::Template;

use super::links;
use crate::domain::bilingual::Bilingual;
use crate::domain::capital::capitals;
use crate::domain::ereceipt::{Bill, BillName, EReceipt, EReceiptState, Told};
use crate::domain::moment::Moment;
use crate::web::html::{Frame, filters};

/// What a list tells of a payment's e-receipt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// 其他票据: the fiscal authority issues none for it
    Other,
    /// 开具中
    Underway,
    /// 已生成
    There,
    /// 开具未成功
    Failed,
    /// 红冲中
    Reversing,
    /// 已红冲
    Void,
    /// 已退费: it had all gone back before it was issued
    None,
}

impl Standing {
    /// Of a receipt's e-receipts the last one counts.
    pub fn of(all: &[EReceipt]) -> Standing {
        match all.last().map(|last| &last.state) {
            None => Standing::Other,
            Some(EReceiptState::Wanted { .. }) => Standing::Underway,
            Some(EReceiptState::Issued(_) | EReceiptState::Pushed(..)) => Standing::There,
            Some(EReceiptState::Failed { .. }) => Standing::Failed,
            Some(EReceiptState::Reversing(_)) => Standing::Reversing,
            Some(EReceiptState::Reversed { .. }) => Standing::Void,
            Some(EReceiptState::Dropped) => Standing::None,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Standing::Other => "er.other",
            Standing::Underway => "er.underway",
            Standing::There => "er.there",
            Standing::Failed => "er.failed",
            Standing::Reversing => "er.reversing",
            Standing::Void => "er.void",
            Standing::None => "er.none",
        }
    }

    /// Whether there is a page to look at.
    pub fn has_page(self) -> bool {
        self != Standing::Other
    }

    /// Whether it is no news.
    pub fn is_settled(self) -> bool {
        matches!(self, Standing::There | Standing::Other)
    }
}

/// 票据查询. POSTs `csrf` to `links::ereceipt_again` for another message.
#[derive(Template, Debug)]
#[template(path = "page/ereceipt.html")]
pub struct EReceiptPage {
    /// With a person
    pub frame: Frame,
    pub receipt_no: String,
    /// 缴费日期
    pub charged_at: Moment,
    /// 执收单位
    pub unit: Bilingual,
    pub standing: Standing,
    /// None before it was issued
    pub bill: Option<Bill>,
    pub told: Option<Told>,
    /// The payer may ask for another message now
    pub may_ask: bool,
    /// 红冲: the red bill that made it void
    pub red: Option<BillName>,
    /// Numbers of earlier bills, made void after refunds of a part
    pub earlier: Vec<String>,
    /// Signed in with document number and name: the phone is changed elsewhere
    pub limited: bool,
}

impl EReceiptPage {
    fn heading(&self) -> &'static str {
        match self.standing {
            Standing::Other => "er.other_head",
            Standing::Underway => "er.underway_head",
            Standing::There => "er.there_head",
            Standing::Failed => "er.failed_head",
            Standing::Reversing => "er.reversing_head",
            Standing::Void => "er.void_head",
            Standing::None => "er.none_head",
        }
    }

    fn explanation(&self) -> &'static str {
        match self.standing {
            Standing::Other => "er.other_more",
            Standing::Underway => "er.underway_more",
            Standing::There => "er.there_more",
            Standing::Failed => "er.failed_more",
            Standing::Reversing => "er.reversing_more",
            Standing::Void => "er.void_more",
            Standing::None => "er.none_more",
        }
    }

    fn is_there(&self) -> bool {
        self.standing == Standing::There
    }

    /// Something for which the office may have to be called.
    fn is_wrong(&self) -> bool {
        self.standing == Standing::Failed
    }

    /// How many bills count: 共1张
    fn many(&self) -> usize {
        usize::from(matches!(self.standing, Standing::There | Standing::Reversing))
    }

    fn capitals(&self, bill: &Bill) -> String {
        capitals(bill.amount)
    }
}
