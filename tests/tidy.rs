//! The rules of the house, held as tests. Each reads the sources as text; each breach names its file, line and rule.
//! A rule is changed here only together with `docs/ARCHITECTURE.md`.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use reader::{File, House, functions, lines_with_word, texts};

#[path = "tidy/reader.rs"]
mod reader;

/// Floors from the ground up. A file uses lower floors and its own folder, nothing else.
const FLOORS: [&[&str]; 9] = [
    &["domain"],
    &["clock", "config", "drill", "metrics", "outbound", "xml"],
    &["store", "channel", "cache", "cas", "fiscal", "official_account", "messenger"],
    &["app"],
    &["flow"],
    &["web", "jobs", "sandbox"],
    &["cli"],
    &["main"],
    &["lib"],
];
/// Folders that may name only these, whatever stands below them.
const ONLY: [(&str, &[&str]); 2] = [("sandbox", &["domain", "clock"]), ("web", &["domain", "app", "flow"])];
/// What the pure floor never speaks.
const IMPURE: [&str; 6] = ["async", "poem", "reqwest", "sea_orm", "sqlx", "tokio"];
/// Calls that no shipped file makes; the clock's own file is the exception for the first three.
const BANNED: [&str; 6] = ["Utc::now", "Local::now", "SystemTime::now", "todo!", "unimplemented!", "dbg!"];
/// Text of one person's machine or of work left undone. Written in two parts, so that this file passes.
const FOREIGN: [&str; 6] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/tm", "p/w/"),
    concat!("/tm", "p/t/"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
];

#[test]
fn every_file_uses_only_floors_below_its_own() {
    let house = House::read();
    let floor = |unit: &str| FLOORS.iter().position(|units| units.contains(&unit));
    let mut breaches = Breaches::default();
    for file in house.shipped() {
        let Some(own) = floor(file.unit()) else {
            breaches.add(file, 1, "has no floor: give it one in docs/ARCHITECTURE.md and in FLOORS");
            continue;
        };
        for import in &file.imports {
            let unit = import.path.first().map_or("", String::as_str);
            let only = ONLY.iter().find(|(folder, _)| *folder == file.unit()).map(|(_, names)| *names);
            if unit == file.unit() {
                continue;
            }
            match floor(unit) {
                Some(other) if other < own && only.is_none_or(|names| names.contains(&unit)) => {}
                _ => breaches.add(file, import.line, &format!("{} may not use crate::{unit}", file.unit())),
            }
        }
    }
    breaches.assert_none("floors");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let house = House::read();
    let mut uses: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for file in house.shipped() {
        let edges = uses.entry(&file.path).or_default();
        for import in &file.imports {
            if let Some(target) = house.resolve(&import.path).filter(|target| target.path != file.path) {
                edges.entry(&target.path).or_insert(import.line);
            }
        }
    }
    // in a circle every file uses one and is used by one; take away the others until all that stay do both
    loop {
        let used: BTreeSet<&str> = uses.values().flat_map(|to| to.keys().copied()).collect();
        let links = |file: &str, to: &BTreeMap<&str, usize>| {
            used.contains(file) && to.keys().any(|target| uses.contains_key(target))
        };
        let loose: Vec<&str> = uses.iter().filter(|(file, to)| !links(file, to)).map(|(file, _)| *file).collect();
        if loose.is_empty() {
            break;
        }
        uses.retain(|file, _| !loose.contains(file));
    }
    let mut breaches = Breaches::default();
    for (from, to) in &uses {
        for (to, line) in to.iter().filter(|(to, _)| uses.contains_key(*to)) {
            breaches.list.push(format!("{from}:{line}: uses {to}, which is part of a circle"));
        }
    }
    breaches.assert_none("no circles");
}

