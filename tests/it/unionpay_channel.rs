//! UnionPay's channel against the sandbox's gateway: real HTTP, real signatures, and each fault once.
#![expect(clippy::unwrap_used, reason = "a story that cannot go on stops")]
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiaofei::channel::contract::{
    About, ChannelError, Closing, NoticeRefusal, PaymentChannel, Prepay, PrepayAsk, RawNotice, Reception, RefundAsk,
    RefusedFor,
};
use jiaofei::channel::unionpay::account::UnionPay;
use jiaofei::clock::{Chance, Clock};
use jiaofei::config::UnionPayAccount;
use jiaofei::domain::moment::Moment;
use jiaofei::domain::money::Fen;
use jiaofei::domain::order_no::{AttemptNo, RefundNo};
use jiaofei::domain::trade::{Channel, Heard, Product, RefundHeard, TradeNo};
use jiaofei::outbound::HttpClient;
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::sandbox::keys;
use jiaofei::sandbox::merchants::UNIONPAY_MER_FISCAL;
use jiaofei::sandbox::world::{Options, Sandbox};
use poem::{Endpoint, IntoResponse, Request, Response, Server};

use super::world::app::port;

const PHONE: &str = "lin";
const PRODUCTS: [Product; 2] = [Product::UnionPayWap, Product::UnionPayPage];

/// The sandbox, one account at it, and an address that hears its notices.
struct Scene {
    clock: Clock,
    sandbox: Arc<Sandbox>,
    unionpay: Arc<UnionPay>,
    http: reqwest::Client,
    notify_url: String,
    heard: Arc<Mutex<Vec<Result<About, NoticeRefusal>>>>,
}

/// Believes or refuses, and answers in the channel's words.
struct Ear {
    unionpay: Arc<UnionPay>,
    clock: Clock,
    heard: Arc<Mutex<Vec<Result<About, NoticeRefusal>>>>,
}

impl Endpoint for Ear {
    type Output = Response;

    async fn call(&self, mut req: Request) -> poem::Result<Response> {
        let body = req.take_body().into_vec().await?;
        let raw = RawNotice { headers: req.headers().clone(), body, received_at: self.clock.now() };
        let notice = self.unionpay.verify(&raw);
        let ack = self.unionpay.acknowledge(if notice.is_ok() { Reception::Done } else { Reception::Refused });
        self.heard.lock().unwrap().push(notice.map(|notice| notice.about));
        let status = poem::http::StatusCode::from_u16(ack.status).unwrap();
        Ok(ack.body.with_status(status).with_content_type(ack.content_type).into_response())
    }
}

fn account(base: &str) -> UnionPayAccount {
    UnionPayAccount {
        mer_id: UNIONPAY_MER_FISCAL.to_owned(),
        sign_key: keys::UNIONPAY_MERCHANT_KEY.into(),
        sign_cert: keys::UNIONPAY_MERCHANT_CERT.into(),
        root_cert: keys::UNIONPAY_ROOT_CERT.into(),
        middle_cert: keys::UNIONPAY_MIDDLE_CERT.into(),
        name: "中国银联股份有限公司".to_owned(),
        gateway: base.to_owned(),
        cashier: base.to_owned(),
    }
}

impl Scene {
    async fn open() -> Scene {
        let clock = Clock::manual(Moment::parse_rfc3339("2026-12-01T10:00:00+08:00").unwrap());
        let sandbox = Sandbox::new(Options::default(), clock.clone(), Chance::seeded(7));
        let (gateway, base) = port().await;
        let world = sandbox.clone();
        tokio::spawn(async move { world.serve(gateway).await });
        let client = HttpClient::with_timeouts(Duration::from_millis(400), Duration::from_millis(800)).unwrap();
        let unionpay = Arc::new(UnionPay::new(&account(&base), clock.clone(), client).unwrap());
        let (listener, notify_base) = port().await;
        let heard = Arc::default();
        let ear = Ear { unionpay: unionpay.clone(), clock: clock.clone(), heard: Arc::clone(&heard) };
        let acceptor = poem::listener::TcpAcceptor::from_tokio(listener).unwrap();
        tokio::spawn(Server::new_with_acceptor(acceptor).run(ear));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Scene { clock, sandbox, unionpay, http, notify_url: format!("{notify_base}/notify/unionpay/fiscal"), heard }
    }

