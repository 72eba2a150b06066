//! The whole app on a port of its own, and the outside world on another.
use std::sync::Arc;
use std::time::Duration;

use jiaofei::app::App;
use jiaofei::channel::contract::Prepay;
use jiaofei::cli::demo::demo_config;
use jiaofei::clock::{Chance, Clock};
use jiaofei::config::{Config, FirstSignIn, Redis};
use jiaofei::domain::checkout::Wanted;
use jiaofei::domain::consent::AgreementGate;
use jiaofei::domain::ids::{ChargeId, PayerId};
use jiaofei::domain::moment::Moment;
use jiaofei::domain::order::{Order, OrderState};
use jiaofei::domain::trade::{Buyer, Channel, Product};
use jiaofei::flow::checkout::{self, PayAsk, Started};
use jiaofei::flow::failure::Failure;
use jiaofei::flow::{migrate, restore, rotate};
use jiaofei::outbound::HttpClient;
use jiaofei::sandbox::merchants::{WECHAT_APP_ID, alipay_user, openid};
use jiaofei::sandbox::world::{Options, Sandbox};
use jiaofei::store::orders;
use jiaofei::web::routes::routes;
use poem::Server;
use poem::listener::TcpAcceptor;
use tokio::net::TcpListener;

use super::database::{self, TestDatabase};
use super::phone::{Device, Phone};
use super::school::{self, School, Student};

/// 2026-09-01, ten in the morning in Beijing: the day every story begins.
pub fn start_of_story() -> Moment {
    Moment::parse_rfc3339("2026-09-01T10:00:00+08:00").unwrap()
}

pub struct TestApp {
    pub app: Arc<App>,
    pub sandbox: Arc<Sandbox>,
    pub clock: Clock,
    pub school: School,
    /// `http://127.0.0.1:port`
    pub url: String,
    pub sandbox_url: String,
    /// Goes when the story ends
    _database: TestDatabase,
}

impl TestApp {
    pub async fn start() -> TestApp {
        Self::start_with(|_| {}).await
    }

