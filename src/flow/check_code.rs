//! 验证码: a mac over what of a paper never changes, so that nobody who has not our key can make one up.
//!
//! The key is derived from the journal's, whose predecessors stay known: a code can be checked as long as the journal
//! can. Which paper it is of is part of it: a voucher's code is no poster's.
use aws_lc_rs::hmac;

use crate::app::App;
use crate::config::Key32;
use crate::domain::voucher::VoucherCode;

/// What a code is made of.
pub struct Facts<'a> {
    /// The kind of paper
    pub of: &'static str,
    pub texts: Vec<&'a str>,
    pub numbers: Vec<i64>,
}

impl Facts<'_> {
    pub fn code(&self, app: &App) -> VoucherCode {
        self.under(&app.config.secrets.journal_key)
    }

    /// Whether the code was made of these facts, under the key of today or an earlier one.
    pub fn proved_by(&self, app: &App, code: &VoucherCode) -> bool {
        let secrets = &app.config.secrets;
        std::iter::once(&secrets.journal_key).chain(&secrets.old_journal_keys).any(|key| self.under(key) == *code)
    }

    /// HMAC-SHA-256 over a row of fields: texts as their length in eight bytes and then their bytes, numbers as eight
    /// bytes big-endian, so that two different papers never make the same row.
    fn under(&self, key: &Key32) -> VoucherCode {
        let of_journal = hmac::Key::new(hmac::HMAC_SHA256, key.bytes());
        let label = format!("jiaofei {}", self.of);
        let key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&of_journal, label.as_bytes()).as_ref());
        let mut mac = hmac::Context::with_key(&key);
        for text in &self.texts {
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        self.numbers.iter().for_each(|number| mac.update(&number.to_be_bytes()));
        let tag = mac.sign();
        let first = tag.as_ref().first_chunk().expect("a SHA-256 mac has 32 bytes");
        VoucherCode::of(first)
    }
}
