//! The sandbox's own phone, in the hands of somebody with nothing but a desktop's browser.
use super::stage::{self, Stage};
use super::window::{Window, artefacts};
use crate::official_account::wanted;
use crate::world::phone::Device;

/// The named button of the payer's sheet, which WeChat and Alipay draw over a page.
fn on_sheet(name: &str) -> String {
    format!(
        "const sheet = document.querySelector('#sandbox-sheet');
         return sheet && sheet.shadowRoot.querySelector('button[name={name}]')"
    )
}

async fn keep(window: &Window, name: &str) {
    let folder = artefacts().join("browser");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.png")), window.picture().await).unwrap();
}

/// Takes an app of the phone in front into one's hand.
async fn take(window: &Window, phone: &str, app: &str) {
    window.leave().await;
    let (words, button) = (format!("手机 {}", phone.trim_start_matches('p')), format!("#apps [data-app={app}]"));
    window.press(&words).await;
    window.click(&button).await;
}

async fn look_into(window: &Window, phone: &str, app: &str) {
    window.enter(&format!("iframe[data-phone={phone}][data-app={app}]")).await;
}

async fn scan_the_other_screen(window: &Window) {
    window.leave().await;
    window.click("#scan").await;
    window.click("#scan-phones").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_one_page_a_computers_code_is_scanned_cancelled_in_wechat_and_paid_in_alipay() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let window = stage.open(Device::Desktop).await;
    window.resize(1280, 1000).await;
    window.goto(&stage.world.sandbox_url).await;
    take(&window, "p2", "desktop").await;
    look_into(&window, "p2", "desktop").await;
    stage.sign_in_here(&window, &student).await;
    stage.on_to_cashier(&window, &student).await;
    keep(&window, "sandbox-phone-desktop").await;

    take(&window, "p1", "wechat").await;
    scan_the_other_screen(&window).await;
    look_into(&window, "p1", "wechat").await;
    window.see("您正在为 刘*宇 缴费").await;
    keep(&window, "sandbox-phone-scanned").await;
    window.click("[form=pf]").await;
    window.click_what(&on_sheet("wrong-password")).await;
    window.wait_for("return document.querySelector('#sandbox-sheet').shadowRoot.textContent.includes('密码')").await;
    keep(&window, "sandbox-phone-sheet").await;
    window.click_what(&on_sheet("cancel")).await;
    window.see("没有从您的账户扣款").await;

    take(&window, "p1", "alipay").await;
    scan_the_other_screen(&window).await;
    look_into(&window, "p1", "alipay").await;
    window.click("[form=pf]").await;
    window.click_what(&on_sheet("pay")).await;
    window.see("缴费成功").await;
    keep(&window, "sandbox-phone-paid").await;

    take(&window, "p2", "desktop").await;
    look_into(&window, "p2", "desktop").await;
    window.see("缴费成功").await;
    window.leave().await;
    window.see("9,100.00").await;
    assert_eq!((stage.orders().await, stage.paid().await), (1, 1));
    let mut complaints = window.complaints().await;
    // a wrong password is answered by 409
    complaints.retain(|text| !text.contains("/control/wrong-password"));
    assert_eq!(complaints, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_pays_and_closes_the_app_finds_the_payment_booked_next_time() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let window = stage.open(Device::Mobile).await;
    let tab = |app: &str| format!("{}/as/{app}/liu/h5", stage.world.sandbox_url);
    window.goto(&tab("wechat")).await;
    stage.sign_in_here(&window, &student).await;
    stage.on_to_cashier(&window, &student).await;
    window.click("[form=pf]").await;
    window.click_what(&on_sheet("pay-and-close")).await;
    window.see("App 已关闭").await;
    settled(&stage).await;
    window.goto(&tab("wechat")).await;
    window.see("250.00").await;
    window.press("已缴费").await;
    window.see("9,100.00").await;
    assert_eq!(window.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_phones_yunshanfu_a_form_leads_to_unionpays_page_and_another_one_back() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let window = stage.open(Device::Desktop).await;
    window.resize(1280, 1000).await;
    window.goto(&stage.world.sandbox_url).await;
    take(&window, "p1", "unionpay").await;
    look_into(&window, "p1", "unionpay").await;
    stage.sign_in_here(&window, &student).await;
    stage.on_to_cashier(&window, &student).await;
    window.click("[form=pf]").await;
    window.see("银联在线支付（沙箱）").await;
    keep(&window, "sandbox-phone-unionpay").await;
    window.press("确认付款").await;
    window.press("返回商户").await;
    window.see("缴费成功").await;
    keep(&window, "sandbox-phone-unionpay-paid").await;
    assert_eq!((stage.orders().await, stage.paid().await), (1, 1));
    assert_eq!(window.complaints().await, [""; 0]);
}

/// The notice comes by itself, with no page left to ask.
async fn settled(stage: &Stage) {
    for _ in 0..200 {
        if stage.paid().await == 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no notice settled the order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_asks_in_words_and_is_led_to_what_is_owed() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let window = stage.open(Device::Desktop).await;
    window.resize(1280, 1000).await;
    window.goto(&stage.world.sandbox_url).await;
    take(&window, "p1", "wechat").await;
    window.click("#talk summary").await;
    window.click("#follow").await;
    window.see("欢迎关注启明大学").await;
    window.fill("#words", "缴费").await;
    window.click("#send").await;
    window.wait_for("return document.querySelectorAll('#lines .account').length === 2").await;
    keep(&window, "sandbox-phone-conversation").await;
    window.click("#lines p:last-child .link").await;
    look_into(&window, "p1", "wechat").await;
    window.fill("#un", &student.number).await;
    window.fill("#pw", student.password()).await;
    window.click("form [type=submit].btn").await;
    window.see("8,000.00").await;
    window.leave().await;
    window.click("#unfollow").await;
    window.wait_for("return !document.querySelector('#follow').hidden").await;
    assert_eq!(window.complaints().await, [""; 0]);
}

/// Taps 学费缴费 in the account's menu and looks at what it opens.
async fn tap_the_menu(window: &Window) {
    window.leave().await;
    window.press("≡ 缴费入口").await;
    window.press("学费缴费").await;
    look_into(window, "p1", "wechat").await;
}

/// Pays what is selected among the arrears.
async fn pay(window: &Window) {
    window.click("#go").await;
    window.see("剩余支付时间").await;
    window.click("[form=pf]").await;
    window.click_what(&on_sheet("pay")).await;
    window.see("缴费成功").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_menu_leads_to_a_paid_order_the_first_time_and_signed_in_once_wechat_is_bound() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    jiaofei::flow::official::menu::push(&stage.world.app, &wanted(&stage.world)).await.unwrap();
    let window = stage.open(Device::Desktop).await;
    window.resize(1280, 1000).await;
    window.goto(&stage.world.sandbox_url).await;
    take(&window, "p1", "wechat").await;
    tap_the_menu(&window).await;
    window.fill("#un", &student.number).await;
    window.fill("#pw", student.password()).await;
    window.click("form [type=submit].btn").await;
    window.see("8,000.00").await;
    window.click(&format!("#f{}", student.insurance)).await;
    pay(&window).await;

    window.press("返回首页").await;
    window.press("我的").await;
    window.press("微信绑定").await;
    window.press("绑定这个微信").await;
    window.see("已绑定").await;
    window.leave().await;
    window.press("我的").await;
    look_into(&window, "p1", "wechat").await;
    window.press("退出登录").await;
    window.see("已退出登录").await;

    tap_the_menu(&window).await;
    window.see("250.00").await;
    pay(&window).await;
    assert_eq!((stage.orders().await, stage.paid().await), (2, 2));
    assert_eq!(window.complaints().await, [""; 0]);
}
