//! The account's message server: what followers write and do, believed, answered once, and forgotten when they leave.
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiaofei::config::{Config, MessageServer};
use jiaofei::sandbox::account::push::{ACCOUNT, Doing, Posted, message, post};
use jiaofei::sandbox::account::state::PushMode;
use jiaofei::sandbox::account::voice;
use jiaofei::sandbox::keys::{WECHAT_MESSAGE_KEY, WECHAT_MESSAGE_TOKEN};
use jiaofei::sandbox::merchants::{WECHAT_APP_ID, openid};
use secrecy::SecretString;

use super::binding;
use super::world::app::TestApp;
use super::world::phone::Device;

const MODES: [PushMode; 3] = [PushMode::Plain, PushMode::Compatible, PushMode::Safe];

/// A school whose account pushes in a mode, and a phone `lin` that follows it.
async fn followed(mode: PushMode) -> TestApp {
    let world = TestApp::start_with(|config| {
        if mode == PushMode::Plain {
            server(config).encoding_aes_key = None;
        }
    })
    .await;
    world.sandbox.account().mode = mode;
    assert!(world.sandbox.converse("lin", Doing::Follow(None)).await.unwrap().contains("欢迎关注启明大学"));
    world
}

fn server(config: &mut Config) -> &mut MessageServer {
    config.official_account.as_mut().unwrap().message.as_mut().unwrap()
}

async fn say(world: &TestApp, text: &str) -> Option<String> {
    world.sandbox.converse("lin", Doing::Say(text.to_owned())).await
}

/// A message of `lin`, ready to be posted.
fn posted(world: &TestApp, doing: &Doing) -> Posted {
    let mode = world.sandbox.account().mode;
    post(&world.sandbox, mode, WECHAT_APP_ID, &message(&world.sandbox, "lin", doing), world.clock.now())
}

