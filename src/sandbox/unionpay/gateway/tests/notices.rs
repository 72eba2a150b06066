//! Back notices: their fields, their signature, their timetable, and what counts as received.
use super::*;
use crate::sandbox::faults::{Fault, Setting};
use crate::sandbox::server::stage::Got;

fn heard(got: &Got) -> Message {
    let fields: Message = form_urlencoded::parse(&got.body).into_owned().collect();
    assert!(is_unionpays(&fields), "a notice is rightly signed");
    fields
}

fn fits(got: &Got) -> bool {
    is_unionpays(&form_urlencoded::parse(&got.body).into_owned().collect())
}

#[tokio::test]
async fn a_payment_is_told_with_every_field_unionpay_names() {
    let stage = Stage::start().await;
    land(&stage, with(order(&stage, "XF26090101"), "reqReserved", "5a2x+/=")).await.unwrap();
    stage.world.pay(Channel::UnionPay, "XF26090101", "lin").unwrap();
    assert!(stage.world.deliver_due().await[0].received);
    let got = &stage.inbox.all()[0];
    assert_eq!(got.headers["content-type"], "application/x-www-form-urlencoded;charset=UTF-8");
    let fields = heard(got);
    for (name, value) in [
        ("accessType", "0"),
        ("bizType", "000201"),
        ("currencyCode", "156"),
        ("encoding", "UTF-8"),
        ("exchangeRate", "0"),
        ("merId", UNIONPAY_MER_FISCAL),
        ("orderId", "XF26090101"),
        ("reqReserved", "5a2x+/="),
        ("respCode", "00"),
        ("respMsg", "成功[0000000]"),
        ("settleAmt", "800000"),
        ("settleCurrencyCode", "156"),
        ("settleDate", "0901"),
        ("signMethod", "01"),
        ("traceTime", "0901120000"),
        ("txnAmt", "800000"),
        ("txnSubType", "01"),
        ("txnTime", SECOND),
        ("txnType", "01"),
        ("version", "5.1.0"),
        ("payCardType", "01"),
    ] {
        assert_eq!(fields[name], value, "{name}");
    }
    assert_eq!((fields["queryId"].len(), fields["traceNo"].len()), (21, 6));
    assert!(fields["accNo"].starts_with("62") && fields["accNo"].contains("*********"));
    assert!(fields["signPubKeyCert"].contains("\r\n"), "the certificate's line ends are CRLF, and signed");
}

#[tokio::test]
async fn it_is_sent_five_times_until_200_or_302_whatever_the_body() {
    let stage = Stage::start().await;
    paid(&stage, "XF26090101").await;
    stage.inbox.answer(&[500, 404, 503, 400, 500]);
    let mut tries = 0;
    for pause in [0, 0, 60, 120, 240, 300] {
        stage.advance(pause);
        tries += stage.world.deliver_due().await.len();
    }
    assert_eq!((tries, stage.world.notices_waiting()), (5, 0));
    paid(&stage, "XF26090102").await;
    stage.inbox.answer(&[302]);
    stage.inbox.words.lock().unwrap().push_back("whatever");
    assert!(stage.world.deliver_due().await[0].received);
}

#[tokio::test]
async fn a_refund_is_told_to_its_own_address_once_it_is_done() {
    let stage = Stage::start().await;
    let query_id = paid(&stage, "XF26090101").await["queryId"].clone();
    said(&stage, BACK, with(refund(&stage, "TF26090101", &query_id, "300000"), "reqReserved", "r1")).await;
    stage.world.deliver_due().await;
    assert_eq!(stage.inbox.all().len(), 1, "the payment's alone");
    stage.advance(3);
    let tries = stage.world.deliver_due().await;
    assert!(tries[0].url.ends_with("/notify/refund"));
    let fields = heard(&stage.inbox.all()[1]);
    for (name, value) in [
        ("txnType", "04"),
        ("txnSubType", "00"),
        ("orderId", "TF26090101"),
        ("origQryId", &query_id),
        ("txnAmt", "300000"),
        ("respCode", "00"),
        ("reqReserved", "r1"),
    ] {
        assert_eq!(fields[name], value, "{name}");
    }
    assert_ne!(fields["queryId"], query_id);
}

#[tokio::test]
async fn an_order_that_nobody_pays_is_never_told() {
    let stage = Stage::start().await;
    land(&stage, order(&stage, "XF26090101")).await.unwrap();
    stage.advance(3600);
    assert!(stage.world.deliver_due().await.is_empty());
}

#[tokio::test]
async fn a_notice_lies_or_is_forged_only_when_told_to() {
    let stage = Stage::start().await;
    let told = async |no: &str, fault: Fault| {
        stage.world.set_fault(Setting::once(fault).during(crate::sandbox::faults::Call::PaymentNotice));
        paid(&stage, no).await;
        stage.world.deliver_due().await;
        stage.inbox.all().last().unwrap().clone()
    };
    assert_eq!(heard(&told("XF26090101", Fault::WrongAmount).await)["txnAmt"], "800001");
    assert_eq!(heard(&told("XF26090102", Fault::ForeignMerchant).await)["merId"], "898699999999999");
    assert_eq!(heard(&told("XF26090103", Fault::ForeignCurrency).await)["currencyCode"], "840");
    assert_eq!(heard(&told("XF26090104", Fault::PaidWithDefect).await)["respCode"], "A6");
    for (no, fault) in
        [("XF26090105", Fault::ForgeNotice), ("XF26090106", Fault::ProbeNotice), ("XF26090107", Fault::CorruptNotice)]
    {
        assert!(!fits(&told(no, fault).await), "{}", fault.code());
    }
}

#[tokio::test]
async fn a_notice_is_lost_doubled_or_delayed_when_told_to() {
    let stage = Stage::start().await;
    stage.world.set_fault(Setting::once(Fault::LoseNotice));
    paid(&stage, "XF26090101").await;
    assert_eq!(stage.world.notices_waiting(), 0);
    stage.world.set_fault(Setting::once(Fault::DuplicateNotice));
    paid(&stage, "XF26090102").await;
    assert_eq!(stage.world.deliver_due().await.len(), 3);
    stage.world.set_fault(Setting::once(Fault::DelayNotice));
    paid(&stage, "XF26090103").await;
    assert!(stage.world.deliver_due().await.is_empty());
    stage.advance(60);
    assert_eq!(stage.world.deliver_due().await.len(), 1);
}
