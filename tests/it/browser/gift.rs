//! 家长代付: a student shows a code, a parent reads it in another app and pays.
use super::stage::{self, Payer};
use super::steps::scan;
use crate::world::phone::Device;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_reads_the_code_off_the_students_phone_in_another_app_and_pays() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let phone = stage.open(Device::Mobile).await;
    stage.sign_in(&phone, &student).await;
    phone.goto(&format!("{}/h5/pay-for-me", stage.world.url)).await;
    phone.click(&format!("input[value='{}']", student.insurance)).await;
    phone.press("生成代付链接").await;
    phone.see("等待代付").await;
    phone.press("出示二维码").await;
    phone.wait_for("const code = document.querySelector('.qr img'); return code.complete && code.naturalWidth").await;
    let link = scan(&phone).await;
    assert!(link.starts_with(&format!("{}/for/", stage.world.url)), "{link}");

    let parent = stage.alipay("zhang").await;
    parent.goto(&link).await;
    parent.see("为 刘*宇 缴费").await;
    parent.fill("#gv", "刘妈妈").await;
    parent.press("去付款").await;
    parent.see("剩余支付时间").await;
    parent.click("[form=pf]").await;
    stage.in_alipay(&parent, "zhang", Payer::Pays).await;
    parent.see("缴费成功").await;
    assert!(!parent.text().await.contains("刘晓宇"), "a masked name is all there is");

    phone.goto(&phone.address().await).await;
    phone.see("已缴清").await;
    phone.see("刘妈妈").await;
    assert_eq!((stage.orders().await, stage.paid().await), (1, 1));
    for window in [&phone, &parent] {
        assert_eq!(window.complaints().await, [""; 0]);
    }
}
