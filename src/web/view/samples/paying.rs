//! From what is owed to the result of a payment.
use super::kit::{
    Sample, agency_payee, at, bearer, charge, fiscal_payee, order, owner, sample, signed_in, this_year, titled,
    tuition_fee,
};
use crate::domain::amount::AmountRefusal;
use crate::domain::bilingual::Bilingual;
use crate::domain::charge::{Charge, Totals};
use crate::domain::fee::{Collection, FeeKind, Fund, Unpayable, Window};
use crate::domain::ids::ChargeId;
use crate::domain::method::Barred;
use crate::domain::money::Fen;
use crate::domain::order::CloseReason;
use crate::domain::order_no::OrderNo;
use crate::domain::refusal::Refusal;
use crate::domain::trade::{Channel, TradeNo};
use crate::web::html::Frame;
use crate::web::view::account::FormProblem;
use crate::web::view::amount::{Amount, AmountProblem};
use crate::web::view::browser::BrowserGuide;
use crate::web::view::cashier::{Availability, Cashier, Way};
use crate::web::view::confirm::{
    AgreementPage, Changed, Confirm, ConfirmPart, Consent, ConsentProblem, Reading, Receiver,
};
use crate::web::view::filter::Owing;
use crate::web::view::launch::{How, Launch};
use crate::web::view::part::{NextOrder, OrderFacts, Surplus};
use crate::web::view::result::{Coming, Confirming, Incomplete, Paid, Why};
use crate::web::view::tuition::{Choice, FeeRow, Period, RowState, Tuition};

pub fn all(frame: &Frame) -> Vec<Sample> {
    [tuitions(frame), amounts(frame), confirms(frame), cashiers(frame), launches(frame), results(frame)]
        .into_iter()
        .flatten()
        .collect()
}

fn other_order() -> OrderNo {
    OrderNo::parse("PT260901QMU000052").expect("well formed")
}

fn fiscal(charge: Charge, state: RowState) -> FeeRow {
    FeeRow { charge, fund: Fund::Fiscal, payee: fiscal_payee(), state }
}

fn agency(mut charge: Charge, state: RowState) -> FeeRow {
    charge.item.payee_code = "agency".into();
    FeeRow { charge, fund: Fund::Agency, payee: agency_payee(), state }
}

fn whole(charge: &Charge) -> RowState {
    RowState::Payable { selected: true, amount: charge.balance.arrears() }
}

fn splittable(mut charge: Charge) -> Charge {
    charge.item.min_split = Some(Fen::new(50_000));
    charge
}

fn this_years_rows() -> Vec<FeeRow> {
    let mut tuition = splittable(charge(1, tuition_fee(), this_year(), (800_000, 3)));
    tuition.due_day = Some(20_260_930);
    let mut room = charge(2, Bilingual::new("住宿费", "Accommodation"), this_year(), (110_000, 2));
    room.due_day = Some(20_260_930);
    let mut insurance = charge(3, Bilingual::new("医疗保险", "Medical insurance"), this_year(), (25_000, 1));
    insurance.item.kind = FeeKind::Other;
    insurance.item.window =
        Window { opens_at: Some(at("2026-08-20 00:00:00")), closes_at: Some(at("2026-09-16 00:00:00")) };
    let states = [whole(&tuition), whole(&room), whole(&insurance)];
    let [first, second, third] = states;
    vec![fiscal(tuition, first), fiscal(room, second), agency(insurance, third)]
}

fn last_years_rows() -> Vec<FeeRow> {
    let year = || Bilingual::new("2024–2025 学年", "2024–2025");
    let tuition = splittable(charge(4, tuition_fee(), year(), (800_000, 500_000)));
    let half = RowState::Payable { selected: true, amount: Fen::new(150_000) };
    let mut books = charge(5, Bilingual::new("教材费", "Textbooks"), year(), (41_860, 0));
    books.item.collection = Collection::Suspended;
    let waiting = RowState::InOrder { order_no: other_order(), expires_at: at("2026-09-01 10:36:42") };
    let check = charge(6, Bilingual::new("体检费", "Medical check"), year(), (9_000, 0));
    let course = charge(7, Bilingual::new("辅修学费<选修>", ""), year(), (120_000, 0));
    vec![
        fiscal(tuition, half),
        agency(books, RowState::Closed(Unpayable::Suspended)),
        agency(check, waiting),
        fiscal(course, RowState::Closed(Unpayable::Over(at("2025-12-31 00:00:00")))),
    ]
}

/// As long and as much as anything may be.
fn long_name() -> Bilingual {
    Bilingual::new(
        "全日制专业学位硕士研究生（非定向就业）2025–2026 学年学费及实验实习材料费𠮷",
        "Professional master's degree programme, tuition and laboratory materials, 2025–2026",
    )
}

