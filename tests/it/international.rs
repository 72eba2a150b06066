//! 留学生: an account by e-mail, studies bound to it, and the whole way to a receipt in English.
use std::time::Duration;

use jiaofei::cli::demo::demo_fiscal;
use jiaofei::config::Checkout;
use jiaofei::domain::capital::capitals;
use jiaofei::domain::ids::PayerId;
use jiaofei::domain::module::{Module, Opening};
use jiaofei::domain::money::Fen;
use jiaofei::domain::order_no::OrderNo;
use jiaofei::domain::profile::Email;
use jiaofei::domain::trade::Product;
use jiaofei::flow::ereceipt::issue;
use jiaofei::flow::import::run::{Kind, import};
use jiaofei::flow::member as flow;
use jiaofei::flow::{password, post};
use jiaofei::store::{orders, payers};

use crate::confirming::agree;
use crate::messages::sending;
use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school;

const GOOD: &str = "Kaleidos7!";
const EMAIL: &str = "jiwoo@mail.example";
const HEADER: &str = "申请号,学号,护照号,护照姓名,中文名,性别,出生日期,国籍,申请类型,学习期限,院系专业\n";
pub const PARK: &str = "20221000075,202301180418,M12345678,PARK JIWOO,朴智宇,Female,2001-03-12,\
    \"Korea, Republic of/KOR/韩国\",Undergraduate,2026-09 – 2030-07,Software Engineering\n";
const NGUYEN: &str = "20221000076,,C7654321,NGUYEN VAN AN,,Male,2002-11-30,Viet Nam/VNM/越南,Master,2 years,Physics\n";

/// A school with two international students: the first owes 8,000.00; the second, who has no student number yet,
/// 1,100.00.
async fn world() -> TestApp {
    let world = sending(|config| {
        let sandbox = config.official_account.as_ref().unwrap().api_base.clone();
        config.checkout = Checkout::default();
        (config.redis, config.fiscal) = (None, Some(demo_fiscal(&sandbox)));
    })
    .await;
    bring(&world, &format!("{PARK}{NGUYEN}"), (2, 0, 0)).await;
    let (park, nguyen) = (payer(&world, "202301180418").await, payer(&world, "20221000076").await);
    school::charge(&world.app, park, world.school.tuition, world.school.period, 800_000).await;
    school::charge(&world.app, nguyen, world.school.dormitory, world.school.period, 110_000).await;
    world
}

pub async fn payer(world: &TestApp, number: &str) -> PayerId {
    payers::find_by_number(world.app.db.read(), number).await.unwrap().unwrap().payer.id
}

pub async fn bring(world: &TestApp, rows: &str, (added, changed, unchanged): (u64, u64, u64)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("studies.csv");
    std::fs::write(&path, format!("{HEADER}{rows}")).unwrap();
    let report = import(&world.app, Kind::Studies, &path, false, &|_, _| {}).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.bad);
    assert_eq!((report.added, report.changed, report.unchanged), (added, changed, unchanged));
}

async fn register(phone: &Phone, email: &str) -> Page {
    let form = phone.get("/h5/international?lang=en").await.form("/h5/international");
    phone.submit(&form.set("email", email)).await
}

/// The text of the last mail, and the address in it.
pub async fn mail(world: &TestApp, to: &str) -> (String, String) {
    post::run_once(&world.app).await.unwrap();
    let mail = world.sandbox.postbox().of(to).pop().unwrap();
    let link = mail.text.lines().find(|line| line.starts_with("http")).unwrap_or_default().to_owned();
    (format!("{}\n{}", mail.subject, mail.text), link)
}

/// A phone whose account is active and signed in.
async fn member(world: &TestApp, email: &str) -> Phone {
    let phone = world.phone(Device::Mobile);
    register(&phone, email).await;
    let (_, link) = mail(world, email).await;
    let form = phone.get(&link).await.form("/h5/international/activate");
    let done = phone.submit(&form.set("name", "PARK JIWOO").set("new", GOOD).set("again", GOOD)).await;
    assert_eq!(done.location(), "/h5/studies");
    phone
}

