//! Programmes to enrol for, one of them in every state, and one's own enrolment.
use std::time::Duration;

use super::kit::{Sample, at, sample, signed_in};
use crate::domain::bilingual::Bilingual;
use crate::domain::enrolment::{Due, Enrolment, EnrolmentState};
use crate::domain::fee::Window;
use crate::domain::ids::{ChargeId, EnrolmentId, FeeItemId, PayerId, PeriodId, ProgrammeId};
use crate::domain::money::Fen;
use crate::domain::payer::PayerKind;
use crate::domain::programme::{Programme, read_form};
use crate::flow::enrol::NotTaken;
use crate::web::html::Frame;
use crate::web::view::enrol::{Enrol, EnrolForm, EnrolmentPage, Mine, ProgrammePage, Way};

pub fn all(frame: &Frame) -> Vec<Sample> {
    [lists(frame), programmes(frame), own(frame)].into_iter().flatten().collect()
}

fn academic() -> Bilingual {
    Bilingual::new("教务处", "Academic Affairs Office")
}

fn programme(id: i64, name: Bilingual, (fee, taken): (i64, i64)) -> Programme {
    Programme {
        id: ProgrammeId(id),
        code: format!("P{id}"),
        department: academic(),
        name,
        about: Bilingual::new(
            "9 月 26 日上午笔试，地点见准考证。\n\n缴费后不退。",
            "Written test on the morning of 26 September.\n\nFees are not returned.",
        ),
        item: FeeItemId(1),
        period: PeriodId(1),
        fee: Fen::new(fee),
        capacity: 120,
        taken,
        window: Window { opens_at: Some(at("2026-09-01 00:00:00")), closes_at: Some(at("2026-09-11 00:00:00")) },
        pay_within: Duration::from_secs(48 * 3_600),
        kinds: vec![PayerKind::Student, PayerKind::Newcomer],
        fields: read_form("组别/Group*=初级/Beginner|高级/Advanced；饮食要求/Diet").expect("well formed"),
    }
}

fn test() -> Programme {
    programme(1, Bilingual::new("全国大学英语四级考试", "College English Test, Band 4"), (3_000, 117))
}

fn full() -> Programme {
    programme(2, Bilingual::new("普通话水平测试", ""), (2_500, 120))
}

fn enrolment(state: EnrolmentState, arrears: Option<i64>) -> Enrolment {
    let due = arrears.map(|fen| Due { charge: ChargeId(7), pay_by: at("2026-09-03 10:20:00"), arrears: Fen::new(fen) });
    Enrolment {
        id: EnrolmentId(5),
        programme: ProgrammeId(1),
        payer: PayerId(1),
        state,
        due,
        created_at: at("2026-09-01 10:20:00"),
        ended_at: None,
    }
}

fn form(problem: Option<NotTaken>) -> EnrolForm {
    EnrolForm {
        fields: test().fields,
        id_number: Some("3****************8".into()),
        phone: "178****5287".into(),
        answers: vec!["高级".into(), "\"><script>alert(1)</script>".into()],
        problem,
    }
}

fn lists(frame: &Frame) -> Vec<Sample> {
    let soon = Programme { window: Window { opens_at: Some(at("2026-09-02 08:00:00")), closes_at: None }, ..test() };
    let outside = |programmes| Enrol {
        frame: frame.clone(),
        limited: false,
        mine: None,
        programmes,
        departments: vec![Bilingual::new("团委", ""), academic()],
        department: "教务处".into(),
        status: None,
    };
    let mine = |state, arrears: Option<i64>| Mine {
        enrolment: enrolment(state, arrears),
        name: test().name,
        department: academic(),
        is_free: arrears.is_none(),
    };
    let own = vec![
        mine(EnrolmentState::Seated, Some(3_000)),
        mine(EnrolmentState::Seated, Some(0)),
        mine(EnrolmentState::Seated, None),
        mine(EnrolmentState::Waiting, None),
        mine(EnrolmentState::Cancelled, Some(0)),
        mine(EnrolmentState::Expired, Some(0)),
    ];
    let signed = Enrol { frame: signed_in(frame), mine: Some(own), ..outside(Vec::new()) };
    let limited = Enrol { frame: signed_in(frame), limited: true, ..outside(Vec::new()) };
    vec![
        sample("enrol", outside(vec![test(), full(), soon])),
        sample("enrol-mine", signed),
        sample("enrol-limited", limited),
    ]
}

fn programmes(frame: &Frame) -> Vec<Sample> {
    let page = |programme, way| ProgrammePage { frame: signed_in(frame), programme, way };
    let over = Programme { window: Window { opens_at: None, closes_at: Some(at("2026-09-01 00:00:00")) }, ..test() };
    let free = Programme { fee: Fen::ZERO, ..test() };
    vec![
        sample("programme", ProgrammePage { frame: frame.clone(), ..page(test(), Way::SignIn) }),
        sample("programme-form", page(test(), Way::Form(EnrolForm { answers: Vec::new(), ..form(None) }))),
        sample("programme-wrong-phone", page(test(), Way::Form(form(Some(NotTaken::Phone))))),
        sample("programme-wrong-choice", page(free, Way::Form(form(Some(NotTaken::Answer(0)))))),
        sample("programme-full", page(full(), Way::Form(form(Some(NotTaken::Full))))),
        sample("programme-over", page(over, Way::Closed)),
        sample("programme-limited", page(test(), Way::Limited)),
        sample("programme-not-admitted", page(test(), Way::NotAdmitted)),
        sample("programme-enrolled", page(test(), Way::Enrolled(EnrolmentId(5)))),
    ]
}

fn own(frame: &Frame) -> Vec<Sample> {
    let page = |state, arrears, problem| EnrolmentPage {
        frame: signed_in(frame),
        enrolment: enrolment(state, arrears),
        programme: test(),
        before: 3,
        form: form(problem),
        checkout_id: "7Kq2mX9dPw4TzR8nVb3Hc6".into(),
        saved: false,
    };
    let to_pay = page(EnrolmentState::Seated, Some(3_000), None);
    let over = Window { opens_at: None, closes_at: Some(at("2026-08-31 00:00:00")) };
    let over = Programme { window: over, ..test() };
    vec![
        sample("enrolment-to-pay", EnrolmentPage { saved: true, ..to_pay }),
        sample("enrolment-wrong", page(EnrolmentState::Seated, Some(3_000), Some(NotTaken::Answer(1)))),
        sample("enrolment-paid", page(EnrolmentState::Seated, Some(0), None)),
        sample("enrolment-free", page(EnrolmentState::Seated, None, None)),
        sample("enrolment-waiting", page(EnrolmentState::Waiting, None, None)),
        sample("enrolment-queue-over", EnrolmentPage { programme: over, ..page(EnrolmentState::Waiting, None, None) }),
        sample("enrolment-expired", page(EnrolmentState::Expired, Some(0), None)),
    ]
}
