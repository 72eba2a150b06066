//! Every reader that faces outside, as a function of bytes. The fuzzers call them; `tests/it/corpus.rs` calls them with
//! what the fuzzers have kept. A reader may refuse anything; it may not panic, and what it takes must hold together.
use std::path::{Path, PathBuf};
use std::str::from_utf8;
use std::sync::LazyLock;

use jiaofei::cas::words;
use jiaofei::channel::alipay::form::Form;
use jiaofei::channel::alipay::gateway::Gateway;
use jiaofei::channel::alipay::{envelope, notices};
use jiaofei::channel::contract::{About, PaymentChannel, RawNotice};
use jiaofei::channel::unionpay::fields::Fields;
use jiaofei::channel::unionpay::gateway::Gateway as UnionPayGateway;
use jiaofei::channel::unionpay::notices as unionpay_notices;
use jiaofei::channel::wechat::account::Wechat;
use jiaofei::channel::wechat::{orders, refunds};
use jiaofei::cli::demo::demo_config;
use jiaofei::clock::{Chance, Clock};
use jiaofei::config::Config;
use jiaofei::domain::id_number::{self, IdNumber};
use jiaofei::domain::moment::Moment;
use jiaofei::domain::money::Fen;
use jiaofei::domain::order_no::{AttemptNo, OrderNo, RefundNo};
use jiaofei::domain::payer::{Phone, mask_name, name_key};
use jiaofei::domain::trade::{Buyer, Heard, RefundHeard};
use jiaofei::flow::import::charges;
use jiaofei::flow::import::table::Table;
use jiaofei::official_account::envelope::{Envelope, Push};
use jiaofei::official_account::message::{Message, fields};
use jiaofei::outbound::HttpClient;
use jiaofei::web::device::Device;
use jiaofei::web::guard::local_path;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

const NOW: Moment = Moment::from_unix(1_790_000_000);

/// A reader and its name, as in `fuzz/corpus/`.
pub type Parser = (&'static str, fn(&[u8]));

pub const ALL: &[Parser] = &[
    ("wechat_notice", wechat_notice),
    ("wechat_payment", wechat_payment),
    ("wechat_refund", wechat_refund),
    ("alipay_notice", alipay_notice),
    ("alipay_form", alipay_form),
    ("alipay_answer", alipay_answer),
    ("unionpay_notice", unionpay_notice),
    ("unionpay_answer", unionpay_answer),
    ("csv", csv),
    ("xlsx", xlsx),
    ("amount", amount),
    ("order_no", order_no),
    ("id_number", id_number),
    ("user_agent", user_agent),
    ("phone_and_name", phone_and_name),
    ("address", address),
    ("account_message", account_message),
    ("portal", portal),
];

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    // whoever came first has installed it
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    demo_config("http://127.0.0.1:1", "http://127.0.0.1:1", "sqlite::memory:")
});

static WECHAT: LazyLock<Wechat> = LazyLock::new(|| {
    let account = CONFIG.payee[0].wechat.as_ref().expect("the demo has one");
    let http = HttpClient::new().expect("a client");
    Wechat::new(account, Clock::manual(NOW), Chance::seeded(1), http).expect("the demo's keys fit")
});

static ALIPAY: LazyLock<Gateway> = LazyLock::new(|| {
    let account = CONFIG.payee[0].alipay.as_ref().expect("the demo has one");
    Gateway::new(account, Clock::manual(NOW), HttpClient::new().expect("a client")).expect("the demo's keys fit")
});

static UNIONPAY: LazyLock<UnionPayGateway> = LazyLock::new(|| {
    let account = CONFIG.payee[0].unionpay.as_ref().expect("the demo has one");
    let http = HttpClient::new().expect("a client");
    UnionPayGateway::new(account, Clock::manual(NOW), http).expect("the demo's keys fit")
});

static ENVELOPE: LazyLock<Envelope> = LazyLock::new(|| {
    let account = CONFIG.official_account.as_ref().expect("the demo has one");
    Envelope::new(account).expect("the demo's key fits").expect("the demo hears messages")
});

fn text(data: &[u8]) -> Option<&str> {
    from_utf8(data).ok()
}

