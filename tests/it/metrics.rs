//! What the operator's machine is told: exactly what happened, in words of ours, on a port of its own.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiaofei::domain::trade::Product;
use jiaofei::flow::attempt;
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::web::operator;
use poem::{Endpoint, Request};

use crate::world::app::TestApp;
use crate::world::phone::Device;
use crate::world::redis::Server;

const PHONE: &str = "13800000001";

/// One scrape, as Prometheus reads it: series to value. A series is a name and its labels, as they were written.
pub struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    pub async fn of(world: &TestApp) -> Scrape {
        // what was read from the database may be three seconds old
        world.clock.advance(Duration::from_secs(3));
        Scrape::parse(&text(world).await)
    }

    fn parse(text: &str) -> Scrape {
        assert!(text.ends_with("# EOF\n"), "{text}");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let series = lines.map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("not a series: {line}"));
            (series.to_owned(), value.parse().unwrap_or_else(|_| panic!("not a number: {line}")))
        });
        Scrape(series.collect())
    }

    /// The value of a series of this program, written without its prefix.
    #[track_caller]
    pub fn get(&self, series: &str) -> f64 {
        let series = format!("jiaofei_{series}");
        *self.0.get(&series).unwrap_or_else(|| panic!("no {series} among\n{:#?}", self.0.keys()))
    }

    pub fn has(&self, series: &str) -> bool {
        self.0.contains_key(&format!("jiaofei_{series}"))
    }

    /// The sum over every series of a name.
    fn sum(&self, name: &str) -> f64 {
        let prefix = format!("jiaofei_{name}{{");
        self.0.iter().filter(|(series, _)| series.starts_with(&prefix)).map(|(_, value)| value).sum()
    }

    /// The names, without labels.
    pub fn names(&self) -> BTreeSet<&str> {
        self.0.keys().map(|series| series.split('{').next().unwrap_or(series)).collect()
    }

    /// Every value of a label, of any series.
    fn values(&self, label: &str) -> BTreeSet<&str> {
        let begin = format!("{label}=\"");
        let value = |series: &'_ str| -> Option<(usize, usize)> {
            let at =
                series.find(&format!("{{{begin}")).or_else(|| series.find(&format!(",{begin}")))? + begin.len() + 1;
            Some((at, at + series[at..].find('"')?))
        };
        self.0.keys().filter_map(|series| value(series).map(|(from, to)| &series[from..to])).collect()
    }
}

async fn text(world: &TestApp) -> String {
    let routes = operator::routes(Arc::clone(&world.app));
    let answer = routes.call(Request::builder().uri_str("/metrics").finish()).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(answer.content_type().unwrap().starts_with("application/openmetrics-text; version=1.0.0"));
    answer.into_body().into_string().await.unwrap()
}

#[tokio::test]
async fn a_payment_its_copies_and_a_forged_notice_are_counted_each_for_what_it_was() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let before = Scrape::of(&world).await;
    for verdict in ["settle", "replay", "surplus", "mismatch", "foreign", "failed"] {
        assert_eq!(before.get(&format!("settlements_total{{channel=\"wechat\",verdict=\"{verdict}\"}}")), 0.0);
    }
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    world.sandbox.set_fault(Setting::once(Fault::DuplicateNotice).amount(2));
    let started = world.pay(&order, Product::WechatNative, PHONE).await;
    world.clock.advance(Duration::from_secs(7));
    assert_eq!(world.sandbox.deliver_due().await.len(), 3);
    let after = Scrape::of(&world).await;
    assert_eq!(after.get("settlements_total{channel=\"wechat\",verdict=\"settle\"}"), 1.0);
    let replays = after.get("settlements_total{channel=\"wechat\",verdict=\"replay\"}");
    assert_eq!(after.sum("settlements_total"), 1.0 + replays, "a copy is acknowledged unread, or judged a replay");
    assert_eq!(after.get("notices_total{channel=\"wechat\",received=\"done\"}"), 3.0);
    assert_eq!(after.get("notice_seconds_count{channel=\"wechat\"}"), 3.0);
    assert_eq!(after.get("booking_delay_seconds_sum{channel=\"wechat\"}"), 7.0, "from the payment to its booking");
    assert_eq!(after.get("outbound_calls_total{channel=\"wechat\",operation=\"prepay\",outcome=\"ok\"}"), 1.0);
    let route = "route=\"/notify/:channel/:payee\",method=\"POST\"";
    assert_eq!(after.get(&format!("http_requests_total{{{route},status=\"2xx\"}}")), 3.0);
    assert_eq!(after.get(&format!("http_request_seconds_count{{{route}}}")), 3.0);

    attempt::ask(&world.app, &started.attempt).await.unwrap().unwrap();
    let asked = Scrape::of(&world).await;
    assert_eq!(asked.get("settlements_total{channel=\"wechat\",verdict=\"replay\"}"), replays + 1.0);
    assert_eq!(asked.get("settlements_total{channel=\"wechat\",verdict=\"settle\"}"), 1.0);
    assert_eq!(asked.get("inquiries_total{channel=\"wechat\",answer=\"paid\"}"), 1.0);

    let other = world.open_one(student.id, &[student.insurance]).await;
    world.sandbox.set_fault(Setting::once(Fault::ForgeNotice));
    world.pay(&other, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    let after = Scrape::of(&world).await;
    assert_eq!(after.get("notices_total{channel=\"wechat\",received=\"refused\"}"), 1.0);
    assert_eq!(after.get("notices_refused_total{channel=\"wechat\",why=\"bad_signature\"}"), 1.0);
    assert_eq!(after.sum("settlements_total"), 2.0 + replays, "what is not believed is not judged");
}

