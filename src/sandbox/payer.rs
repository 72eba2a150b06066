//! The payer's side: what a person with a phone can do with a code, a link or a prepay_id. Used by the phone page, by
//! the cashier pages and by tests.
use serde::Serialize;

use crate::domain::money::Fen;
use crate::domain::trade::Channel;

use super::faults::{Call, Fault};
use super::outbox::NoticeAbout;
use super::trade::{PaidReceipt, PayRefusal, Trade, TradeKey};
use super::world::Sandbox;

/// What the phone shows before the password.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Offer {
    pub out_trade_no: String,
    pub merchant_name: String,
    pub description: String,
    /// Fen
    pub amount: Fen,
    pub product: &'static str,
    pub return_url: Option<String>,
}

impl Sandbox {
    /// The trade a text leads to: a prepay_id (bare, as `prepay_id=…`, or within an H5 link), a code_url or QR text,
    /// the channel's trade number where it was handed out, or the merchant's own number. Codes have a date: too old is
    /// refused.
    pub fn look_up(&self, channel: Channel, text: &str) -> Result<TradeKey, PayRefusal> {
        let text = text.trim();
        let bank = self.bank();
        let code = bank.code(text).or_else(|| bank.code(prepay_id(text)?));
        if let Some(code) = code {
            return match () {
                () if code.key.channel != channel => Err(PayRefusal::WrongApp),
                () if self.now() >= code.valid_until => Err(PayRefusal::CodeExpired),
                () => Ok(code.key.clone()),
            };
        }
        if prepay_id(text).is_some() || text.contains("://") {
            return Err(PayRefusal::CodeExpired);
        }
        bank.find(channel, text).map(|trade| trade.key().clone()).ok_or(PayRefusal::Unknown)
    }

    /// Scans the code or opens the cashier. Nothing is paid, but another payer cannot pay any more.
    pub fn open(&self, channel: Channel, text: &str, phone: &str) -> Result<Offer, PayRefusal> {
        let key = self.look_up(channel, text)?;
        let mut bank = self.bank();
        let name = bank.merchant(channel, &key.merchant).map(|m| m.name.clone()).unwrap_or_default();
        bank.open(&key, phone, self.now()).map(|trade| offer(trade, name))
    }

    /// Pays: the money is booked and the notice is queued (sent by [`Sandbox::deliver_due`]).
    pub fn pay(&self, channel: Channel, text: &str, phone: &str) -> Result<PaidReceipt, PayRefusal> {
        let key = self.look_up(channel, text)?;
        let now = self.now();
        let mut bank = self.bank();
        let paid = match bank.pay(&key, phone, now) {
            Err(PayRefusal::Closed | PayRefusal::Expired)
                if self.strikes(Fault::TakeLatePayment, channel, Call::Pay).is_some() =>
            {
                bank.pay_against_the_rules(&key, phone, now)?
            }
            other => other?,
        };
        if let Some(less) = self.strikes(Fault::TakeWrongAmount, channel, Call::Pay) {
            bank.took_less(&key, Fen::new(less.cast_signed()));
        }
        if let Some(trade) = bank.trade(&key) {
            self.queue_notice(trade, NoticeAbout::Paid);
        }
        Ok(paid)
    }

    /// Types a wrong password: the order stays unpaid and payable.
    pub fn pay_with_wrong_password(&self, channel: Channel, text: &str, phone: &str) -> PayRefusal {
        self.open(channel, text, phone).err().unwrap_or(PayRefusal::WrongPassword)
    }

    /// Opens and turns away: the order stays unpaid and payable by the same phone.
    pub fn cancel(&self, channel: Channel, text: &str, phone: &str) -> Result<Offer, PayRefusal> {
        self.open(channel, text, phone)
    }
}

fn offer(trade: &Trade, merchant_name: String) -> Offer {
    Offer {
        out_trade_no: trade.key().out_trade_no.clone(),
        merchant_name,
        description: trade.ask.description.clone(),
        amount: trade.ask.total,
        product: trade.ask.product.code(),
        return_url: trade.ask.return_url.clone(),
    }
}

/// The `prepay_id` parameter of a link or of a JSAPI package.
fn prepay_id(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("prepay_id=")?;
    rest.split('&').next()
}
