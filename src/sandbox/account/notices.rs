//! `/cgi-bin/message/template/send` and `/cgi-bin/message/subscribe/bizsend`: what an account tells its followers, with
//! the platform's own refusals (official account, template messages; subscription notices).
use std::sync::Arc;
use std::time::Duration;

use poem::web::{Data, Query};
use poem::{Body, Response, handler};
use serde_json::{Value, json};

use super::followers::{Line, Who};
use super::interface::{Carried, Refused, text, told, under_token};
use crate::sandbox::bank::digits;
use crate::sandbox::merchants::{WECHAT_APP_ID, openid, openid_fits};
use crate::sandbox::world::Sandbox;

/// Within this time a template message of one `client_msg_id` is sent once.
const ONCE: Duration = Duration::from_secs(600);

/// A template as it stands in the account's console.
pub struct Known {
    pub id: &'static str,
    /// A subscription notice: one for each agreement
    pub subscription: bool,
    pub title: &'static str,
    /// Its fields, and what the phone writes before each
    pub fields: &'static [(&'static str, &'static str)],
}

pub const PAID: &str = "SandboxTemplatePaid00000000000000000000000A";
pub const REFUNDED: &str = "SandboxTemplateRefunded0000000000000000000B";
pub const DUE_SOON: &str = "SandboxTemplateDueSoon00000000000000000000C";
pub const SIGN_IN: &str = "SandboxTemplateSignIn000000000000000000000D";

pub const TEMPLATES: [Known; 4] = [
    Known {
        id: PAID,
        subscription: false,
        title: "缴费成功通知",
        fields: &[
            ("character_string1", "订单号"),
            ("thing2", "缴费项目"),
            ("amount3", "缴费金额"),
            ("time4", "缴费时间"),
            ("phrase5", "状态"),
        ],
    },
    Known {
        id: REFUNDED,
        subscription: false,
        title: "退款到账通知",
        fields: &[
            ("character_string1", "订单号"),
            ("thing2", "缴费项目"),
            ("amount3", "退款金额"),
            ("time4", "到账时间"),
        ],
    },
    Known {
        id: DUE_SOON,
        subscription: true,
        title: "缴费即将截止提醒",
        fields: &[("thing1", "缴费项目"), ("amount2", "待缴金额"), ("date3", "截止日期")],
    },
    Known { id: SIGN_IN, subscription: false, title: "登录提醒", fields: &[("time1", "登录时间")] },
];

#[handler]
pub async fn send_template(Data(world): Data<&Arc<Sandbox>>, Query(carried): Query<Carried>, body: Body) -> Response {
    send(world, &carried, body, false).await
}

#[handler]
pub async fn send_subscription(
    Data(world): Data<&Arc<Sandbox>>,
    Query(carried): Query<Carried>,
    body: Body,
) -> Response {
    send(world, &carried, body, true).await
}

async fn send(world: &Arc<Sandbox>, carried: &Carried, body: Body, subscription: bool) -> Response {
    let text = match text(body).await {
        Ok(text) => text,
        Err(refused) => return told(world, Err(refused)),
    };
    under_token(world, carried, || take(world, &text, subscription)).await
}

fn refusal<T>(code: i32, words: &str) -> Result<T, Refused> {
    Err((code, words.to_owned()))
}

fn take(world: &Sandbox, text: &str, subscription: bool) -> Result<Value, Refused> {
    let mut account = world.account();
    account.sent.asked += 1;
    if let Some((code, times)) = account.sent.refuse.filter(|(_, times)| *times > 0) {
        account.sent.refuse = Some((code, times - 1));
        return refusal(code, "reach max api daily quota limit");
    }
    let Ok(asked) = serde_json::from_str::<Value>(text) else { return refusal(47001, "data format error") };
    let touser = asked["touser"].as_str().unwrap_or_default();
    if !openid_fits(WECHAT_APP_ID, touser) {
        return refusal(40003, "invalid openid");
    }
    let known = TEMPLATES.iter().find(|known| asked["template_id"] == known.id && known.subscription == subscription);
    let Some(known) = known else { return refusal(40037, "invalid template_id") };
    let phone = account.followers.phone_of(|phone| openid(WECHAT_APP_ID, phone) == touser);
    let Some(phone) = phone.filter(|phone| account.followers.follows(phone)) else {
        return refusal(43004, "require subscribe");
    };
    let words = words(known, &asked["data"])?;
    let (now, id) = (world.now(), asked["client_msg_id"].as_str().unwrap_or_default());
    account.sent.by_id.retain(|(_, until, _)| now < *until);
    if let Some((.., msgid)) = account.sent.by_id.iter().find(|(own, ..)| own == id && !id.is_empty()) {
        return Ok(json!({ "errcode": 0, "errmsg": "ok", "msgid": msgid }));
    }
    if subscription && !account.followers.use_agreement(&phone, known.id) {
        return refusal(43101, "user refuse to accept the msg");
    }
    let msgid = digits(&world.chance, 15).parse().unwrap_or(1);
    account.sent.by_id.push((id.to_owned(), now + ONCE, msgid));
    account.sent.went += 1;
    let url = asked[if subscription { "page" } else { "url" }].as_str().map(str::to_owned);
    account.followers.add(&phone, Line { who: Who::Notice, text: words, url, at: now });
    Ok(json!({ "errcode": 0, "errmsg": "ok", "msgid": msgid }))
}

/// What the phone shows; refused as a whole when one field does not fit.
fn words(known: &Known, data: &Value) -> Result<String, Refused> {
    let mut words = known.title.to_owned();
    let strange = data.as_object().into_iter().flat_map(|data| data.keys());
    if let Some(name) = strange.into_iter().find(|name| !known.fields.iter().any(|(own, _)| own == name)) {
        return Err((47003, format!("argument invalid! data.{name} is not in the template")));
    }
    for (name, label) in known.fields {
        let value = data[*name]["value"].as_str().unwrap_or_default();
        if !fits(name, value) {
            return Err((47003, format!("argument invalid! data.{name}.value is empty or too long")));
        }
        words.push_str(&format!("\n{label} {value}"));
    }
    Ok(words)
}

/// Whether a value is what a field of this type takes.
fn fits(name: &str, value: &str) -> bool {
    let long = value.chars().count();
    match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "thing" => (1..=20).contains(&long),
        "character_string" => (1..=32).contains(&long) && value.is_ascii(),
        "phrase" => (1..=5).contains(&long) && !value.is_ascii(),
        "amount" => {
            let number = value.strip_prefix('¥').unwrap_or(value).trim_end_matches('元');
            (1..=13).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        }
        "time" => value.contains('年') && value.contains(':'),
        "date" => value.contains('年') && value.ends_with('日'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_takes_what_its_type_says() {
        for (name, good, bad) in [
            ("thing1", "学费等2项", "学费学费学费学费学费学费学费学费学费学费学"),
            ("character_string2", "XF260901QMU000001", "订单一"),
            ("amount3", "¥9100.00", "九千一百元"),
            ("time4", "2026年9月1日 10:00", "yesterday"),
            ("date5", "2026年9月30日", "2026-09-30"),
            ("phrase6", "已支付", "已经成功支付"),
        ] {
            assert!(fits(name, good) && !fits(name, bad) && !fits(name, ""), "{name}");
        }
    }
}
