//! 报名: seats that are never sold twice, a queue that moves on, and money that finds its enrolment.
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiaofei::domain::enrolment::Standing;
use jiaofei::domain::ids::{EnrolmentId, ProgrammeId};
use jiaofei::domain::order::Order;
use jiaofei::domain::payer::PayerKind;
use jiaofei::domain::refusal::Refusal;
use jiaofei::domain::session::{Rights, Session};
use jiaofei::domain::trade::Product;
use jiaofei::flow::enrol::{self, NotTaken, Taken, Typed};
use jiaofei::flow::failure::Failure;
use jiaofei::flow::import::report::Report;
use jiaofei::flow::import::run::{Kind, import};
use jiaofei::flow::{audit, chain, session};
use jiaofei::store::{payers, programmes};

use crate::messages::sending;
use crate::world::app::TestApp;
use crate::world::phone::Device;
use crate::world::school::Student;

const HEADER: &str = "项目编码,项目名称,英文名称,收费部门,收费内容,收款单位,收费期间,报名费,名额,报名起始,报名终止,缴费时限,报名对象,报名表,部门英文\n";

async fn bring(world: &TestApp, rows: &str, dry: bool) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("programmes.csv");
    std::fs::write(&path, format!("{HEADER}{rows}")).unwrap();
    import(&world.app, Kind::Programmes, &path, dry, &|_, _| {}).await.unwrap()
}

/// A programme of 200.00 yuan, paid within two hours.
async fn programme(world: &TestApp, seats: u32) -> ProgrammeId {
    programme_of(world, &format!("CET,英语四级,CET-4,教务处,九月笔试。,agency,2026,200,{seats},,2026-09-10,2,,\n"))
        .await
}

pub async fn programme_of(world: &TestApp, row: &str) -> ProgrammeId {
    let report = bring(world, row, false).await;
    assert!(report.is_clean(), "{:?}", report.bad);
    let code = row.split(',').next().unwrap();
    let all = programmes::list(world.app.db.read()).await.unwrap();
    all.into_iter().find(|programme| programme.code == code).unwrap().id
}

/// A seat that costs nothing, for stories of other things.
pub async fn seat_of(world: &TestApp, student: &Student) -> EnrolmentId {
    let id = programme_of(world, "FREE,开放日,Open day,招生办,,agency,2026,0,9,,,2,,\n").await;
    enrol(world, &session_of(world, student).await, id, false).await.unwrap()
}

async fn session_of(world: &TestApp, student: &Student) -> Session {
    let account = payers::find(world.app.db.read(), student.id).await.unwrap().unwrap();
    session::begin(&world.app, &account, Rights::Full).await.unwrap().1
}

async fn several(world: &TestApp, count: u32) -> Vec<(Student, Session)> {
    let mut found = Vec::new();
    for at in 1..=count {
        let student = world.school.student(&world.app, at, "林知夏").await;
        let session = session_of(world, &student).await;
        found.push((student, session));
    }
    found
}

fn typed() -> Typed<'static> {
    Typed { phone: "17800005287", answers: &[] }
}

async fn enrol(world: &TestApp, session: &Session, id: ProgrammeId, queue: bool) -> Taken<EnrolmentId> {
    enrol::enrol(&world.app, session, id, typed(), queue).await.unwrap()
}

/// A seat, and the order of its fee.
async fn ordered_seat(world: &TestApp, student: &Student, session: &Session, id: ProgrammeId) -> (EnrolmentId, Order) {
    let seat = enrol(world, session, id, false).await.unwrap();
    let due = enrol::find(&world.app, session, seat).await.unwrap().enrolment.due.unwrap();
    (seat, world.open_one(student.id, &[due.charge]).await)
}

async fn standing(world: &TestApp, session: &Session, id: EnrolmentId) -> Standing {
    enrol::find(&world.app, session, id).await.unwrap().enrolment.standing()
}

