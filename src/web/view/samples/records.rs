//! Orders and payments made.
use chrono::NaiveDate;

use super::kit::{
    Sample, agency_payee, at, fiscal_payee, order, order_no, sample, signed_in, this_year, titled, tuition_fee,
};
use crate::domain::bilingual::Bilingual;
use crate::domain::living::TopUpState;
use crate::domain::money::Fen;
use crate::domain::order::{CloseReason, OrderState};
use crate::domain::order_no::OrderNo;
use crate::domain::refund::{RefundCause, RefundState};
use crate::domain::trade::{Channel, TradeNo};
use crate::flow::payments::{Dealing, Taken};
use crate::web::code;
use crate::web::html::Frame;
use crate::web::view::dealings::Dealings;
use crate::web::view::ereceipt::Standing;
use crate::web::view::filter::{Dealt, Listing, Pages, PaidKind, Span, Which};
use crate::web::view::links;
use crate::web::view::living::TopUpLine;
use crate::web::view::order::{OrderPage, RefundLine};
use crate::web::view::orders::{Month, OrderRow, Orders};
use crate::web::view::paid::{Maker, PaidList, PaidMonth, PaidYear, Slip, SlipLine, SlipRow};
use crate::web::view::verify::{Genuine, Outcome, VerifyPage};

const CHECK: &str = "https://pay.example.edu.cn/verify?no=000011&code=7KQ2M9XDPW4T";

pub fn all(frame: &Frame) -> Vec<Sample> {
    [lists(frame), details(frame), payments(frame), dealings(frame), slips(frame), checks(frame)]
        .into_iter()
        .flatten()
        .collect()
}

fn paid_state() -> OrderState {
    OrderState::Paid { trade_no: TradeNo("4200002614202609011234567890".into()), paid_at: at("2026-09-01 10:24:36") }
}

fn closed_state(reason: CloseReason) -> OrderState {
    OrderState::Closed { reason, closed_at: at("2026-09-01 10:39:10") }
}

fn row(no: &str, name: Bilingual, created: &str, fen: i64, state: OrderState) -> OrderRow {
    OrderRow {
        order_no: OrderNo::parse(no).expect("well formed"),
        title: titled(name, 1),
        created_at: at(created),
        total: Fen::new(fen),
        state,
        channel: Some(Channel::Wechat),
        refunded: Fen::ZERO,
        returning: Fen::ZERO,
    }
}

fn lists(frame: &Frame) -> Vec<Sample> {
    let frame = signed_in(frame);
    let pending = OrderState::Pending { expires_at: at("2026-09-01 10:36:42") };
    let insurance = Bilingual::new("医疗保险", "Medical insurance");
    let first = row("XF260901QMU000128", tuition_fee(), "2026-09-01 10:24:06", 909_995, paid_state());
    let september = vec![
        row("PT260901QMU000052", Bilingual::new("体检费", "Medical check"), "2026-09-01 10:21:42", 9_000, pending),
        OrderRow { title: titled(tuition_fee(), 2), refunded: Fen::new(6_500), returning: Fen::new(100_000), ..first },
        row("PT260901QMU000051", insurance, "2026-09-01 09:26:00", 24_999, paid_state()),
    ];
    let cancelled = closed_state(CloseReason::Cancelled);
    let june = vec![
        OrderRow {
            channel: Some(Channel::Alipay),
            ..row("XF260612QMU003390", tuition_fee(), "2026-06-12 19:02:00", 500_000, paid_state())
        },
        row("XF260612QMU003377", tuition_fee(), "2026-06-12 18:47:00", 500_000, cancelled),
        OrderRow {
            channel: None,
            ..row("XF260602QMU001175", tuition_fee(), "2025-06-02 21:30:00", 5_000, closed_state(CloseReason::Expired))
        },
    ];
    let view = |months| Orders {
        frame: frame.clone(),
        which: Which::All,
        list: Listing::whole(links::ORDERS),
        months,
        pages: Pages { page: 1, total: 6 },
        limited: false,
    };
    let months = vec![
        Month { month: at("2026-09-01 00:00:00"), paid_count: 2, paid_sum: Fen::new(934_994), orders: september },
        Month { month: at("2026-06-01 00:00:00"), paid_count: 1, paid_sum: Fen::new(500_000), orders: june },
    ];
    let none = || Orders { pages: Pages { page: 1, total: 0 }, ..view(Vec::new()) };
    let day = |day| NaiveDate::from_ymd_opt(2026, 8, day);
    let days = Span::Days { from: day(1), to: day(31) };
    let backwards = Span::Days { from: day(31), to: day(1) };
    let of_days = |span| Listing { show: Which::Failed.code(), span, ..Listing::whole(links::ORDERS) };
    let of_number = Listing { number: "<XF260901QMU>".into(), ..Listing::whole(links::ORDERS) };
    vec![
        sample("orders", Orders { pages: Pages { page: 1, total: 85 }, ..view(months.clone()) }),
        sample("orders-page-2", Orders { pages: Pages { page: 2, total: 45 }, limited: true, ..view(months) }),
        sample("orders-none-found", Orders { which: Which::Failed, list: of_days(days), ..none() }),
        sample("orders-backwards", Orders { list: of_days(backwards), ..none() }),
        sample("orders-no-number", Orders { list: of_number, ..none() }),
        sample("orders-none", none()),
    ]
}

