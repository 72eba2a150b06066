//! 验链: whoever writes to the database without the key is found, whatever is altered; and honest business is clean.
use std::sync::Arc;
use std::time::Duration;

use jiaofei::config::Key32;
use jiaofei::domain::bilingual::Bilingual;
use jiaofei::domain::charge::Cause;
use jiaofei::domain::money::Fen;
use jiaofei::domain::trade::Product;
use jiaofei::flow::chain::{self, Disbelief, Findings, Missing, Torn};
use jiaofei::flow::import::run::{Kind, import};
use jiaofei::flow::{audit, inquire, migrate, refund};
use jiaofei::store::chain::NewEntry;
use jiaofei::store::{books, fees};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::world::app::TestApp;
use crate::world::school::Student;

const PHONE: &str = "13800000001";

/// A student's charges after a payment and a refund: one with two entries, one with three, one with one.
async fn after_business() -> (TestApp, Student) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    refund::request(&world.app, &order, &[(student.dormitory, Fen::new(10_000))], "退宿").await.unwrap();
    world.pass(Duration::from_secs(5)).await;
    (world, student)
}

/// An hour later, when the journal is tallied.
async fn tally(world: &TestApp) {
    world.clock.advance(Duration::from_secs(3700));
    assert_eq!(chain::run_once(&world.app).await.unwrap(), 1);
}

async fn follow(world: &TestApp) -> Findings {
    chain::follow(&world.app).await.unwrap()
}

/// Somebody who owns the tables and has no key.
struct Hand<'a>(&'a TestApp);

const LIFT: &str = "DO $$ DECLARE c record; BEGIN FOR c IN SELECT conname, conrelid::regclass AS name \
    FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND contype IN ('c', 'f') \
    LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.name, c.conname); END LOOP; END $$";

impl Hand<'_> {
    /// Constraints are no obstacle to whoever owns the tables.
    async fn of(world: &TestApp) -> Hand<'_> {
        let lift = match world.app.db.write().get_database_backend() {
            DbBackend::Postgres => LIFT,
            _ => "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON",
        };
        let hand = Hand(world);
        hand.write(lift).await;
        hand
    }

    async fn write(&self, sql: &str) {
        self.0.app.db.write().execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        let db = self.0.app.db.read();
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect()
    }

    /// Alters one row, looks, and puts the table back.
    async fn alter(&self, table: &str, set: &str, which: &str) -> Findings {
        self.write(&format!("CREATE TABLE kept AS SELECT * FROM {table}")).await;
        self.write(&format!("UPDATE {table} SET {set} WHERE {which}")).await;
        let findings = follow(self.0).await;
        self.write(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept")).await;
        findings
    }
}

/// Each byte of a text column replaced by another one.
fn each_byte(column: &str, length: usize) -> Vec<String> {
    let replaced = |at: usize| {
        let old = format!("SUBSTR({column}, {at}, 1)");
        let new = format!("CASE {old} WHEN 'x' THEN 'y' ELSE 'x' END");
        format!("{column} = SUBSTR({column}, 1, {at} - 1) || {new} || SUBSTR({column}, {at} + 1)")
    };
    (1..=length).map(replaced).collect()
}

/// Each byte of a number altered; by so much that no other row has it.
fn each_byte_of_number(column: &str) -> Vec<String> {
    (0..8).map(|byte| format!("{column} = {column} + {}", 100_i64 << (8 * byte))).collect()
}

#[tokio::test]
async fn every_byte_of_every_entry_shows_that_it_was_altered() {
    let (world, student) = after_business().await;
    let hand = Hand::of(&world).await;
    assert!(follow(&world).await.is_clean());
    let rows = "SELECT CAST(charge_id AS TEXT) || ' AND seq = ' || CAST(seq AS TEXT) FROM charge_entry ORDER BY 1";
    let rows = hand.texts(rows).await;
    assert_eq!(rows.len(), 6);
    let mut alterations: Vec<String> = Vec::new();
    for column in ["charge_id", "amount_fen", "at", "seq"] {
        alterations.extend(each_byte_of_number(column));
    }
    alterations.extend(["seq = NULL", "mac = NULL", "cause_no = ''", "cause_no = cause_no || ' '"].map(str::to_owned));
    for row in &rows {
        for set in &alterations {
            let findings = hand.alter("charge_entry", set, &format!("charge_id = {row}")).await;
            assert!(findings.torn_count > 0, "{set} of charge {row}");
        }
    }
    for (column, length) in [("cause", 4), ("cause_no", 18), ("mac", 31)] {
        for set in each_byte(column, length) {
            let which = format!("charge_id = {} AND seq = 2", student.dormitory);
            let findings = hand.alter("charge_entry", &set, &which).await;
            assert_eq!((findings.torn_count, findings.torn[0].0), (1, student.dormitory), "{set}");
        }
    }
    assert!(follow(&world).await.is_clean(), "the table was put back each time");
}

