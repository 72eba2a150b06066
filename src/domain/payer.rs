//! 缴费人: students, staff, newcomers and people from outside, and how much of them is shown to whom.
use std::fmt;

use super::fee::coded;
use super::ids::PayerId;

coded! {
    /// Who a payer is to the school
    PayerKind {
        /// 在校生
        Student = "student",
        /// 教职工
        Staff = "staff",
        /// 新生: signs in with the ID number until a student number exists
        Newcomer = "newcomer",
        /// 校外人员
        Outsider = "outsider",
    }
}

/// A payer as the pages show one; the personal fields stay in the store until somebody is entitled to them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payer {
    pub id: PayerId,
    pub kind: PayerKind,
    /// 人员编号: student number, staff number or the number the office gave
    pub number: String,
    pub name: String,
    /// Name in Latin letters (passport name); may be empty
    pub name_en: String,
    pub college: String,
    pub class_name: String,
}

/// A mainland or foreign telephone number. `Debug` and `Display` are masked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// Digits with an optional leading +, 5 to 20 of them; blanks and hyphens are forgiven.
    pub fn parse(text: &str) -> Option<Phone> {
        let plain: String = super::id_number::normalise(text).replace('-', "");
        let digits = plain.strip_prefix('+').unwrap_or(&plain);
        let fits = (5..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then_some(Phone(plain))
    }

    /// As a payer types it: a mainland mobile of 11 digits, or a foreign number that begins with +.
    pub fn parse_mobile(text: &str) -> Option<Phone> {
        let phone = Phone::parse(text)?;
        let mainland = |digits: &str| digits.len() == 11 && digits.starts_with('1') && !digits.starts_with("10");
        let fits = match phone.0.strip_prefix('+') {
            Some(foreign) => foreign.len() >= 7 && !foreign.starts_with('0'),
            None => mainland(&phone.0),
        };
        fits.then_some(phone)
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `178****5287`
    pub fn masked(&self) -> String {
        let len = self.0.len();
        let (head, tail) = if len >= 9 { (3, 4) } else { (1, 1) };
        format!("{}{}{}", &self.0[..head], "*".repeat(len - head - tail), &self.0[len - tail..])
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// `2023****0417`: enough to recognise one's own number. Short numbers keep fewer characters.
pub fn mask_number(number: &str) -> String {
    let chars: Vec<char> = number.chars().collect();
    let keep = 4.min(chars.len() / 3);
    let hidden = chars.len() - 2 * keep;
    let side = |part: &[char]| part.iter().collect::<String>();
    format!("{}{}{}", side(&chars[..keep]), "*".repeat(hidden.min(4)), side(&chars[chars.len() - keep..]))
}

/// `林*夏`, `张*`, `P**K J****O`: what a stranger who pays for somebody may see.
pub fn mask_name(name: &str) -> String {
    let word = |word: &str| {
        let chars: Vec<char> = word.chars().collect();
        match chars.as_slice() {
            [] => String::new(),
            [_] => "*".to_owned(),
            [first, _] => format!("{first}*"),
            [first, middle @ .., last] => format!("{first}{}{last}", "*".repeat(middle.len())),
        }
    };
    name.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// Names are compared without blanks, with one kind of middle dot, Latin letters without case.
pub fn name_key(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '•' | '・' | '‧' | '∙' | '⋅' | '.' | '．' | '。' | '●' => '·',
            other => other,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_masked_by_character() {
        assert_eq!(mask_name("林知夏"), "林*夏");
        assert_eq!(mask_name("张三"), "张*");
        assert_eq!(mask_name("𠮷"), "*");
        assert_eq!(mask_name("PARK JIWOO"), "P**K J***O");
        assert_eq!(mask_number("202301180417"), "2023****0417");
        assert_eq!(mask_number("007"), "0*7");
        assert_eq!(mask_number(""), "");
        assert_eq!(Phone::parse("178 0000 5287").unwrap().masked(), "178****5287");
    }

    #[test]
    fn one_name_in_several_spellings_is_one_name() {
        assert_eq!(name_key("买买提 • 艾力"), name_key("买买提·艾力"));
        assert_eq!(name_key("Park  Jiwoo"), name_key("PARK JIWOO"));
        assert_ne!(name_key("林知夏"), name_key("林知厦"));
    }
}