async fn bind(phone: &Phone, number: &str, birth: &str, nationality: &str) -> Page {
    let form = phone.get("/h5/studies").await.form("/h5/studies");
    phone.submit(&form.set("number", number).set("birth", birth).set("nationality", nationality)).await
}

/// No Chinese stands in a text but the names that are official.
#[track_caller]
fn is_english(world: &TestApp, what: &str, text: &str) {
    let mut rest = text.to_owned();
    let payees = world.app.config.payee.iter().map(|payee| payee.name.as_str());
    let capitals = capitals(Fen::new(800_000));
    // the marks of the school and of the channels are one sign each, and hidden from who listens
    let marks = ["启明大学", "启", "支", "微", "银", "学费", "住宿费", "简体中文", "朴智宇", &capitals];
    for official in payees.chain(marks) {
        rest = rest.replace(official, "");
    }
    let chinese: String = rest.chars().filter(|c| ('\u{3000}'..='\u{9fff}').contains(c)).collect();
    assert!(chinese.is_empty(), "{what}: {chinese}\n{text}");
}

#[track_caller]
fn says(page: &Page, all: &[&str]) {
    for words in all {
        assert!(page.has(words), "{words} is not on {}: {}", page.path, page.text());
    }
}

/// From the door to the bound study; gives every page on the way.
async fn in_by_mail(world: &TestApp, phone: &Phone) -> Vec<Page> {
    let mut seen = vec![phone.get("/h5/international?lang=en").await, phone.get("/h5/login").await];
    says(
        &seen[0],
        &["Account Sign In", "User Name/Email", "Register", "Forgotten password", "Resend email to activate"],
    );
    seen.push(register(phone, "jiwoo@").await);
    seen.push(register(phone, EMAIL).await);
    let (text, link) = mail(world, EMAIL).await;
    is_english(world, "mail", &text);
    let page = phone.get(&link).await;
    let form = page.form("/h5/international/activate").set("name", "PARK JIWOO");
    seen.extend([page, phone.submit(&form.clone().set("new", "short").set("again", "short")).await]);
    let done = phone.submit(&form.set("new", GOOD).set("again", GOOD)).await;
    seen.push(phone.settle(done).await);
    // out, and in again at the door
    let out = phone.submit(&phone.get("/h5/studies").await.form("/h5/logout")).await;
    seen.push(phone.settle(out).await);
    let door = phone.get("/h5/international").await.form("/h5/login").set("username", EMAIL);
    seen.push(phone.submit(&door.clone().set("password", "Wrong-pass1")).await);
    assert_eq!(phone.submit(&door.set("password", GOOD)).await.location(), "/h5/studies");
    seen.push(bind(phone, "", "12 March", " ").await);
    says(seen.last().unwrap(), &["Enter the number: letters", "Enter it like 2001-03-12", "Enter your nationality"]);
    seen.push(bind(phone, "20221000075", "2001-03-13", "KOR").await);
    says(seen.last().unwrap(), &["The number, birth date or nationality is wrong"]);
    let bound = bind(phone, "20221000075", "2001-03-12", "KOR").await;
    seen.push(phone.settle(bound).await);
    seen
}

/// From the list of fees to the cashier; gives every page on the way and the order's number.
async fn to_the_cashier(phone: &Phone) -> (Vec<Page>, String) {
    let tuition = phone.get("/h5/tuition").await;
    says(&tuition, &["PARK JIWOO", "You currently have the following fees to pay. Please pay as soon as possible."]);
    says(&tuition, &["8,000.00", "Tuition", "Go to Pay"]);
    let ordered = phone.submit(&tuition.form("/h5/checkout")).await;
    let confirm = phone.settle(ordered).await;
    says(&confirm, &["Pay to", "Commission Fee", "Check and pay"]);
    let unread = phone.submit(&confirm.form("/h5/checkout").without("agree")).await;
    let ordered = phone.submit(&agree(&confirm)).await;
    let cashier = phone.settle(ordered).await;
    says(&cashier, &["Payment Information", "Order no.", "Pay to", "Commission Fee", "Payment Status Unpaid"]);
    let no = cashier.path.split('/').nth(3).unwrap().split('?').next().unwrap().to_owned();
    (vec![tuition, confirm, unread, cashier], no)
}

