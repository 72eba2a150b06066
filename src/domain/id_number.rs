//! 证件号: resident ID numbers by GB 11643, and any other document number as it stands.
use std::fmt;

/// A document number in its normal form: no blanks, half-width, letters upper case (so `x` and `X` are one number).
/// `Debug` and `Display` are masked; [`IdNumber::reveal`] is the only way to the text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdNumber(String);

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdNumberError {
    #[error("empty")]
    Empty,
    #[error("longer than 32 characters, or with characters no document number has")]
    Malformed,
    #[error("eighteen characters but not a resident ID number: the check digit does not fit")]
    CheckDigit,
    #[error("eighteen characters but not a resident ID number: no such birth date")]
    BirthDate,
}

impl IdNumber {
    /// Normalises and checks. Eighteen characters of the resident shape must pass GB 11643 (this takes 83…, the
    /// residence permits for Taiwan residents, and 9…, the permanent residence cards of 2023); other documents only
    /// have their shape checked.
    pub fn parse(text: &str) -> Result<IdNumber, IdNumberError> {
        let plain = normalise(text);
        if plain.is_empty() {
            return Err(IdNumberError::Empty);
        }
        if plain.len() > 32
            || !plain.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'(' | b')' | b'/'))
        {
            return Err(IdNumberError::Malformed);
        }
        if looks_resident(&plain) {
            check_resident(&plain)?;
        }
        Ok(IdNumber(plain))
    }

    /// The number itself. Never for a log, a page or an error.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The last `count` characters, as initial-password rules use them (X is upper case already).
    pub fn tail(&self, count: usize) -> &str {
        &self.0[self.0.len().saturating_sub(count)..]
    }

    /// `3****************8`
    pub fn masked(&self) -> String {
        match self.0.len() {
            0..=2 => "*".repeat(self.0.len()),
            len => format!("{}{}{}", &self.0[..1], "*".repeat(len - 2), &self.0[len - 1..]),
        }
    }

    pub fn is_resident(&self) -> bool {
        looks_resident(&self.0)
    }

    /// The day of birth, where the number tells it.
    pub fn birth_date(&self) -> Option<chrono::NaiveDate> {
        self.is_resident().then(|| birth_date(&self.0)).flatten()
    }
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdNumber({})", self.masked())
    }
}

impl fmt::Display for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Blanks out, full width to half width, upper case.
pub fn normalise(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c as u32 {
            wide @ 0xFF01..=0xFF5E => char::from((wide - 0xFEE0) as u8),
            _ => c,
        })
        .flat_map(char::to_uppercase)
        .collect()
}

fn looks_resident(plain: &str) -> bool {
    let bytes = plain.as_bytes();
    bytes.len() == 18 && bytes[..17].iter().all(u8::is_ascii_digit) && (bytes[17].is_ascii_digit() || bytes[17] == b'X')
}

/// The check digit of GB 11643-1999 (ISO 7064 MOD 11-2) for the first 17 digits.
pub fn check_digit(first_17: &str) -> Option<char> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const DIGITS: &[u8; 11] = b"10X98765432";
    if first_17.len() != 17 {
        return None;
    }
    let mut sum = 0;
    for (c, weight) in first_17.chars().zip(WEIGHTS) {
        sum += c.to_digit(10)? * weight;
    }
    Some(char::from(DIGITS[(sum % 11) as usize]))
}

/// Of eighteen characters of the resident shape.
fn birth_date(plain: &str) -> Option<chrono::NaiveDate> {
    let year = plain[6..10].parse().ok().filter(|year| *year >= 1850)?;
    chrono::NaiveDate::from_ymd_opt(year, plain[10..12].parse().ok()?, plain[12..14].parse().ok()?)
}

fn check_resident(plain: &str) -> Result<(), IdNumberError> {
    birth_date(plain).ok_or(IdNumberError::BirthDate)?;
    match check_digit(&plain[..17]) {
        Some(digit) if plain.ends_with(digit) => Ok(()),
        _ => Err(IdNumberError::CheckDigit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn resident_numbers_are_normalised_and_checked() {
        assert_eq!(IdNumber::parse(" 11010519491231002x ").unwrap().reveal(), "11010519491231002X");
        assert_eq!(IdNumber::parse("１１０１０５１９４９１２３１００２Ｘ").unwrap().reveal(), "11010519491231002X");
        assert_eq!(IdNumber::parse("110105194912310021"), Err(IdNumberError::CheckDigit));
        assert_eq!(IdNumber::parse("110105194913310021"), Err(IdNumberError::BirthDate));
        assert_eq!(IdNumber::parse("  "), Err(IdNumberError::Empty));
        assert_eq!(IdNumber::parse("1'; DROP TABLE"), Err(IdNumberError::Malformed));
        assert!(IdNumber::parse("E12345678").is_ok());
    }

    #[test]
    fn taiwan_residence_permits_pass() {
        let first = "83000019900101123";
        assert!(IdNumber::parse(&format!("{first}{}", check_digit(first).unwrap())).is_ok());
    }

    #[test]
    fn neither_debug_nor_display_shows_the_number() {
        let number = IdNumber::parse("11010519491231002X").unwrap();
        assert_eq!(format!("{number} {number:?}"), "1****************X IdNumber(1****************X)");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            let _ = IdNumber::parse(&text);
        }
    }
}
