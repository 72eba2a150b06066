//! 生活缴费: a room is topped up through the ordinary checkout, delivered exactly once, or the money goes back.
use std::time::Duration;

use jiaofei::domain::living::TopUpState;
use jiaofei::domain::order::{Order, OrderState};
use jiaofei::domain::order_no::OrderNo;
use jiaofei::domain::trade::Product;
use jiaofei::flow::living::deliver;
use jiaofei::flow::{audit, chain, office, refund};
use jiaofei::sandbox::utility::meters::Trouble;
use jiaofei::store::{orders, top_ups};

use crate::logs::listen;
use crate::metrics::Scrape;
use crate::world::app::TestApp;
use crate::world::page::{Form, Page};
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

const PHONE: &str = "13800000001";
const SERVICE: &str = "/h5/living/electricity";

struct Story {
    world: TestApp,
    student: Student,
    phone: Phone,
}

impl Story {
    async fn begin() -> Story {
        let world = TestApp::start().await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let phone = world.phone(Device::Wechat);
        phone.sign_in(&student).await;
        Story { world, student, phone }
    }

    async fn form(&self) -> Form {
        self.phone.get(SERVICE).await.form(SERVICE)
    }

    async fn try_to_top_up(&self, account: &str, amount: &str) -> Page {
        let form = self.form().await.set("account", account).set("amount", amount);
        self.phone.submit(&form).await
    }

    /// An order over 50 yuan for room 3-412.
    async fn ordered(&self) -> Order {
        let page = self.try_to_top_up("3-412", "50").await;
        let no = page.location().rsplit('/').next().unwrap().to_owned();
        orders::find_of_payer(self.world.app.db.read(), self.student.id, &OrderNo::parse(&no).unwrap())
            .await
            .unwrap()
            .unwrap()
    }

    /// The same, and paid.
    async fn paid(&self) -> Order {
        let order = self.ordered().await;
        self.world.pay(&order, Product::WechatNative, PHONE).await;
        self.world.sandbox.deliver_due().await;
        assert!(self.world.is_paid(&order).await);
        order
    }

    fn trouble(&self, trouble: Option<Trouble>, times: Option<u32>) {
        self.world.sandbox.set_utility_trouble(trouble, times);
    }

    async fn deliver(&self) -> usize {
        deliver::run_once(&self.world.app).await.unwrap()
    }

    /// The clock goes on and what is due is tried, refunds included.
    async fn hours(&self, hours: u64) {
        for _ in 0..hours * 4 {
            self.world.clock.advance(Duration::from_secs(900));
            self.deliver().await;
            refund::run_once(&self.world.app).await.unwrap();
        }
    }

    async fn state(&self, order: &Order) -> TopUpState {
        top_ups::find_of_order(self.world.app.db.read(), order.id).await.unwrap().unwrap().top_up.state
    }

    /// On the meter of room 3-412; it had 23.15.
    fn meter(&self) -> i64 {
        self.world.sandbox.utility().left()[&("electricity".to_owned(), "3-412".to_owned())] - 2_315
    }

    /// What the order's page says.
    async fn told(&self, order: &Order) -> Page {
        self.phone.get(&format!("/h5/orders/{}", order.order_no)).await
    }

    async fn sent_back(&self) -> i64 {
        self.world.count("SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM refund WHERE state = 'done'").await
    }

    /// Nothing is owed for living fees, and the books agree.
    async fn nothing_is_owed(&self) {
        let sql = "SELECT COUNT(*) FROM charge c JOIN fee_item i ON i.id = c.fee_item_id WHERE i.kind = 'living' \
            AND c.assessed_fen - c.waived_fen - c.paid_fen + c.refunded_fen <> 0";
        assert_eq!(self.world.count(sql).await, 0);
        let findings = audit::run(&self.world.app).await.unwrap();
        assert!(findings.iter().all(|finding| finding.differences.is_empty()));
        assert!(chain::follow(&self.world.app).await.unwrap().is_clean());
    }
}

