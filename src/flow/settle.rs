//! 入账: the one door for money. Notices, inquiries, statements and manual bookings all end in [`apply`].
//!
//! `apply` judges a channel's word under the order's row lock and carries the verdict out in one transaction; a
//! channel is never called inside it. The same word may come any number of times, at once and from several processes:
//! the primary key of `trade`, the unique keys of `receipt` and `charge_entry` and the state column let it count once.
use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::ereceipt;
use super::events::record;
use super::failure::{Failure, Result};
use super::official::note;
use super::{living, refund};
use crate::app::App;
pub use crate::channel::contract::RawNotice;
use crate::channel::contract::{About, Ack, Notice, Reception};
use crate::domain::charge::Cause;
use crate::domain::ids::{ChargeId, OrderId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::{Attempt, CloseReason, Order, OrderLine, OrderState, Verdict, judge};
use crate::domain::refund::RefundCause;
use crate::domain::trade::{Channel, Heard, TradeNo};
use crate::drill::Fault;
use crate::store::chain::{Book, NewEntry};
use crate::store::journal::{self, KeptNotice, Outcome, Trade};
use crate::store::{attempts, books, orders};

/// 制单人 of receipts the platform issues itself
pub const ISSUER: &str = "支付平台";

/// Hears a notification and answers in the channel's exact words; none when no account is kept for this payee and
/// channel.
pub async fn hear(app: &App, channel: Channel, payee_code: &str, raw: &RawNotice) -> Option<Ack> {
    let account = app.channels.find(payee_code, channel)?;
    let begun = Instant::now();
    let echo = echo_key(channel, payee_code, raw);
    let reception = match app.echoes.get(&echo) {
        Some(_) => Reception::Done,
        None => match account.verify(raw) {
            Ok(notice) => {
                let reception = receive(app, channel, payee_code, &notice, raw).await;
                know_again(app, echo, &notice, reception);
                reception
            }
            Err(refusal) => {
                tracing::warn!(channel = channel.code(), payee_code, %refusal, "notice refused");
                Reception::Refused
            }
        },
    };
    app.metrics.notice(channel, reception.code(), begun.elapsed());
    Some(account.acknowledge(reception))
}

async fn receive(app: &App, channel: Channel, payee_code: &str, notice: &Notice, raw: &RawNotice) -> Reception {
    let booked = match &notice.about {
        About::Nothing => Ok(Reception::Done),
        About::Refund { refund_no, heard } => refund::hear(app, refund_no, heard).await,
        About::Payment { attempt_no, heard } => {
            let quick = quick_key(channel, attempt_no, heard);
            if let Some(key) = &quick
                && app.cache.has_happened(key).await
            {
                return Reception::Done;
            }
            if let (Some(key), true) = (&quick, app.drill.planted(Fault::RememberBeforeCommit)) {
                remember(app, key).await;
            }
            let digest = hex(digest(&SHA256, &raw.body).as_ref());
            let body = String::from_utf8_lossy(&raw.body);
            let (event_id, about, received_at) = (notice.id.as_str(), attempt_no.as_str(), raw.received_at);
            let kept = KeptNotice { digest: &digest, channel, payee_code, event_id, about, body: &body, received_at };
            let reception = receive_payment(app, attempt_no, heard, &kept).await;
            if let (Some(key), Ok(Reception::Done)) = (&quick, &reception) {
                remember(app, key).await;
            }
            reception
        }
    };
    booked.unwrap_or_else(|failure| {
        tracing::error!(channel = channel.code(), payee_code, %failure, "notice not kept; it will be sent again");
        match app.drill.planted(Fault::AcknowledgeBeforeCommit) {
            true => Reception::Done,
            false => Reception::Later,
        }
    })
}

/// How long a booked word is known without a look into the books
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

async fn remember(app: &App, quick_key: &str) {
    app.cache.note_happened(quick_key, REMEMBERED).await;
}

/// How long the very bytes of a booked notice are known again
const ECHO: Duration = Duration::from_secs(60);

/// The next notice of these bytes, if they told a payment that is booked, needs no second look at its signature, for
/// as long as it would be believed.
fn know_again(app: &App, echo: String, notice: &Notice, reception: Reception) {
    if let (Reception::Done, About::Payment { heard: Heard::Paid { .. }, .. }) = (reception, &notice.about) {
        let now = app.clock.now();
        app.echoes.put(&echo, "", notice.believed_until.map_or(ECHO, |until| until.since(now).min(ECHO)));
    }
}

/// What stands for a notice as it came: where to, every header, every byte of the body.
fn echo_key(channel: Channel, payee_code: &str, raw: &RawNotice) -> String {
    let mut print = Context::new(&SHA256);
    let mut add = |bytes: &[u8]| {
        print.update(&(bytes.len() as u64).to_be_bytes());
        print.update(bytes);
    };
    add(channel.code().as_bytes());
    add(payee_code.as_bytes());
    for (name, value) in &raw.headers {
        add(name.as_str().as_bytes());
        add(value.as_bytes());
    }
    add(&raw.body);
    BASE64.encode(print.finish())
}

/// A word that was booked needs no second look. Trade and amount are part of the key: another word is looked at in
/// full.
fn quick_key(channel: Channel, attempt_no: &str, heard: &Heard) -> Option<String> {
    match heard {
        Heard::Paid { trade_no, amount, .. } => {
            Some(format!("booked:{}:{attempt_no}:{trade_no}:{}", channel.code(), amount.get()))
        }
        _ => None,
    }
}

async fn receive_payment(app: &App, attempt_no: &str, heard: &Heard, kept: &KeptNotice<'_>) -> Result<Reception> {
    let attempt = attempts::find_by_no(app.db.read(), &app.sealer, attempt_no).await?;
    let ours = |attempt: &Attempt| attempt.payee_code == kept.payee_code && attempt.product.channel() == kept.channel;
    let Some(attempt) = attempt.filter(ours) else {
        // genuine but unknown: kept for the office, and asked for again in case our row is still on its way
        journal::keep_notice(app.db.write(), kept).await?;
        let details = format!("{} {}", kept.payee_code, kept.event_id);
        journal::raise_office_item(app.db.write(), "unknown_attempt", attempt_no, &details, app.clock.now()).await?;
        return Ok(Reception::Later);
    };
    let verdict = apply(app, &attempt, heard, Some(kept)).await?;
    app.drill.gap("notice: booked").await?;
    Ok(match verdict {
        Verdict::Foreign { .. } => Reception::Refused,
        _ => Reception::Done,
    })
}

/// Books what a channel said about an attempt. What was already booked, and what changes nothing, costs one read.
pub async fn apply(app: &App, attempt: &Attempt, heard: &Heard, notice: Option<&KeptNotice<'_>>) -> Result<Verdict> {
    let verdict = book(app, attempt, heard, notice).await;
    app.metrics.settled(attempt.product.channel(), verdict.as_ref().ok(), app.clock.now());
    verdict
}

async fn book(app: &App, attempt: &Attempt, heard: &Heard, notice: Option<&KeptNotice<'_>>) -> Result<Verdict> {
    let gone = || Failure::Store(sea_orm::DbErr::RecordNotFound(format!("order of {}", attempt.attempt_no)).into());
    let order = orders::find(app.db.read(), attempt.order_id).await?.ok_or_else(gone)?;
    let total = match heard {
        Heard::Paid { amount, .. } if app.drill.planted(Fault::SkipAmountCheck) => *amount,
        _ => order.total,
    };
    let first_look = judge(&order.state, total, heard);
    if matches!(first_look, Verdict::Replay | Verdict::Wait) {
        return Ok(first_look);
    }
    app.drill.gap("settle: first look").await?;
    let receipt_no = match first_look {
        Verdict::Settle { .. } | Verdict::Late { .. } => next_receipt_no(app).await?,
        _ => String::new(),
    };
    app.drill.gap("settle: receipt number taken").await?;
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let order = match app.drill.planted(Fault::SettleWithoutGuards) {
        true => order,
        false => orders::lock(&tx, attempt.order_id).await?.ok_or_else(gone)?,
    };
    app.drill.point("settle: order locked")?;
    let verdict = judge(&order.state, total, heard);
    let booking = Booking { app, tx: &tx, order: &order, attempt, now };
    let verdict = booking.carry_out(verdict, &receipt_no).await?;
    if let (Some(notice), false) = (notice, matches!(verdict, Verdict::Replay | Verdict::Wait)) {
        journal::keep_notice(&tx, notice).await?;
    }
    app.drill.point("settle: verdict carried out")?;
    tx.commit().await?;
    app.drill.gap("settle: committed").await?;
    if let (Verdict::Settle { trade_no, paid_at }, true) = (&verdict, app.drill.planted(Fault::TellAfterCommit)) {
        let taken = record::Taken { order: &order, attempt, trade_no, paid_at: *paid_at };
        record::paid(app, app.db.write(), &taken, &receipt_no, now).await?;
    }
    tracing::info!(order_no = %order.order_no, attempt_no = %attempt.attempt_no, verdict = verdict.code(), "heard");
    // nobody waiting is no error
    let _ = app.changed.send(order.id);
    Ok(verdict)
}

/// 收费单号: six digits or more, counted over all years.
async fn next_receipt_no(app: &App) -> Result<String> {
    Ok(format!("{:06}", app.serials.next(&app.db, "receipt", 20).await?))
}

/// How long after its end an attempt is looked at again, in case the channel breaks its word.
pub const LATER_LOOK: Duration = Duration::from_secs(30 * 60);

struct Booking<'a> {
    app: &'a App,
    tx: &'a DatabaseTransaction,
    order: &'a Order,
    attempt: &'a Attempt,
    now: Moment,
}

