//! 缴费协议: which text is to be agreed to, and from when on it may be.
//!
//! A text's version is the hash of its words, so that what somebody agreed to can be told for good. The seconds before
//! 同意 are kept by the server: the form carries when its page was drawn, signed for the browser it was drawn for.
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use crate::app::App;
use crate::domain::bilingual::Bilingual;
use crate::domain::consent::AgreementGate;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agreement {
    pub text: Bilingual,
    /// 16 hexadecimal digits
    pub version: String,
}

/// The school's text.
pub fn text(app: &App) -> Agreement {
    let text = app.config.checkout.agreement();
    let hash = digest(&SHA256, format!("{}\0{}", text.zh, text.en).as_bytes());
    let version = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    Agreement { text, version }
}

/// What must be agreed to before an order is made; none: nothing.
pub fn asked(app: &App) -> Option<Agreement> {
    match app.config.checkout.agreement {
        AgreementGate::None => None,
        AgreementGate::Checkbox | AgreementGate::Countdown => Some(text(app)),
    }
}

/// How long the text must have been open before 同意.
pub fn reading_time(app: &App) -> Duration {
    match app.config.checkout.agreement {
        AgreementGate::Countdown => Duration::from_secs(app.config.checkout.agreement_seconds),
        AgreementGate::None | AgreementGate::Checkbox => Duration::ZERO,
    }
}
