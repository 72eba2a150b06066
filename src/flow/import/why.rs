//! Why a row cannot be imported: a code for programs that never changes its meaning, and words in both languages. None
//! repeats what the row said: it may be an ID number or a phone.
use crate::domain::bilingual::Bilingual;
use crate::domain::id_number::IdNumberError;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    Empty,
    /// In characters
    TooLong {
        most: usize,
    },
    /// An earlier row has the same key
    Repeats {
        line: u64,
    },
    /// An earlier row has the same payer, item and period
    RepeatsCharge {
        line: u64,
    },
    /// Another person, or another study, has this number
    OtherPerson,
    NumberLetters,
    NoPhone,
    IdMalformed,
    IdCheckDigit,
    IdBirthDate,
    NoDay,
    /// The last day is before the first one
    EndsBeforeStart,
    NoAmount,
    NoPositiveAmount,
    NoWholeNumber {
        most: i64,
    },
    PayerKind,
    PayerKinds,
    FeeKind,
    Collection,
    /// 非税项目编码
    FiscalCode,
    UnknownPayee,
    UnknownPayer,
    UnknownItem,
    /// Waived and paid are more than is assessed
    CoveredBeyondAssessed,
    /// Less is said to be paid at the counter than before
    CounterTakesBack,
    /// The charge would be less than is paid for it
    BelowPaid,
    /// More seats are taken than there would be
    SeatsTaken {
        taken: i64,
    },
    Form,
    /// Places cannot be given; the refusal's code
    Refused(&'static str),
}

impl Why {
    /// For programs; never changes its meaning.
    pub const fn code(self) -> &'static str {
        match self {
            Why::Empty => "empty",
            Why::TooLong { .. } => "too-long",
            Why::Repeats { .. } | Why::RepeatsCharge { .. } => "repeated",
            Why::OtherPerson => "other-person",
            Why::NumberLetters => "number-letters",
            Why::NoPhone => "no-phone",
            Why::IdMalformed => "id-malformed",
            Why::IdCheckDigit => "id-check-digit",
            Why::IdBirthDate => "id-birth-date",
            Why::NoDay => "no-day",
            Why::EndsBeforeStart => "ends-before-start",
            Why::NoAmount => "no-amount",
            Why::NoPositiveAmount => "no-positive-amount",
            Why::NoWholeNumber { .. } => "no-whole-number",
            Why::PayerKind | Why::PayerKinds => "unknown-payer-kind",
            Why::FeeKind => "unknown-fee-kind",
            Why::Collection => "unknown-collection",
            Why::FiscalCode => "no-fiscal-code",
            Why::UnknownPayee => "unknown-payee",
            Why::UnknownPayer => "unknown-payer",
            Why::UnknownItem => "unknown-item",
            Why::CoveredBeyondAssessed => "covered-beyond-assessed",
            Why::CounterTakesBack => "counter-takes-back",
            Why::BelowPaid => "below-paid",
            Why::SeatsTaken { .. } => "seats-taken",
            Why::Form => "form",
            Why::Refused(_) => "refused",
        }
    }

    pub fn words(self) -> Bilingual {
        let (zh, en) = match self {
            Why::TooLong { most } => {
                return both(format!("超过 {most} 个字"), format!("longer than {most} characters"));
            }
            Why::Repeats { line } => return both(format!("与第 {line} 行重复"), format!("repeats row {line}")),
            Why::RepeatsCharge { line } => {
                let zh = format!("同一人、同一项目、同一期间与第 {line} 行重复");
                return both(zh, format!("repeats the payer, item and period of row {line}"));
            }
            Why::NoWholeNumber { most } => {
                return both(format!("应为 1 到 {most} 的整数"), format!("must be a whole number from 1 to {most}"));
            }
            Why::SeatsTaken { taken } => {
                return both(format!("已有 {taken} 人占用名额"), format!("{taken} seats are taken already"));
            }
            Why::Refused(code) => {
                return both(format!("不能分配名额：{code}"), format!("no seats can be given: {code}"));
            }
            Why::Empty => ("不能为空", "must not be empty"),
            Why::OtherPerson => ("这个号码已属于另一人或另一段学业", "belongs to another person or another study"),
            Why::NumberLetters => ("只能有字母、数字和 - _ . /", "may have letters, digits and - _ . / only"),
            Why::NoPhone => ("不是电话号码", "is no telephone number"),
            Why::IdMalformed => ("有不该出现的字符，或过长", "has characters that do not belong there, or is too long"),
            Why::IdCheckDigit => ("18 位号码的校验位不对", "the check digit of the 18 is wrong"),
            Why::IdBirthDate => ("18 位号码里的出生日期不存在", "the date of birth in the 18 digits does not exist"),
            Why::NoDay => ("不是日期，应为 2026-09-30", "is no day; write 2026-09-30"),
            Why::EndsBeforeStart => ("早于起始日期", "is before the first day"),
            Why::NoAmount => (
                "应为金额：不带正负号，最多两位小数，不超过 99,999,999.99",
                "must be an amount in yuan: no sign, at most two decimals, at most 99,999,999.99",
            ),
            Why::NoPositiveAmount => {
                ("应为大于 0 的金额，最多两位小数", "must be an amount above 0, at most two decimals")
            }
            Why::PayerKind => (
                "应为 学生、教职工、新生 或 校外",
                "must be student 学生, staff 教职工, newcomer 新生 or outsider 校外",
            ),
            Why::PayerKinds => (
                "应为 学生、教职工、新生、校外，用顿号分开；不填为不限",
                "must be student, staff, newcomer, outsider with 、 between; empty: everybody",
            ),
            Why::FeeKind => (
                "应为 学费、其他费用、生活缴费 或 报名费",
                "must be tuition 学费, other 其他费用, living 生活缴费 or enrolment 报名费",
            ),
            Why::Collection => ("应为 收费 或 停止", "must be collecting 收费 or suspended 停止"),
            Why::FiscalCode => ("应为 11 位数字", "must be eleven digits"),
            Why::UnknownPayee => ("配置里没有这个收款单位", "the configuration has no such payee"),
            Why::UnknownPayer => ("没有这个人，请先导入人员", "no such payer; import payers first"),
            Why::UnknownItem => ("没有这个收费项目，请先导入项目", "no such fee item; import items first"),
            Why::CoveredBeyondAssessed => ("减免与实缴之和超过应收", "waived and paid together are more than assessed"),
            Why::CounterTakesBack => (
                "少于以前导入的实缴，退费请走退费流程",
                "is less than was imported before; money goes back as a refund",
            ),
            Why::BelowPaid => ("低于已经缴纳的金额", "is less than has been paid"),
            Why::Form => (
                "应为 组别*=初级|高级；饮食要求，最多 6 项",
                "must look like 组别*=初级|高级；饮食要求, at most 6 fields",
            ),
        };
        both(zh, en)
    }
}

fn both(zh: impl Into<String>, en: impl Into<String>) -> Bilingual {
    Bilingual::new(zh, en)
}

impl From<IdNumberError> for Why {
    fn from(error: IdNumberError) -> Why {
        match error {
            IdNumberError::Empty => Why::Empty,
            IdNumberError::Malformed => Why::IdMalformed,
            IdNumberError::CheckDigit => Why::IdCheckDigit,
            IdNumberError::BirthDate => Why::IdBirthDate,
        }
    }
}