#[tokio::test]
async fn the_whole_way_from_registering_to_the_receipt_is_in_english() {
    let world = world().await;
    let phone = world.phone(Device::Desktop);
    let mut seen = in_by_mail(&world, &phone).await;
    let block = phone.get("/h5/studies").await;
    says(&block, &["Application No. 20221000075", "Student No. 202301180418", "Passport Name PARK JIWOO"]);
    says(&block, &["Nationality Korea, Republic of", "Department & Major Software Engineering"]);
    says(&block, &["Bound Study Informations (1)", "Add Bind Study Information"]);
    assert!(!block.body().contains("M12345678"), "the passport number is masked");
    let (pages, no) = to_the_cashier(&phone).await;
    seen.extend(pages);
    seen.extend([block, phone.open(&format!("/h5/result/{no}")).await]);
    let order = orders::find_by_no(world.app.db.read(), &OrderNo::parse(&no).unwrap()).await.unwrap().unwrap();
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    for path in ["", "/orders", "/paid", "/dealings", "/tuition", "/other", "/living", "/enrol", "/me", "/me/profile"] {
        seen.push(phone.get(&format!("/h5{path}")).await);
    }
    for path in ["/me/password", "/me/question", "/me/card", "/help", "/news", "/agreement", "/forgot", "/nowhere"] {
        seen.push(phone.get(&format!("/h5{path}")).await);
    }
    for page in [format!("result/{no}"), format!("orders/{no}"), format!("orders/{no}/trouble")] {
        seen.push(phone.open(&format!("/h5/{page}")).await);
    }
    let links = phone.get("/h5/paid").await.links();
    let slip = phone.get(links.iter().find(|link| link.starts_with("/h5/paid/")).unwrap()).await;
    says(&slip, &["PARK JIWOO", "In words Eight Thousand Yuan Only"]);
    for _ in 0..3 {
        issue::run_once(&world.app).await.unwrap();
    }
    seen.push(phone.get(&format!("{}/ereceipt", slip.path)).await);
    seen.push(slip);
    for page in &seen {
        is_english(&world, &page.path, &page.text());
        assert!(page.body().contains("<html lang=\"en\""), "{}", page.path);
    }
    let told = world.sandbox.postbox().of(EMAIL).pop().unwrap();
    assert!(told.text.contains("Fiscal e-receipt issued"), "to the mailbox: {}", told.text);
}

#[tokio::test]
async fn an_account_without_a_study_sees_nothing_but_its_own_pages_and_the_one_that_binds() {
    let world = world().await;
    let phone = member(&world, EMAIL).await;
    for path in ["/h5", "/h5/tuition", "/h5/orders", "/h5/paid"] {
        assert_eq!(phone.get(path).await.location(), "/h5/studies", "{path}");
    }
    for path in ["/h5/studies", "/h5/me", "/h5/me/password", "/h5/me/profile"] {
        assert_eq!(phone.get(path).await.status, 200, "{path}");
    }
    let out = phone.get("/h5/studies").await.form("/h5/logout");
    assert!(phone.submit(&out).await.status < 400);
    assert!(phone.get("/h5/studies").await.location().starts_with("/h5/login"));
}

