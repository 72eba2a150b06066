//! UnionPay's back notices (ACP 5.1.0): forms, sent up to five times, of what succeeded.
//!
//! A notice is believed when UnionPay signed it with a certificate that leads up to the root, and only then looked at.
//! Amounts and numbers are handed up as they are; whether they fit an order is not known here.
use super::fields::Fields;
use super::gateway::Gateway;
use super::{query, times};
use crate::channel::contract::{About, Ack, Notice, NoticeRefusal, RawNotice, Reception};
use crate::domain::moment::Moment;
use crate::domain::trade::{Heard, RefundHeard};

/// 200 ends the repetitions, whatever the body.
pub fn acknowledge(reception: Reception) -> Ack {
    let (status, body) = match reception {
        Reception::Done => (200, "ok"),
        Reception::Refused => (400, "fail"),
        Reception::Later => (500, "fail"),
    };
    Ack { status, content_type: "text/plain", body }
}

/// # Errors
/// Why it was not believed, or the field it lacks.
pub fn verify(gateway: &Gateway, raw: &RawNotice) -> Result<Notice, NoticeRefusal> {
    let told = Fields::of_form(&raw.body).ok_or(NoticeRefusal::Malformed("no form in UTF-8"))?;
    gateway.believe(&told)?;
    read(gateway, &told, raw.received_at)
}

/// What a notice says whose signature has been found to fit.
///
/// # Errors
/// As [`verify`].
pub fn read(gateway: &Gateway, told: &Fields, received_at: Moment) -> Result<Notice, NoticeRefusal> {
    let needed = |name: &'static str| told.get(name).ok_or(NoticeRefusal::Missing(name));
    let opened_at = times::parse(needed("txnTime")?).unwrap_or(received_at);
    needed("merId")?;
    let succeeded = matches!(needed("respCode")?, "00" | "A6");
    let about = match needed("txnType")? {
        "01" => {
            let heard = match succeeded {
                true => query::paid(gateway, told, opened_at).map_err(|_| NoticeRefusal::Malformed("queryId or txnAmt"))?,
                // nothing of the sort is sent; whoever sends it says that one try failed
                false => Heard::Unpaid,
            };
            About::Payment { attempt_no: needed("orderId")?.to_owned(), heard }
        }
        "04" => {
            if query::foreign(gateway, told).is_some() {
                return Err(NoticeRefusal::Malformed("another merchant's refund"));
            }
            let channel_refund_no = needed("queryId")?.to_owned();
            let heard = match succeeded {
                true => RefundHeard::Done {
                    channel_refund_no,
                    amount: query::amount(told).ok_or(NoticeRefusal::Malformed("txnAmt"))?,
                    at: query::settled_at(told, opened_at),
                },
                false => RefundHeard::Processing { channel_refund_no },
            };
            About::Refund { refund_no: needed("orderId")?.to_owned(), heard }
        }
        // 消费撤销 and others are not ours to make
        _ => About::Nothing,
    };
    Ok(Notice { id: told.get("queryId").unwrap_or_default().to_owned(), about, believed_until: None })
}
