//! Notices as WeChat Pay sends them: sealed resource, signed envelope (WeChat Pay v3, payment notice and refund
//! notice).
use std::time::Duration;

use serde_json::{Value, json};

use crate::sandbox::outbox::{Manner, NoticeAbout, NoticeJob, Outgoing};
use crate::sandbox::trade::{Refund, RefundState, Trade};
use crate::sandbox::world::Sandbox;

use super::voice::{VoiceKey, headers, seal};
use super::{refunds, transaction};

/// One try: new timestamp, nonce, seal and signature. None where WeChat sends nothing.
pub fn compose(world: &Sandbox, job: &NoticeJob, trade: &Trade, manner: Manner) -> Option<Outgoing> {
    let (kind, event, summary, plain) = match &job.about {
        NoticeAbout::Paid => {
            let plain = transaction::as_notified(trade, manner.lies);
            ("transaction", "TRANSACTION.SUCCESS", "支付成功", plain)
        }
        NoticeAbout::Refund { refund_no } => {
            let refund = trade.refund(refund_no)?;
            let (event, summary) = event_of(refund)?;
            let plain = refunds::as_notified(trade, refund, manner.lies.more_fen, manner.lies.merchant);
            ("refund", event, summary, plain)
        }
        NoticeAbout::Closed => return None,
    };
    let body = envelope(world, job, (kind, event, summary), &plain).to_string().into_bytes();
    let key = VoiceKey::of_notice(world.switches(), &world.chance);
    let at = world.now() - Duration::from_secs(manner.age);
    Some(Outgoing {
        content_type: "application/json",
        headers: headers(key, manner.signing, at, &world.chance, &body),
        body,
    })
}

fn event_of(refund: &Refund) -> Option<(&'static str, &'static str)> {
    match refund.state {
        RefundState::Processing { .. } => None,
        RefundState::Success { .. } => Some(("REFUND.SUCCESS", "退款成功")),
        RefundState::Closed { .. } => Some(("REFUND.CLOSED", "退款关闭")),
        RefundState::Abnormal { .. } => Some(("REFUND.ABNORMAL", "退款异常")),
    }
}

fn envelope(world: &Sandbox, job: &NoticeJob, (kind, event, summary): (&str, &str, &str), plain: &Value) -> Value {
    let (nonce, ciphertext) = seal(&world.chance, kind, plain.to_string().as_bytes());
    json!({
        "id": job.id,
        "create_time": job.queued_at.rfc3339(),
        "resource_type": "encrypt-resource",
        "event_type": event,
        "summary": summary,
        "resource": {
            "original_type": kind,
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": ciphertext,
            "associated_data": kind,
            "nonce": nonce,
        },
    })
}
