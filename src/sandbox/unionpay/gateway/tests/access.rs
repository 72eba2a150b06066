//! Who may call, and what is refused before anything happens.
use super::*;

#[tokio::test]
async fn a_missing_element_is_13_and_a_malformed_one_10() {
    let stage = Stage::start().await;
    for name in [
        "version",
        "encoding",
        "signMethod",
        "certId",
        "txnType",
        "bizType",
        "accessType",
        "merId",
        "orderId",
        "txnTime",
    ] {
        let mut message = common("00/00", "XF26090101");
        message.remove(name);
        assert_eq!(said(&stage, QUERY, message).await["respCode"], "13", "{name}");
    }
    for (name, value) in [
        ("version", "5.0.0"),
        ("encoding", "GBK"),
        ("signMethod", "11"),
        ("accessType", "1"),
        ("orderId", "XF26"),
        ("orderId", "XF2609-101"),
        ("orderId", "XF2609_101"),
        ("txnTime", "2026-09-01 12:00"),
        ("txnTime", "20261301120000"),
    ] {
        let message = with(common("00/00", "XF26090101"), name, value);
        assert_eq!(said(&stage, QUERY, message).await["respCode"], "10", "{name}={value}");
    }
}

#[tokio::test]
async fn a_signature_that_does_not_fit_is_11_and_a_stranger_31() {
    let stage = Stage::start().await;
    let changed = with(signed(common("00/00", "XF26090101")), "orderId", "XF26090102");
    let answer = post(&stage, QUERY, &changed, "lin").await.text().await.unwrap();
    assert_eq!(parsed(&answer)["respCode"], "11");
    assert!(parsed(&answer)["respMsg"].starts_with("验证签名失败["));
    let other_certificate = with(common("00/00", "XF26090101"), "certId", "1");
    assert_eq!(said(&stage, QUERY, other_certificate).await["respCode"], "11");
    let stranger = with(common("00/00", "XF26090101"), "merId", "898620100000999");
    assert_eq!(said(&stage, QUERY, stranger).await["respCode"], "31");
}

#[tokio::test]
async fn only_a_form_by_post_is_read_and_a_name_given_twice_is_10() {
    let stage = Stage::start().await;
    let get = stage.http.get(format!("{}{QUERY}", stage.base)).send().await.unwrap();
    assert_eq!(get.status(), 405);
    let twice = stage.raw("POST", QUERY, "").header("content-type", "application/x-www-form-urlencoded");
    let twice = twice.body("orderId=XF26090101&orderId=XF26090102").send().await.unwrap().text().await.unwrap();
    assert_eq!(parsed(&twice)["respCode"], "10");
    let json = stage.raw("POST", QUERY, "{}").send().await.unwrap().text().await.unwrap();
    assert_eq!(parsed(&json)["respCode"], "10");
}

#[tokio::test]
async fn what_the_gateway_has_no_contract_for_is_32() {
    let stage = Stage::start().await;
    let query_id = paid(&stage, "XF26090101").await["queryId"].clone();
    for txn in ["31/00", "01/07", "02/01"] {
        let message = refund(&stage, "TF26090101", &query_id, "1");
        let (txn_type, sub) = txn.split_once('/').unwrap();
        let message = with(with(message, "txnType", txn_type), "txnSubType", sub);
        assert_eq!(said(&stage, BACK, message).await["respCode"], "32", "{txn}");
    }
}
