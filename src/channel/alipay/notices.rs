//! Alipay's notifications (Alipay, asynchronous notification of trades, signature rule "V1").
//!
//! A notification is believed when it carries Alipay's RSA2 signature over its own bytes, and only then looked at: app and
//! seller first, the state last. Amounts and numbers are handed up as they are; whether they fit an order is not known here.
use std::time::Duration;

use encoding_rs::Encoding;

use super::form::Form;
use super::gateway::Gateway;
use super::keys::Keys;
use super::trades::foreign_seller;
use crate::channel::contract::{About, Ack, Notice, NoticeRefusal, RawNotice, Reception};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::trade::{Heard, RefundHeard, TradeNo};

/// Alipay sends one event again for 24 h 22 min; what is older was not sent by it.
const OLDEST: Duration = Duration::from_secs(25 * 3600);

/// The seven letters that end the repetitions, or a word that does not.
pub fn acknowledge(reception: Reception) -> Ack {
    let body = match reception {
        Reception::Done => "success",
        Reception::Refused | Reception::Later => "fail",
    };
    Ack { status: 200, content_type: "text/plain", body }
}

pub fn verify(gateway: &Gateway, raw: &RawNotice) -> Result<Notice, NoticeRefusal> {
    let form = Form::parse(&raw.body)?;
    authenticate(&form, &gateway.keys)?;
    let told = Told { charset: form.charset()?, form, received_at: raw.received_at };
    told.check_age()?;
    let id = told.text("notify_id")?.unwrap_or_default();
    let about = match told.text("notify_type")?.as_deref() {
        Some("trade_status_sync") => told.about(gateway)?,
        _ => About::Nothing,
    };
    Ok(Notice { id, about })
}

/// V1: everything but `sign` and `sign_type`, sorted and joined. Whether empty values and the certificate's number are part
/// of the text is said differently by different SDKs of Alipay; a field that was left out here is not read later either
/// (empty ones count as absent, the number is only compared).
fn authenticate(form: &Form, keys: &Keys) -> Result<(), NoticeRefusal> {
    let field = |name: &'static str| form.bytes(name).filter(|value| !value.is_empty());
    let sign_type = field("sign_type").ok_or(NoticeRefusal::Missing("sign_type"))?;
    if sign_type != b"RSA2" {
        return Err(NoticeRefusal::Malformed("sign_type is not RSA2"));
    }
    let sign = field("sign").ok_or(NoticeRefusal::Missing("sign"))?;
    // base64 has no blanks: one is a plus that was not escaped
    let sign = std::str::from_utf8(sign).map_err(|_| NoticeRefusal::BadSignature)?.replace(' ', "+");
    if let (Some(number), Some(known)) = (field("alipay_cert_sn"), keys.numbers())
        && number != known.alipay.as_bytes()
    {
        return Err(NoticeRefusal::UnknownKey);
    }
    let all = |name: &[u8], _: &[u8]| name != b"sign" && name != b"sign_type";
    let filled = |name: &[u8], value: &[u8]| all(name, value) && !value.is_empty();
    let uncertified = |name: &[u8], value: &[u8]| filled(name, value) && name != b"alipay_cert_sn";
    let mut texts = vec![form.joined(all), form.joined(filled), form.joined(uncertified)];
    texts.dedup();
    let fits = texts.iter().any(|text| keys.verifies(text, &sign));
    fits.then_some(()).ok_or(NoticeRefusal::BadSignature)
}

/// A notification whose signature fits.
struct Told {
    form: Form,
    charset: &'static Encoding,
    received_at: Moment,
}

impl Told {
    fn text(&self, name: &'static str) -> Result<Option<String>, NoticeRefusal> {
        self.form.text(self.charset, name)
    }

    fn needed(&self, name: &'static str) -> Result<String, NoticeRefusal> {
        self.text(name)?.ok_or(NoticeRefusal::Missing(name))
    }

    /// A time; absent stays absent, nonsense is refused.
    fn time(&self, name: &'static str) -> Result<Option<Moment>, NoticeRefusal> {
        let parse = |text: String| Moment::parse_beijing(&text).ok_or(NoticeRefusal::Malformed(name));
        self.text(name)?.map(parse).transpose()
    }

    fn amount(&self, name: &'static str) -> Result<Option<Fen>, NoticeRefusal> {
        let parse = |text: String| Fen::from_yuan(&text).ok_or(NoticeRefusal::Malformed(name));
        self.text(name)?.map(parse).transpose()
    }

    fn check_age(&self) -> Result<(), NoticeRefusal> {
        match self.time("notify_time")? {
            Some(sent) if self.received_at.since(sent) > OLDEST => Err(NoticeRefusal::Stale),
            _ => Ok(()),
        }
    }

    fn about(&self, gateway: &Gateway) -> Result<About, NoticeRefusal> {
        let attempt_no = self.needed("out_trade_no")?;
        let app_id = self.needed("app_id")?;
        if app_id != gateway.app_id {
            return Ok(About::Payment { attempt_no, heard: Heard::Foreign { field: "app_id", got: app_id } });
        }
        if let Some(got) = foreign_seller(self.text("seller_id")?, &gateway.seller_id) {
            return Ok(About::Payment { attempt_no, heard: Heard::Foreign { field: "seller_id", got } });
        }
        let refunded = self.amount("refund_fee")?.is_some_and(Fen::is_positive);
        if refunded || self.text("gmt_refund")?.is_some() {
            return self.refund();
        }
        let heard = match self.needed("trade_status")?.as_str() {
            "WAIT_BUYER_PAY" => Heard::Unpaid,
            "TRADE_SUCCESS" | "TRADE_FINISHED" => self.paid()?,
            // closed with a payment time: paid, and refunded in full since
            "TRADE_CLOSED" if self.text("gmt_payment")?.is_some() => self.paid()?,
            "TRADE_CLOSED" => Heard::Closed,
            _ => return Ok(About::Nothing),
        };
        Ok(About::Payment { attempt_no, heard })
    }

    fn paid(&self) -> Result<Heard, NoticeRefusal> {
        Ok(Heard::Paid {
            trade_no: TradeNo(self.needed("trade_no")?),
            amount: self.amount("total_amount")?.ok_or(NoticeRefusal::Missing("total_amount"))?,
            paid_at: self.time("gmt_payment")?.or(self.time("notify_time")?).unwrap_or(self.received_at),
        })
    }

    /// A refund, by the number it was asked with. `refund_fee` is the sum of all refunds of the trade, so without a
    /// `refund_amount` this says only that something is under way, and the refund is asked for. A refund without a number
    /// was not made here.
    fn refund(&self) -> Result<About, NoticeRefusal> {
        let number = self.text("out_request_no")?.or(self.text("out_biz_no")?);
        let Some(refund_no) = number else { return Ok(About::Nothing) };
        let channel_refund_no = refund_no.clone();
        let unsure = self.text("refund_status")?.is_some_and(|status| status != "REFUND_SUCCESS");
        let heard = match self.amount("refund_amount")?.filter(|_| !unsure) {
            Some(amount) => {
                let at = self.time("gmt_refund")?.or(self.time("notify_time")?).unwrap_or(self.received_at);
                RefundHeard::Done { channel_refund_no, amount, at }
            }
            None => RefundHeard::Processing { channel_refund_no },
        };
        Ok(About::Refund { refund_no, heard })
    }
}
