//! What the account says to followers: where to go, in the language they asked in, or in both. Addresses are built from
//! `server.public_url`, and nothing of a person stands in them.
use crate::config::Config;
use crate::domain::bilingual::Lang;

/// What a follower may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// 票据
    Receipts,
    /// 订单
    Orders,
    /// 帮助
    Help,
    /// 缴费
    Pay,
}

/// A topic, its menu key (and word), and what asks for it in Chinese and in English. Tried in this order: 缴费 stands in
/// 缴费订单 too.
const WORDS: [(Topic, &str, &[&str], &[&str]); 4] = [
    (Topic::Receipts, "receipts", &["票据", "发票", "收据", "已缴费"], &["receipt", "invoice"]),
    (Topic::Orders, "orders", &["订单"], &["order"]),
    (Topic::Help, "help", &["帮助", "客服"], &[]),
    (Topic::Pay, "pay", &["缴费", "交费", "学费"], &["fees", "tuition"]),
];

/// The longest text that is a question, in characters: in a letter these words mean nothing.
const LONGEST: usize = 20;

impl Topic {
    /// What a text asks for, and in which language: a Chinese word anywhere in it, an English one alone.
    pub fn asked(text: &str) -> Option<(Topic, Lang)> {
        let text = text.trim();
        if text.chars().count() > LONGEST {
            return None;
        }
        let small = text.trim_end_matches(['.', '!', '?']).to_ascii_lowercase();
        WORDS.iter().find_map(|(topic, key, zh, en)| match () {
            () if zh.iter().any(|word| text.contains(word)) => Some((*topic, Lang::Zh)),
            () if small == *key || en.contains(&small.as_str()) => Some((*topic, Lang::En)),
            () => None,
        })
    }

    /// What a key of the menu, or the scene of a code, stands for.
    pub fn of_key(key: &str) -> Option<Topic> {
        WORDS.iter().find(|(_, own, ..)| *own == key).map(|(topic, ..)| *topic)
    }

    const fn path(self) -> &'static str {
        match self {
            Topic::Pay => "/h5/wechat/enter?to=/h5/tuition",
            Topic::Orders => "/h5/wechat/enter?to=/h5/orders",
            Topic::Receipts => "/h5/wechat/enter?to=/h5/paid",
            Topic::Help => "/h5/help",
        }
    }

    const fn words(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Topic::Pay, Lang::Zh) => "查看欠费和缴费",
            (Topic::Pay, Lang::En) => "See what you owe, and pay",
            (Topic::Orders, Lang::Zh) => "订单查询",
            (Topic::Orders, Lang::En) => "Your orders",
            (Topic::Receipts, Lang::Zh) => "已缴费和票据",
            (Topic::Receipts, Lang::En) => "Payments and receipts",
            (Topic::Help, Lang::Zh) => "缴费帮助",
            (Topic::Help, Lang::En) => "Help",
        }
    }

    fn link(self, config: &Config, lang: Lang) -> String {
        link(config, self.path(), self.words(lang))
    }
}

/// A page of ours as WeChat opens it: through the door that knows who is bound.
pub fn entrance(config: &Config, path: &str) -> String {
    format!("{}/h5/wechat/enter?to={path}", config.server.public_url)
}

fn link(config: &Config, path: &str, words: &str) -> String {
    format!("<a href=\"{}{path}\">{words}</a>", config.server.public_url)
}

/// To somebody who asked in words.
pub fn to_text(config: &Config, text: &str) -> String {
    match Topic::asked(text) {
        Some((topic, lang)) => topic.link(config, lang),
        None => HINT.to_owned(),
    }
}

/// To somebody who tapped a button that leads nowhere by itself.
pub fn to_key(config: &Config, key: &str) -> String {
    Topic::of_key(key).map_or_else(|| HINT.to_owned(), |topic| both(config, topic))
}

const HINT: &str = "回复“缴费”“订单”“票据”或“帮助”，或点下方菜单。\n\
                    Send “pay”, “orders”, “receipts” or “help”, or use the menu below.";

fn both(config: &Config, topic: Topic) -> String {
    format!("{}\n{}", topic.link(config, Lang::Zh), topic.link(config, Lang::En))
}

/// To a new follower.
pub fn welcome(config: &Config) -> String {
    let school = config.school.bilingual_name();
    let (zh, here) = (&school.zh, &config.server.public_url);
    let en = if school.en.is_empty() { zh } else { &school.en };
    format!(
        "欢迎关注{zh}。请从下面的链接或菜单缴费，本平台的网址都以 {here} 开头。\n\
         Welcome to {en}. Pay by the links below or the menu; our addresses begin with {here}\n{}\n\n{HINT}",
        both(config, Topic::Pay),
    )
}

/// To somebody who scanned a code of the account, whose scene is a topic or a code of `/q/{code}`.
pub fn to_scene(config: &Config, scene: &str) -> Option<String> {
    let is_code = (8..=64).contains(&scene.len()) && scene.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match Topic::of_key(scene) {
        Some(topic) => Some(both(config, topic)),
        None if is_code => {
            let path = format!("/q/{scene}");
            Some(format!("{}\n{}", link(config, &path, "继续缴费"), link(config, &path, "Go on to pay")))
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_question_names_its_topic_and_its_language() {
        let asked = |text: &str| Topic::asked(text);
        assert_eq!(asked(" 缴费 "), Some((Topic::Pay, Lang::Zh)));
        assert_eq!(asked("我要交学费！"), Some((Topic::Pay, Lang::Zh)));
        assert_eq!(asked("缴费订单"), Some((Topic::Orders, Lang::Zh)));
        assert_eq!(asked("已缴费"), Some((Topic::Receipts, Lang::Zh)));
        assert_eq!(asked("缴费帮助"), Some((Topic::Help, Lang::Zh)));
        for (text, topic) in
            [("pay", Topic::Pay), ("Orders", Topic::Orders), ("RECEIPTS.", Topic::Receipts), ("help?", Topic::Help)]
        {
            assert_eq!(asked(text), Some((topic, Lang::En)));
        }
        for text in ["", "你好", "I paid already", "昨天我在食堂丢了一张银行卡，请问缴费怎么办呢谢谢"]
        {
            assert_eq!(asked(text), None, "{text}");
        }
    }

    #[test]
    fn a_menu_key_is_a_topic_of_its_own() {
        assert_eq!(Topic::of_key("receipts"), Some(Topic::Receipts));
        assert_eq!(Topic::of_key("票据"), None);
    }
}
