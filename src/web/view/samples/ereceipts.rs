//! 票据查询 in each of its states.
use super::kit::{Sample, at, sample, signed_in};
use crate::domain::bilingual::Bilingual;
use crate::domain::ereceipt::{Bill, BillName, Told};
use crate::domain::money::Fen;
use crate::web::html::Frame;
use crate::web::view::ereceipt::{EReceiptPage, Standing};

fn name(number: &str) -> BillName {
    BillName::new("62010126", number, "8ac31f").expect("well formed")
}

pub fn all(frame: &Frame) -> Vec<Sample> {
    let frame = signed_in(frame);
    let page = |standing| EReceiptPage {
        frame: frame.clone(),
        receipt_no: "000011".into(),
        charged_at: at("2026-09-01 10:24:37"),
        unit: Bilingual::new("启明大学", "Qiming University"),
        standing,
        bill: None,
        told: None,
        may_ask: false,
        red: None,
        earlier: Vec::new(),
        limited: false,
    };
    let bill = || Bill {
        name: name("0011657007"),
        issued_at: at("2026-09-01 10:25:12"),
        amount: Fen::new(909_995),
        address: Some("https://ebill.example.gov.cn/fiscal/62010126/0011657007".into()),
    };
    let told = Told { at: at("2026-09-01 10:25:20"), to: "178****5287".into() };
    let there = EReceiptPage {
        bill: Some(bill()),
        told: Some(told),
        may_ask: true,
        earlier: vec!["0011657001".into()],
        ..page(Standing::There)
    };
    let limited = EReceiptPage { bill: Some(Bill { address: None, ..bill() }), limited: true, ..page(Standing::There) };
    let void = EReceiptPage { bill: Some(bill()), red: Some(name("0090000001")), ..page(Standing::Void) };
    vec![
        sample("ereceipt-there", there),
        sample("ereceipt-limited", limited),
        sample("ereceipt-underway", page(Standing::Underway)),
        sample("ereceipt-failed", page(Standing::Failed)),
        sample("ereceipt-reversing", EReceiptPage { bill: Some(bill()), ..page(Standing::Reversing) }),
        sample("ereceipt-void", void),
        sample("ereceipt-other", page(Standing::Other)),
        sample("ereceipt-none", page(Standing::None)),
    ]
}