#[tokio::test]
async fn every_byte_of_every_charge_shows_that_it_was_altered() {
    let (world, student) = after_business().await;
    let hand = Hand::of(&world).await;
    let sums = ["assessed_fen", "waived_fen", "paid_fen", "refunded_fen"];
    let whose = ["id", "payer_id", "fee_item_id", "period_id", "created_at", "entries"];
    for charge in [student.tuition, student.dormitory, student.insurance] {
        let mut alterations: Vec<String> = sums.into_iter().chain(whose).flat_map(each_byte_of_number).collect();
        alterations.push("head = NULL".to_owned());
        alterations.extend(each_byte("head", 31));
        for set in alterations {
            let findings = hand.alter("charge", &set, &format!("id = {charge}")).await;
            assert!(findings.torn_count > 0, "{set} of charge {charge}");
        }
    }
    assert!(follow(&world).await.is_clean(), "the table was put back each time");
}

#[tokio::test]
async fn an_altered_sum_is_told_with_both_figures() {
    let (world, student) = after_business().await;
    Hand(&world).write("UPDATE charge SET paid_fen = 109900 WHERE paid_fen = 110000").await;
    let torn = Torn::Figure { what: "paid_fen", stands: 109_900, should_be: 110_000 };
    assert_eq!(follow(&world).await.torn, [(student.dormitory, torn)]);
}

#[tokio::test]
async fn no_entry_can_be_taken_away_first_in_the_middle_or_last() {
    for (seq, sum) in [(1, "assessed_fen"), (2, "paid_fen"), (3, "refunded_fen")] {
        // as well as it can be done: sums, count and numbers are corrected, and a mac that is left becomes the head
        for head in ["head", "(SELECT MAX(mac) FROM charge_entry WHERE charge_id = id)", "NULL"] {
            let (world, student) = after_business().await;
            let hand = Hand::of(&world).await;
            let charge = student.dormitory;
            hand.write(&format!(
                "UPDATE charge SET {sum} = 0, entries = 2, head = {head} WHERE id = {charge}; \
                 DELETE FROM charge_entry WHERE charge_id = {charge} AND seq = {seq}; \
                 UPDATE charge_entry SET seq = seq - 1 WHERE charge_id = {charge} AND seq > {seq}"
            ))
            .await;
            assert_eq!(follow(&world).await.torn_count, 1, "entry {seq}, head {head}");
        }
    }
}

#[tokio::test]
async fn entries_cannot_change_places_and_none_can_be_added() {
    let (world, student) = after_business().await;
    let hand = Hand::of(&world).await;
    let (one, other) = (student.tuition, student.dormitory);
    let swap = |column: &str, a: &str, b: &str| format!("{column} = CASE {column} WHEN {a} THEN {b} ELSE {a} END");
    let findings =
        hand.alter("charge_entry", &swap("seq", "2", "3"), &format!("charge_id = {other} AND seq > 1")).await;
    assert_eq!(findings.torn_count, 1, "within a charge");
    let places = format!(
        "amount_fen = 910000 - amount_fen, mac = (SELECT kept.mac FROM kept WHERE kept.seq = 2 \
         AND kept.charge_id = {one} + {other} - charge_entry.charge_id)"
    );
    let findings = hand.alter("charge_entry", &places, "seq = 2").await;
    assert_eq!(findings.torn_count, 2, "between two charges");
    let owners = swap("payer_id", "1", "2");
    assert!(hand.alter("charge", &owners, "payer_id > 0").await.torn_count >= 3, "to another payer");
    // a payment that never was, with a mac that is genuine elsewhere
    hand.write(&format!(
        "INSERT INTO charge_entry (charge_id, cause, cause_no, amount_fen, at, seq, mac) \
         SELECT {insurance}, 'paid', 'counter:forged', 25000, at, 2, mac FROM charge_entry \
         WHERE charge_id = {one} AND seq = 2; \
         UPDATE charge SET paid_fen = 25000, entries = 2 WHERE id = {insurance}",
        insurance = student.insurance
    ))
    .await;
    let findings = follow(&world).await;
    assert_eq!((findings.torn_count, findings.torn[0].0), (1, student.insurance));
}