fn extreme_rows() -> Vec<FeeRow> {
    let most = splittable(charge(8, long_name(), long_name(), (Fen::MAX.get(), 0)));
    let state = whole(&most);
    let least = charge(9, long_name(), long_name(), (1, 0));
    let unticked = RowState::Payable { selected: false, amount: Fen::new(1) };
    vec![fiscal(most, state), agency(least, unticked)]
}

/// What cannot be paid at present.
fn nothing_now() -> Period {
    Period { name: this_year(), rows: last_years_rows().split_off(1) }
}

fn tuitions(frame: &Frame) -> Vec<Sample> {
    let frame = signed_in(frame);
    let periods = vec![
        Period { name: this_year(), rows: this_years_rows() },
        Period { name: Bilingual::new("2024–2025 学年", "2024–2025"), rows: last_years_rows() },
    ];
    let view = |periods: Vec<Period>| Tuition {
        frame: frame.clone(),
        checkout_id: "ch3ck0ut".into(),
        totals: Totals::of(periods.iter().flat_map(|period| &period.rows).map(|row| &row.charge.balance)),
        periods,
        periods_to_choose: Vec::new(),
        items_to_choose: Vec::new(),
        has_expired: false,
        has_settled: false,
        other: Fen::ZERO,
        is_study: false,
        problem: None,
        filter: Owing::default(),
    };
    let choice = |code: &str, name: Bilingual| Choice { code: code.into(), name };
    let choices = vec![choice("2025", this_year()), choice("2024", Bilingual::new("2024–2025 学年", "2024–2025"))];
    let items = vec![choice("11", tuition_fee()), choice("14", Bilingual::new("教材费", "Textbooks"))];
    let in_2024 = || Owing { period: Some("2024".into()), expired: true, ..Owing::default() };
    let refused = Tuition {
        periods_to_choose: choices.clone(),
        items_to_choose: items.clone(),
        has_expired: true,
        problem: Some(Refusal::InAnotherOrder { order_no: other_order() }),
        filter: Owing { amounts: vec![(ChargeId(4), Fen::new(150_000))], ..in_2024() },
        ..view(periods[1..].to_vec())
    };
    let whole_set = Tuition {
        periods_to_choose: choices.clone(),
        items_to_choose: items.clone(),
        has_expired: true,
        has_settled: true,
        ..view(periods.clone())
    };
    let paid_up = fiscal(charge(10, tuition_fee(), this_year(), (800_000, 800_000)), RowState::Settled);
    let one_item = Tuition {
        items_to_choose: items,
        has_settled: true,
        filter: Owing { item: Some("11".into()), settled: true, ..Owing::default() },
        ..view(vec![Period { name: this_year(), rows: vec![paid_up, this_years_rows().remove(0)] }])
    };
    let none = RowState::Payable { selected: false, amount: Fen::new(799_997) };
    let unselected = vec![FeeRow { state: none, ..this_years_rows().remove(0) }];
    vec![
        sample("tuition", whole_set),
        sample("tuition-one-period", view(periods[..1].to_vec())),
        sample("tuition-refused", refused),
        sample("tuition-extreme", view(vec![Period { name: long_name(), rows: extreme_rows() }])),
        sample(
            "tuition-none-selected",
            Tuition {
                problem: Some(Refusal::NothingSelected),
                ..view(vec![Period { name: this_year(), rows: unselected }])
            },
        ),
        sample("tuition-nothing-payable", view(vec![nothing_now()])),
        sample("tuition-one-item", one_item),
        sample("tuition-study", Tuition { is_study: true, ..view(periods[..1].to_vec()) }),
        sample("tuition-none-here", Tuition { filter: in_2024(), has_expired: true, ..view(Vec::new()) }),
        sample(
            "tuition-clear",
            Tuition { has_expired: true, has_settled: true, other: Fen::new(6_500), ..view(Vec::new()) },
        ),
    ]
}

fn amounts(frame: &Frame) -> Vec<Sample> {
    let frame = signed_in(frame);
    let amount = |typed: &str, problem| Amount {
        frame: frame.clone(),
        charge_id: ChargeId(1),
        item: tuition_fee(),
        period: this_year(),
        arrears: Fen::new(799_997),
        min_split: Fen::new(50_000),
        typed: typed.into(),
        problem,
        carried: vec![("amt4".into(), "1500.00".into())],
        back: "/h5/tuition?amt4=1500.00".into(),
    };
    let rest = AmountRefusal::RemainderTooSmall { remainder: Fen::new(997), min_split: Fen::new(50_000) };
    vec![
        sample("amount", amount("7999.97", None)),
        sample("amount-wrong", amount("7990", Some(AmountProblem::Refused(rest)))),
        sample("amount-not-a-number", amount("八千", Some(AmountProblem::NotAnAmount))),
    ]
}

