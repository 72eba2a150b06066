//! What the machines that watch over the app ask, and what it says when something of its own breaks.
use std::sync::Arc;
use std::time::Duration;

use jiaofei::store::db::{Db, statement};
use jiaofei::store::lines::Lines;
use jiaofei::web::layer::{Longest, pages, watch};
use jiaofei::web::routes::routes;
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Route, get, handler};
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use tokio::task::JoinSet;

use crate::world::app::TestApp;
use crate::world::phone::Device;

#[tokio::test]
async fn a_healthy_process_says_so_and_names_what_it_stands_on() {
    let world = TestApp::start().await;
    let watcher = world.phone(Device::Desktop);
    let alive = watcher.get("/healthz").await;
    assert_eq!((alive.status, alive.body().as_str()), (200, "ok"));
    let ready = watcher.get("/readyz").await;
    let cache = if world.app.config.redis.is_some() { "redis" } else { "inprocess" };
    assert_eq!(ready.status, 200);
    assert_eq!(ready.body(), format!("{{\"cache\":\"{cache}\",\"database\":\"ok\"}}"));
}

#[tokio::test]
async fn without_its_database_a_process_is_alive_but_not_ready_and_tells_people_their_money_is_safe() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    world.app.db.read().clone().close().await.unwrap();
    assert_eq!(phone.get("/healthz").await.status, 200);
    let ready = phone.get("/readyz").await;
    assert!(ready.status == 503 && ready.body().contains("\"database\":\"away\""), "{}", ready.body());
    let page = phone.get("/h5/tuition").await;
    assert!(page.status == 503 && page.has("已缴的费用不受影响"), "{}: {}", page.status, page.text());
    assert!(page.links().contains(&"/h5/tuition".to_owned()), "it can be tried again");
}

#[handler]
fn breaks() -> Response {
    panic!("a hole in the floor: student 20190118")
}

async fn broken_page(world: &TestApp) -> Response {
    let routes = Route::new().at("/h5/breaks", get(breaks)).around(pages).around(watch).data(Arc::clone(&world.app));
    let request = Request::builder().uri_str("/h5/breaks").header("accept-language", "en").finish();
    routes.call(request).await.unwrap().into_response()
}

#[tokio::test]
async fn a_panic_becomes_a_page_with_a_code_that_finds_it_in_the_log_and_says_nothing_more() {
    let world = TestApp::start().await;
    let answer = broken_page(&world).await;
    assert_eq!(answer.status().as_u16(), 500);
    let text = answer.into_body().into_string().await.unwrap();
    assert!(text.contains("Problem code") && text.contains("lang=\"en\""), "{text}");
    assert!(!text.contains("hole") && !text.contains("20190118") && !text.contains("panic"));
}

#[handler]
async fn never_ends() -> Response {
    std::future::pending().await
}

/// What a request is answered that would never end, where it may take three tenths of a second.
async fn endless(world: &TestApp, path: &'static str) -> Response {
    let page = Route::new().at("/page", get(never_ends)).around(pages);
    let routes = Route::new().nest("/h5", page).at("/notify/wechat", get(never_ends)).around(watch);
    let routes = routes.data(Longest(Duration::from_millis(300))).data(Arc::clone(&world.app));
    let request = Request::builder().uri_str(path).header("accept-language", "en").finish();
    let answer = tokio::time::timeout(Duration::from_secs(20), routes.call(request)).await;
    answer.expect("the limit holds").unwrap().into_response()
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended_in_the_words_of_who_asked() {
    let world = TestApp::start().await;
    let page = endless(&world, "/h5/page").await;
    assert_eq!(page.status().as_u16(), 503);
    let text = page.into_body().into_string().await.unwrap();
    assert!(text.contains("lang=\"en\"") && text.contains("Try again"), "{text}");
    let machine = endless(&world, "/notify/wechat").await;
    assert_eq!(machine.status().as_u16(), 503);
    assert!(!machine.into_body().into_string().await.unwrap().contains("<html"));
}

/// Takes every connection, so that whoever asks the database waits: for as long as what it gives is kept, or some
/// seconds.
async fn occupy(db: &Db) -> (Vec<DatabaseTransaction>, JoinSet<()>) {
    let (mut taken, mut asleep) = (Vec::new(), JoinSet::new());
    for (name, _, _, allowed) in db.pools() {
        for _ in 0..allowed {
            match (name, db.read()) {
                ("writer", _) => taken.push(db.begin().await.unwrap()),
                (_, Lines::Pool(pool)) => taken.push(pool.begin().await.unwrap()),
                (_, lines) => {
                    let (lines, sleep) = (lines.clone(), statement(lines, "SELECT pg_sleep(5)", []));
                    asleep.spawn(async move { drop(lines.query_one_raw(sleep).await.unwrap()) });
                }
            }
        }
    }
    if !asleep.is_empty() {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    (taken, asleep)
}

#[tokio::test]
async fn each_route_of_the_map_that_waits_for_the_database_is_ended_by_the_limit() {
    let world = TestApp::start().await;
    let ask = async |path: &str, longest: Longest| {
        let map = routes(Arc::clone(&world.app)).data(longest);
        let request = Request::builder().uri_str(path).header("cookie", format!("jf_s={}", "a".repeat(43))).finish();
        // the pools give up after five seconds at the earliest: whatever ends before was ended by the limit
        let answer = tokio::time::timeout(Duration::from_secs(4), map.call(request)).await;
        answer.unwrap_or_else(|_| panic!("{path} goes on and on")).unwrap().into_response().status().as_u16()
    };
    let paths = [
        "/h5/",
        "/h5/tuition",
        "/h5/orders",
        "/h5/paid",
        "/h5/me",
        "/h5/cashier/XF260901QMU000128",
        "/h5/result/XF260901QMU000128/state",
        "/q/abcdefghijklmnopqrstuv",
        "/q/abcdefghijklmnopqrstuv/state",
        "/api/arrears",
        "/readyz",
    ];
    for path in paths {
        assert_ne!(ask(path, Longest::default()).await, 503, "{path}, while there are connections");
    }
    let (taken, asleep) = occupy(&world.app.db).await;
    let short = Longest(Duration::from_millis(300));
    for path in paths {
        assert_eq!(ask(path, short).await, 503, "{path}");
    }
    assert_eq!(ask("/healthz", short).await, 200, "who asks nobody waits for nobody");
    drop(taken);
    asleep.join_all().await;
}

#[tokio::test]
async fn a_request_has_thirty_seconds_and_nginx_waits_longer() {
    let nginx = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/nginx.conf")).unwrap();
    let seconds = nginx.lines().find_map(|line| line.trim().strip_prefix("proxy_read_timeout")).unwrap();
    let seconds: u64 = seconds.trim().trim_end_matches("s;").parse().unwrap();
    assert_eq!(Longest::default().0, Duration::from_secs(30));
    assert!(Duration::from_secs(seconds) > Longest::default().0);
}
