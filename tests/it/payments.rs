//! Payments of every way: the platform's, the counter's, and each attempt as the bank would list it.
use std::time::Duration;

use jiaofei::domain::money::Fen;
use jiaofei::domain::trade::Product;
use jiaofei::flow::import::run::{Kind, import};
use jiaofei::flow::refund;

use crate::world::app::TestApp;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

const DAY: Duration = Duration::from_secs(86_400);

async fn world() -> (TestApp, Student, Phone) {
    let world = TestApp::start().await;
    world.with_a_student().await
}

async fn bring(world: &TestApp, rows: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("charges.csv");
    std::fs::write(&file, rows).unwrap();
    let report = import(&world.app, Kind::Charges, &file, false, &|_, _| {}).await.unwrap();
    assert_eq!(report.bad_count, 0);
}

#[tokio::test]
async fn what_was_paid_at_the_counter_stands_among_the_payments_with_its_slip() {
    let (world, student, phone) = world().await;
    let order = world.open_one(student.id, &[student.insurance]).await;
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    let no = &student.number;
    bring(
        &world,
        &format!(
            "学号,收费期间,收费项目,应收,实缴,收费日期,收费单号,制单人\n\
             {no},2019,学费,8000,3000,2025-09-03,A004217,王敏\n{no},2019,住宿费,1100,100,,,\n"
        ),
    )
    .await;
    let all = phone.get("/h5/paid").await;
    for words in ["共 3 条记录", "A004217", "王敏", "2025年9月3日", "3,000.00", "学校柜台", "000001", "支付平台"]
    {
        assert!(all.has(words), "{words} is not in: {}", all.text());
    }
    assert!(all.has("2026 年") && all.has("2025 年") && all.has("3,350.00"), "by year and in all: {}", all.text());
    // the same figures again add nothing; more paid is another slip
    bring(&world, &format!("学号,收费期间,收费项目,应收,实缴,制单人\n{no},2019,学费,8000,3500,赵磊\n")).await;
    for (query, shown, hidden) in [
        ("?no=a004217", "王敏", "赵磊"),
        ("?no=000001", "支付平台", "王敏"),
        ("?when=days&from=2025-01-01&to=2025-12-31", "王敏", "赵磊"),
        ("?when=today", "赵磊", "王敏"),
        ("?show=other", "没有缴费记录", "王敏"),
    ] {
        let page = phone.get(&format!("/h5/paid{query}")).await;
        assert!(page.has(shown) && !page.has(hidden), "{query}: {}", page.text());
    }
    let stranger = world.phone(Device::Wechat);
    stranger.sign_in_by_id(&student).await;
    let today = stranger.get("/h5/paid").await;
    assert!(today.has("000001") && !today.has("柜台") && !today.has("赵磊"), "{}", today.text());
}

#[tokio::test]
async fn an_import_says_which_words_of_a_slip_it_cannot_take() {
    let (world, student, _) = world().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("charges.csv");
    let no = &student.number;
    let long = "长".repeat(33);
    let rows = format!(
        "学号,收费期间,收费项目,应收,实缴,收费日期,收费单号,制单人\n{no},2019,学费,8000,1,昨天,,\n\
         {no},2019,住宿费,1100,1,,{long},\n{no},2019,医疗保险,250,1,,,{long}\n"
    );
    std::fs::write(&file, rows).unwrap();
    let report = import(&world.app, Kind::Charges, &file, false, &|_, _| {}).await.unwrap();
    let columns: Vec<&str> = report.bad.iter().map(|row| row.column).collect();
    assert_eq!(columns, ["收费日期", "收费单号", "制单人"]);
    assert_eq!(world.count("SELECT COUNT(*) FROM counter_slip").await, 0);
}

#[tokio::test]
async fn money_on_its_way_back_is_told_apart_from_money_that_is_back() {
    let (world, student, phone) = world().await;
    let order = world.open_one(student.id, &[student.dormitory]).await;
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    refund::request(&world.app, &order, &[(student.dormitory, Fen::new(10_000))], "退宿").await.unwrap();
    for path in ["/h5/orders", "/h5/paid"] {
        let page = phone.get(path).await;
        assert!(page.has("退款中 100.00") && !page.has("已退 "), "{path}: {}", page.text());
    }
    world.pass(Duration::from_secs(600)).await;
    world.sandbox.deliver_due().await;
    for path in ["/h5/orders", "/h5/paid"] {
        let page = phone.get(path).await;
        assert!(page.has("已退 100.00") && !page.has("退款中"), "{path}: {}", page.text());
    }
}

#[tokio::test]
async fn each_attempt_stands_in_the_banks_list_with_what_was_taken() {
    let (world, student, phone) = world().await;
    let order = world.open_one(student.id, &[student.insurance]).await;
    world.begin(&order, Product::WechatNative, "13800000001").await.unwrap();
    world.arrive_and_pay(&order, Product::AlipayPage, "13800000001").await;
    world.sandbox.deliver_due().await;
    let all = phone.get("/h5/dealings").await;
    assert!(all.has("共 2 条记录") && all.has("支付宝") && all.has("微信支付"), "{}", all.text());
    let paid = phone.get("/h5/dealings?show=paid").await;
    assert!(paid.has("共 1 条记录") && paid.has("银行订单") && paid.has("支付状态：是"), "{}", paid.text());
    assert!(paid.has("250.00") && paid.links().contains(&format!("/h5/orders/{}", order.order_no)), "{}", paid.text());
    let unpaid = phone.get("/h5/dealings?show=unpaid").await;
    assert!(unpaid.has("微信支付") && !unpaid.has("支付宝"), "{}", unpaid.text());
    world.clock.advance(DAY);
    phone.sign_in(&student).await;
    assert!(phone.get("/h5/dealings?when=today").await.has("没有交易记录"));
    let stranger = world.phone(Device::Wechat);
    stranger.sign_in_by_id(&student).await;
    assert!(stranger.get("/h5/dealings").await.has("没有交易记录"), "nothing before today");
}