async fn send(url: &str, posted: &Posted) -> (u16, String) {
    let client = reqwest::Client::new();
    let request = client.post(format!("{url}/wechat/message")).query(&posted.query).body(posted.body.clone());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn set(posted: &mut Posted, name: &str, value: &str) {
    posted.query.iter_mut().find(|(own, _)| *own == name).unwrap().1 = value.to_owned();
}

#[tokio::test]
async fn the_set_up_check_is_answered_with_its_own_word_and_a_strangers_is_not() {
    let world = followed(PushMode::Safe).await;
    let ask = async |token: &str, age: u64| {
        let at = (world.clock.now() - Duration::from_secs(age)).unix().to_string();
        let signature = voice::sign(&[token, &at, "n1"]);
        let path = format!("/wechat/message?signature={signature}&timestamp={at}&nonce=n1&echostr=583<b>");
        world.phone(Device::Desktop).get(&path).await
    };
    let good = ask(WECHAT_MESSAGE_TOKEN, 0).await;
    assert_eq!((good.status, good.body().as_str()), (200, "583<b>"));
    assert!(good.header("content-type").starts_with("text/plain"));
    assert_eq!(ask("another", 0).await.status, 403);
    assert_eq!(ask(WECHAT_MESSAGE_TOKEN, 301).await.status, 403, "an old one");
    assert_eq!(world.phone(Device::Desktop).get("/wechat/message").await.status, 403);
}

#[tokio::test]
async fn a_word_is_answered_with_the_way_in_every_mode_and_in_its_language() {
    for mode in MODES {
        let world = followed(mode).await;
        for (text, path, words) in [
            ("缴费", "/h5/wechat/enter?to=/h5/tuition", "查看欠费和缴费"),
            ("查订单", "/h5/wechat/enter?to=/h5/orders", "订单查询"),
            ("票据", "/h5/wechat/enter?to=/h5/paid", "已缴费和票据"),
            ("帮助", "/h5/help", "缴费帮助"),
            ("Pay", "/h5/wechat/enter?to=/h5/tuition", "See what you owe, and pay"),
            ("orders", "/h5/wechat/enter?to=/h5/orders", "Your orders"),
            ("receipts", "/h5/wechat/enter?to=/h5/paid", "Payments and receipts"),
            ("help", "/h5/help", "Help"),
        ] {
            let link = format!("<a href=\"{}{path}\">{words}</a>", world.url);
            assert_eq!(say(&world, text).await.as_deref(), Some(link.as_str()), "{mode:?} {text}");
        }
        let hint = say(&world, "]]></Content><Content>你好 & <b>").await.unwrap();
        assert!(hint.contains("回复“缴费”") && hint.contains("Send “pay”"), "{hint}");
        assert_eq!(world.sandbox.converse("lin", Doing::Picture).await, None, "nothing to say to a picture");
    }
}

#[tokio::test]
async fn a_tap_a_scan_and_a_follow_by_a_code_lead_where_they_say() {
    let world = followed(PushMode::Safe).await;
    let tap = world.sandbox.converse("lin", Doing::Tap("orders".to_owned())).await.unwrap();
    assert!(tap.contains("订单查询") && tap.contains("Your orders"), "{tap}");
    // two events of one second are one event to the platform
    let scan = |scene: &str| {
        world.clock.advance(Duration::from_secs(1));
        world.sandbox.converse("lin", Doing::Scan(scene.to_owned()))
    };
    assert!(scan("pay").await.unwrap().contains("/h5/wechat/enter?to=/h5/tuition"));
    let code = scan("Ab3dEf5hJk7m").await.unwrap();
    assert!(code.contains(&format!("href=\"{}/q/Ab3dEf5hJk7m\"", world.url)), "{code}");
    for odd in ["12", "../../h5", "\"><a href=\"https://evil.example", "https://evil.example/abc"] {
        let words = scan(odd).await.unwrap();
        assert!(!words.contains("href") && words.contains("回复"), "{odd}: {words}");
    }
    world.sandbox.converse("lin", Doing::Unfollow).await;
    world.clock.advance(Duration::from_secs(1));
    let again = world.sandbox.converse("lin", Doing::Follow(Some("Ab3dEf5hJk7m".to_owned()))).await.unwrap();
    assert!(again.contains("/q/Ab3dEf5hJk7m"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_several_times_to_several_processes_is_answered_once() {
    let world = followed(PushMode::Safe).await;
    let other = match world.app.config.redis {
        Some(_) => world.serve(&world.another_process().await).await,
        None => world.url.clone(),
    };
    world.clock.advance(Duration::from_secs(1));
    for doing in [Doing::Say("缴费".to_owned()), Doing::Tap("pay".to_owned()), Doing::Follow(None)] {
        let push = Arc::new(posted(&world, &doing));
        let sent = (0..8).map(|at| {
            let (url, push) = (if at % 2 == 0 { &world.url } else { &other }.clone(), Arc::clone(&push));
            tokio::spawn(async move { send(&url, &push).await })
        });
        let answers: Vec<_> = join_all(sent).await.into_iter().map(Result::unwrap).collect();
        assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
        let spoken = answers.iter().filter(|(_, text)| text != "success").count();
        assert_eq!(spoken, 1, "{doing:?}");
    }
    assert!(say(&world, "缴费").await.is_some(), "the same words in another message are answered again");
}

#[tokio::test]
async fn a_forged_old_foreign_or_open_push_is_refused_and_nothing_comes_of_it() {
    let world = followed(PushMode::Safe).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    binding::bind(&world, &student, "lin").await;
    let leave = message(&world.sandbox, "lin", &Doing::Unfollow);
    let safe = |app_id: &str, age: u64| {
        post(&world.sandbox, PushMode::Safe, app_id, &leave, world.clock.now() - Duration::from_secs(age))
    };
    let mut forged = safe(WECHAT_APP_ID, 0);
    set(&mut forged, "msg_signature", &"0".repeat(40));
    let mut resigned = safe(WECHAT_APP_ID, 0);
    // right for the address alone, as in plain mode
    let plain = resigned.query[0].1.clone();
    set(&mut resigned, "msg_signature", &plain);
    let mut moved = safe(WECHAT_APP_ID, 0);
    set(&mut moved, "timestamp", &(world.clock.now().unix() + 1).to_string());
    let mut swapped = safe(WECHAT_APP_ID, 0);
    swapped.body = safe(WECHAT_APP_ID, 0).body;
    let open = post(&world.sandbox, PushMode::Plain, WECHAT_APP_ID, &leave, world.clock.now());
    for (what, push) in [
        ("forged", forged),
        ("signed for plain mode", resigned),
        ("moved in time", moved),
        ("another body", swapped),
        ("too old", safe(WECHAT_APP_ID, 300)),
        ("for another account", safe("wx0000000000000000", 0)),
        ("not sealed", open),
    ] {
        let (status, text) = send(&world.url, &push).await;
        assert_eq!((status, text.as_str()), (403, ""), "{what}");
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM wechat_binding").await, 1);
    assert_eq!(send(&world.url, &safe(WECHAT_APP_ID, 299)).await, (200, "success".to_owned()));
    assert_eq!(world.count("SELECT COUNT(*) FROM wechat_binding").await, 0, "the true one is heard");
}

#[tokio::test]
async fn a_school_that_hears_no_messages_says_so_to_nobody() {
    let world = TestApp::start_with(|config| config.official_account.as_mut().unwrap().message = None).await;
    assert_eq!(send(&world.url, &posted(&world, &Doing::Follow(None))).await.0, 404);
    assert_eq!(world.phone(Device::Desktop).get("/wechat/message?echostr=x").await.status, 403);
}

#[tokio::test]
async fn entities_files_depth_and_size_are_refused_quickly() {
    let world = followed(PushMode::Plain).await;
    let from = openid(WECHAT_APP_ID, "lin");
    let head = |doctype: &str, content: &str| {
        format!(
            "{doctype}<xml><ToUserName>{ACCOUNT}</ToUserName><FromUserName>{from}</FromUserName>\
             <CreateTime>1</CreateTime><MsgType>text</MsgType><MsgId>1</MsgId><Content>{content}</Content></xml>"
        )
    };
    let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
    let file = "<!DOCTYPE f [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>";
    let deep = format!("{}{}", "<a>".repeat(16_000), "x");
    let wide = "<a/>".repeat(10_000);
    let push = |body: String| post(&world.sandbox, PushMode::Plain, WECHAT_APP_ID, &body, world.clock.now());
    let begun = std::time::Instant::now();
    for (status, body) in [
        (400, head(laughs, "&b;")),
        (400, head(file, "&f;")),
        (400, head("<!DOCTYPE xml>", "缴费")),
        (400, head("", "&b;")),
        (400, deep),
        (400, format!("{}<xml>", head("", "缴费"))),
        (400, "{\"MsgType\":\"text\"}".to_owned()),
        (400, "<xml></xml>".to_owned()),
        (400, String::new()),
        (413, head("", &"x".repeat(64 * 1024))),
        (400, head("", &format!("缴费{wide}"))),
        (200, head("", &format!("缴费{}", "<a/>".repeat(1_000)))),
    ] {
        let shown: String = body.chars().take(80).collect();
        assert_eq!(send(&world.url, &push(body)).await.0, status, "{shown}");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn whoever_leaves_the_account_is_forgotten_and_nobody_else() {
    let world = followed(PushMode::Safe).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    binding::bind(&world, &student, "lin").await;
    binding::bind(&world, &student, "wang").await;
    let words = say(&world, "缴费").await.unwrap();
    assert!(!words.contains("林") && !words.contains(&student.number), "{words}");
    world.sandbox.converse("lin", Doing::Unfollow).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM wechat_binding").await, 1);
    world.sandbox.converse("lin", Doing::Follow(None)).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM wechat_binding").await, 1, "coming back binds nothing");
}

#[tokio::test]
async fn while_the_key_is_changed_both_are_opened_and_each_is_answered_in_kind() {
    let next = "NextMessageKey0123456789abcdefghijklmnopqrs";
    let world = TestApp::start_with(|config| {
        let keys = (SecretString::from(next), SecretString::from(WECHAT_MESSAGE_KEY));
        server(config).encoding_aes_key = Some(keys.into());
    })
    .await;
    // the sandbox opens answers with its own, former key alone
    assert!(world.sandbox.converse("lin", Doing::Follow(None)).await.is_some());
    let only_next = TestApp::start_with(|config| server(config).encoding_aes_key = Some(next.into())).await;
    assert_eq!(only_next.sandbox.converse("lin", Doing::Follow(None)).await, None);
}

#[tokio::test]
async fn when_the_database_keeps_waiting_the_platform_is_told_in_time_to_come_again() {
    let world = followed(PushMode::Safe).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    binding::bind(&world, &student, "lin").await;
    let held = world.app.db.begin().await.unwrap();
    let sql = "UPDATE wechat_binding SET rights = rights";
    sea_orm::ConnectionTrait::execute_unprepared(&held, sql).await.unwrap();
    let push = posted(&world, &Doing::Unfollow);
    let begun = std::time::Instant::now();
    assert_eq!(send(&world.url, &push).await.0, 503);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    held.rollback().await.unwrap();
    assert_eq!(send(&world.url, &push).await, (200, "success".to_owned()), "the same push again");
    assert_eq!(world.count("SELECT COUNT(*) FROM wechat_binding").await, 0);
}
