//! 海报: what a code on a wall leads to, what it tells nobody, and how it ends.
use std::time::Duration;

use jiaofei::domain::bilingual::{Bilingual, Lang};
use jiaofei::domain::fee::FeeKind;
use jiaofei::domain::module::{Module, Opening};
use jiaofei::domain::order::Order;
use jiaofei::domain::poster::{NewPoster, Poster, PosterKind, PosterTally};
use jiaofei::domain::trade::Product;
use jiaofei::flow::poster::desk;
use jiaofei::flow::refund;
use jiaofei::store::{fees, orders};

use crate::enrolling::programme_of;
use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::{self, Student};

fn about(kind: PosterKind, about: &str, items: &[&str]) -> NewPoster {
    NewPoster {
        kind,
        about: about.to_owned(),
        items: items.iter().map(|item| (*item).to_owned()).collect(),
        title: Bilingual::new("新生缴费", "Fees of new students"),
        lang: Lang::Zh,
        expires_at: None,
    }
}

async fn hang(world: &TestApp, new: NewPoster) -> Poster {
    desk::issue(&world.app, &new).await.unwrap()
}

/// One that collects 学费.
pub async fn of_tuition(world: &TestApp) -> Poster {
    hang(world, about(PosterKind::Item, "11", &[])).await
}

fn path(poster: &Poster) -> String {
    format!("/q/{}", poster.code)
}

/// Number and name, as typed; gives what comes then.
pub async fn say(phone: &Phone, poster: &Poster, number: &str, name: &str) -> Page {
    let action = format!("{}/person", path(poster));
    let form = phone.get(&path(poster)).await.form(&action).set("number", number).set("name", name);
    let sent = phone.submit(&form).await;
    phone.settle(sent).await
}

/// On to what somebody owes.
pub async fn fees_of(phone: &Phone, poster: &Poster, student: &Student) -> Page {
    let who = say(phone, poster, &student.number, &student.name).await;
    let on = who.links().into_iter().find(|link| link.contains("/fees?")).unwrap_or_else(|| panic!("{}", who.text()));
    phone.get(&on).await
}

/// From the fees to the cashier's page; gives the order.
async fn order_of(world: &TestApp, phone: &Phone, fees: &Page, poster: &Poster) -> Order {
    let form = fees.form(&format!("{}/fees", path(poster)));
    let version = fees.forms().iter().find_map(|form| form.field("agree").map(str::to_owned));
    let form = match version.or_else(|| fees.find_attribute("ok", "value")) {
        Some(version) => form.without("agree").set("agree", &version),
        None => form,
    };
    let sent = phone.submit(&form).await;
    let code =
        sent.location().strip_prefix("/q/").unwrap_or_else(|| panic!("{} {}", sent.status, sent.text())).to_owned();
    orders::find_by_pay_code(world.app.db.read(), &code).await.unwrap().unwrap()
}

async fn tally(world: &TestApp, poster: &Poster) -> PosterTally {
    desk::list(&world.app, Some(&poster.poster_no)).await.unwrap().pop().unwrap().1
}

async fn without_redis() -> TestApp {
    // Redis has a clock of its own, which no story moves
    TestApp::start_with(|config| config.redis = None).await
}

#[tokio::test]
async fn number_and_name_lead_by_way_of_a_masked_name_to_the_one_fee_and_its_cashier() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let poster = of_tuition(&world).await;
    let phone = world.phone(Device::Wechat);
    let asked = phone.get(&path(&poster)).await;
    assert!(asked.status == 200 && asked.has("新生缴费") && asked.has("HB000001"), "{}", asked.text());
    assert!(asked.has("启明大学财务处") && asked.header("x-robots-tag") == "noindex", "who receives it is said first");
    let who = say(&phone, &poster, &format!(" {} ", student.number), "林知夏").await;
    assert!(who.has("请确认缴费人") && who.has("林*夏") && who.has("2019****0001"), "{}", who.text());
    let fees = fees_of(&phone, &poster, &student).await;
    assert!(fees.has("8,000.00") && fees.has("林*夏"), "{}", fees.text());
    for page in [&asked, &who, &fees] {
        for private in ["林知夏", &student.number, student.id_number.reveal(), "1,100.00", "住宿费", "250.00"] {
            assert!(!page.body().contains(private), "{private}");
        }
    }
    let order = order_of(&world, &phone, &fees, &poster).await;
    assert_eq!((order.payer_id, order.total.get()), (student.id, 800_000));
    let cashier = phone.get(&format!("/q/{}", order.pay_code)).await;
    assert!(cashier.has("8,000.00") && cashier.has("您正在为 林*夏 缴费"), "{}", cashier.text());
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
    let again = fees_of(&phone, &poster, &student).await;
    assert!(again.has("这里没有要缴的费用") && !again.has("8,000.00"), "{}", again.text());
}

