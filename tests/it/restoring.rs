//! 备份与恢复, rehearsed: a backup is taken while people pay, and brought back after more of them have paid. What the
//! channels know of comes back; what the books cannot know is told to the office; no number is given out twice.
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiaofei::app::App;
use jiaofei::domain::order::Order;
use jiaofei::domain::trade::Product;
use jiaofei::flow::restore::{self, STRETCH};
use jiaofei::flow::{audit, chain, checkout, migrate, rotate};
use jiaofei::jobs;
use jiaofei::sandbox::outbox::{Courier, NoticeJob, Outgoing};
use jiaofei::store::{home, journal, orders};
use sea_orm::{ConnectionTrait, Database, Statement};
use tempfile::TempDir;

use crate::world::app::TestApp;
use crate::world::database;
use crate::world::phone::Device;
use crate::world::school::Student;

const PHONE: &str = "13800000001";

/// A backup, brought back into a fresh database.
struct Back {
    url: String,
    /// PostgreSQL: the database to drop at the end
    name: Option<String>,
    _folder: TempDir,
}

impl Back {
    /// By the means docs/OPERATIONS.md names.
    async fn up(app: &App) -> Back {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("jiaofei.backup");
        std::fs::write(folder.path().join("jiaofei.backup.half"), "an earlier one was broken off").unwrap();
        if home::copy(&app.db, &to).await.unwrap() {
            assert!(home::copy(&app.db, &to).await.is_err(), "no backup is written over another");
            return Back { url: format!("sqlite://{}", to.display()), name: None, _folder: folder };
        }
        let url = &app.config.database.url;
        let (server, rest) = url.rsplit_once('/').unwrap();
        let (_, schema) = rest.rsplit_once("search_path%3D").unwrap();
        let name = format!("back_{schema}");
        let file = to.to_str().unwrap();
        let admin = Database::connect(url).await.unwrap();
        tool("pg_dump", &["--format=custom", "--schema", schema, "--file", file, "--dbname", url]).await;
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        let to = format!("{server}/{name}");
        tool("pg_restore", &["--no-owner", "--exit-on-error", "--dbname", &to, file]).await;
        Back { url: format!("{to}?options=-csearch_path%3D{schema}"), name: Some(name), _folder: folder }
    }

    async fn drop(self, world: &TestApp) {
        if let Some(name) = self.name {
            let sql = format!("DROP DATABASE {name} WITH (FORCE)");
            world.app.db.write().execute_unprepared(&sql).await.unwrap();
        }
    }
}

