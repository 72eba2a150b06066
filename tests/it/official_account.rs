//! The official account's own interface: one token for every process, and the menu.
use std::sync::Arc;

use futures_util::future::join_all;
use jiaofei::app::App;
use jiaofei::cli::menu::USUAL;
use jiaofei::flow::official::call::call;
use jiaofei::flow::official::menu;
use jiaofei::official_account::api::{AccountError, Call};
use jiaofei::official_account::menu::{Menu, differences};
use jiaofei::sandbox::faults::{Call as Asked, Fault, Setting};
use serde_json::json;

use super::world::app::TestApp;

pub fn wanted(world: &TestApp) -> Menu {
    Menu::read(USUAL, &world.app.config.server.public_url).unwrap()
}

async fn ask(app: &App) -> Result<(), AccountError> {
    menu::shown(app).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_who_need_a_token_at_once_ask_the_platform_once() {
    let world = TestApp::start().await;
    // two processes that share a cache; without Redis nothing is shared, and there is one process
    let other = match world.app.config.redis {
        Some(_) => world.another_process().await,
        None => Arc::clone(&world.app),
    };
    let asked = join_all((0..64).map(|at| {
        let app = Arc::clone(if at % 2 == 0 { &world.app } else { &other });
        tokio::spawn(async move { ask(&app).await })
    }));
    for answer in asked.await {
        answer.unwrap().unwrap();
    }
    assert_eq!(world.sandbox.account().tokens.asked, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_made_void_is_fetched_once_more_by_all_who_held_it_and_each_call_is_repeated() {
    let world = TestApp::start().await;
    ask(&world.app).await.unwrap();
    world.sandbox.account().tokens.void();
    for answer in join_all((0..16).map(|_| ask(&world.app))).await {
        answer.unwrap();
    }
    assert_eq!(world.sandbox.account().tokens.asked, 2);
}

#[tokio::test]
async fn a_token_near_its_end_is_changed_before_the_platform_refuses_it() {
    let world = TestApp::start_with(|config| config.redis = None).await;
    ask(&world.app).await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(6_800));
    ask(&world.app).await.unwrap();
    assert_eq!(world.sandbox.account().tokens.asked, 1, "still good");
    world.clock.advance(std::time::Duration::from_secs(200));
    ask(&world.app).await.unwrap();
    assert_eq!(world.sandbox.account().tokens.asked, 2);
}

#[tokio::test]
async fn a_platform_that_is_down_is_told_and_not_asked_by_everybody_again() {
    let world = TestApp::start_with(|config| config.redis = None).await;
    world.sandbox.set_fault(Setting {
        fault: Fault::Down,
        channel: None,
        call: Some(Asked::Account),
        times: Some(1),
        amount: None,
    });
    let answers = join_all((0..8).map(|_| ask(&world.app))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(AccountError::Unreachable(_)))), "{answers:?}");
    world.clock.advance(std::time::Duration::from_secs(3));
    ask(&world.app).await.unwrap();
}

#[tokio::test]
async fn a_wrong_secret_is_the_offices_matter_and_is_not_shown() {
    let world = TestApp::start_with(|config| {
        let account = config.official_account.as_mut().unwrap();
        account.app_secret = "not the secret".to_owned().into();
    })
    .await;
    let error = ask(&world.app).await.unwrap_err();
    assert!(matches!(error, AccountError::Refused { code: 40125, .. }), "{error:?}");
    assert!(!error.to_string().contains("not the secret"));
}

#[tokio::test]
async fn the_menu_is_pushed_shown_and_compared() {
    let world = TestApp::start().await;
    assert_eq!(menu::shown(&world.app).await.unwrap(), Menu::default(), "an account without one");
    let wanted = wanted(&world);
    menu::push(&world.app, &wanted).await.unwrap();
    assert_eq!(differences(&menu::shown(&world.app).await.unwrap(), &wanted), Vec::<String>::new());
    let on_the_phone = world.sandbox.account().menu.clone().unwrap();
    assert_eq!(
        on_the_phone["button"][0]["sub_button"][0]["url"],
        format!("{}/h5/wechat/enter?to=/h5/tuition", world.url)
    );
}

#[tokio::test]
async fn what_the_platform_refuses_leaves_the_menu_as_it_was() {
    let world = TestApp::start().await;
    menu::push(&world.app, &wanted(&world)).await.unwrap();
    let long = json!({"button": [{"type": "view", "name": "校园统一缴费", "url": "https://a.example/"}]});
    let error = call(&world.app, &Call::post("/cgi-bin/menu/create", long)).await.unwrap_err();
    assert!(matches!(&error, AccountError::Refused { code: 40018, .. }), "{error}");
    assert_eq!(menu::shown(&world.app).await.unwrap(), wanted(&world));
}
