//! 订单查询 and 已缴费查询: what a payer's orders and receipts say, as far as the session may see back.
//!
//! Everything is looked up inside its payer: what is somebody else's is not found, like what does not exist.
use std::time::Duration;

use super::failure::Result;
use super::settle;
use crate::app::App;
use crate::domain::ids::OrderId;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::{Order, OrderLine, OrderState};
use crate::domain::order_no::OrderNo;
use crate::domain::refund::{Refund, RefundCause};
use crate::domain::session::Session;
use crate::domain::trade::Channel;
use crate::store::{attempts, journal, orders, payers, payments, refunds};

pub use crate::store::orders::Shown;

/// Rows on a page of a list
pub const PAGE: usize = 20;

/// How long after its end a returned second payment is told on the first page
const TOLD: Duration = Duration::from_secs(7 * 86_400);

/// A line of the list of orders.
pub struct Listed {
    pub order: Order,
    pub lines: Vec<OrderLine>,
    /// On its way back because the office asked for it
    pub returning: Fen,
}

impl Listed {
    /// What is back with the payer. (What a line has given back counts from the moment it is wanted.)
    pub fn refunded(&self) -> Fen {
        self.lines.iter().map(|line| line.refunded).sum::<Fen>() - self.returning
    }
}

/// Orders with their lines, in the same order.
pub async fn listed(app: &App, orders: Vec<Order>) -> Result<Vec<Listed>> {
    let db = app.db.read();
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    let returning = payments::returning(db, &ids).await?;
    let mut listed = Vec::with_capacity(orders.len());
    for order in orders {
        let lines = orders::lines(db, order.id).await?;
        listed.push(Listed { returning: returning.get(&order.id).copied().unwrap_or_default(), order, lines });
    }
    Ok(listed)
}

/// One page (from 1) of the orders made in `[from, until)`, newest first, and how many there are. `number` is an
/// order's, an attempt's, a receipt's or a channel's, in capitals; empty: any. A session that may not see the past sees
/// the orders of its own day.
pub async fn orders_of(
    app: &App,
    session: &Session,
    shown: Shown,
    (from, until): (Moment, Moment),
    number: &str,
    page: u32,
) -> Result<(Vec<Listed>, u64)> {
    let within = (from.max(session.sees_since()), until);
    let wanted = orders::Wanted { payer: session.payer_id, shown, within, number };
    let offset = u64::from(page.max(1) - 1) * PAGE as u64;
    let found = orders::list(app.db.read(), wanted, (offset, PAGE as u64)).await?;
    Ok((listed(app, found).await?, orders::count(app.db.read(), wanted).await?))
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

pub async fn lines_of(app: &App, order: OrderId) -> Result<Vec<OrderLine>> {
    Ok(orders::lines(app.db.read(), order).await?)
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
    listed(app, orders::find_of_checkout(app.db.read(), order.payer_id, &order.checkout_id).await?).await
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

/// One page (from 1) of the receipts issued in `[from, until)`, newest first, and whether there are more.
pub async fn slips_of(
    app: &App,
    session: &Session,
    (from, until): (Moment, Moment),
    page: u32,
) -> Result<(Vec<Slip>, bool)> {
    let within = (from.max(session.sees_since()), until);
    let receipts = journal::find_receipts(app.db.read(), session.payer_id, within).await?;
    let skip = PAGE * (page.max(1) as usize - 1);
    let more = receipts.len() > skip + PAGE;
    let mut slips = Vec::new();
    for receipt in receipts.into_iter().skip(skip).take(PAGE) {
        slips.extend(slip(app, receipt).await?);
    }
    Ok((slips, more))
}

/// A receipt with its order.
pub async fn slip(app: &App, receipt: journal::Receipt) -> Result<Option<Slip>> {
    let Some(order) = orders::find(app.db.read(), receipt.order_id).await? else { return Ok(None) };
    Ok(listed(app, vec![order]).await?.pop().map(|listed| Slip { receipt, listed }))
}

/// One receipt, as far as the session sees.
pub async fn find_slip(app: &App, session: &Session, receipt_no: &str) -> Result<Option<Slip>> {
    let db = app.db.read();
    let found = journal::find_receipt(db, session.payer_id, receipt_no).await?;
    match found.filter(|receipt| receipt.issued_at >= session.sees_since()) {
        Some(receipt) => slip(app, receipt).await,
        None => Ok(None),
    }
}
