//! 报名: taking a seat, waiting for one, giving it back, and losing it unpaid.
//!
//! Whoever moves seats holds the programme's row first, so seats and queue always agree: while there is a queue no seat
//! is free, until 报名终止. From then on nobody comes up any more: a seat that becomes free stays free. A seat that costs
//! something is a charge like any other; it is paid through the ordinary checkout, and what the charge says decides
//! whether the seat is paid for.
use std::time::Duration;

use sea_orm::ConnectionTrait;

use super::expire::{self, Ended};
use super::failure::Result;
use super::letter::Letter;
use crate::app::App;
use crate::domain::charge::Cause;
use crate::domain::enrolment::{Enrolment, EnrolmentState, Standing};
use crate::domain::fee::WindowState;
use crate::domain::ids::{ChargeId, EnrolmentId, PayerId, ProgrammeId};
use crate::domain::message::Way;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::CloseReason;
use crate::domain::payer::Phone;
use crate::domain::programme::Programme;
use crate::domain::refusal::Refusal;
use crate::domain::session::{Rights, Session};
use crate::store::bulk::{Key, Told};
use crate::store::chain::NewEntry;
use crate::store::enrolments::{Details, Kept};
use crate::store::{books, bulk, enrolments, messages, orders, payers, programmes};

/// What was typed into the form.
#[derive(Clone, Copy)]
pub struct Typed<'a> {
    /// The masked number as it was shown: the known one stays
    pub phone: &'a str,
    /// In the order of the programme's fields
    pub answers: &'a [&'a str],
}

/// Why a form was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotTaken {
    Phone,
    /// Of the field at this place, from 0
    Answer(usize),
    NotYet(Moment),
    Over,
    /// Not for this kind of payer
    NotAdmitted,
    /// No seat is left; a place in the queue can be asked for.
    Full,
}

pub type Taken<T> = std::result::Result<T, NotTaken>;

/// All programmes, or those of one department.
pub async fn programmes(app: &App) -> Result<Vec<Programme>> {
    Ok(programmes::list(app.db.read()).await?)
}

pub async fn programme(app: &App, id: ProgrammeId) -> Result<Programme> {
    Ok(programmes::find(app.db.read(), id).await?.ok_or(Refusal::NotFound)?)
}

/// The payer's own, newest first. What was not paid in time is given back before.
pub async fn of_payer(app: &App, session: &Session) -> Result<Vec<Enrolment>> {
    full(session)?;
    let found = enrolments::of_payer(app.db.read(), session.payer_id).await?;
    let now = app.clock.now();
    let overdue = |one: &&Enrolment| is_overdue(one, now);
    let lost: Vec<Enrolment> = found.iter().filter(overdue).cloned().collect();
    if lost.is_empty() {
        return Ok(found);
    }
    for one in lost {
        lose(app, one).await?;
    }
    Ok(enrolments::of_payer(app.db.read(), session.payer_id).await?)
}

/// The one a payer has in a programme and has not lost.
pub async fn live(app: &App, session: &Session, programme: ProgrammeId) -> Result<Option<Enrolment>> {
    full(session)?;
    Ok(enrolments::find_live(app.db.read(), programme, session.payer_id).await?)
}

/// An enrolment as its own page shows it.
pub struct Opened {
    pub enrolment: Enrolment,
    pub programme: Programme,
    pub details: Details,
    /// How many wait before; 0 where nobody waits
    pub before: i64,
}

/// One enrolment, and only if it is this payer's.
pub async fn find(app: &App, session: &Session, id: EnrolmentId) -> Result<Opened> {
    let mut kept = own(app, session, id).await?;
    if is_overdue(&kept.enrolment, app.clock.now()) {
        lose(app, kept.enrolment).await?;
        kept = own(app, session, id).await?;
    }
    let details = kept.details(&app.sealer)?;
    let before = match kept.enrolment.state {
        EnrolmentState::Waiting => enrolments::count_before(app.db.read(), &kept.enrolment).await?,
        _ => 0,
    };
    let programme = programme(app, kept.enrolment.programme).await?;
    Ok(Opened { enrolment: kept.enrolment, programme, details, before })
}

async fn own(app: &App, session: &Session, id: EnrolmentId) -> Result<Kept> {
    full(session)?;
    let kept = enrolments::find(app.db.read(), id).await?;
    Ok(kept.filter(|kept| kept.enrolment.payer == session.payer_id).ok_or(Refusal::NotFound)?)
}

