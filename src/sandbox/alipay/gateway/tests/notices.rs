//! Notices: their fields, their signature, their timetable, and what counts as received.
use super::*;
use crate::domain::trade::Channel;
use crate::sandbox::faults::{Fault, Setting};
use crate::sandbox::server::stage::Got;
use crate::sandbox::world::Switches;

/// The fields of a notice in UTF-8; panics unless its signature fits by the reading of the application's SDK.
fn heard(got: &Got) -> Fields {
    assert!(fits(&got.body), "a notice is rightly signed");
    form_urlencoded::parse(&got.body).into_owned().collect()
}

fn fits(body: &[u8]) -> bool {
    let (source, sign, sign_type) = alipay_sdk_rust::util::get_async_callback_msg_source(body).unwrap();
    sign_type == "RSA2" && alipay_signed(source.as_bytes(), &sign)
}

async fn paid(stage: &Stage, no: &str) {
    create(stage, no).await.node();
    stage.world.pay(Channel::Alipay, no, "lin").unwrap();
}

async fn refund(stage: &Stage, no: &str, amount: &str) {
    let biz = json!({
        "out_trade_no": "A1", "out_request_no": no, "refund_amount": amount, "refund_reason": "多缴退费",
    });
    call(stage, "alipay.trade.refund", &biz).await.node();
}