#[tokio::test]
async fn what_waits_is_told_with_its_age_and_is_gone_when_it_is_done() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let quiet = Scrape::of(&world).await;
    assert_eq!(quiet.get("inquiries_due{channel=\"wechat\"}"), 0.0);
    assert_eq!(quiet.get("orders_past_their_time"), 0.0);
    world.sandbox.set_fault(Setting::always(Fault::LoseNotice));
    let order = world.open_one(student.id, &[student.tuition]).await;
    let begun = world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    // due five seconds after it began; nobody asks
    world.clock.advance(Duration::from_secs(65));
    let late = Scrape::of(&world).await;
    assert_eq!(late.get("inquiries_due{channel=\"wechat\"}"), 1.0);
    assert_eq!(late.get("inquiry_oldest_overdue_seconds{channel=\"wechat\"}"), 63.0);
    assert_eq!(late.get("inquiries_due{channel=\"alipay\"}"), 0.0);
    world.confirm(&begun, PHONE);
    world.pass(Duration::from_secs(1)).await;
    let asked = Scrape::of(&world).await;
    assert_eq!(asked.get("inquiries_due{channel=\"wechat\"}"), 0.0);
    assert_eq!(asked.get("inquiries_total{channel=\"wechat\",answer=\"paid\"}"), 1.0);
    assert_eq!(asked.get("settlements_total{channel=\"wechat\",verdict=\"settle\"}"), 1.0);

    // a second payment of another amount waits for the office, an order for its end
    world.sandbox.set_fault(Setting::once(Fault::TakeWrongAmount));
    let wrong = world.open_one(student.id, &[student.dormitory]).await;
    world.pay(&wrong, Product::WechatNative, PHONE).await;
    world.pass(Duration::from_secs(6)).await;
    let forgotten = world.open_one(student.id, &[student.insurance]).await;
    world.clock.advance(Duration::from_secs(30 * 60 + 27));
    let late = Scrape::of(&world).await;
    assert_eq!(late.get("settlements_total{channel=\"wechat\",verdict=\"mismatch\"}"), 1.0);
    assert_eq!(late.get("office_items_open{kind=\"amount_mismatch\"}"), 1.0);
    assert!(late.get("office_item_oldest_seconds") >= 1_800.0);
    assert_eq!(late.get("orders_past_their_time"), 1.0, "the office looks at the other one");
    assert_eq!(late.get("order_longest_past_its_time_seconds"), 30.0);
    world.pass(Duration::from_secs(1)).await;
    assert!(!world.is_paid(&forgotten).await);
    assert_eq!(Scrape::of(&world).await.get("orders_past_their_time"), 0.0);
}