fn details(frame: &Frame) -> Vec<Sample> {
    let page = |state, channel| OrderPage {
        frame: signed_in(frame),
        order: order(),
        state,
        channel,
        receipt: None,
        ereceipt: Standing::Other,
        refunds: Vec::new(),
        top_up: None,
        under_review: false,
    };
    let top_up = |state| TopUpLine {
        service: Bilingual::new("宿舍电费", "Dormitory electricity"),
        account: Some("3-412".into()),
        state,
    };
    let refund = |cause, state, done: Option<&str>| RefundLine {
        cause,
        state,
        amount: Fen::new(6_500),
        channel: Channel::Alipay,
        asked_at: at("2026-09-01 10:26:00"),
        done_at: done.map(at),
    };
    let refunds = vec![
        refund(RefundCause::Surplus, RefundState::Done, Some("2026-09-01 10:30:00")),
        refund(RefundCause::Requested, RefundState::Processing, None),
        refund(RefundCause::Requested, RefundState::Abnormal, None),
    ];
    let pending = || OrderState::Pending { expires_at: order().expires_at };
    let receipt = Some(("000011".to_owned(), at("2026-09-01 10:24:37")));
    let paid = || page(paid_state(), Some(Channel::Wechat));
    vec![
        sample("order-pending", page(pending(), None)),
        sample("order-paid", OrderPage { receipt: receipt.clone(), refunds, ..paid() }),
        sample("order-issued", OrderPage { receipt: receipt.clone(), ereceipt: Standing::There, ..paid() }),
        sample("order-issuing", OrderPage { receipt, ereceipt: Standing::Underway, ..paid() }),
        sample("order-closed", page(closed_state(CloseReason::Expired), None)),
        sample("order-top-up", OrderPage { top_up: Some(top_up(TopUpState::Waiting)), ..paid() }),
        sample("order-topped-up", OrderPage { top_up: Some(top_up(TopUpState::Done)), ..paid() }),
        sample("order-top-up-back", OrderPage { top_up: Some(top_up(TopUpState::Returned)), ..paid() }),
        sample("order-review", OrderPage { under_review: true, ..page(pending(), Some(Channel::Alipay)) }),
    ]
}

