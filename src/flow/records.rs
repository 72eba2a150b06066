//! 订单查询 and 已缴费查询: what a payer's orders and receipts say, as far as the session may see back.
//!
//! Everything is looked up inside its payer: what is somebody else's is not found, like what does not exist.
use std::collections::HashMap;
use std::time::Duration;

use super::failure::Result;
use super::settle;
use crate::app::App;
use crate::domain::fee::FeeKind;
use crate::domain::ids::{ChargeId, PayerId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::{Order, OrderLine, OrderState};
use crate::domain::order_no::OrderNo;
use crate::domain::refund::{Refund, RefundCause};
use crate::domain::session::Session;
use crate::domain::trade::Channel;
use crate::store::{attempts, charges, journal, orders, payers, refunds};

pub use crate::store::orders::Shown;

/// Rows on a page of a list
pub const PAGE: usize = 20;

/// How long after its end a returned second payment is told on the first page
const TOLD: Duration = Duration::from_secs(7 * 86_400);

/// A line of the list of orders.
pub struct Listed {
    pub order: Order,
    pub lines: Vec<OrderLine>,
}

impl Listed {
    /// What went back of it.
    pub fn refunded(&self) -> Fen {
        self.lines.iter().map(|line| line.refunded).sum()
    }
}

/// One page (from 1) of the orders made in `[from, until)`, newest first, and whether there are more. A session
/// that may not see the past sees the orders of its own day, and any that still wait.
pub async fn orders_of(
    app: &App,
    session: &Session,
    shown: Shown,
    (from, until): (Moment, Moment),
    page: u32,
) -> Result<(Vec<Listed>, bool)> {
    let from = from.max(session.sees_since());
    let offset = u64::from(page.max(1) - 1) * PAGE as u64;
    let limit = PAGE as u64 + 1;
    let found = orders::list_of_payer(app.db.read(), session.payer_id, shown, (from, until), (offset, limit)).await?;
    let more = found.len() > PAGE;
    let mut listed = Vec::new();
    for order in found.into_iter().take(PAGE) {
        let lines = orders::lines(app.db.read(), order.id).await?;
        listed.push(Listed { order, lines });
    }
    Ok((listed, more))
}

/// One order with all that belongs to it.
pub struct Record {
    pub order: Order,
    pub lines: Vec<OrderLine>,
    /// The channel it was paid through, or is being paid through
    pub channel: Option<Channel>,
    pub receipt: Option<journal::Receipt>,
    /// First one first
    pub refunds: Vec<Refund>,
    /// Money of another amount arrived; the office looks at it
    pub under_review: bool,
    /// Whether any attempt was made to pay it
    pub tried: bool,
}

impl Record {
    /// Money that came twice or too late.
    pub fn surplus(&self) -> Option<&Refund> {
        self.refunds.iter().rfind(|refund| refund.cause == RefundCause::Surplus)
    }
}

/// A payer's order, as far as the session sees. What still waits is seen whenever it was made.
pub async fn find_order(app: &App, session: &Session, no: &OrderNo) -> Result<Option<Order>> {
    let order = orders::find_of_payer(app.db.read(), session.payer_id, no).await?;
    let seen = |order: &Order| {
        let pending = matches!(order.state, OrderState::Pending { .. });
        pending || order.created_at >= session.sees_since()
    };
    Ok(order.filter(seen))
}

/// The order behind a pay code (聚合码), and its payer. Whoever has the code may pay the order.
pub async fn find_by_code(app: &App, code: &str) -> Result<Option<(Order, crate::domain::payer::Payer)>> {
    let Some(order) = orders::find_by_pay_code(app.db.read(), code).await? else { return Ok(None) };
    let payer = payers::find(app.db.read(), order.payer_id).await?;
    Ok(payer.map(|account| (order, account.payer)))
}

/// An order as it stands now.
pub async fn reread(app: &App, order: &Order) -> Result<Option<Order>> {
    Ok(orders::find(app.db.read(), order.id).await?)
}

pub async fn lines_of(app: &App, order: &Order) -> Result<Vec<OrderLine>> {
    Ok(orders::lines(app.db.read(), order.id).await?)
}

/// Reads all that belongs to an order.
pub async fn record(app: &App, order: Order) -> Result<Record> {
    let db = app.db.read();
    let attempts = attempts::find_of_order(db, &app.sealer, order.id).await?;
    let by_attempt = attempts.last().map(|attempt| attempt.product.channel());
    Ok(Record {
        lines: orders::lines(db, order.id).await?,
        channel: order.paid_by.map(|product| product.channel()).or(by_attempt),
        receipt: journal::find_receipt_of_order(db, order.id).await?,
        refunds: refunds::find_of_order(db, order.id).await?,
        under_review: settle::under_review(db, order.id).await?,
        tried: !attempts.is_empty(),
        order,
    })
}

/// The successive orders of the selection this one belongs to, in the order they are to be paid.
pub async fn siblings(app: &App, order: &Order) -> Result<Vec<Listed>> {
    let all = orders::find_of_checkout(app.db.read(), order.payer_id, &order.checkout_id).await?;
    let mut listed = Vec::new();
    for order in all {
        let lines = orders::lines(app.db.read(), order.id).await?;
        listed.push(Listed { order, lines });
    }
    Ok(listed)
}

/// Money that came twice, of any of the payer's orders, and is on its way back or was back in the last days.
pub async fn recent_surplus(app: &App, session: &Session) -> Result<Option<Refund>> {
    let since = (app.clock.now() - TOLD).max(session.sees_since());
    Ok(refunds::find_last_surplus(app.db.read(), session.payer_id, since).await?)
}

/// 收费单 with the order it is for.
pub struct Slip {
    pub receipt: journal::Receipt,
    pub listed: Listed,
}

/// One page (from 1) of the receipts issued in `[from, until)`, newest first, and whether there are more. `tuition`
/// chooses those with a tuition line (true) or with another line (false).
pub async fn slips_of(
    app: &App,
    session: &Session,
    tuition: Option<bool>,
    (from, until): (Moment, Moment),
    page: u32,
) -> Result<(Vec<Slip>, bool)> {
    let db = app.db.read();
    let from = from.max(session.sees_since());
    let receipts = journal::find_receipts(db, session.payer_id, from, until).await?;
    let kinds = kinds_of(app, session.payer_id, tuition).await?;
    let mut skip = PAGE * (page.max(1) as usize - 1);
    let mut slips = Vec::new();
    for receipt in receipts {
        let lines = orders::lines(db, receipt.order_id).await?;
        let fits = |wanted: bool| {
            let is_tuition = |line: &OrderLine| kinds.get(&line.charge_id) == Some(&FeeKind::Tuition);
            lines.iter().any(|line| is_tuition(line) == wanted)
        };
        if !tuition.is_none_or(fits) {
            continue;
        }
        if skip > 0 {
            skip -= 1;
            continue;
        }
        if slips.len() == PAGE {
            return Ok((slips, true));
        }
        if let Some(order) = orders::find(db, receipt.order_id).await? {
            slips.push(Slip { receipt, listed: Listed { order, lines } });
        }
    }
    Ok((slips, false))
}

async fn kinds_of(app: &App, payer: PayerId, tuition: Option<bool>) -> Result<HashMap<ChargeId, FeeKind>> {
    if tuition.is_none() {
        return Ok(HashMap::new());
    }
    let charges = charges::find_of_payer(app.db.read(), payer).await?;
    Ok(charges.into_iter().map(|charge| (charge.id, charge.item.kind)).collect())
}

/// One receipt, as far as the session sees.
pub async fn find_slip(app: &App, session: &Session, receipt_no: &str) -> Result<Option<Slip>> {
    let db = app.db.read();
    let found = journal::find_receipt(db, session.payer_id, receipt_no).await?;
    let Some(receipt) = found.filter(|receipt| receipt.issued_at >= session.sees_since()) else { return Ok(None) };
    let Some(order) = orders::find(db, receipt.order_id).await? else { return Ok(None) };
    let lines = orders::lines(db, order.id).await?;
    Ok(Some(Slip { receipt, listed: Listed { order, lines } }))
}
