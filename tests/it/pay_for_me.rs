//! 家长代付: whoever opens a link pays without signing in and learns nothing; nothing is paid twice, and what goes back
//! goes to who paid.
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiaofei::domain::ids::ChargeId;
use jiaofei::domain::money::Fen;
use jiaofei::domain::order::{CloseReason, Order, OrderState};
use jiaofei::domain::pay_for_me::{For, Gift, PayLink};
use jiaofei::domain::trade::{Channel, Product};
use jiaofei::flow::checkout::PayAsk;
use jiaofei::flow::pay_for_me::{self, NotGiven, Standing, Typed};
use jiaofei::flow::{checkout, expire, refund};
use jiaofei::sandbox::trade::TradeState;
use jiaofei::store::{orders, pay_for_me as rows};

use crate::paying::{prepay_id, tap, tell_who_pays};
use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

/// The student's own wallet, and those of two who give
const OWN: &str = "13800000001";
const MOTHER: &str = "13800000002";
const UNCLE: &str = "13800000003";

async fn world() -> (TestApp, Student, Phone) {
    let world = TestApp::start().await;
    world.with_a_student().await
}

/// A link for one charge, good for three days.
pub async fn link_of(world: &TestApp, student: &Student, charge: ChargeId) -> PayLink {
    made(world, student, For::Charge(charge)).await
}

async fn made(world: &TestApp, student: &Student, of: For) -> PayLink {
    let now = world.clock.now();
    let link = PayLink {
        id: jiaofei::domain::ids::PayLinkId(0),
        code: world.app.chance.token(22),
        payer_id: student.id,
        of,
        created_at: now,
        expires_at: now + Duration::from_secs(3 * 86_400),
        revoked_at: None,
    };
    let id = rows::insert(world.app.db.write(), &link).await.unwrap();
    PayLink { id, ..link }
}

/// The payer makes a link by the pages; gives the page of the link.
async fn share(phone: &Phone, charge: ChargeId) -> Page {
    let form = phone.get("/h5/pay-for-me").await.form("/h5/pay-for-me").without("fee");
    let done = phone.submit(&form.set("fee", &charge.to_string()).set("lasting", "3")).await;
    assert!(done.location().starts_with("/h5/pay-for-me/"), "{} {}", done.status, done.text());
    phone.get(done.location()).await
}

/// The address a page tells others to open.
fn address(page: &Page) -> String {
    let rest = page.body().split("/for/").nth(1).unwrap().to_owned();
    format!("/for/{}", &rest[..22])
}

/// A giver fills in the page of a link; gives what comes of it.
async fn give(phone: &Phone, link: &str, amount: &str, giver: &str) -> Page {
    let mut form = phone.get(link).await.form(link).set("giver", giver);
    if !amount.is_empty() {
        form = form.set("amount", amount);
    }
    let done = phone.submit(&form).await;
    phone.settle(done).await
}

/// From the cashier to the money, in WeChat.
async fn pay(world: &TestApp, phone: &Phone, cashier: &Page, wallet: &str) -> Page {
    let asked = phone.settle(tap(phone, cashier, "wechat").await).await;
    let launch = match asked.find_attribute("launch", "data-wx") {
        Some(_) => asked,
        None => tell_who_pays(phone, &asked, wallet).await,
    };
    world.sandbox.pay(Channel::Wechat, &prepay_id(world, &launch), wallet).unwrap();
    phone.get(&launch.attribute("launch", "data-ok")).await
}

/// Which wallets have paid, trade by trade.
fn payers_of(world: &TestApp) -> Vec<String> {
    let bank = world.sandbox.bank();
    let paid = |trade: &jiaofei::sandbox::trade::Trade| match &trade.state {
        TradeState::Paid { phone, .. } => Some(phone.clone()),
        _ => None,
    };
    bank.trades().filter_map(paid).collect()
}

async fn owed(world: &TestApp, charge: ChargeId) -> i64 {
    let sql = "SELECT assessed_fen - waived_fen - paid_fen + refunded_fen FROM charge WHERE id =";
    world.count(&format!("{sql} {charge}")).await
}

