//! A small document of XML, as the portal and WeChat write them, read whole or not at all. No document type, so no
//! entities of one's own and no other files; names are compared with their namespace, never with the prefix a server
//! likes.
use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

/// The longest document, in bytes; an answer with a hundred attributes has some five thousand.
const LONGEST: usize = 64 * 1024;
const DEEPEST: usize = 8;
/// Elements of one document
const MOST: usize = 1024;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Element {
    /// Empty: none
    space: String,
    name: String,
    /// As they are written, by the name before `=`
    attributes: BTreeMap<String, String>,
    children: Vec<Element>,
    text: String,
    /// A comment stands in it: what a reader takes for its text is a matter of taste
    is_broken: bool,
}

impl Element {
    pub fn is(&self, space: &str, name: &str) -> bool {
        self.space == space && self.name == name
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    pub fn children(&self) -> &[Element] {
        &self.children
    }

    /// Its only child of this name; none where there are two.
    pub fn only(&self, space: &str, name: &str) -> Option<&Element> {
        let mut found = self.children.iter().filter(|child| child.is(space, name));
        found.next().filter(|_| found.next().is_none())
    }

    /// Its text; none where it holds anything else.
    pub fn text(&self) -> Option<&str> {
        (self.children.is_empty() && !self.is_broken).then_some(&*self.text)
    }
}

/// None: not XML, more than one document, or more than an answer needs.
pub fn read(text: &str) -> Option<Element> {
    if text.len() > LONGEST {
        return None;
    }
    let mut reader = NsReader::from_str(text);
    // the elements that are open, below all of them one that stands for the document
    let mut open = vec![Element::default()];
    let mut count = 0;
    loop {
        let (space, event) = reader.read_resolved_event().ok()?;
        let space = match space {
            ResolveResult::Bound(Namespace(space)) => space.to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(_) => return None,
        };
        match event {
            Event::Start(tag) => {
                let element = begun(space, &tag, &mut count, open.len())?;
                open.push(element);
            }
            Event::Empty(tag) => {
                let element = begun(space, &tag, &mut count, open.len())?;
                open.last_mut()?.children.push(element);
            }
            Event::End(_) => {
                let element = open.pop()?;
                open.last_mut()?.children.push(element);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(name) => {
                let letter = match &*name {
                    "lt" => '<',
                    "gt" => '>',
                    "amp" => '&',
                    "quot" => '"',
                    "apos" => '\'',
                    _ => name.resolve_char_ref().ok()??,
                };
                open.last_mut()?.text.push(letter);
            }
            Event::Comment(_) | Event::PI(_) => open.last_mut()?.is_broken = true,
            Event::Decl(_) => {}
            // with it would come entities
            Event::DocType(_) => return None,
            Event::Eof => break,
        }
    }
    let [mut document] = <[Element; 1]>::try_from(open).ok()?;
    let root = document.children.pop()?;
    (document.children.is_empty() && document.text.trim().is_empty()).then_some(root)
}

fn begun(space: String, tag: &BytesStart<'_>, count: &mut usize, depth: usize) -> Option<Element> {
    *count += 1;
    if *count > MOST || depth > DEEPEST {
        return None;
    }
    let attribute = |one: quick_xml::events::attributes::Attribute<'_>| {
        (one.key.into_inner().to_owned(), one.value.clone().into_owned())
    };
    let attributes = tag.attributes().map(|one| one.ok().map(attribute)).collect::<Option<_>>()?;
    let name = tag.local_name().into_inner().to_owned();
    Some(Element { space, name, attributes, ..Element::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_their_namespaces_and_texts_are_whole() {
        let root =
            read("<?xml version='1.0'?><!-- a --><c:a xmlns:c='urn:c'> <c:b>1&amp;&#50;<![CDATA[<3]]></c:b><b/></c:a>");
        let root = root.unwrap();
        assert!(root.is("urn:c", "a") && !root.is("", "a"));
        assert_eq!(root.only("urn:c", "b").unwrap().text(), Some("1&2<3"));
        assert_eq!(root.only("", "b").unwrap().text(), Some(""));
        assert!(read("<a xmlns='urn:c'/>").unwrap().is("urn:c", "a"), "whatever the prefix");
        assert_eq!(root.text(), None, "it has children");
        assert_eq!(read("<a>1<!-- -->2</a>").unwrap().text(), None, "a text in pieces is none");
        assert_eq!(read("<a><b/><b/></a>").unwrap().only("", "b"), None);
    }

    #[test]
    fn what_is_no_single_small_document_is_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>";
        let deep = format!("{}{}", "<a>".repeat(9), "</a>".repeat(9));
        let wide = format!("<a>{}</a>", "<b/>".repeat(MOST));
        let long = format!("<a>{}</a>", "x".repeat(LONGEST));
        for wrong in [
            bomb,
            &deep,
            &wide,
            &long,
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><a/>",
            "x<a/>",
            "<a/>x",
            "<a>&b;</a>",
            "<a>&#0;</a>",
            "<c:a/>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "<a",
        ] {
            assert_eq!(read(wrong), None, "{}", &wrong[..wrong.len().min(80)]);
        }
    }

    proptest::proptest! {
        #[test]
        fn pieces_of_xml_never_end_the_reader(
            text in "(<[!/?]?[a-c:]{0,3}( xmlns(:[a-c])?='[a-c]?')?/?>?|<!DOCTYPE|<!\\[CDATA\\[|\\]\\]>|<!--|-->\
                |&#?x?[0-9a-z]{0,4};?|[ a-z缴]){0,40}",
        ) {
            let _ = read(&text);
            let _ = read(&format!("<a>{text}</a>"));
        }
    }
}
