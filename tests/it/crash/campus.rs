//! What the campus system was told while servers died: everything that happened, at least once and in the bytes that
//! are kept; nothing that did not happen.
use std::collections::BTreeMap;
use std::time::Duration;

use jiaofei::clock::Clock;
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};

use super::books::{Bank, rows};
use super::town::Town;
use crate::world::database::number;

/// How many events are still on their way.
pub const WAITING: &str = "SELECT COUNT(*) FROM event_delivery WHERE state = 'waiting'";

/// What our books say has happened.
const HAPPENED: &str = "SELECT 'order.paid' AS kind, order_no AS subject FROM payment_order WHERE state = 'paid' \
    UNION ALL SELECT 'refund.done', refund_no FROM refund WHERE state = 'done' \
    UNION ALL SELECT 'trade.surplus', channel || ':' || trade_no FROM trade WHERE outcome = 'surplus'";

/// How long until the last planned try of an event; none: nothing is on its way.
pub async fn last_try_in(db: &DatabaseConnection) -> Option<Duration> {
    let last = "SELECT COALESCE(MAX(next_try_at), 0) FROM event_delivery WHERE state = 'waiting'";
    let left = number(db, last).await - Clock::system().now().millis();
    u64::try_from(left).ok().map(Duration::from_millis)
}

/// The receiver's own untidiness: it refuses, hangs up, or takes an event and is not heard.
pub async fn stumble(town: &Town, how: u64) {
    let mishap = match how {
        0 => json!({ "answer": 503 }),
        1 => json!("break"),
        _ => json!("lose_answer"),
    };
    town.control("campus", Some(json!({ "mishap": mishap, "times": 1 }))).await;
}

/// Our events beside our books and the bank's, and what was heard beside our events.
pub async fn compare(town: &Town, db: &DatabaseConnection, bank: &Bank) {
    let unwritten = format!("SELECT COUNT(*) FROM ({HAPPENED} EXCEPT SELECT kind, subject FROM event) x");
    let invented = format!("SELECT COUNT(*) FROM (SELECT kind, subject FROM event EXCEPT ({HAPPENED})) x");
    for (what, sql) in [("happened and no event tells of it", unwritten), ("events of what did not happen", invented)] {
        let count = number(db, &sql).await;
        if count > 0 {
            town.notes.wrong(format!("{count} {what}"));
        }
    }
    // first our events, then the receiver: what is delivered in between is not missed
    let events =
        "SELECT e.event_no, e.kind, e.payload, d.state FROM event e JOIN event_delivery d ON d.event_id = e.id";
    let events = rows(db, events).await;
    let (_, told) = town.control("campus", None).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let heard = told["heard"].as_array().unwrap();
    let mut by_id: BTreeMap<String, &Value> = heard.iter().map(|one| (text(&one["id"]), one)).collect();
    for row in events {
        let column = |name: &str| row.try_get::<String>("", name).unwrap();
        let (event_no, kind, payload) = (column("event_no"), column("kind"), column("payload"));
        let said: Value = serde_json::from_str(&payload).unwrap();
        let (data, trade) = (&said["data"], (text(&said["data"]["channel"]), text(&said["data"]["trade_no"])));
        let total = if kind == "order.paid" { &data["total_fen"] } else { &data["amount_fen"] };
        let paid = bank.get(&trade).map(|paid| paid.total);
        let fits = if kind == "refund.done" { total.as_i64() <= paid } else { total.as_i64() == paid };
        if !fits {
            town.notes.wrong(format!("{event_no}: {payload}; at the bank it is {paid:?}"));
        }
        match by_id.remove(&event_no) {
            Some(one) if one["body"] == payload.as_str() && one["differed"] == 0 => {
                town.notes.count(format!("events heard: {kind}"));
                if one["times"] != 1 {
                    town.notes.count("events heard more than once");
                }
            }
            Some(one) => town.notes.wrong(format!("{event_no} was heard in other words: {one}")),
            // the short run does not wait for every try
            None if !town.full && column("state") == "waiting" => town.notes.count("events still on their way"),
            None => town.notes.wrong(format!("{event_no} is {} and was never heard", column("state"))),
        }
    }
    for id in by_id.into_keys() {
        if number(db, &format!("SELECT COUNT(*) FROM event WHERE event_no = '{id}'")).await == 1 {
            continue;
        }
        town.notes.wrong(format!("{id} was heard, and no event has this id"));
    }
    for arrival in told["arrivals"].as_array().unwrap() {
        let status = &arrival["status"];
        town.notes.count(match status.as_u64() {
            Some(204) => "tries of events, taken",
            Some(0) => "tries of events without an answer",
            _ => "tries of events, refused",
        });
    }
}
