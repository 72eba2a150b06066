//! Alipay's channel against the sandbox's gateway: real HTTP, real signatures, both key modes, and each fault once.
#![expect(clippy::unwrap_used, reason = "a story that cannot go on stops")]
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiaofei::channel::alipay::account::Alipay;
use jiaofei::channel::contract::{
    About, ChannelError, Closing, NoticeRefusal, PaymentChannel, Prepay, PrepayAsk, RawNotice, Reception, RefundAsk,
    RefusedFor,
};
use jiaofei::clock::{Chance, Clock};
use jiaofei::config::AlipayAccount;
use jiaofei::domain::moment::Moment;
use jiaofei::domain::money::Fen;
use jiaofei::domain::order_no::{AttemptNo, RefundNo};
use jiaofei::domain::trade::{Buyer, Channel, Heard, Product, RefundHeard, TradeNo};
use jiaofei::outbound::HttpClient;
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::sandbox::keys;
use jiaofei::sandbox::merchants::{ALIPAY_APP_FISCAL, ALIPAY_SELLER_FISCAL, alipay_open_id, alipay_user};
use jiaofei::sandbox::world::{Options, Sandbox, Switches};
use poem::{Endpoint, IntoResponse, Request, Response, Server};

use super::world::app::port;

const PHONE: &str = "lin";
const PRODUCTS: [Product; 4] =
    [Product::AlipayWap, Product::AlipayPage, Product::AlipayPrecreate, Product::AlipayJsapi];

/// The sandbox, one account at it, and an address that hears its notices.
struct Scene {
    clock: Clock,
    sandbox: Arc<Sandbox>,
    alipay: Arc<Alipay>,
    http: reqwest::Client,
    notify_url: String,
    heard: Arc<Mutex<Vec<Result<About, NoticeRefusal>>>>,
}

/// Believes or refuses, and answers in the channel's words.
struct Ear {
    alipay: Arc<Alipay>,
    clock: Clock,
    heard: Arc<Mutex<Vec<Result<About, NoticeRefusal>>>>,
}

impl Endpoint for Ear {
    type Output = Response;

    async fn call(&self, mut req: Request) -> poem::Result<Response> {
        let body = req.take_body().into_vec().await?;
        let raw = RawNotice { headers: req.headers().clone(), body, received_at: self.clock.now() };
        let notice = self.alipay.verify(&raw);
        let ack = self.alipay.acknowledge(if notice.is_ok() { Reception::Done } else { Reception::Refused });
        self.heard.lock().unwrap().push(notice.map(|notice| notice.about));
        let status = poem::http::StatusCode::from_u16(ack.status).unwrap();
        Ok(ack.body.with_status(status).with_content_type(ack.content_type).into_response())
    }
}

fn account(base: &str, certified: bool) -> AlipayAccount {
    let certificate = |pem: &'static str| certified.then(|| pem.into());
    AlipayAccount {
        app_id: ALIPAY_APP_FISCAL.to_owned(),
        private_key: keys::ALIPAY_APP_KEY.into(),
        alipay_public_key: (!certified).then(|| keys::ALIPAY_PUBLIC.into()),
        app_cert: certificate(keys::ALIPAY_APP_CERT),
        alipay_cert: certificate(keys::ALIPAY_CERT),
        alipay_root_cert: certificate(keys::ALIPAY_ROOT_CERT),
        seller_id: ALIPAY_SELLER_FISCAL.to_owned(),
        gateway: format!("{base}/gateway.do"),
        authorize_base: base.to_owned(),
    }
}

impl Scene {
    async fn open(certified: bool) -> Scene {
        let clock = Clock::manual(Moment::parse_rfc3339("2026-12-01T10:00:00+08:00").unwrap());
        let sandbox = Sandbox::new(Options::default(), clock.clone(), Chance::seeded(7));
        let (gateway, base) = port().await;
        let world = sandbox.clone();
        tokio::spawn(async move { world.serve(gateway).await });
        let client = HttpClient::with_timeouts(Duration::from_millis(400), Duration::from_millis(800)).unwrap();
        let alipay = Arc::new(Alipay::new(&account(&base, certified), clock.clone(), client).unwrap());
        let (listener, notify_base) = port().await;
        let heard = Arc::default();
        let ear = Ear { alipay: alipay.clone(), clock: clock.clone(), heard: Arc::clone(&heard) };
        let acceptor = poem::listener::TcpAcceptor::from_tokio(listener).unwrap();
        tokio::spawn(Server::new_with_acceptor(acceptor).run(ear));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Scene { clock, sandbox, alipay, http, notify_url: format!("{notify_base}/notify/alipay/fiscal"), heard }
    }