/// Runs one of PostgreSQL's tools.
async fn tool(name: &str, args: &[&str]) {
    let homes = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = homes.map(|home| home.path().join("bin").join(name)).find(|path| Path::exists(path));
    let mut command = Command::new(installed.unwrap_or_else(|| name.into()));
    command.args(args);
    let done = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Takes notices to the process that serves now, under the address that was registered.
struct Post {
    http: reqwest::Client,
    old: String,
    now: Mutex<String>,
}

impl Post {
    fn of(world: &TestApp) -> Arc<Post> {
        let post = Arc::new(Post {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            old: world.url.clone(),
            now: Mutex::new(world.url.clone()),
        });
        world.sandbox.set_courier(Arc::clone(&post) as Arc<dyn Courier>);
        post
    }
}

#[async_trait]
impl Courier for Post {
    async fn carry(&self, job: &NoticeJob, notice: Outgoing) -> Option<(u16, String)> {
        let url = job.url.replace(&self.old, &self.now.lock().unwrap().clone());
        let mut request = self.http.post(url).header("content-type", notice.content_type).body(notice.body);
        for (name, value) in notice.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }
}

/// Starts over what was brought back, as `serve` does; gives what was done for it.
async fn start(world: &TestApp, back: &Back) -> (Arc<App>, Option<restore::Restored>) {
    let mut config = world.app.config.clone();
    config.database.url = back.url.clone();
    let app = world.process_with(config).await;
    migrate::bring_up(&app.db, &app.chain, &app.clock).await.unwrap();
    let restored = restore::recognise(&app).await.unwrap();
    assert_eq!(rotate::take_up(&app).await.unwrap(), Vec::<String>::new());
    (app, restored)
}

/// The numbers of all orders, attempts and receipts.
async fn numbers(app: &App) -> BTreeSet<String> {
    let sql = "SELECT order_no FROM payment_order UNION ALL SELECT attempt_no FROM attempt \
        UNION ALL SELECT 'receipt ' || receipt_no FROM receipt";
    let db = app.db.read();
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn pass(world: &TestApp, app: &Arc<App>, seconds: u64) {
    for _ in 0..seconds {
        world.clock.advance(Duration::from_secs(1));
        jobs::run_once(app).await.unwrap();
    }
}

async fn state(app: &App, order: &Order) -> Option<&'static str> {
    orders::find_by_no(app.db.read(), &order.order_no).await.unwrap().map(|order| order.state.code())
}

async fn is_clean(app: &App) -> bool {
    let findings = audit::run(app).await.unwrap();
    let clean = findings.iter().all(|finding| finding.differences.is_empty());
    clean && chain::follow(app).await.unwrap().is_clean()
}

#[tokio::test]
async fn after_a_restore_the_books_agree_what_the_channels_know_is_back_and_no_number_is_used_twice() {
    let world = Arc::new(TestApp::start().await);
    let post = Post::of(&world);
    let mut students = Vec::new();
    for at in 0..16 {
        students.push(world.school.student(&world.app, at, "林知夏").await);
    }
    world.phone(Device::Wechat).sign_in(&students[0]).await;
    let paid_before = world.open_one(students[0].id, &[students[0].tuition]).await;
    world.pay(&paid_before, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    let begun = world.open_one(students[1].id, &[students[1].tuition]).await;
    let begun_attempt = world.begin(&begun, Product::WechatNative, PHONE).await.unwrap();
    let begun_again = world.open_one(students[2].id, &[students[2].tuition]).await;
    world.begin(&begun_again, Product::WechatNative, PHONE).await.unwrap();

    // ten students pay while the backup is made
    let going = tokio::spawn(pay_all(Arc::clone(&world), students.split_off(6)));
    let back = Back::up(&world.app).await;
    let paid_meanwhile = going.await.unwrap();

    // more of them pay, then everything is lost
    world.confirm(&begun_attempt, PHONE);
    world.pay(&begun_again, Product::WechatH5, PHONE).await;
    let paid_after = world.open_one(students[3].id, &[students[3].tuition]).await;
    world.pay(&paid_after, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&begun).await && world.is_paid(&begun_again).await && world.is_paid(&paid_after).await);
    world.app.cache.put("what the old process knew", "1", Duration::from_secs(3600)).await;
    let unheard = world.open_one(students[4].id, &[students[4].tuition]).await;
    let unheard_attempt = world.pay(&unheard, Product::WechatNative, PHONE).await;
    let used = numbers(&world.app).await;

    world.clock.advance(Duration::from_secs(300));
    let (app, restored) = start(&world, &back).await;
    let restored = restored.expect("a copy is known as one");
    assert!(restored.moved.attempts >= 2 && restored.moved.orders >= 2 && restored.moved.sessions == 1, "{restored:?}");
    assert_eq!(app.cache.get("what the old process knew").await, None, "the cache knows more than the books");
    let kept = numbers(&app).await;
    assert!(kept.is_subset(&used) && kept.len() < used.len());
    *post.now.lock().unwrap() = world.serve(&app).await;

    // notices that still come, and the jobs
    world.sandbox.deliver_due().await;
    pass(&world, &app, 20).await;
    assert_eq!(state(&app, &paid_before).await, Some("paid"));
    assert_eq!(state(&app, &begun).await, Some("paid"), "paid after the backup, begun before it");
    for order in &paid_meanwhile {
        is_paid_if_begun(&app, order).await;
    }
    assert_eq!(state(&app, &paid_after).await, None);
    let items = journal::open_office_items(app.db.read()).await.unwrap();
    let raised = |kind: &str| items.iter().filter(|item| item.0 == kind).map(|item| item.1.clone()).collect::<Vec<_>>();
    assert_eq!(raised("unknown_attempt"), [unheard_attempt.attempt.attempt_no.to_string()]);
    assert_eq!(raised("restored").len(), 1);

    business_goes_on(&world, &app, &begun_again).await;
    let new: Vec<String> = numbers(&app).await.difference(&kept).cloned().collect();
    assert!(new.len() >= 5, "{new:?}");
    assert_eq!(new.iter().filter(|number| used.contains(*number)).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(is_clean(&app).await && is_clean(&world.app).await);

    // the next start finds the database at home
    assert_eq!(restore::recognise(&app).await.unwrap(), None);
    app.db.read().clone().close().await.unwrap();
    back.drop(&world).await;
}

/// One after the other opens an order, pays, and is heard of.
async fn pay_all(world: Arc<TestApp>, students: Vec<Student>) -> Vec<Order> {
    let mut paid = Vec::new();
    for student in &students {
        let order = world.open_one(student.id, &[student.tuition]).await;
        world.pay(&order, Product::WechatNative, PHONE).await;
        world.sandbox.deliver_due().await;
        paid.push(order);
    }
    paid
}

/// The copy may have been made between an order and its first attempt: then the payment is not in the books.
async fn is_paid_if_begun(app: &App, order: &Order) {
    let begun = format!("SELECT COUNT(*) FROM attempt WHERE attempt_no LIKE '{}%'", order.order_no);
    let begun = database::number(app.db.read(), &begun).await;
    let expected = if begun == 0 { [None, Some("pending")] } else { [Some("paid"); 2] };
    let now = state(app, order).await;
    assert!(expected.contains(&now), "{now:?} with {begun} attempts");
}

/// A newcomer pays, and an order from before is begun another way.
async fn business_goes_on(world: &TestApp, app: &Arc<App>, begun_again: &Order) {
    let fresh = world.school.student(app, 99, "周正").await;
    let wanted = [checkout_of(fresh.tuition)];
    let order = checkout::open(app, fresh.id, &app.chance.token(22), &wanted).await.unwrap().remove(0);
    let started = checkout::pay(app, &order, &world.ask(Product::WechatNative, PHONE)).await.unwrap();
    world.confirm(&started, PHONE);
    let again = orders::find_by_no(app.db.read(), &begun_again.order_no).await.unwrap().unwrap();
    checkout::pay(app, &again, &world.ask(Product::WechatH5, PHONE)).await.unwrap();
    pass(world, app, 20).await;
    assert_eq!(state(app, &order).await, Some("paid"));
}

fn checkout_of(charge_id: jiaofei::domain::ids::ChargeId) -> jiaofei::domain::checkout::Wanted {
    jiaofei::domain::checkout::Wanted { charge_id, amount: None }
}

#[tokio::test]
async fn a_database_at_home_is_left_alone_until_somebody_says_that_it_was_brought_back() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    let started = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    let serials = "SELECT CAST(SUM(value) AS BIGINT) FROM serial";
    let before = world.count(serials).await;
    let app = world.another_process().await;
    assert_eq!(restore::recognise(&app).await.unwrap(), None);
    assert_eq!(world.count(serials).await, before);

    // by hand: a file put back by other means than the program's own
    world.confirm(&started, PHONE);
    let restored = restore::declare(&app).await.unwrap();
    assert_eq!((restored.until, restored.moved.attempts), (Some(order.created_at), 1));
    assert_eq!(world.count(serials).await, before + 2 * STRETCH, "orders of today and receipts");
    jobs::run_once(&app).await.unwrap();
    assert!(world.is_paid(&order).await, "asked about at once");
    assert_eq!(restore::recognise(&app).await.unwrap(), None);
    let kept = database::number(app.db.read(), "SELECT COUNT(*) FROM office_item WHERE kind = 'restored'").await;
    assert_eq!(kept, 1);
}
