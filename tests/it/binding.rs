//! 微信绑定: from the menu of the official account, the first time and bound.
use jiaofei::flow::office;
use jiaofei::flow::official::binding;
use jiaofei::flow::session;
use jiaofei::sandbox::faults::{Call, Fault, Setting};
use jiaofei::sandbox::merchants::{WECHAT_APP_ID, openid};

use super::world::app::TestApp;
use super::world::page::Page;
use super::world::phone::{Device, Phone};
use super::world::school::Student;

const TUITION: &str = "/h5/wechat/enter?to=/h5/tuition";
const BINDING: &str = "/h5/me/wechat";

/// Goes on through WeChat's own page, in whose WeChat it is.
async fn as_who(phone: &Phone, page: Page, who: &str) -> Page {
    if !page.location().contains("/connect/oauth2/authorize") {
        return phone.settle(page).await;
    }
    let asked = page.location().split('#').next().unwrap().to_owned();
    let back = phone.get(&format!("{asked}&phone={who}")).await;
    phone.open(back.location()).await
}

pub async fn tap(phone: &Phone, path: &str, who: &str) -> Page {
    let page = phone.get(path).await;
    if page.status == 303 { as_who(phone, page, who).await } else { page }
}

/// Signs in and binds the WeChat of `who`.
pub async fn bind(world: &TestApp, student: &Student, who: &str) -> Phone {
    let phone = world.phone(Device::Wechat);
    phone.sign_in(student).await;
    bind_here(&phone, who).await;
    phone
}

pub async fn bind_here(phone: &Phone, who: &str) {
    let page = tap(phone, BINDING, who).await;
    let done = phone.submit(&page.form(BINDING)).await;
    assert!(phone.settle(done).await.has("已绑定"));
}

async fn world() -> (TestApp, Student) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

async fn bindings(world: &TestApp) -> i64 {
    world.count("SELECT COUNT(*) FROM wechat_binding").await
}

#[tokio::test]
async fn the_menu_leads_to_signing_in_the_first_time_and_straight_to_the_arrears_once_bound() {
    let (world, student) = world().await;
    let first = tap(&world.phone(Device::Wechat), TUITION, "lin").await;
    assert_eq!(first.path, "/h5/login?mode=user&back=%2Fh5%2Ftuition");
    bind(&world, &student, "lin").await;
    let later = tap(&world.phone(Device::Wechat), TUITION, "lin").await;
    assert_eq!(later.path, "/h5/tuition");
    assert!(later.has("林知夏"));
}

#[tokio::test]
async fn signing_in_inside_wechat_binds_nothing_by_itself_and_a_double_tap_binds_once() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    tap(&phone, TUITION, "lin").await;
    phone.sign_in(&student).await;
    assert_eq!(bindings(&world).await, 0);
    let page = tap(&phone, BINDING, "lin").await;
    let form = page.form(BINDING);
    phone.submit(&form).await;
    phone.submit(&form).await;
    assert_eq!(bindings(&world).await, 1);
}

#[tokio::test]
async fn another_wechat_a_browser_and_a_desktop_come_in_signed_out() {
    let (world, student) = world().await;
    bind(&world, &student, "lin").await;
    let other = tap(&world.phone(Device::Wechat), TUITION, "wang").await;
    assert_eq!(other.path, "/h5/login?mode=user&back=%2Fh5%2Ftuition");
    for device in [Device::Mobile, Device::Desktop] {
        let page = world.phone(device).open(TUITION).await;
        assert_eq!(page.path, "/h5/login?mode=user&back=%2Fh5%2Ftuition");
    }
}

#[tokio::test]
async fn one_wechat_may_hold_several_payers_and_is_asked_which() {
    let (world, lin) = world().await;
    let brother = world.school.student(&world.app, 2, "林一鸣").await;
    bind(&world, &lin, "lin").await;
    bind(&world, &brother, "lin").await;
    let phone = world.phone(Device::Wechat);
    let page = tap(&phone, TUITION, "lin").await;
    assert!(page.has("选择身份") && page.has("林*夏") && page.has("林*鸣"), "{}", page.text());
    let form = page.form("/h5/wechat/enter");
    let wrong = phone.submit(&form.clone().set("payer", "999999")).await;
    assert_eq!(wrong.status, 422, "a value that names none of them asks again");
    let value = page.body().split("name=\"payer\" value=\"").nth(2).unwrap().split('"').next().unwrap().to_owned();
    let chosen = phone.submit(&form.set("payer", &value)).await;
    assert!(phone.settle(chosen).await.has("林一鸣"));
}

#[tokio::test]
async fn what_was_bound_with_document_number_and_name_sees_no_more_than_that() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in_by_id(&student).await;
    bind_here(&phone, "lin").await;
    let later = world.phone(Device::Wechat);
    tap(&later, TUITION, "lin").await;
    let me = later.open("/h5/me").await;
    assert!(me.has("您用证件号登录，只能查看和缴纳本人欠费"), "{} {}", me.path, me.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM session WHERE rights = 'full'").await, 0);
}

