//! Paying on one's own phone, as a person sees it.
use super::stage::{self, Payer, Stage};
use super::window::Window;
use crate::world::phone::Device;

/// What stands on the page after a payment.
async fn see_it_paid(stage: &Stage, window: &Window, amount: &str) {
    window.see("缴费成功").await;
    assert!(window.text().await.contains(amount), "{}", window.text().await);
    assert_eq!((stage.orders().await, stage.paid().await), (1, 1));
    assert_eq!(window.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_student_pays_part_of_the_tuition_inside_wechat() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let window = stage.wechat("liu").await;
    stage.sign_in(&window, &student).await;
    window.see("9,350.00").await;
    stage.to_tuition(&window).await;
    assert_eq!(window.text_of("#go").await, "缴费 3 项", "all selected by default");
    assert_eq!(window.text_of("#sum").await, "¥9,350.00");
    assert_eq!(window.text_of("#why").await, "所选项目分属 2 个收款方，将依次分 2 笔支付");

    window.click(&format!("#f{}", student.insurance)).await;
    assert_eq!((window.text_of("#go").await, window.text_of("#why").await), ("缴费 2 项".into(), String::new()));
    window.click("a.ed").await;
    for (typed, answer) in [
        ("abc", "请输入金额，最多两位小数"),
        ("8000.01", "不能超过欠费金额 8,000.00 元"),
        ("499.99", "单次最少缴 500.00 元"),
        ("7600", "剩余 400.00 元低于最小拆分金额 500.00 元，请改为全额或调低"),
    ] {
        window.fill("#ea", typed).await;
        window.press("确定").await;
        assert_eq!(window.text_of("#ee").await, answer);
    }
    window.fill("#ea", "￥５，０００").await;
    window.press("确定").await;
    assert_eq!(window.text_of("#sum").await, "¥6,100.00");
    window.see("欠 8,000.00，余 3,000.00").await;

    window.click("#go").await;
    window.arrive("/h5/cashier/").await;
    window.see("启明大学财务处").await;
    window.click("[form=pf]").await;
    stage.in_wechat(&window, "liu", Payer::Pays).await;
    see_it_paid(&stage, &window, "6,100.00").await;
    window.press("返回首页").await;
    window.see("3,250.00").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_cancelled_inside_wechat_is_taken_up_again_on_the_same_order() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let window = stage.wechat("liu").await;
    stage.to_cashier(&window, &student).await;
    window.click("[form=pf]").await;
    stage.in_wechat(&window, "liu", Payer::Cancels).await;
    window.see("支付未完成").await;
    window.see("没有从您的账户扣款").await;
    window.press("重新支付").await;
    window.arrive("/h5/cashier/").await;
    window.click("[form=pf]").await;
    stage.in_wechat(&window, "liu", Payer::Pays).await;
    see_it_paid(&stage, &window, "9,100.00").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_browser_pays_at_wechats_own_page_and_comes_back() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let window = stage.open(Device::Mobile).await;
    stage.to_cashier(&window, &student).await;
    window.click("input[value=wechat]").await;
    window.click("[form=pf]").await;
    window.see("微信支付（沙箱）").await;
    window.see("¥9,100.00").await;
    window.press("立即支付").await;
    window.arrive("/h5/result/").await;
    see_it_paid(&stage, &window, "9,100.00").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_browser_pays_at_unionpays_own_page_and_comes_back() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let window = stage.open(Device::Mobile).await;
    stage.to_cashier(&window, &student).await;
    window.click("input[value=unionpay]").await;
    window.click("[form=pf]").await;
    window.see("银联在线支付（沙箱）").await;
    window.see("¥9,100.00").await;
    window.press("密码错误").await;
    window.see("密码错误，请重新输入").await;
    window.press("确认付款").await;
    window.see("支付成功").await;
    window.press("返回商户").await;
    window.arrive("/h5/result/").await;
    see_it_paid(&stage, &window, "9,100.00").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_browser_pays_at_alipays_own_page_and_comes_back() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let window = stage.open(Device::Mobile).await;
    stage.to_cashier(&window, &student).await;
    window.click("input[value=alipay]").await;
    assert_eq!(window.text_of("[form=pf]").await, "支付宝 ¥9,100.00", "the button names the way");
    window.click("[form=pf]").await;
    window.see("支付宝（沙箱）").await;
    window.press("确认付款").await;
    window.arrive("/h5/result/").await;
    see_it_paid(&stage, &window, "9,100.00").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_selection_of_two_payees_is_paid_by_two_payments_one_after_the_other() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let window = stage.wechat("liu").await;
    stage.sign_in(&window, &student).await;
    stage.to_tuition(&window).await;
    window.click("#go").await;
    window.see("第 1 笔，共 2 笔").await;
    window.see("9,100.00").await;
    window.click("[form=pf]").await;
    stage.in_wechat(&window, "liu", Payer::Pays).await;
    window.see("缴费成功").await;
    window.press("还有 1 笔").await;
    window.see("第 2 笔，共 2 笔").await;
    window.see("启明大学后勤集团").await;
    window.click("[form=pf]").await;
    stage.in_wechat(&window, "liu", Payer::Pays).await;
    window.see("缴费成功").await;
    assert!(window.text().await.contains("250.00"));
    assert_eq!((stage.orders().await, stage.paid().await, stage.attempts().await), (2, 2, 2));
    window.press("返回首页").await;
    window.see("费用都缴清了").await;
    assert_eq!(window.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn double_taps_going_back_and_reloading_neither_order_nor_pay_twice() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let window = stage.wechat("liu").await;
    stage.sign_in(&window, &student).await;
    stage.to_tuition(&window).await;
    window.click(&format!("#f{}", student.insurance)).await;
    window.script("const go = document.querySelector('#go'); go.click(); go.click(); go.click()").await;
    window.arrive("/h5/cashier/").await;
    window.back().await;
    window.see("支付中").await;
    window.press("去支付").await;
    window.arrive("/h5/cashier/").await;
    window.reload().await;
    window.see("9,100.00").await;
    assert_eq!(stage.orders().await, 1);

    window.script("const pay = document.querySelector('[form=pf]'); pay.click(); pay.click()").await;
    window.wait_for("return window.asked && window.asked.length > 0").await;
    window.reload().await;
    window.wait_for("return window.asked && window.asked.length > 0").await;
    window.back().await;
    window.see("9,100.00").await;
    window.click("[form=pf]").await;
    stage.in_wechat(&window, "liu", Payer::Pays).await;
    see_it_paid(&stage, &window, "9,100.00").await;
    assert_eq!(stage.attempts().await, 1);

    window.reload().await;
    window.see("缴费成功").await;
    window.back().await;
    window.see("缴费成功").await;
    assert_eq!((stage.orders().await, stage.attempts().await), (1, 1));
    assert_eq!(stage.world.count("SELECT COUNT(*) FROM receipt").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_up_to_a_paid_result_works_with_scripts_switched_off() {
    let Some(stage) = stage::set().await else { return };
    let student = stage.world.school.student(&stage.world.app, 1, "刘晓宇").await;
    let window = stage.open(Device::Mobile).await;
    window.without_script().await;
    stage.sign_in(&window, &student).await;
    stage.to_tuition(&window).await;
    window.click("a.ed").await;
    window.arrive("/amount").await;
    window.fill("#ea", "7600").await;
    window.press("确定").await;
    window.see("剩余 400.00 元低于最小拆分金额 500.00 元").await;
    window.fill("#ea", "5000").await;
    window.press("确定").await;
    window.see("欠 8,000.00，余 3,000.00").await;
    window.click(&format!("#f{}", student.insurance)).await;
    window.click("#go").await;
    window.arrive("/h5/cashier/").await;
    window.see("6,100.00").await;
    window.click("input[value=wechat]").await;
    window.click("[form=pf]").await;
    window.press("打开微信支付").await;
    window.see("微信支付（沙箱）").await;
    window.press("立即支付").await;
    window.arrive("/h5/result/").await;
    see_it_paid(&stage, &window, "6,100.00").await;
}
