//! `WeixinJSBridge.invoke('getBrandWCPayRequest', …)`: what WeChat checks of the call before it shows the payer
//! anything (WeChat Pay v3, calling JSAPI). Never pays: the payer does, with the prepay_id found here.
use serde::Deserialize;

use crate::domain::trade::Channel;
use crate::sandbox::world::Sandbox;

use super::voice::merchant_signed;

/// The call's parameters under the bridge's own names.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BridgeCall {
    pub app_id: String,
    /// Seconds, as text; a number is refused when the call is read
    pub time_stamp: String,
    pub nonce_str: String,
    /// `prepay_id=…`
    pub package: String,
    pub sign_type: String,
    pub pay_sign: String,
}

/// The prepay_id of a call that is rightly signed and leads to an order of the same appid, or what the phone says.
pub fn check(world: &Sandbox, call: &BridgeCall) -> Result<String, &'static str> {
    let prepay_id = call.package.strip_prefix("prepay_id=").ok_or("JSAPI缺少参数total_fee")?;
    let message = format!("{}\n{}\n{}\n{}\n", call.app_id, call.time_stamp, call.nonce_str, call.package);
    let plain = call.nonce_str.len() <= 32 && call.time_stamp.parse::<i64>().is_ok() && call.sign_type == "RSA";
    if !plain || !merchant_signed(message.as_bytes(), &call.pay_sign) {
        return Err("支付验证签名失败");
    }
    // an unknown or expired prepay_id is what this text really means
    let key = world.look_up(Channel::Wechat, &call.package).map_err(|_| "JSAPI缺少参数total_fee")?;
    match world.bank().trade(&key) {
        Some(trade) if trade.ask.app_id == call.app_id => Ok(prepay_id.to_owned()),
        _ => Err("支付验证签名失败"),
    }
}
