//! The conversation: what a follower writes and does, pushed to the application as the platform pushes it, and the
//! answer that appears on the phone. Repeated thrice where no answer comes, then the platform says that the service is
//! out of order (official account, receiving messages).
use crate::domain::moment::Moment;
use crate::sandbox::bank::digits;
use crate::sandbox::keys::{WECHAT_MESSAGE_KEY, WECHAT_MESSAGE_TOKEN};
use crate::sandbox::merchants::{WECHAT_APP_ID, openid};
use crate::sandbox::world::Sandbox;

use super::followers::{Line, Who};
use super::state::PushMode;
use super::voice;

/// 原始ID of the account
pub const ACCOUNT: &str = "gh_5a0d80c5e1f2";
/// Where the application hears
const PATH: &str = "/wechat/message";
/// What the phone shows when the application does not answer as it should
pub const OUT_OF_ORDER: &str = "该公众号提供的服务出现故障，请稍后再试";
const TRIES: usize = 4;

/// What a person does in the conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Doing {
    /// 关注, by a code of that scene or without one
    Follow(Option<String>),
    /// 取消关注
    Unfollow,
    Say(String),
    /// A button of the menu
    Tap(String),
    /// A follower scans a code of the account
    Scan(String),
    /// Sends a picture
    Picture,
}

/// A push as it goes over the network.
#[derive(Clone, Debug)]
pub struct Posted {
    pub query: Vec<(&'static str, String)>,
    pub body: String,
}

/// The message itself, before it is sealed.
pub fn message(world: &Sandbox, phone: &str, doing: &Doing) -> String {
    let field = |name: &str, text: &str| {
        let text = text.replace("]]>", "]]]]><![CDATA[>");
        format!("<{name}><![CDATA[{text}]]></{name}>")
    };
    let event = |name: &str, key: &str| field("MsgType", "event") + &field("Event", name) + &field("EventKey", key);
    let ticket = || field("Ticket", &world.chance.token(96));
    let id = || format!("<MsgId>{}</MsgId>", digits(&world.chance, 17));
    let rest = match doing {
        Doing::Follow(None) => event("subscribe", ""),
        Doing::Follow(Some(scene)) => event("subscribe", &format!("qrscene_{scene}")) + &ticket(),
        Doing::Unfollow => event("unsubscribe", ""),
        Doing::Scan(scene) => event("SCAN", scene) + &ticket(),
        Doing::Tap(key) => event("CLICK", key),
        Doing::Say(text) => field("MsgType", "text") + &field("Content", text) + &id(),
        Doing::Picture => field("MsgType", "image") + &field("PicUrl", "http://mmbiz.qpic.cn/x") + &id(),
    };
    format!(
        "<xml>{}{}<CreateTime>{}</CreateTime>{rest}</xml>",
        field("ToUserName", ACCOUNT),
        field("FromUserName", &openid(WECHAT_APP_ID, phone)),
        world.now().unix(),
    )
}

/// Signs a message, and seals it as `mode` has it, for `app_id`.
pub fn post(world: &Sandbox, mode: PushMode, app_id: &str, message: &str, at: Moment) -> Posted {
    let (timestamp, nonce) = (at.unix().to_string(), digits(&world.chance, 10));
    let signature = voice::sign(&[WECHAT_MESSAGE_TOKEN, &timestamp, &nonce]);
    let mut query = vec![("signature", signature), ("timestamp", timestamp.clone()), ("nonce", nonce.clone())];
    if mode == PushMode::Plain {
        return Posted { query, body: message.to_owned() };
    }
    let sealed = voice::seal(WECHAT_MESSAGE_KEY, app_id, message, world.chance.bytes());
    let msg_signature = voice::sign(&[WECHAT_MESSAGE_TOKEN, &timestamp, &nonce, &sealed]);
    query.extend([("encrypt_type", "aes".to_owned()), ("msg_signature", msg_signature)]);
    let sealed = format!("<Encrypt><![CDATA[{sealed}]]></Encrypt>");
    let body = match mode {
        PushMode::Compatible => message.replacen("</xml>", &format!("{sealed}</xml>"), 1),
        _ => format!("<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>{sealed}</xml>"),
    };
    Posted { query, body }
}

/// What stands in a field of an answer.
fn field<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    let inner = value.strip_prefix("<![CDATA[").and_then(|value| value.strip_suffix("]]>"));
    Some(inner.unwrap_or(value))
}

