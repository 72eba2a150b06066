//! What only a person may decide: money of a wrong amount, refunds of paid orders, and ticking off what was looked at.
use super::failure::Result;
use super::official::binding;
use super::refund;
use crate::app::App;
use crate::domain::ids::ChargeId;
use crate::domain::money::Fen;
use crate::domain::order::Order;
use crate::domain::order_no::OrderNo;
use crate::domain::refund::RefundCause;
use crate::domain::refusal::Refusal;
pub use crate::store::office::OfficeItem;
use crate::store::{attempts, charges, journal, office, orders, payers};

/// What waits for a person, longest first.
pub async fn items(app: &App) -> Result<Vec<OfficeItem>> {
    Ok(office::list(app.db.read()).await?)
}

/// Ticks an item off; false when it is not open.
pub async fn resolve(app: &App, id: i64) -> Result<bool> {
    Ok(office::resolve(app.db.write(), id, app.clock.now()).await?)
}

pub async fn find_order(app: &App, order_no: &str) -> Result<Order> {
    let no = OrderNo::parse(order_no).ok_or(Refusal::NotFound)?;
    Ok(orders::find_by_no(app.db.read(), &no).await?.ok_or(Refusal::NotFound)?)
}

/// Sends back all money of a wrong amount that lies on an order, and gives how much that is. The order can then be paid
/// again, or ends in its time. Refused as not found when no such money lies on it.
pub async fn send_back(app: &App, order: &Order) -> Result<Fen> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let order = orders::lock(&tx, order.id).await?.ok_or(Refusal::NotFound)?;
    app.drill.point("send back: order locked")?;
    let mut sent = Fen::ZERO;
    for trade in journal::open_mismatches(&tx, order.id).await? {
        let attempt = attempts::find(&tx, &app.sealer, trade.attempt_id).await?.ok_or(Refusal::NotFound)?;
        let (amount, reason) = (trade.amount, "金额不符退回");
        let want = refund::Want { cause: RefundCause::Requested, amount, total: amount, reason };
        refund::want(&tx, &attempt, &trade.trade_no, &want, &[], now).await?;
        office::resolve_about(&tx, "amount_mismatch", attempt.attempt_no.as_str(), now).await?;
        sent = sent + amount;
    }
    if sent.is_zero() {
        return Err(Refusal::NotFound.into());
    }
    app.drill.point("send back: wishes written")?;
    tx.commit().await?;
    app.drill.gap("send back: committed").await?;
    Ok(sent)
}

/// Ends every 微信绑定 of a payer, and gives how many there were. Sessions go on.
pub async fn unbind(app: &App, number: &str) -> Result<u64> {
    let account = payers::find_by_number(app.db.read(), number).await?.ok_or(Refusal::NotFound)?;
    let ended = binding::end_all(app, account.payer.id).await?;
    tracing::info!(payer = %account.payer.id, ended, "the office ended a payer's bindings");
    Ok(ended)
}

/// A line of a refund as the office writes it: item code, period code, and how much (none: all that is left of it).
pub struct RefundLine {
    pub item: String,
    pub period: String,
    pub amount: Option<Fen>,
}

/// Sends back parts of a paid order; all of it when no lines are named. Gives how much. A line that is not in the order
/// is not found.
pub async fn refund(app: &App, order: &Order, lines: &[RefundLine], reason: &str) -> Result<Fen> {
    let own = charges::find_of_payer(app.db.read(), order.payer_id).await?;
    let held = orders::lines(app.db.read(), order.id).await?;
    let left =
        |charge: ChargeId| held.iter().find(|line| line.charge_id == charge).map(|line| line.amount - line.refunded);
    let mut parts = Vec::new();
    for line in lines {
        let named = own.iter().find(|one| one.item.code == line.item && one.period.code == line.period);
        let charge = named.ok_or(Refusal::NotFound)?.id;
        parts.push((charge, line.amount.or(left(charge)).ok_or(Refusal::NotFound)?));
    }
    if lines.is_empty() {
        let rest = held.iter().map(|line| (line.charge_id, line.amount - line.refunded));
        parts.extend(rest.filter(|(_, amount)| amount.is_positive()));
    }
    refund::request(app, order, &parts, reason).await?;
    Ok(parts.iter().map(|(_, amount)| *amount).sum())
}
