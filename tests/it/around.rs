//! What stands around paying: announcements, help, and what to do when a payment went wrong.
use std::time::Duration;

use jiaofei::domain::announcement::Announcement;
use jiaofei::domain::bilingual::Bilingual;
use jiaofei::domain::ids::AnnouncementId;
use jiaofei::domain::trade::Product;
use jiaofei::flow::announcements;
use jiaofei::sandbox::faults::{Call, Fault, Setting};

use crate::world::app::TestApp;
use crate::world::phone::Device;

fn announcement(world: &TestApp, title: &str, pinned: bool) -> Announcement {
    Announcement {
        id: AnnouncementId(0),
        department: Bilingual::new("财务处", "Finance Office"),
        title: Bilingual::new(title, "Tuition can be paid"),
        body: Bilingual::new("第一段。\n\n<script>第二段</script>", ""),
        pinned,
        published_at: world.clock.now(),
    }
}

#[tokio::test]
async fn an_announcement_is_read_before_and_after_signing_in_from_its_time_until_it_is_taken_back() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let later = world.clock.now() + Duration::from_secs(3600);
    let new = Announcement { published_at: later, ..announcement(&world, "学费开始缴纳", true) };
    let id = announcements::publish(&world.app, &new).await.unwrap();
    let phone = world.phone(Device::Wechat);
    let path = format!("/h5/news/{id}");
    assert!(phone.get("/h5/news").await.has("还没有公告"), "not yet");
    assert_eq!(phone.get(&path).await.status, 404);

    world.clock.advance(Duration::from_secs(3600));
    assert!(phone.get("/h5/login").await.has("学费开始缴纳"));
    assert!(phone.get("/h5/news").await.links().contains(&path));
    let page = phone.get(&path).await;
    assert!(page.has("第一段。") && page.has("财务处"), "{}", page.text());
    assert!(page.body().contains("&#60;script&#62;第二段"), "what the office writes is text");
    let english = world.phone(Device::Wechat).get(&format!("{path}?lang=en")).await;
    assert!(english.has("Finance Office") && !english.has("财务处"), "{}", english.text());
    phone.sign_in(&student).await;
    assert!(phone.get("/h5").await.has("学费开始缴纳"));
    let plain = announcement(&world, "值班安排", false);
    announcements::publish(&world.app, &plain).await.unwrap();
    assert!(phone.get("/h5").await.has("学费开始缴纳"), "only a pinned one takes the place of a pinned one");

    assert!(announcements::withdraw(&world.app, id).await.unwrap());
    assert!(!announcements::withdraw(&world.app, id).await.unwrap());
    assert_eq!(phone.get(&path).await.status, 404);
    assert!(!phone.get("/h5").await.has("学费开始缴纳"));
    for nonsense in ["/h5/news/0", "/h5/news/-1", "/h5/news/x", "/h5/news/99999999999999999999"] {
        assert_eq!(phone.get(nonsense).await.status, 404, "{nonsense}");
    }
}

#[tokio::test]
async fn announcements_count_as_unread_until_their_payer_opens_them() {
    let world = TestApp::start().await;
    let students =
        [world.school.student(&world.app, 1, "林知夏").await, world.school.student(&world.app, 2, "周以宁").await];
    announcements::publish(&world.app, &announcement(&world, "旧公告", false)).await.unwrap();
    world.clock.advance(Duration::from_secs(91 * 86_400));
    for title in ["学费开始缴纳", "值班安排"] {
        announcements::publish(&world.app, &announcement(&world, title, false)).await.unwrap();
    }
    let (phone, other) = (world.phone(Device::Wechat), world.phone(Device::Wechat));
    assert!(!phone.get("/h5/news").await.has("未读"), "nobody is signed in");
    phone.sign_in(&students[0]).await;
    other.sign_in(&students[1]).await;
    assert!(phone.get("/h5").await.has("2 条未读") && phone.get("/h5/me").await.has("2 条未读"));
    let list = phone.get("/h5/news").await;
    assert_eq!(list.text().matches("未读").count(), 2, "{}", list.text());
    let first = list.links().into_iter().find(|link| link.starts_with("/h5/news/")).unwrap();
    for _ in 0..2 {
        phone.get(&first).await;
    }
    assert!(phone.get("/h5").await.has("1 条未读"));
    assert!(other.get("/h5").await.has("2 条未读"), "each payer reads for oneself");
    let stranger = world.phone(Device::Wechat);
    stranger.sign_in_by_id(&students[0]).await;
    assert!(!stranger.get("/h5").await.has("未读") && !stranger.get("/h5/me").await.has("未读"));
}

#[tokio::test]
async fn announcements_come_twenty_at_a_time() {
    let world = TestApp::start().await;
    for number in 1..=21 {
        announcements::publish(&world.app, &announcement(&world, &format!("公告第{number}号"), false)).await.unwrap();
    }
    let phone = world.phone(Device::Mobile);
    let first = phone.get("/h5/news").await;
    assert!(first.has("公告第21号") && first.has("公告第2号") && !first.has("公告第1号"), "{}", first.text());
    let second = phone.get("/h5/news?page=2").await;
    assert!(second.has("公告第1号") && !second.has("公告第2号"), "{}", second.text());
}

#[tokio::test]
async fn help_is_there_for_whoever_cannot_sign_in() {
    let world = TestApp::start().await;
    let page = world.phone(Device::Desktop).get("/h5/help").await;
    assert!(page.status == 200 && page.has("学生收费科") && page.has("0931-555 0101"), "{}", page.text());
    assert!(page.links().contains(&"tel:09315550101".to_owned()), "{:?}", page.links());
}

#[tokio::test]
async fn what_to_do_about_a_payment_follows_what_the_channel_says_now() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let (path, cashier) = (format!("/h5/orders/{}/trouble", order.order_no), format!("/h5/cashier/{}", order.order_no));
    world.begin(&order, Product::WechatNative, "13800000001").await.unwrap();
    let unpaid = phone.get(&path).await;
    assert!(unpaid.has("没有收到这笔订单的钱"), "{}", unpaid.text());
    assert!(unpaid.links().contains(&cashier));

    world.sandbox.set_fault(Setting::always(Fault::Hang).during(Call::Query));
    world.clock.advance(Duration::from_secs(5));
    let unsure = phone.get(&path).await;
    assert!(unsure.has("请先不要再付") && !unsure.has("没有收到这笔订单的钱"), "{}", unsure.text());
    assert!(!unsure.links().contains(&cashier), "nothing to pay while nobody knows");
    world.sandbox.clear_faults();

    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.clock.advance(Duration::from_secs(5));
    let paid = phone.get(&path).await;
    assert!(paid.has("已缴费成功，请勿再付") && !paid.links().contains(&cashier), "{}", paid.text());
    assert!(paid.links().iter().any(|link| link.starts_with("/h5/paid/")), "the slip is offered");
}

#[tokio::test]
async fn an_order_closed_without_payment_leads_back_to_what_is_owed() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let cashier = phone.get(&format!("/h5/cashier/{}", order.order_no)).await;
    phone.submit(&cashier.form(&format!("/h5/cashier/{}/cancel", order.order_no))).await;
    let page = phone.get(&format!("/h5/orders/{}/trouble", order.order_no)).await;
    assert!(page.has("订单已关闭，没有收到钱") && page.links().contains(&"/h5/tuition".to_owned()), "{}", page.text());
}
