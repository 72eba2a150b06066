//! `/cgi-bin/menu/…` with the platform's limits, told in its own errcodes (official account, custom menu). Nothing here
//! is shared with the check that is made before a menu is sent.
use std::sync::Arc;

use poem::web::{Data, Json, Query};
use poem::{Body, Response, handler};
use serde_json::{Value, json};

use super::interface::{Carried, Refused, text, told, under_token};
use crate::sandbox::world::Sandbox;

#[handler]
pub async fn create(Data(world): Data<&Arc<Sandbox>>, Query(carried): Query<Carried>, body: Body) -> Response {
    let text = match text(body).await {
        Ok(text) => text,
        Err(refused) => return told(world, Err(refused)),
    };
    let act = || {
        let menu = read(&text)?;
        world.account().menu = Some(menu);
        Ok(json!({ "errcode": 0, "errmsg": "ok" }))
    };
    under_token(world, &carried, act).await
}

#[handler]
pub async fn get(Data(world): Data<&Arc<Sandbox>>, Query(carried): Query<Carried>) -> Response {
    let act = || match &world.account().menu {
        Some(menu) => Ok(json!({ "menu": { "button": shown(&menu["button"]), "menuid": 208_396_938 } })),
        None => Err((46003, "menu no exist".to_owned())),
    };
    under_token(world, &carried, act).await
}

#[handler]
pub async fn delete(Data(world): Data<&Arc<Sandbox>>, Query(carried): Query<Carried>) -> Response {
    let act = || {
        world.account().menu = None;
        Ok(json!({ "errcode": 0, "errmsg": "ok" }))
    };
    under_token(world, &carried, act).await
}

/// The menu as a follower's phone draws it: an empty list without one.
#[handler]
pub fn on_the_phone(Data(world): Data<&Arc<Sandbox>>) -> Json<Value> {
    Json(world.account().menu.as_ref().map_or(json!([]), |menu| menu["button"].clone()))
}

/// The platform shows `sub_button` with every button, empty or not.
fn shown(buttons: &Value) -> Value {
    let mut buttons = buttons.clone();
    for button in buttons.as_array_mut().into_iter().flatten() {
        let below = button["sub_button"].take();
        button["sub_button"] = if below.is_array() { shown(&below) } else { json!([]) };
    }
    buttons
}

fn read(text: &str) -> Result<Value, Refused> {
    if text.contains("\\u") {
        return Err(refusal(40033, "invalid charset. please check your request, if include \\uxxxx will create fail!"));
    }
    let menu: Value = serde_json::from_str(text).map_err(|_| refusal(47001, "data format error"))?;
    let top = menu["button"].as_array().ok_or_else(|| refusal(40016, "invalid button size"))?;
    if top.is_empty() || top.len() > 3 {
        return Err(refusal(40016, "invalid button size"));
    }
    for button in top {
        let below = button["sub_button"].as_array().map(Vec::as_slice).unwrap_or_default();
        let name = button["name"].as_str().unwrap_or_default();
        if name.is_empty() || name.len() > 16 {
            return Err(refusal(40018, "invalid button name size"));
        }
        if below.is_empty() {
            one(
                button,
                [
                    (40017, "invalid button type"),
                    (40019, "invalid button key size"),
                    (40020, "invalid button url size"),
                ],
            )?;
            continue;
        }
        if below.len() > 5 {
            return Err(refusal(40023, "invalid sub button size"));
        }
        for sub in below {
            let name = sub["name"].as_str().unwrap_or_default();
            if name.is_empty() || name.len() > 60 {
                return Err(refusal(40025, "invalid sub button name size"));
            }
            let codes = [
                (40024, "invalid sub button type"),
                (40026, "invalid sub button key size"),
                (40027, "invalid sub button url size"),
            ];
            one(sub, codes)?;
        }
    }
    Ok(menu)
}

/// One button that does something; `codes` are those for its type, its key and its address.
fn one(button: &Value, codes: [(i32, &'static str); 3]) -> Result<(), Refused> {
    let [kind, key, url] = codes.map(|(code, words)| refusal(code, words));
    let fits = |name: &str, most: usize| button[name].as_str().is_some_and(|text| (1..=most).contains(&text.len()));
    match button["type"].as_str().unwrap_or_default() {
        "view" if !fits("url", 1024) => Err(url),
        "view" if !button["url"].as_str().is_some_and(|text| text.starts_with("http")) => {
            Err(refusal(40055, "invalid menu domain"))
        }
        "click" | "scancode_push" | "scancode_waitmsg" | "pic_sysphoto" | "pic_photo_or_album" | "pic_weixin"
        | "location_select"
            if !fits("key", 128) =>
        {
            Err(key)
        }
        "view"
        | "click"
        | "scancode_push"
        | "scancode_waitmsg"
        | "pic_sysphoto"
        | "pic_photo_or_album"
        | "pic_weixin"
        | "location_select"
        | "miniprogram"
        | "media_id"
        | "view_limited"
        | "article_id"
        | "article_view_limited" => Ok(()),
        _ => Err(kind),
    }
}

fn refusal(code: i32, words: &str) -> Refused {
    (code, words.to_owned())
}
