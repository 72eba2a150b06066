//! 缴费确认: what a school asks of a payer between the choice and the order. Values only.
use serde::Deserialize;

/// 缴费协议: how it is agreed to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementGate {
    /// There is none
    None,
    /// A link to the text and one box to tick
    #[default]
    Checkbox,
    /// The whole text, and 同意 that can be chosen only after some seconds
    Countdown,
}

/// 手机验证: whether a code is sent to a phone before anything is ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneCheck {
    #[default]
    Off,
    /// Once in a sign-in
    Once,
    /// For each choice
    Always,
}

/// 票据接收手机: what is asked of whom no phone is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptPhone {
    /// Not asked
    Off,
    /// Asked, and may be left out
    Optional,
    /// Nothing is paid without
    #[default]
    Required,
}