    /// Starts with a configuration changed for this story.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> TestApp {
        // the first test of a process installs it, the others find it there
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (app_port, url) = port().await;
        let (sandbox_port, sandbox_url) = port().await;
        let database = TestDatabase::fresh().await;
        let mut config = demo_config(&url, &sandbox_url, &database.url);
        config.redis = database::fresh_redis().await.map(|url| Redis { url });
        // a school where nobody must choose a password first; other stories tell of one where everybody must
        config.school.first_sign_in = FirstSignIn::Open;
        // nor confirm anything between the choice and the cashier; `confirming` tells of one that asks
        config.checkout.confirm = false;
        config.checkout.agreement = AgreementGate::None;
        change(&mut config);
        let clock = Clock::manual(start_of_story());
        // a busy machine must not make an acknowledgement late
        let options = Options { ack_within: Duration::from_secs(60), ..Options::default() };
        let sandbox = Sandbox::new(options, clock.clone(), Chance::seeded(1));
        sandbox.set_public_url(&sandbox_url);
        sandbox.set_app_url(&url);
        let app = open(config, &clock).await;
        migrate::bring_up(&app.db, &app.chain, &app.clock).await.unwrap();
        restore::recognise(&app).await.unwrap();
        assert_eq!(rotate::take_up(&app).await.unwrap(), Vec::<String>::new());
        let school = school::found(&app).await;
        serve(app_port, &app);
        let outside = Arc::clone(&sandbox);
        tokio::spawn(async move { outside.serve(sandbox_port).await });
        TestApp { app, sandbox, clock, school, url, sandbox_url, _database: database }
    }

    /// Another process on the same database and Redis.
    pub async fn another_process(&self) -> Arc<App> {
        open(self.app.config.clone(), &self.clock).await
    }

    /// Another process on the same database with a configuration of its own.
    pub async fn process_with(&self, config: Config) -> Arc<App> {
        open(config, &self.clock).await
    }

    /// Serves a process on a port of its own; gives its address.
    pub async fn serve(&self, app: &Arc<App>) -> String {
        let (listener, url) = port().await;
        serve(listener, app);
        url
    }

    /// With one student, who has signed in in WeChat.
    pub async fn with_a_student(self) -> (TestApp, Student, Phone) {
        let student = self.school.student(&self.app, 1, "林知夏").await;
        let phone = self.phone(Device::Wechat);
        phone.sign_in(&student).await;
        (self, student, phone)
    }

    /// A browser that has never been here.
    pub fn phone(&self, device: Device) -> Phone {
        Phone::new(&self.url, device)
    }

    pub async fn open(&self, payer: PayerId, charges: &[ChargeId]) -> Vec<Order> {
        let wanted: Vec<Wanted> = charges.iter().map(|id| Wanted { charge_id: *id, amount: None }).collect();
        let checkout_id = self.app.chance.token(22);
        checkout::open(&self.app, payer, &checkout_id, &wanted).await.unwrap()
    }

    /// One order over charges of one payee.
    pub async fn open_one(&self, payer: PayerId, charges: &[ChargeId]) -> Order {
        let [order] = <[Order; 1]>::try_from(self.open(payer, charges).await).unwrap();
        order
    }

    pub fn ask(&self, product: Product, phone: &str) -> PayAsk {
        let buyer = match product {
            Product::WechatJsapi => Some(Buyer::WechatOpenid(openid(WECHAT_APP_ID, phone))),
            Product::AlipayJsapi => Some(Buyer::AlipayUser(alipay_user(phone))),
            _ => None,
        };
        let return_url = format!("{}/h5/result", self.url);
        PayAsk { product, buyer, gift: None, payer_ip: "203.0.113.7".to_owned(), return_url }
    }

    pub async fn begin(&self, order: &Order, product: Product, phone: &str) -> Result<Started, Failure> {
        checkout::pay(&self.app, order, &self.ask(product, phone)).await
    }

    /// The payer confirms on the phone what the app has started.
    pub fn confirm(&self, started: &Started, phone: &str) {
        let channel = started.attempt.product.channel();
        let text = match &started.prepay {
            Prepay::WechatJsapi { .. } | Prepay::AlipayJsapi { .. } => started.attempt.attempt_no.to_string(),
            Prepay::Redirect { url } if channel == Channel::Wechat => url.clone(),
            Prepay::Redirect { .. } | Prepay::Form(_) => started.attempt.attempt_no.to_string(),
            Prepay::Code { text } => text.clone(),
        };
        self.sandbox.pay(channel, &text, phone).unwrap();
    }

    /// The payer reaches the page or scans the code; at Alipay and UnionPay a trade comes to life only then.
    pub async fn arrive(&self, started: &Started, phone: &str) {
        match &started.prepay {
            Prepay::Redirect { url } if started.attempt.product.channel() == Channel::Alipay => {
                let client = reqwest::Client::new();
                let page = client.get(url).header("cookie", format!("phone={phone}")).send().await.unwrap();
                assert!(page.status().is_success(), "{}", page.status());
            }
            Prepay::Form(form) => {
                let client = reqwest::Client::new();
                let posted = client.post(&form.action).header("cookie", format!("phone={phone}")).form(&form.fields);
                let page = posted.send().await.unwrap();
                assert!(page.status().is_success(), "{}", page.status());
            }
            Prepay::Code { text } => {
                self.sandbox.open(started.attempt.product.channel(), text, phone).unwrap();
            }
            _ => {}
        }
    }

    /// Starts, arrives and confirms.
    pub async fn arrive_and_pay(&self, order: &Order, product: Product, phone: &str) -> Started {
        let started = self.begin(order, product, phone).await.unwrap();
        self.arrive(&started, phone).await;
        self.confirm(&started, phone);
        started
    }

    /// Starts and confirms; whatever notices follow wait in the sandbox.
    pub async fn pay(&self, order: &Order, product: Product, phone: &str) -> Started {
        let started = self.begin(order, product, phone).await.unwrap();
        self.confirm(&started, phone);
        started
    }

    pub async fn order(&self, order: &Order) -> Order {
        orders::find(self.app.db.read(), order.id).await.unwrap().unwrap()
    }

    pub async fn is_paid(&self, order: &Order) -> bool {
        matches!(self.order(order).await.state, OrderState::Paid { .. })
    }

    pub async fn count(&self, sql: &str) -> i64 {
        database::number(self.app.db.read(), sql).await
    }

    /// Moves the clock on and lets every job look for work, second by second as a process would.
    pub async fn pass(&self, span: Duration) {
        for _ in 0..span.as_secs() {
            self.clock.advance(Duration::from_secs(1));
            jiaofei::jobs::run_once(&self.app).await.unwrap();
        }
    }
}

async fn open(config: Config, clock: &Clock) -> Arc<App> {
    let http = HttpClient::with_timeouts(Duration::from_secs(2), Duration::from_secs(2)).unwrap();
    Arc::new(App::open(config, clock.clone(), Chance::system(), http).await.unwrap())
}

fn serve(listener: TcpListener, app: &Arc<App>) {
    let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(routes(Arc::clone(app))));
}

pub async fn port() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}
