//! From what a payer selected to an order, and from an order to a channel's cashier.
//!
//! [`open`] plans under the payer's lock and inserts one order per payee. [`pay`] makes sure that no other attempt of
//! the order can still be paid, inserts the new attempt, and only then calls the channel, outside any transaction: an
//! unreachable channel leaves a live attempt, which is safe, for it is asked about until the channel has spoken.
use std::time::Duration;

use super::agreement::Agreement;
use super::attempt::{Retired, retire};
use super::failure::{Failure, Result};
use super::{expire, inquire, refund, settle};
use crate::app::App;
use crate::channel::contract::{ChannelError, PaymentChannel, Prepay, PrepayAsk, RefusedFor};
use crate::domain::charge::Charge;
use crate::domain::checkout::{Part, Wanted, plan};
use crate::domain::ids::{AttemptId, ChargeId, GiftId, OrderId, PayerId};
use crate::domain::method::Barred;
use crate::domain::money::Fen;
use crate::domain::order::{Attempt, AttemptState, CloseReason, Order, OrderLine, OrderState};
use crate::domain::order_no::{AttemptNo, OrderNo};
use crate::domain::payer::Phone;
use crate::domain::refusal::Refusal;
use crate::domain::trade::{Buyer, Channel, Product};
use crate::drill::Fault;
use crate::store::{agreements, attempts, charges, orders, payers, receipt_phones};

/// Opens the orders of a checkout, one per payee, in the order they are to be paid. The same `checkout_id` again
/// with the same selection gives the same orders; a pending order of exactly the same lines is used again, and belongs
/// to this checkout from then on.
pub async fn open(app: &App, payer: PayerId, checkout_id: &str, wanted: &[Wanted]) -> Result<Vec<Order>> {
    open_given(app, (payer, checkout_id), wanted, &Given::default()).await
}

/// What a payer gave on the way to the order.
#[derive(Default)]
pub struct Given {
    /// The text that was agreed to
    pub agreement: Option<Agreement>,
    /// The phone that was proven
    pub phone: Option<Phone>,
}

/// As [`open`], by a payer who has been asked first.
pub async fn open_given(
    app: &App,
    (payer, checkout_id): (PayerId, &str),
    wanted: &[Wanted],
    given: &Given,
) -> Result<Vec<Order>> {
    let known = orders::find_of_checkout(app.db.read(), payer, checkout_id).await?;
    if covers(app.db.read(), &known, wanted).await? {
        return Ok(known);
    }
    app.drill.gap("checkout: looked for known orders").await?;
    release_expired(app, payer, wanted).await?;
    let own = charges::find_of_payer(app.db.read(), payer).await?;
    let mut numbers = Vec::new();
    let one_batch = app.config.checkout.one_batch;
    for _ in plan(&own, wanted, app.clock.now(), one_batch)? {
        numbers.push(next_order_no(app).await?);
    }
    app.drill.gap("checkout: numbers taken").await?;
    let tx = app.db.begin().await?;
    payers::lock(&tx, payer).await?.ok_or(Refusal::NotFound)?;
    app.drill.point("checkout: payer locked")?;
    let known = orders::find_of_checkout(&tx, payer, checkout_id).await?;
    if covers(&tx, &known, wanted).await? {
        return Ok(known);
    }
    let first_part = known.last().map_or(0, |order| order.part + 1);
    let own: Vec<Charge> = charges::find_of_payer(&tx, payer).await?;
    let pending = orders::pending_lines(&tx, payer).await?;
    let mut ids = Vec::new();
    for (at, part) in plan(&own, wanted, app.clock.now(), one_batch)?.into_iter().enumerate() {
        let place = first_part + i64::try_from(at).unwrap_or(i64::MAX);
        if let Some(same) = find_same(&tx, &pending, &part).await? {
            orders::move_to_checkout(&tx, same, checkout_id, place).await?;
            ids.push(same);
            continue;
        }
        if !app.drill.planted(Fault::ForgetPendingOrders) {
            none_taken(&pending, &part)?;
        }
        let no = numbers.get(at).ok_or(Refusal::ArrearsChanged)?;
        ids.push(insert(app, &tx, (payer, checkout_id), (no, place), &part).await?);
    }
    for id in &ids {
        if let Some(agreement) = &given.agreement {
            agreements::note(&tx, *id, (&agreement.version, &agreement.text), app.clock.now()).await?;
        }
        if let Some(phone) = &given.phone {
            receipt_phones::note(&tx, &app.sealer, *id, phone).await?;
        }
    }
    app.drill.point("checkout: orders written")?;
    tx.commit().await?;
    app.drill.gap("checkout: committed").await?;
    let mut opened = Vec::new();
    for id in ids {
        opened.extend(orders::find(app.db.read(), id).await?);
    }
    Ok(opened)
}

