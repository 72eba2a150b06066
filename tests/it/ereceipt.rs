//! 财政电子票据: issued once for each payment into the fiscal fund, whatever fails on the way, and made void when the money
//! goes back. Money waits for none of it.
use std::time::Duration;

use jiaofei::cli::demo::{demo_fiscal, demo_messages};
use jiaofei::config::Config;
use jiaofei::domain::ereceipt::{EReceipt, EReceiptState, EReceiptWord};
use jiaofei::domain::money::Fen;
use jiaofei::domain::order::Order;
use jiaofei::domain::trade::Product;
use jiaofei::flow::ereceipt::{desk, issue};
use jiaofei::flow::{office, refund};
use jiaofei::sandbox::fiscal::ledger::{Issued, Mishap, Trouble};
use jiaofei::store::{ereceipts, fees, journal};
use sea_orm::ConnectionTrait;

use crate::world::app::TestApp;
use crate::world::phone::Device;
use crate::world::school::Student;

const PHONE: &str = "13800000001";
/// Where the student is told
const OWN_PHONE: &str = "17800005287";
const HOUR: Duration = Duration::from_secs(3600);

fn with_platform(config: &mut Config) {
    let sandbox = config.official_account.as_ref().unwrap().api_base.clone();
    config.fiscal = Some(demo_fiscal(&sandbox));
    config.sms = Some(demo_messages(&sandbox, 9).1);
}

