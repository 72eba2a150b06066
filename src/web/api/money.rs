//! Amounts, names and times as JSON has them. An amount is a whole number of fen, with the same in yuan for people.
use poem_openapi::Object;

use crate::domain::bilingual::Bilingual;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::OrderLine;

/// An amount of money. 金额
#[derive(Object, Clone, Debug)]
pub struct Money {
    /// Whole fen; 100 fen are 1 yuan
    pub fen: i64,
    /// The same in yuan with two decimals, `9099.95`
    pub yuan: String,
}

impl From<Fen> for Money {
    fn from(amount: Fen) -> Money {
        Money { fen: amount.get(), yuan: amount.yuan() }
    }
}

/// A name in both languages; `en` may be empty. 双语名称
#[derive(Object, Clone, Debug)]
pub struct Names {
    pub zh: String,
    pub en: String,
}

impl From<Bilingual> for Names {
    fn from(name: Bilingual) -> Names {
        Names { zh: name.zh, en: name.en }
    }
}

/// One line of an order. 订单明细
#[derive(Object, Clone, Debug)]
pub struct Line {
    pub charge_id: i64,
    pub item: Names,
    pub period: Names,
    pub amount: Money,
    /// What went back of it
    pub refunded: Money,
}

impl From<OrderLine> for Line {
    fn from(line: OrderLine) -> Line {
        Line {
            charge_id: line.charge_id.0,
            item: line.item.into(),
            period: line.period.into(),
            amount: line.amount.into(),
            refunded: line.refunded.into(),
        }
    }
}

/// `2026-09-01T10:24:36+08:00`
pub fn time(at: Moment) -> String {
    at.rfc3339()
}

/// A day written `yyyymmdd`, as charges keep it, as `2026-09-30`.
pub fn day(ymd: i64) -> String {
    format!("{:04}-{:02}-{:02}", ymd / 10_000, ymd / 100 % 100, ymd % 100)
}
