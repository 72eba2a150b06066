//! Who the payer is, for Alipay's own web view (Alipay, `publicAppAuthorize.htm` and `alipay.system.oauth.token`).
//!
//! Scope `auth_base`: silent inside the app, and nothing but an id. The access token that comes with it is not kept.
use super::gateway::Gateway;
use super::request::Call;
use crate::channel::contract::{ChannelError, RefusedFor};
use crate::domain::trade::Buyer;

/// Where the payer's browser goes to be asked; it comes back to `redirect_uri` with `auth_code` and `state`.
pub fn authorize_url(gateway: &Gateway, redirect_uri: &str, state: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("app_id", &gateway.app_id)
        .append_pair("scope", "auth_base")
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("state", state)
        .finish();
    format!("{}/oauth2/publicAppAuthorize.htm?{query}", gateway.authorize_base())
}

/// Not the SDK's type: its fields are private, and it knows no `open_id`.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Token {
    user_id: Option<String>,
    open_id: Option<String>,
}

/// Exchanges an `auth_code`, once and at once. The parameters stand beside the common ones, not in `biz_content`.
///
/// # Errors
/// A used, expired or invented code is refused for [`RefusedFor::Buyer`].
pub async fn buyer(gateway: &Gateway, auth_code: &str) -> Result<Buyer, ChannelError> {
    if auth_code.is_empty() {
        let (code, message) = ("auth_code".to_owned(), "the authorisation code is missing".to_owned());
        return Err(ChannelError::Refused { why: RefusedFor::Buyer, code, message });
    }
    let call = Call { method: "alipay.system.oauth.token".to_owned(), parameters: Vec::new() };
    let token: Token = gateway.call(call.with("grant_type", "authorization_code").with("code", auth_code)).await?;
    let filled = |id: Option<String>| id.filter(|id| !id.is_empty());
    let user = filled(token.user_id).map(Buyer::AlipayUser);
    user.or_else(|| filled(token.open_id).map(Buyer::AlipayOpenid))
        .ok_or_else(|| ChannelError::Untrusted("neither user_id nor open_id in the answer".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::alipay::testing::{self, Scene};
    use crate::outbound::fake::Play;

    const NODE: &str = "alipay_system_oauth_token_response";

    #[test]
    fn the_payer_is_sent_to_ask_with_everything_escaped() {
        let url = authorize_url(&testing::unreachable_gateway(), "https://pay.example.edu.cn/back?a=b&c", "s&t=ü");
        assert_eq!(
            url,
            "http://127.0.0.1:1/oauth2/publicAppAuthorize.htm?app_id=2021000000000001&scope=auth_base\
             &redirect_uri=https%3A%2F%2Fpay.example.edu.cn%2Fback%3Fa%3Db%26c&state=s%26t%3D%C3%BC"
        );
    }

    async fn heard(answer: String) -> (Scene, Result<Buyer, ChannelError>) {
        let scene = Scene::start(move |_| Play::plain(200, &answer));
        let buyer = buyer(&scene.gateway, "code&1").await;
        (scene, buyer)
    }

    #[tokio::test]
    async fn a_code_becomes_the_payers_id_of_either_kind() {
        let node = r#"{"user_id":"2088102150477652","open_id":"074","access_token":"t","expires_in":"300"}"#;
        let (scene, buyer) = heard(testing::envelope(NODE, node)).await;
        assert_eq!(buyer, Ok(Buyer::AlipayUser("2088102150477652".to_owned())));
        let asked = scene.asked(0);
        assert_eq!((asked["grant_type"].as_str(), asked["code"].as_str()), ("authorization_code", "code&1"));
        assert!(!asked.contains_key("biz_content"));
        let (_, buyer) = heard(testing::envelope(NODE, r#"{"user_id":"","open_id":"074a","expires_in":300}"#)).await;
        assert_eq!(buyer, Ok(Buyer::AlipayOpenid("074a".to_owned())));
    }

    #[tokio::test]
    async fn an_error_response_is_a_refusal_and_an_empty_or_unsigned_answer_no_buyer() {
        let error = r#"{"error_response":{"code":"40002","sub_code":"isv.code-invalid","sub_msg":"授权码code无效"}}"#;
        let (_, refused) = heard(error.to_owned()).await;
        assert!(matches!(refused, Err(ChannelError::Refused { why: RefusedFor::Buyer, .. })));
        let (_, none) = heard(testing::envelope(NODE, "{}")).await;
        assert!(matches!(none, Err(ChannelError::Untrusted(_))));
        let (_, unsigned) = heard(format!(r#"{{"{NODE}":{{"user_id":"2088"}}}}"#)).await;
        assert!(matches!(unsigned, Err(ChannelError::Untrusted(_))));
        let missing = buyer(&testing::unreachable_gateway(), "").await;
        assert!(matches!(missing, Err(ChannelError::Refused { why: RefusedFor::Buyer, .. })));
    }
}
