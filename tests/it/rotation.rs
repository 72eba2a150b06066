//! 换密钥: keys are changed under the running office. People sign in and pay before, during and after it, nobody is signed
//! out, and no process starts that could not read what it keeps.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiaofei::app::App;
use jiaofei::config::{Config, Key32, OneOrMore};
use jiaofei::domain::payer::{PayerKind, Phone as PhoneNumber};
use jiaofei::domain::trade::Product;
use jiaofei::flow::guess::Caller;
use jiaofei::flow::rotate::{self, Resealed};
use jiaofei::flow::sign_in::{self, Answer};
use jiaofei::sandbox::keys;
use jiaofei::sandbox::world::{NoticeKey, Switches};
use jiaofei::store::payers::{self, NewPayer};
use jiaofei::store::reseal::{self, Place, Renewed};
use jiaofei::store::seal::{Field, Purpose};
use sea_orm::{ConnectionTrait, DbBackend};

use crate::world::app::TestApp;
use crate::world::phone::Device;
use crate::world::school::Student;

const PHONE: &str = "13800000001";
const NEW: Key32 = Key32::new(*b"the key after the first one.....");
const NEW_INDEX: Key32 = Key32::new(*b"the index key after the first...");
const NEW_SESSION: Key32 = Key32::new(*b"the session key after the first.");

/// The lists of the four steps of a change: as it was, the new key known, the new key used, the old one gone.
fn step(config: &Config, step: usize) -> Config {
    let list = |old: &Key32, new: &Key32| -> OneOrMore<Key32> {
        match step {
            0 => old.clone().into(),
            1 => (old.clone(), new.clone()).into(),
            2 => (new.clone(), old.clone()).into(),
            _ => new.clone().into(),
        }
    };
    let mut config = config.clone();
    let old = config.secrets.clone();
    config.secrets.field_key = list(old.field_key.first(), &NEW);
    config.secrets.index_key = list(old.index_key.first(), &NEW_INDEX);
    config.secrets.session_key = list(old.session_key.first(), &NEW_SESSION);
    config
}

/// A process of that step, started as `serve` does.
async fn process(world: &TestApp, at: usize) -> Arc<App> {
    let app = world.process_with(step(&world.app.config, at)).await;
    assert_eq!(rotate::take_up(&app).await.unwrap(), Vec::<String>::new());
    app
}

async fn reseal_all(app: &App) -> Resealed {
    rotate::reseal(app, &|_, _| {}).await.unwrap()
}

/// Whether a student gets in by document number and name.
async fn gets_in(app: &App, student: &Student) -> bool {
    let visitor = app.chance.token(8);
    let [a, b] = app.chance.bytes::<2>();
    let caller = Caller { address: [10, 0, a, b].into(), visitor: &visitor, captcha: None };
    let answer = sign_in::with_id_number(app, student.id_number.reveal(), &student.name, caller).await.unwrap();
    matches!(answer, Answer::In(_))
}

/// What is kept of a payer, read by one process.
async fn kept(app: &App, student: &Student) -> (String, String) {
    let account = payers::find(app.db.read(), student.id).await.unwrap().unwrap();
    let phone = account.phone(&app.sealer).unwrap().unwrap();
    (account.id_number(&app.sealer).unwrap().unwrap().reveal().to_owned(), phone.reveal().to_owned())
}

/// The office corrects a telephone.
async fn edit(app: &App, student: &Student, phone: &str) {
    let payer = NewPayer {
        kind: PayerKind::Student,
        number: student.number.clone(),
        name: student.name.clone(),
        name_en: String::new(),
        college: String::new(),
        class_name: String::new(),
        id_number: Some(student.id_number.clone()),
        phone: PhoneNumber::parse(phone),
    };
    payers::upsert(app.db.write(), &app.sealer, &payer, app.clock.now()).await.unwrap();
}