async fn taken(world: &TestApp, id: ProgrammeId) -> i64 {
    programmes::find(world.app.db.read(), id).await.unwrap().unwrap().taken
}

async fn books_agree(world: &TestApp) {
    for finding in audit::run(&world.app).await.unwrap() {
        assert!(finding.differences.is_empty(), "{}: {:?}", finding.must_hold, finding.differences);
    }
    assert!(chain::follow(&world.app).await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_people_who_want_the_last_seat_one_gets_it() {
    let world = TestApp::start().await;
    let id = programme(&world, 1).await;
    let people = several(&world, 2).await;
    let (one, other) = tokio::join!(enrol(&world, &people[0].1, id, false), enrol(&world, &people[1].1, id, false));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert_eq!(one.err().or(other.err()), Some(NotTaken::Full));
    assert_eq!(taken(&world, id).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_people_at_once_take_exactly_the_seats_there_are_and_the_rest_queue() {
    let world = TestApp::start().await;
    let id = programme(&world, 10).await;
    let people = several(&world, 64).await;
    let want = |session: &Session| {
        let (app, session) = (Arc::clone(&world.app), session.clone());
        // each of them taps twice
        tokio::spawn(async move {
            let twice = [(); 2].map(|()| enrol::enrol(&app, &session, id, typed(), true));
            join_all(twice).await.into_iter().map(|one| one.unwrap().unwrap()).collect::<Vec<_>>()
        })
    };
    for twice in join_all(people.iter().map(|(_, session)| want(session))).await {
        let twice = twice.unwrap();
        assert_eq!(twice[0], twice[1], "a double tap enrols once");
    }
    let count =
        async |state: &str| world.count(&format!("SELECT COUNT(*) FROM enrolment WHERE state = '{state}'")).await;
    assert_eq!((count("seated").await, count("waiting").await, taken(&world, id).await), (10, 54, 10));
    assert_eq!(world.count("SELECT COUNT(*) FROM charge WHERE assessed_fen = 20000").await, 10);
    // everybody gives back whatever they have, all at once, while nobody may be seated twice
    let leave = |session: &Session| {
        let (app, session) = (Arc::clone(&world.app), session.clone());
        tokio::spawn(async move {
            let own = enrol::of_payer(&app, &session).await.unwrap();
            enrol::cancel(&app, &session, own[0].id).await.unwrap();
        })
    };
    for left in join_all(people.iter().map(|(_, session)| leave(session))).await {
        left.unwrap();
    }
    assert_eq!((count("cancelled").await, taken(&world, id).await), (64, 0));
    assert_eq!(world.count("SELECT COUNT(*) FROM enrolment WHERE charge_id IS NOT NULL").await, {
        world.count("SELECT COUNT(*) FROM charge_entry WHERE cause_no LIKE 'enrolment:%' AND cause = 'waived'").await
    });
    books_agree(&world).await;
}

#[tokio::test]
async fn a_seat_given_back_goes_to_the_first_in_the_queue_with_a_deadline_of_its_own() {
    let world = TestApp::start().await;
    let id = programme(&world, 1).await;
    let people = several(&world, 3).await;
    let [first, second, third] = [&people[0].1, &people[1].1, &people[2].1];
    let seat = enrol(&world, first, id, false).await.unwrap();
    assert_eq!(enrol(&world, second, id, false).await, Err(NotTaken::Full));
    let queued = enrol(&world, second, id, true).await.unwrap();
    let last = enrol(&world, third, id, true).await.unwrap();
    assert_eq!(standing(&world, second, queued).await, Standing::Waiting);
    assert_eq!(enrol::find(&world.app, third, last).await.unwrap().before, 1);

    world.clock.advance(Duration::from_secs(3_600));
    enrol::cancel(&world.app, first, seat).await.unwrap();
    enrol::cancel(&world.app, first, seat).await.unwrap();
    assert_eq!(standing(&world, first, seat).await, Standing::Cancelled);
    let due = enrol::find(&world.app, second, queued).await.unwrap().enrolment.due.unwrap();
    assert_eq!(due.pay_by, world.clock.now() + Duration::from_secs(7_200));
    assert_eq!(standing(&world, third, last).await, Standing::Waiting);

    // the second does not pay either
    world.pass(Duration::from_secs(1)).await;
    world.clock.advance(Duration::from_secs(7_200));
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(standing(&world, second, queued).await, Standing::Expired);
    assert_eq!(standing(&world, third, last).await, Standing::ToPay);
    assert_eq!(taken(&world, id).await, 1);
    books_agree(&world).await;
}

#[tokio::test]
async fn who_comes_up_from_the_queue_is_told_and_who_takes_a_free_seat_is_not() {
    let world = sending(|_| {}).await;
    let id = programme(&world, 1).await;
    let people = several(&world, 2).await;
    let seat = enrol(&world, &people[0].1, id, false).await.unwrap();
    enrol(&world, &people[1].1, id, true).await.unwrap();
    world.pass(Duration::from_secs(60)).await;
    assert!(world.sandbox.postbox().all().is_empty(), "they saw it on the page");
    enrol::cancel(&world.app, &people[0].1, seat).await.unwrap();
    world.pass(Duration::from_secs(60)).await;
    let told = world.sandbox.postbox().of("17800005287");
    assert_eq!(told.len(), 1, "one text message; no mailbox is known");
    let text = &told[0].text;
    assert!(text.contains("英语四级") && text.contains("CET-4") && text.contains("12:0"), "until when: {text}");
}

#[tokio::test]
async fn after_the_last_day_a_seat_that_becomes_free_stays_free() {
    let world = sending(|_| {}).await;
    let id = programme(&world, 1).await;
    let people = several(&world, 2).await;
    world.clock.advance(Duration::from_secs(9 * 86_400 + 13 * 3_600));
    let seat = enrol(&world, &people[0].1, id, false).await.unwrap();
    let waits = enrol(&world, &people[1].1, id, true).await.unwrap();
    // the time to pay ends after 报名终止
    world.clock.advance(Duration::from_secs(3 * 3_600));
    enrol::run_once(&world.app).await.unwrap();
    assert_eq!(standing(&world, &people[0].1, seat).await, Standing::Expired);
    assert_eq!(standing(&world, &people[1].1, waits).await, Standing::Waiting);
    assert_eq!(taken(&world, id).await, 0);
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&people[1].0).await;
    let page = phone.get(&format!("/h5/enrolments/{waits}")).await;
    assert!(page.has("报名已经终止，候补没有轮到"), "{}", page.text());
    // the office opens it again: the queue moves, and is told
    bring(&world, "CET,英语四级,CET-4,教务处,九月笔试。,agency,2026,200,1,,2026-09-20,2,,\n", false).await;
    assert_eq!(standing(&world, &people[1].1, waits).await, Standing::ToPay);
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(world.sandbox.postbox().all().len(), 1);
    books_agree(&world).await;
}

#[tokio::test]
async fn a_seat_is_paid_for_by_the_ordinary_checkout_and_then_kept() {
    let world = TestApp::start().await;
    let id = programme(&world, 1).await;
    let people = several(&world, 1).await;
    let (student, session) = &people[0];
    let (seat, order) = ordered_seat(&world, student, session, id).await;
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    assert_eq!(standing(&world, session, seat).await, Standing::Paid);
    let refused = enrol::cancel(&world.app, session, seat).await.unwrap_err();
    assert!(matches!(refused, Failure::Refused(Refusal::OrderPaid)), "{refused}");
    world.clock.advance(Duration::from_secs(86_400));
    world.pass(Duration::from_secs(1)).await;
    assert_eq!((standing(&world, session, seat).await, taken(&world, id).await), (Standing::Paid, 1));
    books_agree(&world).await;
}

#[tokio::test]
async fn giving_back_closes_the_order_that_waits_and_one_can_enrol_again() {
    let world = TestApp::start().await;
    let id = programme(&world, 1).await;
    let people = several(&world, 1).await;
    let (student, session) = &people[0];
    let (seat, order) = ordered_seat(&world, student, session, id).await;
    world.begin(&order, Product::WechatNative, "13800000001").await.unwrap();
    enrol::cancel(&world.app, session, seat).await.unwrap();
    assert_eq!(world.order(&order).await.state.code(), "closed");
    let owed = async || enrol::of_payer(&world.app, session).await.unwrap()[0].due.map(|due| due.arrears.get());
    assert_eq!((owed().await, taken(&world, id).await), (Some(0), 0));

    let again = enrol(&world, session, id, false).await.unwrap();
    assert_ne!(seat, again);
    assert_eq!((owed().await, standing(&world, session, again).await), (Some(20_000), Standing::ToPay));
    assert_eq!(standing(&world, session, seat).await, Standing::Cancelled);
    books_agree(&world).await;
}

#[tokio::test]
async fn money_that_was_quicker_than_giving_back_or_the_deadline_keeps_the_seat() {
    let world = TestApp::start().await;
    let id = programme(&world, 2).await;
    let people = several(&world, 2).await;
    let mut seats = Vec::new();
    for (student, session) in &people {
        let seat = enrol(&world, session, id, false).await.unwrap();
        let due = enrol::find(&world.app, session, seat).await.unwrap().enrolment.due.unwrap();
        world.clock.advance(Duration::from_secs(1));
        let order = world.open_one(student.id, &[due.charge]).await;
        // paid at the channel; no notice has come yet
        world.pay(&order, Product::WechatNative, "13800000001").await;
        seats.push(seat);
    }
    let refused = enrol::cancel(&world.app, &people[0].1, seats[0]).await.unwrap_err();
    assert!(matches!(refused, Failure::Refused(Refusal::OrderPaid)), "{refused}");
    world.clock.advance(Duration::from_secs(7_200));
    enrol::run_once(&world.app).await.unwrap();
    for ((_, session), seat) in people.iter().zip(&seats) {
        assert_eq!(standing(&world, session, *seat).await, Standing::Paid);
    }
    assert_eq!(taken(&world, id).await, 2);
    books_agree(&world).await;
}

#[tokio::test]
async fn window_kind_and_form_are_kept_to() {
    let world = TestApp::start().await;
    let staff = programme_of(&world, "ST,教工运动会,,工会,,agency,2026,0,5,,,24,教职工,\n").await;
    let soon = programme_of(&world, "SO,计算机二级,,教务处,,agency,2026,50,5,2026-09-02,2026-09-03,24,,\n").await;
    let form = "FO,夏令营,,团委,,agency,2026,0,5,,,24,学生、新生,组别*=初级|高级；饮食\n";
    let form = programme_of(&world, form).await;
    let people = several(&world, 1).await;
    let session = &people[0].1;
    assert_eq!(enrol(&world, session, staff, true).await, Err(NotTaken::NotAdmitted));
    assert!(matches!(enrol(&world, session, soon, true).await, Err(NotTaken::NotYet(_))));
    world.clock.advance(Duration::from_secs(3 * 86_400));
    assert_eq!(enrol(&world, session, soon, true).await, Err(NotTaken::Over));
    let ask = async |phone: &str, answers: &[&str]| {
        enrol::enrol(&world.app, session, form, Typed { phone, answers }, false).await.unwrap()
    };
    assert_eq!(ask("12", &["初级"]).await, Err(NotTaken::Phone));
    assert_eq!(ask("178****5287", &[]).await, Err(NotTaken::Answer(0)));
    assert_eq!(ask("178****5287", &["中级"]).await, Err(NotTaken::Answer(0)));
    let free = ask("178****5287", &["高级", "素食"]).await.unwrap();
    let opened = enrol::find(&world.app, session, free).await.unwrap();
    assert_eq!(opened.enrolment.standing(), Standing::Paid, "what costs nothing is kept at once");
    assert_eq!((opened.details.phone.as_str(), opened.details.answer("饮食")), ("17800005287", "素食"));
    let sealed =
        "SELECT COUNT(*) FROM enrolment WHERE details_sealed LIKE '%17800005287%' OR details_sealed LIKE '%素%'";
    assert_eq!(world.count(sealed).await, 0);
    enrol::cancel(&world.app, session, free).await.unwrap();
    assert_eq!(taken(&world, form).await, 0);
}

#[tokio::test]
async fn the_office_brings_programmes_all_rows_or_none_and_more_seats_go_to_the_queue() {
    let world = TestApp::start().await;
    let row = |seats: &str| format!("CET,英语四级,CET-4,教务处,,agency,2026,200,{seats},,2026-09-10,2,,\n");
    assert_eq!(bring(&world, &row("1"), true).await.added, 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM programme").await, 0, "a dry run keeps nothing");
    let bad =
        format!("{}XX,坏的,,教务处,,nobody,2026,1,1,,,2,,\nYY,坏的,,教务处,,agency,2026,1,0,,,2,博士后,a=\n", row("1"));
    let report = bring(&world, &bad, false).await;
    let columns: Vec<(u64, &str)> = report.bad.iter().map(|row| (row.line, row.column)).collect();
    assert_eq!(columns, [(3, "收款单位"), (4, "报名表")]);
    assert_eq!(world.count("SELECT COUNT(*) FROM programme").await, 0);

    let id = programme_of(&world, &row("1")).await;
    assert_eq!(bring(&world, &row("1"), false).await.unchanged, 1);
    let people = several(&world, 3).await;
    for (_, session) in &people {
        enrol(&world, session, id, true).await.unwrap();
    }
    assert_eq!(bring(&world, &row("2"), false).await.changed, 1);
    assert_eq!(taken(&world, id).await, 2);
    assert_eq!(bring(&world, &row("1"), false).await.bad[0].column, "名额", "no fewer than are taken");
    let kind = payers::find(world.app.db.read(), people[0].0.id).await.unwrap().unwrap().payer.kind;
    assert_eq!(kind, PayerKind::Student);
    books_agree(&world).await;
}

#[tokio::test]
async fn a_student_looks_without_signing_in_enrols_edits_and_pays() {
    let world = TestApp::start().await;
    let row =
        "CET,英语四级,CET-4,教务处,九月笔试。,agency,2026,200,1,,2026-09-10,2,,组别*=初级|高级,Academic Affairs\n";
    let id = programme_of(&world, row).await;
    programme_of(&world, "OLD,去年的考试,,团委,,agency,2026,1,1,,2026-08-01,2,,\n").await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Wechat);
    assert!(phone.get("/h5/login").await.links().contains(&"/h5/enrol".to_owned()));
    let list = phone.get("/h5/enrol").await;
    assert!(list.has("英语四级") && list.has("余 1 个名额") && !list.has("去年的考试"), "{}", list.text());
    assert!(!list.has("报名状态") && !phone.get("/h5/enrol?dept=团委").await.has("英语四级"));
    let english = world.phone(Device::Wechat);
    let list = english.get("/h5/enrol?lang=en&dept=教务处").await;
    assert!(list.has("CET-4") && list.has("Academic Affairs") && !list.has("教务处"), "{}", list.text());
    let path = format!("/h5/enrol/{id}");
    let page = phone.get(&path).await;
    assert!(page.has("登录后报名") && page.has("九月笔试。"), "{}", page.text());

    phone.sign_in(&student).await;
    assert!(phone.get("/h5").await.links().contains(&"/h5/enrol".to_owned()));
    let form = phone.get(&path).await.form(&path);
    assert_eq!(form.field("phone"), Some("178****5287"));
    let wrong = phone.submit(&form.clone().set("phone", "x").set("a0", "高级")).await;
    assert!(wrong.status == 422 && wrong.has("请填写手机号"), "{}", wrong.text());
    let wrong = phone.submit(&form.clone().set("a0", "")).await;
    assert!(wrong.status == 422 && wrong.has("请选一项"), "{}", wrong.text());
    let form = form.set("a0", "高级");
    let done = phone.submit(&form).await;
    assert!(done.location().starts_with("/h5/enrolments/"));
    assert_eq!(phone.submit(&form).await.location(), done.location(), "a double tap enrols once");
    let own = phone.get(done.location()).await;
    assert!(own.has("已报名待缴费") && own.has("200.00") && own.has("今天 12:00"), "{}", own.text());
    assert!(!own.body().contains("17800005287") && !own.body().contains(student.id_number.reveal()));
    let list = phone.get("/h5/enrol?status=paid").await;
    assert!(!list.has("英语四级"), "{}", list.text());
    assert!(phone.get("/h5/enrol?status=to_pay").await.has("英语四级"));

    let edit = own.form(done.location()).set("phone", "13900001111").set("a0", "初级");
    let saved = phone.submit(&edit).await;
    assert!(phone.get(saved.location()).await.has("报名信息已保存"));
    assert_eq!(own.form(done.location()).field("phone"), Some("178****5287"));
    assert_eq!(phone.get(done.location()).await.form(done.location()).field("phone"), Some("139****1111"));

    // somebody else finds it full and waits
    let other = world.phone(Device::Mobile);
    let second = world.school.student(&world.app, 2, "周以宁").await;
    other.sign_in(&second).await;
    let page = other.get(&path).await;
    assert!(page.has("已满，可候补"), "{}", page.text());
    let late = other.submit(&page.form(&path).without("queue").set("a0", "初级")).await;
    assert!(late.status == 409 && late.has("名额刚刚报满了"), "{}", late.text());
    let waits = other.submit(&late.form(&path).set("a0", "初级")).await;
    let waits = other.get(waits.location()).await;
    assert!(waits.has("候补") && waits.has("前面还有 0 人"), "{}", waits.text());

    let pay = phone.get(done.location()).await.form("/h5/checkout");
    let cashier = phone.submit(&pay).await.location().to_owned();
    assert!(cashier.starts_with("/h5/cashier/"), "{cashier}");
    assert!(phone.get(&cashier).await.has("英语四级"));
    let cancel = own.form(&format!("{}/cancel", done.location()));
    assert_eq!(phone.submit(&cancel).await.location(), done.location());
    assert!(phone.get(done.location()).await.has("已取消"));
    assert!(other.get(&waits.path).await.has("已报名待缴费"), "the seat went to whoever waited");
    assert!(phone.get(&cashier).await.has("订单已关闭"));
    books_agree(&world).await;
}

#[tokio::test]
async fn who_signed_in_with_document_number_and_name_is_asked_for_the_password() {
    let world = TestApp::start().await;
    let id = programme(&world, 1).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let seat = enrol(&world, &session_of(&world, &student).await, id, false).await.unwrap();
    let phone = world.phone(Device::Wechat);
    phone.sign_in_by_id(&student).await;
    let path = format!("/h5/enrol/{id}");
    let page = phone.get(&path).await;
    assert!(page.has("用密码登录") && !page.has("您已报名"), "{}", page.text());
    assert!(!phone.get("/h5/enrol").await.has("已报名项目"));
    assert_eq!(phone.get(&format!("/h5/enrolments/{seat}")).await.status, 404);
    let csrf = page.form("/h5/settings").field("csrf").unwrap().to_owned();
    assert_eq!(phone.post(&path, &[("csrf", &csrf), ("phone", "17800005287")]).await.location(), path);
    let cancel = format!("/h5/enrolments/{seat}/cancel");
    assert_eq!(phone.post(&cancel, &[("csrf", &csrf)]).await.status, 404);
    assert_eq!(taken(&world, id).await, 1);
}
