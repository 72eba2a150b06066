//! Who is let in, and what the gateway says to everybody else.
use super::*;

#[tokio::test]
async fn parameters_may_stand_in_the_query_the_body_or_both() {
    let stage = Stage::start().await;
    let mut fields = common(&stage, "alipay.trade.query");
    fields.insert("biz_content".to_owned(), json!({ "out_trade_no": "A1" }).to_string());
    let fields = signed(fields, UTF_8);
    let url = format!("{}/gateway.do", stage.base);
    let query = stage.http.get(format!("{url}?{}", encoded(&fields, UTF_8)));
    let body = stage.http.post(&url).form(&fields);
    let mixed = send(&stage, &fields, UTF_8).await;
    for request in [query, body] {
        let answer = stage.send(request).await.unwrap();
        assert_eq!(answer.body.len(), mixed.bytes.len());
        assert_eq!(Said { status: 200, bytes: answer.body }.node()["sub_code"], json!("ACQ.TRADE_NOT_EXIST"));
    }
}

#[tokio::test]
async fn a_wrong_signature_is_told_the_text_it_should_have_signed() {
    let stage = Stage::start().await;
    let mut fields = common(&stage, "alipay.trade.query");
    fields.insert("biz_content".to_owned(), r#"{"out_trade_no":"A&1"}"#.to_owned());
    let mut fields = signed(fields, UTF_8);
    fields.insert("version".to_owned(), "2.0".to_owned());
    let said = send(&stage, &fields, UTF_8).await;
    let node = said.node();
    assert_eq!((said.status, &node["code"], &node["msg"]), (200, &json!("40002"), &json!("Invalid Arguments")));
    assert_eq!(node["sub_code"], json!("isv.invalid-signature"));
    let built = "网关生成的验签字符串为：alipay_sdk=tests&amp;app_id=2021000000000109\
                 &amp;biz_content={&quot;out_trade_no&quot;:&quot;A&amp;1&quot;}&amp;charset=utf-8&amp;format=JSON\
                 &amp;method=alipay.trade.query&amp;sign_type=RSA2&amp;timestamp=2026-09-01 12:00:00&amp;version=2.0";
    assert!(node["sub_msg"].as_str().unwrap().ends_with(built), "{}", node["sub_msg"]);
}

#[tokio::test]
async fn what_is_missing_or_unfit_is_named() {
    let stage = Stage::start().await;
    let changed = async |name: &str, value: &str| {
        let mut fields = common(&stage, "alipay.trade.query");
        fields.insert(name.to_owned(), value.to_owned());
        let said = send(&stage, &signed(fields, UTF_8), UTF_8).await;
        (said.refusal(), said.unsigned_node()["code"].as_str().unwrap().to_owned())
    };
    for (name, value, sub_code, code) in [
        ("app_id", "", "isv.missing-app-id", "40001"),
        ("sign_type", "", "isv.missing-signature-type", "40001"),
        ("timestamp", "", "isv.missing-timestamp", "40001"),
        ("version", "", "isv.missing-version", "40001"),
        ("method", "", "isv.missing-method", "40001"),
        ("method", "alipay.trade.fly", "isv.invalid-method", "40002"),
        ("app_id", "2021000000000001", "isv.invalid-app-id", "40002"),
        ("sign_type", "RSA", "isv.invalid-signature-type", "40002"),
        ("charset", "klingon", "isv.invalid-charset", "40002"),
        ("format", "xml", "isv.invalid-format", "40002"),
        ("timestamp", "2026-09-01T12:00:00", "isv.invalid-timestamp", "40002"),
        ("app_cert_sn", "00000000000000000000000000000000", "isv.missing-signature-key", "40001"),
        ("biz_content", "[", "isv.invalid-parameter", "40002"),
    ] {
        assert_eq!(changed(name, value).await, (sub_code.to_owned(), code.to_owned()), "{name}={value}");
    }
    let unsigned = send(&stage, &common(&stage, "alipay.trade.query"), UTF_8).await;
    assert_eq!(unsigned.refusal(), "isv.missing-signature");
}

#[tokio::test]
async fn a_stranger_is_answered_without_a_signature() {
    let stage = Stage::start().await;
    let mut fields = common(&stage, "alipay.trade.query");
    fields.insert("app_id".to_owned(), "2021000000000001".to_owned());
    assert!(!send(&stage, &signed(fields, UTF_8), UTF_8).await.members().1.contains_key("sign"));
}

#[tokio::test]
async fn a_call_with_certificates_is_answered_with_alipays_number() {
    let stage = Stage::start().await;
    let app_cert = super::super::super::voice::APP_CERT_SN;
    let biz = json!({ "out_trade_no": "A1" });
    let said = call_with(&stage, "alipay.trade.query", &biz, &[("app_cert_sn", app_cert)]).await;
    assert!(said.is_signed());
    assert_eq!(said.members().1["alipay_cert_sn"], json!("85a2d881cd8e3fe5fc7dec445483b4c6"));
    assert!(!query(&stage, "A1").await.members().1.contains_key("alipay_cert_sn"));
}

#[tokio::test]
async fn a_call_in_gbk_is_answered_in_gbk_and_signed_over_those_bytes() {
    let stage = Stage::start().await;
    let mut fields = common(&stage, "alipay.trade.query");
    fields.insert("charset".to_owned(), "GBK".to_owned());
    fields.insert("biz_content".to_owned(), r#"{"out_trade_no":"A1","note":"学费"}"#.to_owned());
    let said = send(&stage, &signed(fields, GBK), GBK).await;
    let text = GBK.decode(&said.bytes).0.into_owned();
    assert!(text.contains("交易不存在"));
    let start = text.find("{\"code").unwrap();
    let end = text.find(",\"sign\"").unwrap();
    let sign = text[end..].split('"').nth(3).unwrap();
    assert!(alipay_signed(&GBK.encode(&text[start..end]).0, sign));
}

#[tokio::test]
async fn one_merchant_never_sees_the_trades_of_another() {
    let stage = Stage::start().await;
    create(&stage, "A1").await.node();
    let mut fields = common(&stage, "alipay.trade.query");
    fields.insert("app_id".to_owned(), crate::sandbox::merchants::ALIPAY_APP_AGENCY.to_owned());
    fields.insert("biz_content".to_owned(), json!({ "out_trade_no": "A1" }).to_string());
    assert_eq!(send(&stage, &signed(fields, UTF_8), UTF_8).await.refusal(), "TRADE_NOT_EXIST");
}
