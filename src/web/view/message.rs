//! A short message in place of a page: something ended, and what can be done now.
use askama::Template;

use super::links::{self, LoginMode};
use super::refusals;
use crate::domain::order::CloseReason;
use crate::domain::order_no::OrderNo;
use crate::web::html::Frame;

#[derive(Template, Debug)]
#[template(path = "page/message.html")]
pub struct MessagePage {
    pub frame: Frame,
    pub message: Message,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// The payer cancelled an order; it cannot be paid any more.
    OrderCancelled {
        order_no: OrderNo,
    },
    /// The cashier of an order that is closed.
    OrderClosed {
        order_no: OrderNo,
        reason: CloseReason,
    },
    /// The order behind a pay code is paid; nothing of it is shown.
    CodePaid,
    /// The order behind a pay code is closed.
    CodeClosed,
    /// No such pay code.
    CodeUnknown,
    /// 代付链接: its payer has taken it back.
    GiftRevoked,
    /// 代付链接: its time is over.
    GiftExpired,
    /// 代付链接: nothing is owed any more.
    GiftPaid,
    /// 代付链接: it is not collected as it was.
    GiftGone,
    /// 代付链接: somebody is paying just now.
    GiftWaiting,
    SignedOut,
    SignedOutEverywhere,
    /// A forgotten password was set anew; nobody is signed in by that.
    PasswordRecovered,
    /// A mail with a link is on its way, if there is an address.
    LinkSent,
    /// A link that was used, or is too old.
    LinkOver,
    /// A mailbox is proven.
    MailConfirmed,
    /// A link to a mailbox that was used, or is too old.
    MailLinkOver,
    /// A mail that opens an account is on its way, whether there is one or not.
    ActivationSent,
    /// The link of such a mail that was used, or is too old.
    ActivationOver,
    /// Signing up: the person has a student or staff number.
    IsStudent {
        back: String,
    },
    /// Signing up: the person has an account.
    IsSignedUp {
        back: String,
    },
    /// Signing up: not with this document number, not here.
    SignUpAtOffice,
    /// Signing up needs text messages, and none go out.
    SignUpAway,
    /// 统一身份认证: the errand or the ticket is too old, done, or another browser's.
    PortalOver {
        back: String,
    },
    /// 统一身份认证: the school has named nobody of that number.
    PortalUnknown {
        /// Where a browser leaves the portal, to sign in there as somebody else
        leave: String,
    },
    /// 统一身份认证: the portal gave no answer of use.
    PortalAway {
        back: String,
    },
    /// Signed out here, and still signed in at the portal.
    SignedOutOfHere {
        /// Where a browser leaves the portal
        leave: String,
    },
    /// The school has withdrawn a poster, or what it was about is gone.
    PosterRevoked,
    PosterExpired,
}

