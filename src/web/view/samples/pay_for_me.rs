//! 家长代付.
use super::kit::{Sample, at, fiscal_payee, order_no, sample, signed_in, this_year, tuition_fee};
use crate::domain::amount::AmountRefusal;
use crate::domain::bilingual::Bilingual;
use crate::domain::ids::{ChargeId, PayLinkId};
use crate::domain::money::Fen;
use crate::domain::order::OrderLine;
use crate::domain::pay_for_me::Lasting;
use crate::domain::refusal::Refusal;
use crate::web::html::Frame;
use crate::web::view::part::Title;
use crate::web::view::pay_for_me::{
    Choice, Give, GiveWrong, GivenRow, LinkRow, LinkState, OrderChoice, PayForMe, PayLinkPage, Unmade,
};

pub fn all(frame: &Frame) -> Vec<Sample> {
    [lists(frame), links(frame), gifts(frame)].into_iter().flatten().collect()
}

fn lists(frame: &Frame) -> Vec<Sample> {
    let title = || Title { first: tuition_fee(), count: 1 };
    let row = |id, state, given| LinkRow {
        id: PayLinkId(id),
        title: title(),
        state,
        expires_at: at("2026-09-04 10:24:36"),
        given: Fen::new(given),
    };
    let choice = |id, item, fen, min: Option<i64>| Choice {
        id: ChargeId(id),
        item,
        period: this_year(),
        arrears: Fen::new(fen),
        min_split: min.map(Fen::new),
    };
    let page = || PayForMe {
        frame: signed_in(frame),
        limited: false,
        links: Vec::new(),
        order: None,
        choices: vec![
            choice(1, tuition_fee(), 799_997, Some(50_000)),
            choice(2, Bilingual::new("住宿费", "Accommodation"), 110_000, None),
        ],
        chosen: None,
        lasting: Lasting::ThreeDays,
        problem: None,
    };
    let states = [LinkState::Open, LinkState::Waiting, LinkState::Paid, LinkState::Expired];
    let rows: Vec<LinkRow> = (1..).zip(states).map(|(id, state)| row(id, state, 50_000 * (id - 1))).collect();
    let order = Some(OrderChoice { no: order_no(), title: title(), total: Fen::new(909_995) });
    vec![
        sample("for-me", PayForMe { links: rows, ..page() }),
        sample("for-me-order", PayForMe { order, ..page() }),
        sample("for-me-unchosen", PayForMe { problem: Some(Unmade::Unchosen), ..page() }),
        sample("for-me-too-many", PayForMe { problem: Some(Unmade::TooMany), ..page() }),
        sample("for-me-refused", PayForMe { problem: Some(Unmade::Refused(Refusal::ArrearsChanged)), ..page() }),
        sample("for-me-none", PayForMe { choices: Vec::new(), ..page() }),
        sample("for-me-limited", PayForMe { limited: true, choices: Vec::new(), ..page() }),
    ]
}

fn line(fen: i64) -> OrderLine {
    OrderLine {
        charge_id: ChargeId(1),
        item: tuition_fee(),
        period: this_year(),
        amount: Fen::new(fen),
        refunded: Fen::ZERO,
    }
}

fn links(frame: &Frame) -> Vec<Sample> {
    let page = |state, range| PayLinkPage {
        frame: signed_in(frame),
        id: PayLinkId(1),
        url: "https://pay.example.edu.cn/for/7Kq2mX9dPw4TzR8nVb3Hc6".into(),
        masked_name: "林*夏".into(),
        lines: vec![line(799_997)],
        range,
        state,
        expires_at: at("2026-09-04 10:24:36"),
        given: Vec::new(),
    };
    let gave = |giver: &str, fen, time| GivenRow {
        giver: giver.into(),
        amount: Fen::new(fen),
        paid_at: at(time),
        order_no: order_no(),
    };
    let given = || vec![gave("林 爸爸", 150_000, "2026-09-01 10:20:00"), gave("", 50_000, "2026-09-01 10:22:00")];
    let range = Some((Fen::new(50_000), Fen::new(599_997)));
    vec![
        sample("pay-link", page(LinkState::Open, None)),
        sample("pay-link-split", PayLinkPage { given: given(), ..page(LinkState::Open, range) }),
        sample("pay-link-waiting", page(LinkState::Waiting, None)),
        sample("pay-link-paid", PayLinkPage { given: given(), ..page(LinkState::Paid, None) }),
        sample("pay-link-revoked", page(LinkState::Revoked, None)),
        sample("pay-link-gone", page(LinkState::Gone, None)),
    ]
}

fn gifts(frame: &Frame) -> Vec<Sample> {
    let page = || Give {
        frame: frame.clone(),
        code: "7Kq2mX9dPw4TzR8nVb3Hc6".into(),
        key: "0123456789abcdefghijkl".into(),
        masked_name: "林*夏".into(),
        payee: fiscal_payee(),
        lines: vec![line(799_997)],
        total: Fen::new(799_997),
        min_split: Some(Fen::new(50_000)),
        amount: "7999.97".into(),
        giver: String::new(),
        wrong: GiveWrong::default(),
    };
    let below = Some(AmountRefusal::BelowMinimum { min_split: Fen::new(50_000) });
    let wrong = GiveWrong { amount: below, giver: true, ..GiveWrong::default() };
    let whole = Some(AmountRefusal::NotSplittable { arrears: Fen::new(799_997) });
    let late = GiveWrong { wait_until: Some(at("2026-09-01 10:30:00")), ..GiveWrong::default() };
    vec![
        sample("give", page()),
        sample("give-whole", Give { min_split: None, ..page() }),
        sample("give-wrong", Give { amount: "1".into(), giver: "加微信<b>1".into(), wrong, ..page() }),
        sample(
            "give-unreadable",
            Give { amount: "一千".into(), wrong: GiveWrong { unreadable: true, ..GiveWrong::default() }, ..page() },
        ),
        sample(
            "give-whole-wrong",
            Give { min_split: None, wrong: GiveWrong { amount: whole, ..GiveWrong::default() }, ..page() },
        ),
        sample("give-wait", Give { wrong: late, ..page() }),
    ]
}
