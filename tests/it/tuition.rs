//! What is owed, as the manuals show it, and the choice of what to pay.
use jiaofei::domain::charge::Cause;
use jiaofei::domain::fee::{Collection, FeeItem};
use jiaofei::domain::ids::ChargeId;
use jiaofei::domain::money::Fen;
use jiaofei::store::chain::NewEntry;
use jiaofei::store::{books, fees};

use crate::world::app::TestApp;
use crate::world::phone::{Device, Phone};
use crate::world::school::{self, Student, item};

async fn world() -> (TestApp, Student, Phone) {
    let world = TestApp::start().await;
    world.with_a_student().await
}

async fn pay_at_counter(world: &TestApp, charge: ChargeId, fen: i64) {
    let tx = world.app.db.begin().await.unwrap();
    let (cause_no, at) = ("counter:test:1", world.clock.now());
    let entry = NewEntry { cause: Cause::Paid, cause_no, amount: Fen::new(fen), at };
    books::lock_and_enter(&tx, &world.app.chain, charge, entry).await.unwrap();
    tx.commit().await.unwrap();
}

async fn new_charge(world: &TestApp, student: &Student, item: FeeItem, fen: i64) -> ChargeId {
    let id = fees::upsert_item(world.app.db.write(), &item, world.clock.now()).await.unwrap();
    school::charge(&world.app, student.id, id, world.school.period, fen).await
}

#[tokio::test]
async fn the_manuals_own_figures_stand_on_the_page() {
    let (world, student, phone) = world().await;
    for (charge, fen) in [(student.tuition, 3), (student.dormitory, 2), (student.insurance, 1)] {
        pay_at_counter(&world, charge, fen).await;
    }
    let page = phone.get("/h5/tuition").await;
    for figure in ["9,350.00", "0.06", "9,349.94", "7,999.97", "1,099.98", "249.99"] {
        assert!(page.has(figure), "{figure} is not in: {}", page.text());
    }
    assert!(page.has("财政") && page.has("代收") && page.has("2019年度"), "{}", page.text());
    let form = page.form("/h5/checkout").without("fee").set("fee", &student.tuition.to_string());
    let mut form = form;
    form.fields.push(("fee".to_owned(), student.dormitory.to_string()));
    let cashier = phone.open(phone.submit(&form).await.location()).await;
    assert!(cashier.has("9,099.95"), "the two fiscal lines: {}", cashier.text());
    assert!(phone.get("/h5").await.has("9,349.94"));
}

