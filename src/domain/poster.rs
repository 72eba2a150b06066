//! 海报: a code that hangs on a wall, what it is about, and whether it is still good.
use std::fmt;

use super::bilingual::{Bilingual, Lang};
use super::fee::coded;
use super::ids::PosterId;
use super::moment::Moment;
use super::money::Fen;

/// Letters of the code in a poster's address, 5.9 bits each. A pay code of an order is longer.
pub const CODE: usize = 12;
/// Characters of a title, Chinese and English: what two lines of the paper hold
pub const TITLE: usize = 30;
pub const TITLE_EN: usize = 72;
/// Fee items of a department
pub const ITEMS: usize = 20;

coded! {
    /// What a poster is about
    PosterKind {
        /// 平台: the way in
        Platform = "platform",
        /// 收费项目: what somebody owes of one fee item
        Item = "item",
        /// 报名项目: the way to an enrolment
        Programme = "programme",
        /// 部门: what somebody owes of a department's fee items
        Department = "department",
    }
}

/// 海报编号 `HB000123`. Public; what proves a poster is its 验真码.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PosterNo(String);

impl PosterNo {
    pub fn compose(serial: i64) -> PosterNo {
        PosterNo(format!("HB{serial:06}"))
    }

    /// In any case.
    pub fn parse(text: &str) -> Option<PosterNo> {
        let upper = text.to_ascii_uppercase();
        let digits = upper.strip_prefix("HB")?;
        let fits = (6..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then_some(PosterNo(upper))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PosterNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A poster whose subject is not there, cannot be told, or whose words do not fit on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PosterProblem {
    #[error("a title has 1 to {TITLE} characters in Chinese and at most {TITLE_EN} in English, on one line")]
    Title,
    #[error("the platform's poster is about nothing else; the others need what they are about")]
    About,
    #[error("no fee item has this code, or it is bought and not billed (living fees and enrolments)")]
    Item,
    #[error("no programme has this code")]
    Programme,
    #[error("a department has a name of at most 32 characters, and 1 to {ITEMS} fee items")]
    Department,
    #[error("a poster ends in the future")]
    Ends,
}

impl PosterProblem {
    /// For programs; never changes its meaning.
    pub const fn code(self) -> &'static str {
        match self {
            PosterProblem::Title => "title",
            PosterProblem::About => "about",
            PosterProblem::Item => "item",
            PosterProblem::Programme => "programme",
            PosterProblem::Department => "department",
            PosterProblem::Ends => "expires_at",
        }
    }
}

/// What a new poster is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPoster {
    pub kind: PosterKind,
    /// The code of the fee item or the programme, or the department's name
    pub about: String,
    /// The fee items of a department
    pub items: Vec<String>,
    pub title: Bilingual,
    /// Which language stands first
    pub lang: Lang,
    pub expires_at: Option<Moment>,
}

impl NewPoster {
    /// What can be told without looking anything up.
    pub fn check(&self, now: Moment) -> Result<(), PosterProblem> {
        let letters = |text: &str| text.chars().count();
        let plain = |text: &str| !text.chars().any(char::is_control) && text.trim() == text;
        let (zh, en) = (&self.title.zh, &self.title.en);
        if !(1..=TITLE).contains(&letters(zh)) || letters(en) > TITLE_EN || !plain(zh) || !plain(en) {
            return Err(PosterProblem::Title);
        }
        if (self.kind == PosterKind::Platform) != self.about.is_empty() {
            return Err(PosterProblem::About);
        }
        let is_department = self.kind == PosterKind::Department;
        let named = plain(&self.about) && letters(&self.about) <= 32;
        let fits = if is_department { named && (1..=ITEMS).contains(&self.items.len()) } else { self.items.is_empty() };
        if !fits {
            return Err(PosterProblem::Department);
        }
        match self.expires_at.is_some_and(|at| at <= now) {
            true => Err(PosterProblem::Ends),
            false => Ok(()),
        }
    }
}

/// Whether a poster is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PosterState {
    Active,
    Revoked(Moment),
    Expired(Moment),
}

