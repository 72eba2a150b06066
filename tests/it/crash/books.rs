//! Afterwards: our books beside the bank's, the logs, and whether anything is left lying.
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiaofei::clock::Clock;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, QueryResult, Statement};
use serde_json::Value;

use super::campus;
use super::program::jiaofei;
use super::town::{Town, tail};
use crate::world::database::number;

/// What is still under way, by a query that counts it.
const UNDER_WAY: [(&str, &str); 4] = [
    ("orders pending", "SELECT COUNT(*) FROM payment_order WHERE state = 'pending'"),
    ("attempts live", "SELECT COUNT(*) FROM attempt WHERE state = 'live'"),
    ("refunds unfinished", "SELECT COUNT(*) FROM refund WHERE state <> 'done'"),
    ("events on their way", campus::WAITING),
];

/// What must never be, by a query that counts it.
const NEVER: [(&str, &str); 6] = [
    ("items for the office", "SELECT COUNT(*) FROM office_item"),
    (
        "orders paid without exactly one receipt",
        "SELECT COUNT(*) FROM payment_order o WHERE o.state = 'paid' \
         AND (SELECT COUNT(*) FROM receipt r WHERE r.order_id = o.id) <> 1",
    ),
    (
        "receipts of orders that are not paid",
        "SELECT COUNT(*) FROM receipt r JOIN payment_order o ON o.id = r.order_id WHERE o.state <> 'paid'",
    ),
    (
        "orders paid without their trade, or settled trades without their order",
        "SELECT COUNT(*) FROM payment_order o \
         LEFT JOIN trade t ON t.order_id = o.id AND t.outcome = 'settled' \
         WHERE (o.state = 'paid') <> (t.trade_no IS NOT NULL) OR o.trade_no <> t.trade_no",
    ),
    (
        "charges in two pending orders",
        "SELECT COUNT(*) FROM (SELECT l.charge_id FROM order_line l JOIN payment_order o ON o.id = l.order_id \
         WHERE o.state = 'pending' GROUP BY l.charge_id HAVING COUNT(*) > 1) twice",
    ),
    ("charges overpaid", "SELECT COUNT(*) FROM charge WHERE paid_fen - refunded_fen > assessed_fen - waived_fen"),
];