#[tokio::test]
async fn what_is_entered_honestly_afterwards_does_not_cover_up() {
    let (world, student) = after_business().await;
    Hand(&world).write("UPDATE charge SET assessed_fen = 5000 WHERE assessed_fen = 25000").await;
    let order = world.open_one(student.id, &[student.insurance]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
    let torn = Torn::Figure { what: "assessed_fen", stands: 5_000, should_be: 25_000 };
    assert_eq!(follow(&world).await.torn, [(student.insurance, torn)]);
}

#[tokio::test]
async fn a_charge_taken_away_with_all_its_entries_is_missed() {
    let (world, student) = after_business().await;
    let hand = Hand::of(&world).await;
    tally(&world).await;
    // a charge of the next hour, tallied in its turn
    let late = world.school.student(&world.app, 2, "张三").await;
    tally(&world).await;
    assert!(follow(&world).await.is_clean());
    for (charge, no, fen) in [(student.insurance, 2, 25_000_i128), (late.tuition, 3, 800_000)] {
        hand.write("CREATE TABLE kept AS SELECT * FROM charge; CREATE TABLE kept_entry AS SELECT * FROM charge_entry")
            .await;
        hand.write(&format!(
            "DELETE FROM charge_entry WHERE charge_id = {charge}; DELETE FROM charge WHERE id = {charge}"
        ))
        .await;
        let findings = follow(&world).await;
        assert_eq!((findings.torn_count, findings.missing_count), (0, 3));
        assert!(findings.missing.iter().all(|(of, _)| *of == no), "{:?}", findings.missing);
        let Missing::Figure { what: "fen", stands, should_be, .. } = &findings.missing[2].1 else {
            panic!("{:?}", findings.missing)
        };
        assert_eq!(should_be - stands, fen);
        hand.write(
            "INSERT INTO charge SELECT * FROM kept WHERE id NOT IN (SELECT id FROM charge); DROP TABLE kept; \
                    DELETE FROM charge_entry; INSERT INTO charge_entry SELECT * FROM kept_entry; DROP TABLE kept_entry",
        )
        .await;
    }
    let tallies = ["entered_until", "charges", "entries", "sum_fen"].into_iter().flat_map(each_byte_of_number);
    for set in tallies.chain(each_byte("mac", 31)) {
        assert!(hand.alter("journal_tally", &set, "no = 2").await.missing_count > 0, "{set}");
    }
    hand.write("DELETE FROM journal_tally WHERE no = 2").await;
    assert!(!follow(&world).await.is_clean(), "a tally cannot be taken away before a later one");
}

#[tokio::test]
async fn only_the_configured_key_makes_sense_of_it_and_older_keys_are_kept_for_checking() {
    let (world, student) = after_business().await;
    tally(&world).await;
    let mut config = world.app.config.clone();
    config.secrets.journal_key = Key32::new([7; 32]);
    let strange = world.process_with(config.clone()).await;
    let findings = chain::follow(&strange).await.unwrap();
    let [name] = world.app.chain.key_names()[..] else { panic!("one key") };
    assert_eq!(findings.unknown_keys.into_iter().collect::<Vec<_>>(), [(name.to_owned(), 5)]);
    assert_eq!(findings.torn_count, 3, "every charge, beside two tallies; none of them believed");

    config.secrets.old_journal_keys = vec![world.app.config.secrets.journal_key.clone()];
    let rotated = world.process_with(config).await;
    assert!(chain::follow(&rotated).await.unwrap().is_clean());
    // the new key goes on where the old one stopped
    let tx = rotated.db.begin().await.unwrap();
    let entry = NewEntry { cause: Cause::Waived, cause_no: "test", amount: Fen::new(100), at: world.clock.now() };
    for charge in [student.tuition, student.insurance] {
        books::lock_and_enter(&tx, &rotated.chain, charge, entry).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert!(chain::follow(&rotated).await.unwrap().is_clean());
    let findings = follow(&world).await;
    assert!(findings.unknown_keys.contains_key(rotated.chain.key_names()[0]));
}

#[tokio::test]
async fn a_book_from_before_the_chain_is_chained_once_and_never_again() {
    let (world, student) = after_business().await;
    let unchain = "UPDATE charge SET entries = 0, head = NULL; UPDATE charge_entry SET seq = NULL, mac = NULL";
    let (hand, app) = (Hand(&world), &world.app);
    hand.write(unchain).await;
    hand.write("DELETE FROM journal_tally").await;
    let torn = follow(&world).await.torn;
    assert!(torn.contains(&(student.insurance, Torn::Order { stands: None, should_be: 1 })), "{torn:?}");
    migrate::bring_up(&app.db, &app.chain, &app.clock).await.unwrap();
    let findings = follow(&world).await;
    assert_eq!((findings.is_clean(), findings.charges, findings.entries), (true, 3, 6));
    assert_eq!(findings.last_tally.map(|tally| tally.no), Some(1));
    // from now on a row without its seal is a difference, whoever starts the program how often
    hand.write(unchain).await;
    migrate::bring_up(&app.db, &app.chain, &app.clock).await.unwrap();
    assert_eq!(follow(&world).await.torn_count, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_workers_of_two_processes_leave_every_chain_whole() {
    let world = TestApp::start().await;
    let other = world.another_process().await;
    let mut orders = Vec::new();
    for at in 0..16 {
        let student = world.school.student(&world.app, at, "林知夏").await;
        let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
        world.pay(&order, Product::WechatNative, PHONE).await;
        orders.push((student, order));
    }
    // four settle each order at once, while the office raises the same charges
    let folder = tempfile::tempdir().unwrap();
    let mut work = tokio::task::JoinSet::new();
    for at in 0..64_usize {
        let app = if at % 2 == 0 { &world.app } else { &other };
        let (app, order) = (Arc::clone(app), orders[at % 16].1.clone());
        work.spawn(async move { inquire::on_read(&app, order, inquire::WAITING).await.map(|_| ()).unwrap() });
    }
    for (at, (student, _)) in orders.iter().enumerate() {
        let file = folder.path().join(format!("{at}.csv"));
        let text = format!("学号,收费期间,收费项目,应收金额\n{},2019,11,8100\n", student.number);
        std::fs::write(&file, text).unwrap();
        let app = Arc::clone(&other);
        work.spawn(async move {
            let report = import(&app, Kind::Charges, &file, false, &|_, _| {}).await.unwrap();
            assert_eq!(report.changed, 1);
        });
    }
    work.join_all().await;
    for (student, order) in &orders {
        let part = [(student.tuition, Fen::new(100)), (student.dormitory, Fen::new(200))];
        refund::request(&world.app, order, &part, "退宿").await.unwrap();
    }
    world.pass(Duration::from_secs(5)).await;
    tally(&world).await;
    let findings = follow(&world).await;
    assert!(findings.is_clean(), "{:?} {:?}", findings.torn, findings.missing);
    // assessed, raised, paid and refunded; assessed, paid and refunded; assessed
    assert_eq!((findings.charges, findings.entries), (48, 16 * (4 + 3 + 1)));
    let differences = audit::run(&world.app).await.unwrap().into_iter().flat_map(|finding| finding.differences);
    assert_eq!(differences.collect::<Vec<_>>(), []);
}

#[tokio::test]
async fn a_charge_of_nothing_is_sealed_too() {
    let world = TestApp::start().await;
    let payer = world.school.student(&world.app, 1, "林知夏").await.id;
    let tx = world.app.db.begin().await.unwrap();
    let period = fees::upsert_period(&tx, "2020", &Bilingual::new("2020年度", "2020")).await.unwrap();
    let owner = (payer, world.school.tuition, period);
    let book = books::open(&tx, &world.app.chain, owner, None, world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(follow(&world).await.is_clean());
    let hand = Hand::of(&world).await;
    for set in ["payer_id = payer_id + 1", "head = NULL", "head = LOWER(head)", "paid_fen = 1", "entries = 1"] {
        assert_eq!(hand.alter("charge", set, &format!("id = {}", book.charge)).await.torn_count, 1, "{set}");
    }
    let findings = hand.alter("charge", "head = NULL", &format!("id = {}", book.charge)).await;
    assert_eq!(findings.torn[0].1, Torn::Head { why: Disbelief::Missing });
}