fn payments(frame: &Frame) -> Vec<Sample> {
    let frame = signed_in(frame);
    let slip = |no: &str, charged: &str, name: Bilingual, fen: i64, maker| SlipRow {
        receipt_no: no.into(),
        charged_at: at(charged),
        title: titled(name, 1),
        total: Fen::new(fen),
        maker,
        ereceipt: Standing::Other,
        period: None,
        refunded: Fen::ZERO,
        returning: Fen::ZERO,
    };
    let at_counter = |no: &str, maker| SlipRow {
        period: Some(Bilingual::new("2024–2025 学年", "2024–2025")),
        ..slip(no, "2025-09-03 15:20:00", tuition_fee(), 500_000, maker)
    };
    let months = vec![
        PaidMonth {
            month: at("2026-09-01 00:00:00"),
            sum: Fen::new(934_994),
            slips: vec![
                slip(
                    "000012",
                    "2026-09-01 10:26:40",
                    Bilingual::new("医疗保险", "Medical insurance"),
                    24_999,
                    Maker::Platform,
                ),
                SlipRow {
                    title: titled(tuition_fee(), 2),
                    ereceipt: Standing::There,
                    refunded: Fen::new(6_500),
                    returning: Fen::new(100_000),
                    ..slip("000011", "2026-09-01 10:24:37", tuition_fee(), 909_995, Maker::Platform)
                },
            ],
        },
        PaidMonth {
            month: at("2025-09-01 00:00:00"),
            sum: Fen::new(1_000_000),
            slips: vec![at_counter("A004217", Maker::Clerk("王敏".into())), at_counter("", Maker::Counter)],
        },
    ];
    let year = |year: &str, count, fen| PaidYear { year: year.into(), count, sum: Fen::new(fen) };
    let list = |months| PaidList {
        frame: frame.clone(),
        kind: PaidKind::All,
        list: Listing::whole(links::PAID),
        months,
        years: vec![year("2026", 2, 934_994), year("2025", 2, 1_000_000)],
        pages: Pages { page: 1, total: 4 },
        limited: false,
    };
    let none = || PaidList { years: Vec::new(), pages: Pages { page: 1, total: 0 }, ..list(Vec::new()) };
    let of_kind = Listing { show: PaidKind::Other.code(), ..Listing::whole(links::PAID) };
    vec![
        sample("paid", list(months)),
        sample("paid-none", none()),
        sample("paid-none-found", PaidList { kind: PaidKind::Other, list: of_kind, limited: true, ..none() }),
    ]
}

fn dealings(frame: &Frame) -> Vec<Sample> {
    let dealing = |at_no: i64, channel, begun: &str, fen| Dealing {
        attempt_no: format!("{}{at_no:02}", order_no()),
        order_no: order_no(),
        channel,
        begun_at: at(begun),
        asked: Fen::new(fen),
        taken: None,
        is_live: false,
    };
    let taken = Taken {
        trade_no: TradeNo("4200002614202609011234567890".into()),
        amount: Fen::new(909_995),
        paid_at: at("2026-09-01 10:24:36"),
    };
    let rows = vec![
        Dealing { is_live: true, ..dealing(3, Channel::Alipay, "2026-09-01 10:30:00", 24_999) },
        Dealing { taken: Some(taken), ..dealing(2, Channel::Wechat, "2026-09-01 10:24:20", 909_995) },
        dealing(1, Channel::Alipay, "2026-09-01 10:20:00", 909_995),
    ];
    let view = |rows: Vec<Dealing>| Dealings {
        frame: signed_in(frame),
        dealt: Dealt::All,
        list: Listing::whole(links::DEALINGS),
        pages: Pages { page: 1, total: rows.len() as u64 },
        rows,
        limited: false,
    };
    let number = Listing { number: "4200002614".into(), ..Listing::whole(links::DEALINGS) };
    vec![
        sample("dealings", view(rows)),
        sample("dealings-none", view(Vec::new())),
        sample("dealings-none-found", Dealings { list: number, limited: true, ..view(Vec::new()) }),
    ]
}

