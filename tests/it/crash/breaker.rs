//! Whoever does the harm: at random moments, out of one seed.
use std::sync::Arc;
use std::time::Duration;

use jiaofei::clock::Chance;

use super::campus;
use super::outside::Stop;
use super::program::jiaofei;
use super::town::{Scale, Town};

#[derive(Clone, Copy, Debug)]
enum Outage {
    Redis,
    Database(Stop),
    /// The gateways take connections and answer nobody
    GatewaysFrozen,
    /// Connections to the gateways break and are refused
    GatewaysRefuse,
}

const KINDS: [Outage; 5] = [
    Outage::Redis,
    Outage::Database(Stop::Fast),
    Outage::Database(Stop::Immediate),
    Outage::GatewaysFrozen,
    Outage::GatewaysRefuse,
];

/// Kills servers and takes away what they need, side by side, until all of it is done; then the town closes.
pub async fn break_everything(town: &Arc<Town>, scale: &Scale) {
    let killing = kill(town, Chance::seeded(scale.seed), scale.kills);
    let cutting = cut(town, Chance::seeded(scale.seed + 1), scale.outages);
    tokio::join!(killing, cutting);
    town.close();
}

async fn kill(town: &Town, chance: Chance, kills: u64) {
    let mut left = kills;
    while left > 0 {
        tokio::time::sleep(Duration::from_millis(300 + chance.below(2500))).await;
        let at = usize::try_from(chance.below(town.servers.len() as u64)).unwrap();
        // one that is just being started again is left for later
        if town.servers[at].kill().await {
            left -= 1;
        }
    }
}

async fn cut(town: &Arc<Town>, chance: Chance, times: u64) {
    let mut outages: Vec<Outage> = (0..times).flat_map(|_| KINDS).collect();
    while !outages.is_empty() {
        tokio::time::sleep(Duration::from_millis(300 + chance.below(1200))).await;
        let outage = outages.swap_remove(usize::try_from(chance.below(outages.len() as u64)).unwrap());
        let long = Duration::from_millis(1000 + chance.below(2000));
        town.notes.count(format!("outages: {outage:?}"));
        match outage {
            // nobody may notice: no outage to the notes
            Outage::Redis => {
                town.redis.lock().await.stop();
                tokio::time::sleep(long).await;
                town.redis.lock().await.come_back();
            }
            Outage::Database(how) => {
                town.notes.outage_begins();
                let postgres = Arc::clone(town);
                tokio::task::spawn_blocking(move || postgres.postgres.stop(how)).await.unwrap();
                tokio::time::sleep(long / 2).await;
                let postgres = Arc::clone(town);
                tokio::task::spawn_blocking(move || postgres.postgres.come_back()).await.unwrap();
            }
            Outage::GatewaysFrozen => {
                town.notes.outage_begins();
                town.gateways.freeze().await;
                tokio::time::sleep(long * 2).await;
                town.gateways.thaw().await;
            }
            Outage::GatewaysRefuse => {
                town.notes.outage_begins();
                town.way_out.shut();
                tokio::time::sleep(long).await;
                town.way_out.unlock();
            }
        }
        if !matches!(outage, Outage::Redis) {
            town.notes.outage_ends();
        }
    }
}

/// The channels' own untidiness, and the campus system's: every notice comes three times at once, and some answers are
/// lost after their effect. In the first half notices never come; in the second, money is taken for what is closed.
/// Both at once would be found by our next look at what is closed, which is half an hour away: a story tells that.
pub async fn untidy(town: Arc<Town>, seed: u64, kills: u64) {
    let chance = Chance::seeded(seed + 2);
    town.fault("duplicate_notice", None).await;
    let mut late = false;
    while !town.is_closing() {
        tokio::time::sleep(Duration::from_millis(500 + chance.below(1500))).await;
        if !late && 2 * town.notes.of("servers killed and started again") >= kills {
            late = true;
            town.no_faults().await;
            town.fault("duplicate_notice", None).await;
        }
        let own = if late { "take_late_payment" } else { "lose_notice" };
        let fault = [own, "lose_answer", "hang_after_effect", "reorder_notice"];
        town.fault(fault[usize::try_from(chance.below(4)).unwrap()], Some(2)).await;
        if chance.below(4) == 0 {
            campus::stumble(&town, chance.below(3)).await;
        }
    }
}

/// The finance office sends money back now and then.
pub async fn refund(town: Arc<Town>, seed: u64) {
    let chance = Chance::seeded(seed + 3);
    let mut done: Vec<String> = Vec::new();
    while !town.is_closing() {
        tokio::time::sleep(Duration::from_millis(700 + chance.below(1500))).await;
        let paid: Vec<String> = town.notes.all_told_paid().into_iter().filter(|no| !done.contains(no)).collect();
        let Some(order_no) = paid.get(usize::try_from(chance.below(paid.len().max(1) as u64)).unwrap()) else {
            continue;
        };
        let mut office = jiaofei(&town.config, &["office", "refund", order_no, "--reason", "退学"]);
        let told = tokio::time::timeout(Duration::from_secs(20), office.output()).await;
        match told {
            Ok(Ok(told)) if told.status.success() => town.notes.count("refunds by the office"),
            // the database may be away, or the order is sent back already by a try whose answer was lost
            _ => town.notes.count("refunds the office could not ask for"),
        }
        done.push(order_no.clone());
    }
}
