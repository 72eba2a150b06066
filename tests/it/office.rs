//! What the finance office decides by command.
use std::time::Duration;

use jiaofei::domain::money::Fen;
use jiaofei::domain::order::OrderState;
use jiaofei::domain::trade::Product;
use jiaofei::flow::office::{self, RefundLine};
use jiaofei::sandbox::faults::{Fault, Setting};
use jiaofei::sandbox::merchants::WECHAT_MCH_FISCAL;
use jiaofei::store::{charges, journal};

use crate::world::app::TestApp;
use crate::world::school::Student;

const PHONE: &str = "13800000001";

async fn world() -> (TestApp, Student) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

#[tokio::test]
async fn money_of_a_wrong_amount_goes_back_once_and_the_order_can_be_paid_again() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.sandbox.set_fault(Setting::always(Fault::WrongAmount));
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    world.sandbox.clear_faults();
    let items = office::items(&world.app).await.unwrap();
    assert_eq!((items.len(), items[0].kind.as_str()), (1, "amount_mismatch"));

    assert_eq!(office::send_back(&world.app, &order).await.unwrap(), Fen::new(800_001));
    assert_eq!(office::send_back(&world.app, &order).await.unwrap_err().to_string(), "refused: not_found");
    assert_eq!(office::items(&world.app).await.unwrap(), [], "looked at");
    assert_eq!(world.count("SELECT COUNT(*) FROM refund").await, 1);
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    assert!(matches!(world.order(&order).await.state, OrderState::Paid { .. }));
    assert_eq!(world.count("SELECT CAST(SUM(paid_fen) AS BIGINT) FROM charge").await, 800_000);
}

#[tokio::test]
async fn a_paid_order_is_sent_back_line_by_line_or_whole_and_never_more_than_was_paid() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    let charge = charges::find_one_of_payer(world.app.db.read(), student.id, student.dormitory).await.unwrap();
    let dormitory = charge.unwrap().item.code;
    let line = |fen: i64| [RefundLine { item: dormitory.clone(), period: "2019".into(), amount: Some(Fen::new(fen)) }];
    assert!(office::refund(&world.app, &order, &line(110_001), "退宿").await.is_err());
    assert_eq!(office::refund(&world.app, &order, &line(10_000), "退宿").await.unwrap(), Fen::new(10_000));
    let stranger = [RefundLine { item: "no-such".into(), period: "2019".into(), amount: None }];
    assert!(office::refund(&world.app, &order, &stranger, "退宿").await.is_err());
    assert_eq!(office::refund(&world.app, &order, &[], "退学").await.unwrap(), Fen::new(900_000), "all that is left");
    assert!(office::refund(&world.app, &order, &[], "退学").await.is_err(), "nothing is left");
    world.pass(Duration::from_secs(120)).await;
    assert_eq!(world.sandbox.bank().sent_back(WECHAT_MCH_FISCAL), order.total);
}

#[tokio::test]
async fn an_item_is_ticked_off_once() {
    let (world, _) = world().await;
    let now = world.clock.now();
    let raise = journal::raise_office_item(world.app.db.write(), "foreign_notice", "A", "mchid: 1", now);
    raise.await.unwrap();
    let id = office::items(&world.app).await.unwrap()[0].id;
    assert!(office::resolve(&world.app, id).await.unwrap());
    assert!(!office::resolve(&world.app, id).await.unwrap());
    assert!(!office::resolve(&world.app, id + 1).await.unwrap());
    assert_eq!(office::items(&world.app).await.unwrap(), []);
}

#[tokio::test]
async fn an_item_that_was_ticked_off_is_opened_again_when_its_cause_comes_back() {
    let (world, _) = world().await;
    let raise = async |details: &str| {
        let now = world.clock.now();
        journal::raise_office_item(world.app.db.write(), "refund_stuck", "R", details, now).await.unwrap();
    };
    raise("first").await;
    raise("while it is open").await;
    let [item] = &office::items(&world.app).await.unwrap()[..] else { panic!("one item") };
    assert_eq!(item.details, "first");
    assert!(office::resolve(&world.app, item.id).await.unwrap());
    world.clock.advance(Duration::from_secs(60));
    raise("again").await;
    let [again] = &office::items(&world.app).await.unwrap()[..] else { panic!("one item") };
    assert_eq!((again.id, again.details.as_str(), again.raised_at), (item.id, "again", world.clock.now()));
}
