//! What followers write and do, as the platform pushes it, and the answer in words (official account, receiving
//! messages; receiving events; passive replies). Flat XML is read and nothing else: a document type, a reference to an
//! entity of one's own or another file is refused, never followed.
use std::collections::BTreeMap;

use crate::domain::moment::Moment;
use crate::xml;

/// One push, as far as anybody here asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The follower's openid
    pub from: String,
    /// The account's own name
    pub to: String,
    /// Tells a message from its repetition: MsgId, or sender, second and kind of an event
    pub key: String,
    pub about: About,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum About {
    Text(String),
    /// `scene`: of the code that was scanned, if one was
    Subscribe {
        scene: Option<String>,
    },
    Unsubscribe,
    /// A follower scanned a code of the account
    Scan {
        scene: String,
    },
    /// A button of the menu
    Click {
        key: String,
    },
    /// Pictures, places, and events that need no answer
    Other,
}

impl Message {
    /// None where it is no message, or has no sender.
    pub fn read(text: &str) -> Option<Message> {
        let mut fields = fields(text)?;
        let mut take = |name: &str| fields.remove(name).filter(|value| !value.is_empty());
        let from = take("FromUserName").filter(|id| is_name(id))?;
        let to = take("ToUserName").filter(|id| is_name(id))?;
        let (kind, created) = (take("MsgType")?, take("CreateTime")?);
        let (event, event_key) = (take("Event").unwrap_or_default(), take("EventKey"));
        let about = match (kind.as_str(), event.as_str()) {
            ("text", _) => About::Text(take("Content").unwrap_or_default()),
            ("event", "subscribe") => {
                About::Subscribe { scene: event_key.and_then(|key| Some(key.strip_prefix("qrscene_")?.to_owned())) }
            }
            ("event", "unsubscribe") => About::Unsubscribe,
            ("event", "SCAN") => About::Scan { scene: event_key.unwrap_or_default() },
            ("event", "CLICK") => About::Click { key: event_key.unwrap_or_default() },
            _ => About::Other,
        };
        let key = take("MsgId").unwrap_or_else(|| format!("{from} {created} {event}"));
        Some(Message { from, to, key, about })
    }

    /// The answer in words, as XML.
    pub fn answer(&self, words: &str, now: Moment) -> String {
        format!(
            "<xml><ToUserName>{}</ToUserName><FromUserName>{}</FromUserName><CreateTime>{}</CreateTime>\
             <MsgType><![CDATA[text]]></MsgType><Content>{}</Content></xml>",
            cdata(&self.from),
            cdata(&self.to),
            now.unix(),
            cdata(words),
        )
    }
}

fn is_name(id: &str) -> bool {
    id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A text as XML takes it whatever is in it.
pub fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

/// The fields of a flat document, by name; the first of a name counts. What lies deeper is left out. None: not XML, or
/// more than a message needs.
pub fn fields(text: &str) -> Option<BTreeMap<String, String>> {
    let mut fields = BTreeMap::new();
    for field in xml::read(text)?.children() {
        if let Some(value) = field.text() {
            fields.entry(field.name().to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rest: &str) -> Option<Message> {
        let head = "<ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oLin]]></FromUserName>";
        Message::read(&format!("<xml>{head}<CreateTime>1788235200</CreateTime>{rest}</xml>"))
    }

    fn event(name: &str, key: &str) -> About {
        read(&format!("<MsgType>event</MsgType><Event>{name}</Event><EventKey><![CDATA[{key}]]></EventKey>"))
            .unwrap()
            .about
    }

    #[test]
    fn a_text_and_the_events_are_read() {
        let text = read("<MsgType>text</MsgType><Content><![CDATA[缴费 <b>]]></Content><MsgId>7</MsgId>").unwrap();
        assert_eq!((text.key.as_str(), &text.about), ("7", &About::Text("缴费 <b>".to_owned())));
        assert_eq!(event("subscribe", ""), About::Subscribe { scene: None });
        assert_eq!(event("subscribe", "qrscene_Ab3"), About::Subscribe { scene: Some("Ab3".to_owned()) });
        assert_eq!(event("unsubscribe", ""), About::Unsubscribe);
        assert_eq!(event("SCAN", "Ab3"), About::Scan { scene: "Ab3".to_owned() });
        assert_eq!(event("CLICK", "pay"), About::Click { key: "pay".to_owned() });
        assert_eq!(event("VIEW", "https://a.example/"), About::Other);
        let two =
            ["subscribe", "unsubscribe"].map(|name| read(&format!("<MsgType>event</MsgType><Event>{name}</Event>")));
        assert_ne!(two[0].as_ref().unwrap().key, two[1].as_ref().unwrap().key, "two events of one second");
    }

    #[test]
    fn references_to_letters_are_read_and_all_others_refuse_the_whole() {
        let content = |text: &str| Some(read(&format!("<MsgType>text</MsgType><Content>{text}</Content>"))?.about);
        assert_eq!(content("&lt;&#x7f34;&#36153;&amp;"), Some(About::Text("<缴费&".to_owned())));
        for wrong in ["&file;", "&#xD800;", "&#0;", "& ", "<Content>", "</xml>"] {
            assert_eq!(content(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn without_a_sender_a_kind_or_one_document_it_is_no_message() {
        let whole = "<xml><ToUserName>gh</ToUserName><FromUserName>oLin</FromUserName><CreateTime>1</CreateTime>\
                     <MsgType>event</MsgType><Event>CLICK</Event></xml>";
        assert!(Message::read(whole).is_some());
        for part in ["ToUserName", "FromUserName", "CreateTime", "MsgType"] {
            assert_eq!(Message::read(&whole.replace(part, "Other")), None, "{part}");
        }
        for wrong in
            [whole.replace("oLin", "o Lin"), format!("{whole}<xml/>"), format!("x{whole}"), whole[..90].to_owned()]
        {
            assert_eq!(Message::read(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_answer_reads_back_whatever_stands_in_it() {
        let message = read("<MsgType>event</MsgType><Event>CLICK</Event>").unwrap();
        let words = "a]]><Content>b</Content>&amp;";
        let answer = fields(&message.answer(words, Moment::from_unix(5))).unwrap();
        assert_eq!((&*answer["ToUserName"], &*answer["FromUserName"], &*answer["CreateTime"]), ("oLin", "gh_1", "5"));
        assert_eq!(answer["Content"], words);
    }

    proptest::proptest! {
        #[test]
        fn pieces_of_xml_never_end_the_reader_and_every_answer_reads_back(
            text in "(<[!/?]?[a-z\\[]{0,3}>?|<!DOCTYPE|<!\\[CDATA\\[|\\]\\]>|&#?x?[0-9a-z]{0,4};?|[ a-z缴>-]){0,40}",
            words in "[^\\pC]{0,60}",
        ) {
            let _ = fields(&text);
            let _ = Message::read(&format!("<xml>{text}</xml>"));
            let message = read("<MsgType>event</MsgType><Event>CLICK</Event>").unwrap();
            let answer = fields(&message.answer(&words, Moment::from_unix(5))).unwrap();
            proptest::prop_assert_eq!(&answer["Content"], &words);
        }
    }
}