/// What a payer owes, whatever can be paid of it now.
pub async fn charges(app: &App, payer: PayerId) -> Result<Vec<Charge>> {
    Ok(charges::find_of_payer(app.db.read(), payer).await?)
}

/// What a selection would become: the orders, with the charges they are made of. Nothing is written.
pub async fn preview(app: &App, payer: PayerId, wanted: &[Wanted]) -> Result<(Vec<Part>, Vec<Charge>)> {
    release_expired(app, payer, wanted).await?;
    let own = charges::find_of_payer(app.db.read(), payer).await?;
    let parts = plan(&own, wanted, app.clock.now(), app.config.checkout.one_batch)?;
    let pending = orders::pending_lines(app.db.read(), payer).await?;
    for part in &parts {
        if find_same(app.db.read(), &pending, part).await?.is_none() {
            none_taken(&pending, part)?;
        }
    }
    Ok((parts, own))
}

/// No charge of this part waits in another order.
fn none_taken(pending: &[(Order, ChargeId)], part: &Part) -> std::result::Result<(), Refusal> {
    let taken = |(_, charge): &&(Order, ChargeId)| part.lines.iter().any(|(id, _)| id == charge);
    match pending.iter().find(taken) {
        Some((order, _)) => Err(Refusal::InAnotherOrder { order_no: order.order_no.clone() }),
        None => Ok(()),
    }
}

/// Whether these orders are what was selected: the same charges, and the same amounts where some were typed.
async fn covers(db: &impl sea_orm::ConnectionTrait, known: &[Order], wanted: &[Wanted]) -> Result<bool> {
    let mut held = Vec::new();
    for order in known {
        held.extend(orders::lines(db, order.id).await?);
    }
    let is_held = |one: &Wanted| {
        held.iter().any(|line| line.charge_id == one.charge_id && one.amount.is_none_or(|typed| typed == line.amount))
    };
    let is_wanted = |line: &OrderLine| wanted.iter().any(|one| one.charge_id == line.charge_id);
    Ok(!known.is_empty() && wanted.iter().all(is_held) && held.iter().all(is_wanted))
}

/// Orders of this payer whose time has run out and that hold a wanted charge are closed first, not met with a refusal.
pub(super) async fn release_expired(app: &App, payer: PayerId, wanted: &[Wanted]) -> Result<()> {
    let now = app.clock.now();
    for (order, charge) in orders::pending_lines(app.db.read(), payer).await? {
        if order.expires_at <= now && wanted.iter().any(|one| one.charge_id == charge) {
            expire::close(app, &order, CloseReason::Expired).await?;
        }
    }
    Ok(())
}

pub(super) async fn next_order_no(app: &App) -> Result<OrderNo> {
    let (school, now) = (&app.config.school, app.clock.now());
    let serial = app.serials.next(&app.db, &format!("order:{}", now.format("%y%m%d")), 10).await?;
    Ok(OrderNo::compose(&school.order_prefix, now, &school.code, serial))
}

/// A pending order with exactly these lines and amounts.
pub(super) async fn find_same(
    tx: &impl sea_orm::ConnectionTrait,
    pending: &[(Order, ChargeId)],
    part: &Part,
) -> Result<Option<OrderId>> {
    for (order, charge) in pending {
        if order.total != part.total || part.lines.first().is_none_or(|(id, _)| id != charge) {
            continue;
        }
        let mut held: Vec<(ChargeId, Fen)> = Vec::new();
        held.extend(orders::lines(tx, order.id).await?.into_iter().map(|line| (line.charge_id, line.amount)));
        let mut wanted = part.lines.clone();
        held.sort();
        wanted.sort();
        if held == wanted {
            return Ok(Some(order.id));
        }
    }
    Ok(None)
}