#[tokio::test]
async fn a_part_is_paid_by_the_rules_of_the_item_and_what_breaks_them_is_said_beside_the_field() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let poster = of_tuition(&world).await;
    let phone = world.phone(Device::Mobile);
    let fees = fees_of(&phone, &poster, &student).await;
    let action = format!("{}/fees", path(&poster));
    let field = format!("amt{}", student.tuition);
    for (typed, why) in [
        ("abc", "请输入金额，最多两位小数"),
        ("8000.01", "不能超过欠费金额 8,000.00 元"),
        ("499.99", "单次最少缴 500.00 元"),
        ("7600", "剩余 400.00 元低于最小拆分金额 500.00 元"),
        ("", "请输入金额，最多两位小数"),
    ] {
        let page = phone.submit(&fees.form(&action).set(&field, typed)).await;
        assert!(page.status == 422 && page.has(why), "{typed}: {} {}", page.status, page.text());
        assert_eq!(page.form(&action).field(&field), Some(typed), "what was typed is kept");
    }
    let none = phone.submit(&fees.form(&action).without("fee")).await;
    assert!(none.status == 422 && none.has("请先勾选"), "{}", none.text());
    let part = fees.form(&action).set(&field, "￥１，５００");
    let sent = phone.submit(&part).await;
    let code = sent.location().strip_prefix("/q/").unwrap().to_owned();
    let order = orders::find_by_pay_code(world.app.db.read(), &code).await.unwrap().unwrap();
    assert_eq!(order.total.get(), 150_000);
    assert_eq!(phone.submit(&part).await.location(), sent.location(), "a double tap is one order");
    let waiting = fees_of(&phone, &poster, &student).await;
    assert!(waiting.links().contains(&format!("/q/{code}")), "{:?}", waiting.links());
}

#[tokio::test]
async fn the_agreement_of_the_school_is_asked_for_here_too() {
    let world = TestApp::start_with(|config| {
        config.checkout.agreement = jiaofei::domain::consent::AgreementGate::Checkbox;
    });
    let world = world.await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let poster = of_tuition(&world).await;
    let phone = world.phone(Device::Mobile);
    let fees = fees_of(&phone, &poster, &student).await;
    let page = phone.submit(&fees.form(&format!("{}/fees", path(&poster))).without("agree")).await;
    assert!(page.status == 422 && page.has("缴费协议"), "{}", page.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM payment_order").await, 0);
    let order = order_of(&world, &phone, &fees, &poster).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM order_agreement").await, 1, "{}", order.order_no);
}

#[tokio::test]
async fn a_wrong_pair_is_one_answer_whether_the_number_exists_or_not() {
    let world = without_redis().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let poster = of_tuition(&world).await;
    let pages = [
        say(&world.phone(Device::Mobile), &poster, &student.number, "周以宁").await,
        say(&world.phone(Device::Mobile), &poster, "201901189999", "周以宁").await,
        say(&world.phone(Device::Mobile), &poster, student.id_number.reveal(), "周以宁").await,
        say(&world.phone(Device::Mobile), &poster, "110105194912310021", "周以宁").await,
    ];
    for page in &pages {
        assert_eq!((page.status, page.text()), (422, pages[0].text()));
        assert!(page.has("号码与姓名不一致") && !page.has("林"), "{}", page.text());
    }
    let empty = say(&world.phone(Device::Mobile), &poster, "", "林知夏").await;
    assert!(empty.status == 422 && empty.has("请填写号码和姓名"));
    assert_eq!(tally(&world, &poster).await.sign_ins, 0);
}

#[tokio::test]
async fn wrong_names_are_slowed_down_in_every_process_and_together_with_the_sign_in_by_document_number() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let poster = of_tuition(&world).await;
    let id = student.id_number.reveal();
    let elsewhere = world.another_process().await;
    // without Redis each process counts for itself, and only one may run
    let url = if world.app.config.redis.is_some() { world.serve(&elsewhere).await } else { world.url.clone() };
    let (here, there) = (world.phone(Device::Mobile), Phone::new(&url, Device::Mobile));
    for phone in [&here, &there, &here] {
        assert_eq!(say(phone, &poster, id, "周以宁").await.status, 422);
    }
    let asked = say(&there, &poster, id, "林知夏").await;
    assert!(asked.status == 422 && asked.has("验证码"), "a question comes after three: {}", asked.text());
    let login = here.get("/h5/login?mode=id").await.form("/h5/login").set("id_number", id).set("name", "林知夏");
    let refused = here.submit(&login).await;
    assert!(refused.status == 422 && refused.has("验证码"), "the other door knows of it: {}", refused.text());
}

