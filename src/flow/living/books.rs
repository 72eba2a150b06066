//! What a top-up does to the charge it is booked on. Every top-up of a month shares one charge, which owes what waits
//! to be paid and nothing else: an order that closes takes its amount off again, and money that goes back does as well.
use sea_orm::ConnectionTrait;

use crate::app::App;
use crate::domain::charge::Cause;
use crate::domain::ids::{ChargeId, OrderId};
use crate::domain::living::TopUpState;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::Order;
use crate::flow::failure::Result;
use crate::store::chain::NewEntry;
use crate::store::{books, top_ups};

/// Its order is paid: it is to be delivered. `tx` has settled the order.
pub async fn paid(app: &App, tx: &impl ConnectionTrait, order: &Order, now: Moment) -> Result<()> {
    let Some(kept) = top_ups::find_of_order(tx, order.id).await? else { return Ok(()) };
    let (id, waiting) = (kept.top_up.id, TopUpState::Waiting);
    if top_ups::move_state(tx, id, (TopUpState::Unpaid, waiting), Some(now), now).await? {
        return Ok(());
    }
    // money that came after the end was booked to what another top-up owes: that one owes its own again
    if top_ups::move_state(tx, id, (TopUpState::Dropped, waiting), Some(now), now).await? {
        let cause_no = format!("{}:late", order.order_no);
        waive(app, tx, kept.top_up.charge, (&cause_no, Fen::ZERO - kept.top_up.amount), now).await?;
    }
    Ok(())
}

/// Its order is closed unpaid: nothing is owed for it.
pub async fn let_go(app: &App, tx: &impl ConnectionTrait, order: &Order, now: Moment) -> Result<()> {
    let Some(kept) = top_ups::find_of_order(tx, order.id).await? else { return Ok(()) };
    let moved = (TopUpState::Unpaid, TopUpState::Dropped);
    if top_ups::move_state(tx, kept.top_up.id, moved, None, now).await? {
        let cause_no = order.order_no.as_str();
        waive(app, tx, kept.top_up.charge, (cause_no, kept.top_up.amount), now).await?;
    }
    Ok(())
}

/// Money of it is back with its payer, and is not owed anew. `tx` has entered the refund.
pub async fn sent_back(
    app: &App,
    tx: &impl ConnectionTrait,
    order: OrderId,
    (refund_no, lines): (&str, &[(ChargeId, Fen)]),
    now: Moment,
) -> Result<()> {
    let Some(kept) = top_ups::find_of_order(tx, order).await? else { return Ok(()) };
    for (charge, amount) in lines {
        waive(app, tx, *charge, (refund_no, *amount), now).await?;
    }
    let moved = (TopUpState::Returning, TopUpState::Returned);
    top_ups::move_state(tx, kept.top_up.id, moved, None, now).await?;
    Ok(())
}

/// Whether an order is for a top-up of which nobody knows yet that it was not delivered.
pub async fn is_on_its_way(tx: &impl ConnectionTrait, order: OrderId) -> Result<bool> {
    let found = top_ups::find_of_order(tx, order).await?;
    Ok(found.is_some_and(|kept| kept.top_up.state == TopUpState::Waiting))
}

async fn waive(
    app: &App,
    tx: &impl ConnectionTrait,
    charge: ChargeId,
    (cause_no, amount): (&str, Fen),
    at: Moment,
) -> Result<()> {
    let entry = NewEntry { cause: Cause::Waived, cause_no, amount, at };
    Ok(books::lock_and_enter(tx, &app.chain, charge, entry).await?)
}
