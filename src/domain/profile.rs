//! 个人信息: what a payer tells of themselves beside the phone. Each shows itself masked; `Debug` too.
use std::fmt;

use serde::{Deserialize, Serialize};

use super::fee::coded;
use super::id_number::normalise;

coded! {
    /// 性别, as documents say it
    Gender {
        Female = "female",
        Male = "male",
    }
}

/// 真实姓名 as people type it: blanks drawn together, letters of any script, and the points, hyphens and apostrophes
/// that stand in names.
pub fn real_name(text: &str) -> Option<String> {
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = |c: char| c.is_alphabetic() || " ·•・.'’-".contains(c);
    ((2..=60).contains(&plain.chars().count()) && plain.chars().all(fits)).then_some(plain)
}

/// An e-mail address.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Longest address, in bytes (RFC 5321)
    pub const LONGEST: usize = 254;

    /// One @, a plain local part of at most 64 bytes, a domain of at least two labels; full width is forgiven, the
    /// domain is kept in lower case.
    pub fn parse(text: &str) -> Option<Email> {
        let half_width = |c: char| match c as u32 {
            wide @ 0xFF01..=0xFF5E => char::from((wide - 0xFEE0) as u8),
            _ => c,
        };
        let plain: String = text.trim().chars().map(half_width).collect();
        let (local, domain) = plain.rsplit_once('@')?;
        let local_fits = (1..=64).contains(&local.len())
            && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b))
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let labels: Vec<&str> = domain.split('.').collect();
        let domain_fits = labels.len() >= 2
            && labels.iter().all(|one| label(one))
            && labels.last().is_some_and(|top| top.len() >= 2 && !top.bytes().all(|b| b.is_ascii_digit()));
        let fits = local_fits && domain_fits && plain.len() <= Self::LONGEST;
        fits.then(|| Email(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `l***a@example.edu`
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let (first, last) = (&local[..1], &local[local.len() - 1..]);
        if local.len() > 2 { format!("{first}***{last}@{domain}") } else { format!("{first}***@{domain}") }
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email({})", self.masked())
    }
}

/// 邮编 and 地址. Both may be empty.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Address {
    pub postcode: String,
    pub street: String,
}

impl Address {
    /// Longest street, in characters
    pub const LONGEST: usize = 120;

    pub fn is_empty(&self) -> bool {
        self.postcode.is_empty() && self.street.is_empty()
    }

    /// Six digits, or none.
    pub fn postcode_of(text: &str) -> Option<String> {
        let plain = normalise(text);
        (plain.is_empty() || (plain.len() == 6 && plain.bytes().all(|b| b.is_ascii_digit()))).then_some(plain)
    }

    /// One line, blanks drawn together.
    pub fn street_of(text: &str) -> Option<String> {
        let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (plain.chars().count() <= Self::LONGEST && !plain.chars().any(char::is_control)).then_some(plain)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

/// 银行卡 for refunds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankCard {
    /// 12 to 19 digits with a right check digit
    number: String,
    pub bank: String,
    pub holder: String,
}

impl BankCard {
    /// Longest bank and holder, in characters
    pub const LONGEST: usize = 40;

    pub fn new(number: &str, bank: &str, holder: &str) -> Option<BankCard> {
        let number = Self::number_of(number)?;
        Some(BankCard { number, bank: Self::name_of(bank)?, holder: Self::name_of(holder)? })
    }

    /// The digits of a card number (ISO/IEC 7812, check digit by Luhn); blanks and hyphens are forgiven.
    pub fn number_of(text: &str) -> Option<String> {
        let plain = normalise(text).replace('-', "");
        let digits = plain.bytes().all(|b| b.is_ascii_digit());
        (digits && (12..=19).contains(&plain.len()) && luhn(&plain)).then_some(plain)
    }