#[test]
fn in_web_each_file_uses_only_what_comes_before_it() {
    const ORDER: &str = "the order is html, error, guard, page and api and notify, routes";
    let rank = |name: &str| match name {
        "html" => Some(0),
        "error" => Some(1),
        "guard" => Some(2),
        "page" | "api" | "notify" => Some(3),
        "routes" => Some(4),
        _ => None,
    };
    let house = House::read();
    let mut breaches = Breaches::default();
    for file in house.shipped().filter(|file| file.unit() == "web" && !file.is_door_plate()) {
        let own = file.module.get(1).map_or("", String::as_str);
        for import in file.imports.iter().filter(|import| import.path.first().is_some_and(|unit| unit == "web")) {
            let other = import.path.get(1).map_or("", String::as_str);
            // a helper without a place in the order may be used by all, and uses nothing above the guard
            let fits = match (rank(own), rank(other)) {
                (_, None) => true,
                (_, Some(_)) if own == other => true,
                (None, Some(other)) => other < 3,
                (Some(own), Some(other)) => other < own,
            };
            if !fits {
                breaches.add(file, import.line, &format!("web/{own} may not use web/{other}: {ORDER}"));
            }
        }
    }
    breaches.assert_none("order inside web");
}

#[test]
fn a_door_plate_has_a_doc_comment_and_names_and_no_code() {
    let house = House::read();
    let mut breaches = Breaches::default();
    for file in house.files.iter().filter(|file| file.is_door_plate() || file.path == "src/lib.rs") {
        let lines = file.text.lines().count();
        if lines > 60 {
            breaches.add(file, lines, "longer than 60 lines");
        }
        if !file.text.starts_with("//!") {
            breaches.add(file, 1, "does not begin with //!");
        }
        let mut line = 1;
        for item in file.code.split_inclusive(';') {
            let start = item.len() - item.trim_start().len();
            let at = line + item[..start].matches('\n').count();
            line += item.matches('\n').count();
            let named = item.trim_start().trim_start_matches("#[cfg(test)]");
            let words: Vec<&str> = named.split_whitespace().take(2).collect();
            if !item.trim().is_empty() && !matches!(words[..], ["pub" | "pub(crate)", "mod" | "use"]) {
                breaches.add(file, at, "holds more than `pub mod` and `pub use`");
            }
        }
    }
    breaches.assert_none("door-plates");
}

#[test]
fn no_file_function_or_line_is_too_long() {
    let house = House::read();
    let mut breaches = Breaches::default();
    for file in &house.files {
        let lines = file.text.lines().count();
        if lines > 500 {
            breaches.add(file, lines, "the file has more than 500 lines");
        }
        for (line, length) in functions(&file.code).filter(|(_, length)| *length > 70) {
            breaches.add(file, line, &format!("a function of {length} lines; 70 are allowed"));
        }
    }
    for (path, text) in texts(Path::new("")) {
        if path.ends_with(".rs") || path.ends_with(".sql") || path.ends_with("/run") {
            for (at, line) in text.lines().enumerate().filter(|(_, line)| line.chars().count() > 120) {
                breaches.list.push(format!("{path}:{}: {} columns; 120 are allowed", at + 1, line.chars().count()));
            }
        }
    }
    breaches.assert_none("lengths");
}

#[test]
fn the_lowest_floor_is_pure_and_nobody_asks_the_machine_for_the_time() {
    let house = House::read();
    let mut breaches = Breaches::default();
    for file in house.shipped() {
        if file.unit() == "domain" {
            for word in IMPURE {
                for line in lines_with_word(&file.shipped, word) {
                    breaches.add(file, line, &format!("the domain is pure and does not know `{word}`"));
                }
            }
        }
        for word in BANNED.iter().skip(if file.path == "src/clock.rs" { 3 } else { 0 }) {
            for line in lines_with_word(&file.shipped, word) {
                breaches.add(file, line, &format!("`{word}` is not for shipped code"));
            }
        }
    }
    for file in &house.files {
        for line in lines_with_word(&file.code, "#[ignore") {
            breaches.add(file, line, "a test that never runs proves nothing");
        }
    }
    breaches.assert_none("purity");
}

