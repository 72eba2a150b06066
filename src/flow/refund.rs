//! 退费: wanted first, asked for afterwards. The wish is a row; the job asks the channel under the row's number until the
//! channel has said its last word. Asking twice is harmless: the number makes it one refund at the channel.
use std::collections::BTreeMap;
use std::time::Duration;

use sea_orm::ConnectionTrait;

use super::events::record;
use super::failure::{Failure, Result};
use super::lane::{self, Lane};
use super::living;
use super::official::note;
use crate::app::App;
use crate::channel::contract::{ChannelError, Reception, RefundAsk, RefusedFor};
use crate::domain::charge::Cause;
use crate::domain::ids::{ChargeId, RefundId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::{Attempt, Order, OrderState};
use crate::domain::order_no::RefundNo;
use crate::domain::refund::{Refund, RefundCause, RefundState};
use crate::domain::refusal::Refusal;
use crate::domain::trade::{RefundHeard, TradeNo};
use crate::drill::Fault;
use crate::store::chain::NewEntry;
use crate::store::{attempts, books, ereceipts, journal, orders, refunds};

/// What a refund is to send back.
pub struct Want<'a> {
    pub cause: RefundCause,
    pub amount: Fen,
    /// The whole payment it comes from
    pub total: Fen,
    pub reason: &'a str,
}

/// Writes a refund down, to be asked for at once. `tx` holds the lock of the attempt's order.
pub async fn want(
    tx: &impl ConnectionTrait,
    attempt: &Attempt,
    trade_no: &TradeNo,
    want: &Want<'_>,
    lines: &[(ChargeId, Fen)],
    now: Moment,
) -> Result<RefundId> {
    let earlier = refunds::count_of_attempt(tx, attempt.id).await?;
    let refund = Refund {
        id: RefundId(0),
        refund_no: RefundNo::compose(&attempt.attempt_no, earlier + 1),
        attempt_id: attempt.id,
        order_id: attempt.order_id,
        channel: attempt.product.channel(),
        payee_code: attempt.payee_code.clone(),
        trade_no: trade_no.clone(),
        cause: want.cause,
        amount: want.amount,
        total: want.total,
        reason: want.reason.to_owned(),
        state: RefundState::Wanted,
        tries: 0,
        next_try_at: Some(now),
        created_at: now,
        done_at: None,
    };
    Ok(refunds::insert(tx, &refund, lines).await?)
}

/// The office sends back parts of a paid order, line by line. The sums are reserved here, so two requests at once can
/// never exceed what was paid; the charges' books move when the channel says the money is back.
pub async fn request(app: &App, order: &Order, lines: &[(ChargeId, Fen)], reason: &str) -> Result<RefundId> {
    let tx = app.db.begin().await?;
    if living::books::is_on_its_way(&tx, order.id).await? {
        return Err(Refusal::UnderReview.into());
    }
    let id = request_in(app, &tx, order, lines, reason).await?;
    tx.commit().await?;
    app.drill.gap("refund: wish committed").await?;
    Ok(id)
}

/// As [`request`], in a transaction that has a reason of its own.
pub async fn request_in(
    app: &App,
    tx: &impl ConnectionTrait,
    order: &Order,
    lines: &[(ChargeId, Fen)],
    reason: &str,
) -> Result<RefundId> {
    let now = app.clock.now();
    let lines = folded(lines).ok_or(Refusal::NotFound)?;
    let amount: Fen = lines.iter().map(|(_, amount)| *amount).sum();
    let order = orders::lock(tx, order.id).await?.ok_or(Refusal::NotFound)?;
    app.drill.point("refund: order locked")?;
    let OrderState::Paid { trade_no, .. } = &order.state else { return Err(Refusal::NotFound.into()) };
    for (charge, amount) in &lines {
        let reserve = !app.drill.planted(Fault::ForgetToReserve);
        if reserve && !orders::add_refunded(tx, order.id, *charge, *amount).await? {
            return Err(Refusal::NotFound.into());
        }
    }
    app.drill.point("refund: sums reserved")?;
    let trades = journal::trades_of_order(tx, order.id).await?;
    let trade = trades.iter().find(|trade| trade.trade_no == *trade_no).ok_or(Refusal::NotFound)?;
    let attempt = attempts::find(tx, &app.sealer, trade.attempt_id).await?.ok_or(Refusal::NotFound)?;
    let wish = Want { cause: RefundCause::Requested, amount, total: order.total, reason };
    let id = want(tx, &attempt, trade_no, &wish, &lines, now).await?;
    app.drill.point("refund: wish written")?;
    Ok(id)
}

