//! 功能开放: what a school does not offer, or not yet, is said politely or is not there at all.
use jiaofei::config::Config;
use jiaofei::domain::bilingual::Bilingual;
use jiaofei::domain::module::{Module, Opening};

use crate::enrolling::programme_of;
use crate::world::app::TestApp;
use crate::world::map::routes;
use crate::world::phone::{Device, Phone};

/// The modules that have pages, and how their paths begin.
const PAGES: [(Module, &[&str]); 7] = [
    (Module::OtherFees, &["/h5/other"]),
    (Module::LivingFees, &["/h5/living"]),
    (Module::Enrolment, &["/h5/enrol"]),
    (Module::Recovery, &["/h5/forgot"]),
    (Module::BankCard, &["/h5/me/card"]),
    (Module::International, &["/h5/international", "/h5/studies"]),
    (Module::PayForMe, &["/h5/pay-for-me", "/for/"]),
];

fn set(opening: Opening) -> impl FnOnce(&mut Config) {
    move |config| PAGES.iter().for_each(|(module, _)| config.school.modules.set(*module, opening))
}

/// Method and path of every page of every module.
fn paths() -> Vec<(&'static str, String)> {
    let ours = |pattern: &str| PAGES.iter().any(|(_, heads)| heads.iter().any(|head| pattern.starts_with(head)));
    let fill =
        [("programme_id", "1"), ("enrolment_id", "1"), ("service", "electricity"), ("pay_link_id", "1"), ("code", "x")];
    let found: Vec<_> = routes().into_iter().filter(|route| ours(&route.pattern)).collect();
    assert!(found.len() >= 12, "{found:?}");
    found.into_iter().map(|route| (route.method, route.path(&fill))).collect()
}

async fn csrf(phone: &Phone) -> String {
    phone.open("/h5").await.form("/h5/settings").field("csrf").unwrap().to_owned()
}

async fn ask(phone: &Phone, method: &str, path: &str, csrf: &str) -> crate::world::page::Page {
    if method == "GET" { phone.get(path).await } else { phone.post(path, &[("csrf", csrf)]).await }
}

#[tokio::test]
async fn a_module_that_is_not_open_yet_says_so_to_every_page_and_form_and_whom_to_call() {
    let world = TestApp::start_with(set(Opening::Closed)).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    programme_of(&world, "CET,英语四级,CET-4,教务处,,agency,2026,200,9,,,2,,\n").await;
    let stranger = world.phone(Device::Wechat);
    let signed = world.phone(Device::Wechat);
    signed.sign_in(&student).await;
    for phone in [&stranger, &signed] {
        let csrf = csrf(phone).await;
        for (method, path) in paths() {
            let page = ask(phone, method, &path, &csrf).await;
            assert_eq!(page.status, 404, "{method} {path}: nothing was done, so nothing like success");
            assert!(page.has("暂未开放") && page.has("请联系财务处"), "{method} {path}: {}", page.text());
            assert!(page.links().contains(&"tel:09315550100".to_owned()), "{path}");
            assert!(!page.has("英语四级"));
        }
    }
    assert!(stranger.get("/h5/enrol?lang=en").await.has("Enrolment: not open yet"));
}

#[tokio::test]
async fn its_entries_stay_and_say_it_too() {
    let world = TestApp::start_with(set(Opening::Closed)).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Wechat);
    let login = phone.get("/h5/login").await;
    for path in ["/h5/forgot", "/h5/enrol", "/h5/international"] {
        assert!(login.links().contains(&path.to_owned()), "{path}");
    }
    assert_eq!(login.text().matches("暂未开放").count(), 3, "{}", login.text());
    phone.sign_in(&student).await;
    assert!(phone.get("/h5").await.has("报名 暂未开放") || phone.get("/h5").await.has("报名暂未开放"));
    assert!(phone.get("/h5/me").await.has("银行卡 暂未开放"));
}

#[tokio::test]
async fn a_module_that_is_hidden_has_no_entry_and_is_not_there() {
    let world = TestApp::start_with(set(Opening::Hidden)).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Wechat);
    let login = phone.get("/h5/login").await;
    phone.sign_in(&student).await;
    let pages = [login, phone.get("/h5").await, phone.get("/h5/me").await];
    for page in &pages {
        assert!(!page.has("暂未开放"), "{}", page.text());
        let leads = |link: &String| PAGES.iter().any(|(_, heads)| heads.iter().any(|head| link.starts_with(head)));
        assert!(!page.links().iter().any(leads), "{}: {:?}", page.path, page.links());
    }
    let csrf = csrf(&phone).await;
    for (method, path) in paths() {
        let page = ask(&phone, method, &path, &csrf).await;
        assert_eq!(page.status, 404, "{method} {path}");
        assert!(page.has("没有这个页面"), "{path}: {}", page.text());
    }
}

#[tokio::test]
async fn the_school_may_say_in_its_own_words_what_to_do_instead() {
    let note = Bilingual::new("考试报名请到教务处办理。", "Enrol for exams at the academic affairs office.");
    let world = TestApp::start_with(|config| {
        config.school.modules.set_noted(Module::Enrolment, Opening::Closed, note);
    })
    .await;
    let phone = world.phone(Device::Wechat);
    assert!(phone.get("/h5/enrol").await.has("考试报名请到教务处办理。"));
    assert!(phone.get("/h5/enrol/7?lang=en").await.has("Enrol for exams at the academic affairs office."));
    assert_eq!(phone.get("/h5/forgot").await.status, 200, "the others stay open");
}
