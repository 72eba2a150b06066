//! Paying, as a person sees it.
use jiaofei::channel::contract::Prepay;
use jiaofei::domain::trade::Product;

use super::stage;
use crate::world::phone::Device;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_pays_at_the_page_wechat_shows_to_a_phone_that_has_it() {
    let Some(stage) = stage::set().await else { return };
    let world = &stage.world;
    let student = world.school.student(&world.app, 1, "刘晓宇").await;
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    let started = world.begin(&order, Product::WechatH5, "liu").await.unwrap();
    let Prepay::Redirect { url } = started.prepay else { panic!("H5 leads to a page") };

    let window = stage.open(Device::Mobile).await;
    window.goto(&world.url).await;
    window.script(&format!("location.href = {url:?}")).await;
    window.see("9,100.00").await;
    stage.keep(&window, "sandbox-wechat-h5").await;
    window.press("立即支付").await;
    window.arrive("/h5/result").await;
    while !world.is_paid(&order).await {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
