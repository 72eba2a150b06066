//! Writes events down, in the transaction of what they tell: what is not committed is never told, what is committed is
//! never forgotten. With each event goes one delivery for every endpoint that wants its kind. A school without
//! endpoints has no events.
//!
//! No name, ID number or telephone stands in an event.
use sea_orm::ConnectionTrait;
use serde::Serialize;

use crate::app::App;
use crate::domain::event::{Event, EventKind, OrderPaid, RefundDone, TradeSurplus, payload, tellable_number};
use crate::domain::ids::{EventId, PayerId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::{Attempt, Order};
use crate::domain::refund::Refund;
use crate::domain::trade::TradeNo;
use crate::flow::failure::Result;
use crate::store::{events, orders};

/// Money a channel took through an attempt.
pub struct Taken<'a> {
    pub order: &'a Order,
    pub attempt: &'a Attempt,
    pub trade_no: &'a TradeNo,
    pub paid_at: Moment,
}

/// An order was booked as paid.
pub async fn paid(
    app: &App,
    tx: &impl ConnectionTrait,
    taken: &Taken<'_>,
    receipt_no: &str,
    now: Moment,
) -> Result<()> {
    if nobody_listens(app) {
        return Ok(());
    }
    let order = taken.order;
    let data = OrderPaid {
        order_no: order.order_no.as_str(),
        payer_number: number(tx, order.payer_id).await?,
        payee: &order.payee_code,
        lines: events::order_lines(tx, order.id).await?,
        total_fen: order.total,
        channel: taken.attempt.product.channel().code(),
        trade_no: &taken.trade_no.0,
        paid_at: taken.paid_at.rfc3339(),
        receipt_no,
    };
    write(app, tx, EventKind::OrderPaid, order.order_no.as_str(), &data, now).await
}

/// Money came that can be booked to nothing.
pub async fn surplus(app: &App, tx: &impl ConnectionTrait, taken: &Taken<'_>, amount: Fen, now: Moment) -> Result<()> {
    if nobody_listens(app) {
        return Ok(());
    }
    let (order, channel) = (taken.order, taken.attempt.product.channel().code());
    let data = TradeSurplus {
        order_no: order.order_no.as_str(),
        payer_number: number(tx, order.payer_id).await?,
        payee: &order.payee_code,
        amount_fen: amount,
        channel,
        trade_no: &taken.trade_no.0,
        paid_at: taken.paid_at.rfc3339(),
    };
    write(app, tx, EventKind::TradeSurplus, &format!("{channel}:{}", taken.trade_no), &data, now).await
}

/// Money is back with its payer.
pub async fn refunded(app: &App, tx: &impl ConnectionTrait, refund: &Refund, now: Moment) -> Result<()> {
    if nobody_listens(app) {
        return Ok(());
    }
    let order = orders::find(tx, refund.order_id).await?;
    let order = order.ok_or_else(|| sea_orm::DbErr::RecordNotFound(format!("order of {}", refund.refund_no)))?;
    let data = RefundDone {
        order_no: order.order_no.as_str(),
        payer_number: number(tx, order.payer_id).await?,
        payee: &refund.payee_code,
        refund_no: refund.refund_no.as_str(),
        cause: refund.cause.code(),
        lines: events::refund_lines(tx, refund.id).await?,
        amount_fen: refund.amount,
        channel: refund.channel.code(),
        trade_no: &refund.trade_no.0,
        refunded_at: now.rfc3339(),
    };
    write(app, tx, EventKind::RefundDone, refund.refund_no.as_str(), &data, now).await
}

fn nobody_listens(app: &App) -> bool {
    app.config.webhook.is_empty()
}

async fn number(tx: &impl ConnectionTrait, payer: PayerId) -> Result<Option<String>> {
    Ok(tellable_number(&events::payer_number(tx, payer).await?))
}

/// What was told before is not told again.
async fn write(
    app: &App,
    tx: &impl ConnectionTrait,
    kind: EventKind,
    subject: &str,
    data: &impl Serialize,
    now: Moment,
) -> Result<()> {
    let event = Event {
        id: EventId(0),
        // by chance, not counted: after a restore no receiver may take a new event for one it knows
        event_no: format!("evt_{}", app.chance.token(22)),
        kind,
        subject: subject.to_owned(),
        payload: payload(kind, now, data),
        created_at: now,
    };
    if let Some(id) = events::insert(tx, &event).await? {
        app.drill.point("event: written")?;
        for endpoint in app.config.webhook.iter().filter(|endpoint| endpoint.kinds.contains(&kind)) {
            events::send_to(tx, id, &endpoint.name, now).await?;
        }
    }
    Ok(())
}
