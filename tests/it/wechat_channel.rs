//! WeChat Pay's channel against the sandbox's gateway: real HTTP, real signatures, and each fault once.
#![expect(clippy::unwrap_used, reason = "a story that cannot go on stops")]
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiaofei::channel::contract::{
    About, ChannelError, Closing, NoticeRefusal, PaymentChannel, Prepay, PrepayAsk, RawNotice, Reception, RefundAsk,
    RefusedFor,
};
use jiaofei::channel::wechat::account::Wechat;
use jiaofei::clock::{Chance, Clock};
use jiaofei::config::{OfficialAccount, WechatAccount};
use jiaofei::domain::moment::Moment;
use jiaofei::domain::money::Fen;
use jiaofei::domain::order_no::{AttemptNo, RefundNo};
use jiaofei::domain::trade::{Buyer, Channel, Heard, Product, RefundHeard};
use jiaofei::official_account::oauth::{OauthClient, OauthError};
use jiaofei::outbound::HttpClient;
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::sandbox::keys;
use jiaofei::sandbox::merchants::{WECHAT_APP_ID, WECHAT_APP_SECRET, WECHAT_MCH_FISCAL, openid};
use jiaofei::sandbox::world::{NoticeKey, Options, Sandbox, Switches};
use poem::{Endpoint, IntoResponse, Request, Response, Server};

const PHONE: &str = "13800000001";

/// The sandbox, one account at it, and an address that hears its notices.
struct Scene {
    clock: Clock,
    sandbox: Arc<Sandbox>,
    wechat: Arc<Wechat>,
    base: String,
    notify_url: String,
    heard: Arc<Mutex<Vec<Result<About, NoticeRefusal>>>>,
}

/// Believes or refuses, and answers in the channel's words.
struct Ear {
    wechat: Arc<Wechat>,
    clock: Clock,
    heard: Arc<Mutex<Vec<Result<About, NoticeRefusal>>>>,
}

impl Endpoint for Ear {
    type Output = Response;

    async fn call(&self, mut req: Request) -> poem::Result<Response> {
        let body = req.take_body().into_vec().await?;
        // poem and reqwest share the header types
        let raw = RawNotice { headers: req.headers().clone(), body, received_at: self.clock.now() };
        let notice = self.wechat.verify(&raw);
        let ack = self.wechat.acknowledge(if notice.is_ok() { Reception::Done } else { Reception::Refused });
        self.heard.lock().unwrap().push(notice.map(|notice| notice.about));
        let status = poem::http::StatusCode::from_u16(ack.status).unwrap();
        Ok(ack.body.with_status(status).with_content_type(ack.content_type).into_response())
    }
}

async fn port() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (listener, base)
}

fn account(base: &str) -> WechatAccount {
    WechatAccount {
        app_id: WECHAT_APP_ID.to_owned(),
        mch_id: WECHAT_MCH_FISCAL.to_owned(),
        serial_no: keys::WECHAT_MERCHANT_SERIAL.to_owned(),
        private_key: keys::WECHAT_MERCHANT_KEY.into(),
        api_v3_key: keys::WECHAT_API_V3_KEY.into(),
        public_key_id: Some(keys::WECHAT_PUBLIC_KEY_ID.to_owned()),
        public_key: Some(keys::WECHAT_PUBLIC_KEY.into()),
        platform_certificates: vec![keys::WECHAT_PLATFORM_A_CERT.into()],
        api_base: base.to_owned(),
        h5: true,
    }
}

fn hasty() -> HttpClient {
    HttpClient::with_timeouts(Duration::from_millis(400), Duration::from_millis(800)).unwrap()
}

impl Scene {
    async fn open() -> Scene {
        let clock = Clock::manual(Moment::parse_rfc3339("2026-12-01T10:00:00+08:00").unwrap());
        let sandbox = Sandbox::new(Options::default(), clock.clone(), Chance::seeded(7));
        let (gateway, base) = port().await;
        let world = sandbox.clone();
        tokio::spawn(async move { world.serve(gateway).await });
        let wechat = Wechat::new(&account(&base), clock.clone(), Chance::seeded(8), hasty()).unwrap();
        let (listener, notify_base) = port().await;
        let (wechat, heard) = (Arc::new(wechat), Arc::default());
        let ear = Ear { wechat: wechat.clone(), clock: clock.clone(), heard: Arc::clone(&heard) };
        let acceptor = poem::listener::TcpAcceptor::from_tokio(listener).unwrap();
        tokio::spawn(Server::new_with_acceptor(acceptor).run(ear));
        Scene { clock, sandbox, wechat, base, notify_url: format!("{notify_base}/notify/wechat/fiscal"), heard }
    }

