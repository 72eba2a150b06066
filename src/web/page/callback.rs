//! Back from a channel's sign-in page: WeChat's and Alipay's word on who pays.
use poem::{Response, Result, handler};

use crate::domain::trade::Channel;
use crate::flow::buyer;
use crate::web::error::{Problem, see_other};
use crate::web::guard::{Visit, local_path};
use crate::web::view::links;

/// `GET /wechat/callback?code=&state=`
#[handler]
pub async fn wechat(visit: &Visit) -> Result<Response> {
    receive(visit, Channel::Wechat, visit.query("code")).await
}

/// `GET /alipay/callback?auth_code=&state=`
#[handler]
pub async fn alipay(visit: &Visit) -> Result<Response> {
    receive(visit, Channel::Alipay, visit.query("auth_code")).await
}

/// The state counts once and only for the browser that was sent; whoever brings another one is told that there is
/// nothing.
async fn receive(visit: &Visit, channel: Channel, code: &str) -> Result<Response> {
    let state = visit.query("state");
    if code.is_empty() || code.len() > 256 {
        return Err(Problem::NotFound.into());
    }
    let back = buyer::receive(&visit.app, channel, &visit.visitor(), state, code).await.map_err(Problem::from)?;
    Ok(see_other(local_path(&back).unwrap_or(links::HOME)))
}