#[tokio::test]
async fn a_pass_is_good_in_one_browser_for_one_poster_and_a_quarter_of_an_hour() {
    let world = without_redis().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let (poster, other) = (of_tuition(&world).await, hang(&world, about(PosterKind::Item, "12", &[])).await);
    let phone = world.phone(Device::Mobile);
    let fees = fees_of(&phone, &poster, &student).await;
    let own = fees.path.clone();
    for (who, path) in [
        (world.phone(Device::Mobile), own.clone()),
        (phone.clone(), own.replace(&poster.code, &other.code)),
        (phone.clone(), own.replace("who=0", "who=1")),
        (phone.clone(), own.replace("t=", "t=x")),
    ] {
        let page = who.get(&path).await;
        assert!(page.status == 303 && page.location().starts_with("/q/"), "{path}: {} {}", page.status, page.text());
    }
    for page in ["/h5", "/h5/tuition", "/h5/orders", "/h5/paid", "/h5/me"] {
        assert!(phone.get(page).await.location().starts_with("/h5/login"), "{page}: nobody is signed in by it");
    }
    let stolen =
        fees.form(&format!("{}/fees", path(&poster))).without("fee").set("fee", &student.dormitory.to_string());
    assert_eq!(phone.submit(&stolen).await.status, 404, "and another fee of the same person is not found");
    let another = world.school.student(&world.app, 2, "周以宁").await;
    let stolen = fees.form(&format!("{}/fees", path(&poster))).without("fee").set("fee", &another.tuition.to_string());
    assert_eq!(phone.submit(&stolen).await.status, 404);
    assert_eq!(world.count("SELECT COUNT(*) FROM payment_order").await, 0);
    world.clock.advance(Duration::from_secs(15 * 60 + 1));
    assert_eq!(phone.get(&own).await.location(), path(&poster));
}

#[tokio::test]
async fn a_departments_poster_collects_its_items_and_leads_to_no_order_of_other_things() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let poster = hang(&world, about(PosterKind::Department, "后勤处", &["12", "13"])).await;
    let mixed = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    let phone = world.phone(Device::Alipay);
    let asked = phone.get(&path(&poster)).await;
    assert!(asked.has("后勤处") && asked.has("启明大学财务处") && asked.has("启明大学后勤"), "{}", asked.text());
    let fees = fees_of(&phone, &poster, &student).await;
    assert!(fees.has("住宿费") && fees.has("医疗保险") && !fees.has("学费 "), "{}", fees.text());
    assert!(fees.has("在另一个未付订单中"), "{}", fees.text());
    assert!(!fees.body().contains(&mixed.pay_code) && !fees.body().contains(mixed.order_no.as_str()));
    let order = order_of(&world, &phone, &fees, &poster).await;
    assert_eq!(order.total.get(), 25_000);
}