impl MessagePage {
    fn heading(&self) -> &'static str {
        match &self.message {
            Message::OrderCancelled { .. } => "message.cancelled",
            Message::OrderClosed { .. } => "message.closed",
            Message::CodePaid => "message.code_paid",
            Message::CodeClosed => "message.code_closed",
            Message::CodeUnknown => "message.code_unknown",
            Message::GiftRevoked => "message.gift_revoked",
            Message::GiftExpired => "message.gift_expired",
            Message::GiftPaid => "message.gift_paid",
            Message::GiftGone => "message.gift_gone",
            Message::GiftWaiting => "message.gift_waiting",
            Message::SignedOut => "message.signed_out",
            Message::SignedOutEverywhere => "message.signed_out_everywhere",
            Message::PasswordRecovered => "message.password_recovered",
            Message::LinkSent => "message.link_sent",
            Message::LinkOver | Message::MailLinkOver => "message.link_over",
            Message::ActivationSent => "message.link_sent",
            Message::ActivationOver => "message.link_over",
            Message::MailConfirmed => "message.mail_confirmed",
            Message::IsStudent { .. } => "message.is_student",
            Message::IsSignedUp { .. } => "message.is_signed_up",
            Message::SignUpAtOffice => "message.sign_up_at_office",
            Message::SignUpAway => "message.sign_up_away",
            Message::PortalOver { .. } => "message.portal_over",
            Message::PortalUnknown { .. } => "message.portal_unknown",
            Message::PortalAway { .. } => "message.portal_away",
            Message::SignedOutOfHere { .. } => "message.signed_out",
            Message::PosterRevoked => "message.poster_revoked",
            Message::PosterExpired => "message.poster_expired",
        }
    }

    fn text(&self) -> &'static str {
        match &self.message {
            Message::OrderCancelled { .. } => "message.cancelled_more",
            Message::OrderClosed { reason, .. } => refusals::closed(*reason),
            Message::CodePaid => "message.code_paid_more",
            Message::CodeClosed => "message.code_closed_more",
            Message::CodeUnknown => "message.code_unknown_more",
            Message::GiftRevoked | Message::GiftExpired => "message.gift_over_more",
            Message::GiftPaid => "message.gift_paid_more",
            Message::GiftGone => "message.gift_gone_more",
            Message::GiftWaiting => "message.gift_waiting_more",
            Message::SignedOut => "message.signed_out_more",
            Message::SignedOutEverywhere => "message.signed_out_everywhere_more",
            Message::PasswordRecovered => "message.password_recovered_more",
            Message::LinkSent => "message.link_sent_more",
            Message::LinkOver => "message.link_over_more",
            Message::ActivationSent => "message.activation_sent_more",
            Message::ActivationOver => "message.activation_over_more",
            Message::MailConfirmed => "message.mail_confirmed_more",
            Message::MailLinkOver => "message.mail_link_over_more",
            Message::IsStudent { .. } => "message.is_student_more",
            Message::IsSignedUp { .. } => "message.is_signed_up_more",
            Message::SignUpAtOffice => "message.sign_up_at_office_more",
            Message::SignUpAway => "message.sign_up_away_more",
            Message::PortalOver { .. } => "message.portal_over_more",
            Message::PortalUnknown { .. } => "message.portal_unknown_more",
            Message::PortalAway { .. } => "message.portal_away_more",
            Message::SignedOutOfHere { .. } => "message.signed_out_of_here_more",
            Message::PosterRevoked => "message.poster_revoked_more",
            Message::PosterExpired => "message.poster_expired_more",
        }
    }

    /// Class of the round mark: nothing for what went well.
    fn tone(&self) -> &'static str {
        match &self.message {
            Message::OrderCancelled { .. } | Message::CodePaid | Message::GiftPaid => "",
            Message::SignedOut | Message::SignedOutEverywhere | Message::PasswordRecovered | Message::LinkSent => "",
            Message::MailConfirmed
            | Message::ActivationSent
            | Message::IsStudent { .. }
            | Message::IsSignedUp { .. } => "",
            Message::OrderClosed { .. } | Message::CodeClosed | Message::CodeUnknown | Message::LinkOver => "w still",
            Message::GiftRevoked | Message::GiftExpired | Message::GiftGone | Message::GiftWaiting => "w still",
            Message::MailLinkOver | Message::ActivationOver | Message::SignUpAtOffice | Message::SignUpAway => {
                "w still"
            }
            Message::SignedOutOfHere { .. } => "",
            Message::PortalOver { .. } | Message::PortalUnknown { .. } | Message::PortalAway { .. } => "w still",
            Message::PosterRevoked | Message::PosterExpired => "w still",
        }
    }

    fn order_no(&self) -> Option<&OrderNo> {
        match &self.message {
            Message::OrderCancelled { order_no } | Message::OrderClosed { order_no, .. } => Some(order_no),
            _ => None,
        }
    }

    /// Buttons: what they say and where they lead; the first is the main one.
    fn ways_on(&self) -> Vec<(&'static str, String)> {
        let ways = match &self.message {
            Message::OrderCancelled { .. } | Message::OrderClosed { .. } => {
                vec![("message.order_anew", links::TUITION), ("base.see_orders", links::ORDERS)]
            }
            Message::CodePaid | Message::CodeClosed | Message::CodeUnknown => Vec::new(),
            Message::GiftRevoked | Message::GiftExpired | Message::GiftPaid => Vec::new(),
            Message::GiftGone | Message::GiftWaiting => Vec::new(),
            Message::SignedOut | Message::SignedOutEverywhere | Message::PasswordRecovered => {
                vec![("message.sign_in", links::LOGIN)]
            }
            Message::LinkSent => vec![("forgot.back", links::LOGIN), ("reset.other_way", links::FORGOT)],
            Message::LinkOver => vec![("forgot.title", links::FORGOT)],
            Message::ActivationSent | Message::ActivationOver => {
                vec![("message.sign_in", links::LOGIN), ("international.resend", links::INTERNATIONAL)]
            }
            Message::MailConfirmed => vec![("base.home", links::HOME)],
            Message::MailLinkOver => vec![("me.title", links::ME)],
            Message::SignUpAtOffice | Message::SignUpAway => vec![("help.title", links::HELP)],
            Message::PosterRevoked | Message::PosterExpired => {
                vec![("message.platform", links::HOME), ("help.title", links::HELP)]
            }
            Message::PortalUnknown { leave } => {
                let (by_id, help) = (links::login(LoginMode::Id, ""), links::HELP.to_owned());
                return vec![
                    ("message.portal_by_id", by_id),
                    ("message.portal_other", leave.clone()),
                    ("help.title", help),
                ];
            }
            Message::PortalOver { back } | Message::PortalAway { back } => {
                let login = links::login(LoginMode::User, back);
                return vec![("message.portal_again", links::sso(back)), ("message.portal_password", login)];
            }
            Message::SignedOutOfHere { leave } => {
                return vec![("message.portal_leave", leave.clone()), ("message.sign_in", links::LOGIN.to_owned())];
            }
            Message::IsStudent { back } | Message::IsSignedUp { back } => {
                let login = links::login(LoginMode::User, back);
                return vec![("message.sign_in", login), ("forgot.title", links::FORGOT.to_owned())];
            }
        };
        ways.into_iter().map(|(word, href)| (word, href.to_owned())).collect()
    }
}