/// Inserts one order; `place` is its part of the checkout.
pub(super) async fn insert(
    app: &App,
    tx: &impl sea_orm::ConnectionTrait,
    (payer_id, checkout_id): (PayerId, &str),
    (order_no, place): (&OrderNo, i64),
    part: &Part,
) -> Result<OrderId> {
    let now = app.clock.now();
    let order = orders::NewOrder {
        order_no,
        checkout_id,
        part: place,
        payer_id,
        payee_code: &part.payee_code,
        subject: &part.subject,
        total: part.total,
        pay_code: &app.chance.token(22),
        created_at: now,
        expires_at: now + Duration::from_secs(app.config.checkout.order_seconds),
        lines: &part.lines,
    };
    Ok(orders::insert(tx, &order).await?)
}

/// How somebody wants to pay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PayAsk {
    pub product: Product,
    pub buyer: Option<Buyer>,
    /// 代付: whose gift it is
    pub gift: Option<GiftId>,
    /// The payer's own address
    pub payer_ip: String,
    /// Where the payer's browser comes back to
    pub return_url: String,
}

/// A payment under way: the attempt, and what the payer's device does next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Started {
    pub attempt: Attempt,
    pub prepay: Prepay,
}

/// Starts paying a pending order, or goes on with the attempt that fits. Whoever may do so has been checked before.
pub async fn pay(app: &App, order: &Order, ask: &PayAsk) -> Result<Started> {
    let channel = ask.product.channel();
    let account = app.channels.find(&order.payee_code, channel).ok_or(Refusal::NotOffered)?;
    if let Some(why) = barred(app, order, channel) {
        return Err(Refusal::Barred { channel, why }.into());
    }
    if ask.product.needs_buyer() && ask.buyer.is_none() {
        return Err(Refusal::BuyerNeeded { channel }.into());
    }
    // once more when a number turns out to be used up, or when somebody else was quicker
    for _ in 0..3 {
        let order = payable(app, order.id).await?;
        app.drill.gap("pay: found payable").await?;
        let live = attempts::find_live(app.db.read(), &app.sealer, order.id).await?;
        app.drill.gap("pay: live attempt looked for").await?;
        let (attempt, fresh) = match live {
            Some(live) if fits(&live, ask) => (live, false),
            live => {
                if let Some(other) = live {
                    make_room(app, &other).await?;
                }
                app.drill.gap("pay: nothing in the way").await?;
                let Some(attempt) = begin(app, &order, ask).await? else { continue };
                (attempt, true)
            }
        };
        app.drill.gap("pay: attempt stands").await?;
        if let Some(prepay) = prepay(app, account, &order, (&attempt, fresh)).await? {
            return Ok(Started { attempt, prepay });
        }
    }
    Err(Refusal::ChannelBusy { channel }.into())
}

/// Why the school's rules let this channel not take this order now, if they do not. What is under way goes on.
pub fn barred(app: &App, order: &Order, channel: Channel) -> Option<Barred> {
    let rules = &app.config.payee(&order.payee_code)?.method;
    rules.check(channel, order.total, app.clock.now()).err()
}

/// Whether a live attempt serves this wish too. WeChat lets an H5 link pay only from the address it was made for.
fn fits(live: &Attempt, ask: &PayAsk) -> bool {
    let here = ask.product != Product::WechatH5 || live.payer_ip == ask.payer_ip;
    live.product == ask.product && live.buyer == ask.buyer && live.gift == ask.gift && here
}

/// The payment under way of an order, for a page that is drawn again; none when there is no live attempt.
pub async fn resume(app: &App, order: &Order) -> Result<Option<Started>> {
    let order = payable(app, order.id).await?;
    let Some(attempt) = attempts::find_live(app.db.read(), &app.sealer, order.id).await? else { return Ok(None) };
    let account = app.channels.find(&attempt.payee_code, attempt.product.channel()).ok_or(Refusal::NotOffered)?;
    app.drill.gap("resume: live attempt found").await?;
    let prepay = prepay(app, account, &order, (&attempt, false)).await?;
    Ok(prepay.map(|prepay| Started { attempt, prepay }))
}

