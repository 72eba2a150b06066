//! 自定义菜单: the account's menu as a text, with every limit of the platform told before the platform would (official
//! account, custom menu: creating). Pure: who sends it is `flow/official/menu.rs`.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What stands for `server.public_url` in the text.
const PUBLIC_URL: &str = "{public_url}";

/// Bytes of UTF-8 at most
const TOP_NAME: usize = 16;
const SUB_NAME: usize = 60;
const KEY: usize = 128;
const URL: usize = 1024;
/// Buttons at most
const TOP: usize = 3;
const SUB: usize = 5;

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Menu {
    button: Vec<Button>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Button {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagepath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    article_id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sub_button: Vec<Button>,
    /// What we do not know. The platform may add fields to what it shows; a text of ours has none.
    #[serde(flatten, skip_serializing)]
    other: BTreeMap<String, Value>,
}

impl Button {
    fn field(&self, name: &str) -> Option<&str> {
        let field = match name {
            "key" => &self.key,
            "url" => &self.url,
            "appid" => &self.appid,
            "pagepath" => &self.pagepath,
            "media_id" => &self.media_id,
            "article_id" => &self.article_id,
            _ => &None,
        };
        field.as_deref()
    }
}

/// Every field a type may have
const FIELDS: [&str; 6] = ["key", "url", "appid", "pagepath", "media_id", "article_id"];

/// Types, and the fields each must have and no other may.
const TYPES: [(&str, &[&str]); 13] = [
    ("click", &["key"]),
    ("view", &["url"]),
    ("miniprogram", &["url", "appid", "pagepath"]),
    ("scancode_push", &["key"]),
    ("scancode_waitmsg", &["key"]),
    ("pic_sysphoto", &["key"]),
    ("pic_photo_or_album", &["key"]),
    ("pic_weixin", &["key"]),
    ("location_select", &["key"]),
    ("media_id", &["media_id"]),
    ("view_limited", &["media_id"]),
    ("article_id", &["article_id"]),
    ("article_view_limited", &["article_id"]),
];

impl Menu {
    /// Reads a menu's text, puts the public address in, and holds it against every limit.
    ///
    /// # Errors
    /// Every complaint, each with its place.
    pub fn read(text: &str, public_url: &str) -> Result<Menu, Vec<String>> {
        let mut menu: Menu = serde_json::from_str(text).map_err(|error| vec![error.to_string()])?;
        for button in &mut menu.button {
            let own = std::iter::once(&mut button.url).chain(button.sub_button.iter_mut().map(|sub| &mut sub.url));
            for url in own.flatten() {
                *url = url.replace(PUBLIC_URL, public_url);
            }
        }
        let complaints = menu.complaints();
        if complaints.is_empty() { Ok(menu) } else { Err(complaints) }
    }

    /// A menu as `menu/get` answers: `{"menu": {"button": […]}}`.
    pub fn told(answer: &Value) -> Option<Menu> {
        Menu::deserialize(answer.get("menu")?).ok()
    }

    /// What `menu/create` wants.
    pub fn body(&self) -> Value {
        serde_json::to_value(self).expect("texts and lists are always JSON")
    }

    /// The text of a file, with the public address taken out again.
    pub fn text(&self, public_url: &str) -> String {
        let pretty = serde_json::to_string_pretty(self).expect("texts and lists are always JSON");
        pretty.replace(&format!("\"{public_url}/"), &format!("\"{PUBLIC_URL}/")) + "\n"
    }

    /// One line a button, each with its place: what is compared and shown.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (at, button) in self.button.iter().enumerate() {
            lines.push(line(&format!("{}", at + 1), button));
            for (below, sub) in button.sub_button.iter().enumerate() {
                lines.push(line(&format!("{}.{}", at + 1, below + 1), sub));
            }
        }
        lines
    }

    fn complaints(&self) -> Vec<String> {
        let mut found = Vec::new();
        count("button", self.button.len(), TOP, &mut found);
        for (at, button) in self.button.iter().enumerate() {
            let place = format!("button[{at}]");
            check(&place, button, TOP_NAME, &mut found);
            if button.sub_button.is_empty() {
                continue;
            }
            count(&format!("{place}.sub_button"), button.sub_button.len(), SUB, &mut found);
            for (below, sub) in button.sub_button.iter().enumerate() {
                let place = format!("{place}.sub_button[{below}]");
                check(&place, sub, SUB_NAME, &mut found);
                if !sub.sub_button.is_empty() {
                    found.push(format!("{place}.sub_button: a menu has two levels"));
                }
            }
        }
        found
    }
}

