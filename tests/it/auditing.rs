//! The books added up again: clean after business, and telling where a hand has been in them.
use jiaofei::domain::money::Fen;
use jiaofei::domain::trade::Product;
use jiaofei::flow::{audit, refund};
use sea_orm::ConnectionTrait;

use crate::world::app::TestApp;

const PHONE: &str = "13800000001";

async fn differing(world: &TestApp) -> Vec<(&'static str, String, i64, i64)> {
    let findings = audit::run(&world.app).await.unwrap();
    let row = |finding: &audit::Finding| {
        let told = finding.differences.iter();
        let name = finding.must_hold;
        told.map(|row| (name, row.subject.clone(), row.stands_fen, row.should_be_fen)).collect::<Vec<_>>()
    };
    findings.iter().flat_map(row).collect()
}

async fn after_business() -> TestApp {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    refund::request(&world.app, &order, &[(student.dormitory, Fen::new(10_000))], "退宿").await.unwrap();
    world.pass(std::time::Duration::from_secs(5)).await;
    world.open_one(student.id, &[student.insurance]).await;
    world
}

#[tokio::test]
async fn the_books_agree_after_payment_and_refund() {
    let world = after_business().await;
    assert_eq!(world.count("SELECT CAST(SUM(refunded_fen) AS BIGINT) FROM charge").await, 10_000);
    assert_eq!(differing(&world).await, []);
}

#[tokio::test]
async fn a_single_altered_fen_is_told_with_both_figures() {
    for (hand, told) in [
        ("UPDATE charge SET paid_fen = paid_fen - 1 WHERE assessed_fen = 800000", (1, 0)),
        (
            "UPDATE charge_entry SET amount_fen = amount_fen + 1 WHERE cause = 'assessed' AND amount_fen = 25000",
            (25_000, 25_001),
        ),
        ("UPDATE payment_order SET total_fen = 24999 WHERE total_fen = 25000", (24_999, 25_000)),
        ("UPDATE trade SET amount_fen = 909999", (910_000, 909_999)),
        ("DELETE FROM receipt", (0, 1)),
        ("UPDATE order_line SET refunded_fen = 9999 WHERE refunded_fen = 10000", (9_999, 10_000)),
        ("UPDATE charge_entry SET amount_fen = 9999 WHERE cause = 'refunded'", (9_999, 10_000)),
        ("UPDATE refund SET state = 'processing'", (10_000, 0)),
        ("DELETE FROM refund_line", (10_000, 0)),
        ("UPDATE charge_entry SET cause_no = 'XF1' WHERE cause = 'paid' AND amount_fen = 800000", (800_000, 0)),
        ("UPDATE charge SET waived_fen = 1 WHERE paid_fen = 800000", (800_000, 799_999)),
        ("UPDATE attempt SET state = 'closed'", (910_000, 0)),
        ("UPDATE attempt SET amount_fen = 909999", (910_000, 909_999)),
        ("DELETE FROM trade", (0, 910_000)),
        ("UPDATE trade SET outcome = 'mismatch'", (910_000, 910_000)),
        (
            "UPDATE trade SET outcome = 'surplus'; UPDATE payment_order SET state = 'pending', trade_no = NULL",
            (910_000, 0),
        ),
        ("UPDATE refund SET amount_fen = 910001, total_fen = 910001", (910_001, 910_000)),
        ("UPDATE refund SET amount_fen = 20000, total_fen = 910000", (20_000, 10_000)),
        ("UPDATE attempt SET payee_code = 'agency'", (0, 910_000)),
    ] {
        let world = after_business().await;
        world.app.db.write().execute_unprepared(hand).await.unwrap();
        let rows = differing(&world).await;
        assert!(rows.iter().any(|row| (row.2, row.3) == told), "{hand}: {rows:?}");
    }
}

#[tokio::test]
async fn the_totals_are_those_of_the_channels_statements() {
    let world = after_business().await;
    let [totals] = &audit::totals(&world.app).await.unwrap()[..] else { panic!("one payee, one channel") };
    assert_eq!((totals.payee_code.as_str(), totals.channel.as_str()), ("fiscal", "wechat"));
    assert_eq!((totals.settled_fen, totals.surplus_fen, totals.mismatch_fen), (910_000, 0, 0));
    assert_eq!((totals.sent_back_fen, totals.under_way_fen), (10_000, 0));
}