/// The order as it is now, if it can be paid. An order whose charges no longer owe its amounts is closed on the spot.
async fn payable(app: &App, id: OrderId) -> Result<Order> {
    let order = orders::find(app.db.read(), id).await?.ok_or(Refusal::NotFound)?;
    match &order.state {
        OrderState::Paid { .. } => return Err(Refusal::OrderPaid.into()),
        OrderState::Closed { reason, .. } => return Err(Refusal::OrderClosed { reason: *reason }.into()),
        OrderState::Pending { .. } => {}
    }
    if held_for_review(app, app.db.read(), order.id).await? {
        return Err(Refusal::UnderReview.into());
    }
    let now = app.clock.now();
    let reason = if order.expires_at <= now {
        CloseReason::Expired
    } else if !still_owed(app, &order).await? {
        CloseReason::Superseded
    } else {
        return Ok(order);
    };
    match (expire::close(app, &order, reason).await?, reason) {
        (expire::Ended::Paid, _) => Err(Refusal::OrderPaid.into()),
        (_, CloseReason::Superseded) => Err(Refusal::ArrearsChanged.into()),
        (_, reason) => Err(Refusal::OrderClosed { reason }.into()),
    }
}

async fn held_for_review(app: &App, db: &impl sea_orm::ConnectionTrait, id: OrderId) -> Result<bool> {
    Ok(settle::under_review(db, id).await? && !app.drill.planted(Fault::ReleaseUnderReview))
}

async fn still_owed(app: &App, order: &Order) -> Result<bool> {
    let own = charges::find_of_payer(app.db.read(), order.payer_id).await?;
    let lines = orders::lines(app.db.read(), order.id).await?;
    let owes = |charge: &&Charge, amount: Fen| charge.balance.arrears() >= amount;
    Ok(lines.iter().all(|line| own.iter().any(|charge| charge.id == line.charge_id && owes(&charge, line.amount))))
}

/// Ends the attempt that stands in the way of another way of paying.
async fn make_room(app: &App, live: &Attempt) -> Result<()> {
    if app.drill.planted(Fault::ForgetOldAttempt) {
        attempts::move_to_closed(app.db.write(), live.id, app.clock.now(), None).await?;
        return Ok(());
    }
    match retire(app, live).await? {
        Retired::Closed => Ok(()),
        Retired::Paid => Err(Refusal::OrderPaid.into()),
        Retired::Unclear => Err(Refusal::ChannelBusy { channel: live.product.channel() }.into()),
    }
}

/// Inserts a live attempt; none when the order changed or another attempt was quicker.
async fn begin(app: &App, order: &Order, ask: &PayAsk) -> Result<Option<Attempt>> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let Some(try_no) = orders::count_attempt(&tx, order.id).await? else { return Ok(None) };
    // another device may have begun, or have found a wrong amount, since this one was found payable
    let taken = attempts::find_live(&tx, &app.sealer, order.id).await?.is_some();
    if taken || held_for_review(app, &tx, order.id).await? {
        return Ok(None);
    }
    app.drill.point("pay: try counted")?;
    let mut attempt = Attempt {
        id: AttemptId(0),
        attempt_no: AttemptNo::compose(&order.order_no, try_no),
        order_id: order.id,
        product: ask.product,
        payee_code: order.payee_code.clone(),
        amount: order.total,
        state: AttemptState::Live,
        buyer: ask.buyer.clone(),
        gift: ask.gift,
        payer_ip: ask.payer_ip.clone(),
        return_url: ask.return_url.clone(),
        created_at: now,
        expires_at: order.expires_at,
        inquiries: 0,
        next_inquiry_at: Some(now + inquire::FIRST_INQUIRY),
    };
    attempt.id = attempts::insert(&tx, &app.sealer, &attempt).await?;
    app.drill.point("pay: attempt written")?;
    tx.commit().await?;
    Ok(Some(attempt))
}

