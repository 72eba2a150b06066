//! 交易记录: every attempt to pay as the bank would list it.
use askama::Template;

use super::filter::{Dealt, Listing, Pages};
use super::links;
use super::part::channel_word;
use crate::domain::money::Fen;
use crate::flow::payments::Dealing;
use crate::web::html::{Frame, filters};

#[derive(Template, Debug)]
#[template(path = "page/dealings.html")]
pub struct Dealings {
    /// With a person
    pub frame: Frame,
    pub dealt: Dealt,
    pub list: Listing,
    /// Newest first
    pub rows: Vec<Dealing>,
    pub pages: Pages,
    /// Signed in with document number and name: nothing before today is shown
    pub limited: bool,
}

impl Dealings {
    /// 支付状态: word, address, whether it is the present one.
    fn states(&self) -> [(&'static str, String, bool); 3] {
        Dealt::ALL.map(|dealt| (dealt_word(dealt), self.list.showing(dealt.code()), dealt == self.dealt))
    }

    fn state_word(&self, one: &Dealing) -> &'static str {
        match (&one.taken, one.is_live) {
            (Some(_), _) => "dealings.yes",
            (None, true) => "dealings.open",
            (None, false) => "dealings.no",
        }
    }

    fn channel_word(&self, one: &Dealing) -> &'static str {
        channel_word(&one.channel)
    }

    fn tone(&self, one: &Dealing) -> &'static str {
        match (&one.taken, one.is_live) {
            (Some(_), _) => "s1",
            (None, true) => "s2",
            (None, false) => "s0",
        }
    }

    /// 交易金额
    fn amount(&self, one: &Dealing) -> Fen {
        one.taken.as_ref().map_or(Fen::ZERO, |taken| taken.amount)
    }

    /// 手续费: what was asked for beyond the order's own; none so far
    fn commission(&self) -> Fen {
        Fen::ZERO
    }
}

fn dealt_word(dealt: Dealt) -> &'static str {
    match dealt {
        Dealt::All => "list.all",
        Dealt::Paid => "dealings.yes",
        Dealt::Unpaid => "dealings.no",
    }
}
