//! Reads the project's files for the rules: what is code, what is a test, and who imports whom. It is no compiler; it
//! knows as much of Rust's grammar as the rules need.
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// One Rust source file; `code` has comments and literals blanked, `shipped` its test parts too. Lines stay in place.
pub struct File {
    pub path: String,
    pub text: String,
    pub code: String,
    pub shipped: String,
    pub module: Vec<String>,
    pub imports: Vec<Import>,
}

pub struct Import {
    /// From the root of the crate
    pub path: Vec<String>,
    pub line: usize,
}

impl File {
    fn new(path: String, text: String) -> Self {
        let code = blank_literals(&text);
        let shipped = blank_tests(&code);
        let inside = path.strip_prefix("src/").unwrap_or(&path).trim_end_matches(".rs");
        let inside = inside.strip_suffix("/mod").unwrap_or(inside);
        let module: Vec<String> = inside.split('/').map(str::to_owned).collect();
        let imports = imports(&shipped, &module);
        Self { path, text, code, shipped, module, imports }
    }

    pub fn unit(&self) -> &str {
        &self.module[0]
    }

    pub fn is_door_plate(&self) -> bool {
        self.path.starts_with("src/") && self.path.ends_with("/mod.rs")
    }
}

pub struct House {
    pub files: Vec<File>,
    /// Files that only `#[cfg(test)] mod name;` brings in
    tests: BTreeSet<String>,
}

impl House {
    pub fn read() -> Self {
        let folders = ["src", "tests", "benches"].map(|folder| texts(Path::new(folder)));
        let sources = folders.into_iter().flatten().filter(|(path, _)| path.ends_with(".rs"));
        let files: Vec<File> = sources.map(|(path, text)| File::new(path, text)).collect();
        assert!(files.len() > 20, "only {} files found", files.len());
        let mut tests = BTreeSet::new();
        for file in &files {
            for (at, mark) in file.code.match_indices("#[cfg(test)]") {
                let item = file.code[at + mark.len()..].trim_start().trim_start_matches("pub ");
                if let Some(name) = item.strip_prefix("mod ").and_then(|item| item.split_once(';')) {
                    tests.insert(format!("src/{}/{}.rs", file.module.join("/"), name.0));
                }
            }
        }
        Self { files, tests }
    }

    pub fn shipped(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.starts_with("src/") && !self.tests.contains(&file.path))
    }

    /// The file a path leads to; through a door-plate's `pub use` to what it shows.
    pub fn resolve(&self, path: &[String]) -> Option<&File> {
        let find = |module: &[String]| self.shipped().find(|file| file.module == module);
        let depth = (1..=path.len()).rev().find(|depth| find(&path[..*depth]).is_some())?;
        let file = find(&path[..depth])?;
        if !file.is_door_plate() {
            return Some(file);
        }
        let shown = path.get(depth)?;
        let plate = file.shipped.replace("pub use ", "pub use self::");
        let target = imports(&plate, &file.module).into_iter().find(|import| import.path.last() == Some(shown))?;
        if target.path.len() <= depth + 1 { None } else { self.resolve(&target.path) }
    }
}

/// Text files below a folder of the project, with their paths from its root.
pub fn texts(folder: &Path) -> Vec<(String, String)> {
    const SKIPPED: [&str; 5] = ["target", ".git", "demo-data", "test-artefacts", "node_modules"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(entries) = fs::read_dir(root.join(folder)) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let path = folder.join(entry.file_name());
        let name = path.to_string_lossy().replace('\\', "/");
        if SKIPPED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        if entry.path().is_dir() {
            found.extend(texts(&path));
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            found.push((name, text));
        }
    }
    found.sort();
    found
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Places where a word stands by itself.
fn word_places(code: &str, word: &str) -> Vec<usize> {
    let free = |at: &usize| {
        let (before, after) = (code[..*at].chars().next_back(), code[at + word.len()..].chars().next());
        let goes_on = word.ends_with(is_word) && after.is_some_and(is_word);
        !before.is_some_and(is_word) && !goes_on
    };
    code.match_indices(word).map(|(at, _)| at).filter(free).collect()
}

pub fn lines_with_word(code: &str, word: &str) -> Vec<usize> {
    word_places(code, word).into_iter().map(|at| line_of(code, at)).collect()
}

/// First line and length in lines of each function with a body.
pub fn functions(code: &str) -> impl Iterator<Item = (usize, usize)> {
    word_places(code, "fn ").into_iter().filter_map(|at| {
        let end = closing(code, body(code, at)?)?;
        Some((line_of(code, at), line_of(code, end) - line_of(code, at) + 1))
    })
}

/// The place of the brace that opens a function's body; a declaration has none.
fn body(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in code[from..].char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '{' if depth == 0 => return Some(from + at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The place of the brace that closes the one at `open`.
fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(open + at);
        }
    }
    None
}

fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect()
}

/// Blanks items under `#[cfg(test)]`.
fn blank_tests(code: &str) -> String {
    let mut out = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let end = match rest[at..].find(['{', ';']) {
            Some(open) if rest[at + open..].starts_with('{') => closing(rest, at + open),
            semicolon => semicolon.map(|place| at + place),
        };
        let end = end.map_or(rest.len(), |end| end + 1);
        out.push_str(&rest[..at]);
        out.push_str(&blank(&rest[at..end]));
        rest = &rest[end..];
    }
    out + rest
}

/// Blanks comments, strings and characters.
fn blank_literals(text: &str) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let in_word = text[..at].chars().next_back().is_some_and(is_word);
        let length = literal(&text[at..], in_word).unwrap_or(0).min(text.len() - at);
        if length > 0 {
            out.push_str(&blank(&text[at..at + length]));
            at += length;
        } else {
            out.push(c);
            at += c.len_utf8();
        }
    }
    out
}

/// Length in bytes of the comment or literal that begins here.
fn literal(text: &str, in_word: bool) -> Option<usize> {
    let until = |from: usize, end: &str| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(until(2, "*/"));
    }
    let raw = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('r').filter(|_| !in_word);
    if let Some(raw) = raw {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            return Some(until(text.len() - raw.len() + hashes + 1, &format!("\"{}", "#".repeat(hashes))));
        }
    }
    let quoted = |quote: char| {
        let mut escaped = false;
        let end = text.char_indices().skip(1).find(|(_, c)| {
            let ends = *c == quote && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        end.map_or(text.len(), |(at, _)| at + 1)
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('"'), _, _) => Some(quoted('"')),
        (Some('\''), Some('\\'), _) | (Some('\''), Some(_), Some('\'')) => Some(quoted('\'')),
        _ => None,
    }
}

/// Every path from the crate's root that the code names.
fn imports(code: &str, module: &[String]) -> Vec<Import> {
    let mut found = Vec::new();
    for root in ["crate", "jiaofei", "self", "super"] {
        for at in word_places(code, root) {
            let tail = code[at + root.len()..].trim_start();
            // a later `super` or `self` is read as part of the path it stands in
            if !tail.starts_with("::") || code[..at].trim_end().ends_with("::") {
                continue;
            }
            let base = match root {
                "self" => module.to_vec(),
                "super" => module[..module.len() - 1].to_vec(),
                _ => Vec::new(),
            };
            let mut paths = Vec::new();
            read_tree(&tail[2..], base, &mut paths);
            found.extend(paths.into_iter().map(|path| Import { path, line: line_of(code, at) }));
        }
    }
    found.sort_by_key(|import| import.line);
    found
}

/// Reads one `use` tree or path after a `::`; gives back what follows it.
fn read_tree<'a>(text: &'a str, mut base: Vec<String>, paths: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = read_tree(rest, base.clone(), paths).trim_start();
            // over `as name`, to the next branch or out of the group
            match rest.find([',', '}']) {
                Some(at) if rest[at..].starts_with(',') && !rest[at + 1..].trim_start().starts_with('}') => {
                    rest = &rest[at + 1..];
                }
                Some(_) => return rest.find('}').map_or("", |at| &rest[at + 1..]),
                None => return "",
            }
        }
    }
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    match &text[..end] {
        "super" => drop(base.pop()),
        "self" | "" => {}
        name => base.push(name.to_owned()),
    }
    match text[end..].trim_start().strip_prefix("::") {
        Some(rest) if !rest.trim_start().starts_with('<') => read_tree(rest, base, paths),
        _ => {
            paths.push(base);
            &text[end..]
        }
    }
}

#[test]
fn the_reader_of_these_rules_reads_rightly() {
    let text = "use crate::{a::B, c::{d, e as f}};\n\
        let s = \"crate::no\"; // crate::no\n/* crate::no */ r#\"crate::no\"#;\n\
        fn long<'a>(c: [u8; 4]) -> &'a str {\n    if c == '{' { super::up() } else { \"}\" }\n}\n\
        #[cfg(test)]\nmod tests {\n    use crate::no;\n}\n";
    let file = File::new("src/x/y.rs".to_owned(), text.to_owned());
    let seen: Vec<String> =
        file.imports.iter().map(|import| format!("{}:{}", import.line, import.path.join("."))).collect();
    assert_eq!(seen, ["1:a.B", "1:c.d", "1:c.e", "5:x.up"]);
    assert_eq!(functions(&file.code).collect::<Vec<_>>(), [(4, 3)]);
    let house = House::read();
    let cache = house.resolve(&["cache", "keep", "Cache"].map(str::to_owned)).map(|file| file.path.as_str());
    assert_eq!(cache, Some("src/cache/keep.rs"));
}
