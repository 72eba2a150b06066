//! The parts of a notice and of a page that need no network and no database, timed one by one with criterion:
//! `cargo bench --bench hot`. Nothing here asserts a time.
use std::hint::black_box;
use std::time::Duration;

use askama::Template;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, criterion_group, criterion_main};
use jiaofei::channel::contract::{PaymentChannel, RawNotice};
use jiaofei::channel::wechat::account::Wechat;
use jiaofei::channel::wechat::keys::{ApiV3Key, Keyring, Sealed};
use jiaofei::clock::{Chance, Clock};
use jiaofei::config::WechatAccount;
use jiaofei::domain::bilingual::{Bilingual, Lang};
use jiaofei::domain::charge::{Balance, Charge, Totals};
use jiaofei::domain::fee::{BillingPeriod, Collection, FeeItem, FeeKind, Fund, Window};
use jiaofei::domain::ids::{ChargeId, FeeItemId, PayerId, PeriodId};
use jiaofei::domain::module::Modules;
use jiaofei::domain::moment::Moment;
use jiaofei::domain::money::Fen;
use jiaofei::domain::order::{CloseReason, OrderState, judge};
use jiaofei::domain::trade::{Heard, TradeNo};
use jiaofei::outbound::HttpClient;
use jiaofei::sandbox::keys;
use jiaofei::web::html::{Frame, Person};
use jiaofei::web::press;
use jiaofei::web::view::filter::Owing;
use jiaofei::web::view::tuition::{FeeRow, Period, RowState, Tuition};
use reqwest::header::{HeaderMap, HeaderValue};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

const NONCE: &str = "000000000001";

fn now() -> Moment {
    Moment::parse_beijing("2026-09-01 10:24:36").expect("well written")
}

fn judging(bench: &mut Criterion) {
    let total = Fen::new(909_995);
    let trade_no = TradeNo("4200000263202609010000000001".to_owned());
    let states = [
        OrderState::Pending { expires_at: now() },
        OrderState::Paid { trade_no: trade_no.clone(), paid_at: now() },
        OrderState::Closed { reason: CloseReason::Expired, closed_at: now() },
    ];
    let heard = Heard::Paid { trade_no, amount: total, paid_at: now() };
    bench.bench_function("judge, an order in each state", |timed| {
        timed.iter(|| states.each_ref().map(|state| judge(black_box(state), total, black_box(&heard))));
    });
}

fn account() -> WechatAccount {
    WechatAccount {
        app_id: "wx2421b1c4370ec43b".to_owned(),
        mch_id: "1900000001".to_owned(),
        serial_no: keys::WECHAT_MERCHANT_SERIAL.to_owned(),
        private_key: keys::WECHAT_MERCHANT_KEY.into(),
        api_v3_key: keys::WECHAT_API_V3_KEY.into(),
        public_key_id: Some(keys::WECHAT_PUBLIC_KEY_ID.to_owned()),
        public_key: Some(keys::WECHAT_PUBLIC_KEY.into()),
        platform_certificates: Vec::new(),
        api_base: "http://127.0.0.1:9".to_owned(),
        h5: true,
    }
}

fn sealed() -> String {
    let plain = json!({
        "appid": "wx2421b1c4370ec43b", "mchid": "1900000001", "out_trade_no": "XF260901QMU000001T01",
        "promotion_detail": [], "trade_state": "SUCCESS", "trade_state_desc": "支付成功", "trade_type": "JSAPI",
        "transaction_id": "4200000263202609010000000001", "bank_type": "OTHERS", "success_time": now().rfc3339(),
        "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
        "amount": {"total": 909_995, "payer_total": 909_995, "currency": "CNY", "payer_currency": "CNY"},
    });
    let key = UnboundKey::new(&AES_256_GCM, keys::WECHAT_API_V3_KEY.as_bytes()).expect("32 letters");
    let nonce = Nonce::try_assume_unique_for_key(NONCE.as_bytes()).expect("12 letters");
    let mut bytes = plain.to_string().into_bytes();
    let sealing = LessSafeKey::new(key).seal_in_place_append_tag(nonce, Aad::from(b"transaction"), &mut bytes);
    sealing.expect("a short text is sealed");
    STANDARD.encode(bytes)
}

/// A payment notice as WeChat Pay signs and seals it, with the sandbox's keys.
fn notice() -> RawNotice {
    let body = json!({
        "id": "EV-00000000000000000001", "create_time": now().rfc3339(), "resource_type": "encrypt-resource",
        "event_type": "TRANSACTION.SUCCESS", "summary": "支付成功",
        "resource": {
            "original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "associated_data": "transaction",
            "ciphertext": sealed(), "nonce": NONCE,
        },
    })
    .to_string();
    let timestamp = now().unix().to_string();
    let pem = keys::WECHAT_PUBLIC_KEY_PRIVATE_HALF.as_bytes();
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem).expect("the sandbox's keys are PKCS#8");
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("an RSA key");
    let mut signature = vec![0; pair.public_modulus_len()];
    let message = format!("{timestamp}\n{NONCE}\n{body}\n");
    let signing = pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature);
    signing.expect("a good key signs");
    let fields = [
        ("wechatpay-timestamp", timestamp),
        ("wechatpay-nonce", NONCE.to_owned()),
        ("wechatpay-signature", STANDARD.encode(signature)),
        ("wechatpay-serial", keys::WECHAT_PUBLIC_KEY_ID.to_owned()),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.insert(name, HeaderValue::from_str(&value).expect("plain letters"));
    }
    RawNotice { headers, body: body.into_bytes(), received_at: now() }
}

