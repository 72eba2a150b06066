//! The payer's identity: the authorisation page and the exchange of its code.
use super::*;
use crate::sandbox::merchants::{ALIPAY_APP_AGENCY, alipay_open_id};
use crate::sandbox::world::Switches;

const BACK: &str = "https://pay.example.edu.cn/h5/back";

async fn authorize(stage: &Stage, query: &str, phone: Option<&str>) -> reqwest::Response {
    let back: String = form_urlencoded::byte_serialize(BACK.as_bytes()).collect();
    let url = format!("{}/oauth2/publicAppAuthorize.htm?redirect_uri={back}&state=s%26t&{query}", stage.base);
    let request = stage.http.get(url);
    let request = match phone {
        Some(phone) => request.header("cookie", format!("phone={phone}")),
        None => request,
    };
    request.send().await.unwrap()
}

fn asked(answer: &reqwest::Response) -> Fields {
    let to = answer.headers()["location"].to_str().unwrap();
    let query = to.strip_prefix(&format!("{BACK}?")).unwrap();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

async fn code(stage: &Stage) -> String {
    let query = format!("app_id={ALIPAY_APP_FISCAL}&scope=auth_base");
    asked(&authorize(stage, &query, Some("lin")).await)["auth_code"].clone()
}

async fn token(stage: &Stage, more: &[(&str, &str)]) -> Said {
    let mut fields = common(stage, "alipay.system.oauth.token");
    fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    send(stage, &signed(fields, UTF_8), UTF_8).await
}

#[tokio::test]
async fn a_known_phone_comes_back_with_a_code_and_its_own_state() {
    let stage = Stage::start().await;
    let query = format!("app_id={ALIPAY_APP_FISCAL}&scope=auth_base");
    let back = asked(&authorize(&stage, &query, Some("lin")).await);
    assert_eq!((back["app_id"].as_str(), back["scope"].as_str()), (ALIPAY_APP_FISCAL, "auth_base"));
    assert_eq!((back["source"].as_str(), back["state"].as_str()), ("alipay_wallet", "s&t"));
    assert_eq!(back["auth_code"].len(), 32);
}

#[tokio::test]
async fn a_stranger_is_asked_who_he_is_and_consent_is_asked_for_more_than_the_id() {
    let stage = Stage::start().await;
    let page = async |query: &str, phone| authorize(&stage, query, phone).await.text().await.unwrap();
    let base = format!("app_id={ALIPAY_APP_FISCAL}&scope=auth_base");
    let user = format!("app_id={ALIPAY_APP_FISCAL}&scope=auth_user");
    assert!(page(&base, None).await.contains("谁的支付宝？"));
    assert!(page(&user, Some("lin")).await.contains("同意"));
    assert_eq!(asked(&authorize(&stage, &format!("{user}&agreed=1"), Some("lin")).await)["scope"], "auth_user");
    assert!(page("app_id=1&scope=auth_base", Some("lin")).await.contains("无效的AppID"));
    assert!(page(&format!("app_id={ALIPAY_APP_FISCAL}&scope=all"), Some("lin")).await.contains("scope"));
}

#[tokio::test]
async fn a_code_becomes_the_payers_id_once_and_only_for_its_application() {
    let stage = Stage::start().await;
    let code = code(&stage).await;
    let mut other = common(&stage, "alipay.system.oauth.token");
    let grant = [("app_id", ALIPAY_APP_AGENCY), ("grant_type", "authorization_code"), ("code", &code)];
    other.extend(grant.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(send(&stage, &signed(other, UTF_8), UTF_8).await.refusal(), "isv.code-invalid");

    let ask = [("grant_type", "authorization_code"), ("code", code.as_str())];
    let said = token(&stage, &ask).await;
    assert!(said.members().1.contains_key("alipay_system_oauth_token_response"));
    let node = said.node();
    assert_eq!(node["user_id"], json!(alipay_user("lin")));
    assert!(node.get("code").is_none() && node.get("open_id").is_none());
    let again = token(&stage, &ask).await;
    assert!(again.members().1.contains_key("error_response"));
    assert_eq!(again.refusal(), "isv.code-invalid");
    let refresh = node["refresh_token"].as_str().unwrap();
    let renewed = token(&stage, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
    assert_eq!(renewed.node()["user_id"], json!(alipay_user("lin")));
    assert_eq!(token(&stage, &[("grant_type", "password")]).await.refusal(), "isv.grant-type-invalid");
}

#[tokio::test]
async fn a_newer_application_knows_its_payers_by_open_id() {
    let stage = Stage::start().await;
    stage.world.set_switches(Switches { alipay_open_id: true, ..Switches::default() });
    let code = code(&stage).await;
    let node = token(&stage, &[("grant_type", "authorization_code"), ("code", &code)]).await.node();
    let open_id = alipay_open_id(ALIPAY_APP_FISCAL, &alipay_user("lin"));
    assert_eq!(node["open_id"], json!(open_id));
    assert!(node.get("user_id").is_none());
    let mut order = app_order(&stage, "A1");
    order["buyer_id"] = Value::Null;
    order["buyer_open_id"] = json!(open_id);
    call(&stage, "alipay.trade.create", &order).await.node();
    stage.world.pay(crate::domain::trade::Channel::Alipay, "A1", "lin").unwrap();
    assert_eq!(query(&stage, "A1").await.node()["buyer_open_id"], json!(open_id));
}