#[tokio::test]
async fn platform_and_programme_posters_lead_on_and_in_wechat_by_way_of_who_is_bound() {
    let world = TestApp::start().await;
    let platform = hang(&world, about(PosterKind::Platform, "", &[])).await;
    let id = programme_of(&world, "OPEN,开放课,Open course,招生办,,agency,2026,200,9,,,2,,\n").await;
    let programme = hang(&world, about(PosterKind::Programme, "OPEN", &[])).await;
    let (browser, wechat) = (world.phone(Device::Mobile), world.phone(Device::Wechat));
    assert_eq!(browser.get(&path(&platform)).await.location(), "/h5");
    assert_eq!(browser.get(&path(&programme)).await.location(), format!("/h5/enrol/{id}"));
    let to = wechat.get(&path(&programme)).await;
    assert_eq!(to.location(), format!("/h5/wechat/enter?to=%2Fh5%2Fenrol%2F{id}"));
    assert!(browser.open(&path(&programme)).await.has("外校人员注册"), "people from outside sign up first");
    for step in ["person", "fees"] {
        assert_ne!(browser.get(&format!("{}/{step}?t=x", path(&platform))).await.status, 200);
    }
    let english = hang(&world, NewPoster { lang: Lang::En, ..about(PosterKind::Item, "11", &[]) }).await;
    let scanned = jiaofei::web::print::address(&world.app, &english);
    assert!(scanned.ends_with("?lang=en"));
    assert!(browser.get(scanned.strip_prefix(&world.url).unwrap()).await.has("Who is it for?"));
}

#[tokio::test]
async fn a_withdrawn_and_an_expired_poster_say_so_with_a_way_on_and_an_unknown_one_is_not_found() {
    let world = without_redis().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let poster = of_tuition(&world).await;
    let ends = world.clock.now() + Duration::from_secs(600);
    let short = hang(&world, NewPoster { expires_at: Some(ends), ..about(PosterKind::Item, "12", &[]) }).await;
    let phone = world.phone(Device::Mobile);
    let fees = fees_of(&phone, &poster, &student).await;
    assert!(desk::revoke(&world.app, &poster.poster_no).await.unwrap());
    assert!(!desk::revoke(&world.app, &poster.poster_no).await.unwrap());
    let submit = phone.submit(&fees.form(&format!("{}/fees", path(&poster)))).await;
    for page in [phone.get(&path(&poster)).await, phone.get(&fees.path).await, submit] {
        assert!(page.status == 410 && page.has("这张海报已停用") && page.has("没有发生扣款"), "{}", page.text());
        assert!(page.links().contains(&"/h5".to_owned()) && !page.has("学费"), "{:?}", page.links());
    }
    assert_eq!(phone.get(&path(&short)).await.status, 200);
    world.clock.advance(Duration::from_secs(601));
    let over = phone.get(&path(&short)).await;
    assert!(over.status == 410 && over.has("这张海报已过有效期"), "{}", over.text());
    let unknown = phone.get("/q/AAAAAAAAAAAA").await;
    assert!(unknown.status == 404 && unknown.has("没有这个付款码"), "{}", unknown.text());
    for at in 0..30 {
        phone.get(&format!("/q/AAAAAAAAAA{at:02}")).await;
    }
    assert_eq!(phone.get("/q/AAAAAAAAAAAA").await.status, 429, "codes cannot be tried one after the other");
    assert_eq!(world.count("SELECT COUNT(*) FROM payment_order").await, 0);
}

#[tokio::test]
async fn what_came_of_a_poster_is_counted_without_anybodys_name() {
    let world = without_redis().await;
    let (first, second) =
        (world.school.student(&world.app, 1, "林知夏").await, world.school.student(&world.app, 2, "周以宁").await);
    let poster = of_tuition(&world).await;
    let (phone, other) = (world.phone(Device::Mobile), world.phone(Device::Wechat));
    let fees = fees_of(&phone, &poster, &first).await;
    let paid = order_of(&world, &phone, &fees, &poster).await;
    world.pay(&paid, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    let fees = fees_of(&other, &poster, &second).await;
    order_of(&world, &other, &fees, &poster).await;
    phone.get(&path(&poster)).await;
    let came = tally(&world, &poster).await;
    assert_eq!((came.scans, came.sign_ins, came.orders, came.paid_orders), (2, 2, 2, 1));
    assert_eq!(came.paid.get(), 800_000);
    refund::request(&world.app, &paid, &[(first.tuition, jiaofei::domain::money::Fen::new(100_000))], "减免")
        .await
        .unwrap();
    assert_eq!(tally(&world, &poster).await.paid.get(), 700_000);
    world.clock.advance(Duration::from_secs(3601));
    phone.get(&path(&poster)).await;
    assert_eq!(tally(&world, &poster).await.scans, 3, "the same browser, another hour");
    let fresh = of_tuition(&world).await;
    assert_eq!(tally(&world, &fresh).await, PosterTally::default());
}

#[tokio::test]
async fn whoever_comes_from_a_poster_and_signs_in_is_counted_for_what_the_poster_is_about() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let poster = of_tuition(&world).await;
    let phone = world.phone(Device::Mobile);
    phone.get(&path(&poster)).await;
    phone.sign_in(&student).await;
    let page = phone.get("/h5/tuition").await;
    let form = page.form("/h5/checkout").without("fee").set("fee", &student.insurance.to_string());
    let sent = phone.submit(&form).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    assert_eq!(tally(&world, &poster).await.orders, 0, "nothing of the poster's is in it");
    let page = phone.get("/h5/tuition").await;
    let form = page.form("/h5/checkout").without("fee").set("fee", &student.tuition.to_string());
    phone.submit(&form).await;
    assert_eq!(tally(&world, &poster).await.orders, 1);
}

