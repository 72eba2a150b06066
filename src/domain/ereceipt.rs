//! 财政电子票据: what the fiscal authority's platform issues for money paid into the fiscal fund, where it stands, and what
//! is to be done next. Money never waits for it.
//!
//! Numbers: 票据代码 of 8 digits, 票据号码 of 10 (notice of four ministries on e-bills of road tolls, 2020, part 2); 校验码 of
//! letters and digits, six on the bills that were seen.
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fee::coded;
use super::ids::{EReceiptId, ReceiptId};
use super::moment::Moment;
use super::money::Fen;
use super::pause;

coded! {
    /// The word of a state
    EReceiptWord {
        /// 待开
        Wanted = "wanted",
        /// 已开
        Issued = "issued",
        /// 已推送
        Pushed = "pushed",
        /// 失败
        Failed = "failed",
        /// 红冲中
        Reversing = "reversing",
        /// 已红冲
        Reversed = "reversed",
        /// 无需开具
        Dropped = "dropped",
    }
}

/// What names a bill to everybody, and to 全国财政电子票据查验平台.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BillName {
    /// 票据代码
    pub code: String,
    /// 票据号码
    pub number: String,
    /// 校验码
    pub check: String,
}

impl BillName {
    /// None when the numbers cannot be a bill's.
    pub fn new(code: &str, number: &str, check: &str) -> Option<BillName> {
        let digits = |text: &str, many: usize| text.len() == many && text.bytes().all(|b| b.is_ascii_digit());
        let checks = (4..=20).contains(&check.len()) && check.bytes().all(|b| b.is_ascii_alphanumeric());
        let fits = digits(code, 8) && digits(number, 10) && checks;
        fits.then(|| BillName { code: code.to_owned(), number: number.to_owned(), check: check.to_owned() })
    }
}

/// A bill as it was issued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bill {
    pub name: BillName,
    /// 开票日期
    pub issued_at: Moment,
    /// What it is for in all
    pub amount: Fen,
    /// Where the platform shows the original; it may tell none
    pub address: Option<String>,
}

/// Told by text message or mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    pub at: Moment,
    /// Number or address, masked
    pub to: String,
}

/// Where an e-receipt stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EReceiptState {
    /// 待开. Once asked for, it may exist at the platform whatever we have heard.
    Wanted { asked: bool },
    /// 已开
    Issued(Bill),
    /// 已推送
    Pushed(Bill, Told),
    /// 失败: the platform refuses it; a person must mend why
    Failed { why: String },
    /// 红冲中: its money went back, whole or in part
    Reversing(Bill),
    /// 已红冲; the red bill's numbers if the platform told them
    Reversed { bill: Bill, red: Option<BillName>, at: Moment },
    /// 无需开具: all its money was back before it was issued
    Dropped,
}

impl EReceiptState {
    pub fn word(&self) -> EReceiptWord {
        match self {
            EReceiptState::Wanted { .. } => EReceiptWord::Wanted,
            EReceiptState::Issued(_) => EReceiptWord::Issued,
            EReceiptState::Pushed(..) => EReceiptWord::Pushed,
            EReceiptState::Failed { .. } => EReceiptWord::Failed,
            EReceiptState::Reversing(_) => EReceiptWord::Reversing,
            EReceiptState::Reversed { .. } => EReceiptWord::Reversed,
            EReceiptState::Dropped => EReceiptWord::Dropped,
        }
    }

    pub fn bill(&self) -> Option<&Bill> {
        match self {
            EReceiptState::Issued(bill)
            | EReceiptState::Pushed(bill, _)
            | EReceiptState::Reversing(bill)
            | EReceiptState::Reversed { bill, .. } => Some(bill),
            EReceiptState::Wanted { .. } | EReceiptState::Failed { .. } | EReceiptState::Dropped => None,
        }
    }
}

/// One e-receipt of a 收费单. After a refund of a part there is another one for the rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EReceipt {
    pub id: EReceiptId,
    /// 业务流水号: ours; at the platform one serial is one bill
    pub serial_no: String,
    pub receipt_id: ReceiptId,
    /// From 1
    pub part: i64,
    pub state: EReceiptState,
    /// What was asked for; none before the first time
    pub content: Option<Content>,
    /// In this state
    pub tries: i64,
    pub created_at: Moment,
}

/// `{code of the school}{收费单号}-{part}`
pub fn serial_no(school: &str, receipt_no: &str, part: i64) -> String {
    format!("{school}{receipt_no}-{part}")
}

/// What stands on a bill beside its numbers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Content {
    /// 缴款人
    pub payer: String,
    pub lines: Vec<ContentLine>,
    /// 备注: 学院 班级 年度
    pub remark: String,
    /// 业务发生时间, milliseconds since 1970
    pub paid_at: i64,
}

/// One row. 数量 is always 1, so that 标准 is the amount.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContentLine {
    /// 项目编码 of the non-tax catalogue
    pub code: String,
    /// 项目名称
    pub name: String,
    #[serde(rename = "amount_fen")]
    pub amount: Fen,
}