fn full(session: &Session) -> Result<()> {
    if session.rights != Rights::OwnArrears { Ok(()) } else { Err(Refusal::NotFound.into()) }
}

/// What the payer's account has, masked, for the form.
pub struct Known {
    pub phone: Option<Phone>,
    pub id_number: Option<String>,
}

pub async fn known(app: &App, session: &Session) -> Result<Known> {
    full(session)?;
    let account = payers::find(app.db.read(), session.payer_id).await?.ok_or(Refusal::NotFound)?;
    let id_number = account.id_number(&app.sealer)?.map(|id| id.masked());
    Ok(Known { phone: account.phone(&app.sealer)?, id_number })
}

/// A seat, or with `queue` a place in the queue where no seat is left. Who is enrolled already is told that enrolment.
pub async fn enrol(
    app: &App,
    session: &Session,
    id: ProgrammeId,
    typed: Typed<'_>,
    queue: bool,
) -> Result<Taken<EnrolmentId>> {
    let phone = known(app, session).await?.phone;
    let (tx, now) = (app.db.begin().await?, app.clock.now());
    let account = payers::lock(&tx, session.payer_id).await?.ok_or(Refusal::NotFound)?;
    let programme = programmes::lock(&tx, id).await?.ok_or(Refusal::NotFound)?;
    if let Some(same) = enrolments::find_live(&tx, id, session.payer_id).await? {
        return Ok(Ok(same.id));
    }
    match programme.window.at(now) {
        WindowState::NotYet(opens) => return Ok(Err(NotTaken::NotYet(opens))),
        WindowState::Over(_) => return Ok(Err(NotTaken::Over)),
        WindowState::Open => {}
    }
    if !programme.admits(account.payer.kind) {
        return Ok(Err(NotTaken::NotAdmitted));
    }
    let details = match read(&programme, typed, phone.as_ref()) {
        Ok(details) => details,
        Err(not) => return Ok(Err(not)),
    };
    if programme.left() == 0 && !queue {
        return Ok(Err(NotTaken::Full));
    }
    let new = enrolments::insert(&tx, &app.sealer, (id, session.payer_id), &details, now).await?;
    seat_waiting(app, &tx, &programme, Some(new), now).await?;
    tx.commit().await?;
    tracing::info!(payer = %session.payer_id, programme = %id, enrolment = %new, "enrolled");
    Ok(Ok(new))
}

fn read(programme: &Programme, typed: Typed<'_>, known: Option<&Phone>) -> Taken<Details> {
    let phone = match known.filter(|known| known.masked() == typed.phone.trim()) {
        Some(known) => known.clone(),
        None => Phone::parse(typed.phone).ok_or(NotTaken::Phone)?,
    };
    let mut answers = Vec::with_capacity(programme.fields.len());
    for (at, field) in programme.fields.iter().enumerate() {
        let answer = typed.answers.get(at).map_or("", |answer| answer.trim());
        if !field.takes(answer) {
            return Err(NotTaken::Answer(at));
        }
        answers.push((field.label.zh.clone(), answer.to_owned()));
    }
    Ok(Details { phone: phone.reveal().to_owned(), answers })
}

/// Gives free seats to the first in the queue, under the programme's lock, and tells them. Gives how many were seated.
pub async fn fill(app: &App, tx: &impl ConnectionTrait, programme: &Programme, now: Moment) -> Result<usize> {
    seat_waiting(app, tx, programme, None, now).await
}

/// [`fill`]; who has only just enrolled sees it on the page and is not told.
async fn seat_waiting(
    app: &App,
    tx: &impl ConnectionTrait,
    programme: &Programme,
    new: Option<EnrolmentId>,
    now: Moment,
) -> Result<usize> {
    let mut seated = 0;
    if programme.is_over(now) {
        return Ok(seated);
    }
    while let Some(next) = enrolments::first_waiting(tx, programme.id).await? {
        if !programmes::take_seat(tx, programme.id).await? {
            break;
        }
        let pay_by = now + programme.pay_within;
        let charge = assess(app, tx, programme, &next, pay_by).await?;
        enrolments::seat(tx, next.id, charge.map(|charge| (charge, pay_by))).await?;
        if new != Some(next.id) {
            tell(app, tx, programme, &next, charge.map(|_| pay_by), now).await?;
        }
        seated += 1;
    }
    Ok(seated)
}

