//! Orders, payments made, receipts.
use std::time::Duration;

use jiaofei::domain::money::Fen;
use jiaofei::domain::trade::Product;
use jiaofei::flow::{checkout, refund};

use crate::browser::gallery::{Gallery, in_both_languages};
use crate::world::phone::Device;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_payments_and_receipts() {
    in_both_languages(Device::Wechat, async |gallery: &mut Gallery| {
        gallery.stage.sign_in(&gallery.window, &gallery.student).await;
        for (path, name) in [("/h5/orders", "orders-none"), ("/h5/paid", "paid-none")] {
            gallery.goto(path).await;
            gallery.hang(name).await;
        }
        let (world, student) = (&gallery.stage.world, &gallery.student);
        let given_up = world.open_one(student.id, &[student.insurance]).await;
        checkout::cancel(&world.app, &given_up).await.unwrap();
        let paid = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
        world.pay(&paid, Product::WechatNative, "liu").await;
        world.sandbox.deliver_due().await;
        let part = [(student.dormitory, Fen::new(50_000))];
        refund::request(&world.app, &paid, &part, "退宿").await.unwrap();
        world.pass(Duration::from_secs(60)).await;
        let waiting = world.open_one(student.id, &[student.insurance]).await;

        gallery.goto("/h5/orders").await;
        gallery.hang_in_every_light("orders").await;
        gallery.goto("/h5/orders?show=failed&when=days&from=2026-01-01&to=2026-01-31").await;
        gallery.hang("orders-none-found").await;
        for (order, name) in [(&waiting, "order-waiting"), (&given_up, "order-cancelled")] {
            gallery.goto(&format!("/h5/orders/{}", order.order_no)).await;
            gallery.hang(name).await;
        }
        gallery.goto(&format!("/h5/orders/{}", paid.order_no)).await;
        gallery.hang_in_every_light("order-paid").await;
        gallery.goto("/h5/paid").await;
        gallery.hang_in_every_light("paid").await;
        gallery.window.click("main ul a").await;
        gallery.window.arrive("/h5/paid/").await;
        gallery.hang_in_every_light("receipt").await;
        gallery.goto("/h5/paid?show=other").await;
        gallery.hang("paid-none-found").await;
    })
    .await;
}