/// Leaves everything in peace until nothing is under way, at most so long. A refund whose answer was lost is asked for
/// again after a minute; a notice of money for what is closed that met nobody is repeated after up to three minutes;
/// and if it is never told, our next look at what is closed finds it, within half an hour. Only the full run waits for
/// these.
pub async fn wait_for_peace(town: &Town, within: Duration) {
    let db = open(town).await;
    let begun = Instant::now();
    let (mut bound, mut before) = (within, Vec::new());
    loop {
        let mut left = Vec::new();
        let waited_for = if town.full { &UNDER_WAY[..] } else { &UNDER_WAY[..2] };
        for (what, sql) in waited_for {
            let count = number(&db, sql).await;
            if count > 0 {
                left.push(format!("{count} {what}"));
            }
        }
        if let Some(last) = campus::last_try_in(&db).await.filter(|_| town.full) {
            bound = bound.max(begun.elapsed() + last + Duration::from_secs(90));
        }
        for unheard in unheard_of(town, &db).await {
            let look = unheard.next_look_in(&db).await;
            if town.full || look.is_none() {
                bound = bound.max(begun.elapsed() + look.map_or(Duration::ZERO, |look| look + Duration::from_secs(90)));
                left.push(format!("{} of {} paid at the bank only", unheard.channel, unheard.attempt_no));
            }
        }
        if left.is_empty() {
            println!("peace after {:.0} s", begun.elapsed().as_secs_f32());
            return;
        }
        if begun.elapsed() > bound {
            town.notes.wrong(format!("after {} s of peace: {}", bound.as_secs(), left.join(", ")));
            return;
        }
        if left != before {
            println!("{:>4.0} s of peace: {}", begun.elapsed().as_secs_f32(), left.join(", "));
            before = left;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Money at the bank our books have not heard of.
struct Unheard {
    channel: String,
    trade_no: String,
    attempt_no: String,
}

impl Unheard {
    /// How long until our own next look at the attempt, if it is closed and such a look is planned.
    async fn next_look_in(&self, db: &DatabaseConnection) -> Option<Duration> {
        let sql = format!(
            "SELECT next_inquiry_at FROM attempt WHERE attempt_no = '{}' AND state = 'closed' \
             AND next_inquiry_at IS NOT NULL",
            self.attempt_no
        );
        let at: i64 = rows(db, &sql).await.first()?.try_get("", "next_inquiry_at").unwrap();
        let left = at - Clock::system().now().millis();
        Some(Duration::from_millis(u64::try_from(left).unwrap_or_default()))
    }
}

async fn unheard_of(town: &Town, db: &DatabaseConnection) -> Vec<Unheard> {
    // first the bank, then our books: what is booked in between is not missed
    let mut bank = bank_of(town).await;
    for row in rows(db, "SELECT channel, trade_no FROM trade").await {
        let text = |column: &str| row.try_get::<String>("", column).unwrap();
        bank.remove(&(text("channel"), text("trade_no")));
    }
    bank.into_iter()
        .map(|((channel, trade_no), paid)| Unheard { channel, trade_no, attempt_no: paid.attempt_no })
        .collect()
}

async fn open(town: &Town) -> DatabaseConnection {
    Database::connect(&town.database).await.unwrap()
}

pub async fn rows(db: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    db.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap()
}

/// A paid trade of the bank.
pub struct Paid {
    attempt_no: String,
    pub total: i64,
    sent_back: i64,
}

/// The bank's paid trades, by channel and trade number.
pub type Bank = BTreeMap<(String, String), Paid>;

/// Nothing lost, nothing doubled.
pub async fn compare(town: &Town) {
    let db = open(town).await;
    for (what, sql) in NEVER {
        let count = number(&db, sql).await;
        if count > 0 {
            town.notes.wrong(format!("{count} {what}"));
        }
    }
    let mut bank = bank_of(town).await;
    campus::compare(town, &db, &bank).await;
    let trades = "SELECT t.channel, t.trade_no, t.outcome, t.amount_fen, \
                  (SELECT CAST(COALESCE(SUM(r.amount_fen), 0) AS BIGINT) FROM refund r \
                  WHERE r.trade_no = t.trade_no AND r.channel = t.channel AND r.state = 'done') AS back, \
                  (SELECT CAST(COALESCE(SUM(r.amount_fen), 0) AS BIGINT) FROM refund r \
                  WHERE r.trade_no = t.trade_no AND r.channel = t.channel) AS wanted FROM trade t";
    for row in rows(&db, trades).await {
        let text = |column: &str| row.try_get::<String>("", column).unwrap();
        let fen = |column: &str| row.try_get::<i64>("", column).unwrap();
        let (key, outcome) = ((text("channel"), text("trade_no")), text("outcome"));
        let Some(paid) = bank.remove(&key) else {
            town.notes.wrong(format!("trade {} {}: in our books and not paid at the bank", key.0, key.1));
            continue;
        };
        town.notes.count(format!("trades {outcome}"));
        let (back, wanted) = (fen("back"), fen("wanted"));
        let fits = match town.full {
            true => paid.sent_back == back && back == wanted,
            // some are still on their way
            false => back <= paid.sent_back && paid.sent_back <= wanted,
        };
        let right = fits && (outcome == "settled" || outcome == "surplus" && wanted == paid.total);
        if !right || paid.total != fen("amount_fen") {
            town.notes.wrong(format!(
                "trade {} {}: {outcome} with {} fen, {} sent back; at the bank {} fen, {} sent back",
                key.0,
                key.1,
                fen("amount_fen"),
                back,
                paid.total,
                paid.sent_back
            ));
        }
    }
    for unheard in unheard_of(town, &db).await {
        match unheard.next_look_in(&db).await {
            Some(_) if !town.full => town.notes.count("late payments our next look will find"),
            look => town.notes.wrong(format!(
                "trade {} {} of {}: paid at the bank and not in our books; the next look in {look:?}",
                unheard.channel, unheard.trade_no, unheard.attempt_no
            )),
        }
    }
    let paid: Vec<String> = rows(&db, "SELECT order_no FROM payment_order WHERE state = 'paid'")
        .await
        .iter()
        .map(|row| row.try_get("", "order_no").unwrap())
        .collect();
    for order_no in town.notes.all_told_paid() {
        if !paid.contains(&order_no) {
            town.notes.wrong(format!("{order_no}: a page said that it is paid, and it is not"));
        }
    }
}

async fn bank_of(town: &Town) -> Bank {
    let (_, trades) = town.control("trades", None).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let paid = trades.as_array().unwrap().iter().filter(|trade| trade["state"] == "paid");
    let read = |trade: &Value| {
        let done = trade["refunds"].as_array().unwrap().iter().filter(|refund| refund["state"] == "success");
        let sent_back = done.map(|refund| refund["amount_fen"].as_i64().unwrap()).sum();
        let total = trade["total_fen"].as_i64().unwrap();
        (
            (text(&trade["channel"]), text(&trade["trade_no"])),
            Paid { attempt_no: text(&trade["out_trade_no"]), total, sent_back },
        )
    };
    paid.map(read).collect()
}

/// `jiaofei audit` ends well, and finds the journal as it was written.
pub async fn audit(town: &Town) {
    for words in [&["audit"][..], &["audit", "--chain"][..]] {
        let told = jiaofei(&town.config, words).output().await.unwrap();
        town.notes.count(format!("{}: ended with {}", words.join(" "), told.status.code().unwrap_or(-1)));
        if !told.status.success() {
            town.notes.wrong(format!("{}: {}", words.join(" "), String::from_utf8_lossy(&told.stdout)));
        }
    }
}

/// What the processes have written: no panic anywhere, no deadlock, no transaction that could not be serialised.
pub fn read_logs(town: &Town) {
    let mut sayings: BTreeMap<String, u64> = BTreeMap::new();
    for server in &town.servers {
        for line in server.written().lines() {
            let lower = line.to_lowercase();
            if ["panic", "40p01", "40001", "deadlock", "could not serialize"].iter().any(|word| lower.contains(word)) {
                town.notes.wrong(format!("a server wrote: {}", tail(line, 1000)));
            }
            let said: Value = serde_json::from_str(line).unwrap_or(Value::Null);
            if said["level"] == "ERROR" {
                let message = said["message"].as_str().unwrap_or("?").to_owned();
                let cause = ["failure", "error", "reason"].iter().find_map(|key| said[*key].as_str()).unwrap_or("");
                *sayings.entry(format!("{message}: {}", cause.chars().take(110).collect::<String>())).or_default() += 1;
            }
        }
    }
    for (said, times) in sayings {
        println!("{times:>8}  × the servers' log: {said}");
    }
    for line in town.postgres.log().lines().filter(|line| line.contains("deadlock detected")) {
        town.notes.wrong(format!("PostgreSQL wrote: {line}"));
    }
}
