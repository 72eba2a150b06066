//! 微信绑定: the door of the menu and the page that binds.
use super::kit::{Sample, at, outside, sample};
use crate::domain::ids::BindingId;
use crate::domain::payer::PayerKind;
use crate::flow::official::binding::Bound;
use crate::web::html::Frame;
use crate::web::view::login::Identity;
use crate::web::view::wechat::{Bindings, BindingsDone, Entrance};

pub fn all(frame: &Frame) -> Vec<Sample> {
    let identity = |value: &str, kind, number: &str, unit: &str| Identity {
        value: value.into(),
        kind,
        number: number.into(),
        unit: unit.into(),
    };
    let entrance = |problem| Entrance {
        frame: Frame { care: frame.care, ..outside(frame.lang) },
        identities: vec![
            identity("7", PayerKind::Student, "林*夏 2023****0417", "计算机学院 · 软件工程 2301 班"),
            identity("9", PayerKind::Newcomer, "林* 2699****", ""),
        ],
        problem,
        to: "/h5/tuition?x=\"><script>".into(),
    };
    let page = |bound: &[(i64, bool)]| Bindings {
        frame: frame.clone(),
        here: true,
        known: true,
        limited: false,
        told: true,
        bound: bound.iter().map(|(id, is_this)| one(*id, *is_this)).collect(),
        done: None,
    };
    vec![
        sample("entrance", entrance(false)),
        sample("entrance-none", entrance(true)),
        sample("wechat-none", page(&[])),
        sample("wechat-bound", Bindings { done: Some(BindingsDone::Bound), ..page(&[(7, true), (8, false)]) }),
        sample("wechat-unbound", Bindings { done: Some(BindingsDone::Unbound), ..page(&[(8, false)]) }),
        sample("wechat-unknown", Bindings { known: false, done: Some(BindingsDone::Unknown), ..page(&[]) }),
        sample("wechat-elsewhere", Bindings { here: false, known: false, ..page(&[(8, false)]) }),
        sample("wechat-limited", Bindings { limited: true, told: false, ..page(&[(7, true)]) }),
    ]
}

fn one(id: i64, is_this: bool) -> Bound {
    Bound { id: BindingId(id), is_this, created_at: at("2026-09-01 10:20:00") }
}
