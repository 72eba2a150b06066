//! Back notices: a URL-encoded form to `backUrl`, of what has succeeded and of nothing else (ACP 5.1.0).
use crate::domain::trade::Channel;
use crate::sandbox::faults::{Call, Fault};
use crate::sandbox::outbox::{Manner, NoticeAbout, NoticeJob, Outgoing};
use crate::sandbox::trade::{RefundState, Trade};
use crate::sandbox::world::Sandbox;

use super::refusal::words;
use super::told::transaction;
use super::voice::sign;

/// One try. None where UnionPay sends nothing.
pub fn compose(world: &Sandbox, job: &NoticeJob, trade: &Trade, manner: Manner) -> Option<Outgoing> {
    let refund = match &job.about {
        NoticeAbout::Paid => None,
        NoticeAbout::Closed => return None,
        NoticeAbout::Refund { refund_no } => Some(trade.refund(refund_no)?),
    };
    let succeeded = refund.map_or(trade.is_paid(), |refund| matches!(refund.state, RefundState::Success { .. }));
    if !succeeded {
        return None;
    }
    let defect =
        refund.is_none() && world.strikes(Fault::PaidWithDefect, Channel::UnionPay, Call::PaymentNotice).is_some();
    let code = if defect { "A6" } else { "00" };
    let mut told = transaction(trade, refund, manner.lies);
    told.put("respCode", code);
    told.put("respMsg", words(code));
    sign(manner.signing, &mut told);
    let content_type = "application/x-www-form-urlencoded;charset=UTF-8";
    Some(Outgoing { content_type, headers: Vec::new(), body: told.form().into_bytes() })
}
