//! 订单查询 and 已缴费查询: by state, by day, twenty to a page, and one of them with all that belongs to it.
use std::time::Duration;

use jiaofei::domain::order::{CloseReason, OrderState};
use jiaofei::domain::trade::Product;
use jiaofei::flow::expire;

use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::{self, Student};

const DAY: Duration = Duration::from_secs(86_400);

async fn world() -> (TestApp, Student, Phone) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Wechat);
    (world, student, phone)
}

/// The order numbers a page lists.
fn listed(page: &Page) -> Vec<String> {
    let links = page.links().into_iter().filter_map(|link| link.strip_prefix("/h5/orders/").map(str::to_owned));
    links.collect()
}

#[tokio::test]
async fn orders_are_found_by_state_and_by_day_and_every_choice_is_an_address() {
    let (world, student, phone) = world().await;
    let paid = world.open_one(student.id, &[student.dormitory]).await;
    world.pay(&paid, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    world.clock.advance(DAY);
    let cancelled = world.open_one(student.id, &[student.insurance]).await;
    expire::close(&world.app, &cancelled, CloseReason::Cancelled).await.unwrap();
    world.clock.advance(30 * DAY);
    let waiting = world.open_one(student.id, &[student.tuition]).await;
    phone.sign_in(&student).await;

    let [paid, cancelled, waiting] = [paid, cancelled, waiting].map(|order| order.order_no.to_string());
    for (query, expected) in [
        ("", vec![&waiting, &cancelled, &paid]),
        ("?show=paid", vec![&paid]),
        ("?show=failed", vec![&cancelled]),
        ("?show=pending", vec![&waiting]),
        ("?when=today", vec![&waiting]),
        ("?when=month", vec![&waiting]),
        ("?when=days&from=2026-09-01&to=2026-09-01", vec![&paid]),
        ("?when=days&from=2026-09-02&to=2026-09-30", vec![&cancelled]),
        ("?when=days&to=2026-09-02", vec![&cancelled, &paid]),
        ("?show=paid&when=today", vec![]),
        ("?show=nonsense&when=never&page=x", vec![&waiting, &cancelled, &paid]),
    ] {
        let page = phone.get(&format!("/h5/orders{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        assert_eq!(listed(&page).iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

#[tokio::test]
async fn twenty_orders_stand_on_a_page_and_the_next_page_goes_on() {
    let (world, student, phone) = world().await;
    for _ in 0..45 {
        let order = world.open_one(student.id, &[student.insurance]).await;
        expire::close(&world.app, &order, CloseReason::Cancelled).await.unwrap();
        world.clock.advance(Duration::from_secs(60));
    }
    phone.sign_in(&student).await;
    let mut seen = Vec::new();
    for (page, count) in [(1, 20), (2, 20), (3, 5)] {
        let page = phone.get(&format!("/h5/orders?page={page}")).await;
        assert_eq!(listed(&page).len(), count, "{}", page.path);
        seen.extend(listed(&page));
    }
    seen.dedup();
    assert_eq!(seen.len(), 45);
    assert!(seen.is_sorted_by(|one, next| one > next), "newest first");
    let second = phone.get("/h5/orders?show=failed&page=2").await;
    assert!(second.has("共 45 条记录") && second.has("第 2 页，共 3 页"), "{}", second.text());
    for link in ["", "&page=3"] {
        assert!(second.links().contains(&format!("/h5/orders?show=failed{link}")), "{:?}", second.links());
    }
    let jump = second.forms().into_iter().find(|form| form.field("page") == Some("2")).unwrap();
    assert_eq!(jump.field("show"), Some("failed"), "the filters are kept");
    for beyond in ["4", "99999"] {
        let last = phone.get(&format!("/h5/orders?page={beyond}")).await;
        assert_eq!(listed(&last), seen[40..], "a page that is not there is the last one");
    }
    assert_eq!(listed(&phone.get("/h5/orders?page=99999999999").await), seen[..20], "no number is the first");
}

#[tokio::test]
async fn receipts_are_found_by_kind_and_day_and_one_of_them_has_its_lines() {
    let (world, student, phone) = world().await;
    let check_up = jiaofei::domain::fee::FeeItem {
        kind: jiaofei::domain::fee::FeeKind::Other,
        ..school::item("21", ("体检费", "Health check"), "agency", None)
    };
    let item = jiaofei::store::fees::upsert_item(world.app.db.write(), &check_up, world.clock.now()).await.unwrap();
    let check_up = school::charge(&world.app, student.id, item, world.school.period, 6_500).await;
    for charges in [&[student.tuition, student.dormitory][..], &[check_up]] {
        let order = world.open_one(student.id, charges).await;
        world.pay(&order, Product::WechatNative, "13800000001").await;
        world.sandbox.deliver_due().await;
        world.clock.advance(DAY);
    }
    phone.sign_in(&student).await;
    for (query, tuition, other) in [
        ("", true, true),
        ("?show=tuition", true, false),
        ("?show=other", false, true),
        ("?when=days&from=2026-09-02", false, true),
        ("?when=today", false, false),
    ] {
        let page = phone.get(&format!("/h5/paid{query}")).await;
        assert_eq!((page.has("000001"), page.has("000002")), (tuition, other), "{query}: {}", page.text());
    }
    let slip = phone.get("/h5/paid/000001").await;
    for words in ["000001", "支付平台", "启明大学财务处", "2019年度", "学费", "8,000.00", "住宿费", "9,100.00"]
    {
        assert!(slip.has(words), "{words} is not in: {}", slip.text());
    }
    assert_eq!(phone.get("/h5/paid/000003").await.status, 404);
}

#[tokio::test]
async fn an_order_page_asks_the_channel_and_shows_what_went_back() {
    let (world, student, phone) = world().await;
    phone.sign_in(&student).await;
    let order = world.open_one(student.id, &[student.insurance]).await;
    let path = format!("/h5/orders/{}", order.order_no);
    assert!(phone.get(&path).await.forms().iter().any(|form| form.action.ends_with("/cancel")));
    // paid, and the notice never came
    let started = world.begin(&order, Product::WechatNative, "13800000001").await.unwrap();
    world.confirm(&started, "13800000001");
    world.clock.advance(Duration::from_secs(4));
    let page = phone.get(&path).await;
    assert!(page.has("000001") && page.has("微信支付"), "found by looking: {}", page.text());
    assert!(page.forms().iter().all(|form| !form.action.ends_with("/cancel")));
}

#[tokio::test]
async fn an_order_is_found_by_any_of_its_numbers() {
    let (world, student, phone) = world().await;
    let order = world.open_one(student.id, &[student.insurance]).await;
    let started = world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    world.open_one(student.id, &[student.tuition]).await;
    let OrderState::Paid { trade_no, .. } = world.order(&order).await.state else { panic!("not paid") };
    phone.sign_in(&student).await;
    let (no, attempt) = (order.order_no.to_string(), started.attempt.attempt_no.to_string());
    let typed = format!("%20{}%20", no.to_lowercase());
    for number in [no.as_str(), &typed, &attempt, &trade_no.0, "000001"] {
        let page = phone.get(&format!("/h5/orders?no={number}")).await;
        assert_eq!(listed(&page), std::slice::from_ref(&no), "{number}");
        let page = phone.get(&format!("/h5/dealings?no={number}")).await;
        assert!(page.has("共 1 条记录") && page.has(&attempt), "{number}: {}", page.text());
    }
    let page = phone.get("/h5/orders?no=XF9999").await;
    assert!(listed(&page).is_empty() && page.links().contains(&"/h5/orders".to_owned()), "看全部: {}", page.text());
}

#[tokio::test]
async fn days_the_wrong_way_round_are_told() {
    let (_world, student, phone) = world().await;
    phone.sign_in(&student).await;
    for path in ["/h5/orders", "/h5/paid", "/h5/dealings"] {
        let page = phone.get(&format!("{path}?when=days&from=2026-09-02&to=2026-09-01")).await;
        assert!(page.status == 200 && page.has("开始日期晚于结束日期"), "{}", page.text());
        let page = phone.get(&format!("{path}?when=days&from=2026-09-01&to=2026-09-01")).await;
        assert!(!page.has("开始日期晚于结束日期"), "{}", page.text());
    }
}
