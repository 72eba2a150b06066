//! Who is let in, and in which words the others are sent away.
use serde_json::json;

use crate::sandbox::keys;
use crate::sandbox::merchants::{WECHAT_MCH_AGENCY, WECHAT_MCH_FISCAL};
use crate::sandbox::server::stage::{JSAPI, NATIVE, NOON, REFUNDS, Stage, authorization_of, open_resource, serial};
use crate::sandbox::world::Switches;

const CERTIFICATES: &str = "/v3/certificates";

/// Sends with this Authorization (none: without) and gives status and message.
async fn told(stage: &Stage, method: &str, path: &str, body: &str, authorization: Option<&str>) -> (u16, String) {
    let mut request = stage.raw(method, path, body);
    if let Some(value) = authorization {
        request = request.header("Authorization", value);
    }
    let reply = stage.send(request).await.unwrap();
    assert!(
        !reply.headers.contains_key("Wechatpay-Signature"),
        "nobody is answered with a signature before he is known"
    );
    let (status, code, message) = reply.refusal();
    assert!(status != 401 || code == "SIGN_ERROR");
    (status, message)
}

fn denied(message: &str) -> (u16, String) {
    (401, message.to_owned())
}

#[tokio::test]
async fn a_missing_header_is_refused_in_the_words_of_each_family() {
    let stage = Stage::start().await;
    let pay = denied("签名信息错误，验签失败");
    let others = denied("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》");
    assert_eq!(told(&stage, "POST", JSAPI, "{}", None).await, pay);
    assert_eq!(told(&stage, "POST", JSAPI, "{}", Some("Bearer abc")).await, pay);
    assert_eq!(told(&stage, "GET", CERTIFICATES, "", None).await, others);
    assert_eq!(told(&stage, "POST", REFUNDS, "{}", None).await, others);
    let scheme = denied("HTTP头Authorization认证类型不正确");
    assert_eq!(told(&stage, "GET", CERTIFICATES, "", Some("Bearer abc")).await, scheme);
}

#[tokio::test]
async fn an_ill_formed_header_is_refused() {
    let stage = Stage::start().await;
    let good = stage.authorization("GET", CERTIFICATES, "");
    let format = denied("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》");
    for bad in
        [good.replace(',', ", "), good.replace('"', ""), good.replace("mchid=", "mch_id="), good[..90].to_owned()]
    {
        assert_eq!(told(&stage, "GET", CERTIFICATES, "", Some(&bad)).await, format, "{bad}");
    }
}

