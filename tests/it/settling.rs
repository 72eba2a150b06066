//! Money comes in: by notice, by inquiry, once.
use std::time::Duration;

use jiaofei::domain::order::{AttemptState, OrderState};
use jiaofei::domain::trade::Product;
use jiaofei::flow::inquire;
use jiaofei::sandbox::faults::{Fault, Setting};
use jiaofei::sandbox::merchants::WECHAT_MCH_FISCAL;
use jiaofei::store::{attempts, charges};

use crate::world::app::TestApp;

const PHONE: &str = "13800000001";

#[tokio::test]
async fn a_notice_settles_the_order_its_charges_and_one_receipt() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    world.pay(&order, Product::WechatJsapi, PHONE).await;
    let deliveries = world.sandbox.deliver_due().await;
    assert_eq!(deliveries.len(), 1);
    assert!(world.is_paid(&order).await);
    let own = charges::find_of_payer(world.app.db.read(), student.id).await.unwrap();
    let owed: Vec<i64> = own.iter().map(|charge| charge.balance.arrears().get()).collect();
    assert_eq!(owed, [0, 0, 25_000]);
    assert_eq!(world.count("SELECT COUNT(*) FROM receipt").await, 1);
    assert_eq!(world.sandbox.bank().received(WECHAT_MCH_FISCAL), order.total);
}