/// Tells who came up from the queue, by every way there is: the time to pay has begun.
async fn tell(
    app: &App,
    tx: &impl ConnectionTrait,
    programme: &Programme,
    next: &Enrolment,
    pay_by: Option<Moment>,
    now: Moment,
) -> Result<()> {
    let Some(kept) = enrolments::find(tx, next.id).await? else { return Ok(()) };
    let phone = kept.details(&app.sealer)?.phone;
    for (way, phone) in [(Way::Mail, None), (Way::Sms, Some(phone).filter(|phone| !phone.is_empty()))] {
        if !app.carrier.has(way) || (way == Way::Sms && phone.is_none()) {
            continue;
        }
        let letter = Letter::Seat {
            payer: next.payer,
            phone,
            programme: programme.name.zh.clone(),
            programme_en: programme.name.en.clone(),
            pay_by: pay_by.map(Moment::millis),
        };
        messages::insert(tx, &app.sealer, letter.kind(), &letter.write(), now).await?;
    }
    Ok(())
}

/// Makes the payer owe the fee. Who had a seat here before has a charge already: what was waived of it is taken back.
async fn assess(
    app: &App,
    tx: &impl ConnectionTrait,
    programme: &Programme,
    enrolment: &Enrolment,
    pay_by: Moment,
) -> Result<Option<ChargeId>> {
    if programme.fee.is_zero() {
        return Ok(None);
    }
    let now = app.clock.now();
    let due_day = pay_by.format("%Y%m%d").parse().ok();
    let key = Key { payer: enrolment.payer, item: programme.item, period: programme.period };
    let known = bulk::charges_of(tx, &[enrolment.payer]).await?.get(&key).map(|bare| bare.id);
    let (mut book, cause) = match known {
        None => {
            let owner = (key.payer, key.item, key.period);
            (books::open(tx, &app.chain, owner, due_day, now).await?, Cause::Assessed)
        }
        Some(charge) => {
            bulk::set_told(tx, charge, &Told { due_day, ..Told::default() }).await?;
            (books::lock_one(tx, charge).await?, Cause::Adjusted)
        }
    };
    let cause_no = format!("enrolment:{}", enrolment.id);
    if book.balance.waived.is_positive() {
        let (cause_no, amount) = (format!("{cause_no}:again"), Fen::ZERO - book.balance.waived);
        let entry = NewEntry { cause: Cause::Waived, cause_no: &cause_no, amount, at: now };
        books::enter(tx, &app.chain, &mut book, entry).await?;
    }
    let balance = &book.balance;
    let amount = programme.fee - (balance.assessed - balance.waived - balance.kept());
    if !amount.is_zero() {
        let entry = NewEntry { cause, cause_no: &cause_no, amount, at: now };
        books::enter(tx, &app.chain, &mut book, entry).await?;
    }
    Ok(Some(book.charge))
}