#[tokio::test]
async fn a_payment_is_told_with_every_field_alipay_names() {
    let stage = Stage::start().await;
    let mut order = app_order(&stage, "A1");
    order["subject"] = json!("学费+住宿费 100% <b>\"}𠮷;");
    order["body"] = json!("2026 学年");
    order["passback_params"] = json!("a%3D1%26b");
    call_with(&stage, "alipay.trade.create", &order, &[("notify_url", &stage.inbox_url)]).await.node();
    stage.world.pay(Channel::Alipay, "A1", "lin").unwrap();
    assert!(stage.world.deliver_due().await[0].received);
    let got = &stage.inbox.all()[0];
    assert_eq!(got.headers["content-type"], "application/x-www-form-urlencoded; charset=utf-8");
    let fields = heard(got);
    for (name, value) in [
        ("notify_time", "2026-09-01 12:00:00"),
        ("notify_type", "trade_status_sync"),
        ("app_id", ALIPAY_APP_FISCAL),
        ("auth_app_id", ALIPAY_APP_FISCAL),
        ("charset", "utf-8"),
        ("version", "1.0"),
        ("out_trade_no", "A1"),
        ("buyer_id", &alipay_user("lin")),
        ("buyer_logon_id", "lin***@sandbox.example"),
        ("seller_id", ALIPAY_SELLER_FISCAL),
        ("trade_status", "TRADE_SUCCESS"),
        ("total_amount", "8000.00"),
        ("receipt_amount", "8000.00"),
        ("invoice_amount", "8000.00"),
        ("buyer_pay_amount", "8000.00"),
        ("point_amount", "0.00"),
        ("subject", "学费+住宿费 100% <b>\"}𠮷;"),
        ("body", "2026 学年"),
        ("passback_params", "a%3D1%26b"),
        ("gmt_create", "2026-09-01 12:00:00"),
        ("gmt_payment", "2026-09-01 12:00:00"),
        ("fund_bill_list", r#"[{"amount":"8000.00","fundChannel":"ALIPAYACCOUNT"}]"#),
    ] {
        assert_eq!(fields[name], value, "{name}");
    }
    for name in ["notify_id", "trade_no", "seller_email"] {
        assert!(!fields[name].is_empty(), "{name}");
    }
    assert!(!fields.contains_key("gmt_refund") && !fields.contains_key("refund_fee"));
}

#[tokio::test]
async fn only_the_seven_letters_end_the_eight_tries_which_share_one_notify_id() {
    let stage = Stage::start().await;
    paid(&stage, "A1").await;
    let refusals = ["fail", "SUCCESS", "success\n", "\"success\"", "", "<html>success</html>", " success"];
    stage.inbox.words.lock().unwrap().extend(refusals);
    let mut gaps = vec![];
    for pause in [0, 240, 600, 600, 3600, 7200, 21_600, 54_000] {
        stage.advance(pause);
        gaps.push(stage.world.deliver_due().await.len());
    }
    assert_eq!(gaps, [1; 8], "each at its time");
    assert!(stage.world.deliveries()[7].received && stage.world.notices_waiting() == 0);
    let tries: Vec<_> = stage.inbox.all().iter().map(heard).collect();
    assert!(tries.iter().all(|fields| fields["notify_id"] == tries[0]["notify_id"]));
    assert_ne!(tries[0]["notify_time"], tries[7]["notify_time"]);
    stage.inbox.answer(&[500]);
    paid(&stage, "A2").await;
    assert!(!stage.world.deliver_due().await[0].received, "the words alone are no receipt");
}

#[tokio::test]
async fn refunds_are_told_to_the_orders_address_with_the_sum_so_far() {
    let stage = Stage::start().await;
    paid(&stage, "A1").await;
    refund(&stage, "R1", "3000.00").await;
    stage.advance(60);
    refund(&stage, "R2", "5000.00").await;
    stage.world.deliver_due().await;
    let all: Vec<_> = stage.inbox.all().iter().map(heard).collect();
    let told = |name: &str| all.iter().map(|fields| fields.get(name).map_or("", String::as_str)).collect::<Vec<_>>();
    assert_eq!(told("out_biz_no"), ["", "R1", "R2"]);
    assert_eq!(told("out_request_no"), ["", "R1", "R2"]);
    assert_eq!(told("refund_amount"), ["", "3000.00", "5000.00"]);
    assert_eq!(told("gmt_refund"), ["", "2026-09-01 12:00:00.000", "2026-09-01 12:01:00.000"]);
    assert_eq!(told("refund_fee")[2], "8000.00");
    assert_eq!(told("trade_status")[2], "TRADE_CLOSED");
    assert_eq!(told("gmt_payment"), ["2026-09-01 12:00:00"; 3]);
    assert_eq!(told("refund_reason")[1], "多缴退费");
}

#[tokio::test]
async fn gbk_is_the_orders_choice_or_a_switch() {
    let stage = Stage::start().await;
    let mut fields = common(&stage, "alipay.trade.create");
    fields.insert("charset".to_owned(), "GBK".to_owned());
    fields.insert("notify_url".to_owned(), stage.inbox_url.clone());
    fields.insert("biz_content".to_owned(), app_order(&stage, "A1").to_string());
    assert!(send(&stage, &signed(fields, GBK), GBK).await.is_signed(), "ASCII alone is the same in both");
    stage.world.pay(Channel::Alipay, "A1", "lin").unwrap();
    paid(&stage, "A2").await;
    stage.world.deliver_due().await;
    stage.world.set_switches(Switches { alipay_gbk: true, ..Switches::default() });
    paid(&stage, "A3").await;
    stage.world.deliver_due().await;
    let label = |got: &Got| String::from_utf8(got.body.clone()).unwrap().contains("&charset=GBK&");
    assert_eq!(stage.inbox.all().iter().map(label).collect::<Vec<_>>(), [true, false, true]);
    let got = &stage.inbox.all()[2];
    assert_eq!(got.headers["content-type"], "application/x-www-form-urlencoded; charset=GBK");
    let body = String::from_utf8(got.body.clone()).unwrap();
    assert!(body.contains("%D1%A7%B7%D1"), "学费 in GBK");
    let params = crate::sandbox::alipay::params::Params::read(&got.body, b"");
    let sign = params.text(UTF_8, "sign").unwrap();
    let signed = params.source();
    let at = signed.windows(16).position(|bytes| bytes == b"&sign_type=RSA2&").unwrap();
    let v1 = [&signed[..at], b"&", &signed[at + 16..]].concat();
    assert!(alipay_signed(&v1, &sign));
}

#[tokio::test]
async fn a_notice_lies_ages_or_is_forged_only_when_told_to() {
    let stage = Stage::start().await;
    let told = async |no: &str, fault: Fault| {
        stage.world.set_fault(Setting::once(fault).at(Channel::Alipay));
        paid(&stage, no).await;
        stage.world.deliver_due().await;
        stage.inbox.all().last().unwrap().clone()
    };
    assert_eq!(heard(&told("A1", Fault::WrongAmount).await)["total_amount"], "8000.01");
    assert_eq!(heard(&told("A2", Fault::ForeignApp).await)["app_id"], "2021999999999999");
    assert_eq!(heard(&told("A3", Fault::ForeignMerchant).await)["seller_id"], "2088999999999999");
    assert_eq!(heard(&told("A4", Fault::StaleNotice).await)["notify_time"], "2026-09-01 11:50:00");
    for (no, fault) in [("A5", Fault::ForgeNotice), ("A6", Fault::ProbeNotice), ("A7", Fault::CorruptNotice)] {
        assert!(!fits(&told(no, fault).await.body), "{}", fault.code());
    }
}

#[tokio::test]
async fn a_notice_is_lost_doubled_delayed_or_overtaken_when_told_to() {
    let stage = Stage::start().await;
    stage.world.set_fault(Setting::once(Fault::LoseNotice));
    paid(&stage, "A1").await;
    assert_eq!(stage.world.notices_waiting(), 0);
    stage.world.set_fault(Setting::once(Fault::DelayNotice));
    paid(&stage, "A2").await;
    assert!(stage.world.deliver_due().await.is_empty());
    stage.advance(60);
    stage.world.set_fault(Setting::once(Fault::DuplicateNotice));
    assert_eq!(stage.world.deliver_due().await.len(), 3);
    stage.world.set_fault(Setting::once(Fault::ReorderNotice));
    paid(&stage, "A3").await;
    assert!(stage.world.deliver_due().await.is_empty());
    paid(&stage, "A4").await;
    let order: Vec<_> = stage.world.deliver_due().await.into_iter().map(|delivery| delivery.out_trade_no).collect();
    assert_eq!(order, ["A4", "A3"]);
}
