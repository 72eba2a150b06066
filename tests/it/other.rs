//! 其他缴费: one batch at a time, in its time, whatever a form says.
use std::time::Duration;

use jiaofei::domain::bilingual::Bilingual;
use jiaofei::domain::fee::{FeeItem, FeeKind, Window};
use jiaofei::domain::ids::ChargeId;
use jiaofei::flow::import::run::{Kind, import};
use jiaofei::store::fees;

use crate::world::app::TestApp;
use crate::world::page::{Form, Page};
use crate::world::phone::Phone;
use crate::world::school::{self, Student, item};

async fn world() -> (TestApp, Student, Phone) {
    let world = TestApp::start().await;
    world.with_a_student().await
}

fn other(code: &str, name: (&str, &str), window: Window) -> FeeItem {
    FeeItem { kind: FeeKind::Other, window, ..item(code, name, "agency", None) }
}

/// A charge of an item, in the school's period or another one.
async fn owe(world: &TestApp, student: &Student, item: &FeeItem, period: &str, fen: i64) -> ChargeId {
    let (db, now) = (world.app.db.write(), world.clock.now());
    let item = fees::upsert_item(db, item, now).await.unwrap();
    let name = Bilingual::new(format!("{period}年度"), "");
    let period = fees::upsert_period(db, period, &name).await.unwrap();
    school::charge(&world.app, student.id, item, period, fen).await
}

/// Health checks of two years.
pub async fn two_batches(world: &TestApp, student: &Student) -> (ChargeId, ChargeId) {
    let check_up = other("21", ("体检费", "Health check"), Window::default());
    (owe(world, student, &check_up, "2018", 5_000).await, owe(world, student, &check_up, "2020", 6_500).await)
}

async fn page(phone: &Phone) -> (Page, Form) {
    let page = phone.get("/h5/other").await;
    let form = page.form("/h5/checkout");
    (page, form)
}

async fn orders(world: &TestApp) -> i64 {
    world.count("SELECT COUNT(*) FROM payment_order").await
}

#[tokio::test]
async fn other_fees_have_a_page_of_their_own_and_count_into_what_is_owed() {
    let (world, student, phone) = world().await;
    owe(&world, &student, &other("21", ("体检费", "Health check"), Window::default()), "2019", 6_500).await;
    let tuition = phone.get("/h5/tuition").await;
    assert!(!tuition.has("体检费") && tuition.has("其他缴费还有欠费"), "{}", tuition.text());
    assert!(phone.get("/h5/other").await.has("体检费") && !phone.get("/h5/other").await.has("住宿费"));
    let home = phone.get("/h5").await;
    assert!(home.has("9,415.00") && home.has("学费欠费 9,350.00") && home.has("其他缴费欠费 65.00"), "{}", home.text());
    for entry in ["/h5/tuition", "/h5/other"] {
        assert!(home.links().contains(&entry.to_owned()), "{entry}: {:?}", home.links());
    }
}

#[tokio::test]
async fn one_batch_is_paid_at_a_time_and_the_server_holds_to_it() {
    let (world, student, phone) = world().await;
    let (old, new) = two_batches(&world, &student).await;
    let (shown, form) = page(&phone).await;
    assert!(shown.has("每次只能选择一个批次"), "{}", shown.text());
    // the page sends the fees of both; what counts is the batch that was chosen
    let cashier = phone.open(phone.submit(&form.clone().set("batch", "other:2018")).await.location()).await;
    assert!(cashier.has("50.00") && !cashier.has("65.00"), "{}", cashier.text());
    // whoever makes a form up meets the rule all the same
    let mut both = form.without("page").without("batch").without("fee").set("checkout_id", "madeupbysomebody222222");
    both.fields.extend([old, new].map(|charge| ("fee".to_owned(), charge.to_string())));
    let refused = phone.submit(&both).await;
    assert!(refused.status == 422 && refused.has("每次只能选择一个批次"), "{}: {}", refused.status, refused.text());
    assert_eq!(orders(&world).await, 1);
}

#[tokio::test]
async fn a_batch_sent_twice_is_one_order_and_without_a_choice_nothing_is_paid() {
    let (world, student, phone) = world().await;
    owe(&world, &student, &other("21", ("体检费", ""), Window::default()), "2019", 6_500).await;
    owe(&world, &student, &other("24", ("教材费", ""), Window::default()), "2019", 41_860).await;
    let (_, form) = page(&phone).await;
    assert_eq!(form.field("batch"), Some("other:2019"), "the first that can be paid is chosen");
    let none = phone.submit(&form.clone().without("batch")).await;
    assert!(none.status == 422 && none.has("请先勾选要缴的项目"), "{}: {}", none.status, none.text());
    let cashier = phone.submit(&form).await;
    assert_eq!(phone.submit(&form).await.location(), cashier.location());
    assert!(phone.open(cashier.location()).await.has("483.60"), "the batch's two fees, of one payee");
    assert!(phone.get("/h5/other").await.has("支付中") && orders(&world).await == 1);
}