#[tokio::test]
async fn through_every_step_of_a_change_each_process_reads_and_finds_what_each_other_wrote() {
    let world = TestApp::start().await;
    let mut students = vec![world.school.student(&world.app, 1, "林知夏").await];
    let mut at_once = vec![process(&world, 0).await];
    for at in 1..=3 {
        // one process after the other: the steps before and after it serve side by side
        at_once.push(process(&world, at).await);
        let newest = at_once.last().unwrap();
        students.push(world.school.student(newest, 10 + u32::try_from(at).unwrap(), "林知夏").await);
        let order = world.open_one(students[at].id, &[students[at].tuition]).await;
        let ask = world.ask(Product::WechatJsapi, PHONE);
        jiaofei::flow::checkout::pay(newest, &order, &ask).await.unwrap();
        for app in &at_once {
            for student in &students {
                assert_eq!(kept(app, student).await.0, student.id_number.reveal());
                assert!(gets_in(app, student).await, "step {at}");
            }
        }
        at_once.remove(0);
        if at == 2 {
            // the last process that seals with the old keys ends
            at_once.remove(0);
            world.clock.advance(Duration::from_secs(240));
            at_once = vec![process(&world, 2).await];
            let told = reseal_all(&at_once[0]).await;
            assert!(told.is_done() && told.left == 0, "{told:?}");
            assert_eq!(told.gone.iter().map(|(purpose, _)| *purpose).collect::<Vec<_>>(), Purpose::ALL);
            // two ID numbers, two phones and a buyer were not of the new keys
            assert_eq!((told.renewed, told.fields), (2 * 2 + 1, 3 * 2 + 2));
            assert_eq!(reseal_all(&at_once[0]).await.renewed, 0, "nothing is left to do");
        }
    }
}

#[tokio::test]
async fn edits_and_sign_ins_during_the_resealing_lose_nothing() {
    let world = TestApp::start().await;
    let mut students = Vec::new();
    for at in 0..40 {
        students.push(world.school.student(&world.app, at, "林知夏").await);
    }
    let students = Arc::new(students);
    let (old, new) = (process(&world, 1).await, process(&world, 2).await);
    let stop = Arc::new(AtomicBool::new(false));
    let mut hands = Vec::new();
    for hand in 0..4_usize {
        let (students, stop) = (Arc::clone(&students), Arc::clone(&stop));
        let app = if hand % 2 == 0 { Arc::clone(&old) } else { Arc::clone(&new) };
        hands.push(tokio::spawn(async move {
            let mut last = vec![None; students.len()];
            let mut round = 0_usize;
            while !stop.load(Ordering::Relaxed) {
                // each hand has ten students of its own
                let at = hand * 10 + round % 10;
                let phone = format!("139{:08}", round * 4 + hand);
                edit(&app, &students[at], &phone).await;
                last[at] = Some(phone);
                assert_eq!(kept(&app, &students[(at + 7) % 40]).await.0, students[(at + 7) % 40].id_number.reveal());
                let found = payers::find_by_id_number(app.db.read(), &app.sealer, &students[at].id_number).await;
                assert_eq!(found.unwrap().len(), 1);
                round += 1;
                tokio::task::yield_now().await;
            }
            (last, round)
        }));
    }
    for _ in 0..3 {
        reseal_all(&new).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut last = vec![None; students.len()];
    for hand in hands {
        let (edited, rounds) = hand.await.unwrap();
        assert!(rounds > 0);
        last.iter_mut().zip(edited).filter(|(_, edited)| edited.is_some()).for_each(|(last, edited)| *last = edited);
    }
    world.clock.advance(Duration::from_secs(240));
    let told = reseal_all(&new).await;
    assert!(told.is_done(), "{told:?}");
    let after = process(&world, 3).await;
    for (student, phone) in students.iter().zip(&last) {
        let phone = phone.clone().unwrap_or_else(|| "17800005287".to_owned());
        assert_eq!(kept(&after, student).await, (student.id_number.reveal().to_owned(), phone));
        let found = payers::find_by_id_number(after.db.read(), &after.sealer, &student.id_number).await.unwrap();
        assert_eq!(found.len(), 1);
    }
}

#[tokio::test]
async fn a_field_that_was_edited_after_it_was_read_is_not_put_back() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let app = process(&world, 2).await;
    let place = Place::of(Field::Phone);
    let read = reseal::page(app.db.read(), place, 0, 10).await.unwrap().remove(0);
    edit(&world.app, &student, "13900000000").await;
    let stale = Renewed { kept: read, sealed: app.sealer.seal(Field::Phone, "17800005287"), entered: None };
    assert_eq!(reseal::replace(&app.db, place, &[stale]).await.unwrap(), 0);
    assert_eq!(kept(&app, &student).await.1, "13900000000");
}

