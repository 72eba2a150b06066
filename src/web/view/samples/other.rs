//! 其他缴费, batch by batch.
use super::kit::{Sample, agency_payee, at, charge, sample, signed_in, this_year};
use crate::domain::bilingual::Bilingual;
use crate::domain::charge::Charge;
use crate::domain::fee::{FeeKind, Fund, Unpayable, Window};
use crate::domain::ids::ChargeId;
use crate::domain::money::Fen;
use crate::domain::order_no::OrderNo;
use crate::domain::refusal::Refusal;
use crate::web::html::Frame;
use crate::web::view::other::{Batch, Other};
use crate::web::view::tuition::{FeeRow, RowState};

fn fee(id: i64, name: Bilingual, fen: i64, window: (&str, &str)) -> Charge {
    let mut charge = charge(id, name, this_year(), (fen, 0));
    charge.item.kind = FeeKind::Other;
    charge.item.payee_code = "agency".into();
    charge.item.window = Window { opens_at: Some(at(window.0)), closes_at: Some(at(window.1)) };
    charge
}

fn row(charge: Charge, state: RowState) -> FeeRow {
    FeeRow { charge, fund: Fund::Agency, payee: agency_payee(), state }
}

fn payable(charge: Charge) -> FeeRow {
    let amount = charge.balance.arrears();
    row(charge, RowState::Payable { selected: true, amount })
}

fn batch(key: &str, name: &str, rows: Vec<FeeRow>, chosen: bool) -> Batch {
    Batch { key: key.into(), name: name.into(), period: this_year(), rows, chosen }
}

pub fn all(frame: &Frame) -> Vec<Sample> {
    let open = ("2026-08-20 00:00:00", "2026-10-01 00:00:00");
    let check = || fee(21, Bilingual::new("体检费", "Health check"), 6_500, open);
    let mut books = fee(22, Bilingual::new("教材费", "Textbooks"), 41_860, open);
    books.item.min_split = Some(Fen::new(10_000));
    let changed = row(books.clone(), RowState::Payable { selected: true, amount: Fen::new(20_000) });
    let uniform = fee(23, Bilingual::new("军训服装费", "Training uniform"), 23_800, ("2026-09-15 10:00:00", open.1));
    let over = ("2026-06-01 00:00:00", "2026-08-28 00:00:00");
    let conference = fee(24, Bilingual::new("会议费", "Conference fee"), 80_000, over);
    let soon = RowState::Closed(Unpayable::NotYet(at("2026-09-15 10:00:00")));
    let late = RowState::Closed(Unpayable::Over(at("2026-08-28 00:00:00")));
    let order_no = OrderNo::parse("PT260901QMU000052").expect("well formed");
    let waiting = RowState::InOrder { order_no: order_no.clone(), expires_at: at("2026-09-01 10:36:42") };
    let view = |batches| Other {
        frame: signed_in(frame),
        checkout_id: "ch3ck0ut".into(),
        batches,
        several: false,
        problem: None,
        amounts: Vec::new(),
    };
    let batches = |first: FeeRow| {
        vec![
            batch("other:2025", "", vec![first, payable(check())], true),
            batch("batch:秋季第一批", "秋季第一批", vec![payable(check())], false),
            batch("other:2026", "", vec![row(uniform.clone(), soon.clone())], false),
            batch("batch:夏季会议", "夏季会议", vec![row(conference.clone(), late.clone())], false),
        ]
    };
    let in_order = vec![batch("other:2025", "", vec![row(check(), waiting)], true)];
    let closed = vec![batch("other:2026", "", vec![row(uniform.clone(), soon.clone())], false)];
    vec![
        sample("other", view(batches(payable(books)))),
        sample(
            "other-refused",
            Other {
                problem: Some(Refusal::OneBatch),
                amounts: vec![(ChargeId(22), Fen::new(20_000))],
                ..view(batches(changed))
            },
        ),
        sample(
            "other-in-order",
            Other { problem: Some(Refusal::InAnotherOrder { order_no }), several: true, ..view(in_order) },
        ),
        sample("other-closed", view(closed)),
        sample("other-clear", view(Vec::new())),
    ]
}
