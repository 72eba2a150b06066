//! `alipay.system.oauth.token`: changes an `auth_code` for the payer's id, once. Its parameters stand beside the common
//! ones, a success has neither `code` nor `msg`, and a failure comes as `error_response`.
use serde_json::json;

use crate::sandbox::codes::{CodeRefusal, Grant};
use crate::sandbox::merchants::{Merchant, alipay_open_id, alipay_user};
use crate::sandbox::world::Sandbox;

use super::answer::{Node, Refusal};
use super::told::Asked;

pub fn exchange(world: &Sandbox, merchant: &Merchant, asked: &Asked) -> Result<Node, Refusal> {
    let refused = |sub_code: &str, words: &str| Refusal::new("40002", sub_code, words);
    let redeem = |code: &str| world.codes().redeem(&merchant.app_id, code, world.now());
    let grant = match asked.text("grant_type").as_deref() {
        Some("authorization_code") => {
            let code = asked.text("code").unwrap_or_default();
            redeem(&code).map_err(|_| refused("isv.code-invalid", "授权码code无效"))
        }
        Some("refresh_token") => {
            let token = asked.text("refresh_token").unwrap_or_default();
            redeem(&token).map_err(|why| match why {
                CodeRefusal::Expired => refused("isv.refresh-token-time-out", "刷新令牌refresh_token已超时"),
                CodeRefusal::Used => refused("isv.refreshed-token-invalid", "刷新出的令牌无效"),
                CodeRefusal::Unknown => refused("isv.refresh-token-invalid", "刷新令牌refresh_token无效"),
            })
        }
        _ => Err(refused("isv.grant-type-invalid", "grant_type参数不正确")),
    }?;
    Ok(granted(world, grant))
}

fn granted(world: &Sandbox, grant: Grant) -> Node {
    let user = alipay_user(&grant.phone);
    let open_id = alipay_open_id(&grant.app_id, &user);
    let refresh = world.chance.token(40);
    world.codes().issue(&refresh, grant, world.now());
    let id = match world.switches().alipay_open_id {
        true => ("open_id", json!(open_id)),
        false => ("user_id", json!(user)),
    };
    vec![
        id,
        ("access_token", json!(world.chance.token(40))),
        ("expires_in", json!(1_296_000)),
        ("refresh_token", json!(refresh)),
        ("re_expires_in", json!(2_592_000)),
        ("auth_start", json!(world.now().beijing_text())),
    ]
}
