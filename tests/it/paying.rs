//! Paying through the pages, step by step, without a script: what a browser is told at each of them.
use std::time::Duration;

use jiaofei::domain::order::{Order, OrderState};
use jiaofei::domain::order_no::OrderNo;
use jiaofei::domain::trade::Channel;
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::sandbox::trade::{Trade, TradeState};
use jiaofei::sandbox::wechat::bridge::{BridgeCall, check};
use jiaofei::store::orders;

use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

const PHONE: &str = "13800000001";

async fn world() -> (TestApp, Student) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

/// Signs in, ticks these charges and comes to the cashier.
async fn to_cashier(world: &TestApp, phone: &Phone, student: &Student, all: bool) -> Page {
    if phone.get("/h5").await.status != 200 {
        phone.sign_in(student).await;
    }
    let mut form = phone.get("/h5/tuition").await.form("/h5/checkout");
    if !all {
        form = form.without("fee").set("fee", &student.insurance.to_string());
    }
    let cashier = phone.open(phone.submit(&form).await.location()).await;
    assert_eq!(cashier.status, 200, "{}", cashier.text());
    assert_eq!(cashier.path, format!("/h5/cashier/{}", order_no(&cashier)));
    assert!(world.count("SELECT COUNT(*) FROM payment_order").await > 0);
    cashier
}

fn order_no(cashier: &Page) -> OrderNo {
    OrderNo::parse(cashier.path.rsplit('/').next().unwrap()).unwrap()
}

async fn order_of(world: &TestApp, cashier: &Page) -> Order {
    orders::find_by_no(world.app.db.read(), &order_no(cashier)).await.unwrap().unwrap()
}

fn is_closed(trade: &Trade) -> bool {
    matches!(trade.state, TradeState::Closed { .. })
}

/// Taps on a way of paying.
pub async fn tap(phone: &Phone, cashier: &Page, method: &str) -> Page {
    let form = cashier.forms().into_iter().find(|form| form.action.ends_with("/pay")).expect("a form to pay");
    phone.submit(&form.set("method", method)).await
}

/// Goes to the channel's sign-in page and comes back as the owner of a wallet.
pub async fn tell_who_pays(phone: &Phone, launch: &Page, who: &str) -> Page {
    let away = launch.attribute("jump", "href");
    let (address, fragment) = away.split_once('#').unwrap_or((&away, ""));
    assert!(fragment.is_empty() || fragment == "wechat_redirect");
    let back = phone.get(&format!("{address}&phone={who}")).await;
    phone.open(back.location()).await
}

/// The prepay_id in what the page hands WeChat's bridge, checked as WeChat does.
pub fn prepay_id(world: &TestApp, launch: &Page) -> String {
    let call: BridgeCall = serde_json::from_str(&launch.attribute("launch", "data-wx")).unwrap();
    check(&world.sandbox, &call).unwrap()
}

#[tokio::test]
async fn a_student_pays_a_mixed_selection_in_wechat_one_payee_after_the_other() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    let first = to_cashier(&world, &phone, &student, true).await;
    assert!(first.has("9,100.00") && first.has("启明大学财务处") && first.has("第 1 笔，共 2 笔"), "{}", first.text());
    let asked = phone.settle(tap(&phone, &first, "wechat").await).await;
    let launch = tell_who_pays(&phone, &asked, PHONE).await;
    assert_eq!(launch.path, format!("/h5/cashier/{}/go", order_no(&first)));
    world.sandbox.pay(Channel::Wechat, &prepay_id(&world, &launch), PHONE).unwrap();

    // the app's word chooses nothing: the channel is asked
    let result = phone.get(&launch.attribute("launch", "data-ok")).await;
    assert!(result.has("缴费成功") && result.has("9,100.00") && result.has("继续缴"), "{}", result.text());
    let next = result.links().into_iter().find(|link| link.starts_with("/h5/cashier/")).unwrap();
    let second = phone.get(&next).await;
    assert!(
        second.has("250.00") && second.has("启明大学后勤集团") && second.has("第 2 笔，共 2 笔"),
        "{}",
        second.text()
    );
    // who pays is known by now
    let launch = phone.settle(tap(&phone, &second, "wechat").await).await;
    world.sandbox.pay(Channel::Wechat, &prepay_id(&world, &launch), PHONE).unwrap();
    world.sandbox.deliver_due().await;
    assert!(phone.get(&format!("/h5/result/{}", order_no(&second))).await.has("缴费成功"));

    let paid = phone.get("/h5/paid").await;
    assert!(paid.has("000001") && paid.has("000002") && paid.has("支付平台"), "{}", paid.text());
    let slip = phone.get("/h5/paid/000001").await;
    assert!(slip.has("学费") && slip.has("住宿费") && slip.has("9,100.00"), "{}", slip.text());
    let list = phone.get("/h5/orders?show=paid").await;
    assert!(
        list.has("9,100.00") && list.has("250.00") && list.has("9,350.00"),
        "with the month's sum: {}",
        list.text()
    );
    assert!(phone.get("/h5").await.has("都缴清了"), "{}", phone.get("/h5").await.text());
}

