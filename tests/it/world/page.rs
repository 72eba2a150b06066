//! An answer as a browser holds it: status, headers, text, and the forms and links in it.
use reqwest::header::HeaderMap;

#[derive(Clone, Debug)]
pub struct Page {
    /// Path and query that were asked for
    pub path: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

/// A form with what it would send untouched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Form {
    pub method: String,
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Page {
    pub fn body(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where a redirect leads.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert!((300..400).contains(&self.status), "{} answered {}: {}", self.path, self.status, self.text());
        self.header("location")
    }

    pub fn set_cookies(&self) -> Vec<String> {
        let all = self.headers.get_all("set-cookie").iter();
        all.map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    pub fn has(&self, words: &str) -> bool {
        self.text().contains(words)
    }

    /// What a person reads: no markup, no script, no style; blanks run together.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut hidden = "";
        for (tag, text) in pieces(&self.body()) {
            let name = name_of(tag);
            match name {
                "style" | "script" | "svg" if hidden.is_empty() => hidden = name,
                _ if !hidden.is_empty() && name.strip_prefix('/') == Some(hidden) => hidden = "",
                _ => {}
            }
            if hidden.is_empty() {
                let inline = matches!(name.trim_start_matches('/'), "i" | "b" | "span" | "em" | "strong");
                out.push_str(if inline { "" } else { " " });
                out.push_str(&unescape(text));
            }
        }
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// All forms of the page, in order.
    pub fn forms(&self) -> Vec<Form> {
        let mut forms = Vec::new();
        let mut open: Option<Form> = None;
        for (tag, _) in pieces(&self.body()) {
            match name_of(tag) {
                "form" => {
                    let (method, action) = (attribute(tag, "method"), attribute(tag, "action"));
                    let method = method.unwrap_or_else(|| "get".to_owned()).to_lowercase();
                    open = Some(Form { method, action: action.unwrap_or_default(), fields: Vec::new() });
                }
                "/form" => forms.extend(open.take()),
                "input" => {
                    if let (Some(form), Some(field)) = (&mut open, field(tag)) {
                        form.fields.push(field);
                    }
                }
                _ => {}
            }
        }
        forms
    }

    /// The form that sends to this path (its query aside).
    #[track_caller]
    pub fn form(&self, action: &str) -> Form {
        let fits = |form: &Form| form.action.split('?').next() == Some(action);
        let found = self.forms().into_iter().find(fits);
        found.unwrap_or_else(|| panic!("no form to {action} on {} ({}): {}", self.path, self.status, self.text()))
    }

    /// An attribute of the element with this id.
    #[track_caller]
    pub fn attribute(&self, id: &str, name: &str) -> String {
        let value = self.find_attribute(id, name);
        value.unwrap_or_else(|| panic!("no #{id} with {name} on {} ({}): {}", self.path, self.status, self.text()))
    }

    /// As [`Page::attribute`], where the element need not be there.
    pub fn find_attribute(&self, id: &str, name: &str) -> Option<String> {
        let body = self.body();
        let found = pieces(&body).into_iter().find(|(tag, _)| attribute(tag, "id").as_deref() == Some(id));
        found.and_then(|(tag, _)| attribute(tag, name))
    }

    /// The value that stands chosen in a `select`.
    pub fn selected(&self, name: &str) -> Option<String> {
        let body = self.body();
        let tags = pieces(&body).into_iter().map(|(tag, _)| tag);
        let mut own =
            tags.skip_while(|tag| name_of(tag) != "select" || attribute(tag, "name").as_deref() != Some(name));
        own.next()?;
        let chosen = own.take_while(|tag| name_of(tag) != "/select").find(|tag| attribute(tag, "selected").is_some());
        attribute(chosen?, "value")
    }

    /// An attribute of the field of this name in the form that sends to `action`.
    pub fn attribute_of(&self, action: &str, field: &str, name: &str) -> Option<String> {
        let body = self.body();
        let is_form = |tag: &str| {
            let to = attribute(tag, "action").unwrap_or_default();
            name_of(tag) == "form" && to.split('?').next() == Some(action)
        };
        let tags = pieces(&body).into_iter().map(|(tag, _)| tag).skip_while(|tag| !is_form(tag)).skip(1);
        let mut own = tags.take_while(|tag| name_of(tag) != "/form");
        let is_field =
            |tag: &&str| matches!(name_of(tag), "input" | "select") && attribute(tag, "name").as_deref() == Some(field);
        own.find(is_field).and_then(|tag| attribute(tag, name))
    }

    /// What stands in the element with this id, read like [`Page::text`].
    pub fn text_of(&self, id: &str) -> Option<String> {
        let body = self.body();
        let mut rest = pieces(&body).into_iter().skip_while(|(tag, _)| attribute(tag, "id").as_deref() != Some(id));
        let (tag, first) = rest.next()?;
        let end = format!("/{}", name_of(tag));
        let inside = rest.take_while(|(tag, _)| name_of(tag) != end).map(|(_, text)| unescape(text));
        Some(std::iter::once(unescape(first)).chain(inside).collect::<String>().trim().to_owned())
    }

    /// Where the link with these words leads.
    #[track_caller]
    pub fn link(&self, words: &str) -> String {
        let body = self.body();
        let is_it = |(tag, text): &(&str, &str)| name_of(tag) == "a" && unescape(text).trim() == words;
        let found = pieces(&body).into_iter().find(is_it).and_then(|(tag, _)| attribute(tag, "href"));
        found.unwrap_or_else(|| panic!("no link {words} on {} ({}): {}", self.path, self.status, self.text()))
    }

    /// Every `href`, `src` and `action`.
    pub fn links(&self) -> Vec<String> {
        let body = self.body();
        let of = |tag| ["href", "src", "action"].into_iter().filter_map(move |name| attribute(tag, name));
        pieces(&body).into_iter().flat_map(|(tag, _)| of(tag)).collect()
    }
}

impl Form {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Types into a field, or adds it.
    pub fn set(mut self, name: &str, value: &str) -> Form {
        match self.fields.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// Takes every field of this name away, as when a box is unticked.
    pub fn without(mut self, name: &str) -> Form {
        self.fields.retain(|(key, _)| key != name);
        self
    }
}

/// What an input sends: boxes and circles only when they are ticked, buttons never.
fn field(tag: &str) -> Option<(String, String)> {
    let kind = attribute(tag, "type").unwrap_or_default();
    let ticked = attribute(tag, "checked").is_some();
    let sent = match kind.as_str() {
        "submit" | "button" | "image" => false,
        "checkbox" | "radio" => ticked,
        _ => true,
    };
    let value = attribute(tag, "value").unwrap_or_default();
    (sent && attribute(tag, "disabled").is_none()).then_some((attribute(tag, "name")?, value))
}

/// Each tag (without its brackets) and the text up to the next one.
fn pieces(html: &str) -> Vec<(&str, &str)> {
    let piece = |part| {
        let part: &str = part;
        part.split_once('>').unwrap_or((part, ""))
    };
    html.split('<').skip(1).map(piece).collect()
}

fn name_of(tag: &str) -> &str {
    tag.split([' ', '\n', '\t']).next().unwrap_or_default()
}

/// The value of an attribute; empty when it has none.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag.split_once([' ', '\n'])?.1.trim_start();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ', '\n']).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => match after.strip_prefix('=') {
                Some(bare) => bare.split_at(bare.find([' ', '\n']).unwrap_or(bare.len())),
                None => ("", after),
            },
        };
        if key == name {
            return Some(unescape(value));
        }
        rest = after.trim_start();
    }
    None
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let Some((name, after)) = after.split_once(';') else {
            out.push('&');
            rest = after;
            continue;
        };
        let code = name.strip_prefix('#').map(|code| match code.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => code.parse(),
        });
        match (name, code) {
            ("amp", _) => out.push('&'),
            ("lt", _) => out.push('<'),
            ("gt", _) => out.push('>'),
            ("quot", _) => out.push('"'),
            ("nbsp", _) => out.push(' '),
            (_, Some(Ok(code))) => out.extend(char::from_u32(code)),
            _ => panic!("&{name}; is not known to this reader"),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
