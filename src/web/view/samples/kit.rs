//! The people, fees and orders of the fictional school.
use askama::Template;

use crate::domain::bilingual::{Bilingual, Lang};
use crate::domain::charge::{Balance, Charge};
use crate::domain::fee::{BillingPeriod, Collection, FeeItem, FeeKind, Fund, Window};
use crate::domain::ids::{ChargeId, FeeItemId, PayerId, PeriodId};
use crate::domain::module::Modules;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::OrderLine;
use crate::domain::order_no::OrderNo;
use crate::web::html::{Frame, Person};
use crate::web::view::part::{OrderFacts, Title, Viewer};

/// One rendered page.
pub struct Sample {
    pub name: &'static str,
    pub html: String,
}

pub fn sample(name: &'static str, view: impl Template) -> Sample {
    Sample { name, html: view.render().expect("a template of plain values renders") }
}

pub fn at(text: &str) -> Moment {
    Moment::parse_beijing(text).expect("the samples' times are well written")
}

/// Nobody is signed in yet.
pub fn outside(lang: Lang) -> Frame {
    Frame {
        lang,
        care: false,
        school: Bilingual::new("启明大学", "Qiming University"),
        phone: "0931-555 0100".into(),
        hours: Bilingual::new("工作日 8:30–17:30", "weekdays 8:30–17:30"),
        csrf: "csrf-token".into(),
        path: "/h5/here?x=1".into(),
        person: None,
        now: at("2026-09-01 10:24:36"),
        modules: Modules::default(),
        linked: false,
    }
}

pub fn signed_in(frame: &Frame) -> Frame {
    let person = match frame.lang {
        Lang::Zh => Person {
            name: "林知夏".into(),
            name_en: String::new(),
            number: "2023****0417".into(),
            college: "计算机学院".into(),
            class_name: "软件工程 2301 班".into(),
        },
        Lang::En => Person {
            name: "朴智宇".into(),
            name_en: "PARK JIWOO".into(),
            number: "2023****0418".into(),
            college: "School of Computing".into(),
            class_name: "Software 2301".into(),
        },
    };
    Frame { person: Some(person), ..frame.clone() }
}

pub fn fiscal_payee() -> Bilingual {
    Bilingual::new("启明大学财务处", "Qiming University")
}

pub fn agency_payee() -> Bilingual {
    Bilingual::new("启明大学后勤集团", "Qiming Campus Services")
}

pub fn tuition_fee() -> Bilingual {
    Bilingual::new("学费", "Tuition")
}

pub fn this_year() -> Bilingual {
    Bilingual::new("2025–2026 学年", "2025–2026")
}

/// What one charge is made from: id, name, period, assessed and paid fen.
pub fn charge(id: i64, item: Bilingual, period: Bilingual, (assessed, paid): (i64, i64)) -> Charge {
    Charge {
        id: ChargeId(id),
        payer_id: PayerId(1),
        item: FeeItem {
            id: FeeItemId(id),
            code: format!("F{id}"),
            name: item,
            kind: FeeKind::Tuition,
            payee_code: "fiscal".into(),
            collection: Collection::Collecting,
            window: Window::default(),
            min_split: None,
            fiscal_code: None,
        },
        period: BillingPeriod { id: PeriodId(1), code: "2025".into(), name: period },
        balance: Balance { assessed: Fen::new(assessed), paid: Fen::new(paid), ..Balance::default() },
        due_day: None,
        batch: String::new(),
    }
}

pub fn order_no() -> OrderNo {
    OrderNo::parse("XF260901QMU000128").expect("well formed")
}

fn line(id: i64, item: Bilingual, fen: i64) -> OrderLine {
    OrderLine { charge_id: ChargeId(id), item, period: this_year(), amount: Fen::new(fen), refunded: Fen::ZERO }
}

/// 9,099.95: the manuals' two fiscal lines.
pub fn order() -> OrderFacts {
    OrderFacts {
        order_no: order_no(),
        lines: vec![line(1, tuition_fee(), 799_997), line(2, Bilingual::new("住宿费", "Accommodation"), 109_998)],
        total: Fen::new(909_995),
        commission: Fen::ZERO,
        payee: fiscal_payee(),
        fund: Fund::Fiscal,
        created_at: at("2026-09-01 10:24:06"),
        expires_at: at("2026-09-01 10:39:06"),
        check: "7KQ2-M9XD-PW4T".into(),
    }
}

pub fn owner() -> Viewer {
    Viewer::owner(&order_no())
}

pub fn bearer() -> Viewer {
    Viewer::Bearer { code: "7Kq2mX9dPw4TzR8nVb3Hc6".into(), masked_name: "林*夏".into() }
}

pub fn titled(name: Bilingual, count: usize) -> Title {
    Title { first: name, count }
}
