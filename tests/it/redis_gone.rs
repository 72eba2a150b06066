//! Redis stops in the middle of everything, and is back later: nobody is signed out, nobody who signed out comes back.
use std::time::{Duration, Instant};

use jiaofei::cache::keep::CacheState;
use jiaofei::config::Redis;
use jiaofei::domain::trade::Product;

use crate::world::app::TestApp;
use crate::world::phone::Device;
use crate::world::redis::Server;

#[tokio::test]
async fn with_redis_gone_people_sign_in_pay_and_sign_out_and_it_is_used_again_when_it_is_back() {
    // only where the run has Redis at all
    if std::env::var("JIAOFEI_TEST_REDIS").is_err() {
        return;
    }
    let mut server = Server::start();
    let url = server.url();
    let world = TestApp::start_with(|config| config.redis = Some(Redis { url })).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let [stays, leaves] = [Device::Wechat, Device::Mobile].map(|device| world.phone(device));
    stays.sign_in(&student).await;
    leaves.sign_in(&student).await;
    assert_eq!(world.app.cache.state(), CacheState::Redis);

    server.stop();
    assert_eq!(stays.get("/h5").await.status, 200, "nobody is signed out");
    let order = world.open_one(student.id, &[student.insurance]).await;
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await, "notices are heard");
    assert_eq!(world.app.cache.state(), CacheState::Degraded);
    let ready = stays.get("/readyz").await;
    assert!(ready.status == 200 && ready.body().contains("degraded"), "{}", ready.body());
    let bye = leaves.submit(&leaves.get("/h5").await.form("/h5/logout")).await;
    assert_eq!(bye.status, 200);
    assert_eq!(leaves.get("/h5").await.status, 303);
    assert_eq!(world.phone(Device::Desktop).sign_in(&student).await.status, 200, "new people come in");
    // guesses are still counted, by this process alone
    let guesser = world.phone(Device::Desktop);
    for _ in 0..3 {
        let form = guesser.get("/h5/login").await.form("/h5/login");
        guesser.submit(&form.set("username", "20990118").set("password", "wrong!")).await;
    }
    assert!(guesser.get("/h5/login").await.has("等于几"));

    server.come_back();
    let begun = Instant::now();
    while world.app.cache.state() != CacheState::Redis {
        assert!(begun.elapsed() < Duration::from_secs(10), "Redis is not used again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(stays.get("/h5").await.status, 200);
    assert_eq!(leaves.get("/h5").await.status, 303, "who signed out meanwhile stays out");
}

#[tokio::test]
async fn a_redis_that_was_emptied_signs_nobody_out_and_loses_no_order() {
    let world = TestApp::start().await;
    // the in-process twin is emptied by nothing but the end of the process
    let Some(Redis { url }) = world.app.config.redis.clone() else { return };
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Mobile);
    phone.sign_in(&student).await;
    let form = phone.get("/h5/tuition").await.form("/h5/checkout");
    let cashier = phone.open(phone.submit(&form).await.location()).await;
    let mut line = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    redis::cmd("FLUSHDB").query_async::<()>(&mut line).await.unwrap();
    assert_eq!(phone.get(&cashier.path).await.status, 200);
    assert!(phone.get("/h5").await.has("9,350.00"));
    assert_eq!(phone.submit(&form).await.location(), cashier.path, "the same selection is the same order");
}