fn slips(frame: &Frame) -> Vec<Sample> {
    let frame = signed_in(frame);
    let line = |item: Bilingual, fen| SlipLine { period: this_year(), item, amount: Fen::new(fen) };
    let paper = |giver: Option<&str>| Slip {
        frame: frame.clone(),
        receipt_no: "000011".into(),
        charged_at: at("2026-09-01 10:24:37"),
        maker: Maker::Platform,
        payee: fiscal_payee(),
        order_no: Some(order_no()),
        channel: Some(Channel::Wechat),
        lines: vec![line(tuition_fee(), 799_997), line(Bilingual::new("住宿费", "Accommodation"), 109_998)],
        total: Fen::new(909_995),
        ereceipt: Standing::There,
        refunded: Fen::ZERO,
        returning: Fen::ZERO,
        trade_no: Some("4200002614202609011234567890".into()),
        giver: giver.map(str::to_owned),
        code: "7KQ2-M9XD-PW4T".into(),
        scan: code::small(CHECK).expect("short enough"),
        check_at: "https://pay.example.edu.cn/verify".into(),
    };
    let at_the_counter = Slip {
        receipt_no: "A004217".into(),
        maker: Maker::Clerk("王敏".into()),
        payee: agency_payee(),
        order_no: None,
        channel: None,
        trade_no: None,
        giver: None,
        lines: vec![line(tuition_fee(), 500_000)],
        total: Fen::new(500_000),
        ereceipt: Standing::Other,
        refunded: Fen::new(100_000),
        returning: Fen::new(50_000),
        code: "7KQ2-M9XD-PW4T".into(),
        scan: code::small(CHECK).expect("short enough"),
        check_at: "https://pay.example.edu.cn/verify".into(),
        frame: frame.clone(),
        charged_at: at("2025-09-03 15:20:00"),
    };
    let given = sample("slip-given", paper(Some("林 <b>爸爸</b>")));
    let unnamed = sample("slip-given-unnamed", paper(Some("")));
    vec![sample("slip", paper(None)), given, unnamed, sample("slip-counter", at_the_counter)]
}

fn checks(frame: &Frame) -> Vec<Sample> {
    let page = |outcome| VerifyPage {
        frame: frame.clone(),
        receipt_no: "000011".into(),
        code: "7KQ2-M9XD-PW4T".into(),
        outcome: Some(outcome),
    };
    let genuine = Genuine {
        receipt_no: "000011".into(),
        charged_at: at("2026-09-01 10:24:37"),
        payer: Bilingual::new("林*夏", "L*N Z****A"),
        payer_number: "2023****0417".into(),
        payee: fiscal_payee(),
        channel: Some(Channel::Wechat),
        order_no: "XF26****0128".into(),
        trade_no: Some("4200****7890".into()),
        lines: vec![
            SlipLine { period: this_year(), item: tuition_fee(), amount: Fen::new(799_997) },
            SlipLine {
                period: this_year(),
                item: Bilingual::new("住宿费", "Accommodation"),
                amount: Fen::new(109_998),
            },
        ],
        total: Fen::new(909_995),
        refunded: Fen::ZERO,
        returning: Fen::ZERO,
    };
    let partly = Genuine { refunded: Fen::new(109_998), returning: Fen::new(100_000), ..genuine.clone() };
    let void = Genuine { refunded: Fen::new(909_995), ..genuine.clone() };
    let hostile = "\"><script>alert(1)</script>".to_owned();
    vec![
        sample(
            "verify",
            VerifyPage { outcome: None, receipt_no: String::new(), code: String::new(), ..page(Outcome::False) },
        ),
        sample(
            "verify-empty",
            VerifyPage {
                receipt_no: String::new(),
                code: String::new(),
                ..page(Outcome::Unread { receipt_no: true, code: true })
            },
        ),
        sample(
            "verify-unread",
            VerifyPage { code: hostile, ..page(Outcome::Unread { receipt_no: false, code: true }) },
        ),
        sample("verify-false", page(Outcome::False)),
        sample("verify-wait", page(Outcome::Wait { until: at("2026-09-01 10:33:36") })),
        sample("verify-genuine", page(Outcome::Genuine(Box::new(genuine)))),
        sample("verify-partly", page(Outcome::Genuine(Box::new(partly)))),
        sample("verify-void", page(Outcome::Genuine(Box::new(void)))),
    ]
}
