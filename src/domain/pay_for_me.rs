//! 家长代付: a link that lets others pay one order or one charge, and one giver's way through it. Values only.
use std::time::Duration;

use super::fee::coded;
use super::ids::{ChargeId, GiftId, OrderId, PayLinkId, PayerId};
use super::moment::Moment;
use super::profile::real_name;

/// 代付链接. It shows a stranger the masked name, the item and the amount, and nothing else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PayLink {
    pub id: PayLinkId,
    /// Whoever has it may open the link
    pub code: String,
    pub payer_id: PayerId,
    pub of: For,
    pub created_at: Moment,
    pub expires_at: Moment,
    pub revoked_at: Option<Moment>,
}

/// What is to be paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum For {
    /// All of it, while its amounts are owed
    Order(OrderId),
    /// All of it or, where the item may be split, a part: several may give
    Charge(ChargeId),
}

/// 代付: one giver's way to one order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gift {
    pub id: GiftId,
    /// Whoever has it may pay the order, as long as the link stands
    pub code: String,
    pub link: PayLinkId,
    pub order_id: OrderId,
    /// As the giver wishes to be called; none: left out
    pub giver: Option<String>,
}

coded! {
    /// How long a new link may be used
    Lasting {
        Day = "1",
        ThreeDays = "3",
        Week = "7",
    }
}

impl Lasting {
    pub const fn time(self) -> Duration {
        let days = match self {
            Lasting::Day => 1,
            Lasting::ThreeDays => 3,
            Lasting::Week => 7,
        };
        Duration::from_secs(days * 86_400)
    }
}

/// The longest name a giver may have on a receipt, in letters
const LONGEST: usize = 20;

/// Not a name, or longer than a receipt has room for
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoName;

/// The name a giver types. It stands on a receipt, so no number, address or sign gets through; empty is none.
///
/// # Errors
/// [`NoName`].
pub fn giver_name(typed: &str) -> Result<Option<String>, NoName> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    real_name(typed).filter(|name| name.chars().count() <= LONGEST).map(Some).ok_or(NoName)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_giver_is_called_by_a_name_and_by_nothing_that_leads_elsewhere() {
        assert_eq!(giver_name("  "), Ok(None));
        assert_eq!(giver_name(" 林 爸爸 "), Ok(Some("林 爸爸".to_owned())));
        assert_eq!(giver_name("Mary O'Hara-Lin"), Ok(Some("Mary O'Hara-Lin".to_owned())));
        let endless = "长".repeat(21);
        for bad in ["妈", "13900001111", "加微信x9", "https://evil.example", "<b>林</b>", endless.as_str()] {
            assert_eq!(giver_name(bad), Err(NoName), "{bad}");
        }
    }
}
