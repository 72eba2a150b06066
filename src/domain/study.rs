//! 学业 of an international student, as the admissions office writes it, and what proves that it is one's own.
use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::id_number::normalise;
use super::moment::written_day;

/// What is kept of a study beside its numbers and names. Lies sealed; `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Details {
    pub passport: String,
    /// `2001-03-12`
    pub birth_date: String,
    /// As the office writes it: `Korea, Republic of/KOR/韩国`
    pub nationality: String,
    pub gender: String,
    pub apply_type: String,
    pub duration: String,
    pub department: String,
}

impl Details {
    /// Whether somebody knows the birth date and the nationality; of the latter any of the office's spellings, without
    /// regard to case, blanks and points.
    pub fn proves(&self, birth_date: &str, nationality: &str) -> bool {
        let typed = plain(nationality);
        let knows = self.nationality.split('/').map(plain).any(|known| !known.is_empty() && known == typed);
        let born = birth_day(&self.birth_date);
        knows && born.is_some() && born == birth_day(birth_date)
    }

    /// Whether somebody has the passport as well.
    pub fn is_passport(&self, typed: &str) -> bool {
        !plain(typed).is_empty() && plain(&self.passport) == plain(typed)
    }

    /// The spelling to show: in Chinese the one in Chinese, if there is one.
    pub fn nationality_in(&self, chinese: bool) -> &str {
        let is_chinese = |text: &&str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let mut spellings = self.nationality.split('/').map(str::trim);
        let first = self.nationality.split('/').next().unwrap_or_default().trim();
        spellings.find(|text| is_chinese(text) == chinese).unwrap_or(first)
    }

    /// `M****5678`
    pub fn masked_passport(&self) -> String {
        super::payer::mask_number(&self.passport)
    }
}

/// Letters and digits only, full width forgiven.
fn plain(text: &str) -> String {
    normalise(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// A birth date as people write it, full width forgiven.
pub fn birth_day(text: &str) -> Option<NaiveDate> {
    written_day(&normalise(text))
}

/// Whether this can be an application number or a student number at all.
pub fn looks_like_number(text: &str) -> bool {
    let text = normalise(text);
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Details(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passport_is_known_without_regard_to_case_and_blanks() {
        let own = Details { passport: "M12345678".into(), ..Details::default() };
        assert!(own.is_passport(" m1234 5678 ") && !own.is_passport("M12345679") && !own.is_passport(""));
    }

    #[test]
    fn what_can_be_no_number_and_no_day_is_known_without_looking() {
        assert!(looks_like_number("２０２２１０００075") && looks_like_number("W-26/1"));
        assert!(!looks_like_number(" ") && !looks_like_number("申请号") && !looks_like_number("<b>"));
        assert!(birth_day("2001．3．12").is_some() && birth_day("12 March 2001").is_none());
    }

    #[test]
    fn birth_date_and_nationality_are_known_however_they_are_typed() {
        let nationality = "Korea, Republic of/KOR/韩国".to_owned();
        let own = Details { birth_date: "2001-03-12".into(), nationality, ..Details::default() };
        for (birth, nationality) in [("2001-03-12", "kor"), ("2001/3/12", "korea republic of"), ("20010312", "韩国")]
        {
            assert!(own.proves(birth, nationality), "{birth} {nationality}");
        }
        for (birth, nationality) in [("2001-03-13", "KOR"), ("2001-03-12", ""), ("", "KOR"), ("2001-03-12", "PRK")] {
            assert!(!own.proves(birth, nationality), "{birth} {nationality}");
        }
        assert!(!Details::default().proves("", "") && !Details::default().is_passport(""));
        assert_eq!((own.nationality_in(true), own.nationality_in(false)), ("韩国", "Korea, Republic of"));
    }
}
