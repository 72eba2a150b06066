//! 订单号 and 支付流水号: the numbers people and channels know us by.
use std::fmt;

use super::moment::Moment;

/// 缴费单号: 2-letter prefix + yymmdd + school code (2–6 letters) + 6-digit daily serial, e.g. `XF200216LUT000001`.
/// Kept in upper case; looked up without regard to case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct OrderNo(String);

impl OrderNo {
    /// The number of the `serial`-th order of a day. Serials above 999,999 take a seventh digit.
    pub fn compose(prefix: &str, day: Moment, school_code: &str, serial: i64) -> OrderNo {
        OrderNo(format!("{prefix}{}{school_code}{serial:06}", day.format("%y%m%d")).to_ascii_uppercase())
    }

    /// Reads what a person or a URL says; any case, blanks around it forgiven.
    pub fn parse(text: &str) -> Option<OrderNo> {
        let plain = text.trim().to_ascii_uppercase();
        let bytes = plain.as_bytes();
        let letters = bytes.iter().take(2).filter(|b| b.is_ascii_uppercase()).count();
        let fits = (16..=22).contains(&bytes.len()) && letters == 2 && bytes.iter().all(u8::is_ascii_alphanumeric);
        fits.then_some(OrderNo(plain))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 支付流水号: one try at one channel product, our `out_trade_no` there. The order number, then the try in two or more
/// digits:
/// `XF200216LUT000001` + `T02`. Letters and digits only, 6–32 bytes (WeChat Pay v3, orders: 6–32; Alipay: ≤ 64).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct AttemptNo(String);

impl AttemptNo {
    /// The `try_no`-th attempt (from 1) of an order.
    pub fn compose(order_no: &OrderNo, try_no: i64) -> AttemptNo {
        AttemptNo(format!("{order_no}T{try_no:02}"))
    }

    /// Reads what a channel says. The text is kept as it came: channels return our number unchanged.
    pub fn parse(text: &str) -> Option<AttemptNo> {
        let fits = (6..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| AttemptNo(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttemptNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 退费单号: our `out_refund_no` (WeChat Pay, ≤ 64) and `out_request_no` (Alipay, ≤ 64): the attempt's number, then `R`
/// and the refund.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct RefundNo(String);

impl RefundNo {
    pub fn compose(attempt_no: &AttemptNo, refund: i64) -> RefundNo {
        RefundNo(format!("{attempt_no}R{refund:02}"))
    }

    pub fn parse(text: &str) -> Option<RefundNo> {
        let fits = (6..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| RefundNo(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RefundNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_order_of_a_day_has_the_manuals_number() {
        let day = Moment::parse_rfc3339("2020-02-16T08:00:00+08:00").unwrap();
        let no = OrderNo::compose("XF", day, "LUT", 1);
        assert_eq!(no.as_str(), "XF200216LUT000001");
        assert_eq!(no.as_str().len(), 17);
        assert_eq!(OrderNo::parse(" xf200216lut000001 "), Some(no.clone()));
        assert_eq!(OrderNo::parse("pt221024DLUT000067").unwrap().as_str(), "PT221024DLUT000067");
        assert_eq!(AttemptNo::compose(&no, 2).as_str(), "XF200216LUT000001T02");
        assert_eq!(OrderNo::parse("XF200216LUT00000é"), None);
        assert_eq!(OrderNo::parse("../../etc/passwd1"), None);
    }

    #[test]
    fn the_longest_number_fits_wechats_32_bytes() {
        let day = Moment::from_unix(4_000_000_000);
        let no = AttemptNo::compose(&OrderNo::compose("XF", day, "ABCDEF", 9_999_999), 999);
        assert!(no.as_str().len() <= 32, "{no}");
        assert_eq!(AttemptNo::parse(no.as_str()), Some(no));
    }
}