fn cashiers(frame: &Frame) -> Vec<Sample> {
    let way = |channel, availability| Way { channel, availability, barred: None };
    let cashier = |ways, chosen| Cashier {
        frame: signed_in(frame),
        viewer: owner(),
        order: order(),
        ways,
        chosen,
        code: false,
        problem: None,
        part: (1, 2),
        may_be_shared: true,
    };
    let in_wechat = || vec![way(Channel::Wechat, Availability::Here), way(Channel::Alipay, Availability::NeedsBrowser)];
    let in_browser = vec![way(Channel::Wechat, Availability::OpensApp), way(Channel::Alipay, Availability::OpensApp)];
    let in_alipay = vec![way(Channel::Wechat, Availability::NotHere), way(Channel::Alipay, Availability::Here)];
    let why = |channel, availability, why| Way { barred: Some(why), ..way(channel, availability) };
    let reason = Bilingual::new("银行系统维护", "The bank is being serviced");
    let paused = Barred::Paused { until: at("2026-09-01 12:00:00"), reason };
    let down = vec![
        why(Channel::Wechat, Availability::Here, paused),
        why(Channel::Alipay, Availability::NeedsBrowser, Barred::Above { max: Fen::new(500_000) }),
    ];
    let on_desktop =
        vec![way(Channel::Alipay, Availability::OpensPage), way(Channel::UnionPay, Availability::OpensPage)];
    let everywhere = vec![
        way(Channel::Wechat, Availability::NotHere),
        way(Channel::Alipay, Availability::NotHere),
        way(Channel::UnionPay, Availability::NotHere),
    ];
    let busy = Refusal::ChannelBusy { channel: Channel::Wechat };
    vec![
        sample("cashier", cashier(in_wechat(), Some(Channel::Wechat))),
        sample("cashier-browser", Cashier { part: (1, 1), ..cashier(in_browser, Some(Channel::Wechat)) }),
        sample(
            "cashier-bearer",
            Cashier {
                frame: frame.clone(),
                viewer: bearer(),
                part: (1, 1),
                may_be_shared: false,
                ..cashier(in_alipay, Some(Channel::Alipay))
            },
        ),
        sample(
            "cashier-extreme",
            Cashier {
                order: OrderFacts { total: Fen::MAX, payee: long_name(), ..order() },
                ..cashier(in_wechat(), Some(Channel::Wechat))
            },
        ),
        sample("cashier-nowhere", cashier(everywhere, None)),
        sample("cashier-down", Cashier { problem: Some(busy), ..cashier(down, None) }),
        sample("cashier-code", Cashier { code: true, ..cashier(on_desktop, Some(Channel::Alipay)) }),
        sample("cashier-code-only", Cashier { code: true, part: (1, 1), ..cashier(Vec::new(), None) }),
    ]
}

fn launches(frame: &Frame) -> Vec<Sample> {
    let launch = |how| Launch { frame: signed_in(frame), viewer: owner(), order: order(), how };
    let parameters = r#"{"appId":"wx8888","package":"prepay_id=wx01","signType":"RSA","paySign":"a+/="}"#;
    let form = How::Form {
        channel: Channel::UnionPay,
        action: "https://gateway.95516.com/gateway/api/frontTransReq.do".into(),
        fields: vec![("merId".into(), "898620100000109".into()), ("signature".into(), "a+/=\"<".into())],
        origins: "https://gateway.95516.com".into(),
    };
    let url = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx01&package=1".to_owned();
    vec![
        sample("launch-wechat", launch(How::Wechat { parameters: parameters.into() })),
        sample("launch-alipay", launch(How::Alipay { trade_no: "2026090122001".into() })),
        sample("launch-form", launch(form)),
        sample("launch-redirect", launch(How::Redirect { channel: Channel::Wechat, url })),
        sample(
            "browser",
            BrowserGuide {
                frame: signed_in(frame),
                viewer: owner(),
                order: order(),
                link: "https://pay.example.edu.cn/q/7Kq2mX9dPw4TzR8nVb3Hc6".into(),
                good_until: order().expires_at,
            },
        ),
    ]
}

