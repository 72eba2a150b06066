//! Work that waits for one channel holds up nothing that waits for another.
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiaofei::domain::trade::{Channel, Product};
use jiaofei::jobs;
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use tokio::sync::watch;

use crate::metrics::Scrape;
use crate::world::app::TestApp;

const PHONE: &str = "13800000001";
const MANY: u32 = 30;

/// Jobs as `serve` runs them, until the story ends.
fn run_jobs(world: &TestApp) -> watch::Sender<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(jobs::run(Arc::clone(&world.app), stopped));
    stop
}

async fn until(what: &str, mut fulfilled: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !fulfilled().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn while_one_channel_hangs_the_others_payments_are_found_and_its_orders_end() {
    let world = TestApp::start().await;
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    let mut waiting = Vec::new();
    for number in 1..=MANY {
        let student = world.school.student(&world.app, number, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition]).await;
        world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
        waiting.push(order);
    }
    let last = world.school.student(&world.app, MANY + 1, "周以宁").await;
    let paid = world.open_one(last.id, &[last.tuition]).await;
    world.arrive_and_pay(&paid, Product::AlipayWap, PHONE).await;
    let left = world.open_one(last.id, &[last.dormitory]).await;
    world.sandbox.set_fault(Setting::always(Fault::Hang).at(Channel::Wechat).during(Call::Query));
    // every attempt of WeChat's has been due for longer than Alipay's, and every order is over
    let overdue = "UPDATE attempt SET next_inquiry_at = next_inquiry_at - 9000 WHERE channel = 'wechat'";
    world.count(&format!("{overdue} RETURNING next_inquiry_at")).await;
    world.clock.advance(Duration::from_secs(31 * 60));
    let stop = run_jobs(&world);
    until("the payment at the channel that answers is found", async || world.is_paid(&paid).await).await;
    until("the order nobody began to pay ends", async || {
        world.count("SELECT COUNT(*) FROM payment_order WHERE state = 'closed'").await == 1
    })
    .await;
    let gave_up = Scrape::of(&world).await.get("inquiries_total{channel=\"wechat\",answer=\"unreachable\"}");
    assert!(gave_up < f64::from(MANY), "{gave_up} calls to the channel that hangs were waited for");
    stop.send_replace(true);
    assert!(!world.is_paid(&left).await && !world.is_paid(&waiting[0]).await);
}
