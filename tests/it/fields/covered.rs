//! No message of a field is without its rule: the keys are read from the templates and views that say them.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::fields::rules;

/// What is said of a form as a whole or of the moment, so that no one field is wrong, and where its story is.
const OF_THE_FORM: [(&str, &str); 20] = [
    ("enrol.just_full", "the last seat has gone: `enrolling` tells"),
    ("enrol.not_admitted", "who may enrol: `enrolling` tells"),
    ("enrol.opens", "too early: `enrolling` tells"),
    ("enrol.over", "too late: `enrolling` tells"),
    ("list.backwards", "the rules' own stories"),
    ("account.step_over", "the step's time is over: `account`, `sign_up` tell"),
    ("amount.nothing", "paid meanwhile: no form asks for an amount any more; `tuition` tells"),
    ("amount.whole", "no field: the amount cannot be changed; `posters`, `pay_for_me` tell"),
    ("for_me.too_many", "ten links stand: `pay_for_me` tells"),
    ("for_me.unchosen", "nothing chosen: `pay_for_me` tells"),
    ("forgot.wait", "too many messages: `messages` tells"),
    ("login.locked", "too many tries: `sign_in` tells"),
    ("login.tries_left", "follows what is wrong: `sign_in` tells"),
    ("login.wrong_captcha", "the rules' own stories"),
    ("studies.passport_why", "why one field more is asked: `international` tells"),
    ("studies.wrong", "one of three, and nobody learns which: `international` tells"),
    ("verify.code_empty", "the rules' own stories"),
    ("verify.code_unread", "the rules' own stories"),
    ("verify.no_empty", "the rules' own stories"),
    ("choose.none", "a choice of circles, one of which is always chosen: `sign_in` tells"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true if !entry.ends_with("samples") => folders.push(entry),
                false if entry.extension().is_some_and(|own| own == ending) => found.push(entry),
                _ => {}
            }
        }
    }
    found
}

/// The keys of `words.toml`.
fn keys() -> BTreeSet<String> {
    let words = std::fs::read_to_string(root().join("h5-templates/words.toml")).unwrap();
    let key = |line: &str| Some(line.strip_prefix('"')?.split_once('"')?.0.to_owned());
    words.lines().filter_map(key).collect()
}

/// The keys among the words in quotes.
fn quoted<'a>(text: &'a str, keys: &'a BTreeSet<String>) -> impl Iterator<Item = String> + 'a {
    text.split('"').skip(1).step_by(2).filter(|word| keys.contains(*word)).map(str::to_owned)
}

/// What a template says in a paragraph of class `err`.
fn said_in_templates(keys: &BTreeSet<String>) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    for file in files("h5-templates", "html") {
        let text = std::fs::read_to_string(file).unwrap();
        for paragraph in text.split("<p class=\"err\"").skip(1) {
            let paragraph = paragraph.split("</p>").next().unwrap();
            said.extend(keys.iter().filter(|key| paragraph.contains(&format!("\"{key}\""))).cloned());
        }
    }
    said
}

/// What the functions of a view say of what is wrong.
fn said_in_views(keys: &BTreeSet<String>) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    for file in files("src/web/view", "rs") {
        let (text, of_amounts) = (std::fs::read_to_string(&file).unwrap(), file.ends_with("refusals.rs"));
        let of_forms = file.ends_with("account.rs");
        let mut tells = false;
        for line in text.lines() {
            if let Some((_, rest)) = line.split_once("fn ") {
                let name = rest.split(['(', '<']).next().unwrap();
                tells = name.ends_with("problem") || (of_amounts && name == "amount") || (of_forms && name == "text");
                tells |= matches!(name, "problem_text" | "above" | "on_top" | "said");
            }
            if tells || line.starts_with("form_page!") {
                said.extend(quoted(line, keys));
            }
        }
    }
    said
}

#[test]
fn every_message_of_a_field_has_its_rule() {
    let keys = keys();
    let mut said = said_in_templates(&keys);
    said.extend(said_in_views(&keys));
    assert!(said.len() > 50, "{said:?}");
    let table = rules::all();
    let told: BTreeSet<&str> = table.iter().flat_map(|rules| rules.rules.iter().map(|(_, _, key)| *key)).collect();
    let of_the_form = |key: &str| OF_THE_FORM.iter().any(|(known, _)| *known == key);
    let missing: Vec<&String> = said.iter().filter(|key| !told.contains(key.as_str()) && !of_the_form(key)).collect();
    assert!(missing.is_empty(), "say in `fields::rules` what breaks these: {missing:#?}");
    let gone: Vec<&&str> = told.iter().filter(|key| !keys.contains(**key)).collect();
    assert!(gone.is_empty(), "{gone:?}");
}
