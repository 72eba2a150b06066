//! Queries: by number and second, before the payer arrives, while it is open, and paid.
use super::*;
use crate::sandbox::faults::{Fault, Setting};

#[tokio::test]
async fn an_order_is_34_until_somebody_tries_to_pay_it_and_00_once_it_is_paid() {
    let stage = Stage::start().await;
    let unknown = query(&stage, "XF26090101").await;
    assert_eq!((&*unknown["respCode"], unknown.get("origRespCode")), ("34", None));
    let cashier = land(&stage, order(&stage, "XF26090101")).await.unwrap();
    assert_eq!(query(&stage, "XF26090101").await["respCode"], "34", "an open cashier is no transaction");
    press(&stage, &cashier, "wrong_password").await;
    let failed = query(&stage, "XF26090101").await;
    assert_eq!((&*failed["respCode"], &*failed["origRespCode"]), ("00", "65"));
    assert!(!failed.contains_key("queryId") && !failed.contains_key("settleAmt"));
    stage.world.pay(Channel::UnionPay, "XF26090101", "lin").unwrap();
    let paid = query(&stage, "XF26090101").await;
    for (name, value) in [
        ("respCode", "00"),
        ("respMsg", "成功[0000000]"),
        ("origRespCode", "00"),
        ("origRespMsg", "成功[0000000]"),
        ("merId", UNIONPAY_MER_FISCAL),
        ("orderId", "XF26090101"),
        ("txnTime", SECOND),
        ("txnType", "01"),
        ("txnAmt", "800000"),
        ("settleAmt", "800000"),
        ("currencyCode", "156"),
        ("settleDate", "0901"),
        ("traceTime", "0901120000"),
    ] {
        assert_eq!(paid[name], value, "{name}");
    }
    assert_eq!(paid["queryId"].len(), 21);
}

#[tokio::test]
async fn the_second_belongs_to_the_number() {
    let stage = Stage::start().await;
    paid(&stage, "XF26090101").await;
    let other = with(common("00/00", "XF26090101"), "txnTime", "20260901120001");
    assert_eq!(said(&stage, QUERY, other).await["respCode"], "34");
}

#[tokio::test]
async fn another_merchants_number_is_unknown() {
    let stage = Stage::start().await;
    paid(&stage, "XF26090101").await;
    let agency = crate::sandbox::merchants::UNIONPAY_MER_AGENCY;
    let other = with(common("00/00", "XF26090101"), "merId", agency);
    assert_eq!(said(&stage, QUERY, other).await["respCode"], "34");
}

#[tokio::test]
async fn a_query_is_uncertain_for_a_while_or_tells_of_a_defect_when_told_to() {
    let stage = Stage::start().await;
    paid(&stage, "XF26090101").await;
    for code in [3, 4, 5] {
        stage.world.set_fault(Setting::once(Fault::QueryPending).amount(code));
        assert_eq!(state(&stage, "XF26090101").await.1, format!("0{code}"));
    }
    stage.world.set_fault(Setting::once(Fault::PaidWithDefect).at(Channel::UnionPay));
    assert_eq!(state(&stage, "XF26090101").await.1, "A6");
    assert_eq!(state(&stage, "XF26090101").await.1, "00");
}

#[tokio::test]
async fn a_query_lies_only_when_told_to() {
    let stage = Stage::start().await;
    paid(&stage, "XF26090101").await;
    for (fault, name, value) in [
        (Fault::WrongAmount, "txnAmt", "800001"),
        (Fault::ForeignMerchant, "merId", "898699999999999"),
        (Fault::ForeignCurrency, "currencyCode", "840"),
    ] {
        stage.world.set_fault(Setting::once(fault));
        assert_eq!(query(&stage, "XF26090101").await[name], value);
        assert_ne!(query(&stage, "XF26090101").await[name], value);
    }
}