#[tokio::test]
async fn whatever_is_wrong_is_told_alike_and_guessing_meets_the_check() {
    let world = world().await;
    let phone = member(&world, EMAIL).await;
    let wrong = [
        ("20221000075", "2001-03-13", "KOR"),
        ("20221000075", "2001-03-12", "VNM"),
        ("20229999999", "2001-03-12", "KOR"),
    ];
    let mut told = Vec::new();
    for (number, birth, nationality) in wrong {
        let page = bind(&phone, number, birth, nationality).await;
        assert_eq!(page.status, 422);
        told.push(page.text().split("wrong").next().unwrap().to_owned());
    }
    assert!(told.iter().all(|text| *text == told[0]), "{told:#?}");
    let asked = bind(&phone, "20221000075", "2001-03-12", "KOR").await;
    assert!(asked.status == 422 && asked.form("/h5/studies").field("captcha_id").is_some(), "{}", asked.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM study_binding").await, 0);
    let empty = bind(&phone, "", "2001-03-12", "KOR").await;
    assert!(empty.status == 422 && empty.has("Enter the number: letters") && !empty.has("Enter your nationality"));
    assert!(empty.form("/h5/studies").field("birth") == Some("2001-03-12"), "what was typed stays");
    assert!(phone.get("/h5/studies?lang=zh-CN").await.has("申请号或学号"));
    assert!(bind(&phone, "", "", "").await.has("请照 2001-03-12 的样子填写"));
}

#[tokio::test]
async fn a_bound_study_opens_what_its_payer_owes_and_nothing_of_others_or_of_the_payers_account() {
    let world = world().await;
    let phone = member(&world, EMAIL).await;
    let other = member(&world, "an@mail.example").await;
    assert_eq!(bind(&phone, "202301180418", "20010312", "韩国").await.location(), "/h5/tuition", "by student number");
    assert_eq!(bind(&other, "20221000076", "2002/11/30", "viet nam").await.location(), "/h5/tuition");
    assert!(phone.get("/h5/tuition").await.has("8,000.00") && !phone.get("/h5/tuition").await.has("1,100.00"));
    assert!(other.get("/h5/tuition").await.has("1,100.00") && !other.get("/h5/tuition").await.has("8,000.00"));
    // another's binding does not exist
    let form = phone.get("/h5/studies").await.form("/h5/studies/unbind");
    let csrf = other.get("/h5/studies").await.form("/h5/studies").field("csrf").unwrap().to_owned();
    let stolen = form.clone().set("csrf", &csrf);
    assert_eq!(other.submit(&stolen).await.status, 404);
    let mut chosen = stolen.clone();
    chosen.action = "/h5/studies/choose".to_owned();
    assert_eq!(other.submit(&chosen).await.status, 404);
    // the pages of the account are the account's, never the payer's
    let me = phone.get("/h5/me/password").await.form("/h5/me/password");
    let changed = phone.submit(&me.set("old", GOOD).set("new", "Sturmvogel8?").set("again", "Sturmvogel8?")).await;
    assert_eq!(changed.status, 303, "{}", changed.text());
    let set = "SELECT COUNT(*) FROM payer WHERE number = '202301180418' AND password_hash IS NOT NULL";
    assert_eq!(world.count(set).await, 0);
    // several studies: the payer is chosen
    let form = other.get("/h5/studies").await.form("/h5/studies/unbind");
    assert_eq!(other.submit(&form).await.location(), "/h5/studies");
    assert_eq!(bind(&phone, "20221000076", "2002-11-30", "VNM").await.location(), "/h5/tuition");
    assert!(phone.get("/h5/tuition").await.has("1,100.00"));
    let studies = phone.get("/h5/studies").await;
    let first = studies.forms().into_iter().filter(|form| form.action == "/h5/studies/choose").nth(1).unwrap();
    assert_eq!(phone.submit(&first).await.location(), "/h5/tuition");
    assert!(phone.get("/h5/tuition").await.has("8,000.00"));
    // and a student of the ordinary kind has none of these pages
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let ordinary = world.phone(Device::Mobile);
    ordinary.sign_in(&student).await;
    assert_eq!(ordinary.get("/h5/studies").await.status, 404);
}

#[tokio::test]
async fn unbinding_ends_it_on_every_device() {
    let world = world().await;
    let phone = member(&world, EMAIL).await;
    bind(&phone, "20221000075", "2001-03-12", "KOR").await;
    let elsewhere = world.phone(Device::Wechat);
    let form = elsewhere.get("/h5/login?lang=en").await.form("/h5/login");
    let inside = elsewhere.submit(&form.set("username", " Jiwoo@Mail.Example ").set("password", GOOD)).await;
    assert_eq!(inside.location(), "/h5", "{}", inside.text());
    assert!(elsewhere.get("/h5").await.has("8,000.00"), "with the study bound last");
    let form = phone.get("/h5/studies").await.form("/h5/studies/unbind");
    assert_eq!(phone.submit(&form).await.location(), "/h5/studies");
    assert_eq!(phone.submit(&form).await.location(), "/h5/studies", "a second tap");
    let mut stale = form.clone();
    stale.action = "/h5/studies/choose".to_owned();
    assert_eq!(phone.submit(&stale).await.location(), "/h5/studies", "a page from before");
    for device in [&phone, &elsewhere] {
        assert_eq!(device.get("/h5/tuition").await.location(), "/h5/studies");
    }
}

#[tokio::test]
async fn the_page_says_the_same_of_every_address_and_the_mail_says_the_truth() {
    let world = world().await;
    let phone = world.phone(Device::Mobile);
    let new = register(&phone, EMAIL).await;
    let soon = register(&phone, EMAIL).await;
    assert!(soon.status == 422 && soon.has("Too many messages"), "{}", soon.text());
    let (_, first) = mail(&world, EMAIL).await;
    world.clock.advance(Duration::from_secs(61));
    register(&phone, EMAIL).await;
    let (_, link) = mail(&world, EMAIL).await;
    let page = phone.get(&link).await;
    assert!(page.has(EMAIL) && phone.get(&link).await.has(EMAIL), "opening it uses nothing up");
    let form = page.form("/h5/international/activate");
    let nameless = phone.submit(&form.clone().set("name", "P4RK").set("new", GOOD).set("again", GOOD)).await;
    assert!(nameless.status == 422 && nameless.has("Enter the name on your document"), "{}", nameless.text());
    let form = form.set("name", "PARK JIWOO").set("new", GOOD).set("again", GOOD);
    let (one, other) = tokio::join!(phone.submit(&form), phone.submit(&form));
    for page in [one, other] {
        assert_eq!(page.location(), "/h5/studies", "a second tap");
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM member").await, 1);
    world.clock.advance(Duration::from_secs(61));
    let stranger = world.phone(Device::Desktop);
    assert!(stranger.get(&link).await.has("This link no longer works") || stranger.get(&link).await.has("链接已失效"));
    let known = register(&stranger, EMAIL).await;
    assert_eq!((known.status, known.text()), (new.status, new.text()));
    let (text, none) = mail(&world, EMAIL).await;
    assert!(text.contains("There is one already") && none.is_empty(), "{text}");
    // an older link opens no second account
    let form = stranger.get(&first).await.form("/h5/international/activate");
    let late = stranger.submit(&form.set("name", "PARK JIWOO").set("new", GOOD).set("again", GOOD)).await;
    assert!(late.has("This link no longer works"), "{}", late.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM member").await, 1);
}

#[tokio::test]
async fn an_applicant_who_gets_a_student_number_keeps_everything_and_the_same_file_changes_nothing() {
    let world = world().await;
    bring(&world, &format!("{PARK}{NGUYEN}"), (0, 0, 2)).await;
    let before = payer(&world, "20221000076").await;
    let numbered = NGUYEN.replacen("20221000076,,", "20221000076,202301180500,", 1);
    bring(&world, &numbered, (0, 0, 1)).await;
    assert_eq!(payer(&world, "202301180500").await, before, "one bill");
    bring(&world, NGUYEN, (0, 0, 1)).await;
    assert_eq!(payer(&world, "202301180500").await, before, "a number that was given stays");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("studies.csv");
    let stolen = PARK.replacen("202301180418", "202301180500", 1);
    let bad = NGUYEN.replacen("2002-11-30", "30/11/2002", 1);
    std::fs::write(&path, format!("{HEADER}{stolen}{bad}")).unwrap();
    let report = import(&world.app, Kind::Studies, &path, false, &|_, _| {}).await.unwrap();
    let refused: Vec<_> = report.bad.iter().map(|bad| (bad.line, bad.column)).collect();
    assert_eq!(refused, [(2, "学号"), (3, "出生日期")]);
    let plain =
        "SELECT COUNT(*) FROM study WHERE details_sealed LIKE '%M12345678%' OR details_sealed LIKE '%2001%KOR%'";
    assert_eq!(world.count(plain).await, 0, "sealed");
}

#[tokio::test]
async fn a_study_that_another_account_has_needs_the_passport_and_that_account_is_told() {
    let world = world().await;
    let (phone, other) = (member(&world, EMAIL).await, member(&world, "an@mail.example").await);
    let (one, two) = tokio::join!(
        bind(&phone, "20221000075", "2001-03-12", "KOR"),
        bind(&phone, "20221000075", "2001-03-12", "KOR")
    );
    assert!(one.location() == "/h5/tuition" && two.location() == "/h5/tuition", "a double tap");
    let asked = bind(&other, "20221000075", "2001-03-12", "KOR").await;
    assert_eq!(asked.status, 422);
    says(&asked, &["This study is bound to another account"]);
    let form = |page: &Page| {
        let form = page.form("/h5/studies").set("number", "20221000075").set("birth", "20010312");
        form.set("nationality", "KOR")
    };
    let wrong = other.submit(&form(&asked).set("passport", "M12345679")).await;
    assert_eq!(wrong.status, 422);
    says(&wrong, &["This is not the passport number the university has"]);
    assert!(!wrong.body().contains("M12345679"), "what was typed is not shown again");
    assert_eq!(other.get("/h5/tuition").await.location(), "/h5/studies");
    assert_eq!(other.submit(&form(&wrong).set("passport", "m12345678")).await.location(), "/h5/tuition");
    assert!(other.get("/h5/tuition").await.has("8,000.00") && phone.get("/h5/tuition").await.has("8,000.00"));
    let (text, _) = mail(&world, EMAIL).await;
    assert!(text.contains("was bound to another account"), "{text}");
    is_english(&world, "mail", &text);
    // the other's own study again asks nothing, and tells nobody
    assert_eq!(bind(&other, "20221000075", "2001-03-12", "KOR").await.location(), "/h5/tuition");
    post::run_once(&world.app).await.unwrap();
    assert_eq!(world.count("SELECT COUNT(*) FROM message WHERE kind = 'study_shared'").await, 1);
}

#[tokio::test]
async fn a_school_without_international_students_lets_nobody_in_by_mail() {
    let world = sending(|config| config.school.modules.set(Module::International, Opening::Hidden)).await;
    let phone = world.phone(Device::Mobile);
    let tx = world.app.db.begin().await.unwrap();
    let stored = password::store_form(&world.app, GOOD).await;
    let email = Email::parse(EMAIL).unwrap();
    flow::open(&world.app, &tx, &email, "I26000001", "PARK JIWOO", &stored).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let login = phone.get("/h5/login?lang=en").await;
    assert!(!login.has("International") && !login.has("international"), "{}", login.text());
    let form = login.form("/h5/login").set("username", EMAIL).set("password", GOOD);
    assert_eq!(phone.submit(&form).await.status, 422);
    assert_eq!(phone.get("/h5/international").await.status, 404);
}
