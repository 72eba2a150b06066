//! What every order call says of an order, in Alipay's own limits (Alipay, alipay.trade.wap.pay and its sisters).
use std::time::Duration;

use alipay_sdk_rust::biz::BizContenter;

use crate::channel::contract::PrepayAsk;
use crate::domain::moment::Moment;

/// The longest subject or reason, in characters. Counted in UTF-16 units, because a rare character takes two of them
/// there.
const LONGEST: usize = 256;

/// Number, amount in yuan, subject, deadline and receiving account.
pub fn fill(biz: &mut impl BizContenter, ask: &PrepayAsk, seller_id: &str, now: Moment) {
    biz.set("out_trade_no", ask.attempt_no.to_string().into());
    biz.set("total_amount", ask.amount.yuan().into());
    biz.set("subject", subject(&ask.subject).into());
    biz.set("time_expire", deadline(now, ask.expires_at).beijing_text().into());
    if !seller_id.is_empty() {
        biz.set("seller_id", seller_id.to_owned().into());
    }
}

/// A title without `/ = &` (Alipay refuses them; their full-width forms read the same) and without control characters.
pub fn subject(text: &str) -> String {
    let mut room = LONGEST;
    let clean = text.trim().chars().filter(|c| !c.is_control()).map(|c| match c {
        '/' => '／',
        '=' => '＝',
        '&' => '＆',
        other => other,
    });
    let clean: String = clean
        .take_while(|c| {
            let fits = c.len_utf16() <= room;
            room = room.saturating_sub(c.len_utf16());
            fits
        })
        .collect();
    if clean.is_empty() { "缴费".to_owned() } else { clean }
}

/// A deadline within what Alipay takes: one minute to fifteen days from now.
fn deadline(now: Moment, wanted: Moment) -> Moment {
    wanted.clamp(now + Duration::from_secs(60), now + Duration::from_secs(15 * 24 * 3600))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::alipay::testing;
    use alipay_sdk_rust::biz::TradeWapPayBiz;

    #[test]
    fn a_subject_loses_what_alipay_refuses_and_nothing_else() {
        assert_eq!(subject("学费/住宿费 & 1+1=2"), "学费／住宿费 ＆ 1+1＝2");
        assert_eq!(subject(" \u{0}2026\n级\u{7f}} \"<𠮷%>\t"), "2026级} \"<𠮷%>");
        assert_eq!(subject("\n \t"), "缴费");
    }

    #[test]
    fn a_subject_is_cut_at_256_units_and_never_inside_a_character() {
        assert_eq!(subject(&"费".repeat(300)).chars().count(), 256);
        assert_eq!(subject(&"𠮷".repeat(300)).chars().count(), 128);
        assert_eq!(subject(&format!("a{}b", "𠮷".repeat(300))).encode_utf16().count(), 255);
    }

    #[test]
    fn the_deadline_stays_between_a_minute_and_fifteen_days() {
        let now = Moment::parse_beijing("2026-09-01 10:00:00").unwrap();
        let text = |wanted: &str| deadline(now, Moment::parse_beijing(wanted).unwrap()).beijing_text();
        assert_eq!(text("2026-09-01 10:30:00"), "2026-09-01 10:30:00");
        assert_eq!(text("2026-08-01 10:30:00"), "2026-09-01 10:01:00");
        assert_eq!(text("2027-09-01 10:30:00"), "2026-09-16 10:00:00");
    }

    #[test]
    fn the_largest_and_smallest_amount_are_said_in_yuan() {
        for (fen, yuan) in [(1, "0.01"), (9_999_999_999, "99999999.99"), (800_000, "8000.00")] {
            let mut biz = TradeWapPayBiz::new();
            let ask = PrepayAsk { amount: crate::domain::money::Fen::new(fen), ..testing::ask() };
            fill(&mut biz, &ask, "", Moment::from_unix(0));
            let json = serde_json::to_value(&biz).unwrap();
            assert_eq!(json["total_amount"], yuan);
            assert!(json.get("seller_id").is_none());
        }
    }
}
