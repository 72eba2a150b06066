//! The words payers read, in both languages side by side: `h5-templates/words.toml`, key → `{ zh, en }`. Embedded and
//! read once. A parameter stands as `{name}`. Nothing here escapes: templates do that when they print.
use std::collections::HashMap;
use std::fmt::{Display, Write};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::bilingual::Lang;

#[derive(Deserialize)]
struct Words {
    zh: String,
    en: String,
}

static WORDS: LazyLock<HashMap<String, Words>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../h5-templates/words.toml")).expect("a test reads the embedded table")
});

/// The words of a key. A key that does not exist is shown as itself; a test finds it before a payer does.
pub fn word(lang: Lang, key: &'static str) -> &'static str {
    match WORDS.get(key) {
        Some(words) if lang == Lang::En => &words.en,
        Some(words) => &words.zh,
        None if cfg!(test) => panic!("words.toml lacks {key}"),
        None => key,
    }
}

/// The words of a key with `{name}` replaced by each parameter, in one pass: what a parameter brings in is not read.
pub fn fill(lang: Lang, key: &'static str, parameters: &[(&str, &dyn Display)]) -> String {
    let mut rest = word(lang, key);
    let mut out = String::with_capacity(rest.len() + 16);
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        match parameters.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => write!(out, "{value}").expect("a String takes every text"),
            None if cfg!(test) => panic!("{key} wants a {{{name}}}"),
            None => {}
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_put_in_once_and_never_read_again() {
        let text = fill(Lang::Zh, "refusal.item", &[("item", &"{why}"), ("why", &"{item}")]);
        assert_eq!(text, "{why}：{item}");
        assert_eq!(word(Lang::En, "login.title"), "Sign in");
    }

    #[test]
    #[should_panic(expected = "words.toml lacks login.nothing")]
    fn a_missing_word_is_found_by_a_test_before_a_payer_finds_it() {
        let _ = word(Lang::Zh, "login.nothing");
    }
}
