//! What messages say, in both languages: whoever reads one may read either. Kept sealed until it is sent.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::domain::ids::PayerId;
use crate::domain::message::MessageKind;
use crate::domain::moment::Moment;
use crate::domain::note::NoteKind;

/// What is to be said, and to whom. Who asks for a way back in names an account; whether there is one, and where it is
/// reached, is looked up when the message goes, so that the page that asks learns nothing.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    /// `link` is the whole address; it ends in `token`.
    ResetLink {
        username: String,
        link: String,
        token: String,
    },
    ResetCode {
        username: String,
        code: String,
    },
    SignUpCode {
        phone: String,
        code: String,
    },
    /// 手机验证 before paying
    PayCode {
        phone: String,
        code: String,
    },
    /// 激活: `link` is the whole address.
    ConfirmMail {
        email: String,
        link: String,
    },
    /// 候补到名额: to the mailbox, or to `phone`. `pay_by` in milliseconds since 1970; none: nothing is to be paid.
    Seat {
        payer: PayerId,
        phone: Option<String>,
        programme: String,
        programme_en: String,
        pay_by: Option<i64>,
    },
    /// To the address that was the payer's before
    MailMoved {
        email: String,
        at: i64,
    },
    /// 公众号通知: `note` is its kind, `to` the page a tap opens, `facts` what its template may show.
    Note {
        #[serde(with = "by_code")]
        note: NoteKind,
        payer: PayerId,
        openid: String,
        to: String,
        facts: BTreeMap<String, String>,
    },
    /// 留学生注册: to whoever asked; says another thing where there is an account already.
    Register {
        email: String,
        link: String,
    },
    HasAccount {
        email: String,
    },
    /// Another account has bound the same study: to the one that had it before
    StudyShared {
        member: PayerId,
        at: i64,
    },
    /// `at` in milliseconds since 1970
    SignIn {
        payer: PayerId,
        at: i64,
        address: String,
    },
}

impl Letter {
    pub fn kind(&self) -> MessageKind {
        match self {
            Letter::ResetLink { .. } => MessageKind::ResetLink,
            Letter::ResetCode { .. } => MessageKind::ResetCode,
            Letter::SignUpCode { .. } => MessageKind::SignUpCode,
            Letter::PayCode { .. } => MessageKind::PayCode,
            Letter::ConfirmMail { .. } | Letter::Register { .. } | Letter::HasAccount { .. } => MessageKind::MailLink,
            Letter::Seat { phone: None, .. } => MessageKind::SeatMail,
            Letter::Seat { phone: Some(_), .. } => MessageKind::SeatText,
            Letter::MailMoved { .. } => MessageKind::MailMoved,
            Letter::StudyShared { .. } => MessageKind::StudyShared,
            Letter::SignIn { .. } => MessageKind::SignIn,
            Letter::Note { note: NoteKind::Paid, .. } => MessageKind::PaidNote,
            Letter::Note { note: NoteKind::Refunded, .. } => MessageKind::RefundedNote,
            Letter::Note { note: NoteKind::DueSoon, .. } => MessageKind::DueSoonNote,
            Letter::Note { note: NoteKind::SignIn, .. } => MessageKind::SignInNote,
        }
    }