#[tokio::test]
async fn everything_that_can_be_paid_is_ticked_at_first_and_what_cannot_says_why() {
    let (world, student, phone) = world().await;
    let suspended = FeeItem { collection: Collection::Suspended, ..item("14", ("教材费", ""), "agency", None) };
    let books = new_charge(&world, &student, suspended, 41_860).await;

    let page = phone.get("/h5/tuition").await;
    let form = page.form("/h5/checkout");
    let ticked: Vec<&str> = form.fields.iter().filter(|(name, _)| name == "fee").map(|(_, id)| id.as_str()).collect();
    let payable = [student.tuition, student.dormitory, student.insurance].map(|id| id.to_string());
    assert_eq!(ticked, payable.each_ref().map(String::as_str));
    assert!(page.has("教材费") && page.has("收费已停止"), "{}", page.text());

    let refused = phone.submit(&form.clone().without("fee").set("fee", &books.to_string())).await;
    assert!(refused.status == 422 && refused.has("教材费"), "{}: {}", refused.status, refused.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM payment_order").await, 0);
}

#[tokio::test]
async fn nothing_ticked_is_told_and_not_paid() {
    let (_world, _, phone) = world().await;
    let form = phone.get("/h5/tuition").await.form("/h5/checkout").without("fee");
    let page = phone.submit(&form).await;
    assert!(page.status == 422 && page.has("请先勾选要缴的项目"), "{}: {}", page.status, page.text());
}

#[tokio::test]
async fn an_amount_is_changed_without_a_script_and_each_broken_rule_has_its_own_words() {
    let (_world, student, phone) = world().await;
    let page = phone.get("/h5/tuition").await;
    let change = format!("/h5/tuition/{}/amount", student.tuition);
    assert!(page.links().iter().any(|link| link.starts_with(&change)), "{:?}", page.links());
    let form = phone.get(&change).await.form(&change);
    assert_eq!(form.field("amount"), Some("8000.00"));
    for (typed, why) in [
        ("8000.01", "8,000.00"),
        ("499.99", "500.00"),
        ("7600", "400.00"),
        ("-500", "两位小数"),
        ("1e3", "两位小数"),
        ("500.001", "两位小数"),
        ("", "两位小数"),
    ] {
        let page = phone.submit(&form.clone().set("amount", typed)).await;
        assert!(page.status == 422 && page.has(why), "{typed}: {}: {}", page.status, page.text());
        assert_eq!(page.form(&change).field("amount"), Some(typed), "what was typed is kept");
    }
    let back = phone.submit(&form.set("amount", " ¥１,500。5 ")).await;
    let changed = phone.open(back.location()).await;
    assert!(changed.has("1,500.50"), "{}", changed.text());
    let cashier = phone.open(phone.submit(&changed.form("/h5/checkout")).await.location()).await;
    assert!(cashier.has("2,600.50"), "1,500.50 and the dormitory: {}", cashier.text());
    // what cannot be split has no such page
    assert_eq!(phone.get(&format!("/h5/tuition/{}/amount", student.dormitory)).await.status, 404);
}

#[tokio::test]
async fn the_server_decides_on_amounts_whatever_a_form_says() {
    let (world, student, phone) = world().await;
    let form = phone.get("/h5/tuition").await.form("/h5/checkout");
    let tuition = format!("amt{}", student.tuition);
    for typed in ["0.00", "0.01", "8000.01", "99999999999", "7999.99"] {
        let page = phone.submit(&form.clone().set(&tuition, typed)).await;
        assert!(page.status == 422, "{typed}: {}: {}", page.status, page.text());
    }
    for typed in ["-1", "NaN", "8e3", "一千"] {
        let page = phone.submit(&form.clone().set(&tuition, typed)).await;
        assert!(page.status == 422 && page.has("两位小数"), "{typed}: {}: {}", page.status, page.text());
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM payment_order").await, 0);
}

#[tokio::test]
async fn one_selection_sent_twice_is_one_order_and_another_one_is_told_what_stands_in_its_way() {
    let (world, student, phone) = world().await;
    let form = phone.get("/h5/tuition").await.form("/h5/checkout");
    let fiscal = form.clone().without("fee").set("fee", &student.tuition.to_string());
    let first = phone.submit(&fiscal).await;
    assert_eq!(phone.submit(&fiscal).await.location(), first.location());
    // the page drawn anew has another key, and the order is used again all the same
    let waiting = phone.get("/h5/tuition").await;
    assert!(waiting.links().contains(&first.location().to_owned()), "the row leads to its order");
    let again = fiscal.clone().set("checkout_id", "anotherkeyofthispage22");
    assert_eq!(phone.submit(&again).await.location(), first.location());
    assert_eq!(world.count("SELECT COUNT(*) FROM payment_order").await, 1);

    let less = fiscal.set("checkout_id", "athirdkeyofthispage222").set(&format!("amt{}", student.tuition), "500.00");
    let page = phone.submit(&less).await;
    assert!(page.status == 409 && page.links().contains(&first.location().to_owned()), "{}", page.text());
}

#[tokio::test]
async fn another_selection_under_an_old_key_is_not_answered_with_the_old_orders() {
    let (_world, student, phone) = world().await;
    let form = phone.get("/h5/tuition").await.form("/h5/checkout").without("fee");
    let first = phone.submit(&form.clone().set("fee", &student.tuition.to_string())).await;
    // back in the browser, another row is ticked, and the page sends the key it had
    let second = phone.submit(&form.clone().set("fee", &student.insurance.to_string())).await;
    assert_ne!(first.location(), second.location());
    assert!(phone.get(second.location()).await.has("250.00"));
    let both = form.set("fee", &student.tuition.to_string()).set(&format!("amt{}", student.tuition), "600.00");
    let page = phone.submit(&both).await;
    assert!(page.status == 409 && page.links().contains(&first.location().to_owned()), "{}", page.text());
}

#[tokio::test]
async fn an_order_used_again_belongs_to_the_new_selection_and_its_next_one_follows() {
    let (world, student, phone) = world().await;
    let form = phone.get("/h5/tuition").await.form("/h5/checkout");
    let insurance = form.clone().without("fee").set("fee", &student.insurance.to_string());
    let waiting = phone.submit(&insurance.set("checkout_id", "onlytheinsurance222222")).await;
    // now everything: the insurance waits in its own order, and is the second of two
    let all = phone.submit(&form).await;
    let cashier = phone.get(all.location()).await;
    assert!(cashier.has("第 1 笔，共 2 笔"), "{}", cashier.text());
    assert!(phone.get(waiting.location()).await.has("第 2 笔，共 2 笔"));
    assert_eq!(phone.submit(&form).await.location(), all.location(), "sent twice is the same");
    assert_eq!(world.count("SELECT COUNT(*) FROM payment_order").await, 2);
}

#[tokio::test]
async fn arrears_can_be_seen_period_by_period() {
    let (world, student, phone) = world().await;
    let db = world.app.db.write();
    let name = jiaofei::domain::bilingual::Bilingual::new("2020年度", "2020");
    let next = fees::upsert_period(db, "2020", &name).await.unwrap();
    school::charge(&world.app, student.id, world.school.tuition, next, 580_000).await;
    let all = phone.get("/h5/tuition").await;
    assert!(all.text().find("2020年度") < all.text().find("2019年度"), "newest first: {}", all.text());
    let one = phone.get("/h5/tuition?period=2020").await;
    assert!(one.has("5,800.00") && !one.has("1,100.00"), "{}", one.text());
    // 【明细】 on the first page leads to each of them
    let home = phone.get("/h5").await;
    assert!(home.has("9,350.00") && home.has("5,800.00"), "{}", home.text());
    let year = home.links().into_iter().find(|link| link.contains("period=2019")).unwrap();
    let one = phone.get(&year).await;
    assert!(one.has("共有3条缴费项目，共需交费9,350.00元，已缴费0.00元，欠费9,350.00元"), "{}", one.text());
}

#[tokio::test]
async fn one_item_is_picked_out_and_what_is_paid_in_full_is_shown_when_asked_for() {
    let (world, student, phone) = world().await;
    pay_at_counter(&world, student.dormitory, 110_000).await;
    let page = phone.get("/h5/tuition").await;
    assert!(!page.has("住宿费"), "{}", page.text());
    let filter = page.form("/h5/tuition").set("item", "11").set("settled", "1");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&filter.fields).finish();
    let tuition = phone.get(&format!("/h5/tuition?{query}")).await;
    assert!(tuition.has("8,000.00") && !tuition.has("250.00") && !tuition.has("1,100.00"), "{}", tuition.text());
    let all = phone.get("/h5/tuition?settled=1").await;
    assert!(all.has("已缴清，应缴 1,100.00，已缴 1,100.00") && all.has("已完成"), "{}", all.text());
    assert!(all.has("共有3条缴费项目，共需交费9,350.00元，已缴费1,100.00元，欠费8,250.00元"), "{}", all.text());
    let form = all.form("/h5/checkout");
    assert!(!form.fields.contains(&("fee".to_owned(), student.dormitory.to_string())), "nothing to pay again");
    // a refused selection comes back under the same filters
    let refused = phone.submit(&tuition.form("/h5/checkout").without("fee")).await;
    assert!(refused.status == 422 && !refused.has("250.00"), "{}", refused.text());

    let stranger = world.phone(Device::Wechat);
    stranger.sign_in_by_id(&student).await;
    let owed = stranger.get("/h5/tuition?settled=1").await;
    assert!(owed.has("8,000.00") && !owed.has("1,100.00") && !owed.has("已缴清"), "{}", owed.text());
}

#[tokio::test]
async fn who_owes_nothing_is_told_so() {
    let (world, student, phone) = world().await;
    for (charge, fen) in [(student.tuition, 800_000), (student.dormitory, 110_000), (student.insurance, 25_000)] {
        pay_at_counter(&world, charge, fen).await;
    }
    assert!(phone.get("/h5/tuition").await.forms().iter().all(|form| form.action != "/h5/checkout"));
    assert!(!phone.get("/h5").await.has("去缴费"), "{}", phone.get("/h5").await.text());
}
