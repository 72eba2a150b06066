//! One effect and one answer, however often and at whatever moment a call comes.
use std::time::Duration;

use jiaofei::config::Key32;
use jiaofei::domain::api_key::ApiScope;
use jiaofei::domain::ids::ApiKeyId;
use jiaofei::flow::idempotency::{self, CallKey, LEASE, Turn};
use jiaofei::store::api_calls;
use serde_json::{Value, json};

use super::desk::{CHARGES, Caller, Desk, ITEMS, PAYERS, charge, fresh, payer};
use super::payer::is_problem;
use crate::world::app::port;

fn rows() -> Value {
    json!({ "rows": [payer("2026001", "林知夏")] })
}

#[tokio::test]
async fn the_same_call_again_is_given_the_same_answer_to_the_byte() {
    let desk = Desk::open().await;
    for body in [rows(), json!({ "rows": [{ "number": "1", "name": "x", "phone": "12345", "kind": "king" }] })] {
        let key = fresh();
        let first = desk.caller.post_under(&key, PAYERS, &body).await;
        for _ in 0..3 {
            let again = desk.caller.post_under(&key, PAYERS, &body).await;
            assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
            assert_eq!(again.header("content-type"), first.header("content-type"));
        }
    }
    desk.world.clock.advance(Duration::from_secs(24 * 3600));
    let key = fresh();
    let refused = json!({ "rows": [charge("nobody", "11", 1)] });
    let first = desk.caller.post_under(&key, CHARGES, &refused).await;
    is_problem(&first, 422, "rows-refused");
    desk.caller.taken(PAYERS, json!([payer("nobody", "x")])).await;
    assert_eq!(desk.caller.post_under(&key, CHARGES, &refused).await.bytes, first.bytes, "a new try takes a new key");
    assert_eq!(desk.caller.post(CHARGES, &refused).await.status, 200);
}

#[tokio::test]
async fn a_key_is_for_one_body_and_one_path_of_one_caller() {
    let desk = Desk::open().await;
    let key = fresh();
    assert_eq!(desk.caller.post_under(&key, PAYERS, &rows()).await.status, 200);
    let other = json!({ "rows": [payer("2026001", "张三")] });
    is_problem(&desk.caller.post_under(&key, PAYERS, &other).await, 422, "idempotency-key-reused");
    is_problem(&desk.caller.post_under(&key, ITEMS, &rows()).await, 422, "idempotency-key-reused");
    let neighbour = desk.caller("图书馆", &[ApiScope::PayersWrite]).await;
    assert_eq!(neighbour.post_under(&key, PAYERS, &other).await.status, 200, "keys of another system are its own");
}

#[tokio::test]
async fn a_post_without_a_key_or_with_a_bad_one_is_refused() {
    let desk = Desk::open().await;
    let json = ("content-type", "application/json");
    let long = "k".repeat(256);
    for headers in [
        &[json][..],
        &[json, ("idempotency-key", "")],
        &[json, ("idempotency-key", "a b")],
        &[json, ("idempotency-key", &long)],
        &[json, ("idempotency-key", "a"), ("idempotency-key", "b")],
    ] {
        let page = desk.caller.send("POST", PAYERS, headers, rows().to_string().into_bytes()).await;
        is_problem(&page, 400, "idempotency-key-missing");
    }
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM payer").await, 0);
    assert_eq!(desk.caller.post_under(&"k".repeat(255), PAYERS, &rows()).await.status, 200);
}

/// Sends one call 64 times at once, to each of these processes in turn.
async fn storm(callers: &[Caller], path: &'static str, body: &Value) -> (Vec<Vec<u8>>, usize) {
    let key = fresh();
    let calls = (0..64).map(|at| {
        let (caller, key, body) = (callers[at % callers.len()].clone(), key.clone(), body.clone());
        tokio::spawn(async move { caller.post_under(&key, path, &body).await })
    });
    let (mut answers, mut running) = (Vec::new(), 0);
    for call in calls.collect::<Vec<_>>() {
        let page = call.await.unwrap();
        match page.status {
            200 => answers.push(page.bytes),
            _ => {
                is_problem(&page, 409, "still-running");
                assert!(!page.header("retry-after").is_empty());
                running += 1;
            }
        }
    }
    (answers, running)
}

#[tokio::test]
async fn sixty_four_twins_at_once_have_one_effect_and_one_answer() {
    let desk = Desk::open().await;
    desk.caller.taken(PAYERS, json!([payer("2026001", "林知夏")])).await;
    let body = json!({ "rows": [charge("2026001", "11", 800_000)] });
    let (answers, running) = storm(std::slice::from_ref(&desk.caller), CHARGES, &body).await;
    assert!(!answers.is_empty() && answers.len() + running == 64);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "one answer");
    assert!(String::from_utf8_lossy(&answers[0]).contains("\"added\":1"), "the first one's");
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM charge_entry").await, 1);
    assert_eq!(desk.world.count("SELECT CAST(SUM(assessed_fen) AS BIGINT) FROM charge").await, 800_000);
}

