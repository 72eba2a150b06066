//! A page made fit for the relay: its links stay in the tab, and the app's own script is put at its head.
//!
//! Touches tags only, never text, script or style. `value` is left alone: what a form says is said to the app. What a
//! script builds by itself is caught by the relay's Referer rule.
use super::address::{Host, Link, Map};

/// Attributes that are always addresses.
const ADDRESSES: [&str; 6] = ["href", "src", "action", "formaction", "poster", "data"];

/// `head` is put right after `<head>`, or first where there is none.
pub fn rewrite(html: &str, map: &Map, here: Host, head: &str) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 8 + head.len());
    let mut rest = html;
    let mut has_head = false;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            let end = comment.find("-->").map_or(rest.len(), |end| end + 7);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let end = end_of_tag(rest);
        let tag = &rest[..end];
        rest = &rest[end..];
        tag_into(&mut out, tag, map, here);
        let name = name_of(tag);
        if name == "head" && !has_head {
            out.push_str(head);
            has_head = true;
        }
        if matches!(name.as_str(), "script" | "style" | "textarea") {
            let end = find_ignoring_case(rest, &format!("</{name}")).unwrap_or(rest.len());
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    if has_head { out } else { format!("{head}{out}") }
}

/// The length of the tag at the start of the text; a `>` within quotes does not end it.
fn end_of_tag(text: &str) -> usize {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    text.len()
}

fn name_of(tag: &str) -> String {
    let name = tag.trim_start_matches('<').split(|c: char| c.is_whitespace() || c == '>' || c == '/').next();
    name.unwrap_or_default().to_ascii_lowercase()
}

fn find_ignoring_case(text: &str, what: &str) -> Option<usize> {
    text.as_bytes().windows(what.len()).position(|bytes| bytes.eq_ignore_ascii_case(what.as_bytes()))
}

/// Writes a tag with its quoted addresses changed.
fn tag_into(out: &mut String, tag: &str, map: &Map, here: Host) {
    let mut rest = tag;
    while let Some(at) = rest.find('=') {
        let (before, after) = rest.split_at(at);
        let name = before.rsplit(|c: char| c.is_whitespace()).next().unwrap_or_default().to_ascii_lowercase();
        out.push_str(before);
        out.push('=');
        rest = &after[1..];
        let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
        let Some(len) = rest[1..].find(quote) else { break };
        let value = &rest[1..=len];
        out.push(quote);
        out.push_str(&changed(&name, value, map, here).unwrap_or_else(|| value.to_owned()));
        out.push(quote);
        rest = &rest[len + 2..];
    }
    out.push_str(rest);
}

/// The new value of an attribute; None: it stays.
fn changed(name: &str, value: &str, map: &Map, here: Host) -> Option<String> {
    let relayed = |link: &str| match map.inward(here, link) {
        Link::Relayed(path) => Some(path),
        Link::Relative | Link::Foreign => None,
    };
    match name {
        name if ADDRESSES.contains(&name) => relayed(value),
        // a script's own addresses; a whole link is something to show or copy, so it stays true
        name if name.starts_with("data-") && value.starts_with('/') => relayed(value),
        "content" => {
            let at = find_ignoring_case(value, "url=")? + 4;
            relayed(&value[at..]).map(|path| format!("{}{path}", &value[..at]))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::phone::address::Tab;
    use crate::sandbox::phone::device::Device;

    fn turned(html: &str) -> String {
        let map = Map {
            tab: Tab { device: Device::Wechat, phone: "p1".to_owned() },
            app: Some("http://app".to_owned()),
            gates: vec!["http://gate".to_owned()],
        };
        rewrite(html, &map, Host::App, "<!--head-->")
    }

    #[test]
    fn links_forms_images_and_a_scripts_addresses_stay_in_the_tab() {
        let html = r#"<html><head></head><a class="b" href="/h5?a=1&amp;b=2">1 &lt; 2</a><a href='http://gate/x?y'>
            <form method=post action="/h5/login"><img src="/q/1.png" alt="a > b"><main data-poll="/h5/state">
            <meta http-equiv="refresh" content="3;url=/h5/result"><a href="orders"></a>"#;
        let turned = turned(html);
        for there in [
            r#"<head><!--head--></head><a class="b" href="/as/wechat/p1/h5?a=1&amp;b=2">1 &lt; 2</a>"#,
            "href='/as/wechat/p1/~/x?y'",
            r#"action="/as/wechat/p1/h5/login""#,
            r#"src="/as/wechat/p1/q/1.png" alt="a > b""#,
            r#"data-poll="/as/wechat/p1/h5/state""#,
            r#"content="3;url=/as/wechat/p1/h5/result""#,
            r#"href="orders""#,
        ] {
            assert!(turned.contains(there), "{there}\n{turned}");
        }
    }

    #[test]
    fn what_a_form_says_what_is_copied_and_what_is_foreign_stays_as_it_was() {
        for html in [
            r#"<head><!--head--><input name="back" value="/h5/orders">"#,
            r#"<head><!--head--><button data-copy="http://app/q/abc">"#,
            r#"<head><!--head--><a href="https://evil.example/h5">"#,
            r#"<head><!--head--><script>location="/h5";x='<a href="/h5">'</script>"#,
            r#"<head><!--head--><textarea><a href="/h5"></textarea>"#,
            r#"<head><!--head--><!-- <a href="/h5"> -->"#,
            r#"<head><!--head--><meta name="viewport" content="width=device-width">"#,
            "<head><!--head-->a < b && c > d",
        ] {
            assert_eq!(turned(&html.replacen("<!--head-->", "", 1)), html);
        }
    }

    #[test]
    fn a_page_without_a_head_gets_the_script_first_and_broken_markup_breaks_nothing() {
        assert_eq!(turned("<p>a"), "<!--head--><p>a");
        for broken in ["<", "<a href=\"/h5", "<a href=", "<script>", "<!--", "<a 'b", "</", "<é=\"/\">"] {
            assert!(turned(broken).starts_with("<!--head-->"), "{broken}");
        }
    }
}