    fn ask(&self, number: u32, product: Product, amount: i64) -> PrepayAsk {
        PrepayAsk {
            attempt_no: AttemptNo::parse(&format!("XF261201QMU{number:06}T01")).unwrap(),
            opened_at: self.clock.now(),
            product,
            amount: Fen::new(amount),
            subject: "𠮷同学 学费&住宿费=1+1 100% <b>\"}]".to_owned(),
            expires_at: self.clock.now() + Duration::from_secs(1800),
            payer_ip: "2001:db8::7".to_owned(),
            buyer: product.needs_buyer().then(|| Buyer::AlipayUser(alipay_user(PHONE))),
            notify_url: self.notify_url.clone(),
            return_url: "https://pay.example.edu.cn/h5/result/XF261201QMU000001".to_owned(),
        }
    }

    /// Brings the payer to what the channel was given to show, so that the trade comes into being.
    async fn arrive(&self, prepay: &Prepay) {
        match prepay {
            Prepay::Redirect { url } => {
                let answer = self.http.get(url).header("cookie", format!("phone={PHONE}")).send().await.unwrap();
                assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
            }
            Prepay::Code { text } | Prepay::AlipayJsapi { trade_no: text } => {
                self.sandbox.open(Channel::Alipay, text, PHONE).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }

    async fn ordered(&self, number: u32, product: Product, amount: i64) -> PrepayAsk {
        let ask = self.ask(number, product, amount);
        let prepay = self.alipay.prepay(&ask).await.unwrap();
        self.arrive(&prepay).await;
        ask
    }

    fn pay(&self, ask: &PrepayAsk) {
        self.sandbox.pay(Channel::Alipay, ask.attempt_no.as_str(), PHONE).unwrap();
    }

    fn refund_ask(&self, of: &PrepayAsk, nth: i64, amount: i64) -> RefundAsk {
        let bank = self.sandbox.bank();
        let trade = bank.find(Channel::Alipay, of.attempt_no.as_str()).unwrap();
        RefundAsk {
            refund_no: RefundNo::compose(&of.attempt_no, nth),
            opened_at: self.clock.now(),
            attempt_no: of.attempt_no.clone(),
            trade_no: TradeNo(trade.trade_no.clone()),
            amount: Fen::new(amount),
            total: of.amount,
            reason: "多缴 𠮷&=".to_owned(),
            notify_url: self.notify_url.clone(),
        }
    }

    fn last_heard(&self) -> Result<About, NoticeRefusal> {
        self.heard.lock().unwrap().last().cloned().unwrap()
    }

    fn fault(&self, fault: Fault, call: Call) {
        self.sandbox.clear_faults();
        self.sandbox.set_fault(Setting::once(fault).during(call));
    }
}

fn is_paid(heard: &Heard, total: i64) -> bool {
    matches!(heard, Heard::Paid { amount, .. } if amount.get() == total)
}

#[tokio::test]
async fn each_product_in_each_key_mode_is_ordered_paid_noticed_and_refunded_in_parts() {
    for certified in [false, true] {
        let scene = Scene::open(certified).await;
        for (number, product) in (1..).zip(PRODUCTS) {
            let ask = scene.ask(number, product, 909_995);
            assert_eq!(scene.alipay.query(&ask.key()).await, Ok(Heard::Absent));
            let prepay = scene.alipay.prepay(&ask).await.unwrap();
            let early = if product == Product::AlipayJsapi { Heard::Unpaid } else { Heard::Absent };
            assert_eq!(scene.alipay.query(&ask.key()).await, Ok(early), "{product:?}");
            scene.arrive(&prepay).await;
            assert_eq!(scene.alipay.query(&ask.key()).await, Ok(Heard::Unpaid));
            scene.pay(&ask);
            assert!(is_paid(&scene.alipay.query(&ask.key()).await.unwrap(), 909_995));
            assert!(scene.sandbox.deliver_due().await[0].received);
            let Ok(About::Payment { attempt_no, heard }) = scene.last_heard() else { panic!("{product:?}") };
            assert!(attempt_no == ask.attempt_no.as_str() && is_paid(&heard, 909_995));
            assert_eq!(scene.alipay.close(&ask.key()).await, Ok(Closing::Paid));

            for (nth, part) in [(1, 300_000), (2, 609_995)] {
                let refund = scene.refund_ask(&ask, nth, part);
                assert_eq!(scene.alipay.query_refund(&refund).await, Ok(RefundHeard::Absent));
                let done = scene.alipay.refund(&refund).await.unwrap();
                assert!(matches!(done, RefundHeard::Done { amount, .. } if amount.get() == part), "{done:?}");
                assert_eq!(scene.alipay.refund(&refund).await.unwrap(), done, "the same refund again");
                assert!(scene.sandbox.deliver_due().await.iter().all(|one| one.received));
                let Ok(About::Refund { refund_no, heard }) = scene.last_heard() else { panic!("{product:?}") };
                assert_eq!((refund_no.as_str(), heard), (refund.refund_no.as_str(), done));
            }
            assert!(is_paid(&scene.alipay.query(&ask.key()).await.unwrap(), 909_995), "refunded, so once paid");
        }
    }
}

#[tokio::test]
async fn the_same_ask_is_the_same_trade_and_another_is_refused_until_closed() {
    let scene = Scene::open(false).await;
    let ask = scene.ordered(1, Product::AlipayJsapi, 100).await;
    let first = scene.alipay.prepay(&ask).await.unwrap();
    scene.clock.advance(Duration::from_secs(1760));
    assert_eq!(scene.alipay.prepay(&ask).await.unwrap(), first, "also in the last minute");
    let dearer = PrepayAsk { amount: Fen::new(101), ..ask.clone() };
    let refused = scene.alipay.prepay(&dearer).await;
    assert!(matches!(refused, Err(ChannelError::Refused { why: RefusedFor::NumberUsed, .. })), "{refused:?}");
    for _ in 0..2 {
        assert_eq!(scene.alipay.close(&ask.key()).await, Ok(Closing::Closed));
    }
    assert_eq!(scene.alipay.query(&ask.key()).await, Ok(Heard::Closed));
    let refused = scene.alipay.prepay(&ask).await;
    assert!(matches!(refused, Err(ChannelError::Refused { why: RefusedFor::AlreadyClosed, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_spoilt_answer_is_never_taken_for_a_word_and_the_next_question_mends_it() {
    let scene = Scene::open(true).await;
    let ask = scene.ordered(1, Product::AlipayPrecreate, 100).await;
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
        match scene.alipay.query(&ask.key()).await {
            Err(ChannelError::Untrusted(_)) if untrusted.contains(&fault) => {}
            Err(ChannelError::Unreachable(_)) if unreachable.contains(&fault) => {}
            other => panic!("{fault:?}: {other:?}"),
        }
        assert!(is_paid(&scene.alipay.query(&ask.key()).await.unwrap(), 100), "{fault:?}");
    }
}

#[tokio::test]
async fn an_order_or_a_refund_whose_answer_is_lost_is_made_once() {
    let scene = Scene::open(false).await;
    for (number, fault) in
        (1..).zip([Fault::LoseAnswer, Fault::TruncateAnswer, Fault::UnsignedAnswer, Fault::Answer502])
    {
        let ask = scene.ask(number, Product::AlipayJsapi, 200);
        scene.fault(fault, Call::Order);
        assert!(scene.alipay.prepay(&ask).await.is_err(), "{fault:?}");
        assert!(scene.alipay.prepay(&ask).await.is_ok(), "{fault:?}");
        scene.pay(&ask);
        let refund = scene.refund_ask(&ask, 1, 150);
        scene.fault(fault, Call::Refund);
        assert!(scene.alipay.refund(&refund).await.is_err(), "{fault:?}");
        let again = scene.alipay.refund(&refund).await;
        assert!(matches!(again, Ok(RefundHeard::Done { amount, .. }) if amount.get() == 150), "{fault:?} {again:?}");
        let bank = scene.sandbox.bank();
        let trade = bank.find(Channel::Alipay, ask.attempt_no.as_str()).unwrap();
        assert_eq!(trade.committed(), Fen::new(150), "{fault:?}");
    }
}

#[tokio::test]
async fn notices_are_believed_in_both_charsets_and_refused_when_spoilt() {
    let scene = Scene::open(false).await;
    let spoilt = [
        (Fault::ForgeNotice, Some(NoticeRefusal::BadSignature)),
        (Fault::ProbeNotice, Some(NoticeRefusal::BadSignature)),
        // the changed byte may stand in the signature, a name or a value
        (Fault::CorruptNotice, None),
    ];
    for (number, (fault, refusal)) in (1..).zip(spoilt) {
        scene.sandbox.set_switches(Switches { alipay_gbk: number % 2 == 0, ..Switches::default() });
        let ask = scene.ordered(number, Product::AlipayWap, 100).await;
        scene.fault(fault, Call::PaymentNotice);
        scene.pay(&ask);
        assert!(!scene.sandbox.deliver_due().await[0].received, "{fault:?}");
        let heard = scene.last_heard().unwrap_err();
        assert!(refusal.is_none_or(|refusal| refusal == heard), "{fault:?}");
        scene.clock.advance(Duration::from_secs(240));
        assert!(scene.sandbox.deliver_due().await[0].received, "{fault:?}");
        assert!(matches!(scene.last_heard(), Ok(About::Payment { .. })), "{fault:?}");
    }
}

#[tokio::test]
async fn a_lie_about_money_or_people_is_told_as_it_is() {
    let scene = Scene::open(false).await;
    for (number, fault) in (1..).zip([Fault::WrongAmount, Fault::ForeignApp, Fault::ForeignMerchant]) {
        let ask = scene.ordered(number, Product::AlipayWap, 100).await;
        scene.fault(fault, Call::PaymentNotice);
        scene.pay(&ask);
        scene.sandbox.deliver_due().await;
        let Ok(About::Payment { heard, .. }) = scene.last_heard() else { panic!("{fault:?}") };
        match fault {
            Fault::WrongAmount => assert!(is_paid(&heard, 101)),
            Fault::ForeignApp => assert!(matches!(heard, Heard::Foreign { field: "app_id", .. }), "{heard:?}"),
            _ => assert!(matches!(heard, Heard::Foreign { field: "seller_id", .. }), "{heard:?}"),
        }
    }
}

#[tokio::test]
async fn refunds_that_are_slow_or_fail_are_told_apart_from_money_back() {
    let scene = Scene::open(false).await;
    let ask = scene.ordered(1, Product::AlipayPage, 1000).await;
    scene.pay(&ask);
    scene.fault(Fault::RefundNotEnough, Call::Refund);
    let poor = scene.alipay.refund(&scene.refund_ask(&ask, 1, 100)).await;
    assert!(matches!(poor, Err(ChannelError::Refused { why: RefusedFor::NotEnoughFunds, .. })), "{poor:?}");
    scene.fault(Fault::RefundProcessing, Call::Refund);
    let slow = scene.refund_ask(&ask, 2, 100);
    assert!(matches!(scene.alipay.refund(&slow).await, Ok(RefundHeard::Processing { .. })));
    scene.clock.advance(Duration::from_secs(60));
    assert!(matches!(scene.alipay.query_refund(&slow).await, Ok(RefundHeard::Done { .. })));
    let greedy = scene.alipay.refund(&scene.refund_ask(&ask, 3, 901)).await;
    assert!(matches!(greedy, Err(ChannelError::Refused { .. })), "{greedy:?}");
}

#[tokio::test]
async fn the_payer_is_known_by_user_id_or_open_id() {
    let scene = Scene::open(true).await;
    for open_id in [false, true] {
        scene.sandbox.set_switches(Switches { alipay_open_id: open_id, ..Switches::default() });
        let url = scene.alipay.sign_in_url("https://pay.example.edu.cn/alipay/callback?a=b", "st&ate").unwrap();
        let answer = scene.http.get(url).header("cookie", format!("phone={PHONE}")).send().await.unwrap();
        let back = reqwest::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let field = |name: &str| back.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        assert_eq!((field("a"), field("state")), ("b".to_owned(), "st&ate".to_owned()));
        let user = alipay_user(PHONE);
        let buyer = match open_id {
            true => Buyer::AlipayOpenid(alipay_open_id(ALIPAY_APP_FISCAL, &user)),
            false => Buyer::AlipayUser(user),
        };
        assert_eq!(scene.alipay.buyer(&field("auth_code")).await, Ok(buyer.clone()));
        let used = scene.alipay.buyer(&field("auth_code")).await;
        assert!(matches!(used, Err(ChannelError::Refused { why: RefusedFor::Buyer, .. })), "{used:?}");
        let number = 1 + u32::from(open_id);
        let ask = PrepayAsk { buyer: Some(buyer), ..scene.ask(number, Product::AlipayJsapi, 100) };
        scene.alipay.prepay(&ask).await.unwrap();
        scene.pay(&ask);
        assert!(is_paid(&scene.alipay.query(&ask.key()).await.unwrap(), 100));
    }
}