/// One line per charge, in the order every transaction takes them; none when there is nothing to send back, or what no
/// order could hold.
fn folded(lines: &[(ChargeId, Fen)]) -> Option<Vec<(ChargeId, Fen)>> {
    let mut folded: BTreeMap<ChargeId, Fen> = BTreeMap::new();
    for (charge, amount) in lines {
        let sum = folded.entry(*charge).or_default();
        *sum = sum.checked_add(*amount).filter(|sum| amount.is_positive() && *sum <= Fen::MAX)?;
    }
    (!folded.is_empty()).then(|| folded.into_iter().collect())
}

/// Asks the channels about every refund that is due. Gives how many were asked about.
pub async fn run_once(app: &App) -> Result<usize> {
    lane::each(app, lanes(app).await?, async |lane| run_lane(app, &lane).await).await
}

/// Where refunds are due.
pub async fn lanes(app: &App) -> Result<Vec<Lane>> {
    Ok(refunds::due_lanes(app.db.read(), app.clock.now()).await?)
}

/// Asks about the refunds that are due in one lane, those longest overdue first. Gives how many were asked about.
pub async fn run_lane(app: &App, lane: &Lane) -> Result<usize> {
    let due = refunds::find_due(app.db.read(), lane, app.clock.now(), 40).await?;
    lane::all(app, due, async |refund| {
        app.drill.gap("refund: found due").await?;
        let next = app.clock.now() + patience(refund.tries);
        let ours = refunds::claim_try(app.db.write(), &refund, next).await?;
        if ours {
            app.drill.gap("refund: claimed").await?;
            advance(app, &refund).await?;
        }
        Ok(ours)
    })
    .await
}

/// How long to wait before asking again: 1, 5, 10, 20, 30 minutes, then hourly (WeChat Pay v3, refund query).
fn patience(tries: i64) -> Duration {
    let minutes = match tries {
        0 => 1,
        1 => 5,
        2 => 10,
        3 => 20,
        4 => 30,
        _ => 60,
    };
    Duration::from_secs(minutes * 60)
}

/// After so many tries, about two hours, the office is told of a refund the channel took and says nothing more of.
/// Alipay has no other word for one that failed.
const WORRYING: i64 = 6;

/// How often the channel is asked what became of a refund that a person has to mend.
const ABNORMAL: Duration = Duration::from_secs(6 * 3600);

async fn advance(app: &App, refund: &Refund) -> Result<()> {
    let Some(account) = app.channels.find(&refund.payee_code, refund.channel) else {
        return raise(app, refund, "no account is configured for this payee and channel").await;
    };
    let Some(attempt) = attempts::find(app.db.read(), &app.sealer, refund.attempt_id).await? else {
        return raise(app, refund, "its attempt is missing").await;
    };
    let renumbered = refund.tries > 0 && app.drill.planted(Fault::RenumberRefunds);
    let ask = RefundAsk {
        refund_no: match renumbered {
            true => RefundNo::compose(&attempt.attempt_no, 90 + refund.tries),
            false => refund.refund_no.clone(),
        },
        opened_at: refund.created_at,
        attempt_no: attempt.attempt_no,
        trade_no: refund.trade_no.clone(),
        amount: refund.amount,
        total: refund.total,
        reason: refund.reason.clone(),
        notify_url: notify_url(app, refund.channel.code(), &refund.payee_code),
    };
    let heard = match refund.state {
        RefundState::Wanted => account.refund(&ask).await,
        _ => account.query_refund(&ask).await,
    };
    app.drill.gap("refund: the channel has answered").await?;
    let said = heard.as_ref().map_or_else(ChannelError::code, RefundHeard::code);
    app.metrics.refund_heard(refund.channel, said);
    match heard {
        Ok(RefundHeard::Absent) if refund.state == RefundState::Processing && refund.tries >= WORRYING => {
            raise(app, refund, "taken long ago and still not back; it is asked for again").await?;
            apply(app, refund.id, &RefundHeard::Absent).await
        }
        Ok(heard) => apply(app, refund.id, &heard).await,
        Err(ChannelError::Refused { why: RefusedFor::NotEnoughFunds, .. }) => {
            raise(app, refund, "the merchant account lacks the money; it is asked for again").await
        }
        Err(ChannelError::Refused { code, .. }) => raise(app, refund, &format!("the channel refuses: {code}")).await,
        Err(error) => {
            tracing::warn!(refund_no = %refund.refund_no, %error, "refund asked again later under the same number");
            Ok(())
        }
    }
}

