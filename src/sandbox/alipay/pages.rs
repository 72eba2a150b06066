//! `alipay.trade.wap.pay` and `alipay.trade.page.pay`: the payer's browser arrives, and with it the trade comes into
//! being. There is no JSON; what is wrong is told to the person.
use poem::Response;

use crate::domain::trade::Product;
use crate::sandbox::html::{escape, page};
use crate::sandbox::merchants::Merchant;
use crate::sandbox::world::Sandbox;

use super::answer::Refusal;
use super::told::Asked;
use super::{cashier, orders};

/// Takes the order and gives the address of its cashier, relative to the sandbox.
pub fn land(
    world: &Sandbox,
    merchant: &Merchant,
    product: Product,
    asked: &Asked,
    phone: &str,
) -> Result<String, Refusal> {
    let ask = orders::read(world, merchant, product, asked, &asked.told()?)?;
    let (key, until) = (ask.key.clone(), ask.expires_at);
    let token = world.chance.token(32);
    {
        let mut bank = world.bank();
        bank.order(ask, world.now()).map_err(orders::not_taken)?;
        bank.add_code(&token, &key, until);
    }
    cashier::arrive(world, &token, phone)?;
    Ok(format!("{}?token={token}", cashier::PATH))
}

/// The gateway's own error page.
pub fn refused(refusal: &Refusal) -> Response {
    let code = refusal.sub_code.split_once('.').map_or(refusal.sub_code.as_str(), |(_, code)| code);
    let body = format!(
        "<h1>调试错误，请回到请求来源地，重新发起请求。</h1><p>错误代码 {}</p><p class=\"note\">错误原因: {}</p>",
        escape(code),
        escape(&refusal.sub_msg)
    );
    page("支付宝", &body)
}
