//! Text as WeChat Pay takes it: characters of one to three bytes, no control characters, a limit in bytes.

/// Stands for a character WeChat Pay would refuse, as printers set 〓 for a type they lack.
const LACKING: char = '〓';

/// Cleans and shortens a description or a reason. Characters outside the basic plane (emoji, rare surnames like 𠮷) are
/// refused by WeChat Pay (general rules) and become 〓; the end falls between two characters.
pub fn clean(text: &str, longest_bytes: usize) -> String {
    let mut out = String::with_capacity(text.len().min(longest_bytes));
    for c in text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control()).chars() {
        let c = match c {
            c if c.is_control() => ' ',
            c if c.len_utf8() > 3 => LACKING,
            c => c,
        };
        if out.len() + c.len_utf8() > longest_bytes {
            break;
        }
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rare_surnames_and_emoji_become_a_mark_and_the_rest_stays() {
        assert_eq!(clean("𠮷田 学费&住宿费=1+1 100% <b>\"}\u{1F600}", 127), "〓田 学费&住宿费=1+1 100% <b>\"}〓");
        assert_eq!(clean("  a\r\nb\u{7f}c\0 ", 127), "a  b c");
    }

    #[test]
    fn a_long_name_ends_between_two_characters_at_127_bytes() {
        let name = "学".repeat(60);
        assert_eq!(clean(&name, 127), "学".repeat(42));
        assert_eq!(clean(&format!("a{name}"), 127).len(), 127);
        assert_eq!(clean(&"𠮷".repeat(60), 127), "〓".repeat(42));
    }

    proptest! {
        #[test]
        fn whatever_is_written_fits(text in any::<String>()) {
            let out = clean(&text, 127);
            prop_assert!(out.len() <= 127);
            prop_assert!(out.chars().all(|c| c.len_utf8() <= 3 && !c.is_control()));
        }
    }
}