    /// As it lies sealed.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are always JSON")
    }

    pub fn read(text: &str) -> Option<Letter> {
        serde_json::from_str(text).ok()
    }

    /// Of a mail; the others have none.
    pub fn subject(&self) -> &'static str {
        match self {
            Letter::ResetLink { .. } => "重设缴费系统密码 · Choose a new password",
            Letter::ResetCode { .. } | Letter::SignUpCode { .. } | Letter::PayCode { .. } | Letter::Note { .. } => "",
            Letter::Register { .. } => "Activate your account",
            Letter::HasAccount { .. } => "You have an account",
            Letter::StudyShared { .. } => "Your study was bound to another account",
            Letter::ConfirmMail { .. } => "激活邮箱 · Confirm your e-mail address",
            Letter::Seat { .. } => "候补到名额了 · A place is yours",
            Letter::MailMoved { .. } => "邮箱已更换 · Your e-mail address was changed",
            Letter::SignIn { .. } => "登录提醒 · New sign-in",
        }
    }

    /// Of a mail or a text message; a note's words are its template's.
    pub fn text(&self, config: &Config) -> String {
        let school = config.school.bilingual_name();
        let (zh, en) = (school.zh.as_str(), if school.en.is_empty() { school.zh.as_str() } else { school.en.as_str() });
        match self {
            Letter::Note { .. } => String::new(),
            Letter::ResetCode { code, .. } => format!(
                "【{zh}】重设密码验证码 {code}，5 分钟内有效，请勿告诉任何人。 \
                 Code {code}, valid for 5 minutes; tell nobody."
            ),
            Letter::SignUpCode { code, .. } => format!(
                "【{zh}】注册验证码 {code}，5 分钟内有效，请勿告诉任何人。 \
                 Code {code} to sign up, valid for 5 minutes; tell nobody."
            ),
            Letter::Register { link, .. } => format!(
                "Hello,\n\nsomebody has asked to open an account with this address in the payment system of {en}. \
                 Open the link within 24 hours to activate it and to choose a password:\n\n{link}\n\n\
                 If it was not you, ignore this mail: no account is opened.\n"
            ),
            Letter::HasAccount { .. } => format!(
                "Hello,\n\nsomebody has asked to open an account with this address in the payment system of {en}. \
                 There is one already: sign in with this address and your password. If you have forgotten it, \
                 choose \"Forgotten your password?\" on the sign-in page.\n\nIf it was not you, ignore this mail.\n"
            ),
            Letter::StudyShared { at, .. } => shared(en, Moment::from_millis(*at), &config.school.phone),
            Letter::PayCode { code, .. } => format!(
                "【{zh}】缴费验证码 {code}，5 分钟内有效，请勿告诉任何人。 \
                 Code {code} to go on paying, valid for 5 minutes; tell nobody."
            ),
            Letter::ConfirmMail { link, .. } => format!(
                "您好：\n\n有人在{zh}缴费系统登记了这个邮箱。请打开下面的链接激活，24 小时内有效。激活后才会用它找回密码。\n\n\
                 {link}\n\n如果不是您本人操作，请忽略本邮件，这个邮箱不会被使用。\n\n\
                 --------\n\nSomebody has given this address in the payment system of {en}. Open the link above \
                 within 24 hours to confirm it. Only then it is used to recover a password.\n\nIf it was not you, \
                 ignore this mail: the address is not used.\n"
            ),
            Letter::ResetLink { link, .. } => format!(
                "您好：\n\n有人在{zh}缴费系统申请重设您的密码。请打开下面的链接，填写新密码。链接 30 分钟内有效，只能用一次。\n\n\
                 {link}\n\n如果不是您本人操作，请忽略本邮件，密码不会改变；请勿把链接转给任何人。\n\n\
                 --------\n\nSomebody has asked to choose a new password for your account in the payment system \
                 of {en}. Open the link above to do so. It works once, within 30 minutes.\n\nIf it was not you, \
                 ignore this mail: your password stays as it is. Never pass the link on.\n"
            ),
            Letter::Seat { phone, programme, programme_en, pay_by, .. } => {
                let of = if programme_en.is_empty() { programme } else { programme_en };
                seat((zh, en), (programme, of), *pay_by, phone.is_some())
            }
            Letter::MailMoved { at, .. } => {
                let at = Moment::from_millis(*at).beijing_text();
                let phone = &config.school.phone;
                format!(
                    "您好：\n\n您在{zh}缴费系统的邮箱已于 {at} 换成另一个，以后的邮件不再发到这里。\n\n\
                     如果不是您本人操作，请立即登录修改密码并改回邮箱，或联系财务处 {phone}。\n\n\
                     --------\n\nYour e-mail address in the payment system of {en} was changed on {at} Beijing time; \
                     mail no longer comes here.\n\nIf it was not you, sign in at once, change your password and the \
                     address back, or call the finance office: {phone}\n"
                )
            }
            Letter::SignIn { at, address, .. } => {
                let at = Moment::from_millis(*at).beijing_text();
                let phone = &config.school.phone;
                format!(
                    "您好：\n\n您的{zh}缴费系统账户于 {at} 在一台新的设备或浏览器上登录（网络地址 {address}）。\n\n\
                     如果是您本人，无需处理。如果不是，请立即登录修改密码，或联系财务处 {phone}。\n\n\
                     --------\n\nYour account in the payment system of {en} was signed in to from a new device or \
                     browser on {at} Beijing time (network address {address}).\n\nIf it was you, there is nothing \
                     to do. If not, change your password at once, or call the finance office: {phone}\n"
                )
            }
        }
    }
}

/// A kind of note as its word.
mod by_code {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    use crate::domain::note::NoteKind;

    pub fn serialize<S: Serializer>(kind: &NoteKind, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(kind.code())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<NoteKind, D::Error> {
        NoteKind::parse(&String::deserialize(from)?).ok_or_else(|| D::Error::custom("no kind of note"))
    }
}

/// A study is bound to one more account.
fn shared(en: &str, at: Moment, phone: &str) -> String {
    format!(
        "Hello,\n\na study bound to your account in the payment system of {en} was bound to another account as well on \
         {} Beijing time, with its passport number. Whoever did it can see and pay its fees; your account stays as it \
         is.\n\nIf you do not know who it was, call the finance office: {phone}\n",
        at.beijing_text()
    )
}

/// Somebody came up from the queue: the text of a mail, or the shorter one of a text message.
fn seat((zh, en): (&str, &str), (of_zh, of_en): (&str, &str), pay_by: Option<i64>, short: bool) -> String {
    let by = pay_by.map(|at| Moment::from_millis(at).beijing_text());
    let (until_zh, until_en) = match &by {
        Some(by) => {
            (format!("请在 {by} 前缴费，逾期名额让给下一位"), format!("pay before {by} Beijing time to keep it"))
        }
        None => ("无需缴费".to_owned(), "nothing is to be paid".to_owned()),
    };
    if short {
        return format!("【{zh}】您候补的“{of_zh}”有名额了，{until_zh}。 A place in {of_en} is yours: {until_en}.");
    }
    format!(
        "您好：\n\n您候补的“{of_zh}”有名额了，已为您保留。{until_zh}。\n\n\
         请登录{zh}缴费系统，在“报名”里查看。\n\n\
         不再需要的话，请在同一页取消，让给后面的人。\n\n\
         --------\n\nA place in “{of_en}” has become free and is yours: {until_en}. \
         Sign in to the payment system of {en} and look under “Enrolment”.\n\n\
         If you no longer want it, give it back there for the next in the queue.\n"
    )
}