fn hearing(bench: &mut Criterion) {
    let (account, raw) = (account(), notice());
    let keyring = Keyring::parse(&account).expect("the sandbox's keys fit");
    bench.bench_function("verify a notice's signature (RSA 2048)", |timed| {
        timed.iter(|| keyring.check(&raw.headers, black_box(&raw.body), raw.received_at).expect("it is genuine"));
    });
    let key = ApiV3Key::parse(&account.api_v3_key).expect("32 letters");
    let sealed = Sealed {
        algorithm: "AEAD_AES_256_GCM".to_owned(),
        nonce: NONCE.to_owned(),
        associated_data: Some("transaction".to_owned()),
        ciphertext: sealed(),
    };
    bench.bench_function("decrypt a notice (AES-256-GCM)", |timed| {
        timed.iter(|| key.open(black_box(&sealed)).expect("it opens"));
    });
    let http = HttpClient::with_timeouts(Duration::from_secs(1), Duration::from_secs(1)).expect("no network yet");
    let wechat = Wechat::new(&account, Clock::manual(now()), Chance::seeded(1), http).expect("the keys fit");
    bench.bench_function("read a notice: verify, decrypt, parse", |timed| {
        timed.iter(|| wechat.verify(black_box(&raw)).expect("it is genuine"));
    });
}

fn row(id: i64, name: Bilingual) -> FeeRow {
    let item = FeeItem {
        id: FeeItemId(id),
        code: format!("F{id}"),
        name,
        kind: FeeKind::Tuition,
        payee_code: "fiscal".to_owned(),
        collection: Collection::Collecting,
        window: Window::default(),
        min_split: None,
        fiscal_code: None,
    };
    let period =
        BillingPeriod {
            id: PeriodId(1), code: "2025".to_owned(), name: Bilingual::new("2025–2026 学年", "2025–2026")
        };
    let balance = Balance { assessed: Fen::new(500_000), ..Balance::default() };
    let charge =
        Charge { id: ChargeId(id), payer_id: PayerId(1), item, period, balance, due_day: None, batch: String::new() };
    let state = RowState::Payable { selected: true, amount: Fen::new(500_000) };
    FeeRow { charge, fund: Fund::Fiscal, payee: Bilingual::new("启明大学财务处", "Qiming University"), state }
}

/// The arrears page of a payer with four charges in one period.
fn arrears(linked: bool) -> Tuition {
    let person = Person {
        name: "林知夏".to_owned(),
        name_en: String::new(),
        number: "2023****0417".to_owned(),
        college: "计算机学院".to_owned(),
        class_name: "软件工程 2301 班".to_owned(),
    };
    let frame = Frame {
        lang: Lang::Zh,
        care: false,
        school: Bilingual::new("启明大学", "Qiming University"),
        phone: "0931-555 0100".to_owned(),
        hours: Bilingual::new("工作日 8:30–17:30", "weekdays 8:30–17:30"),
        csrf: "csrf-token".to_owned(),
        path: "/h5/tuition".to_owned(),
        person: Some(person),
        now: now(),
        linked,
        modules: Modules::default(),
    };
    let rows: Vec<FeeRow> = (1..=4).map(|id| row(id, Bilingual::new("学费", "Tuition"))).collect();
    let totals = Totals::of(rows.iter().map(|row| &row.charge.balance));
    Tuition {
        frame,
        checkout_id: "checkout".to_owned(),
        periods: vec![Period { name: Bilingual::new("2025–2026 学年", "2025–2026"), rows }],
        totals,
        periods_to_choose: Vec::new(),
        items_to_choose: Vec::new(),
        has_expired: false,
        has_settled: false,
        other: Fen::ZERO,
        is_study: false,
        problem: None,
        filter: Owing::default(),
    }
}

fn drawing(bench: &mut Criterion) {
    for (name, linked) in [("first", false), ("next", true)] {
        let page = arrears(linked);
        bench.bench_function(&format!("render the arrears page, {name} visit"), |timed| {
            timed.iter(|| black_box(&page).render().expect("plain values render"));
        });
        let text = page.render().expect("plain values render");
        bench.bench_function(&format!("compress the arrears page, {name} visit ({} bytes)", text.len()), |timed| {
            timed.iter(|| press::brotli(black_box(&text)));
        });
    }
}

criterion_group! {
    name = hot;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    targets = judging, hearing, drawing
}
criterion_main!(hot);