/// What must change for `there` to become `here`: lines only there with `-`, lines only here with `+`, by place.
pub fn differences(there: &Menu, here: &Menu) -> Vec<String> {
    let (there, here) = (there.lines(), here.lines());
    let gone = there.iter().filter(|line| !here.contains(line)).map(|line| format!("- {line}"));
    let come = here.iter().filter(|line| !there.contains(line)).map(|line| format!("+ {line}"));
    let mut lines: Vec<String> = gone.chain(come).collect();
    lines.sort_by(|a, b| a[2..].split(' ').next().cmp(&b[2..].split(' ').next()).then(b[..1].cmp(&a[..1])));
    lines
}

fn line(place: &str, button: &Button) -> String {
    let words = FIELDS.iter().filter_map(|name| button.field(name)).collect::<Vec<_>>().join(" ");
    let kind = button.kind.as_deref().unwrap_or_default();
    format!("{place:<4} {}  {kind} {words}", button.name).trim_end().to_owned()
}

fn count(place: &str, buttons: usize, most: usize, found: &mut Vec<String>) {
    if !(1..=most).contains(&buttons) {
        found.push(format!("{place}: {buttons} buttons; 1 to {most} are allowed"));
    }
}

fn check(place: &str, button: &Button, longest_name: usize, found: &mut Vec<String>) {
    let mut long = |field: &str, text: &str, most: usize| {
        if text.is_empty() {
            found.push(format!("{place}.{field}: is empty"));
        } else if text.len() > most {
            found.push(format!("{place}.{field}: {} bytes; {most} are allowed", text.len()));
        }
    };
    long("name", &button.name, longest_name);
    for (field, most) in [("key", KEY), ("url", URL)] {
        if let Some(text) = button.field(field) {
            long(field, text, most);
        }
    }
    if let Some(url) = &button.url
        && !(url.starts_with("https://") || url.starts_with("http://"))
    {
        found.push(format!("{place}.url: begins with https:// or {PUBLIC_URL}/"));
    }
    found.extend(button.other.keys().map(|name| format!("{place}.{name}: is not known")));
    let wanted = match (&button.kind, button.sub_button.is_empty()) {
        (None, false) => &[][..],
        (Some(_), false) => return found.push(format!("{place}.type: a button with sub_button has none")),
        (None, true) => return found.push(format!("{place}.type: is missing")),
        (Some(kind), true) => match TYPES.iter().find(|(known, _)| known == kind) {
            Some((_, wanted)) => wanted,
            None => return found.push(format!("{place}.type: {kind:?} is not known")),
        },
    };
    for field in FIELDS {
        match (wanted.contains(&field), button.field(field).is_some()) {
            (true, false) => found.push(format!("{place}.{field}: is missing")),
            (false, true) => found.push(format!("{place}.{field}: does not belong to this type")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HERE: &str = "https://pay.example.edu.cn";

    fn faults(menu: &Value) -> Vec<String> {
        Menu::read(&menu.to_string(), HERE).err().unwrap_or_default()
    }

    #[test]
    fn the_menu_of_this_project_keeps_every_limit() {
        let text = include_str!("../../wechat-menu.json");
        let menu = Menu::read(text, HERE).unwrap();
        insta::assert_snapshot!(menu.lines().join("\n"), @r"
        1    缴费入口
        1.1  学费缴费  view https://pay.example.edu.cn/h5/wechat/enter?to=/h5/tuition
        1.2  订单查询  view https://pay.example.edu.cn/h5/wechat/enter?to=/h5/orders
        1.3  已缴费  view https://pay.example.edu.cn/h5/wechat/enter?to=/h5/paid
        1.4  报名  view https://pay.example.edu.cn/h5/wechat/enter?to=/h5/enrol
        2    我的  view https://pay.example.edu.cn/h5/wechat/enter?to=/h5/me
        3    帮助  view https://pay.example.edu.cn/h5/help
        ");
    }

    #[test]
    fn every_limit_is_told_with_its_place_and_in_bytes() {
        let view = |name: &str, url: &str| json!({"type": "view", "name": name, "url": url});
        let good = view("缴费", "https://a.example/");
        assert_eq!(faults(&json!({"button": [good]})), Vec::<String>::new());
        assert_eq!(faults(&json!({"button": []})), ["button: 0 buttons; 1 to 3 are allowed"]);
        assert_eq!(faults(&json!({"button": [good, good, good, good]})), ["button: 4 buttons; 1 to 3 are allowed"]);
        let six = json!({"button": [{"name": "缴", "sub_button": [good, good, good, good, good, good]}]});
        assert_eq!(faults(&six), ["button[0].sub_button: 6 buttons; 1 to 5 are allowed"]);
        // five letters of three bytes and one of one are sixteen; six letters are eighteen
        assert_eq!(faults(&json!({"button": [view("校园缴费入a", "https://a.example/")]})), Vec::<String>::new());
        let long = faults(&json!({"button": [view("校园缴费入口", "https://a.example/")]}));
        assert_eq!(long, ["button[0].name: 18 bytes; 16 are allowed"]);
        let below = |name: &str| json!({"button": [{"name": "缴", "sub_button": [view(name, "https://a.example/")]}]});
        assert_eq!(faults(&below(&"口".repeat(20))), Vec::<String>::new());
        assert_eq!(faults(&below(&"口".repeat(21))), ["button[0].sub_button[0].name: 63 bytes; 60 are allowed"]);
        let url = format!("https://a.example/{}", "x".repeat(1007));
        assert_eq!(faults(&json!({"button": [view("缴", &url)]})), ["button[0].url: 1025 bytes; 1024 are allowed"]);
        let key = json!({"button": [{"type": "click", "name": "缴", "key": "k".repeat(129)}]});
        assert_eq!(faults(&key), ["button[0].key: 129 bytes; 128 are allowed"]);
    }

    #[test]
    fn a_type_has_its_own_fields_and_no_others() {
        let one = |button: Value| faults(&json!({"button": [button]}));
        assert_eq!(one(json!({"name": "缴"})), ["button[0].type: is missing"]);
        assert_eq!(one(json!({"name": "缴", "type": "tap"})), ["button[0].type: \"tap\" is not known"]);
        assert_eq!(one(json!({"name": "缴", "type": "view"})), ["button[0].url: is missing"]);
        assert_eq!(
            one(json!({"name": "缴", "type": "click", "key": "k", "url": "https://a.example/"})),
            ["button[0].url: does not belong to this type"]
        );
        assert_eq!(
            one(json!({"name": "缴", "type": "view", "url": "/h5"})),
            ["button[0].url: begins with https:// or {public_url}/"]
        );
        assert_eq!(
            one(json!({"name": "缴", "type": "click", "key": "k", "colour": "red"})),
            ["button[0].colour: is not known"]
        );
        let mini = json!({"name": "缴", "type": "miniprogram", "url": "https://a.example/", "appid": "wx1"});
        assert_eq!(one(mini), ["button[0].pagepath: is missing"]);
        let third = json!({"name": "缴", "sub_button": [{"name": "费", "sub_button": [{"name": "口"}]}]});
        assert_eq!(one(third), ["button[0].sub_button[0].sub_button: a menu has two levels"]);
    }

    #[test]
    fn what_the_platform_shows_reads_back_as_what_was_sent() {
        let menu = Menu::read(include_str!("../../wechat-menu.json"), HERE).unwrap();
        let mut shown = menu.body();
        shown["button"][1]["sub_button"] = json!([]);
        let told = Menu::told(&json!({"menu": {"button": shown["button"], "menuid": 208396938}})).unwrap();
        assert_eq!(differences(&told, &menu), Vec::<String>::new());
        assert_eq!(Menu::read(&menu.text(HERE), HERE).unwrap(), menu);
        assert!(menu.text(HERE).contains("{public_url}/h5/wechat/enter?to=/h5/tuition"));
    }

    #[test]
    fn a_difference_shows_what_goes_and_what_comes_by_place() {
        let menu = |name: &str| {
            let button = json!({"type": "view", "name": name, "url": "https://a.example/"});
            Menu::read(&json!({"button": [button]}).to_string(), HERE).unwrap()
        };
        assert_eq!(
            differences(&menu("缴费"), &menu("付款")),
            ["- 1    缴费  view https://a.example/", "+ 1    付款  view https://a.example/"]
        );
        assert_eq!(differences(&Menu::default(), &menu("缴费")).len(), 1);
    }
}
