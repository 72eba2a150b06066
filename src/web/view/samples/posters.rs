//! Before a poster, and what the check of one says.
use super::entry::captcha;
use super::kit::{Sample, agency_payee, at, charge, fiscal_payee, order_no, outside, sample, this_year, tuition_fee};
use crate::domain::bilingual::{Bilingual, Lang};
use crate::domain::fee::{FeeKind, Fund};
use crate::domain::money::Fen;
use crate::domain::order::{CloseReason, OrderState};
use crate::domain::poster::{PosterKind, PosterState};
use crate::domain::refusal::Refusal;
use crate::domain::trade::TradeNo;
use crate::web::html::{Frame, Person};
use crate::web::view::confirm::{Consent, ConsentProblem};
use crate::web::view::landing::{Ask, Fees, Head, Owed, Somebody, WhoIsIt};
use crate::web::view::login::LoginProblem;
use crate::web::view::message::{Message, MessagePage};
use crate::web::view::paid::SlipLine;
use crate::web::view::tuition::{FeeRow, RowState};
use crate::web::view::verify::{GenuineOrder, GenuinePoster, Outcome, VerifyPage};

pub fn all(frame: &Frame) -> Vec<Sample> {
    [asking(frame), owing(frame), ended(frame), checks(frame)].into_iter().flatten().collect()
}

fn here(frame: &Frame) -> Frame {
    Frame { care: frame.care, path: "/q/Kq2mX9dPw4Tz".into(), ..outside(frame.lang) }
}

fn head() -> Head {
    Head {
        code: "Kq2mX9dPw4Tz".into(),
        poster_no: "HB000012".into(),
        title: Bilingual::new("2026 级新生学费", "Tuition of new students, 2026"),
        department: String::new(),
        payees: vec![fiscal_payee()],
    }
}

fn asking(frame: &Frame) -> Vec<Sample> {
    let ask = || Ask {
        frame: here(frame),
        head: head(),
        number: String::new(),
        name: String::new(),
        problem: None,
        captcha: None,
    };
    let wrong = |problem| Ask {
        number: "202301180417".into(),
        name: "林知夏\"><script>alert(1)</script>".into(),
        problem: Some(problem),
        ..ask()
    };
    let housing = Head {
        title: Bilingual::new("住宿与医保缴费", "Housing and insurance"),
        department: "后勤处".into(),
        payees: vec![fiscal_payee(), agency_payee()],
        ..head()
    };
    let somebody = |value: &str, number: &str, college: &str| Somebody {
        value: value.into(),
        name: Bilingual::new("林*夏", "L*N Z****A"),
        number: number.into(),
        college: college.into(),
    };
    let who = |people| WhoIsIt { frame: here(frame), head: head(), ticket: "t1cKet".into(), people };
    let one = somebody("0", "2023****0417", "计算机学院");
    let several = vec![one.clone(), somebody("1", "2026****0032", "")];
    let pair = LoginProblem::WrongPair { tries_left: Some(2) };
    vec![
        sample("poster-ask", ask()),
        sample("poster-ask-department", Ask { head: housing, problem: Some(LoginProblem::Empty), ..ask() }),
        sample("poster-ask-wrong", Ask { captcha: Some(captcha()), ..wrong(pair) }),
        sample("poster-ask-captcha", Ask { captcha: Some(captcha()), ..wrong(LoginProblem::Captcha) }),
        sample("poster-ask-locked", wrong(LoginProblem::Locked { until: at("2026-09-01 10:39:00") })),
        sample("poster-person", who(vec![one])),
        sample("poster-person-several", who(several)),
    ]
}