impl Content {
    /// 合计
    pub fn total(&self) -> Fen {
        self.lines.iter().map(|line| line.amount).sum()
    }
}

/// 项目编码 of the non-tax catalogue: eleven digits, as 10304275713.
pub fn is_item_code(text: &str) -> bool {
    text.len() == 11 && text.bytes().all(|b| b.is_ascii_digit())
}

/// What is to be done about an e-receipt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Ask the platform whether it has issued it
    Find,
    Issue,
    /// Tell the payer
    Push,
    /// 红冲
    Reverse,
    /// There is nothing to issue any more
    Drop,
    Rest,
}

/// What comes next. `left` is what of the payment has not gone back.
pub fn step(state: &EReceiptState, left: Fen) -> Step {
    match state {
        EReceiptState::Wanted { asked: true } => Step::Find,
        EReceiptState::Wanted { asked: false } if left.is_positive() => Step::Issue,
        EReceiptState::Failed { .. } if left.is_positive() => Step::Rest,
        EReceiptState::Wanted { asked: false } | EReceiptState::Failed { .. } => Step::Drop,
        EReceiptState::Issued(bill) | EReceiptState::Pushed(bill, _) if bill.amount != left => Step::Reverse,
        EReceiptState::Issued(_) => Step::Push,
        EReceiptState::Reversing(_) => Step::Reverse,
        EReceiptState::Pushed(..) | EReceiptState::Reversed { .. } | EReceiptState::Dropped => Step::Rest,
    }
}

/// Seconds between tries: growing to an hour, and then an hour for ever, because the platform may be away for days. The
/// first is long enough that a call which got no answer has ended before it is asked about.
const PAUSES: [u64; 7] = [20, 60, 180, 600, 1_200, 2_400, 3_600];

/// How long to wait after the `tries`-th try (from 1), as [`pause::after`] has it.
pub fn pause_after(tries: i64, chance: u64) -> Duration {
    let last = i64::try_from(PAUSES.len()).unwrap_or(i64::MAX);
    pause::after(&PAUSES, tries.clamp(1, last), chance).unwrap_or(Duration::from_secs(3_600))
}

/// A refusal counts as the last word from this try on: a platform under load refuses what it takes a minute later.
pub const REFUSALS: i64 = 3;
/// From this try on a person is told that the platform does not answer: about a day after the first.
pub const WORRYING: i64 = 28;
/// How often it is tried to tell the payer
pub const PUSHES: i64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn bill(fen: i64) -> Bill {
        let name = BillName::new("62010126", "0011657007", "8ac31f").unwrap();
        Bill { name, issued_at: Moment::from_unix(0), amount: Fen::new(fen), address: None }
    }

    #[test]
    fn a_bills_numbers_have_eight_and_ten_digits() {
        assert!(BillName::new("62010126", "0011657007", "8ac31f").is_some());
        for (code, number, check) in [
            ("6201012", "0011657007", "8ac31f"),
            ("62010126", "11657007", "8ac31f"),
            ("62010126", "00116570o7", "8ac31f"),
            ("62010126", "0011657007", ""),
            ("62010126", "0011657007", "8ac 31"),
        ] {
            assert_eq!(BillName::new(code, number, check), None);
        }
        assert!(is_item_code("10304275713") && !is_item_code("1030427571") && !is_item_code("1030427571x"));
    }

    #[test]
    fn what_may_exist_is_asked_about_and_what_went_back_is_not_issued() {
        use EReceiptState::{Dropped, Failed, Issued, Pushed, Reversed, Reversing, Wanted};
        let told = Told { at: Moment::from_unix(9), to: "178****5287".to_owned() };
        let failed = || Failed { why: "E0001".to_owned() };
        let reversed = Reversed { bill: bill(5), red: None, at: Moment::from_unix(9) };
        for (state, left, wanted) in [
            (Wanted { asked: false }, 5, Step::Issue),
            (Wanted { asked: false }, 0, Step::Drop),
            (Wanted { asked: true }, 5, Step::Find),
            (Wanted { asked: true }, 0, Step::Find),
            (Issued(bill(5)), 5, Step::Push),
            (Issued(bill(5)), 3, Step::Reverse),
            (Pushed(bill(5), told.clone()), 5, Step::Rest),
            (Pushed(bill(5), told), 0, Step::Reverse),
            (failed(), 5, Step::Rest),
            (failed(), 0, Step::Drop),
            (Reversing(bill(5)), 5, Step::Reverse),
            (reversed, 0, Step::Rest),
            (Dropped, 0, Step::Rest),
        ] {
            assert_eq!(step(&state, Fen::new(left)), wanted, "{state:?} with {left} left");
        }
    }

    #[test]
    fn tries_come_for_ever_an_hour_apart_in_the_end_and_a_person_is_told_after_a_day() {
        assert_eq!(pause_after(1, 0), Duration::from_secs(20));
        assert_eq!(pause_after(7, 0), pause_after(1_000, 0));
        let day: Duration = (1..WORRYING).map(|tries| pause_after(tries, 0)).sum();
        assert!((80_000..=90_000).contains(&day.as_secs()), "{day:?}");
    }
}