#[tokio::test]
async fn a_room_is_topped_up_and_remembered() {
    let story = Story::begin().await;
    assert!(story.phone.get("/h5/living").await.has("宿舍电费"));
    let order = story.paid().await;
    assert!(story.told(&order).await.has("充值中"), "{}", story.told(&order).await.text());
    assert_eq!((story.deliver().await, story.deliver().await), (1, 0));
    assert_eq!((story.meter(), story.state(&order).await), (5_000, TopUpState::Done));
    let page = story.told(&order).await;
    assert!(page.has("已到账") && page.has("3-412"), "{}", page.text());
    story.nothing_is_owed().await;
    let form = story.phone.get(SERVICE).await;
    assert_eq!(form.form(SERVICE).field("account"), Some("3-412"), "the number is remembered");
    assert!(form.has("余额 73.15 元"), "{}", form.text());
    assert!(story.phone.get("/h5/living").await.has("3-412"));
}

#[tokio::test]
async fn what_waits_unpaid_and_what_was_never_paid_is_no_arrears() {
    let story = Story::begin().await;
    let order = story.ordered().await;
    let home = story.phone.get("/h5").await;
    assert!(
        home.has("9,350.00") && home.has("宿舍电费"),
        "the order waits, the arrears are as before: {}",
        home.text()
    );
    assert!(!story.phone.get("/h5/other").await.has("宿舍电费"));
    story.world.clock.advance(Duration::from_secs(31 * 60));
    jiaofei::jobs::run_once(&story.world.app).await.unwrap();
    assert!(matches!(story.world.order(&order).await.state, OrderState::Closed { .. }));
    assert_eq!((story.state(&order).await, story.meter()), (TopUpState::Dropped, 0));
    story.nothing_is_owed().await;
    // and again, on the same charge
    let again = story.paid().await;
    story.deliver().await;
    assert_eq!((story.state(&again).await, story.meter()), (TopUpState::Done, 5_000));
    story.nothing_is_owed().await;
}

#[tokio::test]
async fn a_form_sent_twice_and_the_same_top_up_while_it_waits_are_one_order() {
    let story = Story::begin().await;
    let form = story.form().await.set("account", "3-412").set("amount", "50");
    let (one, two) = tokio::join!(story.phone.submit(&form), story.phone.submit(&form));
    assert_eq!(one.location(), two.location());
    assert_eq!(story.ordered().await.order_no.as_str(), one.location().rsplit('/').next().unwrap());
    assert_eq!(story.world.count("SELECT COUNT(*) FROM payment_order").await, 1);
    let other = story.try_to_top_up("3-412", "60").await;
    assert_ne!(other.location(), one.location(), "another amount is another order");
}

