//! Announcements, help, and what to do when a payment went wrong.
use super::kit::{Sample, at, order, outside, owner, sample, signed_in};
use crate::domain::announcement::Announcement;
use crate::domain::bilingual::Bilingual;
use crate::domain::ids::AnnouncementId;
use crate::domain::money::Fen;
use crate::domain::profile::BankCard;
use crate::domain::trade::Channel;
use crate::web::html::Frame;
use crate::web::view::account::FormProblem;
use crate::web::view::filter::{Listing, Pages};
use crate::web::view::help::{Contact, Help};
use crate::web::view::links;
use crate::web::view::news::{News, OneAnnouncement};
use crate::web::view::part::Surplus;
use crate::web::view::profile::{CardPage, ProfilePage, WrongCardFields, WrongFields};
use crate::web::view::trouble::{Stands, Trouble};

pub fn all(frame: &Frame) -> Vec<Sample> {
    [news(frame), help(frame), troubles(frame), profiles(frame)].into_iter().flatten().collect()
}

pub fn announcement() -> Announcement {
    Announcement {
        id: AnnouncementId(7),
        department: Bilingual::new("财务处", "Finance Office"),
        title: Bilingual::new("2026–2027 学年学费开始缴纳", "Tuition for 2026–2027 can be paid now"),
        body: Bilingual::new(
            "请于 9 月 30 日前缴清学费、住宿费。\n\n<b>缴费前</b>请核对收款方名称与金额。\n咨询电话 0931-555 0100。",
            "Please pay tuition and accommodation by 30 September.\n\nCompare the payee's name and the amount first.",
        ),
        pinned: true,
        published_at: at("2026-08-28 09:00:00"),
    }
}

fn news(frame: &Frame) -> Vec<Sample> {
    let frame = Frame { person: None, care: frame.care, ..outside(frame.lang) };
    let other = Announcement {
        id: AnnouncementId(6),
        department: Bilingual::default(),
        title: Bilingual::new("暑期值班安排", ""),
        body: Bilingual::new("每周三上午。", ""),
        pinned: false,
        published_at: at("2026-07-10 09:00:00"),
    };
    let list = |shown| News {
        frame: frame.clone(),
        shown,
        unread: Vec::new(),
        list: Listing::whole(links::NEWS),
        pages: Pages { page: 1, total: 2 },
    };
    vec![
        sample("news", News { unread: vec![announcement().id], ..list(vec![announcement(), other.clone()]) }),
        sample("news-more", News { pages: Pages { page: 2, total: 45 }, ..list(vec![other.clone()]) }),
        sample("news-none", News { pages: Pages { page: 1, total: 0 }, ..list(Vec::new()) }),
        sample("announcement", OneAnnouncement { frame: frame.clone(), one: announcement() }),
        sample("announcement-plain", OneAnnouncement { frame: frame.clone(), one: other }),
    ]
}

fn help(frame: &Frame) -> Vec<Sample> {
    let frame = Frame { person: None, care: frame.care, ..outside(frame.lang) };
    let contact = Contact {
        name: Bilingual::new("学生收费科", "Student fees"),
        phone: "0931-555 0101".into(),
        hours: Bilingual::new("工作日 8:30–17:30", "weekdays 8:30–17:30"),
    };
    let plain = Contact { name: Bilingual::new("后勤集团", ""), hours: Bilingual::default(), ..contact.clone() };
    vec![
        sample("help", Help { frame: frame.clone(), contacts: vec![contact, plain] }),
        sample("help-no-contacts", Help { frame: Frame { phone: String::new(), ..frame }, contacts: Vec::new() }),
    ]
}

fn troubles(frame: &Frame) -> Vec<Sample> {
    let view = |stands| Trouble { frame: signed_in(frame), viewer: owner(), order: order(), stands, surplus: None };
    let twice = Surplus { amount: Fen::new(909_995), channel: Channel::Alipay, returned_at: None };
    vec![
        sample("trouble-unpaid", view(Stands::Unpaid)),
        sample("trouble-unsure", view(Stands::Unsure)),
        sample("trouble-paid", view(Stands::Paid { receipt_no: Some("000011".into()) })),
        sample("trouble-paid-twice", Trouble { surplus: Some(twice), ..view(Stands::Paid { receipt_no: None }) }),
        sample("trouble-review", view(Stands::UnderReview)),
        sample("trouble-closed", view(Stands::Closed)),
    ]
}

fn profiles(frame: &Frame) -> Vec<Sample> {
    let profile = |wrong, password| ProfilePage {
        frame: signed_in(frame),
        phone: "178****5287".into(),
        email: "l***a@example.edu".into(),
        postcode: "730050".into(),
        street: "兰州市七里河区 \"><i>".into(),
        back: String::new(),
        wrong,
        password,
        captcha: None,
    };
    let typed = WrongFields { phone: true, email: true, postcode: true, street: true };
    let card = |kept, wrong, password| CardPage {
        frame: signed_in(frame),
        kept,
        bank: String::new(),
        holder: "林知夏".into(),
        wrong,
        password,
        captcha: None,
    };
    let kept = BankCard::new("4111111111111111", "中国工商银行", "林知夏");
    let wrong_card = WrongCardFields { number: true, bank: true, holder: true };
    let wrong_password = Some(FormProblem::Wrong { tries_left: Some(2) });
    vec![
        sample("profile", profile(WrongFields::default(), None)),
        sample("profile-wrong", profile(typed, None)),
        sample("profile-password", profile(WrongFields::default(), Some(FormProblem::Empty))),
        sample("card", card(None, WrongCardFields::default(), None)),
        sample("card-kept", card(kept, WrongCardFields::default(), wrong_password)),
        sample("card-wrong", card(None, wrong_card, None)),
    ]
}