impl Booking<'_> {
    /// Does what the verdict says; gives the verdict that was carried out in the end.
    async fn carry_out(&self, verdict: Verdict, receipt_no: &str) -> Result<Verdict> {
        match verdict {
            Verdict::Settle { trade_no, paid_at } | Verdict::Late { trade_no, paid_at } => {
                if receipt_no.is_empty() {
                    // the order changed between the first look and the lock: the word will be heard again
                    return Err(sea_orm::DbErr::Custom("the order changed under way".to_owned()).into());
                }
                let lines = orders::lines(self.tx, self.order.id).await?;
                let books = books::lock_of_order(self.tx, self.order.id).await?;
                match self.still_due(&lines, &books) {
                    true => self.settle(trade_no, paid_at, receipt_no, (lines, books)).await,
                    false => self.surplus(trade_no, self.order.total, paid_at).await,
                }
            }
            Verdict::Surplus { trade_no, amount, paid_at } => self.surplus(trade_no, amount, paid_at).await,
            Verdict::Mismatch { trade_no, got, paid_at } => self.mismatch(trade_no, got, paid_at).await,
            Verdict::Foreign { field, got } => {
                let details = format!("{field}: {got}");
                self.raise("foreign_notice", self.attempt.attempt_no.as_str(), &details).await?;
                Ok(Verdict::Foreign { field, got })
            }
            Verdict::CloseAttempt => {
                let look_again = Some(self.now + LATER_LOOK);
                attempts::move_to_closed(self.tx, self.attempt.id, self.now, look_again).await?;
                Ok(Verdict::CloseAttempt)
            }
            Verdict::Replay | Verdict::Wait => Ok(verdict),
        }
    }

    /// Whether every line's charge still owes at least the line's amount.
    fn still_due(&self, lines: &[OrderLine], books: &Books) -> bool {
        let late = matches!(self.order.state, OrderState::Closed { .. });
        if self.planted(Fault::SkipStillDue) || late && self.planted(Fault::BookLateRegardless) {
            return true;
        }
        let owes =
            |line: &OrderLine| books.get(&line.charge_id).is_some_and(|book| book.balance.arrears() >= line.amount);
        lines.iter().all(owes)
    }

    async fn settle(
        &self,
        trade_no: TradeNo,
        paid_at: Moment,
        receipt_no: &str,
        (lines, mut books): (Vec<OrderLine>, Books),
    ) -> Result<Verdict> {
        let known = !self.record(&trade_no, self.order.total, Outcome::Settled, paid_at).await?;
        if known && !self.planted(Fault::SettleWithoutGuards) {
            return self.known_trade(trade_no, self.order.total, paid_at).await;
        }
        self.app.drill.point("settle: trade recorded")?;
        let was_live = attempts::move_to_paid(self.tx, self.attempt.id, self.now).await?;
        self.app.drill.point("settle: attempt paid")?;
        if !was_live {
            // another one may be: an order has at most one
            attempts::wake(self.tx, self.order.id, self.now).await?;
        }
        let moved = orders::move_to_paid(self.tx, self.order.id, &trade_no, paid_at, self.attempt.product).await?;
        if !moved && !self.planted(Fault::SettleWithoutGuards) {
            return Err(sea_orm::DbErr::Custom("a locked order was paid twice".to_owned()).into());
        }
        self.app.drill.point("settle: order paid")?;
        let order_no = self.order.order_no.as_str();
        for line in lines {
            let gone = || sea_orm::DbErr::RecordNotFound(format!("charge {}", line.charge_id));
            let book = books.get_mut(&line.charge_id).ok_or_else(gone)?;
            let entry = NewEntry { cause: Cause::Paid, cause_no: order_no, amount: line.amount, at: self.now };
            books::enter(self.tx, &self.app.chain, book, entry).await?;
            self.app.drill.point("settle: line entered")?;
        }
        let payer = self.order.payer_id;
        let receipt = journal::insert_receipt(self.tx, receipt_no, self.order.id, payer, self.now, ISSUER).await?;
        ereceipt::wish::want(self.app, self.tx, &self.order.payee_code, (receipt, receipt_no), self.now).await?;
        living::books::paid(self.app, self.tx, self.order, self.now).await?;
        if !self.planted(Fault::TellAfterCommit) {
            record::paid(self.app, self.tx, &self.taken(&trade_no, paid_at), receipt_no, self.now).await?;
        }
        note::paid(self.app, self.tx, self.order, paid_at, self.now).await?;
        Ok(Verdict::Settle { trade_no, paid_at })
    }

    /// Real money that can be booked to nothing: recorded, and wanted back by the payer at once.
    async fn surplus(&self, trade_no: TradeNo, amount: Fen, paid_at: Moment) -> Result<Verdict> {
        if !self.record(&trade_no, amount, Outcome::Surplus, paid_at).await? {
            return self.known_trade(trade_no, amount, paid_at).await;
        }
        self.app.drill.point("surplus: trade recorded")?;
        attempts::move_to_paid(self.tx, self.attempt.id, self.now).await?;
        if matches!(self.order.state, OrderState::Pending { .. }) {
            orders::move_to_closed(self.tx, self.order.id, CloseReason::Superseded, self.now).await?;
            living::books::let_go(self.app, self.tx, self.order, self.now).await?;
        }
        self.app.drill.point("surplus: order ended")?;
        let want = refund::Want { cause: RefundCause::Surplus, amount, total: amount, reason: "重复缴费退回" };
        refund::want(self.tx, self.attempt, &trade_no, &want, &[], self.now).await?;
        if self.planted(Fault::RefundSurplusTwice) {
            refund::want(self.tx, self.attempt, &trade_no, &want, &[], self.now).await?;
        }
        record::surplus(self.app, self.tx, &self.taken(&trade_no, paid_at), amount, self.now).await?;
        Ok(Verdict::Surplus { trade_no, amount, paid_at })
    }

    fn taken<'b>(&'b self, trade_no: &'b TradeNo, paid_at: Moment) -> record::Taken<'b> {
        record::Taken { order: self.order, attempt: self.attempt, trade_no, paid_at }
    }

    async fn mismatch(&self, trade_no: TradeNo, got: Fen, paid_at: Moment) -> Result<Verdict> {
        if !self.record(&trade_no, got, Outcome::Mismatch, paid_at).await? {
            return self.known_trade(trade_no, got, paid_at).await;
        }
        self.app.drill.point("mismatch: trade recorded")?;
        attempts::move_to_paid(self.tx, self.attempt.id, self.now).await?;
        let details = format!("expected {}, got {}, trade {trade_no}", self.order.total.yuan(), got.yuan());
        self.raise("amount_mismatch", self.attempt.attempt_no.as_str(), &details).await?;
        Ok(Verdict::Mismatch { trade_no, got, paid_at })
    }

    async fn record(&self, trade_no: &TradeNo, amount: Fen, outcome: Outcome, paid_at: Moment) -> Result<bool> {
        let trade = Trade {
            channel: self.attempt.product.channel(),
            trade_no: trade_no.clone(),
            attempt_id: self.attempt.id,
            order_id: self.order.id,
            amount,
            outcome,
            paid_at,
        };
        Ok(journal::insert_trade(self.tx, &trade, self.now).await?)
    }

    /// The trade number is in the books already: heard before, unless it stands there for another order or with
    /// another amount. The books keep what they have; the office is told.
    async fn known_trade(&self, trade_no: TradeNo, got: Fen, paid_at: Moment) -> Result<Verdict> {
        let own = journal::trades_of_order(self.tx, self.order.id).await?;
        match own.iter().find(|trade| trade.trade_no == trade_no) {
            None => {
                let details = format!("trade {trade_no} is booked to another order");
                self.raise("trade_of_another_order", self.attempt.attempt_no.as_str(), &details).await?;
            }
            Some(booked) if booked.amount != got => {
                let details = format!("booked {}, then told {}, trade {trade_no}", booked.amount.yuan(), got.yuan());
                self.raise("amount_mismatch", self.attempt.attempt_no.as_str(), &details).await?;
                return Ok(Verdict::Mismatch { trade_no, got, paid_at });
            }
            Some(_) => {}
        }
        Ok(Verdict::Replay)
    }

    fn planted(&self, fault: Fault) -> bool {
        self.app.drill.planted(fault)
    }

    async fn raise(&self, kind: &str, subject: &str, details: &str) -> Result<()> {
        Ok(journal::raise_office_item(self.tx, kind, subject, details, self.now).await?)
    }
}

/// The locked books of an order's lines.
type Books = HashMap<ChargeId, Book>;

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // writing to a String cannot fail
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Whether money of an unexpected amount lies on an order, which only the office can resolve.
pub async fn under_review(db: &impl ConnectionTrait, order: OrderId) -> Result<bool> {
    Ok(!journal::open_mismatches(db, order).await?.is_empty())
}