/// The words of an answer; none: there is nothing to say. Err: the platform would not take it.
fn read(mode: PushMode, phone: &str, answer: &str) -> Result<Option<String>, ()> {
    if matches!(answer, "" | "success") {
        return Ok(None);
    }
    let xml = match mode {
        PushMode::Plain => answer.to_owned(),
        _ => {
            let part = |name| field(answer, name).ok_or(());
            let (sealed, timestamp, nonce) = (part("Encrypt")?, part("TimeStamp")?, part("Nonce")?);
            if part("MsgSignature")? != voice::sign(&[WECHAT_MESSAGE_TOKEN, timestamp, nonce, sealed]) {
                return Err(());
            }
            voice::open(WECHAT_MESSAGE_KEY, WECHAT_APP_ID, sealed).ok_or(())?
        }
    };
    let part = |name| field(&xml, name).ok_or(());
    let fits = part("ToUserName")? == openid(WECHAT_APP_ID, phone)
        && part("FromUserName")? == ACCOUNT
        && part("MsgType")? == "text"
        && part("CreateTime")?.parse::<u64>().is_ok();
    let words = part("Content")?;
    // texts of more than 2,048 bytes do not go
    if fits && words.len() <= 2_048 { Ok(Some(words.to_owned())) } else { Err(()) }
}

impl Sandbox {
    /// A person does something in the conversation, which is pushed until it is answered. Gives the account's words;
    /// none: it said nothing, or the person does not follow it.
    pub async fn converse(&self, phone: &str, doing: Doing) -> Option<String> {
        let mode = self.account().mode;
        if !matches!(doing, Doing::Follow(_)) && !self.account().followers.follows(phone) {
            return None;
        }
        match &doing {
            Doing::Follow(_) => self.account().followers.set(phone, true),
            Doing::Unfollow => self.account().followers.set(phone, false),
            Doing::Say(text) => self.shown(phone, Who::Follower, text),
            Doing::Tap(_) | Doing::Scan(_) | Doing::Picture => {}
        }
        let message = message(self, phone, &doing);
        let posted = post(self, mode, WECHAT_APP_ID, &message, self.now());
        let heard = self.push(mode, phone, &posted).await;
        if doing == Doing::Unfollow {
            return None;
        }
        match heard {
            Ok(words) => {
                words.iter().for_each(|words| self.shown(phone, Who::Account, words));
                words
            }
            Err(()) => {
                self.shown(phone, Who::Platform, OUT_OF_ORDER);
                None
            }
        }
    }

    async fn push(&self, mode: PushMode, phone: &str, posted: &Posted) -> Result<Option<String>, ()> {
        for _ in 0..TRIES {
            if let Some((200, answer)) = self.post_push(posted).await {
                return read(mode, phone, &answer);
            }
        }
        Err(())
    }

    /// Sends a push once, to the application; gives status and text of the answer.
    pub async fn post_push(&self, posted: &Posted) -> Option<(u16, String)> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&posted.query).finish();
        let url = format!("{}{PATH}?{query}", self.app_url()?);
        let request = self.http.post(url).header("content-type", "text/xml").body(posted.body.clone());
        let answer = request.send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    fn shown(&self, phone: &str, who: Who, text: &str) {
        let line = Line { who, text: text.to_owned(), url: None, at: self.now() };
        self.account().followers.add(phone, line);
    }
}
