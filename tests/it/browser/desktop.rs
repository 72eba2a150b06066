//! Paying a desktop's order with a phone: one code, whatever app reads it.
use super::stage::{self, Payer, Stage};
use super::steps::scan;
use crate::world::phone::Device;

/// The code is read in WeChat, where the payment is called off, then in Alipay, where it is made; the desktop moves on
/// by itself.
async fn pay_by_phones(stage: &Stage, before_each_page: &str) {
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let desktop = stage.open(Device::Desktop).await;
    desktop.before_each_page(before_each_page).await;
    stage.to_cashier(&desktop, &student).await;
    desktop.wait_for("const code = document.querySelector('.qr img'); return code.complete && code.naturalWidth").await;
    let link = scan(&desktop).await;
    assert!(link.starts_with(&format!("{}/q/", stage.world.url)), "{link}");

    let wechat = stage.wechat("liu").await;
    wechat.goto(&link).await;
    wechat.see("您正在为 刘*宇 缴费").await;
    wechat.click("[form=pf]").await;
    stage.in_wechat(&wechat, "liu", Payer::Cancels).await;
    wechat.see("没有从您的账户扣款").await;
    assert!(desktop.address().await.contains("/h5/cashier/"), "a call-off moves nothing");
    assert_eq!(scan(&desktop).await, link, "the code stays good");

    let alipay = stage.alipay("zhang").await;
    alipay.goto(&link).await;
    alipay.see("您正在为 刘*宇 缴费").await;
    alipay.click("[form=pf]").await;
    stage.in_alipay(&alipay, "zhang", Payer::Pays).await;
    alipay.see("缴费成功").await;
    assert!(!alipay.text().await.contains("刘晓宇"), "the code does not tell whose it is");

    desktop.arrive("/h5/result/").await;
    desktop.see("缴费成功").await;
    assert_eq!((stage.orders().await, stage.paid().await), (1, 1));
    wechat.goto(&link).await;
    wechat.see("这笔订单已付款").await;
    for window in [&desktop, &wechat, &alipay] {
        assert_eq!(window.complaints().await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_code_outlives_a_cancelled_try_in_wechat_and_is_paid_in_alipay() {
    let Some(stage) = stage::set().await else { return };
    pay_by_phones(&stage, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desktop_that_hears_no_events_asks_and_moves_on_as_well() {
    let Some(stage) = stage::set().await else { return };
    pay_by_phones(&stage, "delete window.EventSource").await;
}