/// A notice nobody signed: header lines, an empty line, and a body. Never believed.
pub fn wechat_notice(data: &[u8]) {
    let at = data.windows(2).position(|two| two == b"\n\n").unwrap_or(data.len());
    let mut headers = HeaderMap::new();
    for line in data[..at].split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = HeaderName::from_bytes(parts.next().unwrap_or_default());
        let value = HeaderValue::from_bytes(parts.next().unwrap_or_default());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let body = data.get(at + 2..).unwrap_or_default().to_vec();
    let notice = WECHAT.verify(&RawNotice { headers, body, received_at: NOW });
    assert!(notice.is_err(), "believed without a key");
}

fn check(heard: &Heard) {
    if let Heard::Paid { trade_no, amount, .. } = heard {
        assert!(!trade_no.0.is_empty() && amount.is_positive() && *amount <= Fen::MAX, "{heard:?}");
    }
}

/// What stands inside a payment notice once it has been opened.
pub fn wechat_payment(data: &[u8]) {
    if let Ok(transaction) = serde_json::from_slice::<orders::Transaction>(data)
        && let Ok(heard) = transaction.heard("wx1", "1900000001")
    {
        check(&heard);
    }
}

pub fn wechat_refund(data: &[u8]) {
    if let Ok(refund) = serde_json::from_slice::<refunds::Refund>(data)
        && let Ok(RefundHeard::Done { amount, .. }) = refund.heard()
    {
        assert!(amount.is_positive() && amount <= Fen::MAX, "{amount:?}");
    }
}

/// A form whose signature is taken as good, in whatever charset it names.
pub fn alipay_notice(data: &[u8]) {
    let Ok(form) = Form::parse(data) else { return };
    let Ok(notice) = notices::read(form, &ALIPAY, NOW) else { return };
    match &notice.about {
        About::Payment { heard, .. } => check(heard),
        About::Refund { heard: RefundHeard::Done { amount, .. }, .. } => assert!(*amount <= Fen::MAX),
        _ => {}
    }
    let unsigned = RawNotice { headers: HeaderMap::new(), body: data.to_vec(), received_at: NOW };
    assert!(notices::verify(&ALIPAY, &unsigned).is_err(), "believed without a key");
}

pub fn alipay_form(data: &[u8]) {
    let Ok(form) = Form::parse(data) else { return };
    let joined = form.joined(|_, _| true);
    // a name without a value gains its `=`
    let fields = 1 + data.iter().filter(|byte| **byte == b'&').count();
    assert!(joined.len() <= data.len() + fields, "a form never grows when it is read");
    if let Ok(charset) = form.charset() {
        let _ = form.text(charset, "subject");
    }
}

pub fn alipay_answer(data: &[u8]) {
    assert!(envelope::open(data, "alipay.trade.query", &ALIPAY.keys).is_err(), "believed without a key");
}

/// A form whose signature is taken as good.
pub fn unionpay_notice(data: &[u8]) {
    let Some(told) = Fields::of_form(data) else { return };
    let unsigned = RawNotice { headers: HeaderMap::new(), body: data.to_vec(), received_at: NOW };
    assert!(unionpay_notices::verify(&UNIONPAY, &unsigned).is_err(), "believed without a key");
    let Ok(notice) = unionpay_notices::read(&UNIONPAY, &told, NOW) else { return };
    match &notice.about {
        About::Payment { heard, .. } => check(heard),
        About::Refund { heard: RefundHeard::Done { amount, .. }, .. } => assert!(*amount <= Fen::MAX),
        _ => {}
    }
}

pub fn unionpay_answer(data: &[u8]) {
    let Some(told) = Fields::of_answer(data) else { return };
    assert!(told.signed_text().len() <= data.len() + 1, "an answer never grows when it is read");
    assert!(UNIONPAY.believe(&told).is_err(), "believed without a key");
}

/// A file of this process alone, in memory where there is such a place.
fn scratch(extension: &str) -> PathBuf {
    let folder = Path::new("/dev/shm");
    let folder = if folder.is_dir() { folder.to_owned() } else { std::env::temp_dir() };
    folder.join(format!("jiaofei-fuzz-{}-{:?}.{extension}", std::process::id(), std::thread::current().id()))
}

fn table(data: &[u8], extension: &str) {
    let path = scratch(extension);
    std::fs::write(&path, data).expect("room for a small file");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        if let Ok(mut table) = Table::open(&path, charges::COLUMNS).await {
            let mut line = 1;
            while let Some(Ok(row)) = table.rows.recv().await {
                assert!(row.line > line, "lines go up: {} after {line}", row.line);
                assert_eq!(row.cells.len(), charges::COLUMNS.len());
                line = row.line;
            }
        }
    });
    let _ = std::fs::remove_file(&path);
}