/// Changes phone and answers until the seat is paid for.
pub async fn edit(app: &App, session: &Session, id: EnrolmentId, typed: Typed<'_>) -> Result<Taken<()>> {
    let opened = find(app, session, id).await?;
    let phone = Phone::parse(&opened.details.phone);
    let details = match read(&opened.programme, typed, phone.as_ref()) {
        Ok(details) => details,
        Err(not) => return Ok(Err(not)),
    };
    let tx = app.db.begin().await?;
    payers::lock(&tx, session.payer_id).await?;
    let now = enrolments::find(&tx, id).await?;
    if !now.is_some_and(|kept| kept.enrolment.is_open()) {
        return Ok(Ok(()));
    }
    enrolments::set_details(&tx, &app.sealer, id, &details).await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// Gives the seat, or the place in the queue, back. What is paid for is not given back here.
pub async fn cancel(app: &App, session: &Session, id: EnrolmentId) -> Result<()> {
    let enrolment = own(app, session, id).await?.enrolment;
    match enrolment.standing() {
        Standing::Cancelled | Standing::Expired => Ok(()),
        Standing::Paid if enrolment.due.is_some() => Err(Refusal::OrderPaid.into()),
        _ => release(app, &enrolment, EnrolmentState::Cancelled).await,
    }
}

fn is_overdue(one: &Enrolment, now: Moment) -> bool {
    one.standing() == Standing::ToPay && one.due.is_some_and(|due| due.pay_by <= now)
}

/// A seat that was not paid in time. Money on its way is waited for: the order is asked about before.
async fn lose(app: &App, one: Enrolment) -> Result<bool> {
    match release(app, &one, EnrolmentState::Expired).await {
        Ok(()) => Ok(true),
        Err(super::failure::Failure::Refused(refusal)) => {
            tracing::info!(enrolment = %one.id, refused = refusal.code(), "an overdue seat is kept for now");
            Ok(false)
        }
        Err(failure) => Err(failure),
    }
}

/// Ends an enrolment: closes the order its charge waits in, waives the charge, and gives the seat to the next.
async fn release(app: &App, one: &Enrolment, to: EnrolmentState) -> Result<()> {
    // twice: a new checkout may have come in between
    for _ in 0..2 {
        if let Some(due) = one.due {
            close_order(app, one.payer, due.charge).await?;
        }
        let (tx, now) = (app.db.begin().await?, app.clock.now());
        payers::lock(&tx, one.payer).await?;
        let programme = programmes::lock(&tx, one.programme).await?.ok_or(Refusal::NotFound)?;
        let Some(kept) = enrolments::find(&tx, one.id).await? else { return Err(Refusal::NotFound.into()) };
        let present = kept.enrolment;
        match present.state {
            EnrolmentState::Cancelled | EnrolmentState::Expired => return Ok(()),
            EnrolmentState::Waiting => enrolments::end(&tx, one.id, (present.state, to), now).await?,
            EnrolmentState::Seated => {
                if let Some(due) = present.due {
                    let pending = orders::pending_lines(&tx, one.payer).await?;
                    if pending.iter().any(|(_, charge)| *charge == due.charge) {
                        continue;
                    }
                    waive(app, &tx, due.charge, one.id, now).await?;
                }
                enrolments::end(&tx, one.id, (present.state, to), now).await?;
                programmes::give_back_seat(&tx, one.programme).await?;
                fill(app, &tx, &programme, now).await?;
            }
        }
        tx.commit().await?;
        tracing::info!(enrolment = %one.id, to = to.code(), "enrolment ended");
        return Ok(());
    }
    Err(Refusal::ArrearsChanged.into())
}

async fn close_order(app: &App, payer: PayerId, charge: ChargeId) -> Result<()> {
    let pending = orders::pending_lines(app.db.read(), payer).await?;
    for (order, _) in pending.iter().filter(|(_, held)| *held == charge) {
        match expire::close(app, order, CloseReason::Superseded).await? {
            Ended::Closed => {}
            Ended::Paid => return Err(Refusal::OrderPaid.into()),
            Ended::UnderReview => return Err(Refusal::UnderReview.into()),
            Ended::Unclear => return Err(Refusal::InAnotherOrder { order_no: order.order_no.clone() }.into()),
        }
    }
    Ok(())
}

/// What is still owed is waived; a charge that is paid meanwhile keeps the seat.
async fn waive(app: &App, tx: &impl ConnectionTrait, charge: ChargeId, id: EnrolmentId, now: Moment) -> Result<()> {
    let mut book = books::lock_one(tx, charge).await?;
    let amount = book.balance.arrears();
    if !amount.is_positive() {
        return Err(Refusal::OrderPaid.into());
    }
    let cause_no = format!("enrolment:{id}");
    let entry = NewEntry { cause: Cause::Waived, cause_no: &cause_no, amount, at: now };
    Ok(books::enter(tx, &app.chain, &mut book, entry).await?)
}

/// Takes every seat back whose time to pay has run out. Gives how many.
pub async fn run_once(app: &App) -> Result<usize> {
    let mut lost = 0;
    let mut after = (Moment::from_millis(0), EnrolmentId(0));
    loop {
        let page = enrolments::overdue(app.db.read(), app.clock.now(), after, 100).await?;
        let Some(last) = page.last() else { return Ok(lost) };
        after = (last.due.map_or(after.0, |due| due.pay_by), last.id);
        for one in page {
            // a channel that gave no clear answer is not asked again for the same seat within the minute
            let key = format!("losing:{}:{}", one.id, app.clock.now().unix() / 60);
            if app.cache.once(&key, Duration::from_secs(60)).await {
                lost += usize::from(lose(app, one).await?);
            }
        }
    }
}