#[tokio::test]
async fn a_refund_that_cannot_go_back_is_open_under_its_state_until_it_does() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    let order = world.order(&order).await;
    let lines = [(student.tuition, jiaofei::domain::money::Fen::new(100))];
    jiaofei::flow::refund::request(&world.app, &order, &lines, "退宿").await.unwrap();
    world.sandbox.set_fault(Setting::always(Fault::Down).during(Call::Refund));
    world.pass(Duration::from_secs(1)).await;
    world.clock.advance(Duration::from_secs(36));
    let waiting = Scrape::of(&world).await;
    assert_eq!(waiting.get("refunds_open{state=\"wanted\"}"), 1.0);
    assert_eq!(waiting.get("refund_oldest_waiting_seconds{state=\"wanted\"}"), 40.0);
    assert_eq!(waiting.get("refund_answers_total{channel=\"wechat\",answer=\"unreachable\"}"), 1.0);
    world.sandbox.clear_faults();
    world.pass(Duration::from_secs(120)).await;
    world.sandbox.deliver_due().await;
    let back = Scrape::of(&world).await;
    assert_eq!(back.get("refunds_open{state=\"wanted\"}") + back.get("refunds_open{state=\"processing\"}"), 0.0);
    assert!(back.get("refund_answers_total{channel=\"wechat\",answer=\"done\"}") >= 1.0);
}

#[tokio::test]
async fn with_redis_gone_the_scrape_says_so_and_that_it_is_back() {
    if std::env::var("JIAOFEI_TEST_REDIS").is_err() {
        let world = TestApp::start().await;
        let alone = Scrape::of(&world).await;
        assert_eq!(alone.get("cache_state{state=\"inprocess\"}"), 1.0);
        assert_eq!(alone.get("redis_falls_total"), 0.0);
        return;
    }
    let mut server = Server::start();
    let url = server.url();
    let world = TestApp::start_with(|config| config.redis = Some(jiaofei::config::Redis { url })).await;
    world.app.cache.put("here", "1", Duration::from_secs(9)).await;
    let here = Scrape::of(&world).await;
    assert_eq!((here.get("cache_state{state=\"redis\"}"), here.get("redis_falls_total")), (1.0, 0.0));
    server.stop();
    world.app.cache.get("here").await;
    let gone = Scrape::of(&world).await;
    assert_eq!(gone.get("cache_state{state=\"degraded\"}"), 1.0);
    assert_eq!((gone.get("cache_state{state=\"redis\"}"), gone.get("redis_falls_total")), (0.0, 1.0));
    server.come_back();
    let begun = std::time::Instant::now();
    while Scrape::of(&world).await.get("cache_state{state=\"redis\"}") != 1.0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "Redis is not used again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(Scrape::of(&world).await.get("redis_falls_total"), 1.0);
}

#[tokio::test]
async fn without_its_database_a_process_still_answers_and_gives_no_old_figure_for_a_new_one() {
    let world = TestApp::start().await;
    let up = Scrape::of(&world).await;
    assert!(up.get("database_up") == 1.0 && up.has("inquiries_due{channel=\"wechat\"}"));
    world.app.db.read().clone().close().await.unwrap();
    let down = Scrape::of(&world).await;
    assert_eq!(down.get("database_up"), 0.0);
    assert!(!down.has("inquiries_due{channel=\"wechat\"}") && down.get("orders_past_their_time").is_nan());
    assert!(down.has("settlements_total{channel=\"wechat\",verdict=\"settle\"}"), "what was counted is kept");
}

#[tokio::test]
async fn the_database_is_asked_once_however_many_ask_at_once() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let first = Scrape::of(&world).await;
    assert_eq!(first.get("inquiries_due{channel=\"wechat\"}"), 0.0);
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.begin(&order, Product::WechatNative, PHONE).await.unwrap();
    world.count("UPDATE attempt SET next_inquiry_at = 1 RETURNING next_inquiry_at").await;
    let within = Scrape::parse(&text(&world).await);
    assert_eq!(within.get("inquiries_due{channel=\"wechat\"}"), 0.0, "what was read a moment ago");
    assert_eq!(Scrape::of(&world).await.get("inquiries_due{channel=\"wechat\"}"), 1.0);
}