pub fn csv(data: &[u8]) {
    table(data, "csv");
}

pub fn xlsx(data: &[u8]) {
    table(data, "xlsx");
}

pub fn amount(data: &[u8]) {
    let Some(text) = text(data) else { return };
    for read in [Fen::from_yuan(text), Fen::typed(text)].into_iter().flatten() {
        assert!(read.get() >= 0 && read <= Fen::MAX, "{text:?}: {read:?}");
        assert_eq!(Fen::from_yuan(&read.yuan()), Some(read), "{text:?}");
        assert_eq!(Fen::typed(&read.grouped()), Some(read), "{text:?}");
    }
}

pub fn order_no(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Some(no) = OrderNo::parse(text) {
        assert_eq!(OrderNo::parse(no.as_str()), Some(no.clone()));
        let attempt = AttemptNo::compose(&no, 99);
        assert!(AttemptNo::parse(attempt.as_str()).is_some(), "{attempt}");
        assert!(RefundNo::parse(RefundNo::compose(&attempt, 99).as_str()).is_some(), "{attempt}");
    }
    let _ = (AttemptNo::parse(text), RefundNo::parse(text), Buyer::parse(text));
    let _ = (Moment::parse_rfc3339(text), Moment::parse_beijing(text));
}

pub fn id_number(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(id) = IdNumber::parse(text) else { return };
    assert_eq!(IdNumber::parse(id.reveal()).as_ref(), Ok(&id), "read again it is the same");
    assert_eq!(id.masked().chars().count(), id.reveal().chars().count());
    if id.reveal().len() > 4 {
        assert!(!id.masked().contains(&id.reveal()[1..id.reveal().len() - 1]), "masked");
    }
    if id.is_resident() {
        assert_eq!(id_number::check_digit(&id.reveal()[..17]), id.reveal().chars().last());
    }
    assert!(id.tail(6).len() <= 6);
}

pub fn user_agent(data: &[u8]) {
    if let Some(text) = text(data) {
        assert_eq!(Device::of(text), Device::of(&text.to_ascii_uppercase()), "{text:?}");
    }
}

pub fn phone_and_name(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Some(phone) = Phone::parse(text) {
        assert_eq!(Phone::parse(phone.reveal()), Some(phone.clone()));
        assert_ne!(phone.masked(), phone.reveal());
    }
    assert_eq!(name_key(&name_key(text)), name_key(text));
    assert!(mask_name(text).chars().count() <= text.chars().count().max(1));
}

/// Where a form may send a browser on to: never to another host.
pub fn address(data: &[u8]) {
    if let Some(path) = text(data).and_then(local_path) {
        let base = reqwest::Url::parse("https://pay.example.edu.cn").expect("an address");
        let joined = base.join(path).expect("a path of ours");
        assert_eq!(joined.host_str(), Some("pay.example.edu.cn"), "{path:?}");
        assert!(joined.path().starts_with("/h5") || joined.path().starts_with("/q"), "{path:?}");
        assert!(!joined.path().starts_with("/h5/logout"), "{path:?}");
    }
}

/// What the official account pushes: never believed without a signature, and answered to its sender alone.
pub fn account_message(data: &[u8]) {
    let Some(text) = text(data) else { return };
    assert!(ENVELOPE.open(&Push { body: text, ..Push::default() }, NOW).is_err(), "believed without a signature");
    let Some(message) = Message::read(text) else { return };
    let words = "缴费 ]]> <a href=\"https://pay.example.edu.cn\">&amp;</a>";
    let answer = fields(&message.answer(words, NOW)).expect("our own answer is XML");
    assert_eq!((answer["ToUserName"].as_str(), answer["FromUserName"].as_str()), (&*message.from, &*message.to));
    assert_eq!(answer["Content"], words);
}

/// What the portal's server says: whose a ticket is, and that somebody has signed out.
pub fn portal(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    if let Some(words::Said::Success(person)) = words::answer(text) {
        assert_eq!(person.value(""), Some(&*person.user));
        assert!(words::signed_out(text).is_none(), "it is one or the other");
    }
    let _ = words::signed_out(text);
}
