//! The feed of orders: nothing missed, whatever commits when.
use std::collections::HashSet;

use jiaofei::domain::order::CloseReason;
use jiaofei::domain::trade::Product;
use jiaofei::flow::expire;
use jiaofei::store::orders;
use serde_json::Value;

use super::desk::{Caller, Desk, ORDERS};
use super::payer::{is_problem, json};

async fn page(caller: &Caller, cursor: &str, limit: u32) -> (Vec<Value>, String, bool) {
    let cursor = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
    let page = caller.get(&format!("{ORDERS}?limit={limit}{cursor}")).await;
    assert_eq!(page.status, 200, "{}", page.body());
    let said = json(&page);
    let next = said["next"].as_str().unwrap().to_owned();
    (said["orders"].as_array().unwrap().clone(), next, said["more"].as_bool().unwrap())
}

fn told(orders: &[Value]) -> Vec<(&str, &str)> {
    orders.iter().map(|one| (one["order_no"].as_str().unwrap(), one["state"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn an_order_comes_when_it_is_made_and_again_whenever_it_changes() {
    let desk = Desk::open().await;
    let world = &desk.world;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let first = world.open_one(student.id, &[student.dormitory]).await;
    let (orders, cursor, more) = page(&desk.caller, "", 10).await;
    assert_eq!((told(&orders), more), (vec![(first.order_no.as_str(), "pending")], false));
    assert_eq!(orders[0]["payer_number"], student.number.as_str());
    assert_eq!(orders[0]["lines"][0]["item"], "12");
    assert_eq!(page(&desk.caller, &cursor, 10).await, (vec![], cursor.clone(), false), "nothing changed");
    world.pay(&first, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    let (orders, cursor, _) = page(&desk.caller, &cursor, 10).await;
    assert_eq!(told(&orders), [(first.order_no.as_str(), "paid")]);
    assert!(orders[0]["receipt_no"].is_string() && orders[0]["trade_no"].is_string());
    assert_eq!((&orders[0]["channel"], &orders[0]["total"]["fen"]), (&"wechat".into(), &110_000.into()));
    let second = world.open_one(student.id, &[student.insurance]).await;
    expire::close(&world.app, &second, CloseReason::Cancelled).await.unwrap();
    let (orders, _, _) = page(&desk.caller, &cursor, 10).await;
    assert_eq!(told(&orders), [(second.order_no.as_str(), "closed")]);
    assert_eq!(orders[0]["close_reason"], "cancelled");
    let one = json(&desk.caller.get(&format!("{ORDERS}/{}", first.order_no)).await);
    assert_eq!((&one["state"], &one["payer_number"]), (&"paid".into(), &student.number.as_str().into()));
    is_problem(&desk.caller.get(&format!("{ORDERS}/XF990101QMU999999")).await, 404, "not-found");
}

#[tokio::test]
async fn a_change_that_commits_late_is_told_to_a_reader_who_has_gone_past_its_time() {
    let desk = Desk::open().await;
    let world = &desk.world;
    if world.app.config.database.url.starts_with("sqlite") {
        // one writer: there no change can commit while another is under way
        return;
    }
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let slow = world.open_one(student.id, &[student.dormitory]).await;
    let quick = world.open_one(student.id, &[student.insurance]).await;
    let (_, cursor, _) = page(&desk.caller, "", 10).await;
    let tx = world.app.db.begin().await.unwrap();
    orders::move_to_closed(&tx, slow.id, CloseReason::Expired, world.clock.now()).await.unwrap();
    expire::close(&world.app, &quick, CloseReason::Expired).await.unwrap();
    let (orders, cursor, _) = page(&desk.caller, &cursor, 10).await;
    assert_eq!(told(&orders), [(quick.order_no.as_str(), "closed")], "and nobody waits for the slow one");
    tx.commit().await.unwrap();
    let (orders, _, _) = page(&desk.caller, &cursor, 10).await;
    assert_eq!(told(&orders), [(slow.order_no.as_str(), "closed")]);
}

#[tokio::test]
async fn readers_who_follow_while_orders_are_made_at_once_see_every_one_of_them() {
    let desk = Desk::open().await;
    let world = &desk.world;
    let mut made = Vec::new();
    for at in 0..24 {
        let student = world.school.student(&world.app, at, "林知夏").await;
        let app = std::sync::Arc::clone(&world.app);
        made.push(tokio::spawn(async move {
            let wanted = [student.dormitory, student.insurance]
                .map(|charge_id| jiaofei::domain::checkout::Wanted { charge_id, amount: None });
            let checkout_id = app.chance.token(22);
            jiaofei::flow::checkout::open(&app, student.id, &checkout_id, &wanted).await.unwrap()
        }));
    }
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let caller = desk.caller.clone();
            tokio::spawn(async move {
                let (mut seen, mut cursor) = (HashSet::new(), String::new());
                for _ in 0..400 {
                    let (orders, next, _) = page(&caller, &cursor, 5).await;
                    cursor = next;
                    seen.extend(orders.iter().map(|one| one["order_no"].as_str().unwrap().to_owned()));
                    if seen.len() == 48 {
                        break;
                    }
                }
                seen
            })
        })
        .collect();
    let mut all = HashSet::new();
    for one in made {
        all.extend(one.await.unwrap().into_iter().map(|order| order.order_no.to_string()));
    }
    assert_eq!(all.len(), 48);
    for reader in readers {
        assert_eq!(reader.await.unwrap(), all);
    }
}

#[tokio::test]
async fn a_reader_may_begin_at_a_time() {
    let desk = Desk::open().await;
    let world = &desk.world;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    world.open_one(student.id, &[student.dormitory]).await;
    page(&desk.caller, "", 10).await;
    world.clock.advance(std::time::Duration::from_secs(60));
    let late = world.open_one(student.id, &[student.insurance]).await;
    let since = |at: &str| format!("{ORDERS}?changed_since={at}");
    let said = json(&desk.caller.get(&since("2026-09-01T02:00:30Z")).await);
    assert_eq!(told(said["orders"].as_array().unwrap()), [(late.order_no.as_str(), "pending")]);
    let said = json(&desk.caller.get(&since("2026-09-01T10:00:00%2B08:00")).await);
    assert_eq!(said["orders"].as_array().unwrap().len(), 2);
    for wrong in ["cursor=x", "cursor=", "limit=0", "limit=501", "changed_since=today", "limit=x"] {
        is_problem(&desk.caller.get(&format!("{ORDERS}?{wrong}")).await, 400, "unreadable");
    }
}