fn results(frame: &Frame) -> Vec<Sample> {
    let surplus = |returned_at| Surplus { amount: Fen::new(6_500), channel: Channel::Alipay, returned_at };
    let paid = |viewer| Paid {
        frame: signed_in(frame),
        viewer,
        order: order(),
        channel: Channel::Wechat,
        paid_at: at("2026-09-01 10:24:36"),
        trade_no: TradeNo("4200002614202609011234567890".into()),
        receipt_no: Some("000011".into()),
        ereceipt: Some(Coming::To("178****5287".into())),
        surplus: None,
        next: None,
    };
    let next = NextOrder {
        order_no: other_order(),
        title: titled(Bilingual::new("医疗保险", "Medical insurance"), 1),
        left: 1,
    };
    let confirming = |viewer, under_review| Confirming {
        frame: signed_in(frame),
        viewer,
        order: order(),
        channel: Some(Channel::Wechat),
        under_review,
    };
    let incomplete = |why, certain| Incomplete {
        frame: signed_in(frame),
        viewer: owner(),
        order: order(),
        channel: Some(Channel::Wechat),
        why,
        certain,
        surplus: None,
    };
    let expired = Why::Closed(CloseReason::Expired);
    let stranger = |view: Paid| Paid { frame: frame.clone(), ..view };
    vec![
        sample("result-paid", Paid { next: Some(next), ..paid(owner()) }),
        sample("result-paid-bearer", stranger(paid(bearer()))),
        sample(
            "result-paid-twice",
            Paid {
                surplus: Some(surplus(Some(at("2026-09-01 10:30:00")))),
                receipt_no: None,
                ereceipt: None,
                ..paid(owner())
            },
        ),
        sample("result-confirming", confirming(owner(), false)),
        sample("result-review", confirming(owner(), true)),
        sample("result-incomplete", incomplete(Why::Cancelled, true)),
        sample("result-uncertain", Incomplete { channel: None, ..incomplete(Why::Failed, false) }),
        sample("result-closed", Incomplete { surplus: Some(surplus(None)), ..incomplete(expired, true) }),
    ]
}

fn confirms(frame: &Frame) -> Vec<Sample> {
    let (fiscal, mut agency) = (order(), order());
    agency.lines.truncate(1);
    agency.total = Fen::new(799_997);
    let part =
        |order: &OrderFacts, payee, fund| ConfirmPart { payee, fund, lines: order.lines.clone(), total: order.total };
    let consent = |reading, problem| Some(Consent { version: "0f1e2d3c4b5a6978".into(), reading, problem });
    let page = |consent, phone| Confirm {
        frame: signed_in(frame),
        checkout_id: "0123456789abcdefghijkl".into(),
        parts: vec![part(&fiscal, fiscal_payee(), Fund::Fiscal)],
        changed: Vec::new(),
        consent,
        phone,
        captcha: None,
        here: "/h5/confirm?checkout_id=0123456789abcdefghijkl&fee=1&amt1=7999.97".into(),
    };
    let text = Bilingual::new(
        "一、缴费前请核对。\n\n二、<b>付款</b>时请核对。",
        "1. Check before you pay.\n\n2. Check again.",
    );
    let reading = |seconds| Some(Reading { text: text.clone(), seconds, stamp: "1788229476000.c3RhbXA".into() });
    let known = || Receiver::Known("178****5287".into());
    let asked = |required, wrong, password| Receiver::Asked { typed: "1780000".into(), required, wrong, password };
    let changed = vec![
        Changed { item: tuition_fee(), was: Fen::new(800_000), now: Fen::new(799_997) },
        Changed { item: Bilingual::new("教材费", "Books"), was: Fen::new(41_860), now: Fen::ZERO },
    ];
    let both = vec![part(&fiscal, fiscal_payee(), Fund::Fiscal), part(&agency, agency_payee(), Fund::Agency)];
    vec![
        sample("confirm", page(consent(None, None), known())),
        sample("confirm-unticked", page(consent(None, Some(ConsentProblem::Unticked)), Receiver::Unsaid)),
        sample("confirm-countdown", page(consent(reading(10), None), known())),
        sample("confirm-early", page(consent(reading(7), Some(ConsentProblem::Early)), known())),
        sample("confirm-proven-phone", page(consent(None, None), Receiver::Proven("139****1111".into()))),
        sample("confirm-no-phone", page(None, asked(true, false, None))),
        sample("confirm-wrong-phone", page(None, asked(false, true, Some(FormProblem::Empty)))),
        sample("confirm-changed", Confirm { changed, parts: both, ..page(consent(None, None), known()) }),
        sample(
            "agreement",
            AgreementPage {
                frame: Frame { person: None, ..frame.clone() },
                text: text.clone(),
                version: "0f1e2d3c4b5a6978".into(),
                back: "/h5/confirm?fee=1".into(),
            },
        ),
    ]
}
