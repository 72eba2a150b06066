//! 生活缴费: the services, and the form of one in every state.
use super::kit::{Sample, agency_payee, sample, signed_in};
use crate::domain::bilingual::Bilingual;
use crate::domain::living::{Limits, Unfit};
use crate::domain::money::Fen;
use crate::flow::living::buy::NotTaken;
use crate::web::html::Frame;
use crate::web::view::living::{Balance, ServiceRow, Services, TopUpPage, Typed};

fn electricity(last: Option<&str>) -> ServiceRow {
    ServiceRow {
        id: "electricity".into(),
        name: Bilingual::new("宿舍电费", "Dormitory electricity"),
        account: Bilingual::new("房间号", "Room"),
        last: last.map(str::to_owned),
    }
}

pub fn all(frame: &Frame) -> Vec<Sample> {
    let card = ServiceRow {
        id: "card".into(),
        name: Bilingual::new("校园卡充值", "Campus card"),
        account: Bilingual::new("卡号", "Card number"),
        last: None,
    };
    let list = |services, limited| Services { frame: signed_in(frame), services, limited };
    let typed = |account: &str, amount: &str, chip: Option<i64>| Typed {
        account: account.into(),
        amount: amount.into(),
        chip: chip.map(Fen::new),
    };
    let page = |typed, balance, problem| TopUpPage {
        frame: signed_in(frame),
        checkout_id: "ch3ck0ut".into(),
        service: electricity(None),
        payee: agency_payee(),
        example: "3-412".into(),
        limits: Limits { min: Fen::new(1_000), max: Fen::new(50_000), step: Fen::new(100) },
        chips: vec![Fen::new(5_000), Fen::new(10_000), Fen::new(20_000)],
        remembered: vec!["3-412".into(), "5-101".into()],
        typed,
        balance,
        problem,
    };
    let yuan = Balance::Known { left: "23.15".into(), unit: Bilingual::new("", "") };
    let kwh = Balance::Known { left: "-4.60".into(), unit: Bilingual::new("度", "kWh") };
    let unasked = || Balance::Unasked;
    let at_first = TopUpPage { remembered: Vec::new(), ..page(typed("", "", Some(5_000)), unasked(), None) };
    let below = Some(NotTaken::Amount(Unfit::Below(Fen::new(1_000))));
    vec![
        sample("living", list(vec![electricity(Some("3-412")), card], false)),
        sample("living-none", list(Vec::new(), false)),
        sample("living-limited", list(Vec::new(), true)),
        sample("top-up", page(typed("3-412", "", Some(5_000)), yuan, None)),
        sample("top-up-first", at_first),
        sample("top-up-in-kwh", page(typed("5-101", "", None), kwh, None)),
        sample("top-up-provider-away", page(typed("3-412", "", Some(5_000)), Balance::Unclear, None)),
        sample("top-up-bad-account", page(typed("三号楼", "80", None), unasked(), Some(NotTaken::Account))),
        sample("top-up-no-such", page(typed("9-999", "", Some(10_000)), unasked(), Some(NotTaken::NoSuchAccount))),
        sample("top-up-below", page(typed("3-412", "1", None), Balance::Unclear, below)),
        sample(
            "top-up-not-an-amount",
            page(typed("3-412", "八十", None), Balance::Unclear, Some(NotTaken::NotAnAmount)),
        ),
        sample("top-up-too-many", page(typed("3-412", "80", None), Balance::Unclear, Some(NotTaken::TooMany))),
    ]
}
