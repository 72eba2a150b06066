//! 微信绑定: who comes in from the menu, and which WeChats open one's account.
use askama::Template;

use super::links;
use super::login::Identity;
use crate::flow::official::binding::Bound;
use crate::web::html::Frame;

/// Several payers are bound to this WeChat: which one comes in. POSTs to [`links::WECHAT_ENTER`]: `csrf`, `to`,
/// `payer`.
#[derive(Template, Debug)]
#[template(path = "page/entrance.html")]
pub struct Entrance {
    pub frame: Frame,
    pub identities: Vec<Identity>,
    /// Nothing was chosen
    pub problem: bool,
    pub to: String,
}

/// What was done just before the page was drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BindingsDone {
    Bound,
    Unbound,
    /// WeChat did not say who it is; nothing was bound
    Unknown,
}

impl BindingsDone {
    pub const fn code(self) -> &'static str {
        match self {
            BindingsDone::Bound => "bound",
            BindingsDone::Unbound => "unbound",
            BindingsDone::Unknown => "unknown",
        }
    }

    pub fn parse(code: &str) -> Option<BindingsDone> {
        [BindingsDone::Bound, BindingsDone::Unbound, BindingsDone::Unknown].into_iter().find(|done| done.code() == code)
    }

    fn word(self) -> &'static str {
        match self {
            BindingsDone::Bound => "wechat.bound",
            BindingsDone::Unbound => "wechat.unbound",
            BindingsDone::Unknown => "wechat.unknown",
        }
    }
}

/// The WeChats that open the account. POSTs to [`links::WECHAT`] (`csrf`) and [`links::WECHAT_UNBIND`] (`csrf`,
/// `binding`).
#[derive(Template, Debug)]
#[template(path = "page/wechat.html")]
pub struct Bindings {
    /// With a person
    pub frame: Frame,
    /// The page is open inside WeChat on a phone
    pub here: bool,
    /// WeChat has said who it is
    pub known: bool,
    /// Signed in with document number and name
    pub limited: bool,
    /// Bound WeChats are told of what happens
    pub told: bool,
    pub bound: Vec<Bound>,
    pub done: Option<BindingsDone>,
}

impl Bindings {
    fn can_bind(&self) -> bool {
        self.here && self.known && !self.bound.iter().any(|one| one.is_this)
    }
}