#[tokio::test]
async fn outside_its_time_a_batch_says_when_it_opens_and_whom_to_ask_and_takes_no_money() {
    let (world, student, phone) = world().await;
    let (now, days) = (world.clock.now(), |days: u64| Duration::from_secs(days * 86_400));
    let over = Window { opens_at: None, closes_at: Some(now - days(5)) };
    let conference = owe(&world, &student, &other("22", ("会议费", ""), over), "2019", 80_000).await;
    let soon = Window { opens_at: Some(now + days(14)), closes_at: None };
    let uniform = owe(&world, &student, &other("23", ("军训服装费", ""), soon), "2020", 23_800).await;
    let shown = phone.get("/h5/other").await;
    for words in ["9月15日 10:00 开始收费", "收费已于", "如有疑问请联系财务处"] {
        assert!(shown.has(words), "{words}: {}", shown.text());
    }
    assert!(!shown.has("缴所选批次"), "nothing to pay: {}", shown.text());
    let csrf = shown.form("/h5/checkout").field("csrf").unwrap().to_owned();
    for (charge, word) in [(conference, "会议费"), (uniform, "军训服装费")] {
        let (id, checkout_id) = (charge.to_string(), "madeupbysomebody222222");
        let fields = [("csrf", csrf.as_str()), ("checkout_id", checkout_id), ("fee", id.as_str())];
        let refused = phone.post("/h5/checkout", &fields).await;
        assert!(refused.status == 422 && refused.has(word), "{}: {}", refused.status, refused.text());
    }
    assert_eq!(orders(&world).await, 0);
}

#[tokio::test]
async fn an_amount_of_a_batch_is_changed_and_comes_back_to_it() {
    let (world, student, phone) = world().await;
    let books = FeeItem { kind: FeeKind::Other, ..item("24", ("教材费", ""), "agency", Some(10_000)) };
    owe(&world, &student, &books, "2020", 41_860).await;
    owe(&world, &student, &other("21", ("体检费", ""), Window::default()), "2018", 6_500).await;
    let (shown, _) = page(&phone).await;
    let link = shown.links().into_iter().find(|link| link.contains("/amount?batch=")).unwrap();
    let change = phone.get(&link).await;
    let action = link.split('?').next().unwrap();
    let back = phone.submit(&change.form(action).set("amount", "200")).await;
    let changed = phone.open(back.location()).await;
    assert!(back.location().starts_with("/h5/other?batch=") && changed.has("200.00"), "{}", changed.text());
    let form = changed.form("/h5/checkout");
    assert_eq!(form.field("batch"), Some("other:2020"));
    let cashier = phone.open(phone.submit(&form).await.location()).await;
    assert!(cashier.has("200.00"), "{}", cashier.text());
}

#[tokio::test]
async fn the_office_names_a_batch_in_its_spreadsheet() {
    let (world, student, phone) = world().await;
    let db = world.app.db.write();
    fees::upsert_item(db, &other("21", ("体检费", ""), Window::default()), world.clock.now()).await.unwrap();
    fees::upsert_item(db, &other("24", ("教材费", ""), Window::default()), world.clock.now()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("charges.csv");
    let rows = format!(
        "人员编号,收费期间,项目编码,应收金额,收费批次\n{0},2019,21,65,秋季第一批\n{0},2019,24,418.6,秋季第二批\n",
        student.number
    );
    for (added, unchanged) in [(2, 0), (0, 2)] {
        std::fs::write(&path, &rows).unwrap();
        let report = import(&world.app, Kind::Charges, &path, false, &|_, _| {}).await.unwrap();
        assert_eq!((report.added, report.changed, report.unchanged), (added, 0, unchanged), "{:?}", report.bad);
    }
    let (shown, form) = page(&phone).await;
    assert!(shown.has("秋季第一批") && shown.has("秋季第二批"), "{}", shown.text());
    let cashier = phone.open(phone.submit(&form.set("batch", "batch:秋季第二批")).await.location()).await;
    assert!(cashier.has("418.60"), "{}", cashier.text());
    // what a later file does not say stays
    std::fs::write(&path, rows.replace(",收费批次", ",无关").replace("65,", "75,")).unwrap();
    let report = import(&world.app, Kind::Charges, &path, false, &|_, _| {}).await.unwrap();
    assert_eq!((report.changed, report.bad_count), (1, 0));
    assert!(phone.get("/h5/other").await.has("秋季第一批"));
}