    pub fn name_of(text: &str) -> Option<String> {
        let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let fits = (2..=Self::LONGEST).contains(&plain.chars().count()) && !plain.chars().any(char::is_control);
        fits.then_some(plain)
    }

    pub fn reveal(&self) -> &str {
        &self.number
    }

    /// `6222 **** **** 0123`
    pub fn masked(&self) -> String {
        format!("{} **** **** {}", &self.number[..4], &self.number[self.number.len() - 4..])
    }
}

impl fmt::Debug for BankCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BankCard({})", self.masked())
    }
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            if place % 2 == 0 { digit } else { digit * 2 - if digit > 4 { 9 } else { 0 } }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_mail_is_read_as_people_type_it() {
        for (typed, kept) in [
            (" lin.zhixia@Example.EDU.CN ", "lin.zhixia@example.edu.cn"),
            ("ａ@ｂｃ．ｃｎ", "a@bc.cn"),
            ("o'neil+fees@x-y.org", "o'neil+fees@x-y.org"),
        ] {
            assert_eq!(Email::parse(typed).unwrap().reveal(), kept);
        }
        for bad in ["", "a", "a@", "@b.cn", "a@b", "a b@c.cn", "a@b..cn", "a@-b.cn", ".a@b.cn", "a..b@c.cn", "a@1.2"] {
            assert!(Email::parse(bad).is_none(), "{bad}");
        }
        assert!(Email::parse("a@b.cn\r\nBcc: x@y.cn").is_none());
        assert!(Email::parse(&format!("{}@b.cn", "a".repeat(65))).is_none());
        assert_eq!(Email::parse("linzhixia@example.edu").unwrap().masked(), "l***a@example.edu");
        assert_eq!(Email::parse("ab@example.edu").unwrap().masked(), "a***@example.edu");
        assert_eq!(format!("{:?}", Email::parse("linzhixia@b.cn").unwrap()), "Email(l***a@b.cn)");
    }

    #[test]
    fn a_card_number_has_its_check_digit() {
        let card = BankCard::new("6222 0212-0000 0000 013", "中国工商银行", "林知夏");
        assert_eq!(card.as_ref().map(BankCard::reveal), Some("6222021200000000013"));
        assert!(BankCard::number_of("4111111111111111").is_some());
        assert!(BankCard::number_of("4111111111111112").is_none(), "check digit");
        for bad in ["", "411111111111", "41111111111111111111", "4111x11111111111"] {
            assert!(BankCard::number_of(bad).is_none(), "{bad}");
        }
        let card = BankCard::new("4111111111111111", "ICBC", "LIN ZHIXIA").unwrap();
        assert_eq!(card.masked(), "4111 **** **** 1111");
        assert_eq!(format!("{card:?}"), "BankCard(4111 **** **** 1111)");
        assert!(BankCard::new("4111111111111111", "", "林知夏").is_none());
    }

    #[test]
    fn a_name_has_letters_of_any_script_and_no_digits() {
        for (typed, kept) in [
            (" 林知夏 ", "林知夏"),
            ("买买提·艾力", "买买提·艾力"),
            ("Anna-Maria  O’Neil", "Anna-Maria O’Neil"),
            ("Иван Петров", "Иван Петров"),
        ] {
            assert_eq!(real_name(typed).as_deref(), Some(kept));
        }
        for bad in ["", "林", "林3夏", "<b>林</b>", "a@b", &"长".repeat(61)] {
            assert_eq!(real_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_postcode_has_six_digits_or_is_left_out() {
        assert_eq!(Address::postcode_of(" ７３００５０ ").as_deref(), Some("730050"));
        assert_eq!(Address::postcode_of("").as_deref(), Some(""));
        assert_eq!(Address::postcode_of("73005"), None);
        assert_eq!(Address::street_of("兰州市 \n 七里河区").as_deref(), Some("兰州市 七里河区"));
        assert_eq!(Address::street_of(&"长".repeat(121)), None);
    }
}