#[tokio::test]
async fn the_time_is_looked_at_before_the_signature_and_five_minutes_are_the_limit() {
    let stage = Stage::start().await;
    let at = |seconds, path| {
        authorization_of(WECHAT_MCH_FISCAL, keys::WECHAT_MERCHANT_SERIAL, NOON.unix() + seconds, "GET", path, "")
    };
    let stale = denied("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟");
    for seconds in [-301, 301, -86_400] {
        let wrongly_signed = at(seconds, "/elsewhere");
        assert_eq!(told(&stage, "GET", CERTIFICATES, "", Some(&wrongly_signed)).await, stale);
    }
    for seconds in [-300, 300] {
        let request = stage.raw("GET", CERTIFICATES, "").header("Authorization", at(seconds, CERTIFICATES));
        assert_eq!(stage.send(request).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_wrong_signature_serial_or_merchant_is_refused_in_its_own_words() {
    let stage = Stage::start().await;
    let body = stage.order("A00001").to_string();
    let now = NOON.unix();
    let signed = |mchid, serial, path, body: &str| authorization_of(mchid, serial, now, "POST", path, body);
    let serial = keys::WECHAT_MERCHANT_SERIAL;
    let wrong = denied("签名错误");
    for bad in [signed(WECHAT_MCH_FISCAL, serial, JSAPI, &body), signed(WECHAT_MCH_FISCAL, serial, NATIVE, "{}")] {
        assert_eq!(told(&stage, "POST", NATIVE, &body, Some(&bad)).await, wrong);
    }
    let other = signed(WECHAT_MCH_FISCAL, "0000000000000000000000000000000000000000", NATIVE, &body);
    let message = denied("商户证书序列号有误。请使用签名私钥匹配的证书序列号");
    assert_eq!(told(&stage, "POST", NATIVE, &body, Some(&other)).await, message);
    let unknown = signed("1999999999", serial, NATIVE, &body);
    assert_eq!(told(&stage, "POST", NATIVE, &body, Some(&unknown)).await, denied("商户未申请过证书。"));
    assert_eq!(stage.world.bank().trades().count(), 0);
}

#[tokio::test]
async fn the_bodys_merchant_must_be_the_callers() {
    let stage = Stage::start().await;
    let body = stage.order("A00001").to_string();
    let other = authorization_of(WECHAT_MCH_AGENCY, keys::WECHAT_MERCHANT_SERIAL, NOON.unix(), "POST", NATIVE, &body);
    let reply = stage.send(stage.raw("POST", NATIVE, &body).header("Authorization", other)).await.unwrap();
    let message = "http header中的mchid与post payload中的mchid不匹配";
    assert_eq!(reply.refusal(), (400, "PARAM_ERROR".to_owned(), message.to_owned()));
    assert!(reply.is_signed());
}

#[tokio::test]
async fn only_certificates_and_refunds_want_a_user_agent() {
    let stage = Stage::start().await;
    let bare = |method: &str, path: &str| {
        let request = stage.http.request(method.parse().unwrap(), format!("{}{path}", stage.base));
        request.header("Accept", "*/*").header("Content-Type", "application/json")
    };
    for (method, path) in [("GET", CERTIFICATES), ("POST", REFUNDS)] {
        let reply = stage.send(bare(method, path)).await.unwrap();
        let message = "Http头缺少Accept或User-Agent";
        assert_eq!(reply.refusal(), (400, "INVALID_REQUEST".to_owned(), message.to_owned()));
    }
    let body = stage.order("A00001").to_string();
    let authorization = stage.authorization("POST", NATIVE, &body);
    let request = bare("POST", NATIVE).header("Authorization", authorization).body(body);
    assert_eq!(stage.send(request).await.unwrap().status, 200);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_with_nothing() {
    let stage = Stage::start().await;
    for (method, path, status) in [
        ("GET", "/v3/pay/transactions/app", 404),
        ("POST", "/v3/nothing", 404),
        ("GET", NATIVE, 405),
        ("DELETE", REFUNDS, 405),
        ("POST", CERTIFICATES, 405),
    ] {
        let reply = stage.send(stage.raw(method, path, "")).await.unwrap();
        assert_eq!((reply.status, reply.body.len()), (status, 0), "{method} {path}");
    }
}

#[tokio::test]
async fn answers_are_signed_with_the_key_the_request_names() {
    let stage = Stage::start().await;
    stage.world.set_switches(Switches { rotation: true, ..Switches::default() });
    let (path, certificate) = ("/v3/certificates", keys::WECHAT_PLATFORM_A_SERIAL);
    for (asked, used) in [
        (None, certificate),
        (Some(keys::WECHAT_PUBLIC_KEY_ID), keys::WECHAT_PUBLIC_KEY_ID),
        (Some(keys::WECHAT_PLATFORM_B_SERIAL), keys::WECHAT_PLATFORM_B_SERIAL),
        (Some("PUB_KEY_ID_elsewhere"), certificate),
    ] {
        let mut request = stage.raw("GET", path, "").header("Authorization", stage.authorization("GET", path, ""));
        if let Some(key) = asked {
            request = request.header("Wechatpay-Serial", key);
        }
        let reply = stage.send(request).await.unwrap();
        assert!(reply.is_signed());
        assert_eq!(serial(&reply.headers), Some(used));
    }
}

#[tokio::test]
async fn certificates_come_sealed_both_during_a_rotation_and_never_to_a_public_key_merchant() {
    let stage = Stage::start().await;
    let one = stage.get(CERTIFICATES).await.json();
    assert_eq!(one["data"].as_array().unwrap().len(), 1);
    let plain = open_resource(&one["data"][0]["encrypt_certificate"]);
    assert_eq!(plain, keys::WECHAT_PLATFORM_A_CERT.as_bytes());
    stage.world.set_switches(Switches { rotation: true, ..Switches::default() });
    let two = stage.get(CERTIFICATES).await.json();
    assert_eq!(two["data"][1]["serial_no"], json!(keys::WECHAT_PLATFORM_B_SERIAL));
    stage.world.set_switches(Switches { public_key_only: true, ..Switches::default() });
    let none = stage.get(CERTIFICATES).await;
    assert_eq!(none.refusal().1, "RESOURCE_NOT_EXISTS");
    assert_eq!(serial(&none.headers), Some(keys::WECHAT_PUBLIC_KEY_ID));
}