#[tokio::test]
async fn it_is_true_across_processes_and_without_redis() {
    let desk = Desk::open().await;
    let mut config = desk.world.app.config.clone();
    config.redis = None;
    let (other, url) = port().await;
    let http = jiaofei::outbound::HttpClient::new().unwrap();
    let chance = jiaofei::clock::Chance::system();
    let app = jiaofei::app::App::open(config, desk.world.clock.clone(), chance, http).await.unwrap();
    let routes = jiaofei::web::routes::routes(std::sync::Arc::new(app));
    let acceptor = poem::listener::TcpAcceptor::from_tokio(other).unwrap();
    tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(routes));
    let callers = [desk.caller.clone(), Caller::new(&url, &desk.caller.key)];
    let (answers, running) = storm(&callers, PAYERS, &rows()).await;
    assert!(!answers.is_empty() && answers.len() + running == 64);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "one answer");
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM api_call").await, 1);
}

#[tokio::test]
async fn a_call_is_known_again_while_and_after_the_session_key_is_changed() {
    let desk = Desk::open().await;
    let (key, config) = (fresh(), &desk.world.app.config);
    let first = desk.caller.post_under(&key, PAYERS, &rows()).await;
    assert_eq!(first.status, 200);
    let (old, new) = (config.secrets.session_key.first().clone(), Key32::new(*b"the session key after the first."));
    // both orders of the list, and the new one alone, as after a leak
    for keys in [(old.clone(), new.clone()).into(), (new.clone(), old).into(), new.into()] {
        let mut config = config.clone();
        config.secrets.session_key = keys;
        let process = desk.world.process_with(config).await;
        let caller = Caller::new(&desk.world.serve(&process).await, &desk.caller.key);
        assert_eq!(caller.post_under(&key, PAYERS, &rows()).await.bytes, first.bytes);
        let other = json!({ "rows": [payer("2026001", "张三")] });
        is_problem(&caller.post_under(&key, PAYERS, &other).await, 422, "idempotency-key-reused");
    }
}

#[tokio::test]
async fn a_claim_a_dead_process_left_is_taken_over_when_its_time_is_over_and_not_before() {
    let desk = Desk::open().await;
    let (app, key) = (&desk.world.app, fresh());
    let path = PAYERS.as_bytes();
    let body = rows().to_string();
    let print = idempotency::fingerprint(&desk.caller.key, &[path, b"application/json", body.as_bytes()]);
    let call = CallKey { api_key: ApiKeyId(1), idempotency_key: key.clone() };
    // a process that took the call and died
    let Turn::Mine(dead) = idempotency::take(app, call.clone(), &print).await.unwrap() else { panic!("not the first") };
    is_problem(&desk.caller.post_under(&key, PAYERS, &rows()).await, 409, "still-running");
    desk.world.clock.advance(LEASE - Duration::from_secs(1));
    is_problem(&desk.caller.post_under(&key, PAYERS, &rows()).await, 409, "still-running");
    desk.world.clock.advance(Duration::from_secs(1));
    let done = desk.caller.post_under(&key, PAYERS, &rows()).await;
    assert_eq!(done.status, 200, "{}", done.body());
    // it was not dead, only slow: what it says now comes too late, and it is told what was answered
    let late = idempotency::Answer { status: 500, content_type: "text/plain".into(), body: "late".into() };
    let told = idempotency::finish(app, &dead, late).await.unwrap();
    assert_eq!((told.status, told.body.as_bytes()), (200, &done.bytes[..]));
    idempotency::release(app, &dead).await.unwrap();
    assert_eq!(desk.caller.post_under(&key, PAYERS, &rows()).await.bytes, done.bytes);
}

#[tokio::test]
async fn what_the_key_may_not_do_is_not_kept_and_what_is_ours_to_mend_is_not_either() {
    let desk = Desk::open().await;
    let reader = desk.caller("图书馆", &[ApiScope::OrdersRead]).await;
    is_problem(&reader.post(PAYERS, &rows()).await, 403, "scope-missing");
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM api_call").await, 0);
}

#[tokio::test]
async fn answers_are_kept_for_a_day_and_forgotten_some_time_after() {
    let desk = Desk::open().await;
    desk.caller.taken(PAYERS, json!([payer("2026001", "林知夏")])).await;
    desk.world.clock.advance(Duration::from_secs(24 * 3600 + 60));
    jiaofei::jobs::run_once(&desk.world.app).await.unwrap();
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM api_call").await, 1);
    desk.world.clock.advance(Duration::from_secs(24 * 3600));
    jiaofei::jobs::run_once(&desk.world.app).await.unwrap();
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM api_call").await, 0);
}

#[tokio::test]
async fn nothing_of_a_body_can_be_read_out_of_what_is_kept() {
    let desk = Desk::open().await;
    let key = fresh();
    let id = crate::world::school::id_number("99000020060101001");
    let body = json!({ "rows": [{ "number": "2026001", "name": "林知夏", "id_number": id.reveal() }] });
    desk.caller.post_under(&key, PAYERS, &body).await;
    let call = CallKey { api_key: ApiKeyId(1), idempotency_key: key };
    let kept = api_calls::find(desk.world.app.db.read(), &call).await.unwrap().unwrap();
    let text = format!("{kept:?}");
    assert!(!text.contains(id.reveal()) && !text.contains("林知夏"), "{text}");
    let parts = [PAYERS.as_bytes(), b"application/json", &body.to_string().into_bytes()];
    assert_eq!(kept.fingerprint, idempotency::fingerprint(&desk.caller.key, &parts));
    // whoever has the rows and guesses the body has no key to try the guess with
    let hash = "SELECT COUNT(*) FROM api_key WHERE key_hash LIKE 'jfk_%'";
    assert_eq!(desk.world.count(hash).await, 0);
    assert_ne!(kept.fingerprint, idempotency::fingerprint("", &parts));
}