    fn ask(&self, number: u32, product: Product, amount: i64) -> PrepayAsk {
        PrepayAsk {
            attempt_no: AttemptNo::parse(&format!("XF261201QMU{number:06}T01")).unwrap(),
            opened_at: self.clock.now(),
            product,
            amount: Fen::new(amount),
            subject: "𠮷同学 学费&住宿费=1+1 100% <b>\"}".to_owned(),
            expires_at: self.clock.now() + Duration::from_secs(1800),
            payer_ip: "2001:db8::7".to_owned(),
            buyer: product.needs_buyer().then(|| Buyer::WechatOpenid(openid(WECHAT_APP_ID, PHONE))),
            notify_url: self.notify_url.clone(),
            return_url: "https://pay.example.edu.cn/h5/cashier/XF261201QMU000001".to_owned(),
        }
    }

    fn refund_ask(&self, of: &PrepayAsk, amount: i64) -> RefundAsk {
        let trade = self.sandbox.bank();
        let trade = trade.find(Channel::Wechat, of.attempt_no.as_str()).unwrap();
        RefundAsk {
            refund_no: RefundNo::compose(&of.attempt_no, 1),
            opened_at: self.clock.now(),
            attempt_no: of.attempt_no.clone(),
            trade_no: jiaofei::domain::trade::TradeNo(trade.trade_no.clone()),
            amount: Fen::new(amount),
            total: of.amount,
            reason: "多缴 𠮷".to_owned(),
            notify_url: self.notify_url.clone(),
        }
    }

