//! What a password of one's own must be: nine characters or more, with letters, digits and symbols
//! (“9位以上字母、数字和符号”), and none that others would try first. Pure; says nothing about the password itself.

/// Shortest and longest, in characters
pub const SHORTEST: usize = 9;
pub const LONGEST: usize = 64;

/// Why a password is not taken. Each has its own words for the payer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weakness {
    Short,
    Long,
    NoLetter,
    NoDigit,
    NoSymbol,
    /// Among those that are tried first, or hardly more than one character
    Common,
    /// Holds the payer's number or part of the ID number
    Personal,
}

/// What is left of a common password when digits and symbols are put around its letters.
const COMMON: [&str; 44] = [
    "a",
    "aa",
    "aaa",
    "ab",
    "abc",
    "abcd",
    "abcde",
    "abcdef",
    "abcabc",
    "admin",
    "asd",
    "asdf",
    "asdfgh",
    "asdfghjkl",
    "daxue",
    "dragon",
    "football",
    "hello",
    "iloveyou",
    "jiaofei",
    "letmein",
    "login",
    "mima",
    "monkey",
    "password",
    "passwd",
    "pass",
    "princess",
    "qaz",
    "qazwsx",
    "qazwsxedc",
    "qq",
    "qwe",
    "qweasd",
    "qwer",
    "qwerty",
    "qwertyuiop",
    "root",
    "student",
    "test",
    "welcome",
    "woaini",
    "xuesheng",
    "zxcvbn",
];

/// `personal` is what a neighbour would try: the payer's number, the tail of the ID number.
///
/// # Errors
/// The first [`Weakness`] in the order the page lists its rules.
pub fn check(password: &str, personal: &[&str]) -> Result<(), Weakness> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(Weakness::Short);
    }
    if length > LONGEST {
        return Err(Weakness::Long);
    }
    if !password.chars().any(char::is_alphabetic) {
        return Err(Weakness::NoLetter);
    }
    if !password.chars().any(|c| c.is_ascii_digit()) {
        return Err(Weakness::NoDigit);
    }
    if password.chars().all(char::is_alphanumeric) {
        return Err(Weakness::NoSymbol);
    }
    if is_common(password) {
        return Err(Weakness::Common);
    }
    let lower = password.to_lowercase();
    let names_the_payer = |word: &&str| word.len() >= 4 && lower.contains(&word.to_lowercase());
    if personal.iter().any(names_the_payer) { Err(Weakness::Personal) } else { Ok(()) }
}

/// The letters alone, once as they are and once with the usual signs read as letters.
fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let letters: String = lower.chars().filter(|c| c.is_alphabetic()).collect();
    let signs = |c: char| match c {
        '@' => 'a',
        '0' => 'o',
        '1' => 'l',
        '3' => 'e',
        '$' | '5' => 's',
        other => other,
    };
    let read: String = lower.chars().map(signs).filter(|c| c.is_alphabetic()).collect();
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let starts_common = |text: &str| COMMON.iter().any(|word| word.len() > 4 && text.starts_with(word));
    distinct.len() < 5 || COMMON.contains(&letters.as_str()) || COMMON.contains(&read.as_str()) || starts_common(&read)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_rule_has_its_own_refusal() {
        for (password, weakness) in [
            ("Ab1!", Weakness::Short),
            ("12345678!", Weakness::NoLetter),
            ("Kaleidos!", Weakness::NoDigit),
            ("Kaleidos7", Weakness::NoSymbol),
            ("Abc123456!", Weakness::Common),
            ("P@ssw0rd2026!", Weakness::Common),
            ("Woaini1314!", Weakness::Common),
            ("1qaz@WSX3edc", Weakness::Common),
            ("a1!a1!a1!a1!", Weakness::Common),
            ("lin-20190118!", Weakness::Personal),
        ] {
            assert_eq!(check(password, &["20190118", "31002X"]), Err(weakness), "{password}");
        }
        assert_eq!(check(&format!("{}1!", "秋".repeat(63)), &[]), Err(Weakness::Long));
        assert_eq!(check("tail-31002x-Wm", &["31002X"]), Err(Weakness::Personal));
    }

    #[test]
    fn a_sentence_in_any_script_is_taken() {
        for good in ["Kaleidos7!", "秋天的第1杯奶茶！", "correct-horse-7-battery", "moж3т быть?x"] {
            assert_eq!(check(good, &["20190118", ""]), Ok(()), "{good}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_keeps_the_rule_of_the_manual(password in "\\PC{0,70}") {
            if check(&password, &[]).is_ok() {
                prop_assert!((SHORTEST..=LONGEST).contains(&password.chars().count()));
                prop_assert!(password.chars().any(char::is_alphabetic) && password.chars().any(|c| c.is_ascii_digit()));
            }
        }
    }
}
