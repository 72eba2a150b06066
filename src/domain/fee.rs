//! 收费项目: what can be charged, who receives it, and when it may be paid.
use super::bilingual::Bilingual;
use super::ids::{FeeItemId, PeriodId};
use super::moment::Moment;
use super::money::Fen;

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The word in the database and in URLs.
            pub const fn code(self) -> &'static str {
                match self { $($name::$variant => $code),+ }
            }

            pub fn parse(code: &str) -> Option<$name> {
                match code { $($code => Some($name::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use coded;

coded! {
    /// 收费类型
    FeeKind {
        /// 学费: tuition, accommodation and what is billed with them; no time limit
        Tuition = "tuition",
        /// 其他费用
        Other = "other",
        /// 生活缴费
        Living = "living",
        /// 报名费
        Enrolment = "enrolment",
    }
}

coded! {
    /// 项目类别: whose money it is; the two never share an order
    Fund {
        /// 财政
        Fiscal = "fiscal",
        /// 代收
        Agency = "agency",
    }
}

coded! {
    /// 收费状态
    Collection {
        /// 收费
        Collecting = "collecting",
        /// 停止
        Suspended = "suspended",
    }
}

/// 收费起始 / 收费终止. An absent end means no limit on that side; the closing moment itself is already outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Window {
    pub opens_at: Option<Moment>,
    pub closes_at: Option<Moment>,
}

/// Where a moment stands to a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WindowState {
    NotYet(Moment),
    Open,
    Over(Moment),
}

impl Window {
    pub fn at(&self, now: Moment) -> WindowState {
        match (self.opens_at, self.closes_at) {
            (Some(opens), _) if now < opens => WindowState::NotYet(opens),
            (_, Some(closes)) if now >= closes => WindowState::Over(closes),
            _ => WindowState::Open,
        }
    }
}

/// 收费项目
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeeItem {
    pub id: FeeItemId,
    pub code: String,
    pub name: Bilingual,
    pub kind: FeeKind,
    pub payee_code: String,
    pub collection: Collection,
    pub window: Window,
    /// 最小拆分金额; absent: the item is paid whole
    pub min_split: Option<Fen>,
    /// 非税项目编码; absent: the fiscal authority issues nothing for it
    pub fiscal_code: Option<String>,
}

/// Why an item cannot be paid now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unpayable {
    Suspended,
    NotYet(Moment),
    Over(Moment),
}

impl FeeItem {
    /// Whether the item takes money now. Tuition has no time limit: only its suspension stops it.
    pub fn payable_at(&self, now: Moment) -> Result<(), Unpayable> {
        if self.collection == Collection::Suspended {
            return Err(Unpayable::Suspended);
        }
        match self.window.at(now) {
            _ if self.kind == FeeKind::Tuition => Ok(()),
            WindowState::Open => Ok(()),
            WindowState::NotYet(at) => Err(Unpayable::NotYet(at)),
            WindowState::Over(at) => Err(Unpayable::Over(at)),
        }
    }
}

/// 收费期间
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BillingPeriod {
    pub id: PeriodId,
    pub code: String,
    pub name: Bilingual,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: FeeKind, closes_at: Moment) -> FeeItem {
        FeeItem {
            id: FeeItemId(1),
            code: "X".into(),
            name: Bilingual::new("会议费", ""),
            kind,
            payee_code: "agency".into(),
            collection: Collection::Collecting,
            window: Window { opens_at: Some(Moment::from_unix(100)), closes_at: Some(closes_at) },
            min_split: None,
            fiscal_code: None,
        }
    }

    #[test]
    fn other_fees_close_with_their_window_and_tuition_never_does() {
        let closes = Moment::from_unix(200);
        assert_eq!(
            item(FeeKind::Other, closes).payable_at(Moment::from_unix(99)),
            Err(Unpayable::NotYet(Moment::from_unix(100)))
        );
        assert_eq!(item(FeeKind::Other, closes).payable_at(Moment::from_unix(199)), Ok(()));
        assert_eq!(item(FeeKind::Other, closes).payable_at(closes), Err(Unpayable::Over(closes)));
        assert_eq!(item(FeeKind::Tuition, closes).payable_at(closes), Ok(()));
    }

    #[test]
    fn a_suspended_item_takes_no_money_whatever_its_window() {
        let suspended = FeeItem { collection: Collection::Suspended, ..item(FeeKind::Tuition, Moment::from_unix(200)) };
        assert_eq!(suspended.payable_at(Moment::from_unix(150)), Err(Unpayable::Suspended));
    }
}
