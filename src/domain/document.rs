//! 证件类型: the documents people from outside show, and what the number of each must look like. Pure.
use chrono::NaiveDate;

use super::fee::coded;
use super::id_number::{IdNumber, IdNumberError};

coded! {
    /// A kind of document
    Document {
        /// 居民身份证 (GB 11643)
        ResidentId = "resident_id",
        /// 外国人永久居留身份证: 18 digits that begin with 9 since December 2023, three letters and 12 digits before
        PermanentResident = "permanent_resident",
        /// 港澳居民来往内地通行证
        HkMacauPermit = "hk_macau_permit",
        /// 港澳居民居住证: GB 11643 with the region 810000 or 820000
        HkMacauResidence = "hk_macau_residence",
        /// 台湾居民来往大陆通行证
        TaiwanPermit = "taiwan_permit",
        /// 台湾居民居住证: GB 11643 with the region 830000
        TaiwanResidence = "taiwan_residence",
        /// 护照
        Passport = "passport",
    }
}

/// Why a number is not one of the chosen kind. Each has its own words for whoever typed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WrongNumber {
    Empty,
    /// Not what a number of this kind looks like
    Shape,
    CheckDigit,
    /// No such day, or a day to come
    BirthDate,
    /// It is the number of another kind of document.
    Another(Document),
}

impl Document {
    /// Reads a number as one of this document; blanks, full width and small letters are forgiven.
    ///
    /// # Errors
    /// Why it is none; `today` is the first day nobody can have been born after.
    pub fn read(self, text: &str, today: NaiveDate) -> Result<IdNumber, WrongNumber> {
        let number = IdNumber::parse(text).map_err(|error| match error {
            IdNumberError::Empty => WrongNumber::Empty,
            IdNumberError::Malformed => WrongNumber::Shape,
            IdNumberError::CheckDigit => WrongNumber::CheckDigit,
            IdNumberError::BirthDate => WrongNumber::BirthDate,
        });
        let number = match number {
            // a passport may have eighteen digits that follow no Chinese standard
            Err(WrongNumber::CheckDigit | WrongNumber::BirthDate) if self == Document::Passport => {
                return Err(WrongNumber::Shape);
            }
            other => other?,
        };
        if !self.fits(number.reveal()) {
            let other = Document::of_eighteen(&number).filter(|other| *other != self);
            return Err(other.map_or(WrongNumber::Shape, WrongNumber::Another));
        }
        match number.birth_date() {
            Some(day) if day > today => Err(WrongNumber::BirthDate),
            _ => Ok(number),
        }
    }