async fn world() -> (TestApp, Student) {
    let world = TestApp::start_with(with_platform).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

/// Tuition and dormitory are paid, and the notice has come.
async fn paid(world: &TestApp, student: &Student) -> Order {
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
    order
}

async fn all(world: &TestApp, order: &Order) -> Vec<EReceipt> {
    let receipt = journal::find_receipt_of_order(world.app.db.read(), order.id).await.unwrap().unwrap();
    ereceipts::find_of_receipt(world.app.db.read(), receipt.id).await.unwrap()
}

async fn words(world: &TestApp, order: &Order) -> Vec<EReceiptWord> {
    all(world, order).await.iter().map(|one| one.state.word()).collect()
}

fn bills(world: &TestApp) -> Vec<Issued> {
    world.sandbox.fiscal().bills().to_vec()
}

fn trouble(world: &TestApp, mishap: Mishap, service: Option<&str>, times: Option<u32>) {
    let service = service.map(str::to_owned);
    world.sandbox.fiscal().set_trouble(Some(Trouble { mishap, service, times }));
}

async fn run(world: &TestApp) -> usize {
    issue::run_once(&world.app).await.unwrap()
}

/// Time passes in steps, and the job looks after each.
async fn pass(world: &TestApp, steps: u32, step: Duration) {
    for _ in 0..steps {
        world.clock.advance(step);
        run(world).await;
    }
}

#[tokio::test]
async fn a_payment_into_the_fiscal_fund_has_its_bill_with_every_line_and_the_payer_is_told() {
    let (world, student) = world().await;
    let order = paid(&world, &student).await;
    assert!(bills(&world).is_empty(), "a payment waits for no platform");
    assert_eq!(words(&world, &order).await, [EReceiptWord::Wanted]);
    assert_eq!((run(&world).await, run(&world).await, run(&world).await), (1, 1, 0));
    let [bill] = <[Issued; 1]>::try_from(bills(&world)).unwrap();
    let lines: Vec<_> = bill.charges.iter().map(|one| (one.code.as_str(), one.name.as_str(), one.amount_fen)).collect();
    assert_eq!(lines, [("10304275711", "学费", Fen::new(800_000)), ("10304275712", "住宿费", Fen::new(110_000))]);
    assert_eq!((bill.payer.as_str(), bill.total_fen), ("林知夏", Fen::new(910_000)));
    assert_eq!(bill.remark, "计算机学院 软件工程 2301 班 2019年度");
    let [ereceipt] = <[EReceipt; 1]>::try_from(all(&world, &order).await).unwrap();
    let EReceiptState::Pushed(held, told) = &ereceipt.state else { panic!("{:?}", ereceipt.state) };
    assert_eq!((&held.name.number, &held.name.check, held.amount), (&bill.number, &bill.check, bill.total_fen));
    assert_eq!((bill.number.as_str(), held.name.code.len(), told.to.as_str()), ("0011657007", 8, "178****5287"));
    assert_eq!(bill.serial_no, ereceipt.serial_no);
    let [message] = <[_; 1]>::try_from(world.sandbox.postbox().of(OWN_PHONE)).unwrap();
    assert!(message.text.contains("0011657007") && message.text.contains(&bill.check), "{}", message.text);
}

#[tokio::test]
async fn agency_money_and_a_school_without_the_section_have_none() {
    let (world, student) = world().await;
    let order = world.open_one(student.id, &[student.insurance]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await && all(&world, &order).await.is_empty());
    let plain = TestApp::start().await;
    let student = plain.school.student(&plain.app, 1, "林知夏").await;
    let order = paid(&plain, &student).await;
    assert!(all(&plain, &order).await.is_empty());
    assert_eq!(run(&plain).await, 0);
}

#[tokio::test]
async fn an_answer_that_is_lost_forged_or_never_comes_makes_no_second_bill() {
    for mishap in [Mishap::LoseAnswer, Mishap::Forge] {
        let (world, student) = world().await;
        let order = paid(&world, &student).await;
        trouble(&world, mishap.clone(), Some("invoiceEBill"), Some(1));
        run(&world).await;
        assert_eq!((words(&world, &order).await, bills(&world).len()), (vec![EReceiptWord::Wanted], 1));
        pass(&world, 3, Duration::from_secs(30)).await;
        assert_eq!(words(&world, &order).await, [EReceiptWord::Pushed], "{mishap:?}");
        let called = world.sandbox.fiscal().called("invoiceEBill");
        assert_eq!((bills(&world).len(), called), (1, 1), "it was asked about, not asked for again");
    }
}

#[tokio::test]
async fn two_processes_and_many_looks_at_once_ask_for_one_bill() {
    let (world, student) = world().await;
    let order = paid(&world, &student).await;
    let other = world.another_process().await;
    for _ in 0..3 {
        let runs = (0..8).map(|at| {
            let app = if at % 2 == 0 { &world.app } else { &other };
            async move { issue::run_once(app).await.unwrap() }
        });
        futures_util::future::join_all(runs).await;
    }
    let called = world.sandbox.fiscal().called("invoiceEBill");
    assert_eq!((bills(&world).len(), called), (1, 1));
    assert_eq!(words(&world, &order).await, [EReceiptWord::Pushed]);
    assert_eq!(world.sandbox.postbox().of(OWN_PHONE).len(), 1);
}

#[tokio::test]
async fn a_process_that_dies_while_it_asks_leaves_it_to_another() {
    let (world, student) = world().await;
    let order = paid(&world, &student).await;
    trouble(&world, Mishap::Hang, None, Some(1));
    // it asks, and is gone before it hears
    let _ = tokio::time::timeout(Duration::from_millis(300), issue::run_once(&world.app)).await;
    assert_eq!(run(&world).await, 0, "somebody holds it");
    pass(&world, 2, issue::HELD).await;
    assert_eq!((words(&world, &order).await, bills(&world).len()), (vec![EReceiptWord::Pushed], 1));
}

#[tokio::test]
async fn a_platform_that_is_down_for_a_day_holds_up_no_money_and_issues_all_afterwards() {
    let (world, student) = world().await;
    trouble(&world, Mishap::Down, None, None);
    let first = paid(&world, &student).await;
    let second = world.school.student(&world.app, 2, "张三").await;
    let second = paid(&world, &second).await;
    pass(&world, 26, HOUR).await;
    assert!(bills(&world).is_empty());
    world.sandbox.fiscal().set_trouble(None);
    pass(&world, 2, HOUR + HOUR / 10).await;
    run(&world).await;
    assert_eq!(bills(&world).len(), 2);
    for order in [first, second] {
        assert_eq!(words(&world, &order).await, [EReceiptWord::Pushed]);
    }
}

#[tokio::test]
async fn of_a_platform_that_stays_away_the_office_is_told_once_and_not_any_more_when_it_is_back() {
    let (world, student) = world().await;
    trouble(&world, Mishap::Down, None, None);
    paid(&world, &student).await;
    pass(&world, 20, HOUR + HOUR / 10).await;
    assert!(office::items(&world.app).await.unwrap().is_empty(), "a night is no news");
    pass(&world, 20, HOUR + HOUR / 10).await;
    let [item] = <[_; 1]>::try_from(office::items(&world.app).await.unwrap()).unwrap();
    assert_eq!(item.kind, issue::STUCK);
    world.sandbox.fiscal().set_trouble(None);
    pass(&world, 2, HOUR + HOUR / 10).await;
    assert!(office::items(&world.app).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_field_the_platform_refuses_is_for_the_office_which_has_it_asked_for_again() {
    let (world, student) = world().await;
    let order = paid(&world, &student).await;
    let refuse = Mishap::Refuse { code: "E0105".to_owned(), text: "项目编码 10304275711 未启用".to_owned() };
    trouble(&world, refuse, Some("invoiceEBill"), None);
    pass(&world, 8, Duration::from_secs(200)).await;
    assert_eq!(words(&world, &order).await, [EReceiptWord::Failed]);
    let [item] = <[_; 1]>::try_from(office::items(&world.app).await.unwrap()).unwrap();
    assert_eq!((item.kind.as_str(), item.details.as_str()), (issue::FAILED, "E0105 项目编码 10304275711 未启用"));
    let asked = world.sandbox.fiscal().called("invoiceEBill");
    pass(&world, 3, HOUR).await;
    assert_eq!(world.sandbox.fiscal().called("invoiceEBill"), asked, "nobody asks until somebody has mended it");
    world.sandbox.fiscal().set_trouble(None);
    let receipt = journal::find_receipt_of_order(world.app.db.read(), order.id).await.unwrap().unwrap();
    assert!(desk::want_again(&world.app, Some("999999")).await.is_err());
    assert_eq!(desk::want_again(&world.app, Some(&receipt.receipt_no)).await.unwrap(), 1);
    assert!(office::items(&world.app).await.unwrap().is_empty());
    pass(&world, 2, Duration::from_secs(1)).await;
    assert_eq!((words(&world, &order).await, bills(&world).len()), (vec![EReceiptWord::Pushed], 1));
    assert_eq!(desk::want_again(&world.app, None).await.unwrap(), 0);
}

#[tokio::test]
async fn an_item_without_its_code_is_not_asked_for_before_the_office_has_entered_it() {
    let (world, student) = world().await;
    let nameless = fees::find_items(world.app.db.read()).await.unwrap();
    let dormitory = nameless.iter().find(|one| one.code == "12").unwrap().clone();
    let sql = "UPDATE fee_item SET fiscal_code = NULL WHERE code = '12'";
    world.app.db.write().execute_unprepared(sql).await.unwrap();
    let order = paid(&world, &student).await;
    run(&world).await;
    assert_eq!(words(&world, &order).await, [EReceiptWord::Failed]);
    assert_eq!(world.sandbox.fiscal().called("invoiceEBill"), 0);
    let [item] = <[_; 1]>::try_from(office::items(&world.app).await.unwrap()).unwrap();
    assert!(item.details.contains("收费项目 12 没有非税项目编码"), "{}", item.details);
    fees::upsert_item(world.app.db.write(), &dormitory, world.clock.now()).await.unwrap();
    assert_eq!(desk::want_again(&world.app, None).await.unwrap(), 1);
    pass(&world, 2, Duration::from_secs(1)).await;
    assert_eq!(words(&world, &order).await, [EReceiptWord::Pushed]);
}

#[tokio::test]
async fn after_a_refund_of_all_the_bill_is_void_and_after_one_of_a_part_the_rest_has_a_bill_of_its_own() {
    let (world, student) = world().await;
    let order = paid(&world, &student).await;
    pass(&world, 2, Duration::from_secs(1)).await;
    refund::request(&world.app, &order, &[(student.dormitory, Fen::new(10_000))], "退宿").await.unwrap();
    assert_eq!(words(&world, &order).await, [EReceiptWord::Pushed], "a refund that is wanted is no refund");
    world.pass(Duration::from_secs(90)).await;
    assert_eq!(words(&world, &order).await, [EReceiptWord::Reversed, EReceiptWord::Pushed]);
    let sums: Vec<_> = bills(&world).iter().map(|bill| (bill.total_fen, bill.red.is_some())).collect();
    assert_eq!(sums, [(Fen::new(910_000), true), (Fen::new(900_000), false)]);
    let held = all(&world, &order).await;
    let EReceiptState::Reversed { red: Some(red), .. } = &held[0].state else { panic!("{:?}", held[0].state) };
    assert_eq!(red.number, "0090000001");
    office::refund(&world.app, &order, &[], "退学").await.unwrap();
    world.pass(Duration::from_secs(90)).await;
    assert_eq!(words(&world, &order).await, [EReceiptWord::Reversed, EReceiptWord::Reversed]);
    assert!(bills(&world).len() == 2 && bills(&world).iter().all(|bill| bill.red.is_some()));
    assert!(office::items(&world.app).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_red_bill_whose_answer_is_lost_is_asked_about_and_a_bill_the_platform_will_not_void_is_for_the_office() {
    let (world, student) = world().await;
    let order = paid(&world, &student).await;
    pass(&world, 2, Duration::from_secs(1)).await;
    trouble(&world, Mishap::LoseAnswer, Some("writeOffEBill"), Some(1));
    office::refund(&world.app, &order, &[], "退学").await.unwrap();
    world.pass(Duration::from_secs(90)).await;
    assert_eq!(words(&world, &order).await, [EReceiptWord::Reversed]);
    assert_eq!(world.sandbox.fiscal().called("writeOffEBill"), 1);

    let other = world.school.student(&world.app, 2, "张三").await;
    let order = paid(&world, &other).await;
    pass(&world, 2, Duration::from_secs(1)).await;
    let refuse = Mishap::Refuse { code: "E0209".to_owned(), text: "已入账，不能冲红".to_owned() };
    trouble(&world, refuse, Some("writeOffEBill"), None);
    office::refund(&world.app, &order, &[], "退学").await.unwrap();
    world.pass(Duration::from_secs(30)).await;
    pass(&world, 6, Duration::from_secs(200)).await;
    assert_eq!(words(&world, &order).await, [EReceiptWord::Reversing]);
    let [item] = <[_; 1]>::try_from(office::items(&world.app).await.unwrap()).unwrap();
    assert_eq!(item.kind, issue::STUCK);
    world.sandbox.fiscal().set_trouble(None);
    pass(&world, 2, HOUR + HOUR / 10).await;
    assert_eq!(words(&world, &order).await, [EReceiptWord::Reversed]);
    assert!(office::items(&world.app).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_went_back_before_its_bill_was_asked_for_has_none_and_a_lost_answer_is_still_found() {
    let (world, student) = world().await;
    trouble(&world, Mishap::Down, None, None);
    let order = paid(&world, &student).await;
    office::refund(&world.app, &order, &[], "退学").await.unwrap();
    world.pass(Duration::from_secs(30)).await;
    world.sandbox.fiscal().set_trouble(None);
    pass(&world, 2, HOUR).await;
    assert_eq!((words(&world, &order).await, bills(&world).len()), (vec![EReceiptWord::Dropped], 0));

    let other = world.school.student(&world.app, 2, "张三").await;
    let order = paid(&world, &other).await;
    trouble(&world, Mishap::LoseAnswer, Some("invoiceEBill"), Some(1));
    run(&world).await;
    office::refund(&world.app, &order, &[], "退学").await.unwrap();
    world.pass(Duration::from_secs(90)).await;
    assert_eq!(words(&world, &order).await, [EReceiptWord::Reversed]);
    assert!(bills(&world)[0].red.is_some());
}

#[tokio::test]
async fn who_cannot_be_reached_still_has_the_bill_and_a_corrected_phone_can_be_told() {
    let (world, student) = world().await;
    let order = paid(&world, &student).await;
    world.sandbox.postbox().refuse(jiaofei::domain::message::Way::Sms, 400, 1);
    pass(&world, 3, Duration::from_secs(60)).await;
    let [ereceipt] = <[EReceipt; 1]>::try_from(all(&world, &order).await).unwrap();
    assert!(matches!(ereceipt.state, EReceiptState::Issued(_)), "{:?}", ereceipt.state);
    desk::tell_again(&world.app, &ereceipt).await.unwrap();
    run(&world).await;
    let [ereceipt] = <[EReceipt; 1]>::try_from(all(&world, &order).await).unwrap();
    assert!(matches!(ereceipt.state, EReceiptState::Pushed(..)), "{:?}", ereceipt.state);
    assert!(!desk::may_tell_again(&world.app, &ereceipt));
    desk::tell_again(&world.app, &ereceipt).await.unwrap();
    assert_eq!((run(&world).await, world.sandbox.postbox().of(OWN_PHONE).len()), (0, 1));
    world.clock.advance(desk::AGAIN_AFTER);
    desk::tell_again(&world.app, &ereceipt).await.unwrap();
    assert_eq!((run(&world).await, world.sandbox.postbox().of(OWN_PHONE).len()), (1, 2));
}

#[tokio::test]
async fn the_pages_say_where_the_e_receipt_stands_and_show_its_face_to_its_payer_only() {
    let (world, student) = world().await;
    let order = paid(&world, &student).await;
    let receipt = journal::find_receipt_of_order(world.app.db.read(), order.id).await.unwrap().unwrap();
    let page_of = format!("/h5/paid/{}/ereceipt", receipt.receipt_no);
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    let result = phone.get(&format!("/h5/result/{}", order.order_no)).await;
    assert!(result.has("发送到 178****5287"), "{}", result.text());
    assert!(phone.get("/h5/paid").await.has("开具中"));
    let order_page = format!("/h5/orders/{}", order.order_no);
    assert!(phone.get(&order_page).await.has("开具中"));
    let page = phone.get(&page_of).await;
    assert!(page.has("票据正在开具") && page.has("无需重复缴费") && page.has("不再提供纸质缴费票据"));
    assert_eq!(phone.get(&format!("{page_of}.png")).await.status, 404);

    pass(&world, 2, Duration::from_secs(1)).await;
    assert!(phone.get("/h5/paid").await.has("已生成"));
    let slip = phone.get(&format!("/h5/paid/{}", receipt.receipt_no)).await;
    assert!(slip.links().contains(&page_of) && slip.has("已生成"));
    assert!(phone.get(&order_page).await.has("已生成"));
    let page = phone.get(&page_of).await;
    let bill = &bills(&world)[0];
    for words in ["共1张", &bill.code, &bill.number, &bill.check, "人民币玖仟壹佰元整", "178****5287"] {
        assert!(page.has(words), "{words}: {}", page.text());
    }
    let original = format!("{}/fiscal/{}/{}", world.sandbox_url, bill.code, bill.number);
    assert!(page.links().contains(&original) && page.body().contains(&format!("data-copy=\"{original}\"")));
    let picture = phone.get(&format!("{page_of}.png")).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
    // told just now: not again at once, and again a while later
    assert!(page.forms().iter().all(|form| !form.action.ends_with("/again")));
    world.clock.advance(desk::AGAIN_AFTER);
    let asked = phone.submit(&phone.get(&page_of).await.form(&format!("{page_of}/again"))).await;
    assert_eq!((asked.status, asked.location()), (303, page_of.as_str()));
    run(&world).await;
    assert_eq!(world.sandbox.postbox().of(OWN_PHONE).len(), 2);

    let other = world.school.student(&world.app, 2, "周以宁").await;
    let stranger = world.phone(Device::Mobile);
    stranger.sign_in(&other).await;
    for path in [page_of.clone(), format!("{page_of}.png")] {
        assert_eq!(stranger.get(&path).await.status, 404);
    }

    office::refund(&world.app, &order, &[], "退学").await.unwrap();
    world.pass(Duration::from_secs(90)).await;
    let page = phone.get(&page_of).await;
    assert!(page.has("票据已红冲作废") && page.has("0090000001"), "{}", page.text());
    assert!(phone.get("/h5/paid").await.has("已红冲"));
}

#[tokio::test]
async fn a_failed_one_says_that_the_money_is_safe_and_whom_to_call_and_agency_money_has_another_receipt() {
    let (world, student) = world().await;
    let order = paid(&world, &student).await;
    let refuse = Mishap::Refuse { code: "E0105".to_owned(), text: "项目编码未启用".to_owned() };
    trouble(&world, refuse, Some("invoiceEBill"), None);
    pass(&world, 8, Duration::from_secs(200)).await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    let receipt = journal::find_receipt_of_order(world.app.db.read(), order.id).await.unwrap().unwrap();
    let page = phone.get(&format!("/h5/paid/{}/ereceipt", receipt.receipt_no)).await;
    assert!(page.has("票据暂未开出") && page.has("请勿重复缴费") && page.has("0931-555 0100"), "{}", page.text());
    assert!(!page.has("E0105") && !page.has("项目编码未启用"), "what the platform says is for the office");

    let order = world.open_one(student.id, &[student.insurance]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    assert!(phone.get("/h5/paid").await.has("其他票据"));
    let receipt = journal::find_receipt_of_order(world.app.db.read(), order.id).await.unwrap().unwrap();
    let slip = phone.get(&format!("/h5/paid/{}", receipt.receipt_no)).await;
    assert!(slip.has("其他票据") && !slip.links().iter().any(|link| link.ends_with("/ereceipt")));
}
