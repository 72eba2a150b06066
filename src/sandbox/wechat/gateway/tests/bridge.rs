//! The bridge's check of what a page hands it.
use serde_json::{Value, json};

use crate::domain::trade::Channel;
use crate::sandbox::merchants::{WECHAT_APP_ID, openid};
use crate::sandbox::server::stage::{JSAPI, Stage, signed_by_merchant};

async fn launched(stage: &Stage) -> Value {
    let order = stage.jsapi_order("A00001", &openid(WECHAT_APP_ID, "lin"));
    let prepay_id = stage.post(JSAPI, &order).await.json()["prepay_id"].as_str().unwrap().to_owned();
    let package = format!("prepay_id={prepay_id}");
    let time = stage.world.now().unix().to_string();
    let sign = signed_by_merchant(&format!("{WECHAT_APP_ID}\n{time}\nnonce\n{package}\n"));
    json!({
        "appId": WECHAT_APP_ID, "timeStamp": time, "nonceStr": "nonce", "package": package, "signType": "RSA",
        "paySign": sign,
    })
}

async fn told(stage: &Stage, call: &Value) -> (u16, Value) {
    let answer = stage.http.post(format!("{}/control/bridge", stage.base)).json(call).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_rightly_signed_call_leads_to_the_order() {
    let stage = Stage::start().await;
    let call = launched(&stage).await;
    let (status, found) = told(&stage, &call).await;
    assert_eq!(status, 200);
    assert!(stage.world.pay(Channel::Wechat, found["prepay_id"].as_str().unwrap(), "lin").is_ok());
}

#[tokio::test]
async fn a_changed_call_fails_in_the_phones_words() {
    let stage = Stage::start().await;
    let call = launched(&stage).await;
    let wrong = json!({ "text": "支付验证签名失败" });
    for field in ["appId", "nonceStr", "paySign", "signType"] {
        let mut changed = call.clone();
        changed[field] = json!("x");
        assert_eq!(told(&stage, &changed).await, (409, wrong.clone()), "{field}");
    }
    let mut number = call.clone();
    number["timeStamp"] = json!(1_788_235_200);
    assert_eq!(told(&stage, &number).await.0, 400, "timeStamp is text");
    stage.advance(7200);
    assert_eq!(told(&stage, &call).await, (409, json!({ "text": "JSAPI缺少参数total_fee" })), "an expired prepay_id");
}