    fn fits(self, plain: &str) -> bool {
        let digits = |text: &str, length: &[usize]| {
            length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let eighteen = |prefixes: &[&str]| plain.len() == 18 && prefixes.iter().any(|prefix| plain.starts_with(prefix));
        match self {
            Document::ResidentId => eighteen(&["1", "2", "3", "4", "5", "6", "7"]),
            Document::PermanentResident => {
                let old = plain.len() == 15
                    && plain.bytes().take(3).all(|byte| byte.is_ascii_uppercase())
                    && digits(&plain[3..], &[12]);
                eighteen(&["9"]) || old
            }
            Document::HkMacauResidence => eighteen(&["810000", "820000"]),
            Document::TaiwanResidence => eighteen(&["830000"]),
            // the two digits behind the first eight count the renewals
            Document::HkMacauPermit => plain.strip_prefix(['H', 'M']).is_some_and(|rest| digits(rest, &[8, 10])),
            // eight digits since 2015; before ten, with a letter for the place of issue
            Document::TaiwanPermit => {
                let old = plain.strip_suffix(|c: char| c.is_ascii_uppercase());
                digits(plain, &[8]) || old.is_some_and(|rest| digits(rest, &[10]))
            }
            Document::Passport => {
                let count = plain.bytes().filter(u8::is_ascii_digit).count();
                (5..=15).contains(&plain.len()) && plain.bytes().all(|b| b.is_ascii_alphanumeric()) && count >= 3
            }
        }
    }

    /// Which document eighteen characters of the common standard belong to.
    fn of_eighteen(number: &IdNumber) -> Option<Document> {
        use Document::{HkMacauResidence, PermanentResident, ResidentId, TaiwanResidence};
        let of = [ResidentId, PermanentResident, HkMacauResidence, TaiwanResidence];
        of.into_iter().find(|one| number.is_resident() && one.fits(number.reveal()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id_number::check_digit;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 9, 1).unwrap()
    }

    #[test]
    fn every_kind_takes_its_own_numbers_the_authorities_specimens_among_them() {
        use Document::*;
        for (kind, typed, kept) in [
            // GB 11643-1999, both examples
            (ResidentId, "11010519491231002x", "11010519491231002X"),
            (ResidentId, "４４０５２４ 18800101 0014", "440524188001010014"),
            // the specimen of the card of 2023
            (PermanentResident, "911124198108030024", "911124198108030024"),
            (PermanentResident, "can110081080510", "CAN110081080510"),
            // the specimens of the residence permits of 2018
            (HkMacauResidence, "810000199408230021", "810000199408230021"),
            (TaiwanResidence, "830000199201300022", "830000199201300022"),
            (HkMacauPermit, "h12345678", "H12345678"),
            (HkMacauPermit, "M1234567802", "M1234567802"),
            (TaiwanPermit, "01234567", "01234567"),
            (TaiwanPermit, "0123456789B", "0123456789B"),
            (Passport, "EA1234567", "EA1234567"),
            (Passport, "M 1234 5678", "M12345678"),
        ] {
            assert_eq!(kind.read(typed, today()).unwrap().reveal(), kept, "{typed}");
        }
    }

    #[test]
    fn a_wrong_number_is_told_for_what_is_wrong_with_it() {
        use Document::*;
        use WrongNumber::{Another, BirthDate, CheckDigit, Empty, Shape};
        for (kind, typed, wrong) in [
            (ResidentId, "  ", Empty),
            (ResidentId, "1101051949123100", Shape),
            (ResidentId, "110105194912310021", CheckDigit),
            (ResidentId, "110105194902300021", BirthDate),
            (ResidentId, "830000199201300022", Another(TaiwanResidence)),
            (ResidentId, "911124198108030024", Another(PermanentResident)),
            (ResidentId, "EA1234567", Shape),
            (PermanentResident, "911124198108030025", CheckDigit),
            (PermanentResident, "CANA10081080510", Shape),
            (HkMacauResidence, "830000199201300022", Another(TaiwanResidence)),
            (TaiwanResidence, "11010519491231002X", Another(ResidentId)),
            (HkMacauPermit, "H1234567", Shape),
            (HkMacauPermit, "K12345678", Shape),
            (TaiwanPermit, "1234567", Shape),
            (TaiwanPermit, "123456789B", Shape),
            (Passport, "E1-234567", Shape),
            (Passport, "ABCDE", Shape),
            (Passport, "110105194912310021", Shape),
            (Passport, "11010519491231002X", Another(ResidentId)),
        ] {
            assert_eq!(kind.read(typed, today()), Err(wrong), "{kind:?} {typed}");
        }
        let unborn = format!("19000020260902{}", "001");
        let unborn = format!("{unborn}{}", check_digit(&unborn).unwrap());
        assert_eq!(ResidentId.read(&unborn, today()), Err(BirthDate));
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_found(at in 0_usize..17, by in 1_u8..10) {
            let mut typed = "11010519491231002X".to_owned().into_bytes();
            typed[at] = b'0' + (typed[at] - b'0' + by) % 10;
            let typed = String::from_utf8(typed).unwrap();
            prop_assert!(Document::ResidentId.read(&typed, today()).is_err());
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*", at in 0_usize..7) {
            let _ = Document::ALL[at].read(&text, today());
        }
    }
}
