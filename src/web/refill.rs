//! Puts what somebody had typed back into a form of a page that is already drawn.
//!
//! It knows our own templates and no other page: attributes stand in double quotes and hold no raw `"`, `<` or `>`,
//! for askama has escaped them. What it writes it escapes likewise. Hidden fields and passwords are never touched.
use std::fmt::Write;

/// The page with the fields of the first form that is sent to `action`. A field the form does not have is left out.
pub fn refill(html: &str, action: &str, fields: &[(String, String)]) -> String {
    let Some((before, form, after)) = find(html, action) else { return html.to_owned() };
    let mut out = String::with_capacity(html.len() + 256);
    out.push_str(before);
    let mut select = None;
    let mut rest = form;
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').map_or(rest.len(), |end| at + end + 1);
        let tag = &rest[at..end];
        out.push_str(&rest[..at]);
        match name(tag) {
            "input" => out.push_str(&input(tag, fields)),
            "select" => {
                select = attribute(tag, "name").filter(|name| fields.iter().any(|(key, _)| key == name));
                out.push_str(tag);
            }
            "/select" => {
                select = None;
                out.push_str(tag);
            }
            "option" => out.push_str(&match select {
                Some(of) => mark(tag, "selected", of, fields),
                None => tag.to_owned(),
            }),
            _ => out.push_str(tag),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out.push_str(after);
    out
}

/// The page before the form's own tag, the form, and the page from its end on.
fn find<'a>(html: &'a str, action: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let mut from = 0;
    while let Some(at) = html[from..].find("<form").map(|at| from + at) {
        let end = html[at..].find("</form>").map(|end| at + end)?;
        let tag = &html[at..html[at..].find('>').map(|end| at + end)?];
        if attribute(tag, "action").is_some_and(|own| own.split('?').next() == Some(action)) {
            return Some((&html[..at], &html[at..end], &html[end..]));
        }
        from = end;
    }
    None
}

fn input(tag: &str, fields: &[(String, String)]) -> String {
    let Some(name) = attribute(tag, "name") else { return tag.to_owned() };
    let Some((_, typed)) = fields.iter().find(|(key, _)| key == name) else { return tag.to_owned() };
    match attribute(tag, "type").unwrap_or("text") {
        "text" | "tel" | "email" => {
            let mut bare = tag.to_owned();
            if let Some(value) = attribute(tag, "value") {
                bare = tag.replace(&format!(" value=\"{value}\""), "");
            }
            let at = bare.find(' ').unwrap_or(bare.len());
            format!("{} value=\"{}\"{}", &bare[..at], escape(typed), &bare[at..])
        }
        "checkbox" | "radio" => mark(tag, "checked", name, fields),
        _ => tag.to_owned(),
    }
}

/// Ticks or chooses what was ticked or chosen, and nothing else.
fn mark(tag: &str, word: &str, name: &str, fields: &[(String, String)]) -> String {
    let bare = tag.replace(&format!(" {word}"), "");
    let value = attribute(&bare, "value").unwrap_or("on");
    let is_it = fields.iter().any(|(key, typed)| key == name && escape(typed) == value);
    match (is_it, bare.strip_suffix('>')) {
        (true, Some(open)) => format!("{open} {word}>"),
        _ => bare,
    }
}

fn name(tag: &str) -> &str {
    tag.trim_start_matches('<').split([' ', '>', '\n']).next().unwrap_or_default()
}

/// As it is written, escaped.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let key = format!(" {name}=\"");
    let rest = &tag[tag.find(&key)? + key.len()..];
    rest.find('"').map(|end| &rest[..end])
}

/// As askama escapes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' => {
                // writing to a String cannot fail
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn fields_circles_boxes_and_choices_are_set_as_they_were() {
        let page = "<form action=\"/a\"><input name=\"n\" value=\"old\"></form><form method=\"post\" action=\"/b\">\
             <input id=\"x\" name=\"n\" value=\"old\" maxlength=\"9\"><input name=\"m\">\
             <input type=\"radio\" name=\"r\" value=\"1\" checked><input type=\"radio\" name=\"r\" value=\"2\">\
             <select name=\"s\"><option value=\"\">-</option><option value=\"1\" selected>1</option>\
             <option value=\"2\">2</option></select></form><p>";
        let typed = fields(&[("n", "林 & \"<b>"), ("m", "y"), ("r", "2"), ("s", "2")]);
        let want = "<form action=\"/a\"><input name=\"n\" value=\"old\"></form><form method=\"post\" action=\"/b\">\
             <input value=\"林 &#38; &#34;&#60;b&#62;\" id=\"x\" name=\"n\" maxlength=\"9\">\
             <input value=\"y\" name=\"m\">\
             <input type=\"radio\" name=\"r\" value=\"1\"><input type=\"radio\" name=\"r\" value=\"2\" checked>\
             <select name=\"s\"><option value=\"\">-</option><option value=\"1\">1</option>\
             <option value=\"2\" selected>2</option></select></form><p>";
        assert_eq!(refill(page, "/b", &typed), want);
    }

    #[test]
    fn hidden_fields_passwords_and_other_pages_stay_as_they_are() {
        let page = "<form action=\"/b\"><input type=\"hidden\" name=\"n\" value=\"1\">\
             <input type=\"password\" name=\"p\"><input name=\"q\" value=\"1\"></form>";
        assert_eq!(refill(page, "/b", &fields(&[("n", "2"), ("p", "secret"), ("z", "3")])), page);
        assert_eq!(refill(page, "/c", &fields(&[("q", "2")])), page);
        for broken in ["<form action=\"/b\"", "<form action=\"/b\"><input name=\"q\"", "", "<form></form>", "<"] {
            assert_eq!(refill(broken, "/b", &fields(&[("q", "2")])), broken);
        }
    }
}
