//! What is told of the killed. Each runs where the tests have PostgreSQL and Redis; `tests/crash` runs the first at
//! length.
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sea_orm::ConnectionTrait;

use super::books;
use super::breaker::{break_everything, refund, untidy};
use super::person::Person;
use super::town::{Scale, Town};
use crate::world::app::TestApp;
use crate::world::database;
use crate::world::phone::Device;

/// Only where the run has both; the full run starts its own in any case.
fn wanted() -> bool {
    let named = |name| std::env::var(name).is_ok();
    named("JIAOFEI_TEST_KILLS") || named("JIAOFEI_TEST_DATABASE") && named("JIAOFEI_TEST_REDIS")
}

/// Nobody helps: no process is started by hand, no row is touched.
async fn must_be_well(town: &Arc<Town>, scale: &Scale) {
    for server in &town.servers {
        town.answers(server.port, Duration::from_secs(20)).await;
    }
    town.no_faults().await;
    // an inquiry comes within 45 s, an order is closed within the minute after its time, a refund is asked for again
    // after one minute and then after five
    let bound = Duration::from_secs(scale.order_seconds + if scale.full { 480 } else { 90 });
    books::wait_for_peace(town, bound).await;
    let debtor = town.next_debtor().await.expect("somebody has not paid yet");
    let person = Person::new(town, scale.seed, 9_999);
    for device in [Device::Mobile, Device::Wechat, Device::Alipay] {
        person.pay_something(&debtor, device).await;
    }
    books::wait_for_peace(town, bound).await;
    books::compare(town).await;
    books::audit(town).await;
    books::read_logs(town);
    town.notes.print();
    let wrong = town.notes.all_wrong();
    let (seed, count) = (scale.seed, wrong.len());
    if count > 0 {
        // the logs of a run that failed are worth keeping
        let kept = std::env::temp_dir().join(format!("jiaofei-crash-{seed}-{}", std::process::id()));
        std::fs::create_dir_all(&kept).unwrap();
        for server in &town.servers {
            std::fs::copy(&server.log, kept.join(server.log.file_name().unwrap())).unwrap();
        }
        std::fs::copy(&town.gateways.log, kept.join("sandbox.log")).unwrap();
        println!("the logs: {}", kept.display());
    }
    assert!(count == 0, "seed {seed}: {count} wrong:\n{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_and_cut_off_at_random_nothing_is_lost_nothing_doubled_and_all_is_well_by_itself() {
    if !wanted() {
        return;
    }
    let scale = Scale::read();
    println!("seed {} of {scale:?}", scale.seed);
    let town = Town::build(&scale).await;
    let persons: Vec<_> =
        (0..scale.persons).map(|at| tokio::spawn(Person::new(&town, scale.seed, at).live())).collect();
    let others = [
        tokio::spawn(untidy(Arc::clone(&town), scale.seed, scale.kills)),
        tokio::spawn(refund(Arc::clone(&town), scale.seed)),
    ];
    break_everything(&town, &scale).await;
    for one in join_all(persons.into_iter().chain(others)).await {
        one.unwrap();
    }
    must_be_well(&town, &scale).await;
    assert!(town.notes.of("servers killed and started again") >= scale.kills);
    assert!(town.notes.of("payments through wechat") > 0 && town.notes.of("payments through alipay") > 0);
}

#[tokio::test]
async fn a_payer_whose_page_was_under_way_when_the_database_stopped_is_asked_to_come_again_in_a_moment() {
    // SQLite has no connections to lose
    if std::env::var("JIAOFEI_TEST_DATABASE").is_err() {
        return;
    }
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Mobile);
    phone.sign_in(&student).await;
    let holding = world.app.db.begin().await.unwrap();
    holding.execute_unprepared("LOCK TABLE charge IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let page = tokio::spawn(async move { phone.get("/h5/tuition").await });
    // what PostgreSQL does to every connection when it is restarted
    let end = "SELECT CAST(COUNT(pg_terminate_backend(pid)) AS BIGINT) FROM pg_locks \
               WHERE relation = CAST('charge' AS regclass) AND NOT granted";
    while database::number(world.app.db.read(), end).await == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let page = page.await.unwrap();
    assert_eq!(page.status, 503, "{}", page.text());
    holding.commit().await.unwrap();
}
