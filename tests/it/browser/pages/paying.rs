//! From the arrears to the result.
use std::time::Duration;

use jiaofei::domain::fee::{Collection, FeeItem, FeeKind, Window};
use jiaofei::domain::order::Order;
use jiaofei::domain::trade::{Channel, Product};
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::store::fees;

use crate::browser::gallery::{Gallery, in_both_languages};
use crate::browser::stage::{Payer, WECHAT_BRIDGE};
use crate::world::phone::Device;
use crate::world::school::{self, item};

impl Gallery {
    /// One more charge, of an item that cannot be paid now.
    async fn owe(&self, item: FeeItem, fen: i64) {
        let world = &self.stage.world;
        let id = fees::upsert_item(world.app.db.write(), &item, world.clock.now()).await.unwrap();
        school::charge(&world.app, self.student.id, id, world.school.period, fen).await;
    }

    /// An order of the two fiscal lines.
    async fn order(&self) -> Order {
        self.stage.world.open_one(self.student.id, &[self.student.tuition, self.student.dormitory]).await
    }

    /// The script of every page's beginning that makes this browser a phone's WeChat.
    async fn become_wechat(&self, phone: &str) {
        self.window.set_cookie(&self.stage.world.sandbox_url, "phone", phone).await;
        self.window.before_each_page(WECHAT_BRIDGE).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_owed_and_the_choice_of_it() {
    in_both_languages(Device::Wechat, async |gallery: &mut Gallery| {
        let now = gallery.stage.world.clock.now();
        let day = |days: u64| Duration::from_secs(days * 86_400);
        gallery.stage.sign_in(&gallery.window, &gallery.student).await;
        gallery.goto("/h5/tuition").await;
        gallery.hang_in_every_light("tuition").await;
        let books = item("14", ("教材费", "Books"), "agency", None);
        gallery.owe(FeeItem { collection: Collection::Suspended, ..books }, 41_860).await;
        let other = |item: FeeItem| FeeItem { kind: FeeKind::Other, ..item };
        let meeting = item("22", ("会议费", "Conference fee"), "agency", None);
        let over = Window { opens_at: None, closes_at: Some(now - day(5)) };
        gallery.owe(FeeItem { window: over, ..other(meeting) }, 80_000).await;
        let uniform = item("23", ("军训服装费", "Military training uniform"), "agency", None);
        let soon = Window { opens_at: Some(now + day(14)), closes_at: None };
        gallery.owe(FeeItem { window: soon, ..other(uniform) }, 23_800).await;
        gallery.goto("/h5/tuition?expired=1").await;
        gallery.hang("tuition-not-payable").await;
        gallery.window.click("#all").await;
        gallery.window.click("#go").await;
        gallery.window.see(gallery.says("请先勾选要缴的项目", "Choose what to pay first")).await;
        gallery.hang("tuition-none-selected").await;

        gallery.window.click("a.ed").await;
        gallery.hang_in_every_light("tuition-change").await;
        gallery.window.fill("#ea", "7600").await;
        gallery.window.click("#edit .btn[value=ok]").await;
        gallery.hang("tuition-change-wrong").await;
        gallery.window.click("#edit .chip[data-v=half]").await;
        gallery.window.click("#edit .btn[value=ok]").await;
        gallery.hang("tuition-changed").await;
        gallery.order().await;
        gallery.window.click("#go").await;
        gallery.window.see(gallery.says("所选项目已在待支付订单", "already in order")).await;
        gallery.hang("tuition-refused").await;
        gallery.goto("/h5/tuition").await;
        gallery.hang("tuition-in-order").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_amount_without_a_script() {
    in_both_languages(Device::Mobile, async |gallery: &mut Gallery| {
        gallery.stage.sign_in(&gallery.window, &gallery.student).await;
        let path = format!("/h5/tuition/{}/amount", gallery.student.tuition);
        gallery.goto(&path).await;
        gallery.hang("amount").await;
        gallery.window.fill("#ea", "7600").await;
        gallery.window.click("main form [type=submit]").await;
        gallery.window.see(gallery.says("低于最小拆分金额", "less than the smallest part")).await;
        gallery.hang("amount-wrong").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cashier_inside_wechat_and_what_follows() {
    in_both_languages(Device::Wechat, async |gallery: &mut Gallery| {
        gallery.stage.sign_in(&gallery.window, &gallery.student).await;
        let order = gallery.order().await;
        let cashier = format!("/h5/cashier/{}", order.order_no);
        gallery.goto(&cashier).await;
        gallery.hang_in_every_light("cashier").await;
        gallery.window.click("main details summary").await;
        gallery.hang("cashier-details").await;
        gallery.goto(&format!("{cashier}/browser")).await;
        gallery.hang_in_every_light("open-in-browser").await;

        gallery.become_wechat("liu").await;
        gallery.stage.world.sandbox.set_fault(Setting::always(Fault::Answer500).during(Call::Order));
        gallery.goto(&cashier).await;
        gallery.window.click("[form=pf]").await;
        gallery.window.see(gallery.says("暂时没有响应", "does not answer")).await;
        gallery.hang("cashier-no-answer").await;
        gallery.stage.world.sandbox.clear_faults();
        gallery.window.click("[form=pf]").await;
        gallery.window.wait_for("return window.asked && window.asked.length > 0").await;
        gallery.hang_in_every_light("launch").await;

        gallery.stage.world.sandbox.set_fault(Setting::always(Fault::Answer500).during(Call::Query));
        // what the channel said before is good for three seconds
        gallery.stage.world.clock.advance(Duration::from_secs(4));
        gallery.goto(&format!("/h5/result/{}?said=ok", order.order_no)).await;
        gallery.hang_in_every_light("result-confirming").await;
        gallery.goto(&format!("/h5/result/{}?said=fail", order.order_no)).await;
        gallery.window.see(gallery.says("是否扣款还在核对", "is being checked")).await;
        gallery.hang("result-uncertain").await;
        gallery.stage.world.sandbox.clear_faults();
        gallery.stage.world.clock.advance(Duration::from_secs(4));
        gallery.goto(&cashier).await;
        gallery.window.click("[form=pf]").await;
        gallery.stage.in_wechat(&gallery.window, "liu", Payer::Cancels).await;
        gallery.window.see(gallery.says("没有从您的账户扣款", "Nothing was taken")).await;
        gallery.hang_in_every_light("result-not-paid").await;
        gallery.goto(&cashier).await;
        gallery.window.click("[form=pf]").await;
        gallery.stage.in_wechat(&gallery.window, "liu", Payer::Pays).await;
        gallery.window.see(gallery.says("缴费成功", "Payment received")).await;
        gallery.hang_in_every_light("result-paid").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cashier_of_a_phones_browser_and_of_somebody_with_the_code() {
    in_both_languages(Device::Mobile, async |gallery: &mut Gallery| {
        let order = gallery.order().await;
        gallery.goto(&format!("/q/{}", order.pay_code)).await;
        gallery.hang("cashier-for-somebody").await;
        gallery.stage.world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
        gallery.window.without_script().await;
        gallery.window.click("[form=pf]").await;
        gallery.window.arrive("/go").await;
        gallery.hang("launch-without-script").await;
        gallery.window.click("#jump").await;
        gallery.window.press("立即支付").await;
        gallery.window.see(gallery.says("缴费成功", "Payment received")).await;
        gallery.hang("result-paid-for-somebody").await;
        let stranger = gallery.another(Device::Mobile).await;
        gallery.window = stranger;
        gallery.goto(&format!("/q/{}", order.pay_code)).await;
        gallery.hang("message-code-paid").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cashier_of_a_desktop() {
    in_both_languages(Device::Desktop, async |gallery: &mut Gallery| {
        gallery.stage.sign_in(&gallery.window, &gallery.student).await;
        gallery.hang("desktop-home").await;
        gallery.goto("/h5/tuition").await;
        gallery.hang("desktop-tuition").await;
        let order = gallery.order().await;
        gallery.goto(&format!("/h5/cashier/{}", order.order_no)).await;
        gallery.window.wait_for("const code = document.querySelector('.qr img'); return code.naturalWidth > 0").await;
        gallery.hang_in_every_light("desktop-cashier").await;
        gallery.stage.world.pay(&order, Product::WechatNative, "liu").await;
        gallery.window.see(gallery.says("缴费成功", "Payment received")).await;
        gallery.hang("desktop-result-paid").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_ended_otherwise() {
    in_both_languages(Device::Wechat, async |gallery: &mut Gallery| {
        gallery.stage.sign_in(&gallery.window, &gallery.student).await;
        let order = gallery.order().await;
        gallery.goto(&format!("/h5/cashier/{}", order.order_no)).await;
        gallery.window.press(gallery.says("取消这笔订单", "Cancel this order")).await;
        gallery.window.see(gallery.says("订单已取消", "Order cancelled")).await;
        gallery.hang("message-order-cancelled").await;
        gallery.goto(&format!("/h5/result/{}", order.order_no)).await;
        gallery.hang("result-closed").await;
        gallery.goto(&format!("/q/{}", order.pay_code)).await;
        gallery.hang("message-code-closed").await;

        let late = gallery.order().await;
        gallery.stage.world.clock.set(late.expires_at);
        gallery.goto(&format!("/h5/cashier/{}", late.order_no)).await;
        gallery.window.see(gallery.says("订单已关闭", "Order closed")).await;
        gallery.hang("message-order-expired").await;

        let twice = gallery.order().await;
        let world = &gallery.stage.world;
        let first = world.begin(&twice, Product::WechatNative, "liu").await.unwrap();
        world.pay(&twice, Product::WechatH5, "liu").await;
        world.sandbox.set_fault(Setting::always(Fault::TakeLatePayment));
        world.sandbox.pay(Channel::Wechat, first.attempt.attempt_no.as_str(), "zhang").unwrap();
        world.sandbox.deliver_due().await;
        jiaofei::jobs::run_once(&world.app).await.unwrap();
        world.sandbox.clear_faults();
        gallery.goto(&format!("/h5/result/{}", twice.order_no)).await;
        gallery.window.see(gallery.says("重复缴费", "Duplicate payment")).await;
        gallery.hang("result-paid-twice").await;

        gallery.stage.world.sandbox.set_fault(Setting::always(Fault::WrongAmount));
        let student = gallery.stage.world.school.student(&gallery.stage.world.app, 2, "周以宁").await;
        let other = gallery.stage.world.open_one(student.id, &[student.insurance]).await;
        gallery.stage.world.pay(&other, Product::WechatNative, "zhou").await;
        gallery.stage.world.sandbox.deliver_due().await;
        gallery.window = gallery.another(Device::Wechat).await;
        gallery.stage.sign_in(&gallery.window, &student).await;
        gallery.goto(&format!("/h5/result/{}", other.order_no)).await;
        gallery.window.see(gallery.says("财务处正在核对", "The finance office is checking")).await;
        gallery.hang("result-under-review").await;
        gallery.goto(&format!("/h5/orders/{}", other.order_no)).await;
        gallery.hang("order-under-review").await;
    })
    .await;
}