    fn ask(&self, number: u32, product: Product, amount: i64) -> PrepayAsk {
        PrepayAsk {
            attempt_no: AttemptNo::parse(&format!("XF261201QMU{number:06}T01")).unwrap(),
            opened_at: self.clock.now(),
            product,
            amount: Fen::new(amount),
            subject: "𠮷同学 学费&住宿费=1+1 100% {<b>\"}]".to_owned(),
            expires_at: self.clock.now() + Duration::from_secs(1800),
            payer_ip: "2001:db8::7".to_owned(),
            buyer: None,
            notify_url: self.notify_url.clone(),
            return_url: "https://pay.example.edu.cn/h5/result/XF261201QMU000001".to_owned(),
        }
    }

    /// The payer's browser takes the form to the cashier. Whether it is let in.
    async fn arrive(&self, ask: &PrepayAsk) -> bool {
        let Ok(Prepay::Form(form)) = self.unionpay.prepay(ask).await else { panic!("a form") };
        let posted = self.http.post(&form.action).header("cookie", format!("phone={PHONE}")).form(&form.fields);
        posted.send().await.unwrap().status() == 302
    }

    /// An order whose payer stands at the cashier.
    async fn ordered(&self, number: u32, product: Product, amount: i64) -> PrepayAsk {
        let ask = self.ask(number, product, amount);
        assert!(self.arrive(&ask).await);
        ask
    }

    fn pay(&self, ask: &PrepayAsk) {
        self.sandbox.pay(Channel::UnionPay, ask.attempt_no.as_str(), PHONE).unwrap();
    }

    fn refund_ask(&self, of: &PrepayAsk, nth: i64, amount: i64) -> RefundAsk {
        let bank = self.sandbox.bank();
        let trade = bank.find(Channel::UnionPay, of.attempt_no.as_str()).unwrap();
        RefundAsk {
            refund_no: RefundNo::compose(&of.attempt_no, nth),
            opened_at: self.clock.now(),
            attempt_no: of.attempt_no.clone(),
            trade_no: TradeNo(trade.trade_no.clone()),
            amount: Fen::new(amount),
            total: of.amount,
            reason: "退费".to_owned(),
            notify_url: self.notify_url.clone(),
        }
    }

    fn fault(&self, fault: Fault, call: Call) {
        self.sandbox.set_fault(Setting::once(fault).at(Channel::UnionPay).during(call));
    }

    fn last_heard(&self) -> Result<About, NoticeRefusal> {
        self.heard.lock().unwrap().last().unwrap().clone()
    }
}

fn is_paid(heard: &Heard, total: i64) -> bool {
    matches!(heard, Heard::Paid { amount, trade_no, .. } if amount.get() == total && trade_no.0.len() == 21)
}