/// Calls the channel, with the attempt's own number as its key; an answer that is still good is used again. None when
/// the number is used up at the channel and a new attempt is needed. `fresh`: this call is the number's first.
async fn prepay(
    app: &App,
    account: &dyn PaymentChannel,
    order: &Order,
    (attempt, fresh): (&Attempt, bool),
) -> Result<Option<Prepay>> {
    let key = format!("prepay:{}", attempt.attempt_no);
    if let Some(kept) = app.cache.get(&key).await
        && let Ok(prepay) = serde_json::from_str(&kept)
    {
        return Ok(Some(prepay));
    }
    let channel = attempt.product.channel();
    let ask = PrepayAsk {
        attempt_no: attempt.attempt_no.clone(),
        opened_at: attempt.created_at,
        product: attempt.product,
        amount: attempt.amount,
        subject: format!("{}-{}", app.config.school.name, order.subject),
        expires_at: attempt.expires_at,
        payer_ip: attempt.payer_ip.clone(),
        buyer: attempt.buyer.clone(),
        notify_url: refund::notify_url(app, channel.code(), &attempt.payee_code),
        return_url: attempt.return_url.clone(),
    };
    let answer = account.prepay(&ask).await;
    app.drill.gap("pay: the channel has answered").await?;
    match answer {
        Ok(prepay) => {
            if let Ok(text) = serde_json::to_string(&prepay) {
                app.cache.put(&key, &text, Duration::from_secs(prepay.good_for(attempt.product))).await;
            }
            app.drill.gap("pay: answer remembered").await?;
            Ok(Some(prepay))
        }
        Err(error) => {
            tracing::warn!(attempt_no = %attempt.attempt_no, %error, "prepay without success");
            unprepaid(app, attempt, fresh, error).await
        }
    }
}

/// What a failed order call means for the attempt.
async fn unprepaid(app: &App, attempt: &Attempt, fresh: bool, error: ChannelError) -> Result<Option<Prepay>> {
    let channel = attempt.product.channel();
    match error {
        // whether it had an effect is unknown: the attempt stays live and is asked about
        ChannelError::Unreachable(_) | ChannelError::Untrusted(_) => Err(Refusal::ChannelBusy { channel }.into()),
        ChannelError::Refused {
            why: RefusedFor::AlreadyPaid | RefusedFor::AlreadyClosed | RefusedFor::NumberUsed,
            ..
        } => match retire(app, attempt).await? {
            Retired::Closed => Ok(None),
            Retired::Paid => Err(Refusal::OrderPaid.into()),
            Retired::Unclear => Err(Refusal::ChannelBusy { channel }.into()),
        },
        // the channel understood and did nothing, now; an earlier call may have had an effect all the same
        ChannelError::Refused { why, .. } => {
            if fresh {
                let now = app.clock.now();
                // it should not be there; look once the call is long over
                attempts::move_to_closed(app.db.write(), attempt.id, now, Some(now + settle::LATER_LOOK)).await?;
            } else if retire(app, attempt).await? == Retired::Paid {
                return Err(Refusal::OrderPaid.into());
            }
            match why {
                RefusedFor::Buyer => Err(Refusal::BuyerNeeded { channel }.into()),
                _ => Err(Refusal::ChannelRefused { channel }.into()),
            }
        }
    }
}

/// The payer does not want the order any more. Closed at the channel first; a payment that was quicker wins.
pub async fn cancel(app: &App, order: &Order) -> Result<()> {
    match &order.state {
        OrderState::Paid { .. } => return Err(Refusal::OrderPaid.into()),
        OrderState::Closed { .. } => return Ok(()),
        OrderState::Pending { .. } => {}
    }
    match expire::close(app, order, CloseReason::Cancelled).await? {
        expire::Ended::Closed => Ok(()),
        expire::Ended::Paid => Err(Refusal::OrderPaid.into()),
        expire::Ended::UnderReview => Err(Refusal::UnderReview.into()),
        expire::Ended::Unclear => {
            let live = attempts::find_live(app.db.read(), &app.sealer, order.id).await?;
            let channel = live.map(|attempt| attempt.product.channel());
            Err(channel.map_or(Failure::Refused(Refusal::NotFound), |channel| Refusal::ChannelBusy { channel }.into()))
        }
    }
}
