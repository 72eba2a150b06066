//! A top-up is begun: what is typed is checked, and in one transaction the payer owes it and has an order for it.
use sea_orm::ConnectionTrait;

use super::provider::{self, Left};
use crate::app::App;
pub use crate::config::Living;
use crate::domain::bilingual::Bilingual;
use crate::domain::charge::Cause;
use crate::domain::checkout::Part;
use crate::domain::fee::{Collection, FeeItem, FeeKind, Window};
use crate::domain::ids::{ChargeId, FeeItemId, PeriodId};
use crate::domain::living::{ITEM, TopUp, TopUpState, Unfit};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::{Order, OrderState};
use crate::domain::refusal::Refusal;
use crate::domain::session::{Rights, Session};
use crate::flow::checkout;
use crate::flow::failure::Result;
use crate::store::bulk::Key;
use crate::store::chain::NewEntry;
use crate::store::top_ups::{self, NewTopUp};
use crate::store::{books, bulk, fees, orders, payers};

/// How many numbers of rooms or cards are remembered of a payer and a service
const REMEMBERED: usize = 3;
/// How many top-ups of one service may wait for payment at once
const AT_ONCE: usize = 5;
/// How many of the latest top-ups are looked through for either
const LOOKED_AT: u32 = 20;

/// What was typed into the form.
#[derive(Clone, Copy)]
pub struct Typed<'a> {
    pub account: &'a str,
    /// Yuan
    pub amount: &'a str,
    /// Names this drawing of the form
    pub checkout_id: &'a str,
}

/// Why a form was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotTaken {
    /// It does not look like such a number
    Account,
    /// The provider knows no such room or card
    NoSuchAccount,
    NotAnAmount,
    Amount(Unfit),
    /// Several wait for payment already
    TooMany,
}

/// The service of this id.
pub fn service<'a>(app: &'a App, id: &str) -> Result<&'a Living> {
    Ok(app.config.living.iter().find(|one| one.id == id).ok_or(Refusal::NotFound)?)
}