#[test]
fn templates_carry_no_inline_styles_or_handlers() {
    let mut breaches = Breaches::default();
    for (path, text) in texts(Path::new("h5-templates")).into_iter().filter(|(path, _)| !path.ends_with(".toml")) {
        for (at, line) in text.lines().enumerate() {
            let handler = |word: &str| {
                let name = word.split('=').next().unwrap_or_default();
                word.contains('=')
                    && name.len() > 2
                    && name.starts_with("on")
                    && name.chars().all(|c| c.is_ascii_lowercase())
            };
            let lower = line.to_ascii_lowercase();
            for word in lower.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<')) {
                if word.starts_with("style=") || handler(word) {
                    let line = at + 1;
                    breaches.list.push(format!("{path}:{line}: `{word}`: the content security policy refuses it"));
                }
            }
        }
    }
    breaches.assert_none("templates");
}

#[test]
fn nothing_names_the_machine_it_was_written_on_or_work_left_undone() {
    let mut breaches = Breaches::default();
    for (path, text) in texts(Path::new("")) {
        for (at, line) in text.lines().enumerate() {
            for word in FOREIGN.iter().filter(|word| line.contains(**word)) {
                breaches.list.push(format!("{path}:{}: `{word}` does not belong into the project", at + 1));
            }
        }
    }
    breaches.assert_none("foreign words");
}

#[test]
fn no_two_decisions_share_a_number_and_every_link_to_one_leads_somewhere() {
    let mut breaches = Breaches::default();
    let texts = texts(Path::new(""));
    let mut numbers: BTreeMap<&str, &str> = BTreeMap::new();
    let decisions: BTreeSet<&str> = texts.iter().filter_map(|(path, _)| path.strip_prefix("docs/decisions/")).collect();
    for name in &decisions {
        let number = name.split('-').next().unwrap_or_default();
        let title = format!("# {number} · ");
        let text = texts.iter().find(|(path, _)| path.ends_with(name)).map_or("", |(_, text)| text);
        if number.len() != 4 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            breaches.list.push(format!("docs/decisions/{name}:1: does not begin with its number"));
        } else if !text.starts_with(&title) {
            breaches.list.push(format!("docs/decisions/{name}:1: does not begin with `{title}`"));
        }
        if let Some(twin) = numbers.insert(number, name) {
            breaches.list.push(format!("docs/decisions/{name}:1: the same number as {twin}"));
        }
    }
    for (path, text) in &texts {
        for (at, line) in text.lines().enumerate() {
            for link in line.split("decisions/").skip(1) {
                let name: String =
                    link.chars().take_while(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).collect();
                let is_link = name.ends_with(".md") && name.starts_with(|c: char| c.is_ascii_digit());
                if is_link && !decisions.contains(name.as_str()) {
                    breaches.list.push(format!("{path}:{}: there is no decision {name}", at + 1));
                }
            }
        }
    }
    breaches.assert_none("decisions");
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let mut breaches = Breaches::default();
    let mut folders: BTreeMap<String, BTreeMap<u32, String>> = BTreeMap::new();
    for (path, _) in texts(Path::new("")) {
        let Some((folder, name)) = path.rsplit_once('/').filter(|(folder, _)| folder.ends_with("migrations")) else {
            continue;
        };
        let digits: String = name.trim_start_matches('m').chars().take_while(char::is_ascii_digit).collect();
        match digits.parse() {
            Ok(number) => {
                if let Some(twin) = folders.entry(folder.to_owned()).or_default().insert(number, path.clone()) {
                    breaches.list.push(format!("{path}:1: the same number as {twin}"));
                }
            }
            Err(_) if name == "README.md" || name == "mod.rs" => {}
            Err(_) => breaches.list.push(format!("{path}:1: does not begin with its number")),
        }
    }
    for numbers in folders.values() {
        for (wanted, (number, path)) in (1..).zip(numbers).filter(|(wanted, (number, _))| wanted != *number) {
            breaches.list.push(format!("{path}:1: number {number} where {wanted} comes next"));
        }
    }
    breaches.assert_none("migrations");
}

#[derive(Default)]
struct Breaches {
    list: Vec<String>,
}

impl Breaches {
    fn add(&mut self, file: &File, line: usize, why: &str) {
        self.list.push(format!("{}:{line}: {why}", file.path));
    }

    fn assert_none(self, rule: &str) {
        assert!(self.list.is_empty(), "rule \"{rule}\" is broken {} times:\n{}", self.list.len(), self.list.join("\n"));
    }
}