#[tokio::test]
async fn each_product_is_ordered_paid_told_asked_about_and_sent_back_in_parts() {
    let scene = Scene::open().await;
    for (number, product) in (1..).zip(PRODUCTS) {
        let ask = scene.ask(number, product, 909_995);
        assert_eq!(scene.unionpay.query(&ask.key()).await, Ok(Heard::Absent));
        assert!(scene.arrive(&ask).await, "{product:?}");
        assert_eq!(scene.unionpay.query(&ask.key()).await, Ok(Heard::Absent), "nobody has tried to pay");
        scene.pay(&ask);
        assert!(is_paid(&scene.unionpay.query(&ask.key()).await.unwrap(), 909_995));
        assert!(scene.sandbox.deliver_due().await[0].received);
        let Ok(About::Payment { attempt_no, heard }) = scene.last_heard() else { panic!("{:?}", scene.last_heard()) };
        assert!(attempt_no == ask.attempt_no.as_str() && is_paid(&heard, 909_995));
        assert_eq!(scene.unionpay.close(&ask.key()).await, Ok(Closing::Paid));
        for (nth, amount) in [(1, 100_000), (2, 809_995)] {
            let refund = scene.refund_ask(&ask, nth, amount);
            assert_eq!(scene.unionpay.query_refund(&refund).await, Ok(RefundHeard::Absent));
            let taken = scene.unionpay.refund(&refund).await;
            assert!(matches!(taken, Ok(RefundHeard::Processing { .. })), "{taken:?}");
            scene.clock.advance(Duration::from_secs(60));
            let done = scene.unionpay.query_refund(&refund).await.unwrap();
            assert!(matches!(&done, RefundHeard::Done { amount: back, .. } if back.get() == amount), "{done:?}");
            assert_eq!(scene.unionpay.refund(&refund).await.unwrap(), done, "the same refund again");
            assert!(scene.sandbox.deliver_due().await.iter().all(|delivery| delivery.received));
            let told = About::Refund { refund_no: refund.refund_no.to_string(), heard: done };
            assert_eq!(scene.last_heard(), Ok(told));
        }
        assert_eq!(scene.sandbox.bank().sent_back(UNIONPAY_MER_FISCAL).get(), i64::from(number) * 909_995);
        assert!(is_paid(&scene.unionpay.query(&ask.key()).await.unwrap(), 909_995), "refunded, so once paid");
    }
}

#[tokio::test]
async fn the_same_form_again_is_the_same_order_until_it_is_paid() {
    let scene = Scene::open().await;
    let ask = scene.ordered(1, Product::UnionPayWap, 100).await;
    scene.clock.advance(Duration::from_secs(900));
    assert!(scene.arrive(&ask).await, "gone away and come back");
    scene.pay(&ask);
    assert!(!scene.arrive(&ask).await, "paid already");
    assert_eq!(scene.sandbox.bank().received(UNIONPAY_MER_FISCAL).get(), 100);
}

#[tokio::test]
async fn an_order_nobody_pays_may_be_paid_until_its_time_and_not_after() {
    let scene = Scene::open().await;
    let ask = scene.ordered(1, Product::UnionPayWap, 100).await;
    assert_eq!(scene.unionpay.close(&ask.key()).await, Ok(Closing::Absent), "there is no closing");
    scene.clock.advance(Duration::from_secs(1800 + 200));
    assert!(scene.sandbox.pay(Channel::UnionPay, ask.attempt_no.as_str(), PHONE).is_err());
    assert_eq!(scene.unionpay.close(&ask.key()).await, Ok(Closing::Closed));
}

#[tokio::test]
async fn money_under_way_is_no_answer_and_a_defect_is_a_success() {
    let scene = Scene::open().await;
    let ask = scene.ordered(1, Product::UnionPayWap, 100).await;
    scene.pay(&ask);
    for code in [3, 4, 5] {
        scene.sandbox.set_fault(Setting::once(Fault::QueryPending).during(Call::Query).amount(code));
        let unsure = scene.unionpay.query(&ask.key()).await;
        assert!(matches!(unsure, Err(ChannelError::Unreachable(_))), "{code}: {unsure:?}");
    }
    scene.fault(Fault::PaidWithDefect, Call::Query);
    assert!(is_paid(&scene.unionpay.query(&ask.key()).await.unwrap(), 100));
}

#[tokio::test]
async fn a_spoilt_answer_is_never_taken_for_a_word_and_the_next_question_mends_it() {
    let scene = Scene::open().await;
    let ask = scene.ordered(1, Product::UnionPayPage, 100).await;
    scene.pay(&ask);
    let untrusted = [Fault::UnsignedAnswer, Fault::ForgedAnswer, Fault::ProbeAnswer];
    let unreachable = [
        Fault::LoseAnswer,
        Fault::Answer400,
        Fault::Answer404,
        Fault::Answer429,
        Fault::Answer500,
        Fault::Answer502,
        Fault::TruncateAnswer,
        Fault::Hang,
        Fault::HangAfterEffect,
        Fault::Down,
    ];
    for fault in untrusted.into_iter().chain(unreachable) {
        scene.fault(fault, Call::Query);
        match scene.unionpay.query(&ask.key()).await {
            Err(ChannelError::Untrusted(_)) if untrusted.contains(&fault) => {}
            Err(ChannelError::Unreachable(_)) if unreachable.contains(&fault) => {}
            other => panic!("{fault:?}: {other:?}"),
        }
        assert!(is_paid(&scene.unionpay.query(&ask.key()).await.unwrap(), 100), "{fault:?}");
    }
}

