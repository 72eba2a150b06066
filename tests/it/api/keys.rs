//! Keys: what each may do, its end, and how often it may call.
use std::time::Duration;

use jiaofei::domain::api_key::ApiScope;
use jiaofei::flow::api_keys::{self, NoKey};
use serde_json::json;

use super::desk::{CHARGES, Caller, Desk, ITEMS, ORDERS, PAYERS, payer};
use super::payer::is_problem;
use crate::world::app::TestApp;
use crate::world::database;
use crate::world::phone::Device;

#[tokio::test]
async fn a_call_without_a_live_key_is_refused_everywhere() {
    let desk = Desk::open().await;
    let good = desk.caller.key.clone();
    let wrong = format!("{}{}", &good[..good.len() - 1], if good.ends_with('A') { 'Q' } else { 'A' });
    for key in ["", "jfk_", "x", &wrong, &good.to_uppercase(), &format!("{good}x"), &"j".repeat(5000)] {
        let caller = Caller::new(&desk.world.url, key);
        for path in [PAYERS, ITEMS, CHARGES] {
            let page = caller.post(path, &json!({ "rows": [] })).await;
            is_problem(&page, 401, "key-unknown");
            assert!(page.header("www-authenticate").starts_with("Bearer"));
        }
        for path in [ORDERS, "/api/campus/orders/XF1"] {
            is_problem(&caller.get(path).await, 401, "key-unknown");
        }
    }
    let basic = [("authorization", "Basic YTpi")];
    is_problem(&Caller::new(&desk.world.url, "").send("GET", ORDERS, &basic, Vec::new()).await, 401, "key-unknown");
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM api_call").await, 0, "nobody unknown leaves a trace");
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_and_nothing_else() {
    let desk = Desk::open().await;
    for scope in ApiScope::ALL {
        let caller = desk.caller(scope.code(), &[*scope]).await;
        for (needed, path) in
            [(ApiScope::PayersWrite, PAYERS), (ApiScope::ItemsWrite, ITEMS), (ApiScope::ChargesWrite, CHARGES)]
        {
            let page = caller.post(path, &json!({ "rows": [] })).await;
            match needed == *scope {
                true => is_problem(&page, 400, "unreadable"),
                false => is_problem(&page, 403, "scope-missing"),
            };
        }
        let page = caller.get(ORDERS).await;
        assert_eq!(page.status, if *scope == ApiScope::OrdersRead { 200 } else { 403 });
    }
}

#[tokio::test]
async fn a_revoked_key_ends_with_the_next_call_in_every_process_and_its_name_is_free_again() {
    let desk = Desk::open().await;
    let other = desk.world.another_process().await;
    assert_eq!(desk.caller.get(ORDERS).await.status, 200);
    assert!(matches!(api_keys::issue(&other, "学工系统", ApiScope::ALL).await, Err(NoKey::NameTaken)));
    assert!(api_keys::revoke(&other, "学工系统").await.unwrap());
    assert!(!api_keys::revoke(&other, "学工系统").await.unwrap());
    is_problem(&desk.caller.get(ORDERS).await, 401, "key-unknown");
    let again = desk.caller("学工系统", &[ApiScope::OrdersRead]).await;
    assert_eq!(again.get(ORDERS).await.status, 200);
    let keys = api_keys::list(&desk.world.app).await.unwrap();
    assert_eq!(keys.len(), 2);
    assert!(keys[0].revoked_at.is_some() && keys[0].last_used_at.is_some() && keys[1].revoked_at.is_none());
}

#[tokio::test]
async fn only_the_hash_of_a_key_is_kept() {
    let desk = Desk::open().await;
    desk.caller.taken(PAYERS, json!([payer("2026001", "林知夏")])).await;
    let secret = desk.caller.key.strip_prefix("jfk_").unwrap();
    assert_eq!(secret.len(), 43, "256 bits");
    let sql = format!(
        "SELECT COUNT(*) FROM api_key, api_call WHERE key_hash LIKE '%{secret}%' OR api_call.body LIKE '%{secret}%'"
    );
    assert_eq!(database::number(desk.world.app.db.read(), &sql).await, 0);
}

#[tokio::test]
async fn a_name_and_a_scope_are_needed_to_make_a_key() {
    let world = TestApp::start().await;
    for name in ["", "a\nb", &"长".repeat(65)] {
        assert!(matches!(api_keys::issue(&world.app, name, ApiScope::ALL).await, Err(NoKey::Name)), "{name:?}");
    }
    assert!(matches!(api_keys::issue(&world.app, "x", &[]).await, Err(NoKey::NoScope)));
}

#[tokio::test]
async fn each_key_has_its_own_number_of_calls_a_minute() {
    let world = TestApp::start_with(|config| config.api.calls_per_minute = 3).await;
    let key = async |name: &str| {
        Caller::new(&world.url, &api_keys::issue(&world.app, name, &[ApiScope::OrdersRead]).await.unwrap())
    };
    let (busy, calm) = (key("busy").await, key("calm").await);
    for _ in 0..3 {
        assert_eq!(busy.get(ORDERS).await.status, 200);
    }
    let page = busy.get(ORDERS).await;
    is_problem(&page, 429, "too-many-calls");
    let wait: u64 = page.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(calm.get(ORDERS).await.status, 200);
    assert_eq!(world.phone(Device::Desktop).get("/api/openapi.json").await.status, 200);
    world.clock.advance(Duration::from_secs(61));
    if world.app.config.redis.is_none() {
        assert_eq!(busy.get(ORDERS).await.status, 200, "the next minute");
    }
}