#[tokio::test]
async fn a_phones_browser_is_sent_to_wechat_and_comes_back_to_the_result() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let cashier = to_cashier(&world, &phone, &student, false).await;
    let gone = tap(&phone, &cashier, "wechat").await;
    assert_eq!(gone.location(), format!("{}/go", cashier.path), "never straight to another host");
    let launch = phone.settle(gone).await;
    let address = launch.attribute("jump", "href");
    world.sandbox.pay(Channel::Wechat, &address, PHONE).unwrap();
    let order = order_of(&world, &cashier).await;
    let result = phone.get(&format!("/h5/result/{}", order.order_no)).await;
    assert!(result.has("缴费成功") && result.has("微信支付"), "{}", result.text());
}

#[tokio::test]
async fn inside_alipay_its_own_channel_starts_and_wechat_is_not_offered() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Alipay);
    let cashier = to_cashier(&world, &phone, &student, false).await;
    let launch = tell_who_pays(&phone, &phone.settle(tap(&phone, &cashier, "alipay").await).await, PHONE).await;
    let trade_no = launch.attribute("launch", "data-ali");
    world.sandbox.pay(Channel::Alipay, &trade_no, PHONE).unwrap();
    let result = phone.get(&launch.attribute("launch", "data-ok")).await;
    assert!(result.has("缴费成功") && result.has("支付宝"), "{}", result.text());
}