#[tokio::test]
async fn a_parent_opens_the_link_in_another_app_and_pays_without_signing_in() {
    let (world, student, phone) = world().await;
    let shared = share(&phone, student.insurance).await;
    assert!(shared.has("等待代付") && shared.has("林*夏") && shared.has("250.00"), "{}", shared.text());
    let link = address(&shared);
    let picture = phone.get(&format!("{}/code.png", shared.path)).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
    assert_eq!(address(&share(&phone, student.insurance).await), link, "a second tap makes no second link");

    let mother = world.phone(Device::Wechat);
    let page = mother.get(&link).await;
    assert!(page.has("为 林*夏 缴费") && page.has("医疗保险") && page.has("启明大学后勤集团"), "{}", page.text());
    assert_eq!(page.header("x-robots-tag"), "noindex");
    let cashier = give(&mother, &link, "", "林 妈妈").await;
    assert!(cashier.path.starts_with("/q/") && cashier.has("林*夏"), "{} {}", cashier.path, cashier.text());
    let result = pay(&world, &mother, &cashier, MOTHER).await;
    assert!(result.has("缴费成功") && !result.has("林知夏"), "{}", result.text());
    assert_eq!(owed(&world, student.insurance).await, 0);

    assert!(world.phone(Device::Alipay).get(&link).await.has("已经缴清"));
    let told = phone.get(&shared.path).await;
    assert!(told.has("已缴清") && told.has("林 妈妈") && told.has("250.00"), "{}", told.text());
    let list = phone.get("/h5/pay-for-me").await;
    assert!(list.has("已代付 250.00 元"), "{}", list.text());
    let slip = phone.get("/h5/paid").await;
    let slip = slip.links().into_iter().find(|link| link.starts_with("/h5/paid/")).unwrap();
    let slip = phone.get(&slip).await;
    assert!(slip.has("代付人") && slip.has("林 妈妈（家长代付"), "{}", slip.text());
    let english = phone.get(&format!("{}?lang=en", slip.path)).await;
    assert!(english.has("林 妈妈 (name as the giver typed it)"), "{}", english.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM gift WHERE giver_sealed LIKE '%妈妈%'").await, 0, "sealed");
}

#[tokio::test]
async fn a_link_shows_a_stranger_nothing_but_name_masked_item_and_amount() {
    let (world, student, phone) = world().await;
    let link = address(&share(&phone, student.tuition).await);
    let stranger = world.phone(Device::Mobile);
    let cashier = {
        let page = stranger.get(&link).await;
        let secrets = ["林知夏", &student.number, "计算机学院", student.id_number.reveal(), "17800005287", "1,100.00"];
        for secret in secrets {
            assert!(!page.body().contains(secret), "{secret}");
        }
        give(&stranger, &link, "500", "").await
    };
    assert!(!cashier.body().contains("林知夏") && !cashier.body().contains(&student.number));
    for path in ["/h5", "/h5/orders", "/h5/tuition", "/h5/pay-for-me"] {
        assert!(stranger.get(path).await.location().starts_with("/h5/login"), "the link signs nobody in: {path}");
    }
    let other = world.phone(Device::Mobile);
    let told = other.get(&link).await;
    assert!(told.has("正有人在付款") && !told.has("500.00") && !told.has("林"), "{}", told.text());
    assert_eq!(other.get("/for/unknown").await.status, 404);
    for _ in 1..30 {
        other.get("/for/guess").await;
    }
    assert_eq!(other.get("/for/guess").await.status, 429);
    let english = stranger.get(&format!("{}?lang=en", cashier.path)).await;
    assert!(english.status == 200, "{}", english.text());
}

#[tokio::test]
async fn several_share_one_charge_by_the_rules_of_its_parts() {
    let (world, student, phone) = world().await;
    let shared = share(&phone, student.tuition).await;
    let link = address(&shared);
    assert!(shared.has("500.00 至 8,000.00 元"), "{}", shared.text());
    let (mother, uncle) = (world.phone(Device::Wechat), world.phone(Device::Wechat));
    for (amount, words) in [
        ("499.99", "单次最少缴 500.00 元"),
        ("8000.01", "不能超过欠费金额 8,000.00 元"),
        ("7600", "低于最小拆分金额"),
        ("一千", "请输入金额"),
    ] {
        let page = give(&mother, &link, amount, "").await;
        assert!(page.status == 422 && page.has(words), "{amount}: {}", page.text());
        assert_eq!(page.form(&link).field("amount"), Some(amount), "what was typed stays");
    }
    let named = give(&mother, &link, "500", "加微信x9").await;
    assert!(named.status == 422 && named.has("不含数字和符号"), "{}", named.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM payment_order").await, 0);

    let first = give(&mother, &link, "3000", "妈妈").await;
    assert!(first.has("3,000.00"), "{}", first.text());
    assert!(uncle.get(&link).await.has("正有人在付款"), "one at a time");
    assert_eq!(mother.get(&link).await.location(), first.path, "and whoever began finds back");
    let own = phone.get("/h5/tuition").await.form("/h5/checkout").without("fee");
    let blocked = phone.submit(&own.set("fee", &student.tuition.to_string())).await;
    assert!(blocked.has("请先支付或取消那笔订单"), "the payer waits as well, or cancels: {}", blocked.text());
    pay(&world, &mother, &first, MOTHER).await;
    let second = give(&uncle, &link, "5000", "").await;
    assert!(second.has("5,000.00"), "the rest: {}", second.text());
    pay(&world, &uncle, &second, UNCLE).await;
    assert_eq!(owed(&world, student.tuition).await, 0);
    let told = phone.get(&shared.path).await;
    assert!(told.has("妈妈") && told.has("未留名") && told.has("3,000.00") && told.has("5,000.00"), "{}", told.text());
    assert_eq!(payers_of(&world), [MOTHER, UNCLE]);
}

#[tokio::test]
async fn the_same_form_sent_twice_is_one_gift_and_an_old_one_is_told_what_changed() {
    let (world, student, phone) = world().await;
    let link = address(&share(&phone, student.insurance).await);
    let mother = world.phone(Device::Wechat);
    let form = mother.get(&link).await.form(&link);
    let stale = world.phone(Device::Mobile);
    let old = stale.get(&link).await.form(&link);
    let places: HashSet<String> = [mother.submit(&form).await, mother.submit(&form).await]
        .iter()
        .map(|page| page.location().to_owned())
        .collect();
    assert_eq!(places.len(), 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM gift").await, 1);
    assert!(stale.submit(&old).await.has("正有人在付款"));
    let forged = mother.submit(&form.clone().set("key", "short")).await;
    assert_eq!(forged.status, 400);
    assert_eq!(world.count("SELECT COUNT(*) FROM payment_order").await, 1);
}

#[tokio::test]
async fn a_link_taken_back_ends_at_once_and_what_was_begun_by_it_is_closed_at_the_channel() {
    let (world, student, phone) = world().await;
    let shared = share(&phone, student.insurance).await;
    let link = address(&shared);
    let mother = world.phone(Device::Wechat);
    let cashier = give(&mother, &link, "", "").await;
    let asked = mother.settle(tap(&mother, &cashier, "wechat").await).await;
    let launch = tell_who_pays(&mother, &asked, MOTHER).await;
    let prepaid = prepay_id(&world, &launch);
    let done = phone.submit(&shared.form(&format!("{}/revoke", shared.path))).await;
    assert!(phone.settle(done).await.has("已撤回"));
    assert!(world.sandbox.pay(Channel::Wechat, &prepaid, MOTHER).is_err(), "closed at the channel");
    assert!(mother.get(&link).await.has("代付链接已撤回"));
    assert!(mother.get(&cashier.path).await.has("付款码已失效"));
    assert_eq!(owed(&world, student.insurance).await, 25_000);
    let again = phone.submit(&phone.get("/h5/tuition").await.form("/h5/checkout")).await;
    assert!(again.location().starts_with("/h5/cashier/"), "the charge is free again: {}", again.text());
    let anew = share(&phone, student.tuition).await;
    assert_ne!(address(&anew), link);
}

#[tokio::test]
async fn a_link_ends_with_its_time_and_money_that_was_on_its_way_is_booked_or_goes_back_to_who_paid() {
    let (world, student, phone) = world().await;
    let link = address(&share(&phone, student.insurance).await);
    world.clock.advance(Duration::from_secs(3 * 86_400));
    let mother = world.phone(Device::Wechat);
    assert!(mother.get(&link).await.has("代付链接已过期"));

    // begun in time, closed, then the student pays; the channel breaks its word and the mother's money comes after all
    let link = link_of(&world, &student, student.dormitory).await;
    let gift = taken(&world, &link, "form-of-the-mother", "", "妈妈").await;
    let order = orders::find(world.app.db.read(), gift.order_id).await.unwrap().unwrap();
    let ask = PayAsk { gift: Some(gift.id), ..world.ask(Product::WechatNative, MOTHER) };
    let started = checkout::pay(&world.app, &order, &ask).await.unwrap();
    expire::close(&world.app, &order, CloseReason::Cancelled).await.unwrap();
    let own = world.open_one(student.id, &[student.dormitory]).await;
    world.pay(&own, Product::WechatNative, OWN).await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&own).await);
    let key = jiaofei::sandbox::trade::TradeKey::new(
        Channel::Wechat,
        jiaofei::sandbox::merchants::WECHAT_MCH_FISCAL,
        started.attempt.attempt_no.as_str(),
    );
    world.sandbox.bank().pay_against_the_rules(&key, MOTHER, world.clock.now()).unwrap();
    world.pass(Duration::from_secs(3600)).await;
    world.sandbox.deliver_due().await;
    assert_eq!(owed(&world, student.dormitory).await, 0, "paid once");
    assert_eq!(given_back(&world), [(MOTHER.to_owned(), 110_000)]);
}

/// Wallet and sum of everything the channels sent back.
fn given_back(world: &TestApp) -> Vec<(String, i64)> {
    let bank = world.sandbox.bank();
    let back = |trade: &jiaofei::sandbox::trade::Trade| {
        let TradeState::Paid { phone, .. } = &trade.state else { return None };
        let sum: i64 = trade.refunds.iter().map(|refund| refund.amount.get()).sum();
        (sum > 0).then(|| (phone.clone(), sum))
    };
    bank.trades().filter_map(back).collect()
}

async fn taken(world: &TestApp, link: &PayLink, key: &str, amount: &str, giver: &str) -> Gift {
    pay_for_me::take_up(&world.app, link, Typed { key, amount, giver }).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_refund_goes_back_to_who_paid_and_not_to_the_payer() {
    let (world, student, _) = world().await;
    let link = link_of(&world, &student, student.tuition).await;
    for (key, amount, wallet) in [("the-mothers-form", "3000", MOTHER), ("the-uncles-form", "5000", UNCLE)] {
        let gift = taken(&world, &link, key, amount, "").await;
        let order = orders::find(world.app.db.read(), gift.order_id).await.unwrap().unwrap();
        let ask = PayAsk { gift: Some(gift.id), ..world.ask(Product::WechatNative, wallet) };
        let started = checkout::pay(&world.app, &order, &ask).await.unwrap();
        world.confirm(&started, wallet);
        world.sandbox.deliver_due().await;
    }
    let gift = rows::find_gift_by_form(world.app.db.read(), &world.app.sealer, link.id, "the-uncles-form").await;
    let order = orders::find(world.app.db.read(), gift.unwrap().unwrap().order_id).await.unwrap().unwrap();
    refund::request(&world.app, &order, &[(student.tuition, Fen::new(70_000))], "退费").await.unwrap();
    world.pass(Duration::from_secs(600)).await;
    world.sandbox.deliver_due().await;
    assert_eq!(given_back(&world), [(UNCLE.to_owned(), 70_000)]);
    assert_eq!(owed(&world, student.tuition).await, 70_000, "and is owed again");
}

/// The order shared by a link for it.
async fn shared_order(world: &TestApp, student: &Student, phone: &Phone) -> (Order, String) {
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    let cashier = phone.get(&format!("/h5/cashier/{}", order.order_no)).await;
    let way = cashier.links().into_iter().find(|link| link.starts_with("/h5/pay-for-me?order=")).unwrap();
    let form = phone.get(&way).await.form("/h5/pay-for-me");
    let done = phone.submit(&form).await;
    (order, address(&phone.get(done.location()).await))
}

#[tokio::test]
async fn an_order_and_its_link_are_one_and_are_paid_once() {
    let (world, student, phone) = world().await;
    let (order, link) = shared_order(&world, &student, &phone).await;
    let mother = world.phone(Device::Wechat);
    let page = mother.get(&link).await;
    assert!(page.has("9,100.00") && page.has("学费") && page.has("住宿费"), "{}", page.text());
    let cashier = give(&mother, &link, "", "妈妈").await;
    // the student begins, then the mother: her try ends the student's at the channel
    let own = phone.get(&format!("/h5/cashier/{}", order.order_no)).await;
    let asked = phone.settle(tap(&phone, &own, "wechat").await).await;
    let begun = prepay_id(&world, &tell_who_pays(&phone, &asked, OWN).await);
    pay(&world, &mother, &cashier, MOTHER).await;
    assert!(world.sandbox.pay(Channel::Wechat, &begun, OWN).is_err());
    assert!(world.is_paid(&order).await);
    assert!(phone.get(&own.path).await.location().starts_with("/h5/result/"), "the student's page knows");
    assert_eq!((payers_of(&world), given_back(&world)), (vec![MOTHER.to_owned()], Vec::new()));
    let paid = pay_for_me::that_paid(&world.app, order.id).await.unwrap().unwrap();
    assert_eq!(paid.giver.as_deref(), Some("妈妈"));
}

#[tokio::test]
async fn an_order_its_payer_pays_first_is_the_payers_and_the_link_says_that_it_is_paid() {
    let (world, student, phone) = world().await;
    let (order, link) = shared_order(&world, &student, &phone).await;
    let mother = world.phone(Device::Wechat);
    let cashier = give(&mother, &link, "", "妈妈").await;
    world.pay(&order, Product::WechatNative, OWN).await;
    world.sandbox.deliver_due().await;
    assert!(mother.get(&link).await.has("已经缴清"));
    assert!(mother.get(&cashier.path).await.has("已付款"));
    assert!(pay_for_me::that_paid(&world.app, order.id).await.unwrap().is_none(), "who opened a link paid nothing");
}

#[tokio::test]
async fn a_link_outlives_the_order_it_was_made_for_while_the_amounts_are_owed() {
    let (world, student, phone) = world().await;
    let (order, link) = shared_order(&world, &student, &phone).await;
    world.clock.advance(Duration::from_secs(31 * 60));
    let mother = world.phone(Device::Wechat);
    let cashier = give(&mother, &link, "", "").await;
    assert!(cashier.has("9,100.00"), "{}", cashier.text());
    assert!(matches!(world.order(&order).await.state, OrderState::Closed { .. }), "a new one takes its place");
    pay(&world, &mother, &cashier, MOTHER).await;
    assert!(mother.get(&link).await.has("已经缴清"));

    let link = link_of(&world, &student, student.insurance).await;
    world.open_one(student.id, &[student.insurance]).await;
    let page = mother.get(&format!("/for/{}", link.code)).await;
    assert!(page.has("正有人在付款"), "the student has begun to pay it: {}", page.text());
}

#[tokio::test]
async fn only_a_full_sign_in_makes_links_and_only_its_own_can_be_seen_or_taken_back() {
    let (world, student, phone) = world().await;
    let shared = share(&phone, student.insurance).await;
    let other = world.phone(Device::Mobile);
    let somebody = world.school.student(&world.app, 2, "周以宁").await;
    other.sign_in(&somebody).await;
    let csrf = other.get("/h5/pay-for-me").await.form("/h5/pay-for-me").field("csrf").unwrap().to_owned();
    for path in [shared.path.clone(), format!("{}/code.png", shared.path)] {
        assert_eq!(other.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(other.post(&format!("{}/revoke", shared.path), &[("csrf", &csrf)]).await.status, 404);
    let stolen = [("csrf", csrf.as_str()), ("fee", &student.tuition.to_string()), ("lasting", "7")];
    assert!(other.post("/h5/pay-for-me", &stolen).await.status >= 400, "of what is one's own only");
    assert!(!other.get("/h5/pay-for-me").await.has("等待代付"));

    let limited = world.phone(Device::Mobile);
    limited.sign_in_by_id(&student).await;
    let page = limited.get("/h5/pay-for-me").await;
    assert!(page.has("请用用户名和密码登录") && !page.has("等待代付"), "{}", page.text());
    assert_eq!(limited.get(&shared.path).await.status, 404);
    let order = world.open_one(student.id, &[student.tuition]).await;
    let offer = |page: Page| page.links().iter().any(|link| link.starts_with("/h5/pay-for-me"));
    let cashier = format!("/h5/cashier/{}", order.order_no);
    assert!(offer(phone.get(&cashier).await) && !offer(limited.get(&cashier).await), "no way to a page that says no");
    let csrf = page.form("/h5/logout").field("csrf").unwrap().to_owned();
    let fee = student.dormitory.to_string();
    assert_eq!(limited.post("/h5/pay-for-me", &[("csrf", &csrf), ("fee", &fee)]).await.status, 404);
    assert_eq!(world.count("SELECT COUNT(*) FROM pay_link").await, 1);
    let empty = phone.submit(&phone.get("/h5/pay-for-me").await.form("/h5/pay-for-me").without("fee")).await;
    assert!(empty.status == 422 && empty.has("请选一项"), "{}", empty.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_givers_of_two_processes_pay_a_charge_exactly() {
    // the hour of the throttle passes by our clock, not by that of Redis
    let world = TestApp::start_with(|config| config.redis = None).await;
    let other = world.another_process().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let link = link_of(&world, &student, student.tuition).await;
    let mut rounds = 0;
    while owed(&world, student.tuition).await > 0 {
        rounds += 1;
        assert!(rounds <= 8, "each round pays a part");
        let rest = Fen::new(owed(&world, student.tuition).await).yuan();
        // the last part may be all there is
        let amount = if rounds < 5 { "1500".to_owned() } else { rest };
        let begin = |at: usize| {
            let app = Arc::clone(if at.is_multiple_of(2) { &world.app } else { &other });
            let (link, amount) = (link.clone(), amount.clone());
            // the throttle of one link is another story
            let key = format!("form-{rounds}-{}", at % 16);
            tokio::spawn(async move {
                pay_for_me::take_up(&app, &link, Typed { key: &key, amount: &amount, giver: "" }).await
            })
        };
        let begun = join_all((0..64).map(begin)).await;
        let mut orders_begun = HashSet::new();
        for one in begun {
            match one.unwrap().unwrap() {
                Ok(gift) => {
                    orders_begun.insert(gift.order_id);
                }
                Err(NotGiven { changed, wait_until, .. }) => assert!(changed || wait_until.is_some()),
            }
        }
        assert_eq!(orders_begun.len(), 1, "one order holds the charge");
        let order = orders::find(world.app.db.read(), *orders_begun.iter().next().unwrap()).await.unwrap().unwrap();
        world.pay(&order, Product::WechatNative, MOTHER).await;
        world.sandbox.deliver_due().await;
        world.clock.advance(Duration::from_secs(3601));
    }
    assert_eq!(owed(&world, student.tuition).await, 0);
    assert_eq!(world.count("SELECT COUNT(*) FROM refund").await, 0, "nothing was paid twice");
    assert_eq!(pay_for_me::standing(&world.app, &link).await.unwrap(), Standing::Paid);
}
