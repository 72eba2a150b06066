//! Paying on UnionPay's own page: the form that leads there, the cashier, and the ways back.
use std::time::Duration;

use jiaofei::sandbox::faults::{Fault, Setting};
use jiaofei::sandbox::merchants::UNIONPAY_MER_FISCAL;

use crate::paying::tap;
use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::unionpay::Press;

/// A student before our launch page to UnionPay, on such a device.
async fn at_the_door(device: Device) -> (TestApp, Phone, Page) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(device);
    phone.sign_in(&student).await;
    let form = phone.get("/h5/tuition").await.form("/h5/checkout");
    let cashier = phone.open(phone.submit(&form).await.location()).await;
    let launch = phone.settle(tap(&phone, &cashier, "unionpay").await).await;
    (world, phone, launch)
}

fn result_of(launch: &Page) -> String {
    launch.path.replace("/cashier/", "/result/").replace("/go", "")
}

#[tokio::test]
async fn a_payer_pays_on_unionpays_page_and_comes_back_to_a_paid_order_before_any_notice() {
    for device in [Device::Mobile, Device::Desktop, Device::UnionPay] {
        let (world, phone, launch) = at_the_door(device).await;
        let cashier = world.to_unionpay(&phone, &launch).await;
        assert!(cashier.has("启明大学") && cashier.has("9,100.00") && cashier.has("95516"), "{}", cashier.text());
        let paid = world.at_unionpay(&phone, &cashier, Press::Pay).await;
        assert!(paid.has("支付成功"), "{}", paid.text());
        let result = world.back_from_unionpay(&phone, &paid).await;
        assert!(result.has("缴费成功") && result.has("9,100.00"), "{device:?}: {}", result.text());
        assert_eq!(world.sandbox.bank().received(UNIONPAY_MER_FISCAL).get(), 910_000);
    }
}

#[tokio::test]
async fn a_payer_who_never_comes_back_is_known_by_the_notice_and_without_one_by_asking() {
    for lost in [false, true] {
        let (world, phone, launch) = at_the_door(Device::Mobile).await;
        if lost {
            world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
        }
        let cashier = world.to_unionpay(&phone, &launch).await;
        world.at_unionpay(&phone, &cashier, Press::Pay).await;
        let told = world.sandbox.deliver_due().await;
        assert_eq!(told.iter().filter(|delivery| delivery.received).count(), usize::from(!lost));
        world.pass(Duration::from_secs(if lost { 60 } else { 1 })).await;
        assert!(phone.get(&result_of(&launch)).await.has("缴费成功"), "lost: {lost}");
    }
}

#[tokio::test]
async fn a_wrong_password_pays_nothing_and_the_payer_may_turn_away_and_come_again() {
    let (world, phone, launch) = at_the_door(Device::Mobile).await;
    let cashier = world.to_unionpay(&phone, &launch).await;
    let again = world.at_unionpay(&phone, &cashier, Press::WrongPassword).await;
    assert!(again.has("密码错误，请重新输入"), "{}", again.text());
    let back = world.back_from_unionpay(&phone, &again).await;
    assert!(!back.has("缴费成功") && back.status == 200, "{}", back.text());
    let launch = phone.get(&launch.path).await;
    let cashier = world.to_unionpay(&phone, &launch).await;
    world.at_unionpay(&phone, &cashier, Press::Pay).await;
    world.sandbox.deliver_due().await;
    assert!(phone.get(&result_of(&launch)).await.has("缴费成功"));
}
