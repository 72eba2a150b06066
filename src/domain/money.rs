//! Money: a whole number of fen. No float touches it; `rust_decimal` stands only where yuan text enters or leaves.
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// An amount in fen (1/100 yuan). May be negative in differences; what is charged or paid is checked where it enters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Fen(i64);

impl Fen {
    pub const ZERO: Fen = Fen(0);
    /// 99,999,999.99 yuan: the largest amount one charge or one order may have (Alipay allows 100,000,000.00 a trade).
    pub const MAX: Fen = Fen(9_999_999_999);

    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Strict yuan text as machines write it: digits, at most two decimals, no sign, no comma; at most [`Fen::MAX`].
    pub fn from_yuan(text: &str) -> Option<Fen> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 2 || whole.len() > 9 {
            return None;
        }
        let fen = (text.parse::<Decimal>().ok()? * Decimal::ONE_HUNDRED).to_i64()?;
        (fen <= Self::MAX.0).then_some(Fen(fen))
    }

    /// An amount a person typed: spaces, ¥, commas (both widths), full-width digits and 。 are forgiven; signs,
    /// exponents and a third decimal are not.
    pub fn typed(text: &str) -> Option<Fen> {
        let plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '¥' | '￥' | ',' | '，'))
            .map(|c| match c {
                '。' | '．' => '.',
                '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
                other => other,
            })
            .collect();
        Self::from_yuan(plain.strip_suffix('.').unwrap_or(&plain))
    }

    /// `9099.95`: what channels, bills and input fields take.
    pub fn yuan(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        format!("{sign}{}.{:02}", fen / 100, fen % 100)
    }

    /// `9,099.95`: what people read.
    pub fn grouped(self) -> String {
        let plain = self.yuan();
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "00"));
        let mut out = String::with_capacity(plain.len() + whole.len() / 3);
        for (i, c) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                out.push(',');
            }
            out.push(c);
        }
        format!("{sign}{out}.{part}")
    }

    pub fn checked_add(self, other: Fen) -> Option<Fen> {
        self.0.checked_add(other.0).map(Fen)
    }
}

impl Add for Fen {
    type Output = Fen;
    fn add(self, other: Fen) -> Fen {
        Fen(self.0.checked_add(other.0).expect("amounts are bounded by Fen::MAX, so sums stay far below i64::MAX"))
    }
}

impl Sub for Fen {
    type Output = Fen;
    fn sub(self, other: Fen) -> Fen {
        Fen(self.0.checked_sub(other.0).expect("amounts are bounded by Fen::MAX, so differences stay above i64::MIN"))
    }
}

impl Neg for Fen {
    type Output = Fen;
    fn neg(self) -> Fen {
        Fen::ZERO - self
    }
}

impl Sum for Fen {
    fn sum<I: Iterator<Item = Fen>>(amounts: I) -> Fen {
        amounts.fold(Fen::ZERO, Add::add)
    }
}

impl fmt::Debug for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fen", self.0)
    }
}

/// As people read it: `9,099.95`.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.grouped())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn machine_text_is_read_strictly() {
        for (text, fen) in
            [("0.01", 1), ("9099.95", 909_995), ("8000", 800_000), ("1.5", 150), ("99999999.99", Fen::MAX.0)]
        {
            assert_eq!(Fen::from_yuan(text), Some(Fen(fen)), "{text}");
        }
        for text in ["", ".", "1.", ".5", "1.234", "-1", "+1", "1e3", "1,000", " 1", "100000000.00", "٣", "0x1"] {
            assert_eq!(Fen::from_yuan(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_people_type_is_forgiven_but_never_guessed() {
        for (text, fen) in
            [("¥8,000.00", 800_000), (" 8000 ", 800_000), ("８０００。５", 800_050), ("12.", 1200), ("0.01", 1)]
        {
            assert_eq!(Fen::typed(text), Some(Fen(fen)), "{text}");
        }
        for text in ["", "-5", "1e3", "8.001", "8.0.0", "八千", "NaN"] {
            assert_eq!(Fen::typed(text), None, "{text:?}");
        }
    }

    #[test]
    fn amounts_are_grouped_by_thousands() {
        for (fen, text) in
            [(0, "0.00"), (1, "0.01"), (99_999, "999.99"), (100_000, "1,000.00"), (-909_995, "-9,099.95")]
        {
            assert_eq!(Fen(fen).grouped(), text);
        }
    }

    proptest! {
        #[test]
        fn yuan_text_round_trips(fen in 0..=Fen::MAX.0) {
            prop_assert_eq!(Fen::from_yuan(&Fen(fen).yuan()), Some(Fen(fen)));
            prop_assert_eq!(Fen::typed(&Fen(fen).grouped()), Some(Fen(fen)));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            let _ = Fen::typed(&text);
            let _ = Fen::from_yuan(&text);
        }
    }
}