#[tokio::test]
async fn a_poster_of_other_fees_follows_the_schools_switch() {
    let world = TestApp::start_with(|config| config.school.modules.set(Module::OtherFees, Opening::Closed)).await;
    let mut item = school::item("31", ("会议费", "Conference"), "agency", None);
    item.kind = FeeKind::Other;
    fees::upsert_item(world.app.db.write(), &item, world.clock.now()).await.unwrap();
    let poster = hang(&world, about(PosterKind::Item, "31", &[])).await;
    let page = world.phone(Device::Mobile).get(&path(&poster)).await;
    assert!(page.status == 404 && page.has("暂未开放"), "{}", page.text());
}

#[tokio::test]
async fn a_poster_is_about_what_is_there() {
    let world = TestApp::start().await;
    let issue = async |new: NewPoster| desk::issue(&world.app, &new).await.map(|_| ()).map_err(|e| e.to_string());
    for (new, word) in [
        (about(PosterKind::Item, "99", &[]), "fee item"),
        (about(PosterKind::Department, "后勤处", &["12", "99"]), "fee item"),
        (about(PosterKind::Programme, "NONE", &[]), "programme"),
        (about(PosterKind::Platform, "11", &[]), "about nothing else"),
    ] {
        assert!(issue(new).await.unwrap_err().contains(word), "{word}");
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM poster").await, 0);
}

async fn check(phone: &Phone, no: &str, code: &str) -> Page {
    let form = phone.get("/verify").await.form("/verify").set("no", no).set("code", code);
    phone.submit(&form).await
}

#[tokio::test]
async fn posters_and_orders_are_checked_like_vouchers_and_each_code_is_good_for_its_own_paper() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let (poster, other) = (of_tuition(&world).await, of_tuition(&world).await);
    let code = desk::code(&world.app, &poster).grouped();
    let stranger = world.phone(Device::Mobile);
    let page = check(&stranger, "hb000001", &code.to_lowercase()).await;
    assert!(page.status == 200 && page.has("海报属实") && page.has("新生缴费"), "{}", page.text());
    assert!(page.has(&format!("{}/q/{}", world.url, poster.code)) && page.has("启明大学财务处"), "{}", page.text());
    let order = world.open_one(student.id, &[student.tuition]).await;
    let owner = world.phone(Device::Mobile);
    owner.sign_in(&student).await;
    let own = owner.get(&format!("/h5/orders/{}", order.order_no)).await.text();
    let of_order = own.split("验真码 ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let page = check(&stranger, order.order_no.as_str(), &of_order).await;
    assert!(page.has("订单属实，待支付") && page.has("8,000.00") && page.has("林*夏"), "{}", page.text());
    for private in ["林知夏", student.number.as_str(), "计算机学院", &order.pay_code] {
        assert!(!page.body().contains(private), "{private}");
    }
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    assert!(check(&stranger, order.order_no.as_str(), &of_order).await.has("订单属实，已支付"));
    let wrong = [
        check(&stranger, other.poster_no.as_str(), &code).await,
        check(&stranger, order.order_no.as_str(), &code).await,
        check(&stranger, "HB000009", &code).await,
        check(&stranger, poster.poster_no.as_str(), &of_order).await,
    ];
    for page in &wrong {
        assert!(page.status == 422 && page.has("编号与验证码不符"), "{}", page.text());
        assert_eq!(page.text(), wrong[0].text());
    }
    desk::revoke(&world.app, &poster.poster_no).await.unwrap();
    let page = check(&stranger, "HB000001", &code).await;
    assert!(page.status == 200 && page.has("海报已停用"), "{}", page.text());
}
