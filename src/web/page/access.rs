//! Whose order it is and who looks at it: its payer, signed in, or somebody with its pay code.
//!
//! A handler that takes an [`Access`] cannot forget the check; there is no other way from a path to an order.
use std::time::Duration;

use poem::{FromRequest, Request, RequestBody};

use crate::app::App;
use crate::domain::bilingual::Bilingual;
use crate::domain::fee::Fund;
use crate::domain::ids::GiftId;
use crate::domain::order::{Order, OrderLine, OrderState};
use crate::domain::order_no::OrderNo;
use crate::domain::payer::Payer;
use crate::domain::refund::Refund;
use crate::domain::session::Rights;
use crate::flow::pay_for_me::{self, Begun};
use crate::flow::{records, verify};
use crate::web::error::Problem;
use crate::web::guard::{SignedIn, Visit};
use crate::web::html::Frame;
use crate::web::view::links::Door;
use crate::web::view::message::Message;
use crate::web::view::part::{OrderFacts, Surplus, Viewer};

/// Wrong pay codes from one address, and in how long
const WRONG_CODES: (u32, Duration) = (30, Duration::from_secs(600));

pub struct Access {
    pub order: Order,
    pub viewer: Viewer,
    /// The signed-in payer; none for somebody with the code
    payer: Option<Payer>,
    /// Whether it is the payer with all their rights
    full: bool,
    /// 代付: the gift this order is paid as; none: its payer pays
    pub gift: Option<GiftId>,
}

impl Access {
    pub fn door(&self) -> Door {
        self.viewer.door()
    }

    /// Whether others may be asked to pay it.
    pub fn may_be_shared(&self) -> bool {
        self.full
    }

    pub fn frame(&self, visit: &Visit) -> Frame {
        visit.frame(self.payer.as_ref())
    }
}

impl<'a> FromRequest<'a> for Access {
    async fn from_request(req: &'a Request, body: &mut RequestBody) -> poem::Result<Access> {
        let visit = <&Visit>::from_request(req, body).await?;
        if let Some(code) = req.raw_path_param("code") {
            return Ok(by_code(visit, code).await?);
        }
        let signed = SignedIn::from_request(req, body).await?;
        let no = req.raw_path_param("order_no").and_then(OrderNo::parse).ok_or(Problem::NotFound)?;
        let order = records::find_order(&visit.app, &signed.session, &no).await.map_err(Problem::from)?;
        let order = order.ok_or(Problem::NotFound)?;
        let viewer = Viewer::owner(&order.order_no);
        let full = signed.session.rights == Rights::Full;
        Ok(Access { order, viewer, payer: Some(signed.payer), full, gift: None })
    }
}

async fn by_code(visit: &Visit, code: &str) -> Result<Access, Problem> {
    let app = &visit.app;
    if !is_code(code) {
        return Err(unknown_code(visit).await);
    }
    if let Some((order, payer)) = records::find_by_code(app, code).await? {
        let viewer = Viewer::bearer(&order.pay_code, &payer);
        return Ok(Access { order, viewer, payer: None, full: false, gift: None });
    }
    match pay_for_me::find_begun(app, code).await? {
        Some(begun) if begun.revoked && matches!(begun.order.state, OrderState::Pending { .. }) => {
            Err(Problem::Ended(Message::GiftRevoked))
        }
        Some(Begun { gift, order, payer, .. }) => {
            let viewer = Viewer::bearer(&gift.code, &payer);
            Ok(Access { order, viewer, payer: None, full: false, gift: Some(gift.id) })
        }
        None => Err(unknown_code(visit).await),
    }
}

/// Whether something may be a code at all.
pub fn is_code(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A code cannot be guessed; whoever tries is slowed down all the same.
pub async fn unknown_code(visit: &Visit) -> Problem {
    let app = &visit.app;
    let tries = app.cache.throttle(&format!("code:{}", visit.address), WRONG_CODES.0, WRONG_CODES.1).await;
    match tries.is_allowed() {
        true => Problem::Ended(Message::CodeUnknown),
        false => Problem::TooMany { wait_seconds: WRONG_CODES.1.as_secs() },
    }
}

/// An order as pages show it.
pub fn facts(app: &App, order: &Order, lines: Vec<OrderLine>) -> OrderFacts {
    let check = verify::code_of_order(app, order).grouped();
    OrderFacts::of(order, lines, payee(app, &order.payee_code), check)
}

/// The name bank and bill will show, and whose money it is.
pub fn payee(app: &App, code: &str) -> (Bilingual, Fund) {
    match app.config.payee(code) {
        Some(payee) => (payee.bilingual_name(), payee.fund),
        // a payee that left the configuration; its orders are still shown
        None => (Bilingual::new(code, ""), Fund::Agency),
    }
}

pub fn surplus(refund: &Refund) -> Surplus {
    Surplus { amount: refund.amount, channel: refund.channel, returned_at: refund.done_at }
}