#[tokio::test]
async fn a_way_that_does_not_work_where_the_payer_is_is_refused_in_words_and_begins_nothing() {
    let (world, student) = world().await;
    for (device, method) in [(Device::Alipay, "wechat"), (Device::MiniProgram, "wechat"), (Device::Wecom, "wechat")] {
        let phone = world.phone(device);
        let cashier = to_cashier(&world, &phone, &student, false).await;
        let page = tap(&phone, &cashier, method).await;
        assert_eq!(page.status, 422, "{device:?}: {}", page.text());
        let page = tap(&phone, &cashier, "cash").await;
        assert_eq!(page.status, 422, "{device:?}: {}", page.text());
    }
    let phone = world.phone(Device::Wechat);
    let cashier = to_cashier(&world, &phone, &student, false).await;
    let guide = phone.settle(tap(&phone, &cashier, "alipay").await).await;
    let order = order_of(&world, &cashier).await;
    assert!(guide.body().contains(&format!("{}/q/{}", world.url, order.pay_code)), "{}", guide.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM attempt").await, 0);
}

/// What a camera reads in a picture.
fn scan(png: &[u8]) -> String {
    let picture = image::load_from_memory(png).unwrap().to_luma8();
    let mut prepared = rqrr::PreparedImage::prepare(picture);
    let grids = prepared.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

#[tokio::test]
async fn one_code_on_a_computer_is_scanned_with_wechat_cancelled_and_paid_with_alipay() {
    let (world, student) = world().await;
    let computer = world.phone(Device::Desktop);
    let cashier = to_cashier(&world, &computer, &student, false).await;
    let picture = computer.get(&format!("{}/code.png", cashier.path)).await;
    let address = scan(&picture.bytes);
    assert!(address.starts_with(&format!("{}/q/", world.url)), "{address}");
    let state = cashier.path.replace("cashier", "result") + "/state";
    assert_eq!(computer.get(&state).await.body(), r#"{"next":null,"state":"pending"}"#);

    let wechat = world.phone(Device::Wechat);
    let seen = wechat.get(&address).await;
    assert!(seen.has("250.00") && seen.has("林*夏"), "{}", seen.text());
    let launch = tell_who_pays(&wechat, &wechat.settle(tap(&wechat, &seen, "wechat").await).await, PHONE).await;
    world.sandbox.cancel(Channel::Wechat, &prepay_id(&world, &launch), PHONE).unwrap();
    let cancelled = wechat.get(&launch.attribute("launch", "data-cancel")).await;
    assert!(cancelled.has("没有从您的账户扣款"), "the channel was asked: {}", cancelled.text());

    // the same code, another app, another person
    let alipay = world.phone(Device::Alipay);
    let seen = alipay.get(&address).await;
    let launch = tell_who_pays(&alipay, &alipay.settle(tap(&alipay, &seen, "alipay").await).await, "13900000002").await;
    let trade_no = launch.attribute("launch", "data-ali");
    // what WeChat began can no longer be paid
    assert!(world.sandbox.bank().trades().any(|trade| trade.key().channel == Channel::Wechat && is_closed(trade)));
    world.sandbox.pay(Channel::Alipay, &trade_no, "13900000002").unwrap();
    let done = alipay.get(&launch.attribute("launch", "data-ok")).await;
    assert!(done.has("缴费成功") && !done.has("林知夏"), "{}", done.text());

    let told = computer.get(&state).await.body();
    let result = cashier.path.replace("cashier", "result");
    assert_eq!(told, format!(r#"{{"next":"{result}","state":"paid"}}"#));
    let receipt = computer.get(&result).await;
    assert!(receipt.has("缴费成功") && receipt.has("林知夏"), "{}", receipt.text());
    assert!(wechat.get(&address).await.has("这笔订单已付款"));
}

#[tokio::test]
async fn whoever_waits_is_told_by_an_event_and_only_of_his_own_order() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Desktop);
    let cashier = to_cashier(&world, &phone, &student, false).await;
    let order = order_of(&world, &cashier).await;
    let events = cashier.path.replace("cashier", "result") + "/events";
    let waiting = tokio::spawn({
        let phone = phone.clone();
        async move { phone.get(&events).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = world.begin(&order, jiaofei::domain::trade::Product::WechatNative, PHONE).await.unwrap();
    world.confirm(&started, PHONE);
    world.sandbox.deliver_due().await;
    let told = tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    assert_eq!(told.header("content-type"), "text/event-stream");
    let events: Vec<String> = told.body().lines().filter(|line| line.starts_with("data:")).map(str::to_owned).collect();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events[0].contains(r#""state":"pending""#) && events[1].contains(r#""state":"paid""#), "{events:?}");
}

#[tokio::test]
async fn a_channel_that_does_not_answer_leaves_the_order_safe_and_the_payer_is_told_to_try_again() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let cashier = to_cashier(&world, &phone, &student, false).await;
    world.sandbox.set_fault(Setting::always(Fault::Answer500).during(Call::Order));
    let page = tap(&phone, &cashier, "wechat").await;
    assert!(page.status == 503 && page.has("250.00"), "still the cashier: {}: {}", page.status, page.text());
    assert!(matches!(world.order(&order_of(&world, &cashier).await).await.state, OrderState::Pending { .. }));
    world.sandbox.clear_faults();
    let launch = phone.settle(tap(&phone, &page, "wechat").await).await;
    assert!(launch.attribute("jump", "href").contains("checkmweb"));
}

#[tokio::test]
async fn an_order_is_cancelled_at_the_channel_and_its_fees_can_be_ordered_again() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let cashier = to_cashier(&world, &phone, &student, false).await;
    phone.settle(tap(&phone, &cashier, "wechat").await).await;
    let cancel = cashier.form(&format!("{}/cancel", cashier.path));
    let page = phone.settle(phone.submit(&cancel).await).await;
    assert!(page.has("订单已取消") && page.has("没有扣款"), "{}", page.text());
    assert!(world.sandbox.bank().trades().all(is_closed));
    assert!(phone.get(&format!("/h5/result/{}", order_no(&cashier))).await.has("没有从您的账户扣款"));
    let again = to_cashier(&world, &phone, &student, false).await;
    assert_ne!(order_no(&again), order_no(&cashier));
}

#[tokio::test]
async fn cancelling_what_was_paid_a_moment_ago_shows_the_payment() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let cashier = to_cashier(&world, &phone, &student, false).await;
    let launch = phone.settle(tap(&phone, &cashier, "wechat").await).await;
    world.sandbox.pay(Channel::Wechat, &launch.attribute("jump", "href"), PHONE).unwrap();
    let cancel = cashier.form(&format!("{}/cancel", cashier.path));
    assert!(phone.settle(phone.submit(&cancel).await).await.has("缴费成功"));
}

#[tokio::test]
async fn a_cashier_left_open_says_that_its_time_is_over_and_lets_the_fees_go() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let cashier = to_cashier(&world, &phone, &student, false).await;
    world.clock.advance(Duration::from_secs(30 * 60));
    let over = phone.get(&cashier.path).await;
    assert!(over.status == 200 && over.has("订单已关闭"), "{}", over.text());
    let late = tap(&phone, &cashier, "wechat").await;
    assert!(phone.settle(late).await.has("订单已关闭"));
    let bearer = world.phone(Device::Alipay);
    let code = order_of(&world, &cashier).await.pay_code;
    assert!(bearer.get(&format!("/q/{code}")).await.has("付款码已失效"));
    to_cashier(&world, &phone, &student, false).await;
}

#[tokio::test]
async fn a_result_that_is_not_known_yet_says_so_and_promises_nothing() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let cashier = to_cashier(&world, &phone, &student, false).await;
    phone.settle(tap(&phone, &cashier, "wechat").await).await;
    world.sandbox.set_fault(Setting::always(Fault::Answer500).during(Call::Query));
    let result = format!("/h5/result/{}", order_no(&cashier));
    let unknown = phone.get(&format!("{result}?said=ok")).await;
    assert!(unknown.has("正在确认") && !unknown.has("没有从您的账户扣款"), "{}", unknown.text());
    assert!(unknown.body().contains("http-equiv=\"refresh\""), "and asks again without a script");
    world.clock.advance(Duration::from_secs(4));
    let cancelled = phone.get(&format!("{result}?said=cancel")).await;
    assert!(!cancelled.has("没有从您的账户扣款"), "not the channel's word: {}", cancelled.text());
    world.sandbox.clear_faults();
    world.clock.advance(Duration::from_secs(4));
    let asked = phone.settle(phone.submit(&unknown.form(&format!("{result}/ask"))).await).await;
    assert!(asked.has("正在确认"), "{}", asked.text());
    world.clock.advance(Duration::from_secs(1));
    let certain = phone.get(&format!("{result}?said=cancel")).await;
    assert!(certain.has("没有从您的账户扣款"), "{}", certain.text());
}

#[tokio::test]
async fn a_visitor_who_did_not_ask_is_not_let_in_by_a_channels_sign_in() {
    let (world, student) = world().await;
    let (victim, attacker) = (world.phone(Device::Wechat), world.phone(Device::Wechat));
    let cashier = to_cashier(&world, &victim, &student, false).await;
    let asked = victim.settle(tap(&victim, &cashier, "wechat").await).await;
    let away = asked.attribute("jump", "href");
    let back = attacker.get(&format!("{}&phone={PHONE}", away.split('#').next().unwrap())).await.location().to_owned();
    // the attacker's code on the victim's state, and the victim's state in the attacker's browser
    assert_eq!(attacker.get(&back).await.status, 404);
    assert_eq!(victim.get(&back).await.status, 404, "the state was used up");
    for path in ["/wechat/callback", "/wechat/callback?code=x&state=y", "/alipay/callback?auth_code=x&state=y"] {
        assert_eq!(victim.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_cashier_names_the_payee_and_leaves_a_way_on_in_every_app() {
    let (world, student) = world().await;
    for device in Device::ALL {
        let phone = world.phone(device);
        let cashier = to_cashier(&world, &phone, &student, false).await;
        assert!(cashier.has("启明大学后勤集团"), "{device:?}: {}", cashier.text());
        let ways = cashier.body().contains("name=\"method\"") || cashier.body().contains("code.png");
        assert!(ways, "{device:?}: {}", cashier.text());
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM payment_order").await, 1, "one order, taken up on every device");
}

#[tokio::test]
async fn the_code_bears_the_schools_own_mark() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mark.png");
    image::RgbaImage::from_pixel(64, 64, image::Rgba([200, 16, 46, 255])).save(&path).unwrap();
    let mark = jiaofei::config::Picture::try_from(path.display().to_string()).unwrap();
    let world = TestApp::start_with(|config| config.school.mark = Some(mark)).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let desktop = world.phone(Device::Desktop);
    let cashier = to_cashier(&world, &desktop, &student, false).await;
    let picture = desktop.get(&format!("{}/code.png", cashier.path)).await;
    let picture = image::load_from_memory(&picture.bytes).unwrap().into_rgb8();
    let middle = picture.get_pixel(picture.width() / 2, picture.height() / 2);
    assert_eq!(middle.0, [200, 16, 46]);
    let mut read = rqrr::PreparedImage::prepare(image::DynamicImage::ImageRgb8(picture).into_luma8());
    let (_, link) = read.detect_grids()[0].decode().unwrap();
    assert!(link.starts_with(&format!("{}/q/", world.url)), "{link}");
}