    fn pay(&self, ask: &PrepayAsk) {
        self.sandbox.pay(Channel::Wechat, ask.attempt_no.as_str(), PHONE).unwrap();
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
async fn each_product_is_ordered_asked_paid_noticed_and_refunded() {
    let scene = Scene::open().await;
    let products = [(Product::WechatJsapi, 1), (Product::WechatH5, 3_000_000_000), (Product::WechatNative, 934_994)];
    for (number, (product, total)) in (1..).zip(products) {
        let ask = scene.ask(number, product, total);
        let prepay = scene.wechat.prepay(&ask).await.unwrap();
        assert_eq!(scene.wechat.query(&ask.key()).await, Ok(Heard::Unpaid));
        let text = match prepay {
            Prepay::WechatJsapi { prepay_id } => prepay_id,
            Prepay::Code { text } => text,
            Prepay::Redirect { url } => {
                assert!(url.contains("&redirect_url=https%3A%2F%2Fpay.example.edu.cn%2F"), "{url}");
                url
            }
            other => panic!("{other:?}"),
        };
        scene.sandbox.pay(Channel::Wechat, &text, PHONE).unwrap();
        assert!(is_paid(&scene.wechat.query(&ask.key()).await.unwrap(), total));
        assert!(scene.sandbox.deliver_due().await[0].received);
        let Ok(About::Payment { attempt_no, heard }) = scene.last_heard() else { panic!("{:?}", scene.last_heard()) };
        assert!(attempt_no == ask.attempt_no.as_str() && is_paid(&heard, total));
        assert_eq!(scene.wechat.close(&ask.key()).await, Ok(Closing::Paid));

        let refund = scene.refund_ask(&ask, total);
        assert_eq!(scene.wechat.query_refund(&refund).await, Ok(RefundHeard::Absent));
        let first = scene.wechat.refund(&refund).await.unwrap();
        assert!(matches!(first, RefundHeard::Done { .. } | RefundHeard::Processing { .. }), "{first:?}");
        scene.clock.advance(Duration::from_secs(120));
        let done = scene.wechat.query_refund(&refund).await.unwrap();
        assert!(matches!(done, RefundHeard::Done { amount, .. } if amount.get() == total), "{done:?}");
        assert!(is_paid(&scene.wechat.query(&ask.key()).await.unwrap(), total));
        assert!(scene.sandbox.deliver_due().await.iter().all(|one| one.received));
        let Ok(About::Refund { refund_no, heard }) = scene.last_heard() else { panic!("{:?}", scene.last_heard()) };
        assert_eq!((refund_no.as_str(), heard), (refund.refund_no.as_str(), done));
    }
}

#[tokio::test]
async fn the_same_ask_is_answered_afresh_and_another_is_refused_until_closed() {
    let scene = Scene::open().await;
    let ask = scene.ask(1, Product::WechatNative, 100);
    assert_eq!(scene.wechat.query(&ask.key()).await, Ok(Heard::Absent));
    scene.wechat.prepay(&ask).await.unwrap();
    // also in the last minute, when WeChat Pay would move time_expire
    for seconds in [60, 1700] {
        scene.clock.advance(Duration::from_secs(seconds));
        assert!(scene.wechat.prepay(&ask).await.is_ok());
    }
    let dearer = PrepayAsk { amount: Fen::new(101), ..ask.clone() };
    for fault in [None, Some(Fault::RepeatAs400)] {
        fault.into_iter().for_each(|fault| scene.fault(fault, Call::Order));
        let refused = scene.wechat.prepay(&dearer).await;
        assert!(matches!(refused, Err(ChannelError::Refused { why: RefusedFor::NumberUsed, .. })), "{refused:?}");
    }
    for _ in 0..2 {
        assert_eq!(scene.wechat.close(&ask.key()).await, Ok(Closing::Closed));
    }
    assert_eq!(scene.wechat.query(&ask.key()).await, Ok(Heard::Closed));
    let refused = scene.wechat.prepay(&ask).await;
    assert!(matches!(refused, Err(ChannelError::Refused { why: RefusedFor::AlreadyClosed, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_spoilt_answer_is_never_taken_for_a_word_and_the_next_question_mends_it() {
    let scene = Scene::open().await;
    let ask = scene.ask(1, Product::WechatNative, 100);
    scene.wechat.prepay(&ask).await.unwrap();
    scene.pay(&ask);
    let untrusted = [Fault::UnsignedAnswer, Fault::ForgedAnswer];
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
        match scene.wechat.query(&ask.key()).await {
            Err(ChannelError::Untrusted(_)) if untrusted.contains(&fault) => {}
            Err(ChannelError::Unreachable(_)) if unreachable.contains(&fault) => {}
            other => panic!("{fault:?}: {other:?}"),
        }
        assert!(is_paid(&scene.wechat.query(&ask.key()).await.unwrap(), 100), "{fault:?}");
    }
    scene.fault(Fault::ProbeAnswer, Call::Query);
    assert!(is_paid(&scene.wechat.query(&ask.key()).await.unwrap(), 100));
}

#[tokio::test]
async fn an_order_or_a_refund_whose_answer_is_lost_or_probed_is_made_once() {
    let scene = Scene::open().await;
    for (number, fault) in (1..).zip([Fault::LoseAnswer, Fault::TruncateAnswer, Fault::ProbeAnswer, Fault::Answer502]) {
        let ask = scene.ask(number, Product::WechatJsapi, 200);
        scene.fault(fault, Call::Order);
        assert_eq!(scene.wechat.prepay(&ask).await.is_ok(), fault == Fault::ProbeAnswer, "{fault:?}");
        assert!(scene.wechat.prepay(&ask).await.is_ok(), "{fault:?}");
        scene.pay(&ask);
        let refund = scene.refund_ask(&ask, 150);
        scene.fault(fault, Call::Refund);
        assert_eq!(scene.wechat.refund(&refund).await.is_ok(), fault == Fault::ProbeAnswer, "{fault:?}");
        assert!(scene.wechat.refund(&refund).await.is_ok(), "{fault:?}");
        let bank = scene.sandbox.bank();
        let trade = bank.find(Channel::Wechat, ask.attempt_no.as_str()).unwrap();
        assert_eq!(trade.committed(), Fen::new(150), "{fault:?}");
    }
}

#[tokio::test]
async fn a_lie_about_money_or_people_is_told_as_it_is() {
    let scene = Scene::open().await;
    let ask = scene.ask(1, Product::WechatNative, 100);
    scene.wechat.prepay(&ask).await.unwrap();
    scene.pay(&ask);
    scene.fault(Fault::WrongAmount, Call::Query);
    assert!(is_paid(&scene.wechat.query(&ask.key()).await.unwrap(), 101));
    let lies = [(Fault::ForeignApp, "appid"), (Fault::ForeignMerchant, "mchid"), (Fault::ForeignCurrency, "currency")];
    for (fault, named) in lies {
        scene.fault(fault, Call::Query);
        let heard = scene.wechat.query(&ask.key()).await;
        assert!(matches!(heard, Ok(Heard::Foreign { field, .. }) if field == named), "{heard:?}");
    }
}

#[tokio::test]
async fn notices_are_believed_from_both_keys_and_refused_when_spoilt() {
    let scene = Scene::open().await;
    let spoilt = [
        (Fault::ForgeNotice, NoticeRefusal::BadSignature),
        (Fault::CorruptNotice, NoticeRefusal::BadSignature),
        (Fault::ProbeNotice, NoticeRefusal::BadSignature),
        (Fault::StaleNotice, NoticeRefusal::Stale),
    ];
    for (number, (fault, refusal)) in (1..).zip(spoilt) {
        let ask = scene.ask(number, Product::WechatNative, 100);
        scene.wechat.prepay(&ask).await.unwrap();
        scene.fault(fault, Call::PaymentNotice);
        scene.pay(&ask);
        let tries = scene.sandbox.deliver_due().await;
        assert_eq!((tries[0].status, tries[0].received), (Some(401), false), "{fault:?}");
        assert_eq!(scene.last_heard(), Err(refusal), "{fault:?}");
        scene.clock.advance(Duration::from_secs(15));
        let notice_key = [NoticeKey::CertA, NoticeKey::PublicKey][number as usize % 2];
        scene.sandbox.set_switches(Switches { notice_key, ..Switches::default() });
        assert!(scene.sandbox.deliver_due().await[0].received, "{fault:?}");
        assert!(matches!(scene.last_heard(), Ok(About::Payment { .. })), "{fault:?}");
    }
}

#[tokio::test]
async fn after_a_rotation_the_new_certificate_is_fetched_and_its_notices_believed() {
    let scene = Scene::open().await;
    scene.sandbox.set_switches(Switches { notice_key: NoticeKey::CertB, rotation: true, ..Switches::default() });
    let ask = scene.ask(1, Product::WechatNative, 100);
    scene.wechat.prepay(&ask).await.unwrap();
    scene.pay(&ask);
    assert!(!scene.sandbox.deliver_due().await[0].received);
    assert_eq!(scene.last_heard(), Err(NoticeRefusal::UnknownKey));
    assert!(is_paid(&scene.wechat.query(&ask.key()).await.unwrap(), 100));
    scene.clock.advance(Duration::from_secs(15));
    assert!(scene.sandbox.deliver_due().await[0].received);
}

#[tokio::test]
async fn an_empty_merchant_account_an_ill_card_and_a_closed_refund_are_told_apart() {
    let scene = Scene::open().await;
    let paid = async |number| {
        let ask = scene.ask(number, Product::WechatNative, 100);
        scene.wechat.prepay(&ask).await.unwrap();
        scene.pay(&ask);
        scene.refund_ask(&ask, 100)
    };
    let poor = paid(1).await;
    scene.fault(Fault::RefundNotEnough, Call::Refund);
    let refused = scene.wechat.refund(&poor).await;
    assert!(matches!(refused, Err(ChannelError::Refused { why: RefusedFor::NotEnoughFunds, .. })), "{refused:?}");
    assert!(scene.wechat.refund(&poor).await.is_ok());
    for (number, fault) in [(2, Fault::RefundAbnormal), (3, Fault::RefundClosed)] {
        let refund = paid(number).await;
        scene.fault(fault, Call::Refund);
        scene.wechat.refund(&refund).await.unwrap();
        scene.clock.advance(Duration::from_secs(120));
        match scene.wechat.query_refund(&refund).await.unwrap() {
            RefundHeard::Abnormal { .. } if fault == Fault::RefundAbnormal => {}
            RefundHeard::Closed if fault == Fault::RefundClosed => {}
            other => panic!("{fault:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_wrong_key_is_a_matter_of_configuration() {
    let scene = Scene::open().await;
    let strange = WechatAccount { serial_no: "00FF".to_owned(), ..account(&scene.base) };
    let wechat = Wechat::new(&strange, scene.clock.clone(), Chance::seeded(9), hasty()).unwrap();
    let refused = wechat.prepay(&scene.ask(1, Product::WechatNative, 100)).await;
    assert!(matches!(refused, Err(ChannelError::Refused { why: RefusedFor::Configuration, .. })), "{refused:?}");
}

#[tokio::test]
async fn the_official_account_tells_who_is_looking() {
    let scene = Scene::open().await;
    let account = OfficialAccount {
        app_id: WECHAT_APP_ID.to_owned(),
        app_secret: WECHAT_APP_SECRET.to_owned().into(),
        api_base: scene.base.clone(),
        authorize_base: scene.base.clone(),
        message: None,
        templates: Default::default(),
        due_soon_days: 3,
    };
    let oauth = OauthClient::new(&account, hasty());
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let code = async || {
        let url = oauth.authorize_url("http://127.0.0.1/h5/wechat/back", "S7");
        let answer = browser
            .get(url.replace("#wechat_redirect", &format!("&phone={PHONE}#wechat_redirect")))
            .header("User-Agent", "Mozilla/5.0 MicroMessenger/8.0.50")
            .send()
            .await
            .unwrap();
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let back = reqwest::Url::parse(&location).unwrap();
        let mut pairs = back.query_pairs();
        pairs.find(|(name, _)| name == "code").unwrap().1.into_owned()
    };
    let one = code().await;
    assert_eq!(oauth.openid(&one).await, Ok(openid(WECHAT_APP_ID, PHONE)));
    assert!(matches!(oauth.openid(&one).await, Err(OauthError::Code(_))));
    scene.sandbox.set_fault(Setting::once(Fault::SnapshotUser));
    assert_eq!(oauth.openid(&code().await).await, Err(OauthError::Snapshot));
}
