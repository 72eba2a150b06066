//! The words for each refusal of the office.
use super::part::channel_word;
use crate::domain::amount::AmountRefusal;
use crate::domain::bilingual::Lang;
use crate::domain::fee::Unpayable;
use crate::domain::method::Barred;
use crate::domain::order::CloseReason;
use crate::domain::refusal::Refusal;
use crate::web::html::Frame;
use crate::web::words::{fill, word};

/// One sentence that tells the payer what and why.
pub fn refusal(frame: &Frame, refusal: &Refusal) -> String {
    let lang = frame.lang;
    match refusal {
        Refusal::NotFound => frame.w("refusal.not_found").to_owned(),
        Refusal::NothingSelected => frame.w("refusal.nothing_selected").to_owned(),
        Refusal::OneBatch => frame.w("refusal.one_batch").to_owned(),
        Refusal::Unpayable { item, why } => {
            let (item, why) = (item.in_lang(lang), unpayable(frame, why));
            fill(lang, "refusal.item", &[("item", &item), ("why", &why)])
        }
        Refusal::Amount { item, why } => {
            let (item, why) = (item.in_lang(lang), amount(lang, why));
            fill(lang, "refusal.item", &[("item", &item), ("why", &why)])
        }
        Refusal::InAnotherOrder { order_no } => frame.with("refusal.in_another_order", "no", order_no),
        Refusal::OrderTooLarge => frame.w("refusal.order_too_large").to_owned(),
        Refusal::OrderPaid => frame.w("refusal.order_paid").to_owned(),
        Refusal::OrderClosed { reason } => frame.w(closed(*reason)).to_owned(),
        Refusal::ArrearsChanged => frame.w("refusal.arrears_changed").to_owned(),
        Refusal::UnderReview => frame.w("refusal.under_review").to_owned(),
        Refusal::NotOffered => frame.w("refusal.not_offered").to_owned(),
        Refusal::Barred { channel, why } => {
            let (channel, why) = (word(lang, channel_word(channel)), barred(frame, why));
            fill(lang, "refusal.item", &[("item", &channel), ("why", &why)])
        }
        Refusal::BuyerNeeded { channel } => {
            frame.with("refusal.buyer_needed", "channel", word(lang, channel_word(channel)))
        }
        Refusal::ChannelBusy { channel } => {
            frame.with("refusal.channel_busy", "channel", word(lang, channel_word(channel)))
        }
        Refusal::ChannelRefused { channel } => {
            frame.with("refusal.channel_refused", "channel", word(lang, channel_word(channel)))
        }
    }
}

/// Why an item takes no money now.
pub fn unpayable(frame: &Frame, why: &Unpayable) -> String {
    match why {
        Unpayable::Suspended => frame.w("unpayable.suspended").to_owned(),
        Unpayable::NotYet(opens) => frame.with("unpayable.not_yet", "day", frame.day_time(opens)),
        Unpayable::Over(closed) => frame.with("unpayable.over", "day", frame.last_day(closed)),
    }
}

/// Why a channel takes no payment now.
pub fn barred(frame: &Frame, why: &Barred) -> String {
    match why {
        Barred::NotForPayee => frame.w("refusal.not_offered").to_owned(),
        Barred::Below { min } => frame.with("barred.below", "min", min),
        Barred::Above { max } => frame.with("barred.above", "max", max),
        Barred::Paused { until, reason } if reason.zh.is_empty() => {
            frame.with("barred.paused", "time", frame.day_time(until))
        }
        Barred::Paused { until, reason } => {
            frame.with2("barred.paused_for", &("reason", frame.name(reason)), &("time", frame.day_time(until)))
        }
    }
}

/// Why an amount is not allowed.
pub fn amount(lang: Lang, why: &AmountRefusal) -> String {
    match why {
        AmountRefusal::AboveArrears { arrears } => fill(lang, "amount.above", &[("max", arrears)]),
        AmountRefusal::BelowMinimum { min_split } => fill(lang, "amount.below", &[("min", min_split)]),
        AmountRefusal::RemainderTooSmall { remainder, min_split } => {
            fill(lang, "amount.remainder", &[("rest", remainder), ("min", min_split)])
        }
        AmountRefusal::NotSplittable { arrears } => fill(lang, "amount.whole", &[("max", arrears)]),
        AmountRefusal::NothingOwed => word(lang, "amount.nothing").to_owned(),
    }
}

/// Why an order was closed.
pub fn closed(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Cancelled => "closed.cancelled",
        CloseReason::Expired => "closed.expired",
        CloseReason::Superseded => "closed.superseded",
    }
}