impl PosterState {
    pub const fn code(self) -> &'static str {
        match self {
            PosterState::Active => "active",
            PosterState::Revoked(_) => "revoked",
            PosterState::Expired(_) => "expired",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Poster {
    pub id: PosterId,
    pub poster_no: PosterNo,
    /// What stands in its address
    pub code: String,
    pub kind: PosterKind,
    pub about: String,
    pub items: Vec<String>,
    pub title: Bilingual,
    pub lang: Lang,
    pub created_at: Moment,
    pub expires_at: Option<Moment>,
    pub revoked_at: Option<Moment>,
}

impl Poster {
    pub fn state(&self, now: Moment) -> PosterState {
        match (self.revoked_at, self.expires_at) {
            (Some(at), _) => PosterState::Revoked(at),
            (None, Some(at)) if at <= now => PosterState::Expired(at),
            _ => PosterState::Active,
        }
    }

    /// The codes of the fee items it collects; none: it collects nothing itself.
    pub fn collects(&self) -> &[String] {
        match self.kind {
            PosterKind::Item => std::slice::from_ref(&self.about),
            PosterKind::Department => &self.items,
            PosterKind::Platform | PosterKind::Programme => &[],
        }
    }
}

/// What came of a poster. Nobody is named in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PosterTally {
    /// Browsers that opened its address, each once an hour
    pub scans: i64,
    /// Right numbers and names
    pub sign_ins: i64,
    pub orders: i64,
    pub paid_orders: i64,
    /// What was paid, less what went back
    pub paid: Fen,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(kind: PosterKind, about: &str, items: &[&str]) -> NewPoster {
        NewPoster {
            kind,
            about: about.to_owned(),
            items: items.iter().map(|item| (*item).to_owned()).collect(),
            title: Bilingual::new("学费缴费", "Tuition"),
            lang: Lang::Zh,
            expires_at: None,
        }
    }

    #[test]
    fn a_poster_is_about_one_thing_that_fits_its_kind() {
        let now = Moment::from_unix(1_000);
        for right in [
            new(PosterKind::Platform, "", &[]),
            new(PosterKind::Item, "01", &[]),
            new(PosterKind::Programme, "CAMP", &[]),
            new(PosterKind::Department, "后勤处", &["02", "03"]),
        ] {
            assert_eq!(right.check(now), Ok(()), "{right:?}");
        }
        for (wrong, why) in [
            (new(PosterKind::Platform, "01", &[]), PosterProblem::About),
            (new(PosterKind::Item, "", &[]), PosterProblem::About),
            (new(PosterKind::Item, "01", &["02"]), PosterProblem::Department),
            (new(PosterKind::Department, "后勤处", &[]), PosterProblem::Department),
            (NewPoster { title: Bilingual::new("", "x"), ..new(PosterKind::Item, "01", &[]) }, PosterProblem::Title),
            (
                NewPoster { title: Bilingual::new("甲\n乙", ""), ..new(PosterKind::Item, "01", &[]) },
                PosterProblem::Title,
            ),
            (NewPoster { expires_at: Some(now), ..new(PosterKind::Item, "01", &[]) }, PosterProblem::Ends),
        ] {
            assert_eq!(wrong.check(now), Err(why), "{wrong:?}");
        }
    }

    #[test]
    fn a_number_is_read_in_any_case_and_is_neither_an_orders_nor_a_receipts() {
        assert_eq!(PosterNo::parse("hb000123"), Some(PosterNo::compose(123)));
        for other in ["", "HB", "HB00012", "000123", "XF260901QMU000128", "HB26090１", "HB000123x"] {
            assert_eq!(PosterNo::parse(other), None, "{other}");
        }
    }
}