#[tokio::test]
async fn a_row_somebody_holds_is_not_waited_for() {
    let world = TestApp::start().await;
    if world.app.db.write().get_database_backend() != DbBackend::Postgres {
        // SQLite has one writer: nobody can hold a row beside it
        assert_eq!(world.app.db.write().get_database_backend(), DbBackend::Sqlite);
        return;
    }
    let (held, free) =
        (world.school.student(&world.app, 1, "林知夏").await, world.school.student(&world.app, 2, "周正").await);
    let app = process(&world, 2).await;
    let tx = world.app.db.begin().await.unwrap();
    payers::lock(&tx, held.id).await.unwrap().unwrap();
    let place = Place::of(Field::Phone);
    let page = reseal::page(app.db.read(), place, 0, 10).await.unwrap();
    let renew =
        |kept: reseal::Kept| Renewed { sealed: app.sealer.seal(Field::Phone, "17800005287"), entered: None, kept };
    let renewed: Vec<Renewed> = page.into_iter().map(renew).collect();
    assert_eq!(reseal::replace(&app.db, place, &renewed).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(kept(&app, &free).await.1, "17800005287");
    assert_eq!(reseal::replace(&app.db, place, &renewed).await.unwrap(), 1, "the other one, when it is free");
}

#[tokio::test]
async fn an_old_key_stays_while_a_process_seals_with_it_and_no_process_starts_without_it() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let (old, new) = (process(&world, 1).await, process(&world, 2).await);
    let told = reseal_all(&new).await;
    assert!(!told.is_done() && told.busy.len() == 2 && told.gone.is_empty(), "{told:?}");
    let after = world.process_with(step(&world.app.config, 3)).await;
    let name = old.sealer.key_names(Purpose::Field)[0];
    let complaints = rotate::take_up(&after).await.unwrap();
    assert_eq!(complaints.len(), 2);
    assert!(complaints[0].starts_with("secrets.field_key") && complaints[0].contains(name), "{complaints:?}");
    assert!(complaints[0].contains("jiaofei reseal") && complaints[1].starts_with("secrets.index_key"));

    // the old one goes on serving: its jobs note the key again and again
    for _ in 0..4 {
        world.clock.advance(Duration::from_secs(61));
        jiaofei::jobs::run_once(&old).await.unwrap();
    }
    assert_eq!(reseal_all(&new).await.busy.len(), 2);
    world.clock.advance(Duration::from_secs(200));
    assert!(reseal_all(&new).await.is_done());
    assert_eq!(rotate::take_up(&after).await.unwrap(), Vec::<String>::new());

    // a process that was forgotten comes back: what it writes is not lost silently
    assert_eq!(rotate::take_up(&old).await.unwrap(), Vec::<String>::new());
    edit(&old, &student, "13900000000").await;
    assert_eq!(rotate::take_up(&after).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_wrong_key_is_told_at_start_and_what_it_cannot_open_is_an_error_and_never_a_default() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let wrong = world.process_with(step(&world.app.config, 3)).await;
    assert_eq!(rotate::take_up(&wrong).await.unwrap().len(), 2);
    let account = payers::find(wrong.db.read(), student.id).await.unwrap().unwrap();
    let error = account.id_number(&wrong.sealer).unwrap_err().to_string();
    assert!(error.contains("payer") && error.contains("secrets.field_key"), "{error}");
    let told = reseal_all(&wrong).await;
    assert_eq!((told.unopened_count, told.renewed, told.needed.len() + told.busy.len()), (2, 0, 2), "{told:?}");
    assert!(told.unopened[0].starts_with("payer ") && !told.is_done());
    assert!(gets_in(&world.app, &student).await, "nothing was harmed");
}

#[tokio::test]
async fn a_database_from_before_keys_had_names_is_taken_over_with_its_own_keys_only() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    // `v2.` + eight digits + `.` was not there then, and nothing was noted
    let sql = "DELETE FROM key_in_use; UPDATE payer SET id_number_sealed = 'v1.' || SUBSTR(id_number_sealed, 13), \
        phone_sealed = 'v1.' || SUBSTR(phone_sealed, 13)";
    world.app.db.write().execute_unprepared(sql).await.unwrap();
    let wrong = world.process_with(step(&world.app.config, 3)).await;
    let complaints = rotate::take_up(&wrong).await.unwrap();
    assert!(complaints.len() == 1 && complaints[0].starts_with("secrets.field_key"), "{complaints:?}");
    let mut config = step(&world.app.config, 0);
    config.secrets.index_key = NEW_INDEX.into();
    let complaints = rotate::take_up(&*world.process_with(config).await).await.unwrap();
    assert!(complaints.len() == 1 && complaints[0].starts_with("secrets.index_key"), "{complaints:?}");
    assert_eq!(world.count("SELECT COUNT(*) FROM key_in_use WHERE purpose = 'field' AND used_at > 0").await, 1);

    let app = process(&world, 2).await;
    assert!(gets_in(&app, &student).await, "the oldest values open");
    world.clock.advance(Duration::from_secs(240));
    let told = reseal_all(&app).await;
    assert!(told.is_done() && told.renewed == 2 && told.gone.len() == 2, "{told:?}");
    assert!(gets_in(&*process(&world, 3).await, &student).await);
}

