//! The checkout: its times, and what is asked of a payer before the order is made.
use serde::Deserialize;

use crate::domain::bilingual::Bilingual;
use crate::domain::consent::{AgreementGate, PhoneCheck, ReceiptPhone};

/// The text a school gets that has none of its own
const AGREEMENT: (&str, &str) =
    (include_str!("../../assets/agreement/zh.txt"), include_str!("../../assets/agreement/en.txt"));

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Checkout {
    /// How long an order may be paid, in seconds
    pub order_seconds: u64,
    /// How long a signed-in session lasts after the last request, in seconds
    pub session_seconds: u64,
    /// 每次只能选择一个批次: other fees of two batches are not paid together
    pub one_batch: bool,
    /// 确认缴费: a page between the choice and the cashier; where something is asked on it, it is there in any case
    pub confirm: bool,
    pub agreement: AgreementGate,
    /// How long 同意 cannot be chosen, in seconds
    pub agreement_seconds: u64,
    /// The school's own text: a path in the file, its words in memory. An empty line begins a paragraph.
    pub agreement_text: Option<TextFile>,
    pub agreement_text_en: Option<TextFile>,
    pub receipt_phone: ReceiptPhone,
    /// The phone that answers is the receipt's, and `receipt_phone` does not ask
    pub phone_check: PhoneCheck,
}

impl Default for Checkout {
    fn default() -> Self {
        Self {
            order_seconds: 30 * 60,
            session_seconds: 2 * 3600,
            one_batch: true,
            confirm: true,
            agreement: AgreementGate::default(),
            agreement_seconds: 10,
            agreement_text: None,
            agreement_text_en: None,
            receipt_phone: ReceiptPhone::default(),
            phone_check: PhoneCheck::default(),
        }
    }
}

impl Checkout {
    /// 缴费协议, whether it must be agreed to or not.
    pub fn agreement(&self) -> Bilingual {
        match &self.agreement_text {
            None => Bilingual::new(AGREEMENT.0, AGREEMENT.1),
            Some(own) => Bilingual::new(&own.0, self.agreement_text_en.as_ref().map_or("", |text| &text.0)),
        }
    }
}

/// The words of a file of UTF-8 text.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct TextFile(String);

impl TryFrom<String> for TextFile {
    type Error = String;
    fn try_from(path: String) -> Result<Self, String> {
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
        if text.trim().is_empty() { Err(format!("{path}: empty")) } else { Ok(Self(text)) }
    }
}