#[tokio::test]
async fn each_wrong_field_is_told_beside_it_and_keeps_what_was_typed() {
    let story = Story::begin().await;
    for (account, amount, why) in [
        ("三号楼", "50", "房间号的格式不对"),
        ("3-412-5", "50", "房间号的格式不对"),
        ("9-999", "50", "查不到这个房间号"),
        ("3-412", "9.99", "不能少于 10.00"),
        ("3-412", "500.01", "不能超过 500.00"),
        ("3-412", "10.50", "1.00 元的整数倍"),
        ("3-412", "八十", "两位小数"),
    ] {
        let page = story.try_to_top_up(account, amount).await;
        assert!(page.status == 422 && page.has(why), "{account} {amount}: {}: {}", page.status, page.text());
        let form = page.form(SERVICE);
        assert_eq!((form.field("account"), form.field("amount")), (Some(account), Some(amount)));
    }
    assert_eq!(story.world.count("SELECT COUNT(*) FROM payment_order").await, 0);
    let typed = story.try_to_top_up(" ３－412 ", "").await;
    assert!(typed.location().contains("/cashier/"), "a chosen amount, and a number in wide letters: {}", typed.text());
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_and_the_room_is_topped_up_once() {
    for trouble in [Trouble::LoseAnswer, Trouble::Unsigned] {
        let story = Story::begin().await;
        let order = story.paid().await;
        story.trouble(Some(trouble), Some(1));
        story.deliver().await;
        assert_eq!((story.state(&order).await, story.meter()), (TopUpState::Waiting, 5_000), "{trouble:?}");
        assert!(story.told(&order).await.has("充值中"));
        story.hours(1).await;
        assert_eq!((story.state(&order).await, story.meter()), (TopUpState::Done, 5_000));
        assert_eq!(story.world.sandbox.utility().given()[0].asked, 1, "it was asked about, not asked for again");
        assert_eq!(story.sent_back().await, 0);
    }
}

#[tokio::test]
async fn a_provider_that_takes_its_time_is_waited_for() {
    let story = Story::begin().await;
    let order = story.paid().await;
    story.trouble(Some(Trouble::Slow), Some(1));
    story.deliver().await;
    assert_eq!(story.state(&order).await, TopUpState::Waiting);
    story.hours(1).await;
    assert_eq!((story.state(&order).await, story.meter(), story.sent_back().await), (TopUpState::Done, 5_000, 0));
}

#[tokio::test]
async fn what_the_provider_refuses_goes_back_once() {
    let story = Story::begin().await;
    let order = story.paid().await;
    story.trouble(Some(Trouble::Refuse), Some(1));
    story.deliver().await;
    assert_eq!(story.state(&order).await, TopUpState::Returning);
    assert!(story.told(&order).await.has("未能到账"), "{}", story.told(&order).await.text());
    story.hours(1).await;
    assert_eq!((story.state(&order).await, story.meter(), story.sent_back().await), (TopUpState::Returned, 0, 5_000));
    let page = story.told(&order).await;
    assert!(page.has("未能到账，已原路退回"), "{}", page.text());
    assert!(story.phone.get("/h5").await.has("9,350.00"), "what came back is not owed anew");
    story.nothing_is_owed().await;
}

#[tokio::test]
async fn a_provider_that_is_down_for_a_day_is_served_afterwards() {
    let story = Story::begin().await;
    let order = story.paid().await;
    story.trouble(Some(Trouble::Answer(503)), None);
    story.hours(24).await;
    assert_eq!((story.state(&order).await, story.meter()), (TopUpState::Waiting, 0));
    let told = Scrape::of(&story.world).await;
    assert_eq!(told.get(r#"top_ups_open{service="electricity"}"#), 1.0);
    assert!(told.get(r#"top_up_oldest_waiting_seconds{service="electricity"}"#) >= 86_400.0);
    story.trouble(None, None);
    story.hours(9).await;
    assert_eq!(Scrape::of(&story.world).await.get(r#"top_ups_open{service="electricity"}"#), 0.0);
    assert_eq!((story.state(&order).await, story.meter(), story.sent_back().await), (TopUpState::Done, 5_000, 0));
}

#[tokio::test]
async fn after_the_last_try_money_goes_back_only_when_the_provider_says_that_nothing_was_delivered() {
    let story = Story::begin().await;
    let order = story.paid().await;
    story.trouble(Some(Trouble::Answer(503)), None);
    story.hours(72).await;
    assert_eq!((story.state(&order).await, story.sent_back().await), (TopUpState::Waiting, 0), "nobody knows");
    let items = office::items(&story.world.app).await.unwrap();
    assert!(items.iter().any(|item| item.kind == "top_up_unclear"), "{items:?}");
    story.trouble(None, None);
    story.hours(8).await;
    assert_eq!((story.state(&order).await, story.meter(), story.sent_back().await), (TopUpState::Returned, 0, 5_000));
    story.nothing_is_owed().await;
}

#[tokio::test]
async fn money_that_went_through_before_a_long_silence_never_goes_back() {
    let story = Story::begin().await;
    let order = story.paid().await;
    story.trouble(Some(Trouble::LoseAnswer), Some(1));
    story.deliver().await;
    story.trouble(Some(Trouble::Hang), Some(1));
    story.world.clock.advance(Duration::from_secs(120));
    story.deliver().await;
    story.trouble(Some(Trouble::Answer(500)), None);
    story.hours(72).await;
    story.trouble(None, None);
    story.hours(8).await;
    assert_eq!((story.state(&order).await, story.meter(), story.sent_back().await), (TopUpState::Done, 5_000, 0));
}

#[tokio::test]
async fn two_processes_deliver_once() {
    let story = Story::begin().await;
    let order = story.paid().await;
    let other = story.world.another_process().await;
    let (one, two) = tokio::join!(deliver::run_once(&story.world.app), deliver::run_once(&other));
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    assert_eq!((story.state(&order).await, story.meter()), (TopUpState::Done, 5_000));
    assert_eq!(story.world.sandbox.utility().given()[0].asked, 1);
}

#[tokio::test]
async fn what_is_on_its_way_cannot_be_refunded_by_hand() {
    let story = Story::begin().await;
    let order = story.paid().await;
    let lines = orders::lines(story.world.app.db.read(), order.id).await.unwrap();
    let parts: Vec<_> = lines.iter().map(|line| (line.charge_id, line.amount)).collect();
    assert!(refund::request(&story.world.app, &order, &parts, "退").await.is_err(), "it would be had twice");
    story.deliver().await;
    refund::request(&story.world.app, &order, &parts, "退").await.unwrap();
    story.hours(1).await;
    assert_eq!((story.state(&order).await, story.sent_back().await), (TopUpState::Done, 5_000));
    story.nothing_is_owed().await;
}

#[tokio::test]
async fn nobody_sees_anothers_room_and_no_log_or_row_has_it() {
    let (lines, _guard) = listen();
    let story = Story::begin().await;
    let order = story.paid().await;
    story.deliver().await;
    let other = story.world.school.student(&story.world.app, 2, "周以宁").await;
    let stranger = story.world.phone(Device::Wechat);
    stranger.sign_in(&other).await;
    for path in ["/h5/living", SERVICE] {
        assert!(!stranger.get(path).await.body().contains("value=\"3-412\""), "{path}");
    }
    assert_eq!(stranger.get(&format!("/h5/orders/{}", order.order_no)).await.status, 404);
    let limited = story.world.phone(Device::Mobile);
    limited.sign_in_by_id(&story.student).await;
    for path in ["/h5/living".to_owned(), format!("/h5/orders/{}", order.order_no)] {
        assert!(!limited.get(&path).await.body().contains("3-412"), "{path}");
    }
    assert_eq!(limited.get(SERVICE).await.status, 404);
    assert_eq!(story.world.count("SELECT COUNT(*) FROM top_up WHERE account_sealed LIKE '%3-412%'").await, 0);
    assert!(!lines.text().contains("3-412"), "{}", lines.text());
}

#[tokio::test]
async fn money_that_comes_after_the_end_tops_up_nothing_and_goes_back() {
    let story = Story::begin().await;
    let order = story.ordered().await;
    let started = story.world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    story.phone.get(&format!("/h5/cashier/{}", order.order_no)).await;
    story.world.clock.advance(Duration::from_secs(31 * 60));
    jiaofei::jobs::run_once(&story.world.app).await.unwrap();
    story
        .world
        .sandbox
        .set_fault(jiaofei::sandbox::faults::Setting::always(jiaofei::sandbox::faults::Fault::TakeLatePayment));
    story.world.confirm(&started, PHONE);
    story.world.sandbox.deliver_due().await;
    story.hours(2).await;
    assert_eq!((story.state(&order).await, story.meter(), story.sent_back().await), (TopUpState::Dropped, 0, 5_000));
    story.nothing_is_owed().await;
}