#[tokio::test]
async fn jobs_tell_when_they_last_worked_and_passwords_how_many_wait() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    world.phone(Device::Desktop).sign_in(&student).await;
    world.pass(Duration::from_secs(1)).await;
    let now = world.clock.now().unix() as f64;
    let scrape = Scrape::of(&world).await;
    for job in ["inquire", "expire", "refund"] {
        assert_eq!(scrape.get(&format!("job_last_run_timestamp_seconds{{job=\"{job}\"}}")), now);
        assert_eq!(scrape.get(&format!("job_last_success_timestamp_seconds{{job=\"{job}\"}}")), now);
        assert_eq!(scrape.get(&format!("job_failures_total{{job=\"{job}\"}}")), 0.0);
    }
    assert_eq!(scrape.get("passwords_in_hand"), 0.0);
    assert_eq!(scrape.get("panics_total{place=\"request\"}"), 0.0);
    assert!(scrape.get("database_begin_seconds_count") >= 1.0);
    assert_eq!(scrape.get(&format!("build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))), 1.0);
    let in_use = scrape.sum("database_connections");
    assert!(in_use >= 1.0 && in_use <= scrape.sum("database_connections_allowed"));
}

#[tokio::test]
async fn nothing_personal_and_nothing_unbounded_is_ever_a_label() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Mobile);
    phone.sign_in(&student).await;
    let series = Scrape::of(&world).await.0.len();
    let order = world.open_one(student.id, &[student.tuition]).await;
    for wander in 0..50 {
        phone.get(&format!("/h5/nowhere/{wander}?number={}", student.number)).await;
        phone.get(&format!("/h5/orders/XF990101QMU{wander:06}")).await;
        phone.get(&format!("/{}/{wander}", student.number)).await;
        phone.get(&format!("/notify/nobody/{wander}")).await;
        let method = reqwest::Method::from_bytes(format!("M{wander}").as_bytes()).unwrap();
        reqwest::Client::new().request(method, format!("{}/h5/login", world.url)).send().await.unwrap();
    }
    phone.get(&format!("/q/{}", order.pay_code)).await;
    world.pay(&order, Product::WechatNative, PHONE).await;
    world.sandbox.deliver_due().await;
    let scrape = Scrape::of(&world).await;
    let routes = scrape.values("route");
    let expected = ["-", "/h5", "/h5/", "/h5/login", "/h5/orders/:order_no", "/notify/:channel/:payee", "/q/:code"];
    assert_eq!(routes, expected.into(), "patterns of the route map, whatever is asked for");
    assert!(
        scrape.values("method").is_subset(&["GET", "POST", "HEAD", "other"].into()),
        "{:?}",
        scrape.values("method")
    );
    assert!(scrape.0.len() < series + 400, "{} series, then {}", series, scrape.0.len());
    let text = text(&world).await;
    let secrets = [&student.number, &student.name, &order.pay_code, &"nowhere".to_owned(), &order.order_no.to_string()];
    for secret in secrets.into_iter().map(String::as_str).chain([student.id_number.reveal(), PHONE, "openid"]) {
        assert!(!text.contains(secret), "the scrape says {secret}");
    }
}

#[tokio::test]
async fn the_students_port_has_no_metrics() {
    let world = TestApp::start().await;
    for path in ["/metrics", "/h5/metrics", "/q/metrics", "//metrics", "/metrics/"] {
        let answer = world.phone(Device::Desktop).get(path).await;
        assert!(!answer.body().contains("jiaofei_"), "{path}");
        assert_ne!(answer.status, 200, "{path}");
    }
}

#[tokio::test]
async fn every_alarm_asks_for_what_is_told_and_the_operator_can_read_what_it_means() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    world.phone(Device::Mobile).sign_in(&student).await;
    world.pass(Duration::from_secs(1)).await;
    let scrape = Scrape::of(&world).await;
    let told = scrape.names();
    let alarms = include_str!("../../deploy/alerts.yml");
    let asked: BTreeSet<&str> = alarms.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let asked: Vec<&str> = asked.into_iter().filter(|word| word.starts_with("jiaofei_")).collect();
    assert!(asked.len() > 10, "{asked:?}");
    for metric in asked {
        // the demo's keys carry no certificate that ends
        let optional = metric == "jiaofei_certificate_expires_timestamp_seconds";
        assert!(optional || told.contains(metric), "no {metric} is told");
    }
    let names: Vec<&str> = alarms.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let manual = include_str!("../../docs/OPERATIONS.md");
    for name in &names {
        assert_eq!(manual.matches(&format!("\n| `{name}` |")).count(), 1, "{name} has no row of its own");
    }
    assert_eq!(manual.matches("\n| `Jiaofei").count(), names.len(), "a row without an alarm");
    for metric in told.iter().filter(|name| name.starts_with("jiaofei_")) {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| metric.strip_suffix(end)).unwrap_or(metric);
        let name = base.strip_prefix("jiaofei_").unwrap_or(base);
        assert!(manual.contains(&format!("`{name}`")), "{name} is not in the manual");
    }
}