#[tokio::test]
async fn nobody_is_signed_out_and_no_open_form_is_lost_while_the_session_key_is_changed() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let browser = world.phone(Device::Wechat);
    browser.sign_in(&student).await;
    let mut url = world.url.clone();
    for at in 1..=3 {
        let mut form = browser.get(&format!("{url}/h5")).await.form("/h5/settings");
        url = world.serve(&process_unchecked(&world, at).await).await;
        assert_eq!(browser.get(&format!("{url}/h5")).await.status, 200, "step {at}: signed in still");
        form.action = format!("{url}{}", form.action);
        let answer = browser.submit(&form).await;
        assert_eq!(answer.status, 303, "step {at}: a form drawn a step before is taken: {}", answer.text());
    }
    // a key that is not listed any more signs nothing
    let form = browser.get(&format!("{}/h5", world.url)).await.form("/h5/settings");
    let late = browser.submit(&crate::world::page::Form { action: format!("{url}{}", form.action), ..form }).await;
    assert_eq!(late.status, 419);
}

/// A process of that step whose fields are of another: only the session key matters.
async fn process_unchecked(world: &TestApp, at: usize) -> Arc<App> {
    let mut config = world.app.config.clone();
    config.secrets.session_key = step(&config, at).secrets.session_key;
    world.process_with(config).await
}

#[tokio::test]
async fn notices_sealed_with_either_api_v3_key_are_booked_during_the_change_and_later_ones_after_it() {
    let world = TestApp::start_with(|config| {
        for wechat in config.payee.iter_mut().filter_map(|payee| payee.wechat.as_mut()) {
            wechat.api_v3_key = ("the new key has 32 characters...".into(), keys::WECHAT_API_V3_KEY.into()).into();
        }
    })
    .await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await, "sealed with the old key");

    let mut config = world.app.config.clone();
    for wechat in config.payee.iter_mut().filter_map(|payee| payee.wechat.as_mut()) {
        wechat.api_v3_key = "the new key has 32 characters...".into();
    }
    let after = world.process_with(config).await;
    let order = world.open_one(student.id, &[student.insurance]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.clock.advance(Duration::from_secs(10));
    jiaofei::jobs::run_once(&after).await.unwrap();
    assert!(world.is_paid(&order).await, "what no key opens comes by asking");
}

#[tokio::test]
async fn during_wechats_switch_from_certificates_to_its_public_key_notices_of_both_are_booked() {
    let world = TestApp::start().await;
    for (at, notice_key) in [(1, NoticeKey::CertA), (2, NoticeKey::PublicKey)] {
        world.sandbox.set_switches(Switches { notice_key, ..Switches::default() });
        let student = world.school.student(&world.app, at, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition]).await;
        world.pay(&order, Product::WechatNative, PHONE).await;
        world.sandbox.deliver_due().await;
        assert!(world.is_paid(&order).await, "{notice_key:?}");
    }
}

#[tokio::test]
async fn alipay_is_believed_with_either_of_its_keys_while_they_change() {
    let world = TestApp::start_with(|config| {
        for alipay in config.payee.iter_mut().filter_map(|payee| payee.alipay.as_mut()) {
            alipay.alipay_public_key = Some((keys::WECHAT_PUBLIC_KEY.into(), keys::ALIPAY_PUBLIC.into()).into());
        }
    })
    .await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.arrive_and_pay(&order, Product::AlipayPage, PHONE).await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
}