#[tokio::test]
async fn another_amount_is_told_as_it_is_and_another_merchant_or_currency_is_foreign() {
    let scene = Scene::open().await;
    let ask = scene.ordered(1, Product::UnionPayWap, 100).await;
    scene.pay(&ask);
    scene.fault(Fault::WrongAmount, Call::Query);
    assert!(is_paid(&scene.unionpay.query(&ask.key()).await.unwrap(), 101));
    for (fault, name) in [(Fault::ForeignMerchant, "merId"), (Fault::ForeignCurrency, "currencyCode")] {
        scene.fault(fault, Call::Query);
        let heard = scene.unionpay.query(&ask.key()).await;
        assert!(matches!(heard, Ok(Heard::Foreign { field, .. }) if field == name), "{fault:?} {heard:?}");
    }
}

#[tokio::test]
async fn a_notice_somebody_else_signed_is_refused_and_the_repeat_believed() {
    let scene = Scene::open().await;
    for (number, fault) in (1..).zip([Fault::ForgeNotice, Fault::CorruptNotice, Fault::ProbeNotice]) {
        let ask = scene.ordered(number, Product::UnionPayWap, 100).await;
        scene.pay(&ask);
        scene.fault(fault, Call::PaymentNotice);
        assert_eq!(scene.sandbox.deliver_due().await[0].status, Some(400), "{fault:?}");
        assert!(scene.last_heard().is_err(), "{fault:?}");
        scene.clock.advance(Duration::from_secs(60));
        assert!(scene.sandbox.deliver_due().await[0].received, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_made_once_and_each_end_is_told() {
    let scene = Scene::open().await;
    let ask = scene.ordered(1, Product::UnionPayWap, 1000).await;
    scene.pay(&ask);
    for (nth, fault) in (1..).zip([Fault::LoseAnswer, Fault::TruncateAnswer, Fault::UnsignedAnswer]) {
        let refund = scene.refund_ask(&ask, nth, 100);
        scene.fault(fault, Call::Refund);
        assert!(scene.unionpay.refund(&refund).await.is_err(), "{fault:?}");
        assert!(scene.unionpay.refund(&refund).await.is_ok(), "{fault:?}");
    }
    scene.clock.advance(Duration::from_secs(60));
    scene.sandbox.deliver_due().await;
    assert_eq!(scene.sandbox.bank().sent_back(UNIONPAY_MER_FISCAL).get(), 300);
    let ends = [(Fault::RefundClosed, true), (Fault::RefundAbnormal, false)];
    for (nth, (fault, closed)) in (4..).zip(ends) {
        let refund = scene.refund_ask(&ask, nth, 100);
        scene.fault(fault, Call::Refund);
        scene.unionpay.refund(&refund).await.unwrap();
        scene.clock.advance(Duration::from_secs(60));
        let heard = scene.unionpay.query_refund(&refund).await.unwrap();
        assert_eq!(heard == RefundHeard::Closed, closed, "{heard:?}");
        assert_eq!(matches!(heard, RefundHeard::Abnormal { .. }), !closed, "{heard:?}");
    }
    scene.fault(Fault::RefundNotEnough, Call::Refund);
    let poor = scene.unionpay.refund(&scene.refund_ask(&ask, 6, 100)).await;
    assert!(matches!(poor, Err(ChannelError::Refused { why: RefusedFor::NotEnoughFunds, .. })), "{poor:?}");
    let greedy = scene.unionpay.refund(&scene.refund_ask(&ask, 7, 1001)).await;
    assert!(matches!(greedy, Err(ChannelError::Refused { .. })), "{greedy:?}");
}