#[tokio::test]
async fn a_limited_sign_in_does_not_take_away_what_a_full_one_gave() {
    let (world, student) = world().await;
    bind(&world, &student, "lin").await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in_by_id(&student).await;
    let page = tap(&phone, BINDING, "lin").await;
    phone.post(BINDING, &[("csrf", page.form("/h5/settings").field("csrf").unwrap())]).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM wechat_binding WHERE rights = 'full'").await, 1);
}

#[tokio::test]
async fn unbinding_ends_it_and_nobody_else_can() {
    let (world, student) = world().await;
    let phone = bind(&world, &student, "lin").await;
    let form = phone.open(&format!("{BINDING}?asked=1")).await.form("/h5/me/wechat/unbind");
    let other = world.school.student(&world.app, 2, "王宇").await;
    let stranger = world.phone(Device::Wechat);
    stranger.sign_in(&other).await;
    let csrf = stranger.open("/h5").await.form("/h5/settings").field("csrf").unwrap().to_owned();
    stranger.submit(&form.clone().set("csrf", &csrf)).await;
    assert_eq!(bindings(&world).await, 1, "not somebody else's");
    phone.submit(&form).await;
    assert_eq!(bindings(&world).await, 0);
    let later = tap(&world.phone(Device::Wechat), TUITION, "lin").await;
    assert_eq!(later.path, "/h5/login?mode=user&back=%2Fh5%2Ftuition");
}

#[tokio::test]
async fn signing_out_everywhere_the_office_and_leaving_the_account_end_it() {
    let (world, student) = world().await;
    bind(&world, &student, "lin").await;
    session::end_all(&world.app, student.id).await.unwrap();
    let later = tap(&world.phone(Device::Wechat), TUITION, "lin").await;
    assert_eq!(later.path, "/h5/login?mode=user&back=%2Fh5%2Ftuition");
    bind(&world, &student, "lin").await;
    assert_eq!(office::unbind(&world.app, &student.number).await.unwrap(), 1);
    assert_eq!(office::unbind(&world.app, &student.number).await.unwrap(), 0);
    assert_eq!(office::unbind(&world.app, "nobody").await.unwrap_err().to_string(), "refused: not_found");
    bind(&world, &student, "lin").await;
    assert_eq!(binding::forget(&world.app, &openid(WECHAT_APP_ID, "wang")).await.unwrap(), 0);
    assert_eq!(binding::forget(&world.app, &openid(WECHAT_APP_ID, "lin")).await.unwrap(), 1);
}

#[tokio::test]
async fn the_answer_of_another_browsers_wechat_lets_nobody_in_and_binds_nothing() {
    let (world, student) = world().await;
    bind(&world, &student, "lin").await;
    let asked = world.phone(Device::Wechat).get(TUITION).await;
    let authorise = asked.location().split('#').next().unwrap().to_owned();
    let answer = world.phone(Device::Wechat).get(&format!("{authorise}&phone=lin")).await;
    let thief = world.phone(Device::Wechat);
    assert_eq!(thief.get(answer.location()).await.status, 404);
    assert_eq!(tap(&thief, TUITION, "thief").await.path, "/h5/login?mode=user&back=%2Fh5%2Ftuition");
}

#[tokio::test]
async fn a_state_and_a_code_of_wechats_count_once() {
    let (world, student) = world().await;
    bind(&world, &student, "lin").await;
    let authorise_of = async |phone: &Phone| {
        let asked = phone.get(TUITION).await;
        asked.location().split('#').next().unwrap().to_owned()
    };
    let phone = world.phone(Device::Wechat);
    let answer = phone.get(&format!("{}&phone=lin", authorise_of(&phone).await)).await;
    let spent = answer.location().to_owned();
    assert_eq!(phone.open(&spent).await.path, "/h5/tuition");
    assert_eq!(phone.get(&spent).await.status, 404, "the state was used");

    let sessions = world.count("SELECT COUNT(*) FROM session").await;
    let other = world.phone(Device::Wechat);
    let authorise = authorise_of(&other).await;
    let part = |address: &str, name: &str| {
        let rest = address.split(&format!("{name}=")).nth(1).unwrap();
        rest.split('&').next().unwrap().to_owned()
    };
    let second = spent.replace(&part(&spent, "state"), &part(&authorise, "state"));
    let page = other.open(&second).await;
    assert!(page.path.starts_with("/h5/login"), "the code was used: {}", page.path);
    assert_eq!(world.count("SELECT COUNT(*) FROM session").await, sessions);
}

#[tokio::test]
async fn without_wechats_word_the_menu_still_leads_to_its_page() {
    let (world, student) = world().await;
    bind(&world, &student, "lin").await;
    for fault in [Fault::Down, Fault::SnapshotUser] {
        let call = Some(Call::Account);
        world.sandbox.set_fault(Setting { fault, channel: None, call, times: Some(1), amount: None });
        let page = tap(&world.phone(Device::Wechat), "/h5/wechat/enter?to=/h5/help", "lin").await;
        assert_eq!((page.status, page.path.as_str()), (200, "/h5/help"), "{fault:?}");
    }
    let abroad = world.phone(Device::Wechat).get("/h5/wechat/enter?to=https:%2F%2Fevil.example%2F&asked=1").await;
    assert_eq!(abroad.location(), "/h5", "only to pages of ours");
}