fn owing(frame: &Frame) -> Vec<Sample> {
    let mut frame = here(frame);
    frame.person = Some(Person {
        name: "林*夏".into(),
        name_en: if frame.lang == Lang::En { "L*N Z****A".into() } else { String::new() },
        number: "2023****0417".into(),
        college: "计算机学院".into(),
        class_name: String::new(),
    });
    let owed = |id, (item, payee, fund): (Bilingual, Bilingual, Fund), fen: i64, min: Option<i64>| {
        let mut charge = charge(id, item, this_year(), (fen, 0));
        charge.item.kind = FeeKind::Tuition;
        charge.item.min_split = min.map(Fen::new);
        let amount = charge.balance.arrears();
        let row = FeeRow { charge, fund, payee, state: RowState::Payable { selected: true, amount } };
        Owed { typed: amount.yuan(), row, pay_code: None, problem: None }
    };
    let tuition = || owed(1, (tuition_fee(), fiscal_payee(), Fund::Fiscal), 800_000, Some(50_000));
    let insurance = || {
        let name = Bilingual::new("医疗保险", "Medical insurance");
        owed(3, (name, agency_payee(), Fund::Agency), 25_000, None)
    };
    let consent = |problem| Some(Consent { version: "0f1e2d3c4b5a6978".into(), reading: None, problem });
    let page = |rows| Fees {
        frame: frame.clone(),
        head: head(),
        ticket: "t1cKet".into(),
        who: "0".into(),
        checkout_id: "ch3ck0ut".into(),
        rows,
        consent: consent(None),
        problem: None,
        here: "/q/Kq2mX9dPw4Tz/fees?t=t1cKet&who=0".into(),
    };
    let waiting = |pay_code: Option<&str>| {
        let state = RowState::InOrder { order_no: order_no(), expires_at: at("2026-09-01 10:36:42") };
        let owed = insurance();
        Owed { row: FeeRow { state, ..owed.row }, pay_code: pay_code.map(str::to_owned), ..owed }
    };
    let bad = Owed { typed: "100\"><script>".into(), problem: Some(frame.w("amount.bad").to_owned()), ..tuition() };
    let wrong = Fees { consent: consent(Some(ConsentProblem::Unticked)), ..page(vec![bad, insurance()]) };
    vec![
        sample("poster-fees", page(vec![tuition()])),
        sample("poster-fees-several", page(vec![tuition(), waiting(Some("7Kq2mX9dPw4TzR8nVb3Hc6"))])),
        sample("poster-fees-wrong", wrong),
        sample("poster-fees-none-chosen", Fees { problem: Some(Refusal::NothingSelected), ..page(vec![tuition()]) }),
        sample("poster-fees-waiting", page(vec![waiting(None)])),
        sample("poster-fees-clear", page(Vec::new())),
    ]
}

fn ended(frame: &Frame) -> Vec<Sample> {
    let message = |message| MessagePage { frame: here(frame), message };
    vec![
        sample("message-poster-revoked", message(Message::PosterRevoked)),
        sample("message-poster-expired", message(Message::PosterExpired)),
    ]
}

fn checks(frame: &Frame) -> Vec<Sample> {
    let page = |no: &str, outcome| VerifyPage {
        frame: Frame { path: "/verify".into(), ..here(frame) },
        receipt_no: no.into(),
        code: "7KQ2-M9XD-PW4T".into(),
        outcome: Some(outcome),
    };
    let poster = |state| {
        page(
            "HB000012",
            Outcome::Poster(Box::new(GenuinePoster {
                poster_no: "HB000012".into(),
                kind: PosterKind::Item,
                title: head().title,
                department: String::new(),
                names: vec![tuition_fee()],
                payees: vec![fiscal_payee()],
                address: "https://pay.example.edu.cn/q/Kq2mX9dPw4Tz".into(),
                made_at: at("2026-08-20 09:00:00"),
                ends: Some(at("2026-12-31 23:59:59")),
                state,
            })),
        )
    };
    let order = |state| {
        page(
            order_no().as_str(),
            Outcome::Order(Box::new(GenuineOrder {
                order_no: order_no().to_string(),
                payer: Bilingual::new("林*夏", "L*N Z****A"),
                payer_number: "2023****0417".into(),
                payee: fiscal_payee(),
                lines: vec![SlipLine { period: this_year(), item: tuition_fee(), amount: Fen::new(799_997) }],
                total: Fen::new(799_997),
                made_at: at("2026-09-01 10:24:06"),
                state,
            })),
        )
    };
    let trade_no = TradeNo("4200002614202609011234567890".into());
    let closed_at = at("2026-09-01 10:39:10");
    vec![
        sample("verify-poster", poster(PosterState::Active)),
        sample("verify-poster-revoked", poster(PosterState::Revoked(at("2026-08-30 16:00:00")))),
        sample("verify-poster-expired", poster(PosterState::Expired(at("2026-08-31 23:59:59")))),
        sample("verify-order-pending", order(OrderState::Pending { expires_at: at("2026-09-01 10:39:06") })),
        sample("verify-order-paid", order(OrderState::Paid { trade_no, paid_at: at("2026-09-01 10:24:36") })),
        sample("verify-order-closed", order(OrderState::Closed { reason: CloseReason::Expired, closed_at })),
    ]
}
