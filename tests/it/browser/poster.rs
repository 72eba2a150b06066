//! From a poster on a wall to a paid seat, by somebody the school does not know.
use jiaofei::domain::bilingual::{Bilingual, Lang};
use jiaofei::domain::poster::{NewPoster, PosterKind};
use jiaofei::flow::post;
use jiaofei::flow::poster::desk;
use jiaofei::web::paper::Kind;
use jiaofei::web::print;
use jiaofei::web::view::poster::Size;

use super::stage::{self, Payer};
use super::window::artefacts;
use crate::enrolling::programme_of;
use crate::messages::sending;
use crate::voucher::scanned;

const MOBILE: &str = "13900001111";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poster_leads_a_person_from_outside_through_signing_up_and_enrolling_to_a_paid_seat() {
    let Some(stage) = stage::set_with(async || sending(|_| {}).await).await else { return };
    let world = &stage.world;
    let row = "CALL,书法短期班,Calligraphy course,继续教育学院,周末授课。,agency,2026,380,30,,,48,,\n";
    programme_of(world, row).await;
    let new = NewPoster {
        kind: PosterKind::Programme,
        about: "CALL".to_owned(),
        items: Vec::new(),
        title: Bilingual::new("书法短期班报名", "Calligraphy course"),
        lang: Lang::Zh,
        expires_at: None,
    };
    let poster = desk::issue(&world.app, &new).await.unwrap();
    let png = print::poster(&world.app, &poster, Size::A5, Kind::Png).await.unwrap();
    let folder = artefacts().join("browser");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("poster.png"), &png).unwrap();

    let window = stage.wechat("he").await;
    window.goto(&scanned(&png)).await;
    window.see("书法短期班").await;
    window.press("外校人员注册后报名").await;
    window.fill("#ph", MOBILE).await;
    window.press("获取验证码").await;
    window.see("139****1111").await;
    post::run_once(&world.app).await.unwrap();
    let text = world.sandbox.postbox().of(MOBILE).pop().unwrap().text;
    window.fill("#cd", &text.split("验证码 ").nth(1).unwrap()[..6]).await;
    window.click("form [type=submit].btn").await;
    window.fill("#nm", "何知远").await;
    choose(&window, "#dc", "resident_id").await;
    window.fill("#no", "11010519491231002X").await;
    choose(&window, "#gd", "male").await;
    window.fill("#np", "Kaleidos7!").await;
    window.fill("#ag", "Kaleidos7!").await;
    choose(&window, "#qu", "first_concert").await;
    window.fill("#an", "兰州 2019").await;
    window.click("form [type=submit].btn").await;
    window.see("报名信息").await;
    window.click("form[action*='/h5/enrol/'] [type=submit]").await;
    window.see("已报名待缴费").await;
    window.click("form[action='/h5/checkout'] [type=submit]").await;
    window.arrive("/h5/cashier/").await;
    window.click("[form=pf]").await;
    stage.in_wechat(&window, "he", Payer::Pays).await;
    window.see("缴费成功").await;
    assert_eq!((stage.orders().await, stage.paid().await), (1, 1));
    let (_, came) = desk::list(&world.app, Some(&poster.poster_no)).await.unwrap().pop().unwrap();
    assert_eq!((came.scans, came.orders, came.paid_orders, came.paid.get()), (1, 1, 1, 38_000));
    assert_eq!(window.complaints().await, [""; 0]);
}

/// Chooses one of a list by its value.
async fn choose(window: &super::window::Window, css: &str, value: &str) {
    window.click(&format!("{css} option[value={value}]")).await;
}