async fn raise(app: &App, refund: &Refund, why: &str) -> Result<()> {
    let (subject, now) = (refund.refund_no.as_str(), app.clock.now());
    Ok(journal::raise_office_item(app.db.write(), "refund_stuck", subject, why, now).await?)
}

/// A refund notice. One for a number we never gave out was made by hand at the channel: the office is told.
pub async fn hear(app: &App, refund_no: &str, heard: &RefundHeard) -> Result<Reception> {
    match refunds::find_by_no(app.db.read(), refund_no).await? {
        Some(refund) => {
            app.metrics.refund_heard(refund.channel, heard.code());
            apply(app, refund.id, heard).await?;
        }
        None => {
            let details = "a refund that was not asked for here";
            journal::raise_office_item(app.db.write(), "unknown_refund", refund_no, details, app.clock.now()).await?;
        }
    }
    Ok(Reception::Done)
}

/// Books what a channel said about a refund. Its last word counts once.
pub async fn apply(app: &App, id: RefundId, heard: &RefundHeard) -> Result<()> {
    use RefundState::{Abnormal, Closed, Done, Processing, Wanted};
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let refund = refunds::lock(&tx, id).await?.ok_or(Failure::Refused(Refusal::NotFound))?;
    app.drill.point("refund: locked")?;
    let from = refund.state;
    if matches!(from, Done | Closed) {
        return Ok(());
    }
    let early = RefundHeard::Done { channel_refund_no: String::new(), amount: refund.amount, at: now };
    let heard = match heard {
        RefundHeard::Processing { .. } if app.drill.planted(Fault::BookRefundsEarly) => &early,
        heard => heard,
    };
    match heard {
        RefundHeard::Done { channel_refund_no, amount, .. } => {
            if *amount != refund.amount {
                let details = format!("asked for {}, sent back {}", refund.amount.yuan(), amount.yuan());
                journal::raise_office_item(&tx, "refund_mismatch", refund.refund_no.as_str(), &details, now).await?;
            }
            refunds::move_state(&tx, id, (from, Done), Some(channel_refund_no), Some(now), None).await?;
            app.drill.point("refund: done")?;
            let lines = refunds::lines(&tx, id).await?;
            for (charge, amount) in lines.iter().copied() {
                let entry = NewEntry { cause: Cause::Refunded, cause_no: refund.refund_no.as_str(), amount, at: now };
                books::lock_and_enter(&tx, &app.chain, charge, entry).await?;
            }
            ereceipts::wake(&tx, refund.order_id, now).await?;
            let back = (refund.refund_no.as_str(), lines.as_slice());
            living::books::sent_back(app, &tx, refund.order_id, back, now).await?;
            record::refunded(app, &tx, &refund, now).await?;
            note::refunded(app, &tx, &refund, now).await?;
        }
        RefundHeard::Processing { channel_refund_no } => {
            let next = refund.next_try_at.or(Some(now + patience(refund.tries)));
            refunds::move_state(&tx, id, (from, Processing), Some(channel_refund_no), None, next).await?;
            if app.drill.planted(Fault::TellRefundsEarly) {
                record::refunded(app, &tx, &refund, now).await?;
            }
        }
        RefundHeard::Absent => {
            refunds::move_state(&tx, id, (from, Wanted), None, None, Some(now + patience(refund.tries))).await?;
        }
        RefundHeard::Abnormal { why } => {
            // the office mends it at the channel, whose notice may be lost: go on asking
            let next = Some(now + ABNORMAL);
            refunds::move_state(&tx, id, (from, Abnormal), None, None, next).await?;
            if from != Abnormal {
                journal::raise_office_item(&tx, "refund_abnormal", refund.refund_no.as_str(), why, now).await?;
            }
        }
        RefundHeard::Closed => {
            refunds::move_state(&tx, id, (from, Closed), None, None, None).await?;
            for (charge, amount) in refunds::lines(&tx, id).await? {
                orders::add_refunded(&tx, refund.order_id, charge, -amount).await?;
            }
            let details = "the channel gave it up; the money is still with the payee";
            journal::raise_office_item(&tx, "refund_closed", refund.refund_no.as_str(), details, now).await?;
        }
    }
    app.drill.point("refund: word carried out")?;
    tx.commit().await?;
    app.drill.gap("refund: committed").await?;
    tracing::info!(refund_no = %refund.refund_no, ?heard, "refund heard");
    let _ = app.changed.send(refund.order_id);
    Ok(())
}

/// Where a channel reports to: `{public_url}/notify/{channel}/{payee}`.
pub fn notify_url(app: &App, channel: &str, payee_code: &str) -> String {
    format!("{}/notify/{channel}/{payee_code}", app.config.server.public_url)
}
