//! From a payment under way to what the payer's device does: the step between an order and the channel's own window.
use super::checkout::Started;
use super::failure::Result;
use crate::app::App;
use crate::channel::contract::{OutwardForm, Prepay};
use crate::domain::refusal::Refusal;
use crate::domain::trade::{Buyer, Product};

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// `getBrandWCPayRequest` with these parameters, a JSON object
    WechatBridge { parameters: String },
    /// `tradePay` with this trade number
    AlipayBridge { trade_no: String },
    /// Go to this address of the channel
    Redirect { url: String },
    /// Send this form to this address of the channel
    Form(OutwardForm),
    /// Show this text as a code
    Code { text: String },
}

/// What the device does next. The parameters of a bridge are signed afresh each time.
pub fn step(app: &App, started: &Started) -> Result<Step> {
    let attempt = &started.attempt;
    Ok(match &started.prepay {
        Prepay::Redirect { url } => Step::Redirect { url: url.clone() },
        Prepay::Form(form) => Step::Form(form.clone()),
        Prepay::Code { text } => Step::Code { text: text.clone() },
        Prepay::AlipayJsapi { trade_no } => Step::AlipayBridge { trade_no: trade_no.clone() },
        Prepay::WechatJsapi { prepay_id } => {
            let account = app.channels.find(&attempt.payee_code, attempt.product.channel());
            let launch = account
                .and_then(|account| account.launch_jsapi(prepay_id, app.clock.now(), &app.chance.token(32)))
                .ok_or(Refusal::NotOffered)?;
            let parameters = serde_json::to_string(&launch).map_err(|_| Refusal::NotOffered)?;
            Step::WechatBridge { parameters }
        }
    })
}

/// Whether a payment under way can be gone on with on this device by this person.
pub fn fits(started: &Started, product: Product, buyer: Option<&Buyer>) -> bool {
    started.attempt.product == product && started.attempt.buyer.as_ref() == buyer
}