/// The rooms or cards a payer has topped up, the latest first.
pub async fn accounts(app: &App, session: &Session, service: &Living) -> Result<Vec<String>> {
    full(session)?;
    let mut accounts: Vec<String> = Vec::new();
    for kept in top_ups::latest(app.db.read(), session.payer_id, &service.id, LOOKED_AT).await? {
        let account = kept.account(&app.sealer)?;
        if accounts.len() < REMEMBERED && !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    Ok(accounts)
}

/// The top-up an order is for, with its room or card; for its payer, whose order it is.
pub async fn of_order(app: &App, order: &Order) -> Result<Option<(TopUp, String)>> {
    let Some(kept) = top_ups::find_of_order(app.db.read(), order.id).await? else { return Ok(None) };
    let account = kept.account(&app.sealer)?;
    Ok(Some((kept.top_up, account)))
}

fn full(session: &Session) -> Result<()> {
    if session.rights != Rights::OwnArrears { Ok(()) } else { Err(Refusal::NotFound.into()) }
}

/// The order to pay for it. The same form again, and the same top-up while it waits for payment, is the same order.
pub async fn buy(
    app: &App,
    session: &Session,
    service: &Living,
    typed: Typed<'_>,
) -> Result<std::result::Result<Order, NotTaken>> {
    full(session)?;
    let payer = session.payer_id;
    let (account, amount) = match read(service, typed) {
        Ok(both) => both,
        Err(not) => return Ok(Err(not)),
    };
    if let Some(same) = orders::find_of_checkout(app.db.read(), payer, typed.checkout_id).await?.pop() {
        return Ok(Ok(same));
    }
    // a provider that does not answer keeps nobody from paying
    if provider::balance(app, service, &account).await == Left::NoSuchAccount {
        return Ok(Err(NotTaken::NoSuchAccount));
    }
    let now = app.clock.now();
    let item = item(app, service, now).await?;
    let period = period(app, now).await?;
    let order_no = checkout::next_order_no(app).await?;
    let tx = app.db.begin().await?;
    payers::lock(&tx, payer).await?.ok_or(Refusal::NotFound)?;
    if let Some(same) = orders::find_of_checkout(&tx, payer, typed.checkout_id).await?.pop() {
        return Ok(Ok(same));
    }
    let mut unpaid = 0;
    for kept in top_ups::latest(&tx, payer, &service.id, LOOKED_AT).await? {
        let is_same = kept.top_up.amount == amount && kept.account(&app.sealer)? == account;
        if kept.top_up.state == TopUpState::Unpaid {
            unpaid += 1;
            let order = orders::find(&tx, kept.top_up.order).await?.filter(|_| is_same);
            let open = |order: &Order| matches!(order.state, OrderState::Pending { .. }) && order.expires_at > now;
            if let Some(same) = order.filter(open) {
                return Ok(Ok(same));
            }
        }
    }
    if unpaid >= AT_ONCE {
        return Ok(Err(NotTaken::TooMany));
    }
    let charge = assess(app, &tx, Key { payer, item, period }, (order_no.as_str(), amount), now).await?;
    let part = Part {
        payee_code: service.payee.clone(),
        subject: service.name.clone(),
        total: amount,
        lines: vec![(charge, amount)],
    };
    let order = checkout::insert(app, &tx, (payer, typed.checkout_id), (&order_no, 0), &part).await?;
    let new = NewTopUp { order, payer, charge, service: &service.id, account: &account, amount };
    top_ups::insert(&tx, &app.sealer, &new, now).await?;
    app.drill.point("top-up: order written")?;
    tx.commit().await?;
    tracing::info!(%payer, %order_no, service = service.id, "a top-up is begun");
    Ok(Ok(orders::find(app.db.read(), order).await?.ok_or(Refusal::NotFound)?))
}

fn read(service: &Living, typed: Typed<'_>) -> std::result::Result<(String, Fen), NotTaken> {
    let account = service.read_account(typed.account).ok_or(NotTaken::Account)?;
    let amount = Fen::typed(typed.amount).ok_or(NotTaken::NotAnAmount)?;
    Ok((account, service.limits().check(amount).map_err(NotTaken::Amount)?))
}

/// The service's own fee item, as the configuration has it now.
async fn item(app: &App, service: &Living, now: Moment) -> Result<FeeItemId> {
    let item = FeeItem {
        id: FeeItemId(0),
        code: format!("{ITEM}{}", service.id),
        name: service.bilingual_name(),
        kind: FeeKind::Living,
        payee_code: service.payee.clone(),
        collection: Collection::Collecting,
        window: Window::default(),
        min_split: None,
        fiscal_code: None,
    };
    let known = fees::find_items(app.db.read()).await?.into_iter().find(|known| known.code == item.code);
    match known {
        Some(known) if FeeItem { id: item.id, ..known.clone() } == item => Ok(known.id),
        _ => Ok(fees::upsert_item(app.db.write(), &item, now).await?),
    }
}

/// The month.
async fn period(app: &App, now: Moment) -> Result<PeriodId> {
    let code = now.format("%Y-%m");
    let known = fees::find_periods(app.db.read()).await?.into_iter().find(|known| known.code == code);
    match known {
        Some(known) => Ok(known.id),
        None => {
            let name = Bilingual::new(now.format("%Y年%-m月"), code.clone());
            Ok(fees::upsert_period(app.db.write(), &code, &name).await?)
        }
    }
}

/// Makes the payer owe it, on the charge that all top-ups of the month share.
async fn assess(
    app: &App,
    tx: &impl ConnectionTrait,
    key: Key,
    (cause_no, amount): (&str, Fen),
    at: Moment,
) -> Result<ChargeId> {
    let known = bulk::charges_of(tx, &[key.payer]).await?.get(&key).map(|bare| bare.id);
    let (mut book, cause) = match known {
        Some(charge) => (books::lock_one(tx, charge).await?, Cause::Adjusted),
        None => {
            let owner = (key.payer, key.item, key.period);
            (books::open(tx, &app.chain, owner, None, at).await?, Cause::Assessed)
        }
    };
    let entry = NewEntry { cause, cause_no, amount, at };
    books::enter(tx, &app.chain, &mut book, entry).await?;
    Ok(book.charge)
}
